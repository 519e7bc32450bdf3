//! `rx` with macros in its pattern: what they stand for is known only when a request is there.
//!
//! What macros stand for is part of the pattern, as it is in ModSecurity: rule sets put lists of
//! alternatives into `TX` for this. Each distinct text is compiled once and kept, a few at a time,
//! since the texts of a rule set are few; when a request's own bytes reach the pattern, a long or
//! broken one finds nothing.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::pattern::Pattern;

/// So many compiled texts are kept.
const KEPT_MAX: usize = 8;

/// Longer texts find nothing: compiling takes time in proportion.
const TEXT_BYTES_MAX: usize = 1024;

/// A pattern that is compiled when its macros are known. Clones share what they have compiled.
#[derive(Clone)]
pub struct MacroPattern {
    text: Box<[u8]>,
    kept: Arc<Mutex<Vec<Kept>>>,
}

/// A text, and its pattern when it is one. The last one used stands last.
struct Kept {
    text: Box<[u8]>,
    pattern: Option<Pattern>,
}

impl MacroPattern {
    pub(super) fn new(text: &[u8]) -> Self {
        Self { text: text.into(), kept: Arc::default() }
    }

    pub(super) fn macros(&self) -> &[u8] {
        &self.text
    }

    /// The pattern of the expanded text; nothing when it is broken or too long.
    pub(super) fn expanded(&self, text: &[u8]) -> Option<Pattern> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        // What a thread that panicked left behind is a list all the same.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().position(|kept| *kept.text == *text);
        let found = match known {
            Some(place) => kept.remove(place),
            None => Kept { text: text.into(), pattern: Pattern::parse(text).ok() },
        };
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        let pattern = found.pattern.clone();
        kept.push(found);
        pattern
    }
}

impl fmt::Debug for MacroPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacroPattern({})", self.text.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_compiled_once_and_few_are_kept() {
        let rx = MacroPattern::new(b"^%{tx.list}$");
        assert!(rx.expanded(b"^(?:a|b)$").is_some_and(|pattern| pattern.is_match(b"b")));
        assert!(rx.expanded(b"^(?:$").is_none());
        assert!(rx.expanded(&[b'a'; TEXT_BYTES_MAX + 1]).is_none());
        for number in 0..20 {
            let text = format!("^{number}$");
            let pattern = rx.expanded(text.as_bytes()).expect("a pattern");
            assert!(pattern.is_match(number.to_string().as_bytes()));
            assert!(rx.kept.lock().expect("no panic").len() <= KEPT_MAX);
        }
        let again = rx.expanded(b"^19$").expect("a pattern");
        assert_eq!(again.source(), b"^19$");
        assert_eq!(rx.kept.lock().expect("no panic").len(), KEPT_MAX);
    }
}
