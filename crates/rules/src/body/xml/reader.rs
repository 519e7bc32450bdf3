//! The pass over the bytes of an XML document.
//!
//! What a lenient parser reads is read and flagged (attributes without quotes or values, unknown
//! entities, end tags that do not match); only markup that does not end, and the bounds, stop it.

use std::borrow::Cow;

use super::{Xml, XmlFault};
use crate::body::limits::Limits;

/// Reads `raw`; `unread` of the result is a tail of it.
pub(super) fn read<'a>(raw: &'a [u8], limits: &Limits) -> Xml<'a> {
    let mut reader = Reader {
        raw,
        at: if raw.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 },
        limits,
        xml: Xml::default(),
        open: Vec::new(),
        text: Cow::default(),
        has_root: false,
    };
    if is_wide(raw) {
        reader.note(XmlFault::Encoding);
    } else if !raw.is_empty() {
        // None says that it stopped early; why, the fault says.
        let _ = reader.read();
        reader.end_text();
    }
    let mut xml = reader.xml;
    xml.unread = raw.get(reader.at..).unwrap_or_default();
    xml
}

/// Is it UTF-16 or UTF-32? A document begins with `<` or a blank, which then has a zero byte.
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
    xml: Xml<'a>,
    /// The names of the open elements.
    open: Vec<&'a [u8]>,
    /// The text since the last tag.
    text: Cow<'a, [u8]>,
    has_root: bool,
}

impl<'a> Reader<'a, '_> {
    fn read(&mut self) -> Option<()> {
        while let Some(rest) = self.raw.get(self.at..).filter(|rest| !rest.is_empty()) {
            let length = memchr::memchr(b'<', rest).unwrap_or(rest.len());
            if length > 0 {
                self.characters(rest.get(..length)?);
                self.at += length;
                continue;
            }
            match rest {
                [b'<', b'!', b'-', b'-', ..] => self.skip_past(4, b"-->", XmlFault::Truncated)?,
                [b'<', b'!', b'[', ..] if rest.starts_with(b"<![CDATA[") => self.cdata()?,
                [b'<', b'!', ..] => self.declaration()?,
                [b'<', b'?', ..] => self.instruction()?,
                [b'<', b'/', ..] => self.end_tag()?,
                [b'<', b'A'..=b'Z' | b'a'..=b'z' | b'_' | b':' | 0x80.., ..] => self.start_tag()?,
                [b'<'] => return self.stop(XmlFault::Truncated),
                _ => {
                    self.note(XmlFault::Malformed);
                    self.characters(b"<");
                    self.at += 1;
                }
            }
        }
        if !self.open.is_empty() {
            self.note(XmlFault::Truncated);
        } else if !self.has_root {
            self.note(XmlFault::Root);
        }
        Some(())
    }

    /// Characters between markup, entities among them.
    fn characters(&mut self, encoded: &'a [u8]) {
        let (text, fault) = decode(encoded);
        if let Some(fault) = fault {
            self.note(fault);
        }
        if self.open.is_empty() && !text.trim_ascii().is_empty() {
            self.note(XmlFault::Root);
        }
        self.add_text(text);
    }

    fn cdata(&mut self) -> Option<()> {
        let start = self.at + b"<![CDATA[".len();
        let rest = self.raw.get(start..).unwrap_or_default();
        let length = memchr::memmem::find(rest, b"]]>");
        self.add_text(Cow::Borrowed(rest.get(..length.unwrap_or(rest.len())).unwrap_or_default()));
        if self.open.is_empty() {
            self.note(XmlFault::Root);
        }
        match length {
            Some(length) => self.at = start + length + 3,
            None => {
                self.at = self.raw.len();
                return self.stop(XmlFault::Truncated);
            }
        }
        Some(())
    }

    /// `<!DOCTYPE …>`; any other declaration has no place outside of one.
    fn declaration(&mut self) -> Option<()> {
        let rest = self.raw.get(self.at..).unwrap_or_default();
        let is_doctype = rest.get(2..9).is_some_and(|word| word.eq_ignore_ascii_case(b"DOCTYPE"));
        let end = declaration_end(rest);
        let declaration = rest.get(..end.length).unwrap_or_default();
        if !is_doctype || self.has_root || self.xml.doctype.is_some() {
            self.note(XmlFault::Malformed);
        }
        if end.has_subset {
            self.note(XmlFault::InternalSubset);
        }
        self.xml.doctype = self.xml.doctype.or(Some(declaration));
        if end.is_closed {
            self.at += end.length;
            Some(())
        } else {
            self.stop(XmlFault::Truncated)
        }
    }

    /// `<?xml …?>` may name an encoding; no other instruction concerns us.
    fn instruction(&mut self) -> Option<()> {
        let start = self.at;
        self.skip_past(2, b"?>", XmlFault::Truncated)?;
        let instruction = self.raw.get(start..self.at).unwrap_or_default();
        if instruction.starts_with(b"<?xml ") && !names_ascii(instruction) {
            self.note(XmlFault::Encoding);
        }
        Some(())
    }

    fn end_tag(&mut self) -> Option<()> {
        self.end_text()?;
        let rest = self.raw.get(self.at + 2..).unwrap_or_default();
        let Some(length) = memchr::memchr(b'>', rest) else {
            return self.stop(XmlFault::Truncated);
        };
        let name = rest.get(..length).unwrap_or_default().trim_ascii_end();
        self.at += 2 + length + 1;
        if self.open.last() == Some(&name) {
            self.open.pop();
        } else {
            self.note(XmlFault::MismatchedTag);
        }
        Some(())
    }

    fn start_tag(&mut self) -> Option<()> {
        self.end_text()?;
        if self.open.is_empty() {
            if self.has_root {
                self.note(XmlFault::Root);
            }
            self.has_root = true;
        }
        let tag = self.at;
        self.at += 1;
        let name = self.take_name();
        loop {
            self.skip_space();
            match self.raw.get(self.at..).unwrap_or_default() {
                [b'>', ..] => {
                    self.at += 1;
                    if self.open.len() >= self.limits.xml_depth_max {
                        return self.stop(XmlFault::TooDeep);
                    }
                    self.open.push(name);
                    return Some(());
                }
                [b'/', b'>', ..] => {
                    self.at += 2;
                    return Some(());
                }
                [] => {
                    // Its attributes were kept; the tag as a whole was not read.
                    self.at = tag;
                    return self.stop(XmlFault::Truncated);
                }
                [b'<', ..] => {
                    self.note(XmlFault::Malformed);
                    return Some(());
                }
                [b'/' | b'=' | b'"' | b'\'', ..] => {
                    self.note(XmlFault::Malformed);
                    self.at += 1;
                }
                _ => self.attribute()?,
            }
        }
    }

    fn attribute(&mut self) -> Option<()> {
        let name = self.take_name();
        self.skip_space();
        if self.peek() != Some(b'=') {
            self.note(XmlFault::Malformed);
            return Some(());
        }
        self.at += 1;
        self.skip_space();
        let rest = match self.peek() {
            Some(b'"' | b'\'') => self.raw.get(self.at + 1..).unwrap_or_default(),
            _ => self.raw.get(self.at..).unwrap_or_default(),
        };
        let length = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => {
                let length = memchr::memchr(quote, rest).unwrap_or(rest.len());
                self.at += length + 2;
                length
            }
            _ => {
                self.note(XmlFault::Malformed);
                let ends = |byte: &u8| is_space(*byte) || matches!(byte, b'>' | b'<');
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                self.at += length;
                length
            }
        };
        self.at = self.at.min(self.raw.len());
        let (value, fault) = decode(rest.get(..length).unwrap_or_default());
        if let Some(fault) = fault {
            self.note(fault);
        }
        self.has_room()?;
        if name == b"xmlns" || name.starts_with(b"xmlns:") {
            self.xml.namespaces.push(value);
        } else {
            self.xml.attributes.push(value);
        }
        Some(())
    }

    fn take_name(&mut self) -> &'a [u8] {
        let rest = self.raw.get(self.at..).unwrap_or_default();
        let ends = |byte: &u8| is_space(*byte) || matches!(byte, b'=' | b'/' | b'>' | b'<');
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn add_text(&mut self, more: Cow<'a, [u8]>) {
        if self.text.is_empty() {
            self.text = more;
        } else {
            self.text.to_mut().extend_from_slice(&more);
        }
    }

    fn end_text(&mut self) -> Option<()> {
        if !self.text.is_empty() {
            self.has_room()?;
            self.xml.runs.push(std::mem::take(&mut self.text));
        }
        Some(())
    }

    fn has_room(&mut self) -> Option<()> {
        let xml = &self.xml;
        let held = xml.runs.len() + xml.attributes.len() + xml.namespaces.len();
        if held < self.limits.arguments_max { Some(()) } else { self.stop(XmlFault::TooMany) }
    }

    /// Goes behind the next `end`, which stands at least `skip` bytes away.
    fn skip_past(&mut self, skip: usize, end: &[u8], otherwise: XmlFault) -> Option<()> {
        let rest = self.raw.get(self.at + skip..).unwrap_or_default();
        match memchr::memmem::find(rest, end) {
            Some(length) => {
                self.at += skip + length + end.len();
                Some(())
            }
            None => self.stop(otherwise),
        }
    }

    fn stop(&mut self, fault: XmlFault) -> Option<()> {
        self.note(fault);
        None
    }

    fn note(&mut self, fault: XmlFault) {
        self.xml.fault.get_or_insert(fault);
    }

    fn peek(&self) -> Option<u8> {
        self.raw.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Where a declaration ends.
struct DeclarationEnd {
    length: usize,
    is_closed: bool,
    has_subset: bool,
}

/// The `>` outside of quotes and of the brackets of an internal subset. A comment in a subset may
/// hold a quote or bracket; since a subset is a fault anyway, it is not told apart.
fn declaration_end(rest: &[u8]) -> DeclarationEnd {
    let mut quote = None;
    let mut is_inside = false;
    let mut has_subset = false;
    for (at, &byte) in rest.iter().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'[') => {
                is_inside = true;
                has_subset = true;
            }
            (None, b']') => is_inside = false,
            (None, b'>') if !is_inside => {
                return DeclarationEnd { length: at + 1, is_closed: true, has_subset };
            }
            (None, _) => {}
        }
    }
    DeclarationEnd { length: rest.len(), is_closed: false, has_subset }
}

/// Does the XML declaration name no encoding, or one that has ASCII in it?
fn names_ascii(declaration: &[u8]) -> bool {
    let Some(at) = memchr::memmem::find(declaration, b"encoding") else {
        return true;
    };
    let value = declaration.get(at + b"encoding".len()..).unwrap_or_default();
    let is_around = |byte: &u8| is_space(*byte) || matches!(byte, b'=' | b'"' | b'\'');
    let start = value.iter().position(|byte| !is_around(byte)).unwrap_or(value.len());
    let value = value.get(start..).unwrap_or_default();
    let length =
        value.iter().position(|byte| is_around(byte) || *byte == b'?').unwrap_or(value.len());
    let name = value.get(..length).unwrap_or_default().to_ascii_lowercase();
    matches!(name.as_slice(), b"utf-8" | b"utf8" | b"us-ascii" | b"ascii")
        || name.starts_with(b"iso-8859-")
        || name.starts_with(b"windows-125")
}

/// Characters with their entities replaced; the first fault in them.
fn decode(encoded: &[u8]) -> (Cow<'_, [u8]>, Option<XmlFault>) {
    let Some(first) = memchr::memchr(b'&', encoded) else {
        return (Cow::Borrowed(encoded), None);
    };
    let mut out = Vec::with_capacity(encoded.len());
    let mut fault = None;
    out.extend_from_slice(encoded.get(..first).unwrap_or_default());
    let mut rest = encoded.get(first..).unwrap_or_default();
    while let [b'&', after @ ..] = rest {
        rest = match entity(after) {
            Some((character, length)) => {
                let mut buffer = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                after.get(length..).unwrap_or_default()
            }
            None => {
                fault.get_or_insert(XmlFault::UnknownEntity);
                out.push(b'&');
                after
            }
        };
        let plain = memchr::memchr(b'&', rest).unwrap_or(rest.len());
        out.extend_from_slice(rest.get(..plain).unwrap_or_default());
        rest = rest.get(plain..).unwrap_or_default();
    }
    (Cow::Owned(out), fault)
}

/// What an entity stands for, and how many bytes it takes with its semicolon.
fn entity(after: &[u8]) -> Option<(char, usize)> {
    // Leading zeros are allowed; that many at most are looked for, so that the pass stays linear.
    const NAME_BYTES_MAX: usize = 32;
    let near = after.get(..NAME_BYTES_MAX.min(after.len()))?;
    let length = memchr::memchr(b';', near)?;
    let name = near.get(..length)?;
    let character = match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => return None,
    };
    Some((character, length + 1))
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    let mut code = if digits.is_empty() { None } else { Some(0_u32) };
    for digit in digits {
        let value = char::from(*digit).to_digit(radix)?;
        code = code?.checked_mul(radix)?.checked_add(value);
    }
    char::from_u32(code?)
}
