//! Scenarios as data: who lives in the town, who comes, and what must hold over many seeds.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use shield::{Engine, Settings, policy};
use traffic::{Disguise, HashKey, Timestamp};

use super::actor::{Actor, Client, address};
use super::attackers::{Scanner, Stuffer};
use super::basic::{Machine, OverBasic};
use super::crawlers::{Crawler, Rummager};
use super::crowds::{LinkFollower, PageReader};
use super::faces::Face;
use super::guessers::{At, Forgetful, Guesser, StaleClient};
use super::impostors::{Impostor, Script};
use super::lists::Pace;
use super::patches;
use super::probers::{Curious, prober, searcher};
use super::shop::{Failures, Shop};
use super::shoppers::{Habits, Shopper};
use super::walkers::{OldApp, walker};
use super::{MONDAY, Tally, Town};
use crate::dice::Dice;

/// A scenario as its file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, in a sentence.
    pub name: String,
    /// Whether failed log-ins are answered with 401 (`status`) or with 200 (`body`).
    #[serde(default = "by_status")]
    pub failures: String,
    /// Honest callers who live a day before anything happens.
    #[serde(default)]
    pub warm_callers: u32,
    /// Days for which they live on, and the others with them.
    #[serde(default = "one")]
    pub days: u32,
    /// Whether the built-in rules look at what comes.
    #[serde(default)]
    pub rules: bool,
    /// The key that is built into the application, which all who live here use.
    #[serde(default)]
    pub app_key: String,
    /// The policy, but for the upstream.
    #[serde(default)]
    pub policy: String,
    /// Who comes then.
    pub actor: Vec<Cast>,
    /// What must hold.
    pub expect: Vec<Expectation>,
}

/// Actors of one kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    /// stuffer, scanner, guesser, stale-client, forgetful, machine, prober, curious, crawler,
    /// rummager, walker, old-app, link-follower, page-reader, office, odd-browser, script,
    /// impostor, injector or course.
    pub kind: String,
    /// How many of them.
    #[serde(default = "one")]
    pub count: u32,
    /// The part of the town that their addresses are of.
    #[serde(default = "strangers")]
    pub district: u8,
    /// Whether all of them share one address.
    #[serde(default)]
    pub one_address: bool,
    /// Hours after the warm day at which they begin.
    #[serde(default)]
    pub after_hours: f64,
    /// Seconds over which they begin.
    #[serde(default)]
    pub spread_s: u32,
    /// Pairs, words or dead images.
    #[serde(default)]
    pub size: u32,
    /// Milliseconds between two tries; 0 for all at once.
    #[serde(default)]
    pub pace_ms: u32,
    /// Honest actions between two hostile ones.
    #[serde(default)]
    pub between: u32,
    /// Fields that mean nothing, in front of those that count.
    #[serde(default)]
    pub padding: u32,
    /// Tries at a time.
    #[serde(default = "one")]
    pub parallel: u32,
    /// Mistyped first tries, in percent.
    #[serde(default = "fifth")]
    pub typos_percent: u32,
    /// Every guess is an image's name.
    #[serde(default)]
    pub as_images: bool,
    /// Addresses of one guesser.
    #[serde(default = "one")]
    pub sources: u32,
    /// Guesses in one body.
    #[serde(default = "one")]
    pub batch: u32,
    /// Each guess hides the account in another way.
    #[serde(default)]
    pub disguised: bool,
    /// Names and passwords are tried with HTTP Basic, at an endpoint that is no log-in.
    #[serde(default)]
    pub basic: bool,
    /// After half of the time the password is another one, of which nobody told them.
    #[serde(default)]
    pub password_changes: bool,
    /// Codes are guessed, not passwords.
    #[serde(default)]
    pub codes: bool,
    /// In percent of the wrong passwords, those that everybody tries; for attackers all or none.
    #[serde(default)]
    pub common_percent: u32,
}

/// What must hold over all seeds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The kind of actor that is measured, all of its kind together.
    pub of: String,
    /// accounts, misses, forwarded, busiest-hour, decoys, delayed, denied, refused, or a disguise:
    /// no-language, head-of-a-tool or not-its-network.
    pub measure: String,
    /// At most so many at the 95th percentile of seeds.
    #[serde(default)]
    pub p95_at_most: Option<u64>,
    /// At least so many at the 5th percentile of seeds.
    #[serde(default)]
    pub p05_at_least: Option<u64>,
    /// None at all in at least so many of a hundred seeds.
    #[serde(default)]
    pub none_in_percent: Option<u32>,
}

/// A measure over all seeds, sorted.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What was expected.
    pub expectation: Expectation,
    /// One value a seed, ascending.
    pub values: Vec<u64>,
}

fn by_status() -> String {
    "status".to_owned()
}

const fn one() -> u32 {
    1
}

/// Where nobody lives.
const fn strangers() -> u8 {
    77
}

const fn fifth() -> u32 {
    20
}

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// Memory for the engine of a scenario.
const TABLE_BYTES: usize = 48 << 20;

impl Scenario {
    /// Reads a scenario from its file's text.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        toml::from_str(text).context("not a scenario")
    }

    /// Runs every seed and gives what was measured.
    pub fn run(&self, seeds: impl Iterator<Item = u64>) -> anyhow::Result<Vec<Measured>> {
        let mut measured: Vec<Measured> = self
            .expect
            .iter()
            .map(|expectation| Measured { expectation: expectation.clone(), values: Vec::new() })
            .collect();
        for seed in seeds {
            let town = self.run_once(seed)?;
            for one in &mut measured {
                one.values
                    .push(measure(&town.tally_of(&one.expectation.of), &one.expectation.measure)?);
            }
        }
        for one in &mut measured {
            one.values.sort_unstable();
        }
        Ok(measured)
    }

    /// Runs one seed to the end of the days after the warm one.
    pub fn run_once(&self, seed: u64) -> anyhow::Result<Town> {
        let engine = engine(&self.policy, self.rules)?;
        let failures = match self.failures.as_str() {
            "status" => Failures::Status,
            "body" => Failures::Body,
            other => bail!("failures = {other:?}: status or body"),
        };
        let mut town = Town::new(Shop::new(failures)).with_app_key(&self.app_key);
        let mut start = MONDAY;
        if self.warm_callers > 0 {
            let residents = (0..self.warm_callers).map(|n| resident(n, start, seed)).collect();
            town.live(&engine, residents, start.after(DAY));
            start = start.after(DAY);
        }
        let mut newcomers: Vec<Box<dyn Actor>> = (0..self.days)
            .flat_map(|day| (0..self.warm_callers).map(move |n| (day, n)))
            .map(|(day, n)| resident(n, start.after(DAY * day), seed ^ u64::from(day + 1)))
            .collect();
        for (index, cast) in self.actor.iter().enumerate() {
            let stream = u64::try_from(index + 1).unwrap_or(1) << 32;
            for n in 0..cast.count {
                let actor = cast.actor(n, start, Dice::new(seed, stream + u64::from(n)))?;
                newcomers.push(if cast.basic { Box::new(OverBasic(actor)) } else { actor });
            }
        }
        town.live(&engine, newcomers, start.after(DAY * self.days));
        Ok(town)
    }
}

impl Cast {
    fn actor(&self, n: u32, start: Timestamp, mut dice: Dice) -> anyhow::Result<Box<dyn Actor>> {
        let begin = start.after(Duration::from_secs_f64(self.after_hours.max(0.0) * 3_600.0));
        let at = begin.after(Duration::from_millis(u64::from(
            dice.below(self.spread_s.saturating_mul(1_000).max(1)),
        )));
        let client = Client::new(
            address(self.district, if self.one_address { 1 } else { n + 1 }),
            dice.below(64),
        );
        Ok(match self.kind.as_str() {
            "stuffer" => {
                let stuffer = Stuffer::new(client, at, self.size, self.pace_ms, dice)
                    .washing(self.between)
                    .padded(self.padding);
                let is_common = self.common_percent > 0;
                Box::new(if is_common { stuffer.with_common_passwords() } else { stuffer })
            }
            "scanner" => {
                let scanner = Scanner::new(client, at, self.size, self.pace_ms, dice)
                    .in_parallel(self.parallel);
                let scanner = scanner.interleaved(self.between);
                Box::new(if self.as_images { scanner.dressed_as_images() } else { scanner })
            }
            "guesser" => {
                let guesses = (self.size, self.pace_ms);
                let guesser = Guesser::new(self.secret_of(0), self.sources, at, guesses, dice);
                Box::new(guesser.in_batches(self.batch).disguised(self.disguised))
            }
            "stale-client" => {
                let (_, account) = self.secret_of(n);
                Box::new(StaleClient::new(client, account, at, self.size, self.pace_ms))
            }
            "forgetful" => {
                let forgetful = Forgetful::new(self.secret_of(n), client, at, self.size, dice);
                let is_common = self.common_percent > 0;
                Box::new(if is_common { forgetful.with_common_passwords() } else { forgetful })
            }
            "machine" => {
                let (_, account) = self.secret_of(n);
                let times = (self.size, self.pace_ms);
                let lines = (self.parallel, self.password_changes);
                Box::new(Machine::new(client, account, at, times, lines))
            }
            "prober" => Box::new(prober(client, self.pace(at), dice)),
            "injector" => Box::new(searcher("injector", client, self.pace(at))),
            "course" => Box::new(searcher("course", client, self.pace(at))),
            "curious" => Box::new(Curious::new(client, at, self.size)),
            "walker" => Box::new(walker(client, self.pace(at), dice)),
            "old-app" => {
                Box::new(OldApp::new(client, at, self.size, !n.is_multiple_of(2), self.pace_ms))
            }
            "crawler" => Box::new(Crawler::new(client, at, self.size, self.pace_ms, dice)),
            "rummager" => Box::new(Rummager::new(client, at, n, self.size, dice)),
            "link-follower" => Box::new(LinkFollower::new(client, at, "/offers/spring", dice)),
            "page-reader" => Box::new(PageReader::new(client, at, self.size)),
            "script" => Box::new(Script::new(client, at, self.size, self.pace_ms, dice)),
            "impostor" => Box::new(Impostor::new(client, n, at, (self.size, self.pace_ms))),
            "odd-browser" => {
                let face = Face::ODD.get(n as usize % Face::ODD.len()).copied();
                let client = client.with_face(face.unwrap_or(Face::ORDINARY));
                let account = format!("odd{n}@town.example");
                let habits = Habits::ordinary(self.typos_percent);
                Box::new(Shopper::new("odd-browser", account, client, habits, start, dice))
            }
            "office" => Box::new(self.clerk(n, client, start, dice)),
            other => bail!("there are no actors of the kind {other:?}"),
        })
    }

    const fn pace(&self, from: Timestamp) -> Pace {
        Pace { from, between: self.between, pace_ms: self.pace_ms }
    }

    /// Somebody who comes to the office at nine.
    fn clerk(&self, n: u32, client: Client, start: Timestamp, dice: Dice) -> Shopper {
        let account = format!("clerk{n}@office.example");
        let habits = Habits::office(self.typos_percent);
        let habits = Habits { common_percent: self.common_percent, ..habits };
        Shopper::new("office", account, client, habits, start, dice)
    }

    /// What is guessed at, and the resident whose it is.
    fn secret_of(&self, n: u32) -> (At, String) {
        let at = if self.codes { At::Code } else { At::Password };
        (at, format!("resident{n}@town.example"))
    }
}

impl Measured {
    /// The value below which `percent` of the seeds lie.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> u64 {
        let rank = (self.values.len() * percent).div_ceil(100).max(1) - 1;
        self.values.get(rank).copied().unwrap_or(0)
    }

    /// What does not hold; none when all does.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let Expectation { of, measure, p95_at_most, p05_at_least, none_in_percent } =
            &self.expectation;
        if let Some(most) = p95_at_most.filter(|most| self.percentile(95) > *most) {
            return Some(format!(
                "{of}: p95 of {measure} is {}, at most {most} allowed",
                self.percentile(95)
            ));
        }
        if let Some(least) = p05_at_least.filter(|least| self.percentile(5) < *least) {
            return Some(format!(
                "{of}: p05 of {measure} is {}, at least {least} expected",
                self.percentile(5)
            ));
        }
        let clean = self.values.iter().filter(|value| **value == 0).count() * 100;
        let percent = clean / self.values.len().max(1);
        none_in_percent.filter(|least| percent < *least as usize).map(|least| {
            format!(
                "{of}: no {measure} in {percent} % of seeds, {least} % expected; worst seed: {}",
                self.percentile(100)
            )
        })
    }
}

fn resident(n: u32, day: Timestamp, seed: u64) -> Box<dyn Actor> {
    // Device and address stay with a resident over the days; what it does differs.
    let client = Client::new(address(1, n + 1), n);
    let account = format!("resident{n}@town.example");
    Box::new(Shopper::new(
        "resident",
        account,
        client,
        Habits::ordinary(20),
        day,
        Dice::new(seed, u64::from(n)),
    ))
}

fn engine(policy: &str, has_rules: bool) -> anyhow::Result<Engine> {
    let flags = policy::Flags {
        to: Some("http://127.0.0.1:9".to_owned()),
        mode: Some(traffic::Mode::Enforce),
        ..policy::Flags::default()
    };
    let file = (!policy.is_empty()).then_some(("scenario", policy));
    let sources = policy::Sources { file, flags, ..policy::Sources::default() };
    let (mut policy, _) = policy::load(&sources).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    if has_rules {
        policy.arm(patches::rulebook()?);
    }
    Ok(Engine::new(Settings {
        policy,
        key: HashKey::new(*b"a town's own key"),
        reads_redacted: false,
        table_bytes: TABLE_BYTES,
        recorder: None,
    }))
}

fn measure(tally: &Tally, name: &str) -> anyhow::Result<u64> {
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let disguise = |of: Disguise| tally.disguises.get(&of).copied().unwrap_or_default();
    Ok(match name {
        "accounts" => count(tally.accounts.len()),
        "misses" => count(tally.misses.len()),
        "forwarded" => tally.forwarded,
        "busiest-hour" => tally.busiest_hour,
        "decoys" => tally.decoys,
        "no-language" => disguise(Disguise::NoLanguage),
        "head-of-a-tool" => disguise(Disguise::HeadOfATool),
        "not-its-network" => disguise(Disguise::NotItsNetwork),
        "delayed" => tally.delayed,
        "denied" => tally.denied,
        "refused" => tally.denied + tally.delayed,
        other => {
            bail!("there is no measure {other:?}")
        }
    })
}
