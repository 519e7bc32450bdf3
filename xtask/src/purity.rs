//! The decision core takes time, randomness and state as arguments: its sources name no clock, no
//! file, no socket, no thread, no dice.
//!
//! A check by text over code without comments, literals and tests. The crate graph forbids the
//! libraries; this forbids what the standard library brings along.

use crate::{
    source::{code_only, is_test, without_test_modules},
    workspace::SourceFile,
};

/// Crates that decide. A replay gives the live verdicts only as long as they stay pure.
pub(crate) const SANS_IO: [&str; 5] = ["traffic", "caller", "catalog", "conduct", "shield"];

/// What must not be named, and the argument that stands for it instead.
const BANNED: [(&str, &str); 24] = [
    ("SystemTime", "time is an argument"),
    ("Instant", "time is an argument"),
    ("Timestamp::now", "time is an argument"),
    ("Zoned::now", "time is an argument"),
    ("now_v7", "identifiers come in as an argument"),
    ("new_v4", "identifiers come in as an argument"),
    ("thread_rng", "randomness is an argument"),
    ("getrandom", "randomness is an argument"),
    ("rand", "randomness is an argument"),
    ("fs", "files are the caller's work"),
    ("File", "files are the caller's work"),
    ("TcpStream", "sockets are the caller's work"),
    ("TcpListener", "sockets are the caller's work"),
    ("UdpSocket", "sockets are the caller's work"),
    ("UnixStream", "sockets are the caller's work"),
    ("tokio", "the core is synchronous"),
    ("mio", "the core is synchronous"),
    ("socket2", "sockets are the caller's work"),
    ("await", "the core is synchronous"),
    ("thread", "the core starts no threads"),
    ("env", "configuration comes in as a policy"),
    ("process", "the core starts no processes"),
    ("println", "the core returns what it has to say"),
    ("eprintln", "the core returns what it has to say"),
];

/// Names among [`BANNED`] that are also ordinary words: they count only in a path.
const ONLY_IN_PATHS: [&str; 7] = ["fs", "File", "rand", "thread", "env", "process", "mio"];

/// Where a file of the decision core names something it must not.
pub(crate) fn complaints_about(file: &SourceFile) -> Vec<String> {
    if !is_core_source(&file.path) {
        return Vec::new();
    }
    let code = without_test_modules(&code_only(&file.text));
    let mut complaints = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        for (word, instead) in BANNED {
            if names(line, word) {
                complaints.push(format!("{}:{number}: `{word}`: {instead}", file.path));
            }
        }
    }
    complaints
}

fn is_core_source(path: &str) -> bool {
    let Some((name, inside)) = path.strip_prefix("crates/").and_then(|p| p.split_once('/')) else {
        return false;
    };
    SANS_IO.contains(&name) && inside.starts_with("src/") && !is_test(path)
}

fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = &line[..at];
        let after = &line[at + word.len()..];
        let of_identifier = |c: char| c.is_alphanumeric() || c == '_';
        let whole = !before.ends_with(of_identifier) && !after.starts_with(of_identifier);
        // `std::fs`, `fs::read`, `use std::{fs, io}` are paths; a field called `process` is not.
        let in_path = before.ends_with("std::")
            || (after.starts_with("::") && !before.ends_with("::") && !before.ends_with('.'))
            || before.trim_start().starts_with("use std::{");
        whole && (in_path || !ONLY_IN_PATHS.contains(&word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str) -> usize {
        complaints_about(&SourceFile { path: path.to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn clocks_files_and_sockets_are_found_in_the_core() {
        for text in [
            "let now = SystemTime::now();",
            "use std::time::{Duration, Instant};",
            "use std::{fs, io};",
            "let text = std::fs::read(path);",
            "let c = TcpStream::connect(a);",
            "tokio::spawn(work);",
            "let x = std::env::var(key);",
            "let f = File::open(path);",
        ] {
            assert_eq!(check("crates/shield/src/pass.rs", text), 1, "{text}");
        }
    }

    #[test]
    fn look_alikes_and_tests_are_left_alone() {
        for text in [
            "self.process(event); let env = 1; // tokio, SystemTime",
            "let offset = brand(\"std::fs\");",
            "#[cfg(test)]\nmod tests { use std::fs; }",
            "match segment { Segment::File => 1, Self::File { .. } => 2 }",
        ] {
            assert_eq!(check("crates/traffic/src/time.rs", text), 0, "{text}");
        }
        assert_eq!(check("crates/traffic/src/body/tests.rs", "use std::fs;"), 0);
        assert_eq!(check("crates/gateway/src/listen.rs", "use tokio::net;"), 0);
    }
}
