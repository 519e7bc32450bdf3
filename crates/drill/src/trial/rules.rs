//! A thousand new rule sets while requests are under way: none of them fails, and what the old sets
//! took is given back.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{Trial, program, program::Program};
use crate::load::{Load, Till};

const RELOADS: u32 = 1_000;
/// What the first ones need is needed once: rooms of threads, an allocator's arenas.
const SETTLED_AFTER: u32 = 100;
/// How far memory may be above the most it was until then: one look alone may find it just after
/// much was given back.
const BEYOND_PERCENT_MAX: u64 = 10;
/// One in each hundred is not asked for: the program sees by itself that its file has changed.
const SEEN_AT: u32 = 50;
/// Requests a second meanwhile.
const RATE: f64 = 200.0;
/// The load goes on in pieces, until the last reload.
const PIECE: Duration = Duration::from_secs(5);

impl Trial {
    /// A thousand policies, each of which has its rules compiled anew. With `CRS4_DIR` in the
    /// environment the Core Rule Set is among them.
    ///
    /// # Errors
    /// When something does not start, a request fails, or memory grows.
    pub fn rule_reloads(&self) -> Result<()> {
        let till = Till::open(None)?;
        let folder = program::folder("rule-reloads")?;
        let file = folder.path().join("palisade.toml");
        let crs = std::env::var("CRS4_DIR")
            .map_or_else(|_| String::new(), |folder| format!("crs = \"{folder}\"\n"));
        let write = |round: u32| {
            // What rules are loaded from is another text each time.
            format!(
                "version = 1\n[server]\nlisten = [\"LISTEN\"]\n[rules]\n{crs}paranoia = {}\n\
                 threshold = {}\n[[site]]\nname = \"load\"\nhosts = [\"*\"]\nupstream = [\"{}\"]\n",
                1 + round % 2,
                5 + round,
                till.url(),
            )
        };
        let program = Program::palisade_with(&self.program, &file, &write(0))?;
        let load = Load::gets(program.address, 64);
        let is_over = AtomicBool::new(false);
        let (failed, settled, most) = std::thread::scope(|scope| {
            let caller = scope.spawn(|| -> Result<u64> {
                let mut failed = 0;
                while !is_over.load(Relaxed) {
                    let counts = load.at_rate(RATE, PIECE)?;
                    failed += counts.sent() - counts.right;
                }
                Ok(failed)
            });
            let reloaded = (|| -> Result<(u64, u64)> {
                let (mut settled, mut most) = (0, 0);
                let began = Instant::now();
                for round in 1..=RELOADS {
                    fs::write(&file, program.at_its_address(&write(round)))?;
                    if round % SETTLED_AFTER == SEEN_AT {
                        // Each thread that compiles may keep memory of its own.
                        let version = program.policy_version_above(round.into())?;
                        ensure!(version > round.into(), "what changed on disk was not taken up");
                    } else {
                        program.reload()?;
                    }
                    let resident = program.resident()?;
                    let highest = if round <= SETTLED_AFTER { &mut settled } else { &mut most };
                    *highest = resident.bytes().max(*highest);
                    if round.is_multiple_of(SETTLED_AFTER) {
                        let took = began.elapsed().as_secs_f64();
                        println!("rule reloads, {round} in {took:.0} s: {resident}");
                    }
                }
                Ok((settled, most))
            })();
            is_over.store(true, Relaxed);
            let failed = caller.join().ok().context("the load panicked")??;
            let (settled, most) = reloaded?;
            anyhow::Ok((failed, settled, most))
        })?;
        ensure!(failed == 0, "{failed} requests failed");
        let limit = settled / 100 * (100 + BEYOND_PERCENT_MAX);
        println!("at most {settled} bytes in the first {SETTLED_AFTER}, {most} afterwards");
        ensure!(most <= limit, "memory grows: more than {limit} bytes");
        Ok(())
    }
}
