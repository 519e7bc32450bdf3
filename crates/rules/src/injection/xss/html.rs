//! HTML as its tags, attributes and comments, one after another.
//!
//! It is read as the HTML standard has it, except where browsers were once more lenient: a byte 0
//! counts as a space, or as nothing, and a back quote as a quote. The places where libinjection
//! reads oddly (it stops at a byte 0xff where an attribute may begin) are kept.

use memchr::memchr;

/// What stands between names. A byte 0 ends names, too, but for those of tags.
const SPACES: &[u8; 6] = b" \t\n\x0b\x0c\r";

/// Where in a page a value is put.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// Between tags.
    Text,
    /// In a tag, where an attribute may begin.
    Tag,
    /// In a tag, as the value of an attribute in these quotes.
    Quotes(u8),
}

/// A piece of HTML.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'v> {
    Attribute(&'v [u8]),
    Comment(&'v [u8]),
    Doctype,
    /// The name of a tag that opens something.
    Tag(&'v [u8]),
    Value(&'v [u8]),
    /// Text, the end of a tag, and other things in which no script can be.
    Other,
}

/// What is expected next.
#[derive(Clone, Copy, Debug)]
enum State {
    AfterAttribute,
    /// Behind the quote that ends a value.
    AfterQuotes,
    BeforeAttribute,
    BeforeValue,
    End,
    Quotes(u8),
    /// Behind a slash in a tag.
    Slash,
    /// Behind a `<`.
    Tag,
    /// At the `>` of a tag.
    TagEnd,
    Text,
}

/// What a step through the value comes to.
enum Step<'v> {
    Found(Piece<'v>),
    On(State),
}

use Step::{Found, On};

/// Reads a value from its beginning.
pub(super) struct Html<'v> {
    value: &'v [u8],
    at: usize,
    state: State,
    /// Is it in a tag that closes something?
    is_closing: bool,
}

impl<'v> Html<'v> {
    pub(super) fn new(value: &'v [u8], place: Place) -> Self {
        let state = match place {
            Place::Text => State::Text,
            Place::Tag => State::BeforeAttribute,
            Place::Quotes(quote) => State::Quotes(quote),
        };
        Self { value, at: 0, state, is_closing: false }
    }

    /// The next piece; nothing at the end of what can be read.
    pub(super) fn next(&mut self) -> Option<Piece<'v>> {
        loop {
            let step = match self.state {
                State::AfterAttribute => self.after_attribute(),
                State::AfterQuotes => self.after_quotes(),
                State::BeforeAttribute => self.before_attribute(),
                State::BeforeValue => self.before_value(),
                State::End => return None,
                State::Quotes(quote) => self.quoted_value(quote),
                State::Slash => self.slash(),
                State::Tag => self.tag(),
                State::TagEnd => self.tag_end(),
                State::Text => self.text(),
            };
            match step {
                Found(piece) => return Some(piece),
                On(state) => self.state = state,
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.value.get(self.at).copied()
    }

    fn rest(&self) -> &'v [u8] {
        self.value.get(self.at..).unwrap_or_default()
    }

    /// The next `length` bytes; then passes over `gap` more and expects `state`.
    fn take(&mut self, length: usize, gap: usize, state: State) -> &'v [u8] {
        let rest = self.rest();
        self.at += length + gap;
        self.state = state;
        rest.get(..length).unwrap_or(rest)
    }

    /// All that is left.
    fn take_rest(&mut self) -> &'v [u8] {
        self.take(self.rest().len(), 0, State::End)
    }

    /// Passes over spaces; then the next byte.
    fn skip_spaces(&mut self) -> Option<u8> {
        let spaces = self.rest().iter().take_while(|byte| **byte == 0 || SPACES.contains(byte));
        self.at += spaces.count();
        self.peek().filter(|byte| *byte != 0xff)
    }

    fn text(&mut self) -> Step<'v> {
        match memchr(b'<', self.rest()) {
            Some(0) => {
                self.at += 1;
                On(State::Tag)
            }
            Some(length) => {
                self.take(length, 1, State::Tag);
                Found(Piece::Other)
            }
            None => On(State::End),
        }
    }

    fn tag(&mut self) -> Step<'v> {
        let Some(byte) = self.peek() else { return On(State::End) };
        match byte {
            b'!' => {
                self.at += 1;
                self.declaration()
            }
            b'/' => {
                self.at += 1;
                self.is_closing = true;
                match self.peek() {
                    None => On(State::End),
                    Some(b'>') => On(State::Text),
                    Some(byte) if byte.is_ascii_alphabetic() => self.tag_name(),
                    Some(_) => {
                        self.is_closing = false;
                        self.comment_until(b">")
                    }
                }
            }
            b'?' => {
                self.at += 1;
                self.comment_until(b">")
            }
            b'%' => {
                // Once a comment to Internet Explorer and Safari.
                self.at += 1;
                self.comment_until(b"%>")
            }
            0 => self.tag_name(),
            _ if byte.is_ascii_alphabetic() => self.tag_name(),
            _ => {
                self.state = State::Text;
                Found(Piece::Other)
            }
        }
    }

    fn tag_name(&mut self) -> Step<'v> {
        let ends = |byte: &u8| matches!(byte, b'/' | b'>') || SPACES.contains(byte);
        let Some(length) = self.rest().iter().position(ends) else {
            return Found(Piece::Tag(self.take_rest()));
        };
        match self.rest().get(length) {
            Some(b'/') => Found(Piece::Tag(self.take(length, 1, State::Slash))),
            Some(b'>') if self.is_closing => {
                self.is_closing = false;
                self.take(length, 1, State::Text);
                Found(Piece::Other)
            }
            Some(b'>') => Found(Piece::Tag(self.take(length, 0, State::TagEnd))),
            _ => Found(Piece::Tag(self.take(length, 1, State::BeforeAttribute))),
        }
    }

    fn tag_end(&mut self) -> Step<'v> {
        self.is_closing = false;
        self.at += 1;
        self.state = State::Text;
        Found(Piece::Other)
    }

    fn slash(&mut self) -> Step<'v> {
        match self.peek() {
            None => On(State::End),
            Some(b'>') => {
                self.take(0, 1, State::Text);
                Found(Piece::Other)
            }
            Some(_) => On(State::BeforeAttribute),
        }
    }

    fn before_attribute(&mut self) -> Step<'v> {
        match self.skip_spaces() {
            None => On(State::End),
            Some(b'/') => {
                self.at += 1;
                On(State::Slash)
            }
            Some(b'>') => {
                self.take(0, 1, State::Text);
                Found(Piece::Other)
            }
            Some(_) => self.attribute_name(),
        }
    }

    /// The first byte is part of the name, whatever it is.
    fn attribute_name(&mut self) -> Step<'v> {
        let ends = |byte: &u8| matches!(byte, 0 | b'/' | b'=' | b'>') || SPACES.contains(byte);
        let rest = self.rest();
        let behind = rest.get(1..).unwrap_or_default();
        let Some(length) = behind.iter().position(ends).map(|at| at + 1) else {
            return Found(Piece::Attribute(self.take_rest()));
        };
        let (gap, state) = match rest.get(length) {
            Some(b'/') => (1, State::Slash),
            Some(b'=') => (1, State::BeforeValue),
            Some(b'>') => (0, State::TagEnd),
            _ => (1, State::AfterAttribute),
        };
        Found(Piece::Attribute(self.take(length, gap, state)))
    }

    fn after_attribute(&mut self) -> Step<'v> {
        match self.skip_spaces() {
            None => On(State::End),
            Some(b'/') => {
                self.at += 1;
                On(State::Slash)
            }
            Some(b'=') => {
                self.at += 1;
                On(State::BeforeValue)
            }
            Some(b'>') => On(State::TagEnd),
            Some(_) => self.attribute_name(),
        }
    }

    fn before_value(&mut self) -> Step<'v> {
        match self.skip_spaces() {
            None => On(State::End),
            Some(quote @ (b'"' | b'\'' | b'`')) => {
                self.at += 1;
                On(State::Quotes(quote))
            }
            Some(_) => self.plain_value(),
        }
    }

    fn plain_value(&mut self) -> Step<'v> {
        let ends = |byte: &u8| matches!(byte, 0 | b'>') || SPACES.contains(byte);
        let Some(length) = self.rest().iter().position(ends) else {
            return Found(Piece::Value(self.take_rest()));
        };
        let (gap, state) = match self.rest().get(length) {
            Some(b'>') => (0, State::TagEnd),
            _ => (1, State::BeforeAttribute),
        };
        Found(Piece::Value(self.take(length, gap, state)))
    }

    fn quoted_value(&mut self, quote: u8) -> Step<'v> {
        let value = match memchr(quote, self.rest()) {
            Some(length) => self.take(length, 1, State::AfterQuotes),
            None => self.take_rest(),
        };
        Found(Piece::Value(value))
    }

    fn after_quotes(&mut self) -> Step<'v> {
        match self.peek() {
            None => On(State::End),
            Some(b'/') => {
                self.at += 1;
                On(State::Slash)
            }
            Some(_) => On(State::BeforeAttribute),
        }
    }

    /// Behind `<!`.
    fn declaration(&mut self) -> Step<'v> {
        let rest = self.rest();
        if rest.get(..7).is_some_and(|head| head.eq_ignore_ascii_case(b"doctype")) {
            return Found(Piece::Doctype);
        }
        if rest.starts_with(b"[CDATA[") {
            self.at += 7;
            match memchr::memmem::find(self.rest(), b"]]>") {
                Some(length) => self.take(length, 3, State::Text),
                None => self.take_rest(),
            };
            return Found(Piece::Other);
        }
        if rest.starts_with(b"--") {
            self.at += 2;
            return self.comment();
        }
        self.comment_until(b">")
    }

    fn comment_until(&mut self, end: &[u8]) -> Step<'v> {
        let text = match memchr::memmem::find(self.rest(), end) {
            Some(length) => self.take(length, end.len(), State::Text),
            None => self.take_rest(),
        };
        Found(Piece::Comment(text))
    }

    /// Up to `-->` or `--!>`, whose first bytes may have zeros between them.
    fn comment(&mut self) -> Step<'v> {
        let rest = self.rest();
        let mut from = 0;
        while let Some(found) = memchr(b'-', rest.get(from..).unwrap_or_default()) {
            let at = from + found;
            let behind = rest.get(at + 1..).unwrap_or_default();
            let zeros = behind.iter().take_while(|byte| **byte == 0).count();
            match behind.get(zeros..).unwrap_or_default() {
                [b'-' | b'!', b'>', ..] => {
                    return Found(Piece::Comment(self.take(at, 1 + zeros + 2, State::Text)));
                }
                [] | [b'-' | b'!'] => break,
                _ => from = at + 1,
            }
        }
        Found(Piece::Comment(self.take_rest()))
    }
}
