//! Strict HTTP/1 framing, without I/O: bytes in, a whole head, "more", or a refusal out.
//!
//! Libraries accept a bare LF, settle Content-Length against Transfer-Encoding silently and answer
//! what they refuse without an event. Two parsers that read one byte stream differently are what
//! request smuggling lives on, so this scanner refuses whatever could be read in two ways. What it
//! accepts is written anew for whoever comes next.
//!
//! Deliberately absent: header semantics beyond framing, answers, events, and any tolerance switch.
//! Invariant: every byte is looked at a bounded number of times, however the input is cut up.

mod body;
mod fields;
mod host;
mod refusal;
mod request_line;
#[cfg(test)]
mod tests;

pub(crate) use host::{agree as authorities_agree, is_authority};

pub(crate) use body::BodyPart;
pub use body::{BodyFraming, BodyScanner};
pub use refusal::Refusal;
pub use request_line::{TargetForm, Version};

use bytes::Bytes;

/// What a head may cost. The defaults are those the manual states.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// Bytes of the header section, without the request line: 431 above it.
    pub header_bytes: usize,
    /// Header lines: 431 above it.
    pub header_count: usize,
    /// Bytes of the request target: 414 above it.
    pub target_bytes: usize,
    /// Whether a header name with `_` is refused instead of forwarded or dropped.
    pub reject_underscores: bool,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            header_bytes: 16 << 10,
            header_count: 100,
            target_bytes: 8 << 10,
            reject_underscores: false,
        }
    }
}

/// A part of a head, as offsets into its raw bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Self {
        // A head is bounded far below 4 GiB; saturating keeps even a wrong bound harmless.
        Self {
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end).unwrap_or(u32::MAX),
        }
    }

    /// The bytes of this part.
    #[must_use]
    pub fn of(self, raw: &[u8]) -> &[u8] {
        raw.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// An accepted head: its bytes as received and where the parts are.
#[derive(Clone, Debug)]
pub struct Head {
    /// Request line and header lines as received, with the blank line that ends them. An empty
    /// line before them is no part of it: whoever reads on would take it for the request line.
    pub raw: Bytes,
    /// Method within `raw`.
    pub method: Span,
    /// Request target within `raw`.
    pub target: Span,
    /// Version of the request line.
    pub version: Version,
    /// Which form the target has.
    pub form: TargetForm,
    /// How the body is framed.
    pub body: BodyFraming,
    /// Names and values of the header lines.
    lines: Vec<(Span, Span)>,
}

impl Head {
    /// The request target as received.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.target.of(&self.raw)
    }

    /// The method as received.
    #[must_use]
    pub fn method(&self) -> &[u8] {
        self.method.of(&self.raw)
    }

    /// The target as it goes on: in origin form, or `*`.
    #[must_use]
    pub fn origin_target(&self) -> Bytes {
        let TargetForm::Absolute { path, .. } = self.form else {
            return self.raw.slice_ref(self.target());
        };
        let path = self.raw.slice_ref(path.of(&self.raw));
        if path.first() == Some(&b'/') {
            return path;
        }
        // `http://host` and `http://host?query` leave the slash out.
        Bytes::from([b"/", path.as_ref()].concat())
    }

    /// The header lines in order, names and values as received.
    pub fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines.iter().map(|(name, value)| (name.of(&self.raw), value.of(&self.raw)))
    }
}

/// What the scanner says about the bytes it has seen.
#[derive(Debug)]
pub enum HeadStep {
    /// The head is not complete; nothing is wrong so far.
    More,
    /// The head is complete.
    Complete {
        /// The accepted head.
        head: Head,
        /// Bytes the head takes, the leading empty line included.
        length: usize,
    },
    /// The head is refused.
    Refused(Refusal),
}

/// Reads one head out of a growing buffer. A new one is made for each head.
#[derive(Debug, Default)]
pub struct HeadScanner {
    /// Everything before this offset has been read.
    line_start: usize,
    /// No line break lies between `line_start` and here.
    searched: usize,
    /// Bytes of an empty line before the request line (RFC 9112 §2.2 allows it).
    skipped: usize,
    line: Option<request_line::RequestLine>,
    section: fields::Section,
}

impl HeadScanner {
    /// Reads on in `buffer`, which starts where the head starts and only ever grows.
    pub fn step(&mut self, buffer: &[u8], limits: &HeadLimits) -> HeadStep {
        match self.advance(buffer, limits) {
            Ok(Some(end)) => self.finish(buffer, end),
            Ok(None) => HeadStep::More,
            Err(refusal) => HeadStep::Refused(refusal),
        }
    }

    fn advance(&mut self, buffer: &[u8], limits: &HeadLimits) -> Result<Option<usize>, Refusal> {
        loop {
            let rest = buffer.get(self.searched..).unwrap_or_default();
            let Some(offset) = memchr::memchr(b'\n', rest) else {
                self.searched = buffer.len();
                self.check_partial(buffer, limits)?;
                return Ok(None);
            };
            let end = self.searched + offset;
            let line = buffer.get(self.line_start..end).unwrap_or_default();
            let Some((b'\r', line)) = line.split_last() else {
                return Err(Refusal::BareLineBreak);
            };
            let start = self.line_start - self.skipped;
            self.line_start = end + 1;
            self.searched = end + 1;
            if self.line.is_none() {
                if line.is_empty() && self.skipped == 0 {
                    self.skipped = end + 1;
                    continue;
                }
                self.line = Some(request_line::parse(line, start, limits)?);
            } else if line.is_empty() {
                return Ok(Some(end + 1));
            } else {
                self.section.line(line, start, limits)?;
            }
        }
    }

    /// A line that never ends must not be collected beyond the limits.
    fn check_partial(&self, buffer: &[u8], limits: &HeadLimits) -> Result<(), Refusal> {
        let partial = buffer.get(self.line_start..).unwrap_or_default();
        if self.line.is_some() {
            return self.section.check_size(partial.len(), limits);
        }
        request_line::check_partial(partial, limits)
    }

    fn finish(&mut self, buffer: &[u8], end: usize) -> HeadStep {
        let Some(line) = self.line.take() else { return HeadStep::More };
        let section = std::mem::take(&mut self.section);
        let raw = buffer.get(self.skipped..end).unwrap_or_default();
        let body = match section.conclude(&line, raw) {
            Ok(body) => body,
            Err(refusal) => return HeadStep::Refused(refusal),
        };
        let head = Head {
            raw: Bytes::copy_from_slice(raw),
            method: line.method,
            target: line.target,
            version: line.version,
            form: line.form,
            body,
            lines: section.into_lines(),
        };
        HeadStep::Complete { head, length: end }
    }
}
