//! ModSecurity's own test vectors for transformations and operators, as Coraza keeps them.
//!
//! They are read from `internal/{transformations,operators}/testdata` of a checkout of Coraza or of
//! its Go module (`github.com/corazawaf/coraza/v3`), whose folder `PALISADE_CORAZA` names. Without
//! it these tests fail, so plain `cargo test` leaves them out; `make test-data` gets the module and
//! runs them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rules::operator::{DataFileError, DataFiles, Operator, OperatorError};
use rules::pattern::Pattern;
use rules::transformation::Transformation;
use serde_json::Value;

/// Vectors that we answer differently on purpose: name and input.
///
/// - A path of two slashes is the root, as the file system and ModSecurity read it; in Coraza the
///   cleaned path grows a slash again.
/// - `\x` without two digits loses its backslash in ModSecurity, in Coraza and here. This vector
///   says otherwise, but neither reading that Coraza's runner has for it compares anything.
const TRANSFORMED_OTHERWISE: [(&str, &[u8]); 3] = [
    ("normalisePath", b"//"),
    ("normalisePathWin", b"//"),
    ("escapeSeqDecode", br"\8\9\666\xag\xga\0123"),
];

/// The same for operators: name, argument and input.
///
/// - The word follows `\0`, which is meant for a NUL byte and which no runner reads so; as it
///   stands, `0def` is another word. Coraza leaves this operator out.
/// - A prefix longer than the address is an error when the rule is loaded; ModSecurity and Coraza
///   drop the network without a word, and the rule with it.
const MATCHED_OTHERWISE: [(&str, &str, &str); 2] =
    [("containsWord", "def", r"abc\0def ghi"), ("ipMatch", "10.0.0.0/100", "10.10.10.11")];

fn folder(of: &str) -> PathBuf {
    let coraza =
        std::env::var_os("PALISADE_CORAZA").expect("PALISADE_CORAZA names Coraza's folder");
    Path::new(&coraza).join("internal").join(of).join("testdata")
}

/// Every vector in the JSON files of a folder.
fn vectors(folder: &Path) -> Vec<Value> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder of vectors")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no vectors in {}", folder.display());
    files
        .iter()
        .flat_map(|path| -> Vec<Value> {
            let text = fs::read(path).expect("a readable file");
            serde_json::from_slice(&text).expect("an array of vectors")
        })
        .collect()
}

type Reading = fn(&str) -> Option<Vec<u8>>;

/// How the runners of the vectors turn their text into bytes: ModSecurity replaces `\xHH`, Coraza
/// reads text with a `\x` in it as a string of Go. Vectors were written for either.
const READINGS: [Reading; 2] = [hexadecimal, unquoted];

/// The fields of a vector as bytes, in each reading that it has. Both readings take `\u0000` behind
/// a second backslash for a NUL byte.
fn readings(vector: &Value, fields: [&str; 2]) -> Vec<[Vec<u8>; 2]> {
    let texts =
        fields.map(|field| vector[field].as_str().unwrap_or_default().replace("\\u0000", "\0"));
    let read = |reading: &Reading| {
        let [first, second] = texts.each_ref().map(|text| match text.contains("\\x") {
            true => reading(text),
            false => Some(text.clone().into_bytes()),
        });
        Some([first?, second?])
    };
    READINGS.iter().filter_map(read).collect()
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some(first) = rest.first() {
        let digits = rest.get(2..4).filter(|_| rest.starts_with(b"\\x"));
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = &rest[if byte.is_some() { 4 } else { 1 }..];
    }
    Some(out)
}

/// Go's reading of an interpreted string, or nothing where it has none.
fn unquoted(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if matches!(first, b'"' | b'\n') {
            return None;
        }
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        let (kind, after) = rest.split_first()?;
        rest = after;
        out.push(match kind {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\\' | b'"' => *kind,
            b'x' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            _ => return None,
        });
    }
    Some(out)
}

#[test]
fn transformations_give_what_the_vectors_say() {
    let (mut passed, mut differing, mut unknown) = (0, Vec::new(), 0);
    for vector in vectors(&folder("transformations")) {
        let name = vector["name"].as_str().expect("a name");
        let Some(transformation) = Transformation::named(name) else {
            unknown += 1;
            continue;
        };
        let readings = readings(&vector, ["input", "output"]);
        if readings.iter().any(|[input, output]| *transformation.apply(input) == **output) {
            passed += 1;
            continue;
        }
        let [input, output] = &readings[0];
        if !TRANSFORMED_OTHERWISE.contains(&(name, input)) {
            differing.push(format!(
                "{name}({}) = {}, not {}",
                input.escape_ascii(),
                transformation.apply(input).escape_ascii(),
                output.escape_ascii()
            ));
        }
    }
    println!("transformations: {passed} passed, {unknown} of no transformation");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// The files that vectors of operators name.
struct Files(PathBuf);

impl DataFiles for Files {
    fn read(&self, name: &str) -> Result<Vec<u8>, DataFileError> {
        fs::read(self.0.join(name)).map_err(|error| DataFileError(error.to_string()))
    }
}

fn prepared(name: &str, argument: &[u8], files: &Files) -> Result<Operator, OperatorError> {
    if !Operator::takes_pattern(name) {
        return Operator::parse(name, argument, files);
    }
    // ModSecurity 3 lets `^` and `$` match at lines; the vectors were written for it.
    let text = [b"(?m)", argument].concat();
    let pattern = Pattern::parse(&text).expect("patterns of vectors compile");
    Operator::with_pattern(name, pattern)
}

#[test]
fn operators_match_as_the_vectors_say() {
    let folder = folder("operators");
    let files = Files(folder.join("op"));
    let (mut passed, mut differing, mut absent) = (0, Vec::new(), BTreeMap::new());
    for vector in vectors(&folder) {
        let name = vector["name"].as_str().expect("a name");
        let expected = vector["ret"] == 1;
        let readings = readings(&vector, ["param", "input"]);
        let answers = readings.iter().map(|[argument, input]| {
            prepared(name, argument, &files).map(|operator| operator.matches(input, argument))
        });
        let answers: Vec<Result<bool, OperatorError>> = answers.collect();
        match &answers[0] {
            _ if answers.contains(&Ok(expected)) => passed += 1,
            Err(OperatorError::Unknown(_) | OperatorError::Unsupported { .. }) => {
                *absent.entry(name.to_owned()).or_insert(0) += 1;
            }
            answer => {
                let [argument, input] = ["param", "input"].map(|field| vector[field].as_str());
                let found = (name, argument.unwrap_or_default(), input.unwrap_or_default());
                if !MATCHED_OTHERWISE.contains(&found) {
                    differing.push(format!("{vector}: {answer:?}"));
                }
            }
        }
    }
    println!("operators: {passed} passed; of operators that are not here: {absent:?}");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
