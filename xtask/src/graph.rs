//! Which crate may see which, checked over `cargo metadata`.
//!
//! The table is the drawing in ARCHITECTURE.md; a crate that is not in it fails the test, so that
//! a new one is given its place on purpose. Tests (dev-dependencies) obey the same table; they
//! alone may ask for the feature that makes layers fail.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    purity::{self, SANS_IO},
    workspace::Workspace,
};

const CORE: &[&str] = &["traffic"];
const SHIELD: &[&str] = &["traffic", "caller", "catalog", "conduct", "rules"];
const SHELL: &[&str] = &["traffic", "shield", "ledger"];
const ALL: &[&str] = &[
    "alerts",
    "traffic",
    "caller",
    "catalog",
    "conduct",
    "rules",
    "shield",
    "ledger",
    "gateway",
    "intake",
    "console",
    "report",
    "drill",
    "conformance",
];

/// A crate of ours, and the crates of ours it may depend on.
const ALLOWED: [(&str, &[&str]); 16] = [
    ("traffic", &[]),
    ("caller", CORE),
    ("catalog", CORE),
    ("conduct", CORE),
    ("rules", &[]),
    ("shield", SHIELD),
    ("ledger", CORE),
    ("gateway", SHELL),
    ("alerts", SHELL),
    ("intake", SHELL),
    ("report", &["traffic", "shield"]),
    ("console", &["traffic", "shield", "ledger", "report"]),
    ("drill", &["traffic", "rules", "shield", "ledger"]),
    ("conformance", &["rules", "gateway"]),
    ("palisade", ALL),
    ("xtask", &[]),
];

/// Libraries that do input and output: no road may lead to them from the decision core.
const IO_LIBRARIES: [&str; 8] =
    ["axum", "h2", "hyper", "mio", "rusqlite", "rustls", "socket2", "tokio"];

/// The feature that makes layers fail, for tests alone.
const FAULTS: &str = "faults";

/// Complaints about the graph, and about input and output in the sources of the core.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let direct = workspace.metadata(&["--no-deps"])?;
    let mut complaints = forbidden_edges(&direct)?;
    complaints.extend(roads_to_io(&workspace.metadata(&[])?)?);
    for file in workspace.sources()? {
        complaints.extend(purity::complaints_about(&file));
    }
    Ok(complaints)
}

/// Dependencies between crates of ours that the table does not allow.
pub(crate) fn forbidden_edges(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("metadata without packages")?;
    let ours: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut complaints = Vec::new();
    for package in packages {
        let name = package["name"].as_str().context("a package without a name")?;
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            complaints.push(format!("crate {name} has no place in xtask/src/graph.rs"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().context("no dependencies")?;
        let edges: BTreeSet<&str> =
            dependencies.iter().filter_map(|d| d["name"].as_str()).collect();
        let ships_faults = |dependency: &&Value| {
            let features = dependency["features"].as_array().into_iter().flatten();
            dependency["kind"] != "dev" && features.clone().any(|feature| feature == FAULTS)
        };
        if dependencies.iter().any(|dependency| ships_faults(&dependency)) {
            complaints.push(format!("crate {name} asks for feature {FAULTS} outside of tests"));
        }
        for edge in edges.intersection(&ours).filter(|edge| !allowed.contains(edge)) {
            complaints.push(format!("crate {name} must not depend on {edge}"));
        }
    }
    Ok(complaints)
}

/// Roads of ordinary dependencies from the decision core to a library that does I/O.
pub(crate) fn roads_to_io(metadata: &Value) -> Result<Vec<String>> {
    let roads = Roads::of(metadata)?;
    let mut complaints = Vec::new();
    for name in SANS_IO {
        let reached = roads.from(name);
        for library in IO_LIBRARIES.iter().filter(|library| reached.contains(*library)) {
            complaints.push(format!("crate {name} reaches {library}, which does I/O"));
        }
    }
    Ok(complaints)
}

/// Package names and the names they depend on when built (not when tested).
struct Roads<'m> {
    edges: BTreeMap<&'m str, BTreeSet<&'m str>>,
}

impl<'m> Roads<'m> {
    fn of(metadata: &'m Value) -> Result<Self> {
        let packages = metadata["packages"].as_array().context("metadata without packages")?;
        let name_of: BTreeMap<&str, &str> = packages
            .iter()
            .filter_map(|p| Some((p["id"].as_str()?, p["name"].as_str()?)))
            .collect();
        let nodes = metadata["resolve"]["nodes"].as_array().context("metadata without nodes")?;
        let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for node in nodes {
            let id = node["id"].as_str().context("a node without an id")?;
            let built =
                node["deps"].as_array().context("a node without deps")?.iter().filter(|d| {
                    let kinds = d["dep_kinds"].as_array();
                    kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
                });
            let targets = built.filter_map(|d| name_of.get(d["pkg"].as_str()?).copied());
            if let Some(name) = name_of.get(id) {
                edges.entry(name).or_default().extend(targets);
            }
        }
        Ok(Self { edges })
    }

    fn from(&self, name: &'m str) -> BTreeSet<&'m str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![name];
        while let Some(here) = open.pop() {
            for next in self.edges.get(here).into_iter().flatten() {
                if reached.insert(*next) {
                    open.push(next);
                }
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Value {
        let list: Vec<Value> = dependencies.iter().map(|d| json!({ "name": d })).collect();
        json!({ "name": name, "id": name, "dependencies": list })
    }

    #[test]
    fn siblings_of_the_core_must_not_see_each_other() {
        let metadata = json!({ "packages": [
            package("traffic", &["bytes"]),
            package("caller", &["traffic", "catalog"]),
            package("catalog", &["traffic"]),
            package("gateway", &["shield", "console"]),
            package("console", &[]),
            package("shield", &["caller"]),
            package("misc", &[]),
        ]});
        let complaints = forbidden_edges(&metadata).unwrap();
        assert_eq!(
            complaints,
            [
                "crate caller must not depend on catalog",
                "crate gateway must not depend on console",
                "crate misc has no place in xtask/src/graph.rs",
            ]
        );
    }

    #[test]
    fn a_road_over_a_third_crate_counts_and_one_of_a_test_does_not() {
        let node = |id: &str, kind: Value, to: &str| {
            let edge = json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] });
            json!({ "id": id, "deps": [edge] })
        };
        let packages: Vec<Value> =
            ["shield", "arc", "tokio", "caller"].iter().map(|n| package(n, &[])).collect();
        let metadata = json!({ "packages": packages, "resolve": { "nodes": [
            node("shield", Value::Null, "arc"),
            node("arc", Value::Null, "tokio"),
            node("caller", json!("dev"), "tokio"),
        ]}});
        assert_eq!(roads_to_io(&metadata).unwrap(), ["crate shield reaches tokio, which does I/O"]);
    }
}
