//! Tests on recorded traffic from the folder that `PALISADE_DATA` names; `make test-data` runs
//! them, and without the folder they fail rather than pass unseen.

#[path = "data/capture.rs"]
mod capture;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use caller::ja4;

fn data(path: &str) -> PathBuf {
    let root = std::env::var_os("PALISADE_DATA").expect("PALISADE_DATA names the test data folder");
    PathBuf::from(root).join(path)
}

#[test]
fn ja4_is_right_on_each_tls_over_tcp_capture() {
    let expected = expected_ja4();
    assert!(expected.len() > 100, "the list holds {} TCP rows", expected.len());

    let mut found = BTreeMap::new();
    let mut captures: Vec<PathBuf> = std::fs::read_dir(data("ja4"))
        .expect("the folder ja4 is readable")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.to_string_lossy().contains(".pcap"))
        .collect();
    captures.sort();
    for path in captures {
        let name = path.file_name().expect("a file name").to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).expect("a readable capture");
        for (flow, stream) in capture::tcp_streams(&bytes) {
            if let Some(print) = ja4::fingerprint(&stream) {
                found.insert((name.clone(), flow), print);
            }
        }
    }

    let wrong: Vec<_> = expected
        .iter()
        .filter(|(flow, print)| found.get(*flow) != Some(print))
        .map(|(flow, print)| (flow, print, found.get(flow)))
        .collect();
    assert!(wrong.is_empty(), "{} of {} differ: {wrong:#?}", wrong.len(), expected.len());
    let unexpected: Vec<_> = found.keys().filter(|flow| !expected.contains_key(flow)).collect();
    assert!(unexpected.is_empty(), "hellos that the list does not have: {unexpected:#?}");
}

type FlowOfCapture = (String, capture::Flow);

fn expected_ja4() -> BTreeMap<FlowOfCapture, String> {
    let csv = std::fs::read_to_string(data("ja4/expected_ja4.csv")).expect("the list of JA4");
    let mut expected = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let columns: Vec<&str> = line.split(',').collect();
        let [pcap, _, transport, src, src_port, dst, dst_port, _, ja4] = columns[..] else {
            panic!("a row of nine columns: {line}");
        };
        if transport == "tcp" {
            let flow = (endpoint(src, src_port), endpoint(dst, dst_port));
            expected.insert((pcap.to_owned(), flow), ja4.to_owned());
        }
    }
    expected
}

fn endpoint(address: &str, port: &str) -> SocketAddr {
    let address: IpAddr = address.parse().expect("an address");
    SocketAddr::new(address, port.parse().expect("a port"))
}

#[test]
fn crawlers_are_known_by_their_user_agent() {
    use caller::user_agent::{ClientClass, UserAgent};
    let text = std::fs::read_to_string(data("bots/crawler-user-agents.json")).expect("the list");
    let mut agents = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        // One instance a line between `"instances": [` and `]`.
        match line {
            "\"instances\": [" => inside = true,
            line if line.starts_with(']') => inside = false,
            line if inside => agents.push(line.trim_end_matches(',').trim_matches('"').to_owned()),
            _ => {}
        }
    }
    assert!(agents.len() > 2_000, "{} instances", agents.len());
    let missed: Vec<&String> = agents
        .iter()
        .filter(|agent| {
            let class = UserAgent::read(agent.as_bytes()).class;
            !matches!(class, ClientClass::Crawler | ClientClass::Tool)
        })
        .collect();
    let share = missed.len() * 100 / agents.len();
    println!("{} of {} not recognised", missed.len(), agents.len());
    assert!(share <= 20, "{} of {}: {missed:#?}", missed.len(), agents.len());
}

#[test]
fn the_common_passwords_are_those_of_the_list() {
    let list = data("ato/django-common-passwords-20k.txt.gz");
    let unpacked =
        std::process::Command::new("gzip").arg("-dc").arg(list).output().expect("gzip runs");
    let text = String::from_utf8(unpacked.stdout).expect("text");
    let passwords: Vec<&str> = text.lines().collect();
    assert!(passwords.len() > 19_000, "{} passwords", passwords.len());
    let missed: Vec<_> = passwords
        .iter()
        .filter(|password| !caller::is_common_password(password.as_bytes()))
        .collect();
    assert!(missed.is_empty(), "{missed:?}");
    let upper = passwords
        .iter()
        .filter(|it| caller::is_common_password(it.to_ascii_uppercase().as_bytes()));
    assert_eq!(upper.count(), passwords.len());
    // Of others, no more are taken for one of them than four bytes of a hash allow.
    let others = (0..1_000_000)
        .filter(|n| caller::is_common_password(format!("another password, number {n}").as_bytes()));
    assert!(others.count() <= 20);
}
