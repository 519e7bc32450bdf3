//! Dependencies that a manifest names and no source does.
//!
//! A check by text: the crate's name must stand somewhere in the code of the crate that asks for
//! it (in its tests, for a dev-dependency). Macros that name crates for us are not looked into.

use anyhow::Result;
use toml::Table;

use crate::{
    source::code_only,
    workspace::{SourceFile, Workspace},
};

/// Dependencies of our crates that their sources do not name.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let sources: Vec<SourceFile> = workspace
        .sources()?
        .into_iter()
        .map(|file| SourceFile { text: code_only(&file.text), path: file.path })
        .collect();
    let mut complaints = Vec::new();
    for folder in workspace.crate_folders()? {
        let manifest: Table = workspace.read(&format!("{folder}/Cargo.toml"))?.parse()?;
        let inside = format!("{folder}/");
        let own: Vec<&SourceFile> =
            sources.iter().filter(|file| file.path.starts_with(&inside)).collect();
        for name in unnamed(&manifest, &own, &format!("{folder}/src/")) {
            complaints.push(format!("{folder}/Cargo.toml asks for {name}, which nothing names"));
        }
    }
    Ok(complaints)
}

fn unnamed(manifest: &Table, sources: &[&SourceFile], built: &str) -> Vec<String> {
    let mut missing = Vec::new();
    for (section, in_tests_too) in [("dependencies", false), ("dev-dependencies", true)] {
        let table = manifest.get(section).and_then(|s| s.as_table());
        for name in table.into_iter().flat_map(|t| t.keys()) {
            let word = name.replace('-', "_");
            let named = sources
                .iter()
                .filter(|file| in_tests_too || file.path.starts_with(built))
                .any(|file| names(&file.text, &word));
            if !named {
                missing.push(name.clone());
            }
        }
    }
    missing
}

fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let of_identifier = |c: char| c.is_alphanumeric() || c == '_';
        !code[..at].ends_with(of_identifier) && !code[at + word.len()..].starts_with(of_identifier)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_source_names_is_found() {
        let manifest: Table = "[dependencies]\nhttp = \"1\"\nhttp-body = \"1\"\nbytes = \"1\"\n\
                               [dev-dependencies]\ntempfile = \"3\"\nrcgen = \"0\""
            .parse()
            .unwrap();
        let file =
            |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
        let source = file("crates/a/src/lib.rs", "use http_body::Body;");
        let test = file("crates/a/tests/a.rs", "use bytes::Bytes; tempfile::tempdir();");
        assert_eq!(
            unnamed(&manifest, &[&source, &test], "crates/a/src/"),
            ["bytes", "http", "rcgen"]
        );
    }
}
