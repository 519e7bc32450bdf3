//! Each mistake gives its line, its cause and what to write instead.

mod alerts;
mod document;
mod flags;
mod limits;
mod routes;
mod server;
mod sites;
mod syntax;

use expect_test::Expect;

use super::{SITE, load, of_file, shown};

/// Loads a file that must be refused, and compares what is said.
fn check(text: &str, expected: Expect) {
    let errors = load(&of_file(text)).expect_err("the file is refused");
    for error in &errors {
        assert!(error.0.line().is_some(), "no line: {error}");
        assert!(error.0.help.is_some(), "no help: {error}");
    }
    expected.assert_eq(&shown(errors));
}

/// The same with the lines standing below a site that is well: the first of them is line 4.
fn check_site(lines: &str, expected: Expect) {
    check(&format!("{SITE}{lines}"), expected);
}
