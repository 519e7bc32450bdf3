//! Follows a body through its framing to the byte after its end, where the next head starts.
//!
//! It says of the bytes which are data, framing and trailers. The next head is found where every
//! careful server would look for it.

use super::{Refusal, fields};

/// How the body of a request is delimited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BodyFraming {
    /// There is none.
    None,
    /// Exactly this many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// Walks over one body.
#[derive(Debug)]
pub struct BodyScanner {
    state: State,
    /// Bytes of the body or chunk still to come; while a size is read, the size so far.
    left: u64,
    /// Bytes of the part that is bounded by itself: size digits, extension, or trailers.
    part_bytes: u32,
    /// Blanks may follow a chunk's size.
    padded: bool,
}

/// What comes next in a body, and how many bytes of it are there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BodyPart {
    Data(usize),
    /// Chunk sizes and line breaks.
    Framing(usize),
    /// Trailer lines as received, with the empty line that ends them.
    Trailers(usize),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Done,
    /// A body of known length.
    Length,
    Size,
    Padding,
    ExtensionStart,
    ExtensionName,
    ExtensionValueStart,
    ExtensionValue,
    ExtensionQuoted,
    ExtensionEscaped,
    ExtensionEnd,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
}

/// Sixteen digits would overflow signed arithmetic elsewhere; nobody sends a chunk of a petabyte.
const SIZE_DIGITS_MAX: u32 = 15;
/// Extensions have no use in practice and are a known way to make a server chew.
const EXTENSION_BYTES_MAX: u32 = 1024;
const TRAILER_BYTES_MAX: u32 = 8 << 10;

impl BodyScanner {
    /// Starts at the first byte after a head.
    #[must_use]
    pub fn new(framing: BodyFraming) -> Self {
        let (state, left) = match framing {
            BodyFraming::None | BodyFraming::Length(0) => (State::Done, 0),
            BodyFraming::Length(length) => (State::Length, length),
            BodyFraming::Chunked => (State::Size, 0),
        };
        Self { state, left, part_bytes: 0, padded: false }
    }

    /// The same for an answer. Old servers reserve room for a chunk's size and fill it with blanks;
    /// to look for a second meaning in them would take a caller's malice.
    pub(crate) fn of_answer(framing: BodyFraming) -> Self {
        Self { padded: true, ..Self::new(framing) }
    }

    /// Whether the whole body has passed.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// How many bytes are still to come, if that was promised.
    pub(crate) fn length_left(&self) -> Option<u64> {
        match self.state {
            State::Done => Some(0),
            State::Length => Some(self.left),
            _ => None,
        }
    }

    /// Takes in bytes of one kind from the start of `bytes`.
    pub(crate) fn part(&mut self, bytes: &[u8]) -> Result<BodyPart, Refusal> {
        if matches!(self.state, State::Length | State::Data) {
            return Ok(BodyPart::Data(self.take(bytes.len())));
        }
        let trailers = self.is_in_trailers();
        let mut length = 0;
        for &byte in bytes {
            if self.is_done() || self.state == State::Data || self.is_in_trailers() != trailers {
                break;
            }
            self.framing_byte(byte)?;
            length += 1;
        }
        Ok(if trailers { BodyPart::Trailers(length) } else { BodyPart::Framing(length) })
    }

    fn is_in_trailers(&self) -> bool {
        use State::{EndLf, TrailerLf, TrailerName, TrailerStart, TrailerValue};
        matches!(self.state, EndLf | TrailerLf | TrailerName | TrailerStart | TrailerValue)
    }

    /// Takes in `bytes`; says how many of them belong to this body.
    ///
    /// # Errors
    /// When the chunk framing is broken; the bytes before the fault were part of the body.
    pub fn pass(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..)
            && let Some(&byte) = rest.first()
        {
            match self.state {
                State::Done => break,
                State::Length | State::Data => at += self.take(rest.len()),
                _ => {
                    self.framing_byte(byte)?;
                    at += 1;
                }
            }
        }
        Ok(at)
    }

    fn take(&mut self, available: usize) -> usize {
        let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(available);
        self.left -= taken as u64;
        if self.left == 0 {
            self.state = if self.state == State::Data { State::DataCr } else { State::Done };
        }
        taken
    }

    fn framing_byte(&mut self, byte: u8) -> Result<(), Refusal> {
        self.state = match (self.state, byte) {
            (State::Size, _) => return self.size_byte(byte),
            (State::Padding, b' ' | b'\t') => {
                self.count(EXTENSION_BYTES_MAX)?;
                State::Padding
            }
            (State::Padding, b'\r') => State::SizeLf,
            (
                State::ExtensionStart
                | State::ExtensionName
                | State::ExtensionValueStart
                | State::ExtensionValue
                | State::ExtensionQuoted
                | State::ExtensionEscaped
                | State::ExtensionEnd,
                _,
            ) => return self.extension_byte(byte),
            (State::TrailerValue, b'\r') => State::TrailerLf,
            (State::SizeLf, b'\n') => {
                self.part_bytes = 0;
                if self.left == 0 { State::TrailerStart } else { State::Data }
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => {
                self.part_bytes = 0;
                State::Size
            }
            (State::TrailerStart, b'\r') => State::EndLf,
            (State::TrailerStart, _) if fields::is_token_byte(byte) => State::TrailerName,
            (State::TrailerName, b':') => State::TrailerValue,
            (State::TrailerName, _) if fields::is_token_byte(byte) => State::TrailerName,
            (State::TrailerValue, _) if !is_control(byte) => State::TrailerValue,
            (State::TrailerLf, b'\n') => State::TrailerStart,
            (State::EndLf, b'\n') => State::Done,
            _ => return Err(Refusal::BadChunk),
        };
        match self.state {
            State::TrailerStart | State::TrailerName | State::TrailerValue | State::TrailerLf => {
                self.count(TRAILER_BYTES_MAX)
            }
            _ => Ok(()),
        }
    }

    fn size_byte(&mut self, byte: u8) -> Result<(), Refusal> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            b'\r' | b';' if self.part_bytes > 0 => {
                self.state = if byte == b';' { State::ExtensionStart } else { State::SizeLf };
                self.part_bytes = 0;
                return Ok(());
            }
            b' ' | b'\t' if self.part_bytes > 0 && self.padded => {
                self.state = State::Padding;
                self.part_bytes = 0;
                return Ok(());
            }
            _ => return Err(Refusal::BadChunk),
        };
        self.count(SIZE_DIGITS_MAX)?;
        self.left = self.left << 4 | u64::from(digit);
        Ok(())
    }

    /// `;name`, `;name=token` or `;name="quoted"`, without the white space that RFC 9112 §7.1.1
    /// calls bad: where servers differ on it, a body can be made to end in two places.
    fn extension_byte(&mut self, byte: u8) -> Result<(), Refusal> {
        self.count(EXTENSION_BYTES_MAX)?;
        self.state = match (self.state, byte) {
            (State::ExtensionQuoted, b'"') => State::ExtensionEnd,
            (State::ExtensionQuoted, b'\\') => State::ExtensionEscaped,
            (State::ExtensionQuoted | State::ExtensionEscaped, _) if !is_control(byte) => {
                State::ExtensionQuoted
            }
            (State::ExtensionName | State::ExtensionValue | State::ExtensionEnd, b'\r') => {
                State::SizeLf
            }
            (State::ExtensionName | State::ExtensionValue | State::ExtensionEnd, b';') => {
                State::ExtensionStart
            }
            (State::ExtensionName, b'=') => State::ExtensionValueStart,
            (State::ExtensionValueStart, b'"') => State::ExtensionQuoted,
            (State::ExtensionStart | State::ExtensionName, _) if fields::is_token_byte(byte) => {
                State::ExtensionName
            }
            (State::ExtensionValueStart | State::ExtensionValue, _)
                if fields::is_token_byte(byte) =>
            {
                State::ExtensionValue
            }
            _ => return Err(Refusal::BadChunk),
        };
        Ok(())
    }

    fn count(&mut self, most: u32) -> Result<(), Refusal> {
        self.part_bytes += 1;
        if self.part_bytes > most { Err(Refusal::BadChunk) } else { Ok(()) }
    }
}

fn is_control(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f
}
