//! `containsWord`: the argument as a word of its own, with no letter, digit or `_` beside it.
//!
//! Occurrences may overlap, and a value may be made of nothing but failed ones: the search of
//! Knuth, Morris and Pratt visits each byte once all the same.

use super::argument::Argument;

/// A word to find.
#[derive(Clone, Debug)]
pub struct WordTest {
    argument: Argument<Word>,
}

impl WordTest {
    pub(super) fn new(argument: &[u8]) -> Self {
        Self { argument: Argument::new(argument, Word::new) }
    }

    pub(super) fn macros(&self) -> Option<&[u8]> {
        self.argument.macros()
    }

    pub(super) fn matches(&self, value: &[u8], expanded: &[u8]) -> bool {
        match &self.argument {
            Argument::Fixed(word) => word.occurs(value),
            Argument::Macro(_) => Word::new(expanded).occurs(value),
        }
    }
}

/// A word, and for each of its beginnings how long the longest shorter beginning is that it also
/// ends with.
#[derive(Clone, Debug)]
struct Word {
    bytes: Box<[u8]>,
    borders: Box<[usize]>,
}

impl Word {
    fn new(bytes: &[u8]) -> Self {
        let mut word = Self { bytes: bytes.into(), borders: vec![0; bytes.len()].into() };
        let mut matched = 0;
        for (at, byte) in bytes.iter().enumerate().skip(1) {
            matched = word.extended(matched, *byte);
            if let Some(border) = word.borders.get_mut(at) {
                *border = matched;
            }
        }
        word
    }

    /// How much of the word a text ends with when `matched` bytes were and `byte` follows.
    fn extended(&self, mut matched: usize, byte: u8) -> usize {
        while matched > 0 && self.bytes.get(matched) != Some(&byte) {
            matched = self.border(matched);
        }
        matched + usize::from(self.bytes.get(matched) == Some(&byte))
    }

    fn border(&self, matched: usize) -> usize {
        matched.checked_sub(1).and_then(|at| self.borders.get(at)).copied().unwrap_or(0)
    }

    fn occurs(&self, value: &[u8]) -> bool {
        if self.bytes.is_empty() {
            return true;
        }
        let beside = |at: Option<usize>| {
            at.and_then(|at| value.get(at)).is_some_and(|byte| is_of_word(*byte))
        };
        let mut matched = 0;
        for (at, byte) in value.iter().enumerate() {
            matched = self.extended(matched, *byte);
            if matched == self.bytes.len() {
                if !beside(at.checked_sub(matched)) && !beside(Some(at + 1)) {
                    return true;
                }
                matched = self.border(matched);
            }
        }
        false
    }
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stands_alone() {
        for (word, value, expected) in [
            ("select", "a select b", true),
            ("select", "select", true),
            ("select", "selected, preselect, select_", false),
            ("a a", "xa a a", true),
            ("aba", "ababa", false),
            ("aba", "ababa aba", true),
            ("--", "x-- --", true),
            ("x", "", false),
            ("", "", true),
        ] {
            assert_eq!(Word::new(word.as_bytes()).occurs(value.as_bytes()), expected, "{value}");
        }
    }
}
