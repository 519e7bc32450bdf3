//! What the program must bear, tried on the program itself: more load than it can carry, a steady
//! load beside nginx, new policies while requests are under way, more callers than it can remember.
//!
//! Each trial prints its figures and fails when a bar is missed. They take a minute or so and want
//! the machine for themselves, so `make bench` runs them and no test does.

mod dead_sink;
mod half_load;
mod logs;
mod memory;
mod program;
mod rules;
mod upstreams;

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

pub use program::Program;

use crate::load::{Load, Shape, Till};

/// Connections that keep a server as busy as it can be.
const BUSY_CALLERS: usize = 64;
/// How long capacity is measured.
const CAPACITY_FOR: Duration = Duration::from_secs(5);
/// Right answers a second under overload, of those at capacity.
const GOODPUT_MIN: f64 = 0.8;
/// How often the offered rate may fall behind what was asked for.
const OFFERED_MIN: f64 = 0.95;

/// What is started, and how long a trial lasts.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The program with what comes before it, such as `taskset -c 0 target/release/palisade`.
    pub program: String,
    /// The same for nginx.
    pub nginx: String,
    /// The same for GoAccess.
    pub goaccess: String,
    /// How long the load lasts.
    pub lasting: Duration,
    /// Addresses, tokens and paths that pass through, each of them once.
    pub strangers: u64,
}

impl Trial {
    /// Three times as many requests as an upstream of known capacity can answer: each gets its own
    /// answer or 503 with `Retry-After`, and as many are answered as before.
    ///
    /// # Errors
    /// When something does not start, or a bar is missed.
    pub fn slow_upstream(&self) -> Result<()> {
        let shape = Shape { places: 32, takes: Duration::from_millis(10) };
        let till = Till::open(Some(shape))?;
        self.overload("an upstream that is too slow", &till, None, 12_000)
    }

    /// The same with an upstream that is fast enough: the gateway is what is too slow.
    ///
    /// # Errors
    /// When something does not start, or a bar is missed.
    pub fn busy_gateway(&self) -> Result<()> {
        let till = Till::open(None)?;
        self.overload("a gateway that is too slow", &till, Some(large_body()), 2_000)
    }

    fn overload(
        &self,
        what: &str,
        till: &Till,
        body: Option<String>,
        connections: usize,
    ) -> Result<()> {
        let program = Program::palisade(&self.program, &till.url())?;
        let load = Load {
            to: program.address,
            connections,
            body,
            sources: 8,
            warm_up: Duration::ZERO,
            origin: None,
        };
        load.flat_out(BUSY_CALLERS, Duration::from_secs(1))?;
        let calm = load.flat_out(BUSY_CALLERS, CAPACITY_FOR)?;
        println!("{what}, capacity: {calm}");
        ensure!(calm.failed() == 0, "requests failed before there was any overload");
        let capacity = calm.right_per_s();
        let before = program.cpu();
        let over = load.at_rate(3.0 * capacity, self.lasting)?;
        let cpu = program.cpu().saturating_sub(before).as_secs_f64();
        let share = over.right_per_s() / capacity;
        println!(
            "{what}, three times as much: {over}; goodput {share:.2} of capacity; cpu {cpu:.1} s"
        );
        let after = load.at_rate(capacity / 2.0, CAPACITY_FOR)?;
        println!("{what}, afterwards: {after}");
        ensure!(over.due_per_s() > OFFERED_MIN * 3.0 * capacity, "the load fell behind");
        ensure!(over.failed() == 0, "{} requests got neither answer nor 503", over.failed());
        ensure!(share >= GOODPUT_MIN, "goodput fell to {share:.2} of capacity");
        ensure!(after.right == after.sent(), "not everything was answered once it was over");
        Ok(())
    }

    /// A hundred new policies while requests come at 1,000 a second: none of them fails.
    ///
    /// # Errors
    /// When something does not start, or a request fails.
    pub fn reloads(&self) -> Result<()> {
        const RELOADS: u32 = 100;
        let till = Till::open(None)?;
        let folder = program::folder("reloads")?;
        let file = folder.path().join("palisade.toml");
        let write = |round: u32| {
            // The mode of a layer, and the upstream's deadline: connections to it are made anew.
            let mode = if round.is_multiple_of(2) { "monitor" } else { "enforce" };
            format!(
                "version = 1\n[server]\nlisten = [\"LISTEN\"]\n[[site]]\nname = \"load\"\n\
                 hosts = [\"*\"]\nupstream = [\"{}\"]\nfirst_byte_timeout = \"{}s\"\n\
                 [site.protect]\nrecon = \"{mode}\"\n",
                till.url(),
                20 + round % 7,
            )
        };
        let program = Program::palisade_with(&self.program, &file, &write(0))?;
        let load = Load::gets(program.address, 512);
        let lasting = self.lasting;
        let caller = std::thread::spawn(move || load.at_rate(1_000.0, lasting));
        let began = Instant::now();
        for round in 1..=RELOADS {
            fs::write(&file, program.at_its_address(&write(round)))?;
            program.signal("HUP")?;
            let next = lasting * round / (RELOADS + 1);
            sleep(next.saturating_sub(began.elapsed()));
        }
        let counts = caller.join().ok().context("the load panicked")??;
        let version = program.policy_version_above(u64::from(RELOADS))?;
        println!("{RELOADS} reloads: {counts}; policies in force so far: {version}");
        ensure!(counts.right == counts.sent(), "a request failed");
        ensure!(version > u64::from(RELOADS), "only {version} policies came into force");
        Ok(())
    }
}

/// 16 KB of JSON, 756 leaves: what costs a gateway most for what it costs others.
fn large_body() -> String {
    let items: Vec<String> = (0..252)
        .map(|n| {
            format!(
                "{{\"sku\":\"item-{n:05}\",\"quantity\":{},\"price\":\"{n:05}.99\",\"n\":0}}",
                n % 9
            )
        })
        .collect();
    format!("{{\"items\":[{}]}}", items.join(","))
}
