//! The pass over the lines of a multipart body.

use std::borrow::Cow;

use memchr::memmem::Finder;

use super::{Multipart, MultipartFault, Part, UnmatchedBoundary, disposition};
use crate::body::limits::Limits;

/// Reads the parts of `raw` into `multipart`; how far it came.
pub(super) fn read<'a>(
    raw: &'a [u8],
    boundary: &[u8],
    limits: &Limits,
    multipart: &mut Multipart<'a>,
) -> usize {
    let marker = [b"--", boundary].concat();
    let mut reader = Reader {
        raw,
        marker: &marker,
        finder: Finder::new(&marker),
        next_marker: 0,
        limits,
        multipart,
        part: Part::default(),
        next_is_suspect: false,
        disposition: None,
        files: 0,
        state: State::Before,
    };
    reader.next_marker = reader.find_marker(0);
    reader.read()
}

struct Reader<'a, 'b> {
    raw: &'a [u8],
    /// The boundary with its dashes.
    marker: &'b [u8],
    finder: Finder<'b>,
    /// Where the marker stands next, at the current line's beginning or behind it.
    next_marker: usize,
    limits: &'b Limits,
    multipart: &'b mut Multipart<'a>,
    /// The part being read.
    part: Part<'a>,
    /// Another server may take the next part for the content of this one.
    next_is_suspect: bool,
    /// Which of its headers is the Content-Disposition.
    disposition: Option<usize>,
    files: usize,
    state: State,
}

/// Where a line stands.
#[derive(Clone, Copy)]
enum State {
    /// Before the first boundary.
    Before,
    /// In the headers of a part.
    Headers,
    /// In the content that begins here.
    Content(usize),
    /// Behind the last boundary.
    After,
}

/// A line and its end.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    text: &'a [u8],
    end: &'a [u8],
}

impl<'a> Reader<'a, '_> {
    fn read(&mut self) -> usize {
        let mut at = 0;
        while let Some(rest) = self.raw.get(at..).filter(|rest| !rest.is_empty()) {
            if matches!(self.state, State::After) {
                self.multipart.flags.data_after = true;
                return at;
            }
            let line = line(rest, at);
            let next = at + line.text.len() + line.end.len();
            let has_marker = self.next_marker < next;
            if has_marker && self.next_marker == at {
                self.boundary(line);
                if matches!(self.state, State::Headers)
                    && self.multipart.parts.len() >= self.limits.parts_max
                {
                    self.multipart.note(MultipartFault::TooManyParts);
                    return at;
                }
            } else {
                if has_marker || line.text.starts_with(b"--") {
                    self.look_alike(line);
                }
                self.inner_line(line);
            }
            if has_marker {
                self.next_marker = self.find_marker(next);
            }
            at = next;
        }
        self.end_body();
        self.raw.len()
    }

    /// A line that begins with the boundary.
    fn boundary(&mut self, line: Line<'a>) {
        self.end_part(line.start);
        let tail = line.text.get(self.marker.len()..).unwrap_or_default();
        let is_last = tail.starts_with(b"--");
        if !matches!(tail, b"" | b"--") {
            self.multipart.note(MultipartFault::BoundaryLine);
        }
        self.note_line_end(line);
        let unmatched = &mut self.multipart.flags.unmatched_boundary;
        if *unmatched == UnmatchedBoundary::Open {
            *unmatched = UnmatchedBoundary::Enclosed;
        }
        self.state = if is_last { State::After } else { State::Headers };
    }

    /// A line that looks like a boundary and is none.
    fn look_alike(&mut self, line: Line<'a>) {
        self.multipart.flags.unmatched_boundary = UnmatchedBoundary::Open;
        let Some(after) = line.text.strip_prefix(b"--") else {
            return;
        };
        // In quotes or behind blanks a server may still take it for one.
        let quoted = after.strip_prefix(b"\"").unwrap_or(after).trim_ascii_start();
        if quoted.len() < after.len()
            && quoted.starts_with(self.marker.get(2..).unwrap_or_default())
        {
            self.multipart.note(MultipartFault::BoundaryLine);
        }
    }

    fn inner_line(&mut self, line: Line<'a>) {
        match self.state {
            State::Before => {
                self.multipart.flags.data_before = true;
                self.multipart.preamble =
                    self.raw.get(..line.start + line.text.len()).unwrap_or_default();
            }
            State::Headers => {
                self.note_line_end(line);
                if line.text.is_empty() {
                    self.end_headers();
                    self.state = State::Content(line.start + line.end.len());
                } else {
                    self.header(line.text);
                }
            }
            State::Content(_) | State::After => {}
        }
    }

    fn header(&mut self, text: &'a [u8]) {
        // A bare CR ends a line for some servers, NUL a string.
        if text.iter().any(|byte| matches!(byte, 0 | b'\r')) {
            self.header_fault(MultipartFault::Header);
        }
        if text.len() > self.limits.part_header_bytes_max {
            self.header_fault(MultipartFault::HeaderTooLong);
        }
        if text.first().is_some_and(is_blank) {
            return self.folded(text);
        }
        if self.part.headers.len() >= self.limits.part_headers_max {
            return self.header_fault(MultipartFault::TooManyHeaders);
        }
        let name_length = memchr::memchr(b':', text).unwrap_or(0);
        let name = text.get(..name_length).unwrap_or_default();
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            self.header_fault(MultipartFault::Header);
        }
        if self.part.headers.iter().any(|line| {
            line.get(..=name_length).is_some_and(|earlier| {
                !name.is_empty()
                    && earlier.eq_ignore_ascii_case(text.get(..=name_length).unwrap_or_default())
            })
        }) {
            self.header_fault(MultipartFault::DuplicateHeader);
        }
        if name.trim_ascii().eq_ignore_ascii_case(b"content-disposition") {
            self.end_disposition();
            self.disposition = Some(self.part.headers.len());
        }
        self.part.headers.push(Cow::Borrowed(text));
    }

    /// A line that continues the one before.
    fn folded(&mut self, text: &'a [u8]) {
        let flags = &mut self.multipart.flags;
        flags.header_folding = true;
        let blanks = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
        let (blanks, more) = text.split_at_checked(blanks).unwrap_or((text, &[]));
        if blanks.iter().any(|byte| !matches!(byte, b' ' | b'\t')) {
            flags.invalid_header_folding = true;
        }
        let Some(line) = self.part.headers.last_mut() else {
            self.part.headers.push(Cow::Borrowed(text));
            return self.header_fault(MultipartFault::Header);
        };
        let line = line.to_mut();
        line.push(b' ');
        line.extend_from_slice(more);
        if line.len() > self.limits.part_header_bytes_max {
            self.header_fault(MultipartFault::HeaderTooLong);
        }
    }

    fn header_fault(&mut self, fault: MultipartFault) {
        self.part.is_suspect = true;
        self.multipart.note(fault);
    }

    fn end_headers(&mut self) {
        let is_missing = self.disposition.is_none() && self.part.names.is_empty();
        self.end_disposition();
        if is_missing {
            self.header_fault(MultipartFault::NoDisposition);
        } else if self.part.name().is_empty() {
            self.header_fault(MultipartFault::NoName);
        }
    }

    /// Reads the Content-Disposition, if there is one to be read.
    fn end_disposition(&mut self) {
        let Some(index) = self.disposition.take() else {
            return;
        };
        let line: &[u8] = self.part.headers.get(index).map_or(b"", |line| line);
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default().trim_ascii();
        let read = disposition::read(value);
        if read.is_faulty {
            self.multipart.flags.invalid_part = true;
            self.header_fault(MultipartFault::Disposition);
        }
        read.tell(&mut self.part, &mut self.multipart.flags);
    }

    /// The end of the part being read, if there is one, before `end`.
    fn end_part(&mut self, end: usize) {
        match self.state {
            State::Before | State::After => return,
            State::Headers => {
                self.end_headers();
                self.header_fault(MultipartFault::UnendedHeaders);
            }
            State::Content(start) => {
                if start == end {
                    // Some take this boundary for content: it wants a line end of its own.
                    self.multipart.flags.invalid_part = true;
                    self.header_fault(MultipartFault::UnendedHeaders);
                    self.next_is_suspect = true;
                }
                let content = self.raw.get(start..end).unwrap_or_default();
                // The line end before a boundary belongs to it, and counts as one of structure.
                self.part.content = if let Some(content) = content.strip_suffix(b"\r\n") {
                    self.multipart.flags.crlf_line = true;
                    content
                } else if let Some(content) = content.strip_suffix(b"\n") {
                    self.multipart.flags.lf_line = true;
                    content
                } else {
                    content
                };
            }
        }
        self.keep_part();
    }

    fn keep_part(&mut self) {
        let part = std::mem::take(&mut self.part);
        self.part.is_suspect = std::mem::take(&mut self.next_is_suspect);
        if part.name().is_empty() {
            self.multipart.flags.invalid_part = true;
        }
        if part.is_file() {
            self.files += 1;
            self.multipart.flags.file_limit_exceeded |= self.files > self.limits.files_max;
        }
        self.multipart.parts.push(part);
    }

    /// The body has ended.
    fn end_body(&mut self) {
        match self.state {
            State::After => return,
            State::Before if self.raw.is_empty() => return,
            State::Before => return self.multipart.note(MultipartFault::NoBoundary),
            State::Headers if self.part.headers.is_empty() => {}
            State::Headers => self.end_part(self.raw.len()),
            State::Content(start) => {
                // Without a boundary the last line end belongs to the content.
                self.part.content = self.raw.get(start..).unwrap_or_default();
                self.keep_part();
            }
        }
        self.multipart.note(MultipartFault::Truncated);
    }

    fn note_line_end(&mut self, line: Line<'a>) {
        match line.end {
            b"\r\n" => self.multipart.flags.crlf_line = true,
            b"\n" => self.multipart.flags.lf_line = true,
            _ => {}
        }
    }

    fn find_marker(&self, from: usize) -> usize {
        let rest = self.raw.get(from..).unwrap_or_default();
        self.finder.find(rest).map_or(usize::MAX, |place| from + place)
    }
}

/// What C's `isspace` takes for blank; the standard library leaves out the vertical tab.
fn is_blank(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || *byte == 0x0b
}

/// The line with which `rest` begins.
fn line(rest: &[u8], start: usize) -> Line<'_> {
    let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let (text, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    let end_length = usize::from(!after.is_empty());
    match text.strip_suffix(b"\r") {
        Some(shorter) if end_length == 1 => {
            Line { start, text: shorter, end: rest.get(shorter.len()..=length).unwrap_or_default() }
        }
        _ => Line { start, text, end: after.get(..end_length).unwrap_or_default() },
    }
}
