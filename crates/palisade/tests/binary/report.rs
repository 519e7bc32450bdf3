//! `report`, and `scan` that makes one: of an instance, of its data folder, of a log.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Palisade, call, command, program, shop, text, until};

fn figure<'r>(report: &'r Value, id: &str) -> &'r Value {
    let sections = report["sections"].as_array().expect("sections").iter();
    let figures = sections.flat_map(|section| section["figures"].as_array().expect("figures"));
    figures.into_iter().find(|figure| figure["id"] == id).expect("a figure")
}

fn counted(report: &Value, id: &str) -> u64 {
    figure(report, id)["numerator"].as_u64().expect("a number")
}

fn made(args: &[&str], file: &Path) -> Vec<u8> {
    let output = program().args(args).args(["-q", "-o"]).arg(file).output().expect("it runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
    fs::read(file).expect("a report")
}

#[test]
fn an_instance_tells_the_same_running_and_stopped() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let running = Palisade::run(&upstream, folder.path(), &[]);
    for number in 0..40 {
        call(running.address, "GET", &format!("/api/v1/orders/{number}"), "");
    }
    let live = until("40 calls", || {
        let report = running.json(&["report"]);
        (counted(&report, "calls") == 40).then_some(report)
    });
    assert_eq!(live["schema"], "palisade.v1.report");
    assert_eq!(live["origin"]["kind"], "gateway");
    assert_eq!(counted(&live, "api-share"), 40, "{live}");
    assert_eq!(figure(&live, "api-share")["value"], 1.0);
    assert!(live["why_no_before"].is_string(), "there was no week before");
    assert_eq!(running.end(), 143, "told to, by SIGTERM");

    let data = folder.path().to_str().expect("text");
    let file = folder.path().join("stopped.json");
    let stopped = made(&["report", "--data", data], &file);
    let stopped: Value = serde_json::from_slice(&stopped).expect("JSON");
    for id in ["calls", "api-share", "endpoints", "attacks", "logins"] {
        assert_eq!(counted(&stopped, id), counted(&live, id), "{id}");
    }
    let page = made(&["report", "--data", data], &folder.path().join("stopped.html"));
    assert!(text(&page).starts_with("<!DOCTYPE html>"), "{}", text(&page));
    let past = command(folder.path(), &["report", "--from", "2001-01-01", "--to", "2001-01-08"]);
    assert!(text(&past.stdout).contains("Exchanges"), "{}", text(&past.stderr));
}

#[test]
fn a_log_becomes_a_page_with_the_same_bytes_each_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("access.log");
    let mut lines = String::new();
    for number in 0..200 {
        let (minute, second) = (number / 60, number % 60);
        let (path, agent) = match number % 4 {
            0 => ("/", "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"),
            1 => ("/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "curl/8.5.0"),
            2 => ("/app.js", "Mozilla/5.0 (compatible; bingbot/2.0)"),
            _ => ("/api/v1/orders", "-"),
        };
        lines.push_str(&format!(
            "192.0.2.{} - - [26/Nov/2026:10:{minute:02}:{second:02} +0000] \"GET {path} HTTP/1.1\" \
             200 512 \"-\" \"{agent}\"\n",
            number % 50,
        ));
    }
    fs::write(&log, lines).expect("written");
    let log = log.to_str().expect("text");
    let scanned = made(&["scan", log], &folder.path().join("scan.html"));
    let reported = made(&["report", log], &folder.path().join("report.html"));
    assert_eq!(scanned, reported, "the same input, the same bytes");
    let json = made(&["report", log], &folder.path().join("report.json"));
    let report: Value = serde_json::from_slice(&json).expect("JSON");
    for (id, count) in [
        ("calls", 200),
        ("api-share", 50),
        ("asset-share", 50),
        ("declared-bot-share", 50),
        ("probes", 50),
        ("probes-age-5-9-share", 50),
        ("probes-answered", 50),
    ] {
        assert_eq!(counted(&report, id), count, "{id}");
    }
    assert_eq!(report["probes"][0]["cve"], "CVE-2017-9841");
}

#[test]
fn where_there_is_nothing_to_report_on_it_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("nowhere");
    let output = command(&nowhere, &["report"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert!(!nowhere.exists(), "asking makes no data folder");
    let wrong = command(folder.path(), &["report", "--output", "sarif"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
}
