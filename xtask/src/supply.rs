//! deny.toml, applied to the locked crates without the network.
//!
//! `cargo deny` reads the same file and does more (advisories need its database); `make advisories`
//! runs it. This check needs nothing but cargo, so that `make test` holds the policy everywhere:
//! licences, banned crates, duplicate versions, sources, and a reason for each direct dependency.

mod licence;
mod unused;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use toml::Table;

use crate::workspace::Workspace;

/// Metadata would also list crates that only a switched-off feature names; the tree does not.
const TREE_ARGUMENTS: [&str; 7] =
    ["--workspace", "--prefix", "none", "--edges", "normal,build,dev", "--format", "{p}|{l}"];

/// Every complaint about what we build on.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let policy = Policy::parse(&workspace.read("deny.toml")?)?;
    let mut complaints = BTreeSet::new();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for target in &policy.targets {
        let tree = workspace.cargo(&["tree", "--target", target], &TREE_ARGUMENTS)?;
        for package in listed_packages(&tree, &workspace.root.to_string_lossy()) {
            complaints.extend(policy.complaints_about(&package));
            versions.entry(package.name).or_default().insert(package.version);
        }
    }
    complaints.extend(policy.duplicates(&versions));
    complaints.extend(without_reason(
        &workspace.read("Cargo.toml")?,
        &workspace.read("DEPENDENCIES.md")?,
    )?);
    complaints.extend(unused::check(workspace)?);
    Ok(complaints.into_iter().collect())
}

/// A crate from outside, as cargo names it.
pub(crate) struct Package {
    name: String,
    version: String,
    licence: Option<String>,
    /// Where it is from, when that is not the registry.
    source: Option<String>,
}

/// The part of deny.toml that is decided here.
pub(crate) struct Policy {
    targets: Vec<String>,
    licences: BTreeSet<String>,
    banned: BTreeSet<String>,
    duplicates_allowed: BTreeSet<String>,
}

impl Policy {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let document: Table = text.parse().context("deny.toml")?;
        let names = |section: &str, key: &str| -> Vec<String> {
            let list = document.get(section).and_then(|s| s.get(key)).and_then(|l| l.as_array());
            list.into_iter().flatten().filter_map(name_of).collect()
        };
        let policy = Self {
            targets: names("graph", "targets"),
            licences: names("licenses", "allow").into_iter().collect(),
            banned: names("bans", "deny").into_iter().collect(),
            duplicates_allowed: names("bans", "skip").into_iter().collect(),
        };
        anyhow::ensure!(!policy.targets.is_empty(), "deny.toml: [graph] targets is empty");
        anyhow::ensure!(!policy.licences.is_empty(), "deny.toml: [licenses] allow is empty");
        Ok(policy)
    }

    fn complaints_about(&self, package: &Package) -> Vec<String> {
        let Package { name, version, licence, source } = package;
        let mut complaints = Vec::new();
        if self.banned.contains(name) {
            complaints.push(format!("{name} {version} is banned by deny.toml"));
        }
        if let Some(source) = source {
            complaints.push(format!("{name} {version} comes from {source}"));
        }
        match licence {
            None => complaints.push(format!("{name} {version} names no licence")),
            Some(terms) if !licence::allowed(terms, &self.licences) => {
                complaints.push(format!("{name} {version}: licence {terms} is not allowed"));
            }
            Some(_) => {}
        }
        complaints
    }

    /// Crates locked in several versions, less those that deny.toml lets through with a reason.
    fn duplicates(&self, versions: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
        let mut complaints = Vec::new();
        for (name, all) in versions {
            let counted: Vec<&str> = all
                .iter()
                .filter(|version| !self.skips(name, version))
                .map(String::as_str)
                .collect();
            if counted.len() > 1 {
                complaints.push(format!("{name} is built in versions {}", counted.join(", ")));
            }
        }
        complaints
    }

    fn skips(&self, name: &str, version: &str) -> bool {
        self.duplicates_allowed.iter().any(|skip| match skip.split_once('@') {
            None => skip == name,
            Some((skipped, wanted)) => {
                let prefix = format!("{wanted}.");
                skipped == name && (version == wanted || version.starts_with(&prefix))
            }
        })
    }
}

/// An entry is a bare string, or a table whose `crate` (or `name`) is the string.
fn name_of(entry: &toml::Value) -> Option<String> {
    let of_table = || entry.get("crate").or_else(|| entry.get("name"))?.as_str();
    entry.as_str().or_else(of_table).map(str::to_owned)
}

/// Reads `cargo tree` lines of `{p}|{l}`: what is really built, after features are settled.
fn listed_packages(tree: &str, root: &str) -> Vec<Package> {
    let package = |line: &str| {
        let (who, terms) = line.split_once('|')?;
        let (name, rest) = who.split_once(" v")?;
        let (version, marks) = rest.split_once(' ').unwrap_or((rest, ""));
        let terms = terms.trim_end_matches("(*)").trim();
        let marks = marks.replace("(proc-macro)", "");
        let source = marks.trim().trim_matches(['(', ')']);
        let ours = !source.is_empty() && source.starts_with(root);
        (!ours).then(|| Package {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: (!terms.is_empty()).then(|| terms.to_owned()),
            source: (!source.is_empty()).then(|| source.to_owned()),
        })
    };
    tree.lines().filter_map(package).collect()
}

/// Direct dependencies that DEPENDENCIES.md gives no reason for, and reasons for nothing.
fn without_reason(manifest: &str, reasons: &str) -> Result<Vec<String>> {
    let manifest: Table = manifest.parse().context("Cargo.toml")?;
    let table = manifest
        .get("workspace")
        .and_then(|w| w.get("dependencies"))
        .and_then(|d| d.as_table())
        .context("Cargo.toml without [workspace.dependencies]")?;
    let outside: BTreeSet<&str> = table
        .iter()
        .filter(|(_, how)| how.get("path").is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    let reasoned: BTreeSet<&str> = reasons
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter(|(_, reason)| reason.len() > 10)
        .map(|(name, _)| name)
        .collect();
    let missing = outside
        .difference(&reasoned)
        .map(|name| format!("DEPENDENCIES.md gives no reason for {name}"));
    let left_over = reasoned
        .difference(&outside)
        .map(|name| format!("DEPENDENCIES.md speaks of {name}, which Cargo.toml does not name"));
    Ok(missing.chain(left_over).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
        [graph]
        targets = ["x86_64-unknown-linux-gnu"]
        [licenses]
        allow = ["MIT"]
        [bans]
        deny = [{ crate = "openssl" }]
        skip = [{ crate = "hashbrown@0.15", reason = "old" }]
    "#;

    fn complaints(line: &str) -> usize {
        let policy = Policy::parse(POLICY).unwrap();
        let packages = listed_packages(line, "/src/palisade");
        packages.iter().map(|package| policy.complaints_about(package).len()).sum()
    }

    #[test]
    fn bans_licences_and_sources_are_held() {
        assert_eq!(complaints("bytes v1.0.0|MIT"), 0);
        assert_eq!(complaints("serde_derive v1.0.0 (proc-macro)|MIT (*)"), 0);
        assert_eq!(complaints("gateway v0.1.0 (/src/palisade/crates/gateway)|ours"), 0);
        assert_eq!(complaints("openssl v1.0.0|MIT"), 1);
        assert_eq!(complaints("bytes v1.0.0|GPL-3.0-only"), 1);
        assert_eq!(complaints("bytes v1.0.0|"), 1);
        assert_eq!(complaints("bytes v1.0.0 (https://example.com/bytes#1234)|MIT"), 1);
    }

    #[test]
    fn a_duplicate_counts_unless_skipped_by_version() {
        let policy = Policy::parse(POLICY).unwrap();
        let locked = |versions: &[&str]| {
            let all: BTreeSet<String> = versions.iter().map(|v| (*v).to_owned()).collect();
            policy.duplicates(&BTreeMap::from([("hashbrown".to_owned(), all)])).len()
        };
        assert_eq!(locked(&["0.15.5", "0.16.0"]), 0);
        assert_eq!(locked(&["0.14.1", "0.15.5", "0.16.0"]), 1);
        assert_eq!(locked(&["0.150.0", "0.16.0"]), 1);
    }

    #[test]
    fn each_direct_dependency_needs_its_line() {
        let manifest =
            "[workspace.dependencies]\ntraffic = { path = \"t\" }\nbytes = \"1\"\nh2 = \"0\"";
        let reasons = "| `bytes` | buffers that are shared |\n| `gone` | was used until 1.2 |";
        let complaints = without_reason(manifest, reasons).unwrap();
        assert_eq!(complaints.len(), 2, "{complaints:?}");
    }
}
