//! Takes the content coding off a body that is to be looked at (RFC 9110 §8.4).
//!
//! The output is bounded, so a bomb costs no more than what is wanted of it. A body that was cut
//! off gives what can be read of it. What is forwarded is never touched.

use std::{borrow::Cow, io::Read};

use http::HeaderValue;

/// Which codings are taken off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Codings {
    /// All, for answers of an upstream that belongs to the house.
    All,
    /// Those whose decoders need little memory whatever the input says: for bodies of strangers.
    Bounded,
}

/// A body without its coding.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// As much of it as was wanted.
    pub bytes: Cow<'a, [u8]>,
    /// Nothing is missing at its end.
    pub complete: bool,
}

/// `None` when the coding is unknown, not wanted here, or broken from the start.
pub fn decode<'a>(
    coding: Option<&HeaderValue>,
    body: &'a [u8],
    bytes_max: usize,
    codings: Codings,
) -> Option<Decoded<'a>> {
    let name = coding.map_or(&b""[..], |coding| coding.as_bytes().trim_ascii());
    if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
        return Some(Decoded { bytes: Cow::Borrowed(body), complete: true });
    }
    match name.to_ascii_lowercase().as_slice() {
        // All members of it: who reads only the first is shown another body than the upstream.
        b"gzip" | b"x-gzip" => read(flate2::read::MultiGzDecoder::new(body), bytes_max),
        // Both the zlib form that the name stands for and the bare form that many send.
        b"deflate" => read(flate2::read::ZlibDecoder::new(body), bytes_max)
            .or_else(|| read(flate2::read::DeflateDecoder::new(body), bytes_max)),
        b"br" if codings == Codings::All => {
            read(brotli_decompressor::Decompressor::new(body, 4096), bytes_max)
        }
        b"zstd" if codings == Codings::All => {
            read(ruzstd::decoding::StreamingDecoder::new(body).ok()?, bytes_max)
        }
        _ => None,
    }
}

fn read(decoder: impl Read, bytes_max: usize) -> Option<Decoded<'static>> {
    let mut bytes = Vec::new();
    // One byte more tells whether the end was reached.
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let outcome = decoder.take(limit).read_to_end(&mut bytes);
    let complete = outcome.is_ok() && bytes.len() <= bytes_max;
    if outcome.is_err() && bytes.is_empty() {
        return None;
    }
    bytes.truncate(bytes_max);
    Some(Decoded { bytes: Cow::Owned(bytes), complete })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(plain).expect("writes");
        encoder.finish().expect("finishes")
    }

    fn decoded(coding: &'static str, body: &[u8], codings: Codings) -> Option<(Vec<u8>, bool)> {
        let coding = HeaderValue::from_static(coding);
        let decoded = decode(Some(&coding), body, 1000, codings)?;
        Some((decoded.bytes.into_owned(), decoded.complete))
    }

    #[test]
    fn codings_come_off() {
        let plain = br#"{"token":"x"}"#;
        let body = gzip(plain);
        assert_eq!(decoded("gzip", &body, Codings::Bounded), Some((plain.to_vec(), true)));
        assert_eq!(decoded("GZIP", &body, Codings::All), Some((plain.to_vec(), true)));
        assert_eq!(decoded("identity", plain, Codings::All), Some((plain.to_vec(), true)));
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(plain).expect("writes");
        let zlib = zlib.finish().expect("finishes");
        assert_eq!(decoded("deflate", &zlib, Codings::All), Some((plain.to_vec(), true)));
        let bare = &zlib[2..zlib.len() - 4];
        assert_eq!(decoded("deflate", bare, Codings::All), Some((plain.to_vec(), true)));
    }

    #[test]
    fn a_bomb_gives_no_more_than_is_wanted() {
        let (bytes, complete) =
            decoded("gzip", &gzip(&vec![b'a'; 10 << 20]), Codings::All).expect("a start");
        assert_eq!((bytes.len(), complete), (1000, false));
    }

    #[test]
    fn what_is_cut_off_gives_its_beginning() {
        let body = gzip(&(0..900_u32).flat_map(|n| (n % 251).to_be_bytes()).collect::<Vec<_>>());
        let (bytes, complete) =
            decoded("gzip", &body[..body.len() / 2], Codings::All).expect("a start");
        assert!(!bytes.is_empty() && !complete);
    }

    #[test]
    fn a_second_member_is_no_hiding_place() {
        let body = [gzip(b"{\"a\":1,"), gzip(b"\"b\":2}")].concat();
        let whole = br#"{"a":1,"b":2}"#.to_vec();
        assert_eq!(decoded("gzip", &body, Codings::Bounded), Some((whole, true)));
        let trailed = [gzip(b"{}"), b"rest".to_vec()].concat();
        assert_eq!(decoded("gzip", &trailed, Codings::Bounded), Some((b"{}".to_vec(), false)));
    }

    #[test]
    fn what_is_unknown_or_broken_is_left_alone() {
        assert_eq!(decoded("gzip", b"not gzip", Codings::All), None);
        assert_eq!(decoded("compress", b"x", Codings::All), None);
        assert_eq!(decoded("gzip, br", b"x", Codings::All), None);
        assert_eq!(decoded("br", b"x", Codings::Bounded), None);
    }
}
