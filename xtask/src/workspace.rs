//! Where the sources and the facts about them come from.
//!
//! It reads the Rust files below `crates/`, `fuzz/` and `xtask/` and asks cargo for its metadata;
//! what is right or wrong with them is not decided here.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The checkout this command runs in.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
}

/// One Rust file: its path from the root with `/`, and its text.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Workspace {
    /// The workspace this very crate belongs to.
    pub(crate) fn here() -> Result<Self> {
        let manifest_dir = env::var("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let root = Path::new(&manifest_dir).parent().context("xtask has no parent folder")?;
        Ok(Self { root: root.to_path_buf() })
    }

    pub(crate) fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.root.join(path)).with_context(|| format!("cannot read {path}"))
    }

    /// Every Rust file of ours, sorted by path.
    pub(crate) fn sources(&self) -> Result<Vec<SourceFile>> {
        let mut files = Vec::new();
        let mut folders = ["crates", "fuzz", "xtask"].map(|name| self.root.join(name)).to_vec();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let path = entry.path();
                if entry.file_type()?.is_dir() {
                    if entry.file_name() != "target" {
                        folders.push(path);
                    }
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = fs::read_to_string(&path)
                        .with_context(|| format!("cannot read {}", path.display()))?;
                    files.push(SourceFile { path: self.relative(&path), text });
                }
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// The folders of our crates, as paths from the root.
    pub(crate) fn crate_folders(&self) -> Result<Vec<String>> {
        let mut folders = vec!["xtask".to_owned()];
        for entry in fs::read_dir(self.root.join("crates"))? {
            folders.push(self.relative(&entry?.path()));
        }
        folders.sort();
        Ok(folders)
    }

    fn relative(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        inside.to_string_lossy().replace('\\', "/")
    }

    /// `cargo metadata` of the locked graph, as cargo prints it.
    pub(crate) fn metadata(&self, arguments: &[&str]) -> Result<Value> {
        let printed = self.cargo(&["metadata", "--format-version", "1"], arguments)?;
        Ok(serde_json::from_str(&printed)?)
    }

    /// What this cargo command prints, run in the root.
    pub(crate) fn cargo(&self, command: &[&str], arguments: &[&str]) -> Result<String> {
        let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let output = Command::new(cargo)
            .args(command)
            .args(arguments)
            .current_dir(&self.root)
            .output()
            .with_context(|| format!("cannot run cargo {}", command.join(" ")))?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo {} failed:\n{told}", command.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }
}
