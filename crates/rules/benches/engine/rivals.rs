//! Other engines on the same requests and the same Core Rule Set: libmodsecurity (C++) and Coraza
//! (Go). Each is a small program that is built here from `rivals.cc` and `rivals.go`.
//!
//! What is missing to build one is said aloud, and that engine is left out. libmodsecurity is given
//! a copy of the rule set that it can read (`tests/oracle/readable.rs`): the same rules.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::readable::readable;
use super::requests::Make;
use super::sets;

/// Coraza, at a version that is known to build.
const CORAZA: &str = "github.com/corazawaf/coraza/v3@v3.8.1";

/// An engine, and the program that measures it.
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    /// So many times less shall ours take.
    pub(crate) factor_min: f64,
    /// Whether it needs every rule to have actions.
    is_strict: bool,
    program: PathBuf,
}

/// Those that can be built here.
pub(crate) fn all() -> Vec<Rival> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/engine");
    let target = std::env::temp_dir().join(format!("palisade-rivals-{}", std::process::id()));
    std::fs::create_dir_all(&target).expect("a folder");
    let built = [
        ("libmodsecurity", 30.0, true, libmodsecurity(&folder, &target)),
        ("coraza", 5.0, false, coraza(&folder, &target)),
    ];
    let mut rivals = Vec::new();
    for (name, factor_min, is_strict, program) in built {
        match program {
            Ok(program) => rivals.push(Rival { name, factor_min, is_strict, program }),
            Err(reason) => println!("NOT MEASURED: {name}: {reason}"),
        }
    }
    rivals
}

fn libmodsecurity(folder: &Path, target: &Path) -> Result<PathBuf, String> {
    let program = target.join("libmodsecurity");
    let mut compiler = Command::new("c++");
    compiler.args(["-std=c++17", "-O2", "-o"]).arg(&program).arg(folder.join("rivals.cc"));
    succeed(compiler.arg("-lmodsecurity")).map(|()| program)
}

fn coraza(folder: &Path, target: &Path) -> Result<PathBuf, String> {
    let module = target.join("coraza");
    std::fs::create_dir_all(&module).expect("a folder");
    std::fs::copy(folder.join("rivals.go"), module.join("main.go")).expect("a file");
    let program = module.join("coraza");
    let go = |words: &[&str]| succeed(Command::new("go").args(words).current_dir(&module));
    go(&["mod", "init", "rivals"])?;
    go(&["get", CORAZA])?;
    go(&["build", "-o", "coraza", "."])?;
    Ok(program)
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    output.status.success().then_some(()).ok_or_else(|| format!("{command:?}: {error}"))
}

impl Rival {
    /// Microseconds of CPU for one of these requests, after as many others.
    pub(crate) fn measure(&self, request: &Make, rounds: usize) -> Result<f64, String> {
        let folder = self.program.with_extension("run");
        std::fs::create_dir_all(&folder).expect("a folder");
        let (rules, requests) = (folder.join("rules.conf"), folder.join("requests"));
        let (mut setup, mut set) = (sets::crs_setup(), sets::crs_folder());
        if self.is_strict {
            // Nor may a path have an `@`.
            let (copy, copies) = (folder.join("setup.conf"), folder.join("crs"));
            std::fs::copy(&setup, &copy).expect("a copy");
            readable(Path::new(&set), &copies);
            (setup, set) = (copy.display().to_string(), copies.display().to_string());
        }
        std::fs::write(&rules, sets::crs_entry(1, &setup, &set)).expect("a file");
        let mut file = std::fs::File::create(&requests).expect("a file");
        for round in 0..2 * rounds {
            let request = request(round);
            writeln!(file, "{} {}", request.head.len(), request.body.len()).expect("room");
            file.write_all(request.head.as_bytes()).expect("room");
            file.write_all(request.body.as_bytes()).expect("room");
        }
        let run = Command::new(&self.program).arg(&rules).arg(&requests).output();
        let output = run.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse().map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
