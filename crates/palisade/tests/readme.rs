//! What the README and the manual tell people to type exists, and the configuration they show is
//! accepted: by the real program.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Commands that have commands of their own, which the documents must get right as well.
const NESTED: [&str; 5] = ["alerts", "api", "decisions", "exceptions", "incidents"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The README and the pages of the manual, with their names.
fn documents() -> Vec<(String, String)> {
    let pages = fs::read_dir(root().join("docs")).expect("readable");
    let mut paths: Vec<PathBuf> = pages.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.push(root().join("README.md"));
    paths.sort();
    let read =
        |path: &PathBuf| (path.display().to_string(), fs::read_to_string(path).expect("readable"));
    paths.iter().map(read).collect()
}

fn palisade(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_palisade")).args(arguments).output().expect("runs")
}

/// The words after each `palisade ` that begins a code span or a line of a code block.
fn commands(text: &str) -> BTreeSet<Vec<&str>> {
    let mut found = BTreeSet::new();
    for typed in text.split(['`', '\n', '|', '$']) {
        let typed = typed.trim_start().trim_start_matches("target/release/");
        let Some(rest) = typed.strip_prefix("palisade ") else {
            continue;
        };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let Some(command) = words.first().filter(|word| is_name(word)) else {
            continue;
        };
        let nested = words.get(1).filter(|word| NESTED.contains(command) && is_name(word));
        found.insert(std::iter::once(command).chain(nested).copied().collect());
    }
    found
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

#[test]
fn every_command_that_is_written_down_exists() {
    let mut seen = 0;
    for (path, text) in documents() {
        for mut command in commands(&text) {
            let typed = command.join(" ");
            command.push("--help");
            let output = palisade(&command);
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{path}: palisade {typed}: {told}");
            seen += 1;
        }
    }
    assert!(seen >= 20, "only {seen} commands were found in the documents");
}

#[test]
fn every_whole_configuration_in_the_readme_is_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("palisade.toml");
    let readme = fs::read_to_string(root().join("README.md")).expect("readable");
    let samples: Vec<&str> =
        readme.split("```toml\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    assert_eq!(samples.len(), 2);
    for sample in samples {
        fs::write(&file, sample).expect("readable");
        let output = palisade(&["check", "-c", file.to_str().expect("a path")]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sample}\n{told}");
    }
}
