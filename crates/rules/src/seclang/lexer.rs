//! From the bytes of a rule file to its directives: a name and its arguments, quotes removed.
//!
//! A directive ends with its line, unless the line ends with a `\` (blanks behind it are forgiven,
//! CRLF is a line's end, too). Within quotes the indentation of the next line is dropped, outside
//! it separates. A line that begins with `#` is a comment, also between such lines. What follows
//! are the readings where engines differ:
//!
//! - Within `"…"`, `\"` is a quotation mark, and every other `\` stays for whoever reads the text.
//! - But `\\\\` is read as `\\`: rules written for Apache double each backslash once more, because
//!   Apache halves them, and no rule means two backslashes in a row by four where one would do.

/// A directive as it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Directive {
    /// The line of its name, counted from 1.
    pub(super) line: u32,
    pub(super) name: String,
    pub(super) arguments: Vec<Vec<u8>>,
}

/// A line that cannot be taken apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct LexError {
    pub(super) line: u32,
    pub(super) reason: &'static str,
}

/// The directives of a text, in order. After an error it goes on with the next line.
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
}

/// What stands at a place, where line ends matter.
enum Next {
    /// The text or an unfinished line ends.
    End,
    /// The line goes on behind a `\`, at this place.
    Continued(usize),
    Byte(u8),
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { text, at, line: 1 }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    fn next_at(&self, at: usize) -> Next {
        match self.byte(at) {
            None | Some(b'\n') => Next::End,
            Some(b'\r') if self.byte(at + 1) == Some(b'\n') => Next::End,
            Some(b'\\') => {
                let behind = self.after_blanks(at + 1);
                match (self.byte(behind), self.byte(behind + 1)) {
                    (Some(b'\n'), _) => Next::Continued(behind + 1),
                    (Some(b'\r'), Some(b'\n')) => Next::Continued(behind + 2),
                    (None, _) => Next::Continued(behind),
                    _ => Next::Byte(b'\\'),
                }
            }
            Some(byte) => Next::Byte(byte),
        }
    }

    fn after_blanks(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), Some(b' ' | b'\t')) {
            at += 1;
        }
        at
    }

    fn skip_line(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let line = rest.iter().position(|byte| *byte == b'\n');
        self.at += line.unwrap_or(rest.len());
    }

    /// Goes on with a continued line: behind its indentation and the comments before it.
    fn go_on(&mut self, at: usize) {
        self.at = at;
        self.line = self.line.saturating_add(1);
        loop {
            self.at = self.after_blanks(self.at);
            if self.byte(self.at) != Some(b'#') {
                return;
            }
            self.skip_line();
            if self.byte(self.at).is_none() {
                return;
            }
            self.at += 1;
            self.line = self.line.saturating_add(1);
        }
    }

    /// Goes to the next argument of the directive; says whether there is one.
    fn find_argument(&mut self) -> bool {
        loop {
            match self.next_at(self.at) {
                Next::End => return false,
                Next::Continued(at) => self.go_on(at),
                Next::Byte(b' ' | b'\t' | b'\r' | 0x0b | 0x0c) => self.at += 1,
                Next::Byte(_) => return true,
            }
        }
    }

    fn bare(&mut self) -> Vec<u8> {
        let start = self.at;
        while let Next::Byte(byte) = self.next_at(self.at) {
            if byte.is_ascii_whitespace() {
                break;
            }
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or_default().to_vec()
    }

    fn quoted(&mut self, quote: u8) -> Result<Vec<u8>, LexError> {
        let unfinished =
            LexError { line: self.line, reason: "a quotation that begins here has no end" };
        self.at += 1;
        let mut word = Vec::new();
        loop {
            match self.next_at(self.at) {
                Next::End => return Err(unfinished),
                Next::Continued(at) => self.go_on(at),
                Next::Byte(b'\\') => self.escape(quote, &mut word),
                Next::Byte(byte) => {
                    self.at += 1;
                    if byte == quote {
                        return Ok(word);
                    }
                    word.push(byte);
                }
            }
        }
    }

    /// A `\` and what it escapes.
    fn escape(&mut self, quote: u8, word: &mut Vec<u8>) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest {
            [b'\\', escaped, ..] if *escaped == quote => {
                word.push(quote);
                self.at += 2;
            }
            [b'\\', b'\\', rest @ ..] => {
                word.extend(br"\\");
                self.at += if rest.starts_with(br"\\") { 4 } else { 2 };
            }
            _ => {
                word.push(b'\\');
                self.at += 1;
            }
        }
    }

    fn directive(&mut self) -> Result<Directive, LexError> {
        let line = self.line;
        let name = String::from_utf8_lossy(&self.bare()).into_owned();
        let mut arguments = Vec::new();
        while self.find_argument() {
            arguments.push(match self.byte(self.at) {
                Some(quote @ (b'"' | b'\'')) => self.quoted(quote)?,
                _ => self.bare(),
            });
        }
        Ok(Directive { line, name, arguments })
    }
}

impl Iterator for Lexer<'_> {
    type Item = Result<Directive, LexError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.byte(self.at)? {
                b'\n' => {
                    self.at += 1;
                    self.line = self.line.saturating_add(1);
                }
                b'#' => self.skip_line(),
                _ if self.find_argument() => {
                    // A comment may stand behind blanks.
                    if self.byte(self.at) != Some(b'#') {
                        let directive = self.directive();
                        self.skip_line();
                        return Some(directive);
                    }
                }
                _ => self.skip_line(),
            }
        }
    }
}

#[cfg(test)]
mod tests;
