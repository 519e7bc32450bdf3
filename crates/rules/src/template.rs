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

impl Template {
    /// A template without macros.
    #[must_use]
    pub fn text(text: &[u8]) -> Self {
        Self { pieces: vec![Piece::Text(text.into())] }
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
