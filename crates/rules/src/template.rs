//! Text with macros: `%{tx.score}` stands for the value of a variable at the time it is expanded.
//!
//! A template is taken apart when its rule is loaded, so that a request only joins the pieces.

use crate::variable::Variable;

/// Text with macros, taken apart.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Template {
    /// In order. Two texts never stand side by side.
    pub pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// As it stands.
    Text(Box<[u8]>),
    /// The value of a variable; nothing when it is absent.
    Macro(Macro),
}

/// A macro: a variable, and which of its values.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Macro {
    /// What is named before the dot.
    pub variable: Variable,
    /// What is named behind it, for collections, in small ASCII letters unless the collection
    /// tells them apart.
    pub key: Option<Box<[u8]>>,
    /// For `TX`, the place that the set gave this name; see [`crate::rule_set::TxNames`].
    pub slot: Option<u16>,
}

/// The name in the macro that a text begins with, and what follows it: a letter, then letters,
/// digits and what selectors have. So `%{}`, `%{3}` (of a pattern) and `%{a b}` are none.
pub(crate) fn macro_at(text: &[u8]) -> Option<(&str, &[u8])> {
    let inner = text.strip_prefix(b"%{")?;
    let end = inner.iter().position(|byte| !is_of_name(*byte))?;
    let (name, after) = inner.split_at_checked(end)?;
    name.first().filter(|first| first.is_ascii_alphabetic())?;
    Some((std::str::from_utf8(name).ok()?, after.strip_prefix(b"}")?))
}

/// Does the text hold a macro?
pub(crate) fn holds_macro(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b"%{")
        .any(|at| text.get(at..).is_some_and(|rest| macro_at(rest).is_some()))
}

/// May a variable's name or its selector have this byte?
const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-' | b'/' | b'*')
}

impl Template {
    /// A template without macros.
    #[must_use]
    pub fn text(text: &[u8]) -> Self {
        Self { pieces: vec![Piece::Text(text.into())] }
    }

    /// Its text without its macros.
    #[must_use]
    pub fn plain(&self) -> Vec<u8> {
        let texts = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(&**text),
            Piece::Macro(_) => None,
        });
        texts.collect::<Vec<_>>().concat()
    }

    /// Its text when it has no macros.
    #[must_use]
    pub fn fixed(&self) -> Option<&[u8]> {
        match self.pieces.as_slice() {
            [] => Some(b""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_named_macro_makes_an_argument_change() {
        for text in ["%{tx.allowed_methods}", "a %{} %{REQUEST_HEADERS:X-Api.Key} b"] {
            assert!(holds_macro(text.as_bytes()), "{text}");
        }
        for text in ["", "%{", "%{}", "%{tx.a", "%{a b}", "100% {x}", "$%{${x}", "%{3}"] {
            assert!(!holds_macro(text.as_bytes()), "{text}");
        }
    }
}
