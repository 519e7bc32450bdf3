//! How long to wait before the next try.
//!
//! Each pause is twice the one before, up to a minute: a sink that comes back is told soon, and one
//! that is down is not hammered. Half of a pause is chance, so that many who lost the same sink at
//! the same moment do not all return at the same moment.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);
/// What a sink asks for by `Retry-After` is granted up to this.
const ASKED_MAX: Duration = Duration::from_secs(300);

/// The pause after `failures` failures in a row; `dice` is any number.
pub(crate) fn pause(failures: u32, asked: Option<Duration>, dice: u64) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST);
    let half = doubled / 2;
    let share = u32::try_from(dice % 1_001).unwrap_or_default();
    let pause = half + half * share / 1_000;
    pause.max(asked.unwrap_or_default().min(ASKED_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let longest = |failures| pause(failures, None, 1_000);
        let ms: Vec<u128> = (1..10).map(|failures| longest(failures).as_millis()).collect();
        assert_eq!(ms, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(longest(u32::MAX), LONGEST);
        assert_eq!(longest(0), FIRST);
    }

    #[test]
    fn half_of_a_pause_is_chance() {
        for dice in [0, 1, 500, 12_345, u64::MAX] {
            let pause = pause(4, None, dice);
            assert!((2_000..=4_000).contains(&pause.as_millis()), "{pause:?}");
        }
        assert_ne!(pause(4, None, 1), pause(4, None, 999));
    }

    #[test]
    fn a_sink_may_ask_for_more_but_not_for_ever() {
        assert_eq!(pause(1, Some(Duration::from_secs(30)), 0), Duration::from_secs(30));
        assert_eq!(pause(1, Some(Duration::from_secs(86_400)), 0), ASKED_MAX);
    }
}
