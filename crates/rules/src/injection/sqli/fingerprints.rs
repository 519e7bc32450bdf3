//! The fingerprints that attacks have and honest values seldom do.
//!
//! `fingerprints.txt` has, for all fingerprints that begin alike, what they begin with, a slash,
//! and the letters that may come last. Capital and small letters are one here.

use std::sync::LazyLock;

use super::Fingerprint;

static KNOWN: LazyLock<Known> = LazyLock::new(|| Known::parse(include_str!("fingerprints.txt")));

/// The letters that occur, in the order of the bits and numbers that stand for them.
const LETTERS: &[u8; 20] = b"&(),1:;ABCEFKNOSTUVX";

/// The number of each letter, from 1; 0 for what is in no fingerprint of the list.
const NUMBERS: [u8; 256] = {
    let mut numbers = [0; 256];
    let mut at = 0;
    while at < LETTERS.len() {
        numbers[LETTERS[at] as usize] = at as u8 + 1;
        numbers[LETTERS[at].to_ascii_lowercase() as usize] = at as u8 + 1;
        at += 1;
    }
    numbers
};

struct Known {
    /// What fingerprints begin with, five bits a letter, sorted.
    beginnings: Vec<u32>,
    /// For each beginning a bit for each last letter.
    endings: Vec<u32>,
}

/// Is it the fingerprint of an attack?
pub(super) fn is_known(fingerprint: &Fingerprint) -> bool {
    let Some((last, beginning)) = fingerprint.as_bytes().split_last() else { return false };
    let Ok(place) = KNOWN.beginnings.binary_search(&number(beginning)) else { return false };
    let ending = NUMBERS[usize::from(*last)];
    ending > 0 && KNOWN.endings.get(place).is_some_and(|endings| endings & (1 << ending) != 0)
}

/// The letters as one number. Letters that are in no fingerprint count as zeros in the lowest
/// place, so that no beginning with one of them is that of a fingerprint.
fn number(letters: &[u8]) -> u32 {
    let mut number = 1;
    for letter in letters {
        match NUMBERS[usize::from(*letter)] {
            0 => return 0,
            letter => number = number << 5 | u32::from(letter),
        }
    }
    number
}

impl Known {
    fn parse(list: &str) -> Self {
        let mut known: Vec<(u32, u32)> = list
            .split_ascii_whitespace()
            .filter_map(|entry| entry.split_once('/'))
            .map(|(beginning, endings)| {
                let bits = endings.bytes().map(|letter| 1 << NUMBERS[usize::from(letter)]);
                (number(beginning.as_bytes()), bits.fold(0, |all: u32, bit: u32| all | bit))
            })
            .collect();
        known.sort_unstable();
        let (beginnings, endings) = known.into_iter().unzip();
        Self { beginnings, endings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_known_by_all_its_letters() {
        let is_known = |letters: &str| is_known(&Fingerprint::of(letters.bytes()));
        for attack in ["X", "1U", "1c", "s&1c", "s&sos", "1&1", "E1)", "sUEvc", "v&(V)", "&(1)o"] {
            assert!(is_known(attack), "{attack}");
        }
        for honest in ["", "n", "1", "1o", "nn", "?", "1U?", "?U", "&&&&&", "s&so.", "n.n", "{X"] {
            assert!(!is_known(honest), "{honest}");
        }
    }

    #[test]
    fn the_list_is_read_in_full() {
        let number: u32 = KNOWN.endings.iter().map(|endings| endings.count_ones()).sum();
        assert_eq!(number, 8_367);
        assert!(KNOWN.beginnings.is_sorted_by(|one, next| one < next));
    }
}
