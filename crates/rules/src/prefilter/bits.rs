//! A set of small numbers.

/// A set of numbers, as bits.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Bits(Vec<u64>);

/// A set of few numbers: its words that have any, and their places.
#[derive(Clone, Debug, Default)]
pub(crate) struct FewBits(Vec<(usize, u64)>);

impl FewBits {
    /// Adds a number.
    pub(crate) fn insert(&mut self, number: usize) {
        let (place, bit) = (number / 64, 1 << (number % 64));
        match self.0.iter_mut().find(|(known, _)| *known == place) {
            Some((_, word)) => *word |= bit,
            None => self.0.push((place, bit)),
        }
    }
}

impl Bits {
    /// No number, and room for none.
    pub(crate) const NONE: Self = Self(Vec::new());

    /// The empty set, with room for numbers below `length`.
    pub(crate) fn with_room(length: usize) -> Self {
        Self(vec![0; length.div_ceil(64)])
    }

    /// Forgets everything and makes room for numbers below `length`.
    pub(crate) fn reset(&mut self, length: usize) {
        self.0.clear();
        self.0.resize(length.div_ceil(64), 0);
    }

    /// Adds a number, if there is room for it.
    pub(crate) fn insert(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    pub(crate) fn contains(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Makes it the same as another set, in the room that it has.
    pub(crate) fn copy(&mut self, other: &Self) {
        self.0.clear();
        self.0.extend_from_slice(&other.0);
    }

    /// Adds all of another set of the same size.
    pub(crate) fn add(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// Adds all of a set that has few words.
    pub(crate) fn add_few(&mut self, other: &FewBits) {
        for (place, more) in &other.0 {
            if let Some(word) = self.0.get_mut(*place) {
                *word |= more;
            }
        }
    }

    /// The 64 numbers from `place * 64`, as bits.
    pub(crate) fn word(&self, place: usize) -> u64 {
        self.0.get(place).copied().unwrap_or_default()
    }

    /// How many words there are.
    pub(crate) const fn words(&self) -> usize {
        self.0.len()
    }

    /// The smallest number that is not below `from`.
    pub(crate) fn next(&self, from: usize) -> Option<usize> {
        self.next_of_either(&Self::NONE, from)
    }

    /// The smallest number of either set that is not below `from`.
    pub(crate) fn next_of_either(&self, other: &Self, from: usize) -> Option<usize> {
        let mut place = from / 64;
        let mut word = (self.word(place) | other.word(place)) & (u64::MAX << (from % 64));
        while word == 0 {
            place += 1;
            if place >= self.words().max(other.words()) {
                return None;
            }
            word = self.word(place) | other.word(place);
        }
        Some(place * 64 + word.trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_next_of_either_is_the_next(
            one in prop::collection::btree_set(0_usize..200, 0..9),
            other in prop::collection::btree_set(0_usize..200, 0..9),
            from in 0_usize..260,
        ) {
            let of = |numbers: &std::collections::BTreeSet<usize>| {
                let mut bits = Bits::with_room(200);
                numbers.iter().for_each(|it| bits.insert(*it));
                bits
            };
            let expected = one.union(&other).copied().find(|it| *it >= from);
            prop_assert_eq!(of(&one).next_of_either(&of(&other), from), expected);
            prop_assert_eq!(of(&one).next(from), one.range(from..).next().copied());
            let mut few = FewBits::default();
            other.iter().for_each(|it| few.insert(*it));
            let mut both = of(&one);
            both.add_few(&few);
            let mut sum = of(&one);
            sum.add(&of(&other));
            prop_assert_eq!(&sum, &both);
            prop_assert!((0..200).all(|it| both.contains(it) == (one.contains(&it) || other.contains(&it))));
            prop_assert!((0..200).all(|it| of(&one).contains(it) == one.contains(&it)));
            prop_assert_eq!(of(&one).is_empty(), one.is_empty());
        }
    }
}
