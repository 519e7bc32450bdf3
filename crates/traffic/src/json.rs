//! JSON into fields (RFC 8259), in one pass over the bytes and without recursion.
//!
//! Not a validator: what does not parse is marked as broken, what was read before it is kept, and
//! duplicate keys all stay. Depth and number of fields are bounded; strings without escapes are
//! copied as they stand.

use crate::fields::{Fields, Sort};

/// Deeper nesting is not followed.
pub const DEPTH_MAX: usize = 64;

/// Adds the fields of the JSON text `raw` to `fields`.
pub fn read(raw: &[u8], fields: &mut Fields) {
    read_up_to(raw, fields, usize::MAX);
}

/// Adds the first `most` fields of the JSON text `raw` to `fields`, which keep the text should the
/// others be wanted, too: [`Fields::read_rest`].
pub fn read_up_to(raw: &[u8], fields: &mut Fields, most: usize) {
    let before = fields.len();
    // About one field in sixteen bytes: what API bodies have on average.
    fields.reserve(raw.len(), most.min(raw.len() / 16 + 4));
    // Copied once as a whole; fields point into the copy, and only escaped strings are written
    // anew.
    let (base, end) = fields.write(raw);
    let stop = before.saturating_add(most);
    let open = Vec::with_capacity(8);
    let mut reader = Reader { raw, at: 0, base, fields, open, stop, stopped: false };
    if reader.read().is_some() {
        return;
    }
    if reader.stopped {
        reader.fields.put_off(before, (base, end));
    } else {
        reader.fields.anomalies_mut().broken = true;
    }
}

struct Reader<'a, 'f> {
    raw: &'a [u8],
    at: usize,
    /// Where the copy of `raw` begins in the fields' text.
    base: u32,
    fields: &'f mut Fields,
    open: Vec<Open>,
    /// No more fields than this.
    stop: usize,
    stopped: bool,
}

/// An object or array that has begun and not ended.
#[derive(Clone, Copy)]
struct Open {
    index: u32,
    is_object: bool,
}

impl Reader<'_, '_> {
    /// Reads one JSON text to its end. None: it is broken, or a bound was hit.
    fn read(&mut self) -> Option<()> {
        self.skip_space();
        let mut name = (0, 0);
        loop {
            if self.value(name)? {
                let opened = self.open.last()?.is_object;
                self.skip_space();
                if self.peek()? != closing(opened) {
                    name = self.name_in(opened)?;
                    continue;
                }
            }
            // Behind a value: the ends of what it was the last of, and a comma before the next.
            loop {
                let Some(open) = self.open.last() else {
                    self.skip_space();
                    return (self.at == self.raw.len()).then_some(());
                };
                let is_object = open.is_object;
                self.skip_space();
                let byte = self.peek()?;
                self.at += 1;
                if byte == b',' {
                    self.skip_space();
                    name = self.name_in(is_object)?;
                    break;
                }
                (byte == closing(is_object)).then_some(())?;
                self.open.pop();
            }
        }
    }

    /// The name of an object's next member; elements of arrays have none.
    fn name_in(&mut self, is_object: bool) -> Option<(u32, u32)> {
        if !is_object {
            return Some((0, 0));
        }
        let name = self.string()?;
        self.skip_space();
        (self.peek()? == b':').then_some(())?;
        self.at += 1;
        self.skip_space();
        Some(name)
    }

    /// One value: a scalar is read whole, an object or array is opened (true).
    fn value(&mut self, name: (u32, u32)) -> Option<bool> {
        if self.fields.len() >= self.stop {
            self.stopped = true;
            return None;
        }
        if self.fields.is_full() {
            return None;
        }
        let parent = self.open.last().map_or(Fields::top(), |open| open.index);
        let byte = self.peek()?;
        let (value, sort) = match byte {
            b'"' => (self.string()?, Sort::String),
            b'{' | b'[' => {
                if self.open.len() >= DEPTH_MAX {
                    self.fields.anomalies_mut().too_deep = true;
                    self.skip_nested()?;
                    return Some(false);
                }
                self.at += 1;
                let is_object = byte == b'{';
                let sort = if is_object { Sort::Object } else { Sort::Array };
                let index = self.fields.push_json(parent, name, (0, 0), sort);
                self.open.push(Open { index, is_object });
                return Some(true);
            }
            first => self.word(first)?,
        };
        self.fields.push_json(parent, name, value, sort);
        Some(false)
    }

    /// Passes over an object or array and all that it holds.
    fn skip_nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            let rest = self.raw.get(self.at..)?;
            let ahead =
                rest.iter().position(|it| matches!(it, b'{' | b'[' | b'}' | b']' | b'"'))?;
            let byte = *rest.get(ahead)?;
            self.at += ahead;
            if byte == b'"' {
                self.skip_string()?;
                continue;
            }
            self.at += 1;
            depth = if matches!(byte, b'{' | b'[') { depth + 1 } else { depth.saturating_sub(1) };
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn skip_string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            let rest = self.raw.get(self.at..)?;
            let ahead = memchr::memchr2(b'"', b'\\', rest)?;
            let is_end = rest.get(ahead) == Some(&b'"');
            self.at += ahead + if is_end { 1 } else { 2 };
            if is_end {
                return Some(());
            }
        }
    }

    /// A string with its quotes: its place in the fields' text.
    fn string(&mut self) -> Option<(u32, u32)> {
        (self.peek()? == b'"').then_some(())?;
        let start = self.at + 1;
        let end = start + string_length(self.raw.get(start..)?)?;
        if self.raw.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Some(self.place(start, end));
        }
        self.at = start;
        self.escaped_string()
    }

    fn escaped_string(&mut self) -> Option<(u32, u32)> {
        let start = self.fields.text_len();
        loop {
            let rest = self.raw.get(self.at..)?;
            let length = memchr::memchr2(b'"', b'\\', rest)?;
            self.fields.write(rest.get(..length)?);
            let is_end = rest.get(length) == Some(&b'"');
            self.at += length + 1;
            if is_end {
                return Some((
                    u32::try_from(start).ok()?,
                    u32::try_from(self.fields.text_len()).ok()?,
                ));
            }
            self.escape()?;
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Option<()> {
        let byte = self.peek()?;
        self.at += 1;
        let plain = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let character = self.unicode()?;
                let mut buffer = [0; 4];
                self.fields.write(character.encode_utf8(&mut buffer).as_bytes());
                return Some(());
            }
            _ => return None,
        };
        self.fields.write(&[plain]);
        Some(())
    }

    /// `XXXX`, or a surrogate pair; a lone surrogate becomes U+FFFD.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.at;
        if self.raw.get(self.at..self.at + 2) == Some(b"\\u") {
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
            self.at = before;
        }
        Some(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.raw.get(self.at..self.at + 4)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let value = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        self.at += 4;
        Some(value)
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self, first: u8) -> Option<((u32, u32), Sort)> {
        let rest = self.raw.get(self.at..)?;
        let (length, sort) = match first {
            b'-' | b'0'..=b'9' => {
                let is_number = |byte: &u8| {
                    byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')
                };
                (rest.iter().take_while(|byte| is_number(byte)).count(), Sort::Number)
            }
            b't' if rest.starts_with(b"true") => (4, Sort::Bool),
            b'f' if rest.starts_with(b"false") => (5, Sort::Bool),
            b'n' if rest.starts_with(b"null") => (4, Sort::Null),
            _ => return None,
        };
        let ends = matches!(
            rest.get(length),
            None | Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
        );
        let start = self.at;
        self.at += length;
        ends.then(|| (self.place(start, start + length), sort))
    }

    /// Where `start..end` of the raw text stands in the fields' text.
    fn place(&self, start: usize, end: usize) -> (u32, u32) {
        let at = |place: usize| self.base.saturating_add(u32::try_from(place).unwrap_or(u32::MAX));
        (at(start), at(end))
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

/// What ends an object or an array.
const fn closing(is_object: bool) -> u8 {
    if is_object { b'}' } else { b']' }
}

/// How many bytes stand before the first quote or backslash.
///
/// Names and values are short: eight bytes are looked at in one step, which costs less than the
/// start of a wide search. Only what is left of a long string is searched the wide way.
fn string_length(rest: &[u8]) -> Option<usize> {
    const STEPS: usize = 4;
    let mut at = 0;
    while at < STEPS * 8 {
        let Some(eight) = rest.get(at..at + 8).and_then(|eight| eight.try_into().ok()) else {
            break;
        };
        let word = u64::from_le_bytes(eight);
        let found = zero_bytes(word ^ QUOTES) | zero_bytes(word ^ BACKSLASHES);
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    Some(at + memchr::memchr2(b'"', b'\\', rest.get(at..)?)?)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const QUOTES: u64 = ONES * b'"' as u64;
const BACKSLASHES: u64 = ONES * b'\\' as u64;

/// The high bit of the lowest zero byte of `word`; bytes above that one may be marked wrongly.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(text: &str) -> Fields {
        let mut fields = Fields::default();
        read(text.as_bytes(), &mut fields);
        fields
    }

    fn leaves(text: &str) -> Vec<String> {
        fields(text).leaves().map(|field| format!("{}={}", field.path(), field.value())).collect()
    }

    #[test]
    fn nested_values_have_paths() {
        assert_eq!(
            leaves(r#" {"a":1,"b":{"c":[true,null,"x"],"d":{}},"a":2} "#),
            ["a=1", "b.c.*=true", "b.c.*=null", "b.c.*=x", "a=2"]
        );
        assert_eq!(leaves("[1,[2,3]]"), ["*=1", "*.*=2", "*.*=3"]);
        assert_eq!(leaves("\"x\""), ["=x"]);
    }

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(leaves(r#"{"k\n":"\u00e9\ud83d\ude00\"\/"}"#), ["k\n=é😀\"/"]);
        assert_eq!(leaves(r#"["\ud800x"]"#), ["*=\u{fffd}x"]);
    }

    #[test]
    fn what_comes_before_a_fault_is_kept() {
        for broken in [
            r#"{"a":1,"#,
            r#"{"a":1,}"#,
            r#"{"a":1 "b":2}"#,
            r#"{"a":1}x"#,
            r#"{"a":1,"b":"#,
            r#"{"a":1]"#,
        ] {
            assert!(fields(broken).anomalies().broken, "{broken}");
            assert_eq!(leaves(broken).first().map(String::as_str), Some("a=1"), "{broken}");
        }
        assert!(fields("").anomalies().broken);
        assert!(fields("{a:1}").anomalies().broken);
    }

    #[test]
    fn what_was_put_off_is_as_if_it_had_been_read_at_once() {
        let text = r#"{"a":1,"b":[{"c":"\u00e9"},{"c":2}],"d":null}"#;
        for most in 0..10 {
            let mut some = Fields::default();
            some.read_pairs(b"q=1", crate::Location::Query);
            let mut all = some.clone();
            read_up_to(text.as_bytes(), &mut some, most);
            assert_eq!(some.has_rest(), most < 8, "{most}");
            assert_eq!(some.len(), 1 + most.min(8));
            assert!(!some.anomalies().broken);
            some.read_rest();
            assert!(!some.has_rest());
            read(text.as_bytes(), &mut all);
            let listed = |fields: &Fields| -> Vec<String> {
                fields.iter().map(|field| format!("{}={}", field.path(), field.value())).collect()
            };
            assert_eq!(listed(&some), listed(&all), "{most}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(100_000);
        let read = fields(&deep);
        assert!(read.anomalies().too_deep);
        assert_eq!(read.len(), DEPTH_MAX);
        // What stands beside it is read all the same.
        let nested = format!("{}\"]\\\"\"{}", "[".repeat(200), "]".repeat(200));
        let text = format!(r#"{{"a":1,"b":{nested},"c":2}}"#);
        let read = fields(&text);
        assert!(read.anomalies().too_deep && !read.anomalies().broken);
        assert_eq!(leaves(&text), ["a=1", "c=2"]);
    }

    #[test]
    fn strings_end_where_they_should() {
        for length in 0..80 {
            for end in ['"', '\\'] {
                let text = format!("{}{end}rest\"", "x".repeat(length));
                assert_eq!(string_length(text.as_bytes()), Some(length), "{text}");
            }
            assert_eq!(string_length("x".repeat(length).as_bytes()), None);
        }
        // A byte just above a quote after one: the lowest mark must win.
        assert_eq!(string_length(b"ab\"###########"), Some(2));
    }

    #[test]
    fn key_sets_ignore_order_and_values() {
        assert_eq!(fields(r#"{"a":1,"b":2}"#).key_set(), fields(r#"{"b":3,"a":4}"#).key_set());
        assert_ne!(fields(r#"{"error":1}"#).key_set(), fields(r#"{"token":1}"#).key_set());
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let mut fields = Fields::default();
            read(&bytes, &mut fields);
            for field in fields.iter() {
                let _ = (field.path(), field.value());
            }
        }

        #[test]
        fn agrees_with_serde_json(text in r#"(\{|\}|\[|\]|,|:|"|\\u00e9|\\n|true|null|1|-2\.5e3|"a"|"b":| ){0,24}"#) {
            let accepts = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            // Whatever a strict parser takes must parse here too; numbers are read more leniently
            // here.
            if accepts {
                prop_assert!(!fields(&text).anomalies().broken, "{}", text);
            }
        }
    }
}
