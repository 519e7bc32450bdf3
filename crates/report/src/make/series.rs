//! Traffic over time, in as many columns as a page has room for.

use std::time::Duration;

use traffic::{CallerKind, Tally, TallyKey, Timestamp};

use crate::material::Material;
use crate::outcome::{Moment, Series};

/// More columns than this are too thin to be told apart on a telephone.
const MOMENTS_MAX: u64 = 96;
/// Steps from one column to the next that people have a feeling for, in seconds.
const STEPS_S: [u64; 8] =
    [3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600, 86_400, 7 * 86_400, 28 * 86_400, 364 * 86_400];

/// The series of the period.
pub(super) fn of(material: &Material) -> Series {
    let period = &material.period;
    let grain = u64::from(period.grain_s.max(1));
    let (from, to) = (floor(period.counted_from, grain), period.counted_to);
    let span = to.since(from).as_secs().max(1);
    let fits = |step: &u64| *step >= grain && span.div_ceil(*step) <= MOMENTS_MAX;
    let step_s = STEPS_S.into_iter().find(fits).unwrap_or(span.div_ceil(MOMENTS_MAX));
    let count = span.div_ceil(step_s).min(MOMENTS_MAX);
    let begins = |n: u64| from.after(Duration::from_secs(n * step_s));
    let mut moments: Vec<Moment> =
        (0..count).map(|n| Moment { at: begins(n), ..Moment::default() }).collect();
    for tally in &material.tallies {
        let n = usize::try_from(tally.at.since(from).as_secs() / step_s).unwrap_or(usize::MAX);
        if let Some(moment) = moments.get_mut(n) {
            moment.add(tally);
        }
    }
    Series { step_s, moments }
}

fn floor(at: Timestamp, grain_s: u64) -> Timestamp {
    let grain_us = grain_s.saturating_mul(1_000_000);
    Timestamp::from_micros(at.as_micros() - at.as_micros() % grain_us)
}

impl Moment {
    fn add(&mut self, tally: &Tally) {
        let TallyKey::Exchange(kind) = tally.key else { return };
        let place = match kind.caller {
            CallerKind::Human => &mut self.human,
            CallerKind::DeclaredBot => &mut self.declared_bot,
            CallerKind::Automated => &mut self.automated,
            CallerKind::Unknown => &mut self.unknown,
        };
        *place += tally.count;
        self.attacks += if kind.attack.is_some() { tally.count } else { 0 };
    }
}
