//! A value as the words of SQL, one after another.
//!
//! No database is followed to the letter: what any of the common ones takes for a string, a number
//! or a comment is one, since which of them reads the value is not known.

use memchr::memchr;

use super::token::{Kind, TEXT_MAX, Token};
use super::words;
use crate::byte_set::ByteSet;

/// Where a name ends.
const NAME_ENDS: ByteSet = ByteSet::of(b" []{}<>:\\?=@!#~+-*/&|^%(),';\t\n\x0b\x0c\r\"\xa0\0");
/// Where the name of a variable ends.
const VARIABLE_ENDS: ByteSet = ByteSet::of(b" <>:\\?=@!#~+-*/&|^%(),';\t\n\x0b\x0c\r'`\"\0");
/// What stands between words. To Oracle the byte 0 does, in Latin-1 the byte 0xa0.
const SPACES: ByteSet = ByteSet::of(b" \t\n\x0b\x0c\r\xa0\0");

// libinjection counts the byte 0 among the digits and letters of literals, and so it is here.
const BINARY: ByteSet = ByteSet::of(b"01\0");
const HEXADECIMAL: ByteSet = ByteSet::of(b"0123456789ABCDEFabcdef\0");
const AMOUNT: ByteSet = ByteSet::of(b"0123456789.,\0");
const TAG: ByteSet =
    ByteSet::range(b'a', b'z').union(ByteSet::range(b'A', b'Z')).union(ByteSet::of(b"\0"));

/// Whose comments are meant where databases differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Dialect {
    /// `--` begins a comment, whatever follows; `#` is an operator.
    Ansi,
    /// `--` begins a comment before a space only; `#` begins one, too.
    MySql,
}

/// Reads a value from its beginning.
pub(super) struct Lexer<'v> {
    value: &'v [u8],
    at: usize,
    dialect: Dialect,
    /// The quote that the value is taken to stand in, until its string was read.
    inside: Option<u8>,
    /// How many words were read.
    pub(super) count: u32,
    /// Was there anything that the other dialect reads otherwise?
    pub(super) depends: bool,
}

impl<'v> Lexer<'v> {
    /// `inside` is the quote of the string that the value stands in, if any.
    pub(super) fn new(value: &'v [u8], inside: Option<u8>, dialect: Dialect) -> Self {
        Self { value, at: 0, dialect, inside, count: 0, depends: false }
    }

    /// The next word; nothing at the end of the value.
    pub(super) fn next(&mut self) -> Option<Token<'v>> {
        if let Some(quote) = self.inside.take() {
            self.count += 1;
            let mut token = self.string(0, quote);
            token.open = None;
            return Some(token);
        }
        while let Some(byte) = self.peek(0) {
            if let Some(token) = self.word_from(byte) {
                self.count += 1;
                return Some(token);
            }
        }
        None
    }

    /// Reads what begins with `byte`, which is the next one; nothing for what is no word.
    fn word_from(&mut self, byte: u8) -> Option<Token<'v>> {
        Some(match byte {
            0..=b' ' | 0x7f | 0xa0 => {
                self.at += 1;
                return None;
            }
            b'0'..=b'9' | b'.' => return self.number(byte),
            b'B' | b'b' => self.digits_in_quotes(BINARY),
            b'X' | b'x' => self.digits_in_quotes(HEXADECIMAL),
            b'E' | b'e' => self.escaped_string(),
            b'N' | b'n' => self.national_string(),
            b'Q' | b'q' => self.delimited_string(0),
            b'U' | b'u' => self.unicode_string(),
            b'\'' | b'"' => self.string(1, byte),
            b'`' => self.back_quoted(),
            b'$' => self.dollar(),
            b'@' => self.variable(),
            b'[' => self.bracketed(),
            b'-' => self.dash(),
            b'#' => self.hash(),
            b'/' => self.slash(),
            b'\\' => self.backslash(),
            b'!' | b'&' | b'*' | b':' | b'<' | b'=' | b'>' | b'|' => self.operator(byte),
            b'%' | b'+' | b'^' | b'~' => self.take(Kind::Operator, 1),
            b'(' => self.take(Kind::LeftParenthesis, 1),
            b')' => self.take(Kind::RightParenthesis, 1),
            b',' => self.take(Kind::Comma, 1),
            b';' => self.take(Kind::Semicolon, 1),
            b'{' => self.take(Kind::LeftBrace, 1),
            b'}' => self.take(Kind::RightBrace, 1),
            b'?' | b']' => self.take(Kind::Unknown, 1),
            _ => self.name(),
        })
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.value.get(self.at + ahead).copied()
    }

    /// What follows from `ahead` bytes on.
    fn rest(&self, ahead: usize) -> &'v [u8] {
        self.value.get(self.at + ahead..).unwrap_or_default()
    }

    fn take(&mut self, kind: Kind, length: usize) -> Token<'v> {
        let text = self.rest(0);
        self.at += length;
        Token::new(kind, text.get(..length).unwrap_or(text))
    }

    fn name(&mut self) -> Token<'v> {
        let rest = self.rest(0);
        let head = rest.get(..=TEXT_MAX).unwrap_or(rest);
        let length = span(head, NAME_ENDS.complement());
        let name = head.get(..length.min(TEXT_MAX)).unwrap_or_default();
        for (at, _) in name.iter().enumerate().filter(|(_, byte)| matches!(byte, b'.' | b'`')) {
            // `SELECT.1` and "SELECT`a`": the known word ends there.
            let word = words::find(name.get(..at).unwrap_or_default());
            if let Some((kind, word)) = word.and_then(|word| Some((word.kind?, word)))
                && kind != Kind::BareWord
            {
                return Token { leads: word.leads, ..self.take(kind, at) };
            }
        }
        if length > TEXT_MAX {
            // Only now is the whole of a long name looked at, so that it is looked at once.
            return self.take(Kind::BareWord, span(rest, NAME_ENDS.complement()));
        }
        match words::find(name) {
            Some(word) => {
                let kind = word.kind.unwrap_or(Kind::BareWord);
                Token { leads: word.leads, ..self.take(kind, length) }
            }
            None => self.take(Kind::BareWord, length),
        }
    }

    fn number(&mut self, first: u8) -> Option<Token<'v>> {
        if first == b'0'
            && let Some(digits) = match self.peek(1) {
                Some(b'X' | b'x') => Some(HEXADECIMAL),
                Some(b'B' | b'b') => Some(BINARY),
                _ => None,
            }
        {
            let length = span(self.rest(2), digits);
            let kind = if length == 0 { Kind::BareWord } else { Kind::Number };
            return Some(self.take(kind, 2 + length));
        }
        let mut length = self.digits(0);
        if self.peek(length) == Some(b'.') {
            length += 1 + self.digits(length + 1);
            if length == 1 {
                return Some(self.take(Kind::Dot, 1));
            }
        }
        let mut is_number = true;
        if let Some(b'E' | b'e') = self.peek(length) {
            length += 1 + usize::from(matches!(self.peek(length + 1), Some(b'+' | b'-')));
            let exponent = self.digits(length);
            is_number = exponent > 0;
            length += exponent;
        }
        // Oracle marks floats with a letter behind them. Before anything else than these, the
        // letter is taken to begin a word.
        if let Some(b'D' | b'd' | b'F' | b'f') = self.peek(length)
            && self
                .peek(length + 1)
                .is_none_or(|next| SPACES.contains(next) || matches!(next, b';' | b'U' | b'u'))
        {
            length += 1;
        }
        if is_number {
            return Some(self.take(Kind::Number, length));
        }
        // MySQL passes over `1.e` as if nothing stood there.
        self.at += length;
        None
    }

    fn digits(&self, ahead: usize) -> usize {
        self.rest(ahead).iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    fn variable(&mut self) -> Token<'v> {
        self.at += 1 + usize::from(self.peek(1) == Some(b'@'));
        let quoted = match self.peek(0) {
            Some(b'`') => self.back_quoted(),
            Some(quote @ (b'\'' | b'"')) => self.string(1, quote),
            _ => self.take(Kind::Variable, span(self.rest(0), VARIABLE_ENDS.complement())),
        };
        Token { kind: Kind::Variable, leads: false, ..quoted }
    }

    /// What SQL Server takes for a name.
    fn bracketed(&mut self) -> Token<'v> {
        let length = memchr(b']', self.rest(0)).map_or(self.rest(0).len(), |end| end + 1);
        self.take(Kind::BareWord, length)
    }

    fn dash(&mut self) -> Token<'v> {
        if self.peek(1) != Some(b'-') {
            return self.take(Kind::Operator, 1);
        }
        if self.peek(2).is_none_or(|next| SPACES.contains(next)) {
            return self.line_comment();
        }
        if self.dialect == Dialect::Ansi {
            self.depends = true;
            return self.line_comment();
        }
        self.take(Kind::Operator, 1)
    }

    fn hash(&mut self) -> Token<'v> {
        self.depends = true;
        match self.dialect {
            Dialect::Ansi => self.take(Kind::Operator, 1),
            Dialect::MySql => self.line_comment(),
        }
    }

    fn line_comment(&mut self) -> Token<'v> {
        let rest = self.rest(0);
        let end = memchr(b'\n', rest);
        let token = self.take(Kind::Comment, end.unwrap_or(rest.len()));
        self.at += usize::from(end.is_some());
        token
    }

    fn slash(&mut self) -> Token<'v> {
        if self.peek(1) != Some(b'*') {
            return self.take(Kind::Operator, 1);
        }
        let inner = self.rest(2);
        let end = find_pair(inner, *b"*/");
        // PostgreSQL lets comments stand in comments; MySQL runs what stands in `/*! */`.
        let is_nested = end
            .is_some_and(|end| find_pair(inner.get(..=end).unwrap_or_default(), *b"/*").is_some());
        let is_evil = is_nested || inner.first() == Some(&b'!');
        let kind = if is_evil { Kind::Evil } else { Kind::Comment };
        self.take(kind, end.map_or(2 + inner.len(), |end| 2 + end + 2))
    }

    fn backslash(&mut self) -> Token<'v> {
        match self.peek(1) {
            // MySQL's other name of NULL.
            Some(b'N') => self.take(Kind::Number, 2),
            _ => self.take(Kind::Backslash, 1),
        }
    }

    fn operator(&mut self, first: u8) -> Token<'v> {
        if self.rest(0).starts_with(b"<=>") {
            return self.take(Kind::Operator, 3);
        }
        match (first, self.peek(1)) {
            (b'&', Some(b'&')) | (b'|', Some(b'|')) => self.take(Kind::Logic, 2),
            (b'!', Some(b'!' | b'<' | b'=' | b'>'))
            | (b'&' | b'*', Some(b'='))
            | (b':', Some(b':' | b'='))
            | (b'<', Some(b'<' | b'=' | b'>' | b'@'))
            | (b'>', Some(b'=' | b'>'))
            | (b'|', Some(b'/' | b'=')) => self.take(Kind::Operator, 2),
            // At the end of the value it counts as an operator.
            (b':', Some(_)) => self.take(Kind::Colon, 1),
            _ => self.take(Kind::Operator, 1),
        }
    }
}

/// Strings, in all the ways there are to write one.
impl<'v> Lexer<'v> {
    /// A string whose quote is the last of the next `opening` bytes, up to the next quote that
    /// neither a backslash nor another quote makes part of it.
    fn string(&mut self, opening: usize, quote: u8) -> Token<'v> {
        let inner = self.rest(opening);
        let end = string_end(inner, quote);
        self.at += opening;
        let token = self.take(Kind::String, end.unwrap_or(inner.len()));
        self.at += usize::from(end.is_some());
        Token { open: Some(quote), close: end.map(|_| quote), ..token }
    }

    /// PostgreSQL's `E'…'`.
    fn escaped_string(&mut self) -> Token<'v> {
        if self.peek(1) == Some(b'\'') && self.peek(2).is_some() {
            return self.string(2, b'\'');
        }
        self.name()
    }

    /// MySQL's `N'…'` and Oracle's `nq'[…]'`.
    fn national_string(&mut self) -> Token<'v> {
        if self.peek(1) == Some(b'\'') && self.peek(2).is_some() {
            return self.string(2, b'\'');
        }
        self.delimited_string(1)
    }

    /// `U&'…'`.
    fn unicode_string(&mut self) -> Token<'v> {
        if !self.rest(1).starts_with(b"&'") {
            return self.name();
        }
        let token = self.string(3, b'\'');
        Token { open: Some(b'u'), close: token.close.map(|_| b'u'), ..token }
    }

    /// Oracle's `q'[…]'`, whose `q` is `ahead` bytes away.
    fn delimited_string(&mut self, ahead: usize) -> Token<'v> {
        let ending = match (self.peek(ahead), self.peek(ahead + 1), self.peek(ahead + 2)) {
            (Some(b'Q' | b'q'), Some(b'\''), Some(delimiter)) => match delimiter {
                b'(' => b')',
                b'[' => b']',
                b'{' => b'}',
                b'<' => b'>',
                0..=b' ' | 0x80.. => return self.name(),
                _ => delimiter,
            },
            _ => return self.name(),
        };
        self.between(ahead + 3, b'q', |inner| find_pair(inner, [ending, b'\'']).map(|end| (end, 2)))
    }

    /// Bits or hexadecimal digits in quotes are a number.
    fn digits_in_quotes(&mut self, digits: ByteSet) -> Token<'v> {
        if self.peek(1) == Some(b'\'') {
            let length = span(self.rest(2), digits);
            if self.peek(2 + length) == Some(b'\'') {
                return self.take(Kind::Number, length + 3);
            }
        }
        self.name()
    }

    /// MySQL's quoted names; a function stays one.
    fn back_quoted(&mut self) -> Token<'v> {
        let token = self.string(1, b'`');
        let word = words::find(token.text);
        let kind = match word.and_then(|word| word.kind) {
            Some(Kind::Function) => Kind::Function,
            _ => Kind::BareWord,
        };
        Token { kind, leads: word.is_some_and(|word| word.leads), ..token }
    }

    /// An amount of money, PostgreSQL's `$$…$$` and `$tag$…$tag$`, or a lone sign.
    fn dollar(&mut self) -> Token<'v> {
        let amount = span(self.rest(1), AMOUNT);
        if amount == 1 && self.peek(1) == Some(b'.') {
            return self.name();
        }
        if amount > 0 {
            return self.take(Kind::Number, 1 + amount);
        }
        if self.peek(1) == Some(b'$') {
            return self.between(2, b'$', |inner| find_pair(inner, *b"$$").map(|end| (end, 2)));
        }
        let tag = span(self.rest(1), TAG);
        if tag == 0 || self.peek(1 + tag) != Some(b'$') {
            return self.take(Kind::BareWord, 1);
        }
        let tag = self.rest(0).get(..tag + 2).unwrap_or_default();
        self.between(tag.len(), b'$', |inner| {
            memchr::memmem::find(inner, tag).map(|end| (end, tag.len()))
        })
    }

    /// A string from `opening` bytes on, up to where `find` says that it ends and with how many
    /// bytes.
    fn between(
        &mut self,
        opening: usize,
        quote: u8,
        find: impl FnOnce(&[u8]) -> Option<(usize, usize)>,
    ) -> Token<'v> {
        let inner = self.rest(opening);
        let end = find(inner);
        self.at += opening;
        let token = self.take(Kind::String, end.map_or(inner.len(), |(end, _)| end));
        self.at += end.map_or(0, |(_, closing)| closing);
        Token { open: Some(quote), close: end.map(|_| quote), ..token }
    }
}

/// How many of the first bytes are in the set.
fn span(bytes: &[u8], set: ByteSet) -> usize {
    bytes.iter().position(|byte| !set.contains(*byte)).unwrap_or(bytes.len())
}

fn find_pair(bytes: &[u8], pair: [u8; 2]) -> Option<usize> {
    let [first, second] = pair;
    let mut from = 0;
    loop {
        let at = from + memchr(first, bytes.get(from..)?)?;
        if *bytes.get(at + 1)? == second {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Where a string ends whose quote came before `bytes`.
fn string_end(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr(quote, bytes.get(from..)?)?;
        let before = bytes.get(..at).unwrap_or_default();
        let slashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
        if slashes % 2 == 1 {
            from = at + 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            from = at + 2;
        } else {
            return Some(at);
        }
    }
}
