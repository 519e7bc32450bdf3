//! The literals that tests need, found in one pass over a value, in any case of ASCII letters.
//!
//! Of each literal four bytes are its key, the rarest ones; of a shorter one, all of it. A pass
//! looks at each place of the value whether a key may end there, which are two bits in a small
//! table, and only where it may, the literals of that key are compared. For the thousands of
//! literals of a rule set that is several times faster than an automaton, whose tables do not fit
//! into a processor's caches, and takes a fraction of its memory. A place is compared with few
//! literals, since keys are rare and shared by few, so that time stays linear.

use std::collections::BTreeMap;

use super::bits::Bits;
use crate::byte_set::ByteSet;

/// No key is longer.
const KEY_BYTES_MAX: usize = 4;
/// Shorter literals have none.
const KEY_BYTES_MIN: usize = 2;
/// Words of a table, 64 bits each: at least so many, and at most.
const WORDS_MIN: usize = 16;
const WORDS_MAX: usize = 1_024;

/// The literals of a phase, and of each the tests that need it.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    /// All literals, in small letters.
    text: Box<[u8]>,
    literals: Box<[Literal]>,
    owners: Box<[u16]>,
    /// For keys of two, three and four bytes.
    tables: [Table; KEY_BYTES_MAX - KEY_BYTES_MIN + 1],
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

/// Keys of one length, and the literals that have them.
#[derive(Debug)]
struct Table {
    /// How long its keys are.
    key_bytes: usize,
    /// By how much a hash is shifted to be the number of a word.
    shift: u32,
    /// Two bits for each key, both in one word.
    bits: Box<[u64]>,
    /// For each word of the bits where its entries begin; one more, for where the last ones end.
    starts: Box<[u32]>,
    /// Key and literal.
    entries: Box<[(u32, u32)]>,
    /// What the first and the last byte of a key may be.
    ends: [ByteSet; 2],
}

impl Lexicon {
    /// `owners` says which tests need a literal, which is in small letters.
    pub(super) fn new(owners: &BTreeMap<&[u8], Vec<u16>>) -> Self {
        let (mut text, mut literals, mut tests) = (Vec::new(), Vec::new(), Vec::new());
        let mut keys: [Vec<(u32, u32)>; 3] = Default::default();
        let mut shared = BTreeMap::new();
        for (literal, owners) in owners {
            let number = length(literals.len());
            let key_bytes = literal.len().clamp(KEY_BYTES_MIN, KEY_BYTES_MAX);
            let (key_at, key) = key(literal, key_bytes, &shared);
            *shared.entry(key).or_default() += 1;
            if let Some(keys) = keys.get_mut(key_bytes - KEY_BYTES_MIN) {
                keys.push((key, number));
            }
            literals.push(Literal {
                start: length(text.len()),
                length: length(literal.len()),
                key_at: length(key_at),
                owners: (length(tests.len()), length(tests.len() + owners.len())),
            });
            text.extend_from_slice(literal);
            tests.extend_from_slice(owners);
        }
        let mut key_bytes = KEY_BYTES_MIN..;
        let tables = keys.map(|keys| Table::new(key_bytes.next().unwrap_or_default(), keys));
        Self { text: text.into(), literals: literals.into(), owners: tests.into(), tables }
    }

    /// Adds to `tests` those of which a literal is in the value, whose bytes are `present`.
    pub(super) fn find(&self, value: &[u8], present: ByteSet, tests: &mut Bits) {
        for table in &self.tables {
            if table.ends.iter().all(|set| set.meets(present)) {
                let unused = 8 * (KEY_BYTES_MAX - table.key_bytes);
                let mut key = 0;
                for (at, byte) in value.iter().enumerate() {
                    // The last four bytes; a shorter key are the last of these.
                    key = key >> 8 | u32::from(*byte | FOLD) << 24;
                    if table.may_have(key >> unused) {
                        self.compare(table, key >> unused, value, at, tests);
                    }
                }
            }
        }
    }

    /// The literals of a key that ends at `end`.
    #[cold]
    fn compare(&self, table: &Table, key: u32, value: &[u8], end: usize, tests: &mut Bits) {
        let Some(at) = (end + 1).checked_sub(table.key_bytes) else { return };
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
        Self::new(KEY_BYTES_MAX, Vec::new())
    }
}

impl Table {
    fn new(key_bytes: usize, mut entries: Vec<(u32, u32)>) -> Self {
        let words = (entries.len() / 4).next_power_of_two().clamp(WORDS_MIN, WORDS_MAX);
        let shift = u64::BITS - words.trailing_zeros();
        entries.sort_unstable_by_key(|(key, literal)| (place(*key, shift).0, *key, *literal));
        let mut bits = vec![0; words];
        let mut starts = vec![0; words + 1];
        let mut ends = [ByteSet::NONE; 2];
        for (key, _) in &entries {
            let (word, mask) = place(*key, shift);
            if let Some(word) = bits.get_mut(word) {
                *word |= mask;
            }
            for start in starts.iter_mut().skip(word + 1) {
                *start += 1;
            }
            let bytes = key.to_le_bytes();
            for (set, at) in ends.iter_mut().zip([0, key_bytes - 1]) {
                let byte = bytes.get(at).copied().unwrap_or_default();
                *set = set.union(ByteSet::of(&[byte, byte & !FOLD]));
            }
        }
        Self {
            key_bytes,
            shift,
            bits: bits.into(),
            starts: starts.into(),
            entries: entries.into(),
            ends,
        }
    }

    fn may_have(&self, key: u32) -> bool {
        let (word, mask) = place(key, self.shift);
        self.bits.get(word).is_some_and(|word| word & mask == mask)
    }

    /// The literals of a key.
    fn of(&self, key: u32) -> impl Iterator<Item = u32> {
        let (word, _) = place(key, self.shift);
        let start = |at: usize| self.starts.get(at).map_or(0, |start| *start as usize);
        let entries = self.entries.get(start(word)..start(word + 1)).unwrap_or_default();
        entries.iter().filter(move |(known, _)| *known == key).map(|(_, literal)| *literal)
    }
}

/// The word of a key and its bits there: keys are spread over the whole table.
const fn place(key: u32, shift: u32) -> (usize, u64) {
    let hash = (key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mask = 1 << (hash >> 40 & 63) | 1 << (hash >> 34 & 63);
    ((hash >> shift) as usize, mask)
}

/// Letters differ in this bit by their case. Other bytes do, too, from others: they share keys, and
/// are told apart when they are compared.
const FOLD: u8 = 0x20;

/// The first bytes as a key.
fn folded(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |key, byte| key << 8 | u32::from(*byte | FOLD))
}

/// So many bytes that values have seldom and that few other literals have as their key, and where
/// in the literal they stand. `shared` says how many literals have a key so far.
fn key(literal: &[u8], key_bytes: usize, shared: &BTreeMap<u32, u32>) -> (usize, u32) {
    let weight = |bytes: &[u8]| {
        let others = shared.get(&folded(bytes)).copied().unwrap_or_default();
        bytes.iter().map(|byte| commonness(*byte)).sum::<u32>() + 16 * others
    };
    let windows = literal.windows(key_bytes).enumerate();
    let best = windows.min_by_key(|(_, bytes)| weight(bytes));
    best.map_or((0, 0), |(at, bytes)| (at, folded(bytes)))
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
