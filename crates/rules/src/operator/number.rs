//! `eq`, `ge`, `gt`, `le` and `lt`.
//!
//! Both sides are read as C's `atoi` reads them: white space, a sign, digits, and whatever follows
//! is left; no digits are zero. Numbers beyond 64 bits stay at the end of their range, so that a
//! long length is never a small one.

use super::argument::Argument;

/// How the value is to stand to the argument.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Greater or equal.
    Ge,
    /// Greater.
    Gt,
    /// Less or equal.
    Le,
    /// Less.
    Lt,
}

/// A comparison with a number.
#[derive(Clone, Debug)]
pub struct NumberTest {
    comparison: Comparison,
    argument: Argument<i64>,
}

impl NumberTest {
    pub(super) fn new(comparison: Comparison, argument: &[u8]) -> Self {
        Self { comparison, argument: Argument::new(argument, atoi) }
    }

    /// How the value is to stand to the argument.
    #[must_use]
    pub fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// The number, unless macros make it.
    #[must_use]
    pub fn fixed(&self) -> Option<i64> {
        match self.argument {
            Argument::Fixed(number) => Some(number),
            Argument::Macro(_) => None,
        }
    }

    pub(super) fn macros(&self) -> Option<&[u8]> {
        self.argument.macros()
    }

    pub(super) fn matches(&self, value: &[u8], expanded: &[u8]) -> bool {
        let value = atoi(value);
        let bound = self.fixed().unwrap_or_else(|| atoi(expanded));
        match self.comparison {
            Comparison::Eq => value == bound,
            Comparison::Ge => value >= bound,
            Comparison::Gt => value > bound,
            Comparison::Le => value <= bound,
            Comparison::Lt => value < bound,
        }
    }
}

pub(crate) fn atoi(text: &[u8]) -> i64 {
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'\t'..=b'\r'));
    let text = start.and_then(|start| text.get(start..)).unwrap_or_default();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    digits.iter().take_while(|byte| byte.is_ascii_digit()).fold(0_i64, |number, byte| {
        let digit = i64::from(byte - b'0');
        let shifted = number.saturating_mul(10);
        if negative { shifted.saturating_sub(digit) } else { shifted.saturating_add(digit) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_stands_at_the_start() {
        for (text, expected) in [
            ("", 0),
            ("x", 0),
            ("5", 5),
            (" \t+7 apples", 7),
            ("-3.9", -3),
            ("--3", 0),
            ("0x10", 0),
            ("99999999999999999999", i64::MAX),
            ("-99999999999999999999", i64::MIN),
        ] {
            assert_eq!(atoi(text.as_bytes()), expected, "{text}");
        }
    }
}
