//! The shape of the sources, as STYLE.md asks for it.
//!
//! Lengths are hard limits: what is longer is two things. There is no list of old sins, because
//! there are none; formatting is rustfmt's work and is not repeated here.

mod functions;
mod links;

use anyhow::Result;

use crate::{
    source::{code_only, is_test, without_literals},
    workspace::{SourceFile, Workspace},
};

const FILE_LINES_MAX: usize = 600;
const LINE_WIDTH_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;
/// A test may be a table, whose rows are data.
const TEST_LINES_MAX: usize = 140;

/// Words that mean unfinished or switched-off work. Split, so that this file does not hold them.
const UNFINISHED: [&str; 7] = [
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("db", "g!("),
    concat!("#[ig", "nore"),
    concat!("allow(dead", "_code"),
    concat!("allow(unu", "sed"),
    concat!("allow(clippy::al", "l"),
];

/// The same in comments, where work is put off with a name.
const PUT_OFF: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];

/// Every complaint about the sources, in the order of their paths.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let mut complaints: Vec<String> =
        workspace.sources()?.iter().flat_map(complaints_about).collect();
    complaints.extend(data_tests_left_in(workspace)?);
    complaints.extend(links::broken(workspace)?);
    Ok(complaints)
}

/// What is wrong with one file.
pub(crate) fn complaints_about(file: &SourceFile) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut complain = |line: usize, what: String| {
        complaints.push(format!("{}:{line}: {what}", file.path));
    };
    if file.path.ends_with("/mod.rs") {
        complain(1, "a module lives in name.rs beside name/, never in mod.rs".to_owned());
    }
    if !file.text.starts_with("//!") {
        complain(1, "a file opens with //! saying what it is and why".to_owned());
    }
    let lines = file.text.lines().count();
    if lines > FILE_LINES_MAX {
        complain(lines, format!("{lines} lines; {FILE_LINES_MAX} is the limit"));
    }
    for (number, line) in (1..).zip(file.text.lines()) {
        for what in line_complaints(line) {
            complain(number, what);
        }
    }
    // A string may hold what cannot be broken; what stands around it can.
    for (number, line) in (1..).zip(without_literals(&file.text).lines()) {
        let width = line.chars().count();
        if width > LINE_WIDTH_MAX {
            complain(number, format!("{width} columns; {LINE_WIDTH_MAX} is the limit"));
        }
    }
    let code = code_only(&file.text);
    for (number, line) in (1..).zip(code.lines()) {
        for word in UNFINISHED.iter().filter(|word| line.contains(*word)) {
            complain(number, format!("`{word}` means unfinished or hidden work"));
        }
    }
    let lines_max = if is_test(&file.path) { TEST_LINES_MAX } else { FUNCTION_LINES_MAX };
    for function in functions::longer_than(&code, lines_max) {
        let what = format!("fn {} has {} lines", function.name, function.lines);
        complain(function.line, format!("{what}; {lines_max} is the limit"));
    }
    complaints
}

fn line_complaints(line: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    if line.contains('\t') {
        complaints.push("a tab; four spaces indent".to_owned());
    }
    if line.ends_with(' ') {
        complaints.push("a blank at the end of the line".to_owned());
    }
    for word in PUT_OFF.iter().filter(|word| line.contains(*word)) {
        complaints.push(format!("`{word}`: do it, or open an issue"));
    }
    complaints
}

/// Tests named `data.rs` need files from outside, so plain `cargo test` must leave them out.
fn data_tests_left_in(workspace: &Workspace) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for file in workspace.sources()? {
        let Some(folder) = file.path.strip_suffix("/tests/data.rs") else {
            continue;
        };
        let manifest_path = format!("{folder}/Cargo.toml");
        let manifest: toml::Table = workspace.read(&manifest_path)?.parse()?;
        if !leaves_data_out(&manifest) {
            complaints
                .push(format!("{manifest_path}: [[test]] name = \"data\" needs test = false"));
        }
    }
    Ok(complaints)
}

fn leaves_data_out(manifest: &toml::Table) -> bool {
    let tests = manifest.get("test").and_then(|tests| tests.as_array());
    tests.into_iter().flatten().any(|test| {
        test.get("name").and_then(|name| name.as_str()) == Some("data")
            && test.get("test").and_then(|on| on.as_bool()) == Some(false)
    })
}
