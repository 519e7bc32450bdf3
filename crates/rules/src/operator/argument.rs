//! An operator's argument: prepared at load, or with macros that each request expands anew.

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

/// Is there a `%{` with a name and a `}` behind it?
fn holds_macro(text: &[u8]) -> bool {
    text.windows(2).enumerate().filter(|(_, pair)| pair == b"%{").any(|(at, _)| {
        let rest = text.get(at + 2..).unwrap_or_default();
        let end = rest.iter().position(|byte| !is_of_name(*byte));
        end.is_some_and(|end| end > 0 && rest.get(end) == Some(&b'}'))
    })
}

/// May a variable's name or its selector have this byte?
const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-' | b'/' | b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_named_macro_makes_an_argument_change() {
        for text in ["%{tx.allowed_methods}", "a %{} %{REQUEST_HEADERS:X-Api.Key} b"] {
            assert!(holds_macro(text.as_bytes()), "{text}");
        }
        for text in ["", "%{", "%{}", "%{tx.a", "%{a b}", "100% {x}", "$%{${x}"] {
            assert!(!holds_macro(text.as_bytes()), "{text}");
        }
    }
}
