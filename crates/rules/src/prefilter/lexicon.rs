//! The literals that tests need, found in one pass over a value, in any case of ASCII letters.
//!
//! Of each literal three bytes are its key, the rarest ones; of a literal of two bytes, these. A
//! pass looks at each place of the value whether a key may begin there, which is one bit in a small
//! table, and only where it may, the literals of that key are compared. For the thousands of
//! literals of a rule set that is several times faster than an automaton, whose tables do not fit
//! into a processor's caches, and takes a fraction of its memory. A place is compared with few
//! literals, since keys are rare and shared by few, so that time stays linear.

use std::collections::BTreeMap;

use super::bits::Bits;
use crate::byte_set::ByteSet;

/// Bits of a table, 64 to a word.
const WORDS: usize = 1_024;

/// The literals of a phase, and of each the tests that need it.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    /// All literals, in small letters.
    text: Box<[u8]>,
    literals: Box<[Literal]>,
    owners: Box<[u16]>,
    triples: Table,
    pairs: Table,
    /// What the first and the second byte of a pair may be.
    pair_bytes: [ByteSet; 2],
}

#[derive(Clone, Copy, Debug)]
struct Literal {
    /// Where its text begins, and how many bytes it has.
    start: u32,
    length: u32,
    /// Where its key begins within it.
    key_at: u32,
    /// Its tests among the owners.
    owners: (u32, u32),
}

/// Keys, and the literals that have them.
#[derive(Debug)]
struct Table {
    bits: Box<[u64; WORDS]>,
    /// For each word of the bits where its entries begin; one more, for where the last ones end.
    starts: Box<[u32]>,
    /// Key and literal.
    entries: Box<[(u32, u32)]>,
}

impl Lexicon {
    /// `owners` says which tests need a literal, which is in small letters.
    pub(super) fn new(owners: &BTreeMap<&[u8], Vec<u16>>) -> Self {
        let (mut text, mut literals, mut tests) = (Vec::new(), Vec::new(), Vec::new());
        let (mut triples, mut pairs) = (Vec::new(), Vec::new());
        let mut shared = BTreeMap::new();
        let mut pair_bytes = [ByteSet::NONE; 2];
        for (literal, owners) in owners {
            let number = length(literals.len());
            let key_at = match literal {
                [first, second] => {
                    pairs.push((u32::from(*first) | u32::from(*second) << 8, number));
                    for (set, byte) in pair_bytes.iter_mut().zip([first, second]) {
                        *set = set.union(ByteSet::of(&[*byte, byte.to_ascii_uppercase()]));
                    }
                    0
                }
                _ => {
                    let (at, key) = key(literal, &shared);
                    *shared.entry(key).or_default() += 1;
                    triples.push((key, number));
                    at
                }
            };
            literals.push(Literal {
                start: length(text.len()),
                length: length(literal.len()),
                key_at: length(key_at),
                owners: (length(tests.len()), length(tests.len() + owners.len())),
            });
            text.extend_from_slice(literal);
            tests.extend_from_slice(owners);
        }
        Self {
            text: text.into(),
            literals: literals.into(),
            owners: tests.into(),
            triples: Table::new(triples),
            pairs: Table::new(pairs),
            pair_bytes,
        }
    }

    /// Adds to `tests` those of which a literal is in the value, whose bytes are `present`.
    pub(super) fn find(&self, value: &[u8], present: ByteSet, tests: &mut Bits) {
        let [first, ..] = value else { return };
        let looks_for_pairs = self.pair_bytes.iter().all(|set| set.meets(present));
        let mut key = u32::from(small(*first)) << 16;
        for (end, byte) in value.iter().enumerate().skip(1) {
            key = key >> 8 | u32::from(small(*byte)) << 16;
            if looks_for_pairs && self.pairs.may_have(key >> 8) {
                self.compare(&self.pairs, key >> 8, value, end - 1, tests);
            }
            if end > 1 && self.triples.may_have(key) {
                self.compare(&self.triples, key, value, end - 2, tests);
            }
        }
    }

    /// The literals of a key that begins at `at`.
    #[cold]
    fn compare(&self, table: &Table, key: u32, value: &[u8], at: usize, tests: &mut Bits) {
        for literal in table.of(key).filter_map(|it| self.literals.get(it as usize)) {
            let start = literal.start as usize;
            let text = self.text.get(start..start + literal.length as usize).unwrap_or_default();
            let Some(begin) = at.checked_sub(literal.key_at as usize) else { continue };
            let Some(here) = value.get(begin..begin + text.len()) else { continue };
            if here.eq_ignore_ascii_case(text) {
                let (first, end) = literal.owners;
                let owners = self.owners.get(first as usize..end as usize).unwrap_or_default();
                owners.iter().for_each(|test| tests.insert(usize::from(*test)));
            }
        }
    }
}

impl Default for Table {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Table {
    fn new(mut entries: Vec<(u32, u32)>) -> Self {
        entries.sort_unstable_by_key(|(key, literal)| (place(*key), *key, *literal));
        let mut bits = Box::new([0; WORDS]);
        let mut starts = vec![0; WORDS + 1];
        for (key, _) in &entries {
            let (word, bit) = place(*key);
            if let Some(word) = bits.get_mut(word) {
                *word |= 1 << bit;
            }
            for start in starts.iter_mut().skip(word + 1) {
                *start += 1;
            }
        }
        Self { bits, starts: starts.into(), entries: entries.into() }
    }

    fn may_have(&self, key: u32) -> bool {
        let (word, bit) = place(key);
        self.bits.get(word).is_some_and(|word| word >> bit & 1 != 0)
    }

    /// The literals of a key.
    fn of(&self, key: u32) -> impl Iterator<Item = u32> {
        let (word, _) = place(key);
        let start = |at: usize| self.starts.get(at).map_or(0, |start| *start as usize);
        let entries = self.entries.get(start(word)..start(word + 1)).unwrap_or_default();
        entries.iter().filter(move |(known, _)| *known == key).map(|(_, literal)| *literal)
    }
}

/// Word and bit of a key: keys are spread over the whole table.
const fn place(key: u32) -> (usize, u32) {
    let hash = key.wrapping_mul(0x9e37_79b1);
    ((hash >> 22) as usize & (WORDS - 1), hash >> 16 & 63)
}

const fn small(byte: u8) -> u8 {
    byte.to_ascii_lowercase()
}

/// The first three bytes as a key.
fn triple(bytes: &[u8]) -> u32 {
    bytes.iter().take(3).rev().fold(0, |key, byte| key << 8 | u32::from(*byte))
}

/// Three bytes that values have seldom and that few other literals have as their key, and where in
/// the literal they stand. `shared` says how many literals have a key so far.
fn key(literal: &[u8], shared: &BTreeMap<u32, u32>) -> (usize, u32) {
    let weight = |bytes: &[u8]| {
        let others = shared.get(&triple(bytes)).copied().unwrap_or_default();
        bytes.iter().map(|byte| commonness(*byte)).sum::<u32>() + 16 * others
    };
    let windows = literal.windows(3).enumerate();
    let best = windows.min_by_key(|(_, bytes)| weight(bytes));
    best.map_or((0, 0), |(at, bytes)| (at, triple(bytes)))
}

/// How common a byte is in what programs send: a logarithm, roughly.
fn commonness(byte: u8) -> u32 {
    const LETTERS: &[u8] = b"zqjxkvbywgfpmucdlhrsnioate";
    match byte {
        b'a'..=b'z' => {
            let place = LETTERS.iter().position(|letter| *letter == byte);
            8 + place.map_or(0, |place| u32::try_from(place).unwrap_or_default())
        }
        b' ' => 32,
        b'0'..=b'9' | b'.' | b'-' | b'_' | b'/' | b'=' => 20,
        _ => 8,
    }
}

/// Literals of a set are few, and short.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_literal_is_found_where_it_is(
            literals in prop::collection::btree_set("[ab(|]{2,5}", 1..40),
            value in "[abABc(|]{0,24}",
        ) {
            let tests = (0..).map(|test| vec![test, 60]);
            let owners: BTreeMap<&[u8], Vec<u16>> =
                literals.iter().map(|it| it.as_bytes()).zip(tests).collect();
            let lexicon = Lexicon::new(&owners);
            let mut tests = Bits::with_room(64);
            lexicon.find(value.as_bytes(), ByteSet::present(value.as_bytes()), &mut tests);
            let small = value.to_ascii_lowercase();
            for (test, literal) in literals.iter().enumerate() {
                prop_assert_eq!(tests.contains(test), small.contains(literal), "{}", literal);
            }
            prop_assert_eq!(tests.contains(60), !tests.is_empty());
        }
    }
}
