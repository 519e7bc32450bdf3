//! A steady load of half of what the gateway can carry, beside nginx under the same load.
//!
//! Callers and origin are one thread here: on two they would take turns at the processor that is
//! left, and what is measured would be whose turn it is. nginx and the gateway alternate, because a
//! machine is not equally quiet all the time.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{BUSY_CALLERS, CAPACITY_FOR, Program, Trial};
use crate::load::{Load, Origin};

/// What the gateway may add to nginx's 99th percentile.
const ADDED_P99_US_MAX: u32 = 1_000;
const ROUNDS: usize = 5;
/// A machine that others use as well takes a processor away for milliseconds, now and then, and
/// whoever is busier needs longer to catch up. What is left without that shows in the percentiles
/// of short spans, which are printed too. The bar is held by whole rounds, as callers feel them.
const SPAN: Duration = Duration::from_millis(250);

impl Trial {
    /// Half of what the gateway can carry, beside nginx in the same run.
    ///
    /// # Errors
    /// When something does not start, or a bar is missed.
    pub fn half_load(&self) -> Result<()> {
        let origin = Origin::open()?;
        let program = Program::palisade(&self.program, &format!("http://{}", origin.address))?;
        let nginx = Program::nginx(&self.nginx, origin.address)?;
        let load = |to| Load { origin: Some(origin.clone()), ..Load::gets(to, 256) };
        load(nginx.address).flat_out(BUSY_CALLERS, Duration::from_secs(1))?;
        load(program.address).flat_out(BUSY_CALLERS, Duration::from_secs(1))?;
        let before = program.cpu();
        let calm = load(program.address).flat_out(BUSY_CALLERS, CAPACITY_FOR)?;
        println!("half load, capacity: {calm}; {}", program.cpu_each(before, calm.sent()));
        let (mut ours, mut theirs) = (Found::default(), Found::default());
        let lasting = self.lasting / u32::try_from(2 * ROUNDS)?;
        for _ in 0..ROUNDS {
            for (name, to, found) in
                [("nginx", nginx.address, &mut theirs), ("palisade", program.address, &mut ours)]
            {
                let counts = load(to).at_rate(calm.right_per_s() / 2.0, lasting)?;
                println!("half load, {name}: {counts}");
                ensure!(counts.right == counts.sent(), "{name} failed at half load");
                found.rounds.push(counts.latency().p99_us);
                found.spans.extend(counts.p99_of_each(SPAN));
            }
        }
        let spans = (median(&mut ours.spans), median(&mut theirs.spans));
        println!("half load: p99 of {SPAN:?} {} us, nginx {} us (medians)", spans.0, spans.1);
        let (ours, theirs) = (median(&mut ours.rounds), median(&mut theirs.rounds));
        println!("half load: p99 {ours} us, nginx {theirs} us (medians of {ROUNDS} rounds)");
        ensure!(ours <= theirs + ADDED_P99_US_MAX, "p99 is more than 1 ms above nginx's");
        Ok(())
    }
}

/// 99th percentiles, in microseconds.
#[derive(Default)]
struct Found {
    rounds: Vec<u32>,
    spans: Vec<u32>,
}

fn median(values: &mut [u32]) -> u32 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}
