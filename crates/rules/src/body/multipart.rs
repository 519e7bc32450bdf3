//! `multipart/form-data` (RFC 7578): fields, files, part headers, and every strictness flag of
//! ModSecurity.
//!
//! Multipart is where servers differ most, so that is what is told: whatever two of them could read
//! in two ways sets a flag or a fault, and the part is kept in each reading. A file's content is no
//! argument; but when the headers that make it a file are odd, another server may see a field
//! there, and then it is both. A part without a name is an argument with an empty one.
//!
//! Nested multipart bodies are not taken apart: servers have not read them since RFC 7578. The
//! inner text is a field's value, and its boundaries set the flag for unmatched ones.

mod boundary;
mod disposition;
mod reader;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use thiserror::Error;

use super::arguments::Argument;
use super::limits::Limits;

/// A multipart body as its parts.
#[derive(Clone, Debug, Default)]
pub struct Multipart<'a> {
    /// In document order.
    pub parts: Vec<Part<'a>>,
    /// What is allowed but odd.
    pub flags: Flags,
    /// The first fault: `REQBODY_ERROR_MSG`.
    pub fault: Option<MultipartFault>,
    /// What stands before the first boundary; servers skip it.
    pub preamble: &'a [u8],
    /// What stands behind the last boundary, or was not read because of a bound.
    pub unread: &'a [u8],
}

/// One part.
#[derive(Clone, Debug, Default)]
pub struct Part<'a> {
    /// The name of its field; when it was given more than one, the others follow.
    pub names: Vec<Cow<'a, [u8]>>,
    /// Every file name it was given, `filename*` decoded; those that can be read in two ways twice.
    pub filenames: Vec<Cow<'a, [u8]>>,
    /// Its header lines as they stand, without the line end; folded ones joined by a space.
    pub headers: Vec<Cow<'a, [u8]>>,
    /// What it holds, as it stands.
    pub content: &'a [u8],
    /// Its headers are faulty, so that another server may take a file for a field.
    pub is_suspect: bool,
}

/// What is odd about a multipart body. Each is the variable of the name with `MULTIPART_` before
/// it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Flags {
    /// The boundary stands in quotes in the Content-Type.
    pub boundary_quoted: bool,
    /// Blanks around the equals sign of the boundary.
    pub boundary_whitespace: bool,
    /// Data before the first boundary.
    pub data_before: bool,
    /// Data behind the last boundary.
    pub data_after: bool,
    /// A folded header line.
    pub header_folding: bool,
    /// A folded header line that begins with neither blank nor tab.
    pub invalid_header_folding: bool,
    /// A line of structure ends with LF.
    pub lf_line: bool,
    /// A line of structure ends with CRLF. Not odd by itself.
    pub crlf_line: bool,
    /// No semicolon before the boundary in the Content-Type.
    pub missing_semicolon: bool,
    /// A name in single quotes, or with one in it and no quotes around it, or with something behind
    /// its quotes.
    pub invalid_quoting: bool,
    /// A part without a name, or whose Content-Disposition is missing or malformed.
    pub invalid_part: bool,
    /// More files than [`Limits::files_max`].
    pub file_limit_exceeded: bool,
    /// Lines that look like boundaries and are none.
    pub unmatched_boundary: UnmatchedBoundary,
}

/// `MULTIPART_UNMATCHED_BOUNDARY`, with the values that libmodsecurity's recommended rules expect.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum UnmatchedBoundary {
    /// 0: none.
    #[default]
    None,
    /// 1: one, and no true boundary after it: the content may have been cut wrongly.
    Open = 1,
    /// 2: one within a part that ended with a true boundary, as texts with dashes have.
    Enclosed = 2,
}

/// What is wrong with a multipart body.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum MultipartFault {
    /// Longer than [`Limits::body_bytes_max`].
    #[error("multipart body longer than the limit")]
    TooLong,
    /// More than [`Limits::parts_max`].
    #[error("more parts than the limit")]
    TooManyParts,
    /// More than [`Limits::part_headers_max`].
    #[error("more part headers than the limit")]
    TooManyHeaders,
    /// Longer than [`Limits::part_header_bytes_max`].
    #[error("part header longer than the limit")]
    HeaderTooLong,
    /// The Content-Type is not multipart/form-data, or is too long.
    #[error("Content-Type is not multipart/form-data")]
    ContentType,
    /// The Content-Type has no boundary, more than one, or one that can be read in two ways.
    #[error("no unambiguous boundary in Content-Type")]
    Boundary,
    /// No boundary in the body.
    #[error("no boundary in the body")]
    NoBoundary,
    /// A boundary with something before or behind it in its line.
    #[error("malformed boundary line")]
    BoundaryLine,
    /// The last boundary is missing.
    #[error("final boundary is missing")]
    Truncated,
    /// A header line without a name or colon, or with a byte that headers cannot hold.
    #[error("malformed part header")]
    Header,
    /// The same header twice in one part.
    #[error("duplicate part header")]
    DuplicateHeader,
    /// A boundary right behind the headers of a part, with no blank line or no content between.
    #[error("part ends with its headers")]
    UnendedHeaders,
    /// A part without Content-Disposition.
    #[error("part without Content-Disposition")]
    NoDisposition,
    /// A Content-Disposition without a name.
    #[error("part without a name")]
    NoName,
    /// A Content-Disposition that can be read in two ways.
    #[error("malformed Content-Disposition")]
    Disposition,
}

/// Reads a multipart body. `content_type` is the value of the header, which names the boundary. An
/// empty body has no parts and no fault but those of the header.
#[must_use]
pub fn parse<'a>(body: &'a [u8], content_type: &[u8], limits: &Limits) -> Multipart<'a> {
    let (raw, beyond) = limits.split(body);
    let mut multipart = Multipart::default();
    if !beyond.is_empty() {
        multipart.fault = Some(MultipartFault::TooLong);
    }
    let unread = match boundary::find(content_type, limits, &mut multipart) {
        Some(boundary) => reader::read(raw, boundary, limits, &mut multipart),
        None => 0,
    };
    multipart.unread = body.get(unread..).unwrap_or_default();
    multipart
}

impl<'a> Multipart<'a> {
    /// The arguments: what is no file, or may be none.
    pub fn fields(&self) -> impl Iterator<Item = Argument<'_>> + Clone {
        let fields = self.parts.iter().filter(|part| !part.is_file() || part.is_suspect);
        fields.flat_map(|part| {
            let first = Argument { name: part.name(), value: part.content };
            // A second name is shown as one; its value has been.
            let others = part.names.iter().skip(1);
            std::iter::once(first).chain(others.map(|name| Argument { name, value: b"" }))
        })
    }

    /// The parts that are files. `FILES_NAMES` has their names, `FILES` their file names.
    pub fn files(&self) -> impl Iterator<Item = &Part<'a>> + Clone {
        self.parts.iter().filter(|part| part.is_file())
    }

    /// The bytes of all files: `FILES_COMBINED_SIZE`.
    #[must_use]
    pub fn files_combined_bytes(&self) -> usize {
        self.files().map(|file| file.content.len()).sum()
    }

    /// `MULTIPART_PART_HEADERS`: each header line, by the name of its part.
    pub fn part_headers(&self) -> impl Iterator<Item = Argument<'_>> + Clone {
        self.parts.iter().flat_map(|part| {
            part.headers.iter().map(|line| Argument { name: part.name(), value: line })
        })
    }

    /// `MULTIPART_STRICT_ERROR`: a fault, or any flag but those for unmatched boundaries and CRLF.
    #[must_use]
    pub const fn strict_error(&self) -> bool {
        let flags = &self.flags;
        self.fault.is_some()
            || flags.boundary_quoted
            || flags.boundary_whitespace
            || flags.data_before
            || flags.data_after
            || flags.header_folding
            || flags.invalid_header_folding
            || flags.lf_line
            || flags.missing_semicolon
            || flags.invalid_quoting
            || flags.invalid_part
            || flags.file_limit_exceeded
    }

    fn note(&mut self, fault: MultipartFault) {
        self.fault.get_or_insert(fault);
    }
}

impl Part<'_> {
    /// The name of its field, empty if it has none: `MULTIPART_NAME`.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.names.first().map_or(b"", |name| name)
    }

    /// Has it a file name? An empty one makes a field, as in ModSecurity.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.filenames.iter().any(|filename| !filename.is_empty())
    }
}

impl Flags {
    /// `MULTIPART_CRLF_LF_LINES`: both sorts of line ends.
    #[must_use]
    pub const fn crlf_lf_lines(&self) -> bool {
        self.crlf_line && self.lf_line
    }
}
