//! JSON (RFC 8259) as arguments whose names are the paths to them: `json.user.name`.
//!
//! One pass over the bytes with a stack of open objects and arrays, no tree and no recursion. The
//! path is one buffer that grows and shrinks; a name is copied from it when its value is read.
//!
//! Not a validator that stops at the first fault: servers differ in what they accept, so what a
//! lenient one would read (a trailing comma, a raw line break in a string, an unknown escape, a
//! second text after the first) is read and flagged, and only what leaves no sensible reading ends
//! the pass. Even then the string or word that broke off is kept. Duplicate keys all stay, numbers
//! keep their digits, `null` is empty, and an empty object or array is an empty value, so that no
//! key goes unseen.

mod text;

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::arguments::{Arguments, Span};
use super::limits::Limits;

/// A JSON body as its arguments.
#[derive(Clone, Debug)]
pub struct Json<'a> {
    /// Every scalar with its path, in document order.
    pub arguments: Arguments<'a>,
    /// The first fault: `REQBODY_ERROR_MSG`.
    pub fault: Option<JsonFault>,
    /// The body begins with the UTF-8 byte order mark, which not every server skips.
    pub has_byte_order_mark: bool,
    /// What was not read, because of a fault or a bound.
    pub unread: &'a [u8],
}

/// How the elements of an array are named.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ArrayNames {
    /// `json.items.0.sku`, and `json.items` is the number of elements, told after them.
    #[default]
    Coraza,
    /// `json.items.array_0.sku`.
    ModSecurity,
}

/// What is wrong with a JSON body.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum JsonFault {
    /// Longer than [`Limits::body_bytes_max`].
    #[error("JSON body longer than the limit")]
    TooLong,
    /// More than [`Limits::arguments_max`].
    #[error("more JSON values than the limit")]
    TooManyArguments,
    /// Deeper than [`Limits::json_depth_max`].
    #[error("JSON nested deeper than the limit")]
    TooDeep,
    /// The paths outweigh the body by more than [`Limits::json_names_factor`]. From there on a name
    /// is its last key alone.
    #[error("JSON names longer than the limit")]
    NamesTooLong,
    /// UTF-16 or UTF-32, which RFC 8259 no longer allows; nothing was read.
    #[error("JSON is not in UTF-8")]
    Encoding,
    /// It ends in the middle.
    #[error("JSON ends too early")]
    Truncated,
    /// A byte that begins nothing known, or a misspelt number or word.
    #[error("JSON is malformed")]
    Malformed,
    /// Something follows the first text.
    #[error("JSON is followed by more data")]
    TrailingData,
    /// A comma before a closing bracket.
    #[error("JSON has a trailing comma")]
    TrailingComma,
    /// A raw byte below 32 in a string.
    #[error("JSON string holds a control character")]
    ControlCharacter,
    /// A backslash and something that is no escape.
    #[error("JSON string holds an invalid escape")]
    InvalidEscape,
}

/// Reads a JSON body. An empty one has no arguments and no fault.
#[must_use]
pub fn parse<'a>(body: &'a [u8], array_names: ArrayNames, limits: &Limits) -> Json<'a> {
    let (raw, beyond) = limits.split(body);
    let has_byte_order_mark = raw.starts_with(b"\xef\xbb\xbf");
    let mut reader = Reader {
        raw,
        at: if has_byte_order_mark { 3 } else { 0 },
        limits,
        array_names,
        arguments: Arguments::of(raw),
        path: ROOT.to_vec(),
        open: Vec::with_capacity(8),
        name_bytes_left: limits.json_name_bytes_max(raw.len()),
        fault: (!beyond.is_empty()).then_some(JsonFault::TooLong),
    };
    if is_wide(raw) {
        reader.note(JsonFault::Encoding);
    } else if !raw.is_empty() {
        // What API bodies have: one value in about twenty bytes, names as long as the body.
        let entries = (raw.len() / 16 + 4).min(limits.arguments_max);
        reader.arguments.reserve(entries, raw.len().min(1 << 16));
        // None says that it stopped early; why, the fault says.
        let _ = reader.read();
    }
    Json {
        arguments: reader.arguments,
        fault: reader.fault,
        has_byte_order_mark,
        unread: body.get(reader.at..).unwrap_or_default(),
    }
}

/// What every name begins with, so that rules can tell these arguments from others.
const ROOT: &[u8] = b"json";

/// Is it UTF-16 or UTF-32? JSON begins with ASCII characters, of which wide ones hold a zero byte.
fn is_wide(raw: &[u8]) -> bool {
    match raw {
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => true,
        [first, second, ..] => *first == 0 || *second == 0,
        _ => false,
    }
}

struct Reader<'a, 'l> {
    raw: &'a [u8],
    at: usize,
    limits: &'l Limits,
    array_names: ArrayNames,
    arguments: Arguments<'a>,
    /// The path to what is being read.
    path: Vec<u8>,
    open: Vec<Open>,
    name_bytes_left: usize,
    fault: Option<JsonFault>,
}

/// An object or array that has begun and not ended.
struct Open {
    /// The length of its own path.
    path_bytes: usize,
    items: usize,
    is_object: bool,
    last: Last,
}

/// What was last read of an object or array.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Last {
    Bracket,
    Item,
    Comma,
}

impl<'a> Reader<'a, '_> {
    /// Reads to the end. None: it could not go on.
    fn read(&mut self) -> Option<()> {
        let mut has_text = false;
        loop {
            self.skip_space();
            let Some(byte) = self.peek() else {
                return self
                    .open
                    .is_empty()
                    .then_some(())
                    .or_else(|| self.stop(JsonFault::Truncated));
            };
            let Some(open) = self.open.last_mut() else {
                if has_text {
                    self.note(JsonFault::TrailingData);
                }
                has_text = true;
                self.path.truncate(ROOT.len());
                self.value(byte)?;
                continue;
            };
            match (byte, open.is_object, open.last) {
                (b'}', true, last) | (b']', false, last) => {
                    self.at += 1;
                    if last == Last::Comma {
                        self.note(JsonFault::TrailingComma);
                    }
                    self.close()?;
                }
                (b',', _, Last::Item) => {
                    open.last = Last::Comma;
                    self.at += 1;
                }
                (b'"', true, Last::Bracket | Last::Comma) => self.member()?,
                (_, false, Last::Bracket | Last::Comma) => self.element(byte)?,
                _ => return self.stop(JsonFault::Malformed),
            }
        }
    }

    /// A key, its colon and its value. A key without a value is kept with an empty one.
    fn member(&mut self) -> Option<()> {
        self.next_item();
        self.at += 1;
        let place = self.path.len();
        let key = text::read(self.raw, self.at, &mut self.path);
        if let Some(end) = key.plain_end {
            self.path.truncate(place);
            self.path.extend_from_slice(self.raw.get(self.at..end).unwrap_or_default());
        }
        self.at = key.after;
        if let Some(fault) = key.fault {
            self.note(fault);
        }
        self.skip_space();
        if key.is_closed && self.peek() == Some(b':') {
            self.at += 1;
            self.skip_space();
            if let Some(byte) = self.peek() {
                return self.value(byte);
            }
        }
        self.leaf(Span::default())?;
        self.stop(if self.peek().is_none() { JsonFault::Truncated } else { JsonFault::Malformed })
    }

    fn element(&mut self, byte: u8) -> Option<()> {
        let index = self.next_item();
        if self.array_names == ArrayNames::ModSecurity {
            self.path.extend_from_slice(b"array_");
        }
        push_decimal(index, &mut self.path);
        self.value(byte)
    }

    /// Brings the path to the open object or array and a dot; the number of items before.
    fn next_item(&mut self) -> usize {
        let Some(open) = self.open.last_mut() else {
            return 0;
        };
        open.last = Last::Item;
        open.items += 1;
        self.path.truncate(open.path_bytes);
        self.path.push(b'.');
        open.items - 1
    }

    /// A scalar is read whole; an object or array is opened.
    fn value(&mut self, byte: u8) -> Option<()> {
        match byte {
            b'{' | b'[' => {
                if self.open.len() >= self.limits.json_depth_max {
                    self.leaf(Span::default())?;
                    return self.stop(JsonFault::TooDeep);
                }
                if self.name_bytes_left == 0 {
                    // Names no longer hold the keys above them, so this one is told here.
                    self.leaf(Span::default())?;
                }
                self.at += 1;
                self.open.push(Open {
                    path_bytes: self.path.len(),
                    items: 0,
                    is_object: byte == b'{',
                    last: Last::Bracket,
                });
                Some(())
            }
            b'"' => self.string(),
            _ => self.word(),
        }
    }

    fn string(&mut self) -> Option<()> {
        let start = self.at + 1;
        let place = self.arguments.buffer().len();
        let string = text::read(self.raw, start, self.arguments.buffer());
        self.at = string.after;
        if let Some(fault) = string.fault {
            self.note(fault);
        }
        self.leaf(match string.plain_end {
            Some(end) => Arguments::raw_span(start, end),
            None => self.arguments.written_since(place),
        })?;
        if string.is_closed { Some(()) } else { self.stop(JsonFault::Truncated) }
    }

    /// A number, `true`, `false` or `null`; or what stands in the place of one.
    fn word(&mut self) -> Option<()> {
        let rest = self.raw.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| ends_word(*byte)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        if word.is_empty() {
            return self.stop(JsonFault::Malformed);
        }
        let start = self.at;
        self.at += length;
        let is_null = word == b"null";
        self.leaf(if is_null { Span::default() } else { Arguments::raw_span(start, self.at) })?;
        if is_null || text::is_number(word) || matches!(word, b"true" | b"false") {
            return Some(());
        }
        self.stop(if length == rest.len() { JsonFault::Truncated } else { JsonFault::Malformed })
    }

    /// The end of the innermost object or array.
    fn close(&mut self) -> Option<()> {
        let open = self.open.pop()?;
        self.path.truncate(open.path_bytes);
        if open.items == 0 {
            return if self.open.is_empty() { Some(()) } else { self.leaf(Span::default()) };
        }
        if open.is_object || self.array_names == ArrayNames::ModSecurity {
            return Some(());
        }
        let place = self.arguments.buffer().len();
        push_decimal(open.items, self.arguments.buffer());
        let count = self.arguments.written_since(place);
        self.leaf(count)
    }

    /// An argument at the current path.
    fn leaf(&mut self, value: Span) -> Option<()> {
        if self.arguments.len() >= self.limits.arguments_max {
            return self.stop(JsonFault::TooManyArguments);
        }
        let mut name: &[u8] = &self.path;
        if name.len() <= self.name_bytes_left {
            self.name_bytes_left -= name.len();
        } else {
            // A key is as long as it was sent, so names as a whole stay linear.
            self.name_bytes_left = 0;
            let key = self.open.last().map_or(0, |open| open.path_bytes + 1);
            name = self.path.get(key..).unwrap_or_default();
            self.fault.get_or_insert(JsonFault::NamesTooLong);
        }
        let written = self.arguments.buffer();
        let place = written.len();
        written.extend_from_slice(name);
        let name = self.arguments.written_since(place);
        self.arguments.push(name, value);
        Some(())
    }

    /// Notes a fault after which the rest cannot be read.
    fn stop(&mut self, fault: JsonFault) -> Option<()> {
        self.note(fault);
        None
    }

    fn note(&mut self, fault: JsonFault) {
        self.fault.get_or_insert(fault);
    }

    fn peek(&self) -> Option<u8> {
        self.raw.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }
}

const fn ends_word(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | b':' | b'"' | b'{' | b'[')
}

fn push_decimal(mut number: usize, out: &mut Vec<u8>) {
    let start = out.len();
    loop {
        // The remainder is below ten.
        out.push(b'0' + u8::try_from(number % 10).unwrap_or_default());
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}
