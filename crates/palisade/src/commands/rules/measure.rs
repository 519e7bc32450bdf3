//! `rules measure`: how much of what is no attack passes, and how much of what is one does not.
//!
//! Requests come from files, a JSON object a line. Each is decided as the gateway would decide it
//! that enforces, sent by a stranger of its own, so that no request profits from another's history;
//! the API behind answers whatever passes with success.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::judge::{Judge, Request};
use crate::args::rules::Measure;
use crate::args::{Format, Global};
use crate::failure::Failure;
use crate::output::{Output, Page, Paint};
use crate::run::instance::now;

/// The strangers' addresses begin here: those that no network routes (RFC 6598), and on from there.
const FIRST_STRANGER: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 1);

/// A line of a file.
#[derive(Deserialize)]
struct Line {
    method: String,
    url: String,
    #[serde(default)]
    headers: Headers,
    #[serde(default, alias = "data")]
    body: Option<String>,
    attack: bool,
    #[serde(default)]
    class: Option<String>,
}

/// An object, or a list of pairs where a name comes twice.
#[derive(Deserialize)]
#[serde(untagged)]
enum Headers {
    Object(BTreeMap<String, String>),
    Pairs(Vec<(String, String)>),
}

impl Default for Headers {
    fn default() -> Self {
        Self::Pairs(Vec::new())
    }
}

#[derive(Serialize)]
struct Measured {
    schema: &'static str,
    attacks: Count,
    honest: Count,
    attacks_refused_percent: f64,
    honest_passed_percent: f64,
    balanced_percent: f64,
    classes: BTreeMap<String, Class>,
    wrong: Vec<Wrong>,
}

#[derive(Clone, Copy, Default, Serialize)]
struct Count {
    all: u32,
    right: u32,
}

#[derive(Serialize)]
struct Class {
    attack: bool,
    #[serde(flatten)]
    count: Count,
}

/// A request that was decided wrongly.
#[derive(Serialize)]
struct Wrong {
    file: String,
    line: usize,
    class: String,
    attack: bool,
    request: String,
    rules: Vec<u64>,
}

/// Decides all requests of the files.
pub(super) fn measure(global: &Global, measure: &Measure) -> Result<(), Failure> {
    let judge = Judge::new(global, &measure.of)?;
    let mut measured = Measured {
        schema: "palisade.v1.rules-measure",
        attacks: Count::default(),
        honest: Count::default(),
        attacks_refused_percent: 0.0,
        honest_passed_percent: 0.0,
        balanced_percent: 0.0,
        classes: BTreeMap::new(),
        wrong: Vec::new(),
    };
    let mut stranger = u32::from(FIRST_STRANGER);
    for file in &measure.files {
        measured.file(&judge, file, &mut stranger)?;
    }
    measured.sum_up();
    if !measure.wrong {
        measured.wrong.clear();
    }
    Output::open(global, Format::Table)?.document(&measured, |page| measured.page(page))
}

impl Measured {
    fn file(&mut self, judge: &Judge, file: &Path, stranger: &mut u32) -> Result<(), Failure> {
        let cannot = |error| Failure::of(format!("cannot read {}", file.display()), error);
        let lines = BufReader::new(File::open(file).map_err(cannot)?).lines();
        for (number, line) in (1..).zip(lines) {
            let text = line.map_err(cannot)?;
            if text.trim().is_empty() {
                continue;
            }
            let line: Line = serde_json::from_str(&text).map_err(|error| {
                Failure::of(format!("{}:{number}: no request", file.display()), error)
            })?;
            *stranger = stranger.wrapping_add(1);
            let (is_refused, rules) = decide(judge, &line, *stranger);
            self.count(&line, is_refused);
            if is_refused != line.attack {
                self.wrong.push(Wrong {
                    file: file.display().to_string(),
                    line: number,
                    class: line.class(),
                    attack: line.attack,
                    request: text,
                    rules,
                });
            }
        }
        Ok(())
    }

    fn count(&mut self, line: &Line, is_refused: bool) {
        let right = u32::from(is_refused == line.attack);
        let class = self
            .classes
            .entry(line.class())
            .or_insert_with(|| Class { attack: line.attack, count: Count::default() });
        let all = if line.attack { &mut self.attacks } else { &mut self.honest };
        for count in [&mut class.count, all] {
            count.all += 1;
            count.right += right;
        }
    }

    fn sum_up(&mut self) {
        self.attacks_refused_percent = self.attacks.percent();
        self.honest_passed_percent = self.honest.percent();
        self.balanced_percent =
            f64::midpoint(self.attacks_refused_percent, self.honest_passed_percent);
    }

    fn page(&self, page: &mut Page) {
        let row = |(name, class): (&String, &Class)| {
            let word = if class.attack { "refused" } else { "passed" };
            let paint =
                if class.count.right == class.count.all { Paint::Good } else { Paint::Warn };
            vec![
                (name.clone(), Paint::Bold),
                (class.count.all.to_string(), Paint::None),
                (format!("{:.1} % {word}", class.count.percent()), paint),
            ]
        };
        let rows: Vec<_> = self.classes.iter().map(row).collect();
        page.table(&["CLASS", "REQUESTS", "RIGHT"], &rows);
        page.gap();
        for wrong in &self.wrong {
            let word = if wrong.attack { "passed" } else { "refused" };
            let rules: Vec<String> = wrong.rules.iter().map(ToString::to_string).collect();
            page.painted(
                Paint::Bad,
                &format!("{}:{} {} {word}: {}", wrong.file, wrong.line, wrong.class, wrong.request),
            );
            if !rules.is_empty() {
                page.line(&format!("    rules {}", rules.join(" ")));
            }
        }
        page.line(&format!(
            "{:.2} % of {} attacks refused, {:.2} % of {} honest requests passed, balanced {:.2} %",
            self.attacks_refused_percent,
            self.attacks.all,
            self.honest_passed_percent,
            self.honest.all,
            self.balanced_percent,
        ));
    }
}

impl Count {
    fn percent(self) -> f64 {
        f64::from(self.right) * 100.0 / f64::from(self.all.max(1))
    }
}

impl Line {
    fn class(&self) -> String {
        let unnamed = if self.attack { "attack" } else { "honest" };
        self.class.clone().unwrap_or_else(|| unnamed.to_owned())
    }

    /// None when no gateway would read its head.
    fn request(&self) -> Option<Request> {
        let method = self.method.parse().ok()?;
        let is_sendable = self.url.bytes().all(|byte| byte > b' ' && byte != 0x7f);
        let pairs: Vec<(&String, &String)> = match &self.headers {
            Headers::Object(object) => object.iter().collect(),
            Headers::Pairs(pairs) => pairs.iter().map(|(name, value)| (name, value)).collect(),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name: HeaderName = name.parse().ok()?;
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
        }
        let body = self.body.as_ref().filter(|body| !body.is_empty());
        let body = body.map(|body| body.as_bytes().to_vec());
        is_sendable.then(|| Request { method, target: self.url.clone(), headers, body }.dressed())
    }
}

/// Is it refused, and which rules matched?
fn decide(judge: &Judge, line: &Line, stranger: u32) -> (bool, Vec<u64>) {
    let Some(request) = line.request() else { return (true, Vec::new()) };
    // One a second: no limit on all callers together is in question here.
    let now = now().after(Duration::from_secs(u64::from(stranger & 0xf_ffff)));
    let pass = judge.decide(&request, IpAddr::V4(Ipv4Addr::from(stranger)), now);
    let rules = pass.found().map(|rule| rule.id).collect();
    let is_refused = pass.verdict().is_some_and(traffic::Verdict::is_refusal);
    if !is_refused {
        judge.answer(pass, now);
    }
    (is_refused, rules)
}
