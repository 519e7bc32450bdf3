//! What the other syntax cannot say: looking around, and references to a group.
//!
//! Each leaves an empty named group in the pattern; [`crate::pattern::machine`] meets the condition
//! when it comes by there.

use super::{Flags, Writer};
use crate::pattern::error::PatternError;

/// Something that must hold at a place within a match.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::pattern) enum Condition {
    /// `(?=…)`, `(?!…)`, `(?<=…)` and `(?<!…)`: the pattern, in the other syntax, matches (or does
    /// not match) from here on, or up to here.
    Around { text: String, direction: Direction, is_negated: bool },
    /// `\1`: what group 1 captured stands here, and is part of the match.
    Same(Reference),
    /// `(?=\1)` and `(?!\b\1\b)`: what group 1 captured stands here (or does not), at the ends of
    /// words where `\b` says so, and is no part of the match.
    Ahead { of: Reference, begins_word: bool, ends_word: bool, is_negated: bool },
}

/// To a group of the pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::pattern) struct Reference {
    pub(in crate::pattern) group: usize,
    pub(in crate::pattern) ignores_case: bool,
}

/// Where a condition looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::pattern) enum Direction {
    Ahead,
    Behind,
}

/// A pattern may have so many.
const CONDITIONS_MAX: usize = 16;

impl Writer<'_> {
    /// A group that looks around; its `(?` is passed already.
    pub(super) fn look_around(&mut self) -> Result<(), PatternError> {
        let direction =
            if self.peek() == Some(b'<') { Direction::Behind } else { Direction::Ahead };
        self.skip(usize::from(direction == Direction::Behind));
        let is_negated = self.peek() == Some(b'!');
        self.skip(1);
        let Some(end) = group_end(self.rest) else {
            return Err(PatternError::new("a group is not closed"));
        };
        let (inner, _) = self.rest.split_at_checked(end).unwrap_or_default();
        self.skip(end + 1);
        let condition = match (reference(inner), direction) {
            (Some((group, begins_word, ends_word)), Direction::Ahead) => {
                self.check_group(group)?;
                let of = Reference { group, ignores_case: self.flags.ignores_case };
                Condition::Ahead { of, begins_word, ends_word, is_negated }
            }
            _ => Condition::Around { text: inside(inner, self.flags)?, direction, is_negated },
        };
        self.condition(condition)
    }

    /// `\1` to `\9`.
    pub(super) fn reference(&mut self, digit: u8) -> Result<(), PatternError> {
        let group = usize::from(digit - b'0');
        self.check_group(group)?;
        let of = Reference { group, ignores_case: self.flags.ignores_case };
        self.condition(Condition::Same(of))
    }

    fn check_group(&self, group: usize) -> Result<(), PatternError> {
        if group > self.groups {
            return Err(PatternError::new("a reference to a group that is not there yet"));
        }
        Ok(())
    }

    fn condition(&mut self, condition: Condition) -> Result<(), PatternError> {
        let place = self.conditions.len();
        if place >= CONDITIONS_MAX {
            let text = format!("it looks around more than {CONDITIONS_MAX} times");
            return Err(PatternError::new(text));
        }
        self.out.push_str(&format!("(?P<_{place}>)"));
        self.conditions.push(condition);
        self.is_repeatable = false;
        Ok(())
    }
}

/// Where the group ends whose inside the text begins with.
fn group_end(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'\\' => at += 1,
            b'[' => at = class_end(text, at)?,
            b'(' => depth += 1,
            b')' if depth == 0 => return Some(at),
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

/// Where the class ends that begins at `at`.
fn class_end(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    if text.get(at) == Some(&b'^') {
        at += 1;
    }
    if text.get(at) == Some(&b']') {
        at += 1;
    }
    loop {
        match text.get(at)? {
            b'\\' => at += 1,
            b']' => return Some(at),
            b'[' if text.get(at + 1) == Some(&b':') => {
                let rest = text.get(at..)?;
                let end = rest.windows(2).position(|pair| pair == b":]");
                at += end.map_or(0, |end| end + 1);
            }
            _ => {}
        }
        at += 1;
    }
}

/// The group of `\1`, and whether a `\b` stands before and behind it, when that is all.
fn reference(text: &[u8]) -> Option<(usize, bool, bool)> {
    let (begins, text) = match text.strip_prefix(br"\b") {
        Some(text) => (true, text),
        None => (false, text),
    };
    match text {
        [b'\\', digit @ b'1'..=b'9'] => Some((usize::from(digit - b'0'), begins, false)),
        [b'\\', digit @ b'1'..=b'9', b'\\', b'b'] => {
            Some((usize::from(digit - b'0'), begins, true))
        }
        _ => None,
    }
}

/// The inside of a group that looks around, in the other syntax.
fn inside(text: &[u8], flags: Flags) -> Result<String, PatternError> {
    let mut writer = Writer::new(text, flags);
    writer.run()?;
    if writer.groups > 0 || !writer.conditions.is_empty() {
        let text = "where a pattern looks around it can neither capture nor look around again";
        return Err(PatternError::new(text));
    }
    Ok(format!("(?{}:{})", flags.written(), writer.out))
}
