//! The Core Rule Sets through the real program, over sockets.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Program, api, text};

/// What a log in the form of ModSecurity would show, and an event does not.
const NO_LOG: &str = "values are masked in events, and requests that are alike share one";

/// Tests of version 4 that may fail, and why. In process only the first four do, for the same
/// reasons (`crates/conformance/tests/data.rs`).
const NOT_PASSED: [(&str, &str); 8] = [
    ("920100-4", "CONNECT is to be answered 200; a gateway of APIs opens no tunnels"),
    ("920181-1", "Content-Length beside chunks is to be accepted, as by servers that drop it"),
    ("920620-1", "two Content-Types are to be joined to one, as by Apache, and go unseen"),
    ("921140-1", "a head with a bare CR is not to reach the rules; ours are shown what is refused"),
    ("932200-13", NO_LOG),
    ("932207-7", NO_LOG),
    ("932300-10", NO_LOG),
    ("933120-2", NO_LOG),
];

fn folder(variable: &str) -> PathBuf {
    let folder = std::env::var(variable);
    folder
        .unwrap_or_else(|_| panic!("{variable} names a Core Rule Set; see `make test-data`"))
        .into()
}

#[test]
fn the_core_rule_set_does_through_the_gateway_what_its_tests_say() {
    let crs = folder("CRS4_DIR");
    let output = Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(["rules", "conformance", "--through-gateway", "--output", "json", "--crs"])
        .arg(&crs)
        .arg("--tests")
        .arg(crs.join("tests"))
        .output()
        .expect("it runs");
    let said = text(&output.stderr);
    let ran: serde_json::Value = serde_json::from_slice(&output.stdout).expect(&said);
    for failed in ["failed", "silent_failed"] {
        for test in ran[failed].as_array().expect("a list") {
            let name = test["name"].as_str().expect("a name");
            let known = NOT_PASSED.iter().find(|(known, _)| *known == name);
            let (_, why) = known.unwrap_or_else(|| panic!("{test}"));
            println!("{name}: {why}");
        }
    }
    let passed = ran["passed"].as_u64().expect("a number");
    let counted = passed + ran["failed"].as_array().map_or(0, Vec::len) as u64;
    assert!(counted > 3_700 && passed * 1_000 >= counted * 998, "{passed} of {counted}");
}

/// An answer's status and the rules that its header names.
fn asked(program: &Program, target: &str) -> (String, String) {
    let answer = program.answer(&format!(
        "GET {target} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: shop/1\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    ));
    let rules = answer.lines().find_map(|line| line.strip_prefix("x-palisade-rules: "));
    let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
    (status, rules.unwrap_or_default().to_owned())
}

fn decides(crs: &Path, setup: &str, blocking: &str) {
    let place = tempfile::tempdir().expect("a folder");
    let policy = format!(
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n[debug]\nrule_header = true\n\
         [rules]\ncrs = \"{}\"\n{setup}builtin = false\nblocking = \"{blocking}\"\n\
         [[site]]\nupstream = \"http://{}\"\nmode = \"enforce\"\n",
        crs.display(),
        api(),
    );
    let program = Program::start(place.path(), &policy);
    // An attacker is blocked, so that what is honest comes first.
    for target in ["/items?id=1&sort=-price", "/items/7?q=it%27s%20a%20tea"] {
        assert_eq!(asked(&program, target).0, "200", "{target}");
    }
    for (target, rule) in [
        ("/items?id=1%27%20union%20select%20name,pass%20from%20users--%20", "942100"),
        ("/items?file=../../../../etc/passwd", "930120"),
        ("/items?q=%3Cscript%3Ealert(1)%3C/script%3E", "941100"),
    ] {
        let (status, rules) = asked(&program, target);
        assert_eq!(status, "403", "{target}: {rules}");
        assert!(rules.split(',').any(|it| it == rule), "{target}: {rules}");
    }
}

#[test]
fn both_versions_decide_over_sockets() {
    let debian = folder("CRS3_DIR");
    let setup = debian.join("etc/modsecurity/crs/crs-setup.conf");
    let setup = format!("setup = \"{}\"\n", setup.display());
    for blocking in ["evidence", "strict"] {
        decides(&folder("CRS4_DIR"), "", blocking);
        decides(&debian.join("usr/share/modsecurity-crs"), &setup, blocking);
    }
}
