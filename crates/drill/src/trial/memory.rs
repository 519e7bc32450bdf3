//! What the program keeps in memory, by the kernel's count, while more callers, tokens and paths
//! pass through than any table holds, and while bodies of gigabytes do.

use std::{
    fmt, fs,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{Program, Trial, program};
use crate::load::{bulk, strangers};

const MIB: u64 = 1 << 20;
/// A small budget, that of a program without a file, and that of one with a file that does not name
/// it.
const BUDGETS: [u64; 3] = [64 * MIB, 96 * MIB, 256 * MIB];
/// How far beyond its budget the program may be, in percent.
const BEYOND_PERCENT_MAX: u64 = 10;
/// What it may take after start, without a file.
const AT_START_MAX: u64 = 60_000_000;
/// What bodies that stream by may add.
const STREAMED_MAX: u64 = 8 * MIB;
/// Nothing is asked for so long: what the start needed for a moment is given back.
const SETTLED_AFTER: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A process's memory as Linux counts it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Resident {
    now: u64,
    peak: u64,
    anonymous: u64,
}

impl Resident {
    /// Of this process.
    pub(super) fn of(pid: u32) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib: Option<u64> =
                line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            kib.map(|kib| kib * 1024).with_context(|| format!("no {name} in a process's status"))
        };
        Ok(Self { now: of("VmRSS:")?, peak: of("VmHWM:")?, anonymous: of("RssAnon:")? })
    }
}

impl Resident {
    /// What is in memory now.
    pub(super) fn bytes(self) -> u64 {
        self.now
    }
}

impl fmt::Display for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { now, peak, anonymous } = *self;
        write!(f, "{} ({} of it anonymous), at most {}", mib(now), mib(anonymous), mib(peak))
    }
}

impl Trial {
    /// `strangers` addresses, tokens and paths that nobody had before, under each of some budgets,
    /// and a restart with what was learnt of them: the program stays within 10 % of its budget.
    ///
    /// # Errors
    /// When something does not start, or a bar is missed.
    pub fn memory(&self) -> Result<()> {
        let api = strangers::api()?;
        let first = Program::palisade(&self.program, &api.url())?;
        sleep(SETTLED_AFTER);
        let at_start = first.resident()?;
        println!("memory, after start without a file: {at_start}");
        drop(first);
        let mut failed = Vec::new();
        if at_start.peak > AT_START_MAX {
            failed.push(format!("{} after start, more than 60 MB", mib(at_start.peak)));
        }
        for budget in BUDGETS {
            failed.extend(self.under(budget, &api.url())?);
        }
        ensure!(failed.is_empty(), "{}", failed.join("; "));
        Ok(())
    }

    fn under(&self, budget: u64, api: &str) -> Result<Option<String>> {
        let folder = program::folder("memory")?;
        let file = folder.path().join("palisade.toml");
        let text = format!(
            "version = 1\n[server]\nlisten = [\"LISTEN\"]\ntrusted_proxies = [\"127.0.0.0/8\"]\n\
             memory_budget = \"{}MiB\"\n[[site]]\nhosts = [\"*\"]\nupstream = [\"{api}\"]\n\
             mode = \"enforce\"\n",
            budget / MIB
        );
        let mut program = Program::palisade_with(&self.program, &file, &text)?;
        let met = watched(&program, budget, || strangers::meet(program.address, self.strangers))?;
        println!("memory, {} of budget: {met}", mib(budget));
        ensure!(met.answered > met.sent / 2, "most requests did not reach the API");
        let under_load = program.resident()?;
        println!("memory, {} of budget, at the end: {under_load}", mib(budget));
        program.kill_and_start_again()?;
        sleep(SETTLED_AFTER);
        let restarted = program.resident()?;
        println!("memory, {} of budget, killed and started again: {restarted}", mib(budget));
        let most = budget / 100 * (100 + BEYOND_PERCENT_MAX);
        let peak = under_load.peak.max(restarted.peak);
        let share = peak as f64 / budget as f64;
        println!("memory, {} of budget: at most {:.2} of it", mib(budget), share);
        Ok((peak > most).then(|| format!("{} under a budget of {}", mib(peak), mib(budget))))
    }

    /// An upload and a download of five gigabytes: they pass through, and nothing of them stays.
    ///
    /// # Errors
    /// When something does not start, or a bar is missed.
    pub fn large_bodies(&self) -> Result<()> {
        const BYTES: u64 = 5_000_000_000;
        let upstream = bulk::serve()?;
        let program = Program::palisade(&self.program, &format!("http://{upstream}"))?;
        // What the first bytes need is needed once.
        bulk::upload(program.address, BYTES / 100)?;
        bulk::download(program.address, BYTES / 100)?;
        let before = program.resident()?;
        println!("large bodies, before: {before}");
        for (what, pass) in [
            ("upload", bulk::upload as fn(_, _) -> Result<()>),
            ("download", bulk::download as fn(_, _) -> Result<()>),
        ] {
            let began = Instant::now();
            pass(program.address, BYTES)?;
            let took = began.elapsed().as_secs_f64();
            println!("large bodies, {what} of 5 GB in {took:.1} s: {}", program.resident()?);
        }
        let added = program.resident()?.peak.saturating_sub(before.peak);
        ensure!(added <= STREAMED_MAX, "bodies that streamed by added {}", mib(added));
        Ok(())
    }
}

/// Does something, and says from time to time what the program's memory is meanwhile.
fn watched<T>(program: &Program, budget: u64, act: impl FnOnce() -> Result<T>) -> Result<T> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut looked = Instant::now();
            while !done.load(Relaxed) {
                sleep(Duration::from_millis(100));
                if looked.elapsed() < LOOK_EVERY {
                    continue;
                }
                looked = Instant::now();
                if let Ok(resident) = program.resident() {
                    println!("memory, {} of budget: {resident}", mib(budget));
                }
            }
        });
        let outcome = act();
        done.store(true, Relaxed);
        outcome
    })
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / MIB as f64)
}
