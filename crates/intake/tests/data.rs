//! Recorded logs of strangers: what is read of them, and which attacks are found.
//!
//! Needs the folder `PALISADE_DATA` with `logs/`; `make test-data` runs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use intake::scan::{Inputs, Scanned};
use intake::{Assumptions, Zone};
use shield::{Engine, Settings, policy};
use traffic::{Detector, HashKey};

fn logs() -> PathBuf {
    let data = std::env::var_os("PALISADE_DATA").expect("PALISADE_DATA names the data folder");
    PathBuf::from(data).join("logs")
}

fn engine() -> Engine {
    let flags =
        policy::Flags { to: Some("http://127.0.0.1:9".to_owned()), ..policy::Flags::default() };
    let sources = policy::Sources { flags, ..policy::Sources::default() };
    let (policy, _) = policy::load(&sources).expect("the default policy");
    let key = HashKey::new([7; 16]);
    let table_bytes = 32 << 20;
    Engine::new(Settings { policy, key, reads_redacted: false, table_bytes, recorder: None })
        .without_samples()
}

fn scan(path: &Path, format: Option<&str>) -> Result<(Engine, Scanned), String> {
    let assumed =
        Assumptions { zone: Zone::UTC, format: format.map(str::to_owned), host: "site".into() };
    let inputs = Inputs::find(&[path.to_owned()], assumed).map_err(|error| error.to_string())?;
    let engine = engine();
    let scanned = intake::scan::scan(&engine, inputs, &mut |_| {});
    Ok((engine, scanned))
}

/// Lines that are no server's own messages, and how many of them were not read.
fn read(scanned: &Scanned) -> (u64, u64) {
    let account = &scanned.inputs.first().expect("an input").account;
    (account.lines - account.messages, account.skipped_in_all())
}

/// The samples of the CrowdSec hub, unpacked: folder and log.
fn hub() -> (tempfile::TempDir, BTreeMap<String, PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let unpacked = Command::new("tar")
        .arg("xzf")
        .arg(logs().join("crowdsec-hub-web-tests.tar.gz"))
        .arg("-C")
        .arg(folder.path())
        .status()
        .expect("tar runs");
    assert!(unpacked.success());
    let mut samples = BTreeMap::new();
    for entry in fs::read_dir(folder.path().join("tests")).expect("the samples") {
        let path = entry.expect("an entry").path();
        let log = fs::read_dir(&path)
            .expect("a sample")
            .map(|entry| entry.expect("an entry").path())
            .find(|path| path.extension().is_some_and(|extension| extension == "log"));
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        samples.insert(name, log.expect("a log"));
    }
    assert_eq!(samples.len(), 101);
    (folder, samples)
}

/// Samples that hold no access log, or several formats of somebody's own in one file.
const NO_ACCESS_LOGS: [&str; 13] = [
    "caddy-coraza",
    "caddy-crs-anomaly-score",
    "keycloak-bf",
    "keycloak-logs",
    "keycloak-slow-bf",
    "litespeed-admin-bf",
    "modsecurity",
    "modsecurity-logs",
    "modsecurity-logs-nginx",
    "modsecurity-nginx",
    "nginx-mail-bf",
    "nginx_http-catch-npm",
    "nginx_req_limit_exceeded",
];

#[test]
fn ten_thousand_lines_of_apache() {
    let path = logs().join("elastic_apache_combined_10k.log.gz");
    let (engine, scanned) = scan(&path, None).expect("a log");
    let (lines, skipped) = read(&scanned);
    assert_eq!((lines, skipped), (10_000, 1), "one line was cut off within its last field");
    assert!(engine.endpoints().len() > 100);
    assert_eq!(scanned.clients.0, 1_753);
}

#[test]
fn the_hubs_samples_are_read() {
    let (_folder, samples) = hub();
    let (mut lines, mut skipped) = (0, 0);
    for (name, path) in &samples {
        match scan(path, None) {
            Ok((_, scanned)) => {
                assert!(!NO_ACCESS_LOGS.contains(&name.as_str()), "{name} was read after all");
                let (these, not_read) = read(&scanned);
                lines += these;
                skipped += not_read;
            }
            Err(error) => {
                assert!(NO_ACCESS_LOGS.contains(&name.as_str()), "{name}: {error}");
            }
        }
    }
    assert!(lines > 1_000, "{lines}");
    assert!(skipped * 1_000 <= lines, "{skipped} of {lines}");
}

#[test]
fn somebodys_own_format_is_read_by_its_string() {
    let (_folder, samples) = hub();
    let format = "[$time_local] $host $remote_addr $request_time \"$request\" $status \
                  $body_bytes_sent $request_length $remote_user $http_user_agent";
    let path = samples.get("nginx_http-catch-npm").expect("the sample");
    let (_, scanned) = scan(path, Some(format)).expect("a log");
    assert_eq!(read(&scanned), (6, 2), "two of the six are in another format");
}

/// Attacks of the samples that today's detectors see, each with who is behind it. What the others
/// need is told in docs/logs.md.
#[test]
fn searches_for_hidden_paths_are_found() {
    let (_folder, samples) = hub();
    for (name, caller) in [
        ("apache-http-probing", "ip:172.17.0.1"),
        ("apache2-http-sensitive-files", "ip:172.17.0.1"),
        ("bunkerweb-http-path-traversal", "ip:127.0.0.1"),
        ("bunkerweb-http-sensitive-files", "ip:127.0.0.1"),
        ("http-dos-random-uri", "ip:127.0.0.1"),
        ("http-wordpress_wpconfig", "ip:167.71.13.196"),
        ("nginx-http-path-traversal", "ip:127.0.0.1"),
        ("nginx-http-sensitive-files", "ip:127.0.0.1"),
        ("traefik_base-http-scenario", "ip:172.17.0.1"),
    ] {
        let (_, scanned) = scan(samples.get(name).expect(name), None).expect(name);
        let found = scanned.campaigns.iter().flat_map(|campaign| &campaign.findings).any(|found| {
            // A search ends at the first decoy in it.
            matches!(found.finding.detector, Detector::ForcedBrowsing | Detector::Decoy)
                && found.finding.entity.to_string() == caller
        });
        assert!(found, "{name}: {:?}", scanned.campaigns);
    }
}

#[test]
fn a_browsers_archive_shows_bodies_too() {
    let (engine, scanned) = scan(&logs().join("juiceshop.har.gz"), None).expect("a HAR");
    assert_eq!(read(&scanned), (48, 0));
    let endpoints = engine.endpoints();
    let has_bodies = endpoints
        .iter()
        .any(|view| view.params.iter().any(|param| param.place == shield::ParamPlace::Json));
    assert!(has_bodies, "{endpoints:#?}");
    assert!(scanned.blind.iter().all(|blind| blind.what != "parameters in bodies"));
}

#[test]
fn status_documents_are_no_access_log() {
    let path = logs().join("elastic_nginxplus_json.log.gz");
    assert!(scan(&path, None).is_err());
}
