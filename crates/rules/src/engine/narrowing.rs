//! What `ctl` takes away for the rest of an exchange: rules, and targets of rules.

/// Rules that no longer run, and targets that some no longer look at.
///
/// Nothing is allocated until a rule takes something away, which most exchanges never see.
#[derive(Debug, Default)]
pub(super) struct Narrowing {
    removed: Vec<u64>,
    /// Rules that have lost a target.
    narrowed: Vec<u64>,
    /// The acts by which they have: step of a phase, link and act.
    acts: Vec<ActPlace>,
}

/// Where an act stands among the plans.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ActPlace {
    pub(super) phase: usize,
    pub(super) step: usize,
    pub(super) link: usize,
    pub(super) act: usize,
}

impl Narrowing {
    pub(super) fn clear(&mut self) {
        self.removed.clear();
        self.narrowed.clear();
        self.acts.clear();
    }

    /// Of `rules` rules these no longer run.
    pub(super) fn remove_rules(&mut self, numbers: &[u32], rules: usize) {
        mark(&mut self.removed, numbers, rules);
    }

    /// Of `rules` rules these no longer look at what the act at `place` says.
    pub(super) fn narrow(&mut self, numbers: &[u32], rules: usize, place: ActPlace) {
        if !self.acts.contains(&place) {
            mark(&mut self.narrowed, numbers, rules);
            self.acts.push(place);
        }
    }

    pub(super) fn is_removed(&self, number: u32) -> bool {
        is_marked(&self.removed, number)
    }

    /// The acts that may have narrowed the rule.
    pub(super) fn acts_on(&self, number: u32) -> &[ActPlace] {
        if is_marked(&self.narrowed, number) { &self.acts } else { &[] }
    }
}

fn mark(bits: &mut Vec<u64>, numbers: &[u32], rules: usize) {
    if bits.is_empty() {
        bits.resize(rules.div_ceil(64), 0);
    }
    for number in numbers {
        if let Some(word) = bits.get_mut(*number as usize / 64) {
            *word |= 1 << (number % 64);
        }
    }
}

fn is_marked(bits: &[u64], number: u32) -> bool {
    bits.get(number as usize / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_away_is_known_by_number() {
        let mut narrowing = Narrowing::default();
        assert!(!narrowing.is_removed(3));
        narrowing.remove_rules(&[3, 130], 131);
        let removed: Vec<u32> = (0..200).filter(|it| narrowing.is_removed(*it)).collect();
        assert_eq!(removed, [3, 130]);
        let place = ActPlace { phase: 0, step: 4, link: 0, act: 1 };
        narrowing.narrow(&[7], 131, place);
        narrowing.narrow(&[7], 131, place);
        assert_eq!(narrowing.acts_on(7), [place]);
        assert_eq!(narrowing.acts_on(3), []);
    }
}
