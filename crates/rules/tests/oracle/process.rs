//! A program in C or C++ that asks somebody else's engine: built once, asked over its standard
//! input and output, in hexadecimal.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Builds `source` against libmodsecurity with `cc` or `c++`, whichever its ending asks for.
pub(crate) fn built(source: &str, folder: &str) -> PathBuf {
    let source = Path::new(source);
    let program = Path::new(folder).join(source.file_stem().expect("a name"));
    let is_c = source.extension().is_some_and(|end| end == "c");
    let (compiler, dialect) = if is_c { ("cc", "-std=gnu11") } else { ("c++", "-std=c++17") };
    let built = Command::new(compiler)
        .args([dialect, "-O2", "-o"])
        .arg(&program)
        .arg(source)
        .arg("-lmodsecurity")
        .status()
        .unwrap_or_else(|error| panic!("a compiler named {compiler} is needed: {error}"));
    assert!(built.success(), "libmodsecurity-dev is needed");
    program
}

/// What the program answers to these lines.
pub(crate) fn asked(program: &Path, arguments: &[&str], lines: String) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program was just built");
    let mut input = child.stdin.take().expect("piped");
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("it runs");
    writer.join().expect("no panic").expect("it reads");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("hexadecimal")
}

/// Bytes in hexadecimal, `-` for none.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    if bytes.is_empty() {
        return "-".to_owned();
    }
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
