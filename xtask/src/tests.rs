//! The rules of the house, held against this very checkout, and each tidy rule against a sinner.

use crate::{
    graph, supply, tidy,
    workspace::{SourceFile, Workspace},
};

fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_sources_are_tidy() {
    none(tidy::check(&Workspace::here().unwrap()).unwrap());
}

#[test]
fn the_crates_see_only_what_they_may() {
    none(graph::check(&Workspace::here().unwrap()).unwrap());
}

#[test]
fn what_we_build_on_meets_our_terms() {
    none(supply::check(&Workspace::here().unwrap()).unwrap());
}

#[test]
fn each_tidy_rule_finds_its_sinner() {
    let about = |path: &str, text: &str| {
        tidy::complaints_about(&SourceFile { path: path.to_owned(), text: text.to_owned() })
    };
    assert_eq!(about("crates/a/src/a.rs", "//! A.\nfn a() {}\n"), Vec::<String>::new());
    let sins = [
        ("crates/a/src/a/mod.rs", "//! A.\n".to_owned()),
        ("crates/a/src/a.rs", "fn a() {}\n".to_owned()),
        ("crates/a/src/a.rs", format!("//! A.\n{}", "\n".repeat(600))),
        ("crates/a/src/a.rs", format!("//! A.\n// {}\n", "x".repeat(98))),
        ("crates/a/src/a.rs", "//! A.\n\tfn a() {}\n".to_owned()),
        ("crates/a/src/a.rs", "//! A.\nfn a() {} \n".to_owned()),
        ("crates/a/src/a.rs", format!("//! A.\nfn a() {{ {}) }}\n", concat!("to", "do!("))),
        ("crates/a/src/a.rs", format!("//! A.\n// {}: later\n", concat!("TO", "DO"))),
        ("crates/a/src/a.rs", format!("//! A.\nfn a() {{\n{}}}\n", "    b();\n".repeat(70))),
    ];
    for (path, text) in sins {
        assert_eq!(about(path, &text).len(), 1, "{path}: {text}");
    }
}
