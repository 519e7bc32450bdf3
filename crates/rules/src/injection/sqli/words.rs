//! The words and phrases that mean something to a database, and what each is.
//!
//! `words.txt` has a line for each kind, or several: its letter, then words with bars between. They
//! are put into a table with open addressing, so that a name that is no word, the usual case, is
//! recognised by the first slot alone.

use std::sync::LazyLock;

use super::token::{Kind, TEXT_MAX};

static WORDS: LazyLock<Words> = LazyLock::new(|| Words::parse(include_str!("words.txt")));

/// A power of two, about four times the number of words.
const SLOTS: usize = 4096;
/// Of its bits, those of `SLOTS` are kept from the top of a product.
const SHIFT: u32 = u64::BITS - SLOTS.trailing_zeros();
/// Odd, and with its bits well mixed: 2^64 divided by the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// A known word, or the beginning of a known phrase.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// In capitals.
    pub(super) text: &'static [u8],
    /// Nothing when it is only the beginning of phrases.
    pub(super) kind: Option<Kind>,
    /// Does a phrase begin with it and a space?
    pub(super) leads: bool,
}

struct Words {
    words: Vec<(Key, Word)>,
    /// For each slot the place of its word in `words`, counted from 1; 0 when it is free.
    slots: Vec<u16>,
}

/// A text in capitals, with zeros behind and its length in the last byte.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Key([u8; TEXT_MAX + 1]);

impl Key {
    /// Nothing for a text that is longer than any word.
    fn of(text: &[u8]) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let mut bytes = [0; TEXT_MAX + 1];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        bytes.make_ascii_uppercase();
        let [.., last] = &mut bytes;
        *last = u8::try_from(text.len()).ok()?;
        Some(Self(bytes))
    }

    fn slot(&self) -> usize {
        let (words, _) = self.0.as_chunks::<8>();
        let mixed = words.iter().fold(0_u64, |mixed, word| {
            (mixed.rotate_left(29) ^ u64::from_le_bytes(*word)).wrapping_mul(MIX)
        });
        (mixed >> SHIFT) as usize
    }
}

/// What `text` is, in any case of letters.
pub(super) fn find(text: &[u8]) -> Option<&'static Word> {
    WORDS.find(&Key::of(text)?)
}

/// What the phrase of these two with a space between is.
pub(super) fn find_phrase(first: &[u8], second: &[u8]) -> Option<&'static Word> {
    let mut phrase = [0; TEXT_MAX];
    let length = first.len() + 1 + second.len();
    let (head, tail) = phrase.get_mut(..length)?.split_at_mut_checked(first.len())?;
    head.copy_from_slice(first);
    let (space, tail) = tail.split_first_mut()?;
    *space = b' ';
    tail.copy_from_slice(second);
    find(phrase.get(..length)?).filter(|word| word.kind.is_some())
}

impl Words {
    fn parse(list: &'static str) -> Self {
        let mut words = Self { words: Vec::new(), slots: vec![0; SLOTS] };
        for line in list.lines() {
            let Some((letter, line)) = line.split_once(' ') else { continue };
            for text in line.split('|') {
                words.add(text, |word| word.kind = Kind::of_word(letter));
                for (end, _) in text.match_indices(' ') {
                    words.add(text.get(..end).unwrap_or_default(), |word| word.leads = true);
                }
            }
        }
        words
    }

    /// Has `change` made to the word `text`, which is there afterwards.
    fn add(&mut self, text: &'static str, change: impl FnOnce(&mut Word)) {
        let text = text.as_bytes();
        let Some(key) = Key::of(text) else { return };
        let mut at = key.slot();
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == 0 {
                self.words.push((key, Word { text, kind: None, leads: false }));
                *slot = u16::try_from(self.words.len()).unwrap_or_default();
            }
            match self.words.get_mut(usize::from(*slot) - 1) {
                Some((known, word)) if *known == key => return change(word),
                _ => at = (at + 1) % SLOTS,
            }
        }
    }

    fn find(&self, key: &Key) -> Option<&Word> {
        let mut at = key.slot();
        loop {
            let place = usize::from(*self.slots.get(at)?).checked_sub(1)?;
            match self.words.get(place)? {
                (known, word) if known == key => return Some(word),
                _ => at = (at + 1) % SLOTS,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_list_is_found_in_any_case_and_no_other() {
        let words = &WORDS.words;
        assert!(words.len() > 900 && words.len() < SLOTS / 4);
        for (_, word) in words {
            for text in [word.text.to_ascii_lowercase(), word.text.to_vec()] {
                assert_eq!(find(&text).unwrap().text, word.text);
                assert!(find(&[&text[..], b"\0"].concat()).is_none());
            }
        }
        assert!(find(b"").is_none() && find(b"johann").is_none());
        assert!(find(&[b'a'; 32]).is_none() && find(&[b'\0'; 31]).is_none());
    }

    #[test]
    fn phrases_are_known_by_their_parts() {
        let kind = |first: &[u8], second: &[u8]| find_phrase(first, second).map(|word| word.kind);
        assert_eq!(kind(b"Union", b"all"), Some(Some(Kind::Union)));
        assert_eq!(kind(b"at time", b"zone"), Some(find(b"AT TIME ZONE").unwrap().kind));
        assert_eq!(kind(b"natural full", b"outer"), None, "only the beginning of a phrase");
        assert_eq!(kind(b"union", b"none"), None);
        assert_eq!(kind(&[b'a'; 20], &[b'b'; 20]), None);
        assert!(find(b"current").is_some_and(|word| word.leads && word.kind.is_none()));
        assert!(find(b"having").is_some_and(|word| !word.leads));
    }
}
