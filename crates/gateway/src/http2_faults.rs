//! What the HTTP/2 library refuses by itself, read off the frames that it sends.
//!
//! A stream that breaks HTTP/2's own rules is reset, and a connection that does is ended, before
//! any request reaches the service. The caller learns of it the way the protocol has for it, where
//! no event ID has a place; the operator learns of it because every RST_STREAM and GOAWAY that
//! names an error passes here on its way out. One thing is answered instead, with a bare 431: a
//! header list far beyond the limit.

use std::collections::VecDeque;

use crate::framing::Refusal;

/// The header of a frame (RFC 9113 §4.1).
const HEADER_BYTES: usize = 9;
/// The header and as much of the payload as holds the error code: GOAWAY says another stream first.
const NOTED_BYTES: usize = HEADER_BYTES + 8;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;

/// Reads the frames that go out, however they are cut up.
#[derive(Debug, Default)]
pub(crate) struct SentFrames {
    noted: [u8; NOTED_BYTES],
    have: usize,
    /// Bytes of the running frame that are of no interest.
    skip: usize,
    /// Streams on which an answer has begun and not ended.
    begun: VecDeque<u32>,
}

impl SentFrames {
    /// Takes in bytes that were sent; calls `fault` with each error among them.
    pub(crate) fn pass(&mut self, mut bytes: &[u8], mut fault: impl FnMut(Refusal)) {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let now = self.skip.min(bytes.len());
                self.skip -= now;
                bytes = bytes.get(now..).unwrap_or_default();
                continue;
            }
            let wanted = self.wanted();
            let now = wanted.saturating_sub(self.have).min(bytes.len());
            let (taken, rest) = bytes.split_at(now);
            if let Some(place) = self.noted.get_mut(self.have..self.have + now) {
                place.copy_from_slice(taken);
            }
            self.have += now;
            bytes = rest;
            if self.have >= HEADER_BYTES && self.have == self.wanted() {
                let refused = self.error().and_then(refusal);
                let refused = refused
                    .or_else(|| self.is_bare_status().then_some(Refusal::Http2HeadersTooLarge));
                if let Some(refused) = refused {
                    fault(refused);
                }
                self.skip = self.length() + HEADER_BYTES - self.have;
                self.have = 0;
            }
        }
    }

    /// How many bytes of the running frame are of interest.
    fn wanted(&self) -> usize {
        let payload = match self.noted.get(3) {
            Some(&RST_STREAM) => 4,
            Some(&GOAWAY) => 8,
            _ => 0,
        };
        let known = self.have >= HEADER_BYTES;
        HEADER_BYTES + if known { payload.min(self.length()) } else { 0 }
    }

    fn length(&self) -> usize {
        let [a, b, c, ..] = self.noted;
        usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX)
    }

    /// The error code at the end of what is noted, if the frame carries one.
    fn error(&self) -> Option<u32> {
        let carries = matches!(self.noted.get(3), Some(&RST_STREAM | &GOAWAY));
        let code = self.noted.get(..self.have)?.last_chunk::<4>()?;
        (carries && self.have > HEADER_BYTES).then(|| u32::from_be_bytes(*code))
    }

    /// An answer of nothing but a status: all answers of ours have an ID. It is told from trailers
    /// by the stream, on which nothing was answered before.
    fn is_bare_status(&mut self) -> bool {
        let [_, _, _, kind, flags, a, b, c, d, ..] = self.noted;
        let stream = u32::from_be_bytes([a, b, c, d]);
        if !matches!(kind, DATA | HEADERS) {
            return false;
        }
        let begun = self.begun.iter().position(|begun| *begun == stream);
        let ends = flags & END_STREAM != 0;
        match begun {
            Some(place) if ends => {
                self.begun.swap_remove_back(place);
            }
            None if !ends => {
                // Streams that the caller reset are the oldest in the end.
                if self.begun.len() == BEGUN_MAX {
                    self.begun.pop_front();
                }
                self.begun.push_back(stream);
            }
            _ => {}
        }
        kind == HEADERS && ends && begun.is_none() && self.length() <= BARE_STATUS_BYTES
    }
}

/// More answers than this are not told from each other; a policy allows a hundred at once.
const BEGUN_MAX: usize = 1_024;
/// The name's index, a length, and three digits.
const BARE_STATUS_BYTES: usize = 5;
/// Errors that are the caller's doing (RFC 9113 §7); the others are our own way of letting go.
const fn refusal(code: u32) -> Option<Refusal> {
    Some(match code {
        0x1 => Refusal::Http2Protocol,
        0x3 => Refusal::Http2FlowControl,
        0x4 => Refusal::Http2Settings,
        0x5 => Refusal::Http2StreamClosed,
        0x6 => Refusal::Http2FrameSize,
        0x9 => Refusal::Http2Compression,
        0xb => Refusal::Http2Resets,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        on(5, END_STREAM, kind, payload)
    }

    fn on(stream: u8, flags: u8, kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags, 0, 0, 0, stream]);
        frame.extend(payload);
        frame
    }

    fn faults(bytes: &[u8], piece: usize) -> Vec<&'static str> {
        let mut sent = SentFrames::default();
        let mut faults = Vec::new();
        bytes
            .chunks(piece)
            .for_each(|bytes| sent.pass(bytes, |refused| faults.push(refused.name())));
        faults
    }

    #[test]
    fn errors_are_found_however_the_bytes_are_cut() {
        let bytes = [
            frame(4, &[0; 36]),
            frame(RST_STREAM, &[0, 0, 0, 1]),
            frame(0, &[RST_STREAM; 300]),
            frame(RST_STREAM, &[0, 0, 0, 8]),
            frame(4, &[]),
            frame(GOAWAY, b"\0\0\0\x07\0\0\0\x09debug data"),
            frame(GOAWAY, &[0, 0, 0, 7, 0, 0, 0, 0]),
            frame(RST_STREAM, &[0, 0, 0, 11]),
            // A bare status; an answer with more to it; trailers, and a bare status after them.
            frame(HEADERS, &[0x48, 0x82, 0x68, 0x5f]),
            frame(HEADERS, b"\x48\x82\x68\x5f\x40\x01a\x01b"),
            on(9, 0, HEADERS, &[0x88]),
            on(7, 0, HEADERS, &[0x88]),
            on(7, 0, DATA, b"some"),
            on(7, END_STREAM, HEADERS, &[0xbe]),
            on(9, END_STREAM, DATA, b""),
            on(9, END_STREAM, HEADERS, &[0xbe]),
        ]
        .concat();
        let expected = [
            "http2-protocol-error",
            "http2-compression-error",
            "http2-too-many-resets",
            "http2-headers-too-large",
            "http2-headers-too-large",
        ];
        for piece in [1, 2, 3, 7, 9, 13, 64, bytes.len()] {
            assert_eq!(faults(&bytes, piece), expected, "in pieces of {piece}");
        }
    }
}
