//! The built-in rules, their examples and the corpus, as texts: what holds before any engine runs.
//!
//! Every rule has examples of what it must match and of look-alikes that it must let go; every rule
//! says what it is about and how far it is trusted; and the two halves of the corpus share no text.

#[path = "builtin/corpus.rs"]
mod corpus;
#[path = "builtin/judge.rs"]
mod judge;
#[path = "builtin/place.rs"]
mod place;
#[path = "builtin/request.rs"]
mod request;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use judge::Judge;
use regex::Regex;
use request::Request;
use rules::builtin::FILES;
use toml::{Table, Value};

/// The ids that are ours, as `docs/rules-builtin.md` tells.
const IDS: std::ops::Range<u32> = 9_500_000..9_600_000;
/// Rules of `setup.conf` prepare and find nothing.
const SETUP_IDS_END: u32 = 9_500_100;

const HONEST_EACH: usize = 18;
const ATTACKS_EACH: usize = 8;
/// The parts of the corpus, which share no text.
const PARTS: [&str; 4] = ["seen", "unseen", "third", "fourth"];
/// Of exploits of published vulnerabilities so many in a hundred are refused and given their names,
/// and so many of their look-alikes pass.
const PUBLISHED_PERCENT: usize = 98;

fn crate_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Each rule's id with the text from its id to the end of its actions.
fn rules_of(text: &str) -> BTreeMap<u32, String> {
    let head = Regex::new(r#"(?s)"id:(\d+),(.*?)""#).expect("the pattern is right");
    let rule = |found: regex::Captures<'_>| {
        (found[1].parse().expect("an id is a number"), found[2].to_owned())
    };
    head.captures_iter(text).map(rule).collect()
}

/// Matching and passing examples by rule, from the file beside `name`.
fn examples_of(name: &str) -> BTreeMap<u32, (Vec<String>, Vec<String>)> {
    let path = crate_folder().join("builtin").join(name).with_extension("toml");
    let text = std::fs::read_to_string(&path).expect("a file of rules has a file of examples");
    let table: Table = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
    let list = |rule: &Value, key: &str| {
        let list = rule[key].as_array().expect("examples are a list");
        list.iter().map(|text| text.as_str().expect("an example is a text").to_owned()).collect()
    };
    let rules = table["rule"].as_array().expect("rule is an array");
    let example = |rule: &Value| {
        let id = rule["id"].as_integer().and_then(|id| u32::try_from(id).ok());
        (id.expect("an example names its rule"), (list(rule, "match"), list(rule, "pass")))
    };
    rules.iter().map(example).collect()
}

fn files_with_examples() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    FILES.iter().filter(|(name, _)| *name != "setup.conf")
}

#[test]
fn ids_are_ours_and_given_once() {
    let mut seen = BTreeSet::new();
    for (name, text) in FILES.iter() {
        for id in rules_of(text).into_keys() {
            assert!(IDS.contains(&id), "{name}: {id} is not one of our ids");
            assert!(seen.insert(id), "{name}: {id} is given twice");
        }
    }
    assert!(seen.len() > 350, "{} rules", seen.len());
}

#[test]
fn every_rule_says_what_it_is_about() {
    for (name, text) in FILES.iter() {
        for (id, actions) in rules_of(text) {
            if id < SETUP_IDS_END {
                continue;
            }
            let mut wanted = vec!["phase:2", "block", "msg:'", "severity:'", "tag:'OWASP-API/API"];
            wanted.extend(["tag:'CWE-", "tag:'attack-", "tag:'confidence/"]);
            if name.starts_with("kev/") {
                wanted.extend(["tag:'CVE-", "tag:'product/", "tag:'year/"]);
            }
            for part in wanted {
                assert!(actions.contains(part), "{name}: {id} has no {part}");
            }
        }
    }
}

#[test]
fn every_rule_has_examples_of_both_kinds() {
    for (name, text) in files_with_examples() {
        let least = if name.starts_with("kev/") { 1 } else { 3 };
        let examples = examples_of(name);
        let ids: Vec<u32> = rules_of(text).into_keys().collect();
        assert_eq!(ids, examples.keys().copied().collect::<Vec<_>>(), "{name}");
        for (id, (matching, passing)) in examples {
            assert!(matching.len() >= least, "{name}: {id} has too few examples that match");
            assert!(passing.len() >= least, "{name}: {id} has too few look-alikes");
            for example in matching.iter().chain(&passing) {
                let request = Request::parse(example);
                assert!(request.target.starts_with('/'), "{name}: {id}: {example}");
            }
        }
    }
}

#[test]
fn our_engine_finds_what_examples_say_and_nothing_in_their_look_alikes() {
    let judge = Judge::new();
    let mut wrong = Vec::new();
    for (name, _) in files_with_examples() {
        for (id, (matching, passing)) in examples_of(name) {
            let rows = matching.iter().map(|row| (row, true));
            for (row, wanted) in rows.chain(passing.iter().map(|row| (row, false))) {
                let (ids, _) = judge.asked(&Request::parse(row));
                if ids.contains(&u64::from(id)) != wanted {
                    wrong.push(format!("{name}: {id} should match: {wanted}: {row:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_pattern_compiles_without_looking_around() {
    let pattern = Regex::new(r#""!?@rx ([^"]*)""#).expect("the pattern is right");
    for (name, text) in FILES.iter() {
        for found in pattern.captures_iter(text) {
            let compiled = regex::bytes::RegexBuilder::new(&found[1])
                .unicode(false)
                .dot_matches_new_line(true)
                .size_limit(4 << 20)
                .build();
            assert!(compiled.is_ok(), "{name}: {}\n{:?}", &found[1], compiled.err());
        }
    }
}

/// The requests of one half.
fn requests_of(half: &str, times: usize) -> Vec<corpus::Sample> {
    corpus::drawn(&crate_folder().join("corpus"), &format!("{half}.toml"), times, 1)
}

#[test]
fn a_secret_is_judged_for_what_it_does_in_a_database() {
    let judge = Judge::new();
    let form = "application/x-www-form-urlencoded";
    for body in [
        "{\"user\":\"anna\",\"password\":\"' or 1=1-- \"}",
        "{\"user\":\"anna\",\"password\":\"x' union select password from users-- \"}",
        "{\"user\":\"anna\",\"new_password\":\"1; drop table users\"}",
        "{\"user\":\"anna\",\"password\":{\"$ne\":null}}",
        "{\"user\":\"anna\",\"pwd\":\"'||pg_sleep(7)||'\"}",
    ] {
        let (ids, is_refused) = judge.asked(&Request::post("/login", "application/json", body));
        assert!(is_refused, "{body}: {ids:?}");
    }
    let (ids, is_refused) =
        judge.asked(&Request::post("/login", form, "user=anna&password=%27+or+1%3D1--+"));
    assert!(is_refused, "{ids:?}");
    for honest in ["kT9$x(id);Lq#2", "<b>&amp;{{pass}}", "../..//a|b", "${x}`y`"] {
        let body = format!("{{\"user\":\"anna\",\"password\":\"{honest}\"}}");
        let (ids, is_refused) = judge.asked(&Request::post("/login", "application/json", body));
        assert!(!is_refused, "{honest}: {ids:?}");
    }
}

#[test]
fn the_corpus_is_large_enough_and_drawn_alike_each_time() {
    let mut counts = BTreeMap::new();
    for half in ["honest-seen", "honest-unseen", "attacks-seen", "attacks-unseen"] {
        let times = if half.starts_with("honest") { HONEST_EACH } else { ATTACKS_EACH };
        let drawn = requests_of(half, times);
        let again = requests_of(half, times);
        assert!(drawn.iter().zip(&again).all(|(one, other)| one.request == other.request));
        assert!(drawn.iter().all(|sample| !sample.class.is_empty() && !sample.kernel.is_empty()));
        counts.insert(half, drawn.len());
    }
    assert!(counts["honest-seen"] + counts["honest-unseen"] >= 5_000, "{counts:?}");
    assert!(counts["attacks-seen"] + counts["attacks-unseen"] >= 2_000, "{counts:?}");
}

#[test]
fn the_parts_of_the_corpus_share_no_text() {
    for kind in ["honest", "attacks"] {
        let mut seen = BTreeSet::new();
        for part in PARTS {
            let table = corpus_table(&format!("{kind}-{part}.toml"));
            let kernels = table["kernel"].as_array().expect("kernel is an array");
            let of = |kernel: &Value| kernel["text"].as_array().expect("a list").clone();
            let texts: BTreeSet<String> =
                kernels.iter().flat_map(of).map(|text| text.to_string()).collect();
            let both: Vec<_> = seen.intersection(&texts).collect();
            assert!(both.is_empty(), "{kind}-{part}: {both:?}");
            seen.extend(texts);
        }
    }
}

fn corpus_table(name: &str) -> Table {
    let text = std::fs::read_to_string(crate_folder().join("corpus").join(name));
    text.expect("the corpus is there").parse().expect("the corpus is TOML")
}

#[test]
fn exploits_of_published_vulnerabilities_are_refused_by_their_names() {
    let judge = Judge::new();
    let rules: BTreeMap<u32, String> = FILES.iter().flat_map(|(_, text)| rules_of(text)).collect();
    let table = corpus_table("published-third.toml");
    let kernels = table["kernel"].as_array().expect("kernel is an array");
    let (mut missed, mut mistaken) = (Vec::new(), Vec::new());
    for kernel in kernels {
        let name = kernel["class"].as_str().expect("a name");
        let asked = |key: &str| {
            let text = kernel[key][0].as_str().expect("a request");
            let mut request = Request::parse(text);
            request.target = request::percent_lightly(&request.target);
            judge.asked(&request)
        };
        let (ids, is_refused) = asked("text");
        let tag = format!("tag:'{name}'");
        let names = |id: &u64| {
            let actions = u32::try_from(*id).ok().and_then(|id| rules.get(&id));
            actions.is_some_and(|actions| actions.contains(&tag))
        };
        if !is_refused || !ids.iter().any(names) {
            missed.push((name, ids));
        }
        if let (ids, true) = asked("alike") {
            mistaken.push((name, ids));
        }
    }
    let most = kernels.len() * (100 - PUBLISHED_PERCENT) / 100;
    assert!(missed.len() <= most, "{} of {} missed: {missed:?}", missed.len(), kernels.len());
    assert!(mistaken.len() <= most, "{} look-alikes refused: {mistaken:?}", mistaken.len());
}

#[test]
fn a_quotation_is_evidence_and_two_of_different_things_are_an_attack() {
    let judge = Judge::new();
    let refused = |row: &str| {
        let (ids, is_refused) = judge.asked(&Request::parse(row));
        assert!(!ids.is_empty(), "{row}");
        is_refused
    };
    let page = "<script>alert(document.cookie)</script>";
    let machine = "{{7*7}}";
    assert!(refused(&format!("json {page}")));
    assert!(!refused(&format!("json The old guest book showed {page} without escaping it")));
    assert!(refused(&format!("json The old guest book showed {page} and {machine} as it came")));
    // What gets out of its place is no quotation, whatever stands before it.
    assert!(refused("json the best of all my friends; cat /etc/passwd"));
    assert!(refused("json the best of all my friends' or 1=1-- "));
}
