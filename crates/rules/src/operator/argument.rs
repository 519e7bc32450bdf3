//! An operator's argument: prepared at load, or with macros that each request expands anew.

use crate::template::holds_macro;

/// An argument in the form its operator works with, or the text from which a request makes it.
#[derive(Clone, Debug)]
pub enum Argument<T> {
    /// Without macros, prepared.
    Fixed(T),
    /// With macros: the text as the rule has it.
    Macro(Box<[u8]>),
}

impl<T> Argument<T> {
    /// The argument `text`, prepared unless it holds a macro.
    pub(super) fn new(text: &[u8], prepare: impl FnOnce(&[u8]) -> T) -> Self {
        if holds_macro(text) { Self::Macro(text.into()) } else { Self::Fixed(prepare(text)) }
    }

    /// The text with its macros, if it has any.
    pub(super) fn macros(&self) -> Option<&[u8]> {
        match self {
            Self::Fixed(_) => None,
            Self::Macro(text) => Some(text),
        }
    }
}
