//! How many known callers there were, and how many of them were told of errors, by the minute.
//!
//! Requests can be made by the thousand; callers who are known here cannot. So harm is told by
//! heads. A head is a bit among two thousand, which tells up to some thousands of them apart; where
//! there are more it counts too few, and so asks for less of them.

use traffic::{Digest, Timestamp};

const BITS: usize = 2_048;
const WORDS: usize = BITS / 64;
/// Minutes that are kept.
const MINUTES: usize = 31;

/// The heads of the last half hour.
#[derive(Debug)]
pub(super) struct Headcount(Vec<Minute>);

#[derive(Clone, Copy, Debug)]
struct Minute {
    /// Which minute of all time; what another says is of another round.
    number: u32,
    all: Heads,
    told_of_errors: Heads,
}

#[derive(Clone, Copy, Debug)]
struct Heads([u64; WORDS]);

impl Default for Headcount {
    fn default() -> Self {
        Self(vec![Minute { number: 0, all: Heads::NONE, told_of_errors: Heads::NONE }; MINUTES])
    }
}

impl Headcount {
    pub(super) fn count(&mut self, caller: Digest, is_error: bool, at: Timestamp) {
        let number = at.minute();
        let Some(minute) = self.0.get_mut(number as usize % MINUTES) else { return };
        if minute.number != number {
            *minute = Minute { number, all: Heads::NONE, told_of_errors: Heads::NONE };
        }
        minute.all.note(caller);
        if is_error {
            minute.told_of_errors.note(caller);
        }
    }

    /// How many there were in the minutes from `from` to `to`, and how many were told of errors.
    pub(super) fn sum(&self, from: Timestamp, to: Timestamp) -> (u64, u64) {
        let (mut all, mut told_of_errors) = (Heads::NONE, Heads::NONE);
        let within = from.minute()..=to.minute();
        for minute in self.0.iter().filter(|minute| within.contains(&minute.number)) {
            all.join(&minute.all);
            told_of_errors.join(&minute.told_of_errors);
        }
        (all.number(), told_of_errors.number())
    }
}

impl Heads {
    const NONE: Self = Self([0; WORDS]);

    fn note(&mut self, caller: Digest) {
        let bit = caller.tagged(0x4c).0 % BITS as u64;
        let word = usize::try_from(bit / 64).unwrap_or(0);
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (bit % 64);
        }
    }

    fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
    }

    /// Linear counting: of the bits that are free still, how many heads set the others.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and not above two thousand times eight"
    )]
    fn number(&self) -> u64 {
        let set: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        let free = (BITS as f64 - f64::from(set)).max(1.0);
        (BITS as f64 * (BITS as f64 / free).ln()).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u64) -> Timestamp {
        Timestamp::from_micros((29_000_000 + minute) * 60_000_000)
    }

    #[test]
    fn heads_are_counted_once_and_by_the_minute() {
        let mut heads = Headcount::default();
        for round in 0..50_u64 {
            for caller in 0..400 {
                heads.count(Digest(caller).tagged(9), caller < 3, at(round % 5));
            }
        }
        for caller in 0..90 {
            heads.count(Digest(70_000 + caller).tagged(9), false, at(9));
        }
        let (all, told) = heads.sum(at(0), at(5));
        assert!((370..=430).contains(&all) && told == 3, "{all} {told}");
        let (all, told) = heads.sum(at(9), at(12));
        assert!((85..=95).contains(&all) && told == 0, "{all} {told}");
        assert_eq!(heads.sum(at(50), at(60)), (0, 0));
        heads.count(Digest(5), false, at(31));
        assert_eq!(heads.sum(at(0), at(0)), (0, 0), "its place is another minute's now");
    }
}
