//! Patterns that choose among names, as in `TX:/paramcounter_.*/`.
//!
//! Most are a word with nothing else, or with what may be nothing around it. A name has that word
//! or has not, which is told without the pattern: a rule set may ask it of each of thousands of
//! names.

use regex::bytes::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};

/// A pattern of names.
#[derive(Clone, Debug)]
pub(super) struct NamePattern {
    regex: Regex,
    /// The names that have it are those that the pattern matches.
    word: Option<Word>,
}

/// A word, in any case of letters.
#[derive(Clone, Debug)]
struct Word {
    /// In small letters.
    text: Box<[u8]>,
    /// The byte of it that names have most seldom, in both cases, and where it stands.
    rarest: [u8; 2],
    at: usize,
}

impl NamePattern {
    pub(super) fn new(regex: &Regex) -> Self {
        Self { regex: regex.clone(), word: word(regex.as_str()).map(Word::new) }
    }

    pub(super) fn is_match(&self, name: &[u8]) -> bool {
        match &self.word {
            Some(word) => word.is_in(name),
            None => self.regex.is_match(name),
        }
    }
}

impl Word {
    fn new(text: Box<[u8]>) -> Self {
        const COMMON: &[u8] = b"zqjxkvbwyfgpmucdlhrs_noaite";
        let commonness = |byte: u8| COMMON.iter().position(|it| *it == byte);
        let rarest = text.iter().copied().enumerate().min_by_key(|(_, byte)| commonness(*byte));
        let (at, byte) = rarest.unwrap_or_default();
        Self { text, rarest: [byte, byte.to_ascii_uppercase()], at }
    }

    fn is_in(&self, name: &[u8]) -> bool {
        let [small, big] = self.rarest;
        memchr::memchr2_iter(small, big, name).any(|place| {
            let start = place.checked_sub(self.at);
            let here = start.and_then(|start| name.get(start..start + self.text.len()));
            here.is_some_and(|here| here.eq_ignore_ascii_case(&self.text))
        })
    }
}

/// The word in small letters, if that is all that the pattern asks for.
fn word(pattern: &str) -> Option<Box<[u8]>> {
    let mut parser = regex_syntax::ParserBuilder::new();
    let hir = parser.unicode(false).utf8(false).build().parse(pattern).ok()?;
    let mut parts = match hir.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        _ => std::slice::from_ref(&hir),
    };
    while let Some(rest) = parts.split_last().filter(|(last, _)| may_be_nothing(last)) {
        parts = rest.1;
    }
    while let Some(rest) = parts.split_first().filter(|(first, _)| may_be_nothing(first)) {
        parts = rest.1;
    }
    let mut word = Vec::new();
    for part in parts {
        match part.kind() {
            HirKind::Literal(text) if !text.0.iter().any(u8::is_ascii_alphabetic) => {
                word.extend_from_slice(&text.0);
            }
            HirKind::Class(Class::Bytes(class)) => {
                let [big, small] = class.ranges() else { return None };
                let is_letter = big.start() == big.end()
                    && small.start() == small.end()
                    && big.start().is_ascii_uppercase()
                    && big.start().to_ascii_lowercase() == small.start();
                word.push(is_letter.then(|| small.start())?);
            }
            _ => return None,
        }
    }
    (!word.is_empty()).then(|| word.into())
}

/// At either end, what may be nothing asks for nothing.
fn may_be_nothing(part: &Hir) -> bool {
    matches!(part.kind(), HirKind::Repetition(repetition) if repetition.min == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;

    #[test]
    fn a_word_is_found_as_its_pattern_finds_it() {
        for (pattern, expected) in [
            ("(?i)paramcounter_.*", Some("paramcounter_")),
            ("(?i)MULTIPART_HEADERS_*", Some("multipart_headers")),
            ("(?i)_pk_ref", Some("_pk_ref")),
            ("(?i).*-2", Some("-2")),
            ("(?i)^a", None),
            ("(?i)a|b", None),
            ("(?i)a[0-9]", None),
            ("(?i)a+", None),
            ("abc", None),
            ("(?i).*", None),
        ] {
            let word = word(pattern);
            assert_eq!(word.as_deref(), expected.map(str::as_bytes), "{pattern}");
            let regex = Pattern::parse(pattern.as_bytes()).unwrap().regex().unwrap();
            let names = NamePattern::new(&regex);
            for name in [
                "paramcounter_a",
                "xPARAMCOUNTER_",
                "a_PK_ref",
                "9-2",
                "multipart_header",
                "Multipart_Headers",
                "",
                "abc",
                "a0",
                "b",
            ] {
                let name = name.as_bytes();
                assert_eq!(names.is_match(name), regex.is_match(name), "{pattern} {name:?}");
            }
        }
    }
}
