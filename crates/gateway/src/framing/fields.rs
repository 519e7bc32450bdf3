//! The header section: every line checked, and the fields that frame the message collected.
//!
//! It knows Host, Content-Length and Transfer-Encoding and nothing else about meaning.

use super::body::BodyFraming;
use super::request_line::{RequestLine, TargetForm, Version};
use super::{HeadLimits, Refusal, Span, host};

/// Room for the header lines of most requests.
const LINES_USUAL: usize = 16;

/// What the header lines read so far amount to.
#[derive(Debug, Default)]
pub(super) struct Section {
    bytes: usize,
    host: Option<Span>,
    length: Option<u64>,
    chunked: bool,
    /// Names and values, without the blanks around them.
    lines: Vec<(Span, Span)>,
}

impl Section {
    /// Takes in one header line without its CRLF, which starts at `base` in the head.
    pub(super) fn line(
        &mut self,
        line: &[u8],
        base: usize,
        limits: &HeadLimits,
    ) -> Result<(), Refusal> {
        self.check_size(line.len() + 2, limits)?;
        self.bytes += line.len() + 2;
        if self.lines.len() >= limits.header_count {
            return Err(Refusal::TooManyHeaders);
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(Refusal::FoldedHeader);
        }
        let colon = name_length(line)?;
        let (name, value) = line.split_at_checked(colon).ok_or(Refusal::BadHeaderName)?;
        let value = value.get(1..).unwrap_or_default();
        if has_control(value) {
            // A CR that does not belong to the line break is the one worth its own name.
            let bare = value.contains(&b'\r');
            return Err(if bare { Refusal::BareLineBreak } else { Refusal::BadHeaderValue });
        }
        // Only blanks are left of what counts as white space, so trimming is exact.
        let place = trimmed(value, base + colon + 1);
        if self.lines.is_empty() {
            self.lines.reserve(LINES_USUAL);
        }
        self.lines.push((Span::new(base, base + colon), place));
        self.note(name, value.trim_ascii(), place, limits)
    }

    /// The lines taken in.
    pub(super) fn into_lines(self) -> Vec<(Span, Span)> {
        self.lines
    }

    /// Whether `more` bytes still fit in the header section.
    pub(super) fn check_size(&self, more: usize, limits: &HeadLimits) -> Result<(), Refusal> {
        if self.bytes + more > limits.header_bytes {
            return Err(Refusal::HeadersTooLarge);
        }
        Ok(())
    }

    fn note(
        &mut self,
        name: &[u8],
        value: &[u8],
        place: Span,
        limits: &HeadLimits,
    ) -> Result<(), Refusal> {
        // The lengths of the three names differ, so most lines cost one comparison.
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") && self.host.replace(place).is_some() => {
                return Err(Refusal::RepeatedHost);
            }
            14 if name.eq_ignore_ascii_case(b"content-length")
                && self.length.replace(decimal(value)?).is_some() =>
            {
                return Err(Refusal::RepeatedContentLength);
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Refusal::BadTransferEncoding);
                }
                self.chunked = true;
            }
            _ => {}
        }
        if limits.reject_underscores && name.contains(&b'_') {
            return Err(Refusal::Underscore);
        }
        Ok(())
    }

    /// Settles how the body is framed once the section is complete.
    pub(super) fn conclude(&self, line: &RequestLine, head: &[u8]) -> Result<BodyFraming, Refusal> {
        self.check_host(line, head)?;
        match (self.length, self.chunked) {
            (Some(_), true) => Err(Refusal::LengthAndEncoding),
            (None, true) if line.version == Version::Http10 => Err(Refusal::BadTransferEncoding),
            (None, true) => Ok(BodyFraming::Chunked),
            (Some(0) | None, false) => Ok(BodyFraming::None),
            (Some(length), false) => Ok(BodyFraming::Length(length)),
        }
    }

    fn check_host(&self, line: &RequestLine, head: &[u8]) -> Result<(), Refusal> {
        let Some(span) = self.host else {
            return match line.version {
                Version::Http10 => Ok(()),
                Version::Http11 | Version::Http2 => Err(Refusal::MissingHost),
            };
        };
        let host = span.of(head);
        if !host::is_authority(host) {
            return Err(Refusal::BadHost);
        }
        if let TargetForm::Absolute { authority, .. } = line.form
            && !host::agree(host, authority.of(head))
        {
            return Err(Refusal::HostMismatch);
        }
        Ok(())
    }
}

/// The length of the name that opens a header line, which a colon must follow at once.
fn name_length(line: &[u8]) -> Result<usize, Refusal> {
    let length = line.iter().take_while(|b| is_token_byte(**b)).count();
    if length == 0 || line.get(length) != Some(&b':') {
        let bare = line.get(length) == Some(&b'\r');
        return Err(if bare { Refusal::BareLineBreak } else { Refusal::BadHeaderName });
    }
    Ok(length)
}

fn decimal(value: &[u8]) -> Result<u64, Refusal> {
    // Nineteen digits always fit, and nobody sends more than that.
    if value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::BadContentLength);
    }
    Ok(value.iter().fold(0, |n: u64, d| n * 10 + u64::from(d - b'0')))
}

/// Where the value that follows a colon at `start` stands without the blanks around it.
fn trimmed(untrimmed: &[u8], start: usize) -> Span {
    let lead = untrimmed.len() - untrimmed.trim_ascii_start().len();
    Span::new(start + lead, start + lead + untrimmed.trim_ascii().len())
}

fn has_control(value: &[u8]) -> bool {
    value.iter().fold(false, |bad, &b| bad | ((b < 0x20) & (b != b'\t')) | (b == 0x7f))
}

pub(super) fn is_token(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| is_token_byte(*b))
}

const TOKEN: [bool; 256] = token_table();

pub(super) fn is_token_byte(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).copied().unwrap_or_default()
}

const fn token_table() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            );
        byte += 1;
    }
    table
}
