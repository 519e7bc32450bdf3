//! Takes the body of an answer out of its HTTP/1 framing.

use bytes::{Bytes, BytesMut};
use http_body::Frame;

use super::answer_head::Framing;
use crate::{
    framing::{BodyFraming, BodyPart, BodyScanner},
    headers::read_trailers,
};

/// Reads one body.
pub(super) enum BodyReader {
    /// It ends where its framing says.
    Framed { scanner: BodyScanner, trailers: Vec<u8> },
    /// It ends with the connection.
    UntilClose { ended: bool },
}

/// The framing is broken.
pub(super) struct Malformed;

impl BodyReader {
    pub(super) fn new(framing: Framing) -> Self {
        let framing = match framing {
            Framing::UntilClose => return Self::UntilClose { ended: false },
            Framing::Length(length) => BodyFraming::Length(length),
            Framing::Chunked => BodyFraming::Chunked,
        };
        Self::Framed { scanner: BodyScanner::of_answer(framing), trailers: Vec::new() }
    }

    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Framed { scanner, .. } => scanner.is_done(),
            Self::UntilClose { ended } => *ended,
        }
    }

    /// Bytes that are still to come, if that is known.
    pub(super) fn left(&self) -> Option<u64> {
        match self {
            Self::Framed { scanner, .. } => scanner.length_left(),
            Self::UntilClose { ended } => ended.then_some(0),
        }
    }

    /// The connection has ended; whether the body ends well with it.
    pub(super) fn end(&mut self) -> bool {
        if let Self::UntilClose { ended } = self {
            *ended = true;
        }
        self.is_done()
    }

    /// The next piece in `input`, if one is there.
    pub(super) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Frame<Bytes>>, Malformed> {
        let (scanner, trailers) = match self {
            Self::UntilClose { .. } if input.is_empty() => return Ok(None),
            Self::UntilClose { .. } => return Ok(Some(Frame::data(input.split().freeze()))),
            Self::Framed { scanner, trailers } => (scanner, trailers),
        };
        while !scanner.is_done() && !input.is_empty() {
            match scanner.part(input).map_err(|_| Malformed)? {
                BodyPart::Data(length) => {
                    return Ok(Some(Frame::data(input.split_to(length).freeze())));
                }
                BodyPart::Framing(length) => drop(input.split_to(length)),
                BodyPart::Trailers(length) => trailers.extend_from_slice(&input.split_to(length)),
            }
        }
        if scanner.is_done() && !trailers.is_empty() {
            let fields = read_trailers(std::mem::take(trailers));
            return Ok((!fields.is_empty()).then(|| Frame::trailers(fields)));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    /// Data and trailers of a body that comes in pieces of `size` bytes, and what comes after it.
    fn read(framing: Framing, wire: &str, size: usize) -> Option<(String, HeaderMap, String)> {
        let mut reader = BodyReader::new(framing);
        let (mut input, mut data, mut trailers) = (BytesMut::new(), Vec::new(), HeaderMap::new());
        for piece in wire.as_bytes().chunks(size) {
            input.extend_from_slice(piece);
            while let Some(frame) = reader.next(&mut input).ok()? {
                match frame.into_data() {
                    Ok(piece) => data.extend_from_slice(&piece),
                    Err(last) => trailers = last.into_trailers().expect("trailers"),
                }
            }
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        reader.end().then(|| (text(&data), trailers, text(&input)))
    }

    #[test]
    fn a_body_is_read_however_it_is_cut_up() {
        let chunked = "4\r\nwiki\r\n5  \r\npedia\r\n0\r\nsum: 9\r\n\r\nnext";
        for (framing, wire, body, rest, trailers) in [
            (Framing::Length(9), "wikipedianext", "wikipedia", "next", 0),
            (Framing::Length(0), "next", "", "next", 0),
            (Framing::UntilClose, "wikipedia", "wikipedia", "", 0),
            (Framing::Chunked, chunked, "wikipedia", "next", 1),
            (Framing::Chunked, "0\r\n\r\nnext", "", "next", 0),
        ] {
            for size in 1..=wire.len() {
                let (data, fields, after) = read(framing, wire, size).expect("a body");
                assert_eq!((data.as_str(), after.as_str(), fields.len()), (body, rest, trailers));
            }
        }
    }

    #[test]
    fn a_body_that_breaks_off_or_breaks_its_framing_does_not_end() {
        for (framing, wire) in [
            (Framing::Length(9), "wiki"),
            (Framing::Chunked, "4\r\nwiki\r\n"),
            (Framing::Chunked, "4\r\nwiki0\r\n\r\n"),
            (Framing::Chunked, "x\r\nwiki\r\n0\r\n\r\n"),
            (Framing::Chunked, "4 4\r\nwiki\r\n0\r\n\r\n"),
            (Framing::Chunked, "0\r\na b\r\n\r\n"),
        ] {
            assert!(read(framing, wire, wire.len()).is_none(), "{wire:?}");
            assert!(read(framing, wire, 1).is_none(), "{wire:?}");
        }
    }
}
