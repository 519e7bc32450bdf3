//! Which sequences of bytes stand in a value, for all tests in one pass over it.
//!
//! Each place of each sequence is a bit. A byte moves every bit to the next place and keeps those
//! that stand for a place where it may be (Baeza-Yates' and Gonnet's shift-and), so that a pass
//! takes the same few operations for each byte, whatever stands there.

use super::literal::{Place, Sequence};

/// Words that are moved at once, 64 places each.
const WORDS: usize = 4;
/// So often that many: what does not fit is not looked for.
const GROUPS_MAX: usize = 3;

/// Every byte, and the edge of the value.
const SYMBOLS: usize = 257;
const EDGE: usize = 256;

/// The sequences that tests need.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    groups: Vec<Group>,
    /// Each sequence, and its last place.
    known: Vec<(Sequence, usize)>,
    /// So many places are taken.
    used: usize,
}

/// Places that are moved at once.
#[derive(Debug)]
struct Group {
    /// Of each symbol the places where it may stand.
    symbols: Box<[Words]>,
    /// The first places of sequences.
    first: Words,
}

type Words = [u64; WORDS];

/// A set of places.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Marks([Words; GROUPS_MAX]);

impl Neighbours {
    /// The last places of these sequences; nothing when there is no room for all of them.
    pub(super) fn add(&mut self, sequences: &[Sequence]) -> Option<Marks> {
        let known = |all: &[(Sequence, usize)], it: &Sequence| {
            all.iter().find(|(known, _)| known == it).map(|(_, last)| *last)
        };
        let fresh = sequences.iter().filter(|it| known(&self.known, it).is_none());
        if fresh.fold(self.used, |used, it| start(used, it) + it.len()) > 64 * WORDS * GROUPS_MAX {
            return None;
        }
        let mut marks = Marks::default();
        for sequence in sequences {
            let last = known(&self.known, sequence).unwrap_or_else(|| self.place(sequence));
            if let Some(words) = marks.0.get_mut(last / (64 * WORDS)) {
                insert(words, last);
            }
        }
        Some(marks)
    }

    fn place(&mut self, sequence: &Sequence) -> usize {
        self.used = start(self.used, sequence);
        let group = self.used / (64 * WORDS);
        if self.groups.len() <= group {
            self.groups.push(Group::new());
        }
        if let Some(group) = self.groups.get_mut(group) {
            insert(&mut group.first, self.used);
            for (at, place) in (self.used..).zip(sequence) {
                group.insert(place, at);
            }
        }
        self.used += sequence.len();
        let last = self.used.saturating_sub(1);
        self.known.push((sequence.clone(), last));
        last
    }

    /// The places that are reached in the value.
    pub(super) fn find(&self, value: &[u8]) -> Marks {
        let mut found = Marks::default();
        for (group, found) in self.groups.iter().zip(&mut found.0) {
            *found = group.find(value);
        }
        found
    }
}

impl Group {
    fn new() -> Self {
        Self { symbols: vec![Words::default(); SYMBOLS].into(), first: Words::default() }
    }

    fn insert(&mut self, place: &Place, at: usize) {
        let edge = place.is_edge.then_some(EDGE);
        for symbol in place.bytes.iter().map(usize::from).chain(edge) {
            if let Some(words) = self.symbols.get_mut(symbol) {
                insert(words, at);
            }
        }
    }

    fn find(&self, value: &[u8]) -> Words {
        let (mut here, mut found) = (Words::default(), Words::default());
        let mut step = |symbol: usize| {
            let Some(may) = self.symbols.get(symbol) else { return };
            let words = here.iter_mut().zip(&mut found).zip(self.first.iter().zip(may));
            for ((here, found), (first, may)) in words {
                *here = (*here << 1 | first) & may;
                *found |= *here;
            }
        };
        step(EDGE);
        value.iter().for_each(|byte| step(usize::from(*byte)));
        step(EDGE);
        found
    }
}

impl Marks {
    /// Has the set a place in common with the other?
    pub(super) fn meets(&self, other: &Self) -> bool {
        let words = self.0.iter().flatten().zip(other.0.iter().flatten());
        words.fold(0, |all, (one, other)| all | one & other) != 0
    }
}

/// Where a sequence begins when so many places are taken: all of it stands in one word.
const fn start(used: usize, sequence: &[Place]) -> usize {
    if used % 64 + sequence.len() > 64 { used.next_multiple_of(64) } else { used }
}

fn insert(words: &mut Words, place: usize) {
    if let Some(word) = words.get_mut(place / 64 % WORDS) {
        *word |= 1 << (place % 64);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::byte_set::ByteSet;

    fn sequence() -> impl Strategy<Value = Sequence> {
        let bytes = prop::collection::vec(b'a'..b'e', 0..3);
        let place = (bytes, any::<bool>())
            .prop_map(|(bytes, is_edge)| Place::new(ByteSet::of(&bytes), is_edge));
        prop::collection::vec(place, 1..4)
    }

    proptest! {
        #[test]
        fn a_sequence_is_found_where_it_stands(
            all in prop::collection::vec(prop::collection::vec(sequence(), 1..6), 1..60),
            value in "[a-f]{0,8}",
        ) {
            let mut neighbours = Neighbours::default();
            let marks: Vec<_> = all.iter().map(|it| neighbours.add(it)).collect();
            let found = neighbours.find(value.as_bytes());
            for (sequences, marks) in all.iter().zip(&marks) {
                let Some(marks) = marks else { continue };
                let stands = sequences.iter().any(|it| Place::stand_in(it, value.as_bytes()));
                prop_assert_eq!(marks.meets(&found), stands, "{:?}", sequences);
            }
            prop_assert!(marks.first().is_some_and(Option::is_some));
        }
    }
}
