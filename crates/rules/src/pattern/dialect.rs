//! From the syntax of PCRE (bytes, no UTF) to that of the crate `regex`.
//!
//! One pass over the pattern that copies what both understand alike and writes the rest anew:
//! literals that the other side would take for syntax, escapes, classes, the `{` that repeats
//! nothing. What has no equal there is an error. Differences that remain, and why they are sound:
//!
//! - Possessive repetition and atomic groups become ordinary ones: all they do is forbid some
//!   matches, so a rule finds at least what it found.
//! - `\Z` takes the line feed before the end along, which shows only in what is captured.
//!
//! Invariant: the number of capturing groups and their order stay as they are.

mod class;
mod condition;
mod escape;

pub(super) use condition::{Condition, Direction, Reference};

use super::error::PatternError;

/// A pattern in the other syntax.
#[derive(Debug)]
pub(super) struct Rewritten {
    /// With an empty group named `_0`, `_1`, … where a condition is to be met.
    pub(super) text: String,
    /// The conditions in the order of their names; most patterns have none.
    pub(super) conditions: Vec<Condition>,
}

/// The pattern in the other syntax.
pub(super) fn rewrite(text: &[u8]) -> Result<Rewritten, PatternError> {
    let mut writer = Writer::new(text, Flags::default());
    writer.run()?;
    Ok(Rewritten { text: writer.out, conditions: writer.conditions })
}

/// What `(?i)` and its kin have set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Flags {
    ignores_case: bool,
    is_multi_line: bool,
    dot_is_any: bool,
    /// Are white space and comments left out (`(?x)`)?
    is_extended: bool,
}

impl Default for Flags {
    fn default() -> Self {
        Self { ignores_case: false, is_multi_line: false, dot_is_any: true, is_extended: false }
    }
}

impl Flags {
    /// As they are written behind `(?`, each one said.
    fn written(self) -> String {
        let named = [('i', self.ignores_case), ('m', self.is_multi_line), ('s', self.dot_is_any)];
        let of = |on| named.iter().filter(move |(_, is_on)| *is_on == on).map(|(name, _)| *name);
        let set = of(true).collect::<String>();
        let unset = of(false).collect::<String>();
        if unset.is_empty() { set } else { format!("{set}-{unset}") }
    }
}

struct Writer<'a> {
    rest: &'a [u8],
    out: String,
    flags: Flags,
    /// Of each open group, the flags around it.
    outer: Vec<Flags>,
    /// Is there something before that can be repeated?
    is_repeatable: bool,
    /// How many capturing groups were opened.
    groups: usize,
    conditions: Vec<Condition>,
}

impl<'a> Writer<'a> {
    fn new(text: &'a [u8], flags: Flags) -> Self {
        Self {
            rest: text,
            out: String::with_capacity(text.len() + 16),
            flags,
            outer: Vec::new(),
            is_repeatable: false,
            groups: 0,
            conditions: Vec::new(),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// The bytes before the next `end`, which is passed, too.
    fn until(&mut self, end: u8) -> Option<&'a [u8]> {
        let at = self.rest.iter().position(|byte| *byte == end)?;
        let (inner, _) = self.rest.split_at_checked(at)?;
        self.skip(at + 1);
        Some(inner)
    }

    fn run(&mut self) -> Result<(), PatternError> {
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.escape()?,
                b'[' => self.class()?,
                b'(' => self.open()?,
                b')' => self.close()?,
                b'|' => {
                    self.out.push('|');
                    self.skip(1);
                    self.is_repeatable = false;
                }
                b'*' | b'+' | b'?' => self.repeat(1)?,
                b'{' => match repetition(self.rest) {
                    Some(bytes) => self.repeat(bytes)?,
                    None => self.plain(byte),
                },
                b'^' | b'$' => {
                    self.out.push(char::from(byte));
                    self.skip(1);
                    self.is_repeatable = true;
                }
                b'.' => {
                    self.out.push('.');
                    self.skip(1);
                    self.is_repeatable = true;
                }
                b' ' | b'\t'..=b'\r' if self.flags.is_extended => self.skip(1),
                b'#' if self.flags.is_extended => {
                    if self.until(b'\n').is_none() {
                        self.rest = b"";
                    }
                }
                _ => self.plain(byte),
            }
        }
        if self.outer.is_empty() { Ok(()) } else { Err(PatternError::new("a group is not closed")) }
    }

    fn plain(&mut self, byte: u8) {
        literal(&mut self.out, byte);
        self.skip(1);
        self.is_repeatable = true;
    }

    /// Writes something that stands for one byte or place.
    fn item(&mut self, text: &str) {
        self.out.push_str(text);
        self.is_repeatable = true;
    }

    /// A repetition of so many bytes, and the `?` or `+` behind it.
    fn repeat(&mut self, bytes: usize) -> Result<(), PatternError> {
        if !self.is_repeatable {
            return Err(PatternError::new("a repetition has nothing to repeat"));
        }
        let (count, _) = self.rest.split_at_checked(bytes).unwrap_or_default();
        self.out.extend(count.iter().map(|byte| char::from(*byte)));
        self.skip(bytes);
        match self.peek() {
            Some(b'?') => {
                self.out.push('?');
                self.skip(1);
            }
            Some(b'+') => self.skip(1),
            _ => {}
        }
        self.is_repeatable = false;
        Ok(())
    }

    fn open(&mut self) -> Result<(), PatternError> {
        self.is_repeatable = false;
        let inner = self.rest.get(1..).unwrap_or_default();
        if inner.starts_with(b"*") {
            return Err(PatternError::new("verbs such as (*ACCEPT) are not supported"));
        }
        let Some(kind) = inner.strip_prefix(b"?") else {
            self.skip(1);
            self.open_capturing();
            return Ok(());
        };
        self.skip(2);
        match kind {
            [b'#', ..] => match self.until(b')') {
                Some(_) => Ok(()),
                None => Err(PatternError::new("a comment is not closed")),
            },
            [b':' | b'>', ..] => {
                self.outer.push(self.flags);
                self.out.push_str("(?:");
                self.skip(1);
                Ok(())
            }
            [b'=' | b'!', ..] | [b'<', b'=' | b'!', ..] => self.look_around(),
            [b'<', ..] => self.named(1, b'>'),
            [b'\'', ..] => self.named(1, b'\''),
            [b'P', b'<', ..] => self.named(2, b'>'),
            [b'i' | b'm' | b's' | b'x' | b'-', ..] => self.flags(),
            _ => {
                let shown = kind.split_at_checked(2).map_or(kind, |(shown, _)| shown);
                let shown = shown.escape_ascii();
                Err(PatternError::new(format!("groups like (?{shown} are not supported")))
            }
        }
    }

    /// A group with a name, which counts as any other; nothing asks for it by name.
    fn named(&mut self, bytes: usize, end: u8) -> Result<(), PatternError> {
        self.skip(bytes);
        let name = self.until(end).unwrap_or_default();
        if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        {
            return Err(PatternError::new("a group's name is malformed"));
        }
        self.open_capturing();
        Ok(())
    }

    fn open_capturing(&mut self) {
        self.groups += 1;
        self.outer.push(self.flags);
        self.out.push('(');
    }

    /// `(?i)`, `(?i-s:…)`: copied but for `x`, which is carried out here.
    fn flags(&mut self) -> Result<(), PatternError> {
        let mut on = true;
        let mut flags = self.flags;
        let mut copied = String::from("(?");
        loop {
            let flag = self.peek();
            self.skip(1);
            match flag {
                Some(b'-') if on => on = false,
                Some(b'i') => flags.ignores_case = on,
                Some(b'm') => flags.is_multi_line = on,
                Some(b's') => flags.dot_is_any = on,
                Some(b'x') => flags.is_extended = on,
                Some(b')') => {
                    copied.push_str(&flags.written());
                    copied.push(')');
                    break;
                }
                Some(b':') => {
                    self.outer.push(self.flags);
                    copied.push_str(&flags.written());
                    copied.push(':');
                    break;
                }
                _ => return Err(PatternError::new("only the flags i, m, s and x are supported")),
            }
        }
        self.flags = flags;
        self.out.push_str(&copied);
        Ok(())
    }

    fn close(&mut self) -> Result<(), PatternError> {
        let Some(outer) = self.outer.pop() else {
            return Err(PatternError::new("a group is closed that was not opened"));
        };
        self.flags = outer;
        self.out.push(')');
        self.skip(1);
        self.is_repeatable = true;
        Ok(())
    }
}

/// How many bytes `{3}`, `{3,}` or `{3,5}` at the start take; any other `{` is a literal.
fn repetition(text: &[u8]) -> Option<usize> {
    let end = text.iter().position(|byte| *byte == b'}')?;
    let inner = text.get(1..end)?;
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let mut bounds = inner.splitn(2, |byte| *byte == b',');
    let least = bounds.next()?;
    let most = bounds.next();
    let is_count = is_number(least) && most.is_none_or(|most| most.is_empty() || is_number(most));
    is_count.then_some(end + 1)
}

/// Writes a byte so that it stands for itself, outside classes and in them.
fn literal(out: &mut String, byte: u8) {
    match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' => out.push(char::from(byte)),
        b' ' | b'!' | b'"' | b'%' | b'\'' | b',' | b'/' | b':' | b';' | b'<' | b'=' | b'>'
        | b'@' | b'`' => out.push(char::from(byte)),
        b'#'..=b'~' => {
            out.push('\\');
            out.push(char::from(byte));
        }
        _ => out.push_str(&format!("\\x{byte:02x}")),
    }
}

#[cfg(test)]
mod tests;
