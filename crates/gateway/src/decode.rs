//! Takes the content codings off a body that is to be looked at (RFC 9110 §8.4).
//!
//! The output is bounded, so a bomb costs no more than what is wanted of it, and so is what a
//! decoder takes for itself where strangers write the input. A body that was cut off gives what can
//! be read of it. What is forwarded is never touched.

use std::{
    borrow::Cow,
    io::{ErrorKind, Read},
};

use http::{HeaderMap, header};

/// More codings on top of each other than anybody needs.
const CODINGS_MAX: usize = 3;
/// How far back a body of a stranger may refer: what encoders do unless they are told otherwise.
const BROTLI_WINDOW_BITS_MAX: u8 = 22;
/// The same, as the coding is defined for HTTP (RFC 9659).
const ZSTD_WINDOW_MAX: u64 = 8 << 20;
/// Frames that may follow each other in one body.
const ZSTD_FRAMES_MAX: usize = 64;

/// Which codings are taken off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Codings {
    /// All, for answers of an upstream that belongs to the house.
    All,
    /// Those whose decoders need little memory whatever the input says: for bodies of strangers.
    Bounded,
}

/// A body without its codings.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// As much of it as was wanted.
    pub bytes: Cow<'a, [u8]>,
    /// Nothing is missing at its end.
    pub complete: bool,
    /// It stops at something that its coding does not allow. In some codings that cannot be told
    /// from a body that is cut off.
    pub broken: bool,
}

#[derive(Clone, Copy)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// `None` when a coding is unknown, not wanted here, or broken from the start.
pub fn decode<'a>(
    headers: &HeaderMap,
    body: &'a [u8],
    bytes_max: usize,
    codings: Codings,
) -> Option<Decoded<'a>> {
    let mut decoded = Decoded { bytes: Cow::Borrowed(body), complete: true, broken: false };
    if !headers.contains_key(header::CONTENT_ENCODING) {
        return Some(decoded);
    }
    // The last one was put on last.
    for coding in named(headers)?.into_iter().rev() {
        let next = coding.take_off(&decoded.bytes, bytes_max, codings)?;
        decoded = Decoded {
            complete: next.complete && decoded.complete,
            broken: next.broken || decoded.broken,
            ..next
        };
    }
    Some(decoded)
}

/// The codings that all lines of the header together name, in the order they were put on.
fn named(headers: &HeaderMap) -> Option<Vec<Coding>> {
    let mut named = Vec::new();
    let lines = headers.get_all(header::CONTENT_ENCODING).iter();
    for name in lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')) {
        let coding = match name.trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => continue,
            b"gzip" | b"x-gzip" => Coding::Gzip,
            b"deflate" => Coding::Deflate,
            b"br" => Coding::Brotli,
            b"zstd" => Coding::Zstd,
            _ => return None,
        };
        if named.len() == CODINGS_MAX {
            return None;
        }
        named.push(coding);
    }
    Some(named)
}

impl Coding {
    fn take_off(self, body: &[u8], bytes_max: usize, codings: Codings) -> Option<Decoded<'static>> {
        match self {
            // Several members are one body.
            Self::Gzip => read(flate2::read::MultiGzDecoder::new(body), bytes_max),
            // Both the zlib form that the name stands for and the bare form that many send.
            Self::Deflate => read(flate2::read::ZlibDecoder::new(body), bytes_max)
                .or_else(|| read(flate2::read::DeflateDecoder::new(body), bytes_max)),
            Self::Brotli if codings == Codings::Bounded && reaches_far(body) => None,
            Self::Brotli => {
                let decoded = read(brotli_decompressor::Decompressor::new(body, 4096), bytes_max)?;
                Some(Decoded { broken: false, ..decoded })
            }
            Self::Zstd => zstd(body, bytes_max, codings),
        }
    }
}

/// Whether a body in Brotli has a larger window than strangers may have (RFC 7932 §9.1).
fn reaches_far(body: &[u8]) -> bool {
    let first = body.first().copied().unwrap_or_default();
    let bits = if first & 1 == 0 { 16 } else { 17 + ((first >> 1) & 7) };
    // The last is what windows beyond the standard begin with.
    bits > BROTLI_WINDOW_BITS_MAX || first & 0x7f == 0x11
}

/// All frames, one after the other.
fn zstd(mut body: &[u8], bytes_max: usize, codings: Codings) -> Option<Decoded<'static>> {
    use ruzstd::decoding::{DEFAULT_MAX_WINDOW_SIZE, StreamingDecoder};
    let window = match codings {
        Codings::All => DEFAULT_MAX_WINDOW_SIZE,
        Codings::Bounded => ZSTD_WINDOW_MAX,
    };
    let mut all: Option<Decoded<'static>> = None;
    for _ in 0..ZSTD_FRAMES_MAX {
        let Ok(mut decoder) = StreamingDecoder::new_with_max_window_size(&mut body, window) else {
            break;
        };
        let so_far = all.as_ref().map_or(0, |all| all.bytes.len());
        let Some(next) = read(&mut decoder, bytes_max.saturating_sub(so_far)) else { break };
        let all =
            all.get_or_insert(Decoded { bytes: Cow::default(), complete: false, broken: false });
        all.bytes.to_mut().extend_from_slice(&next.bytes);
        drop(decoder);
        if !next.complete || body.is_empty() {
            all.complete = next.complete;
            break;
        }
    }
    all
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
    let broken = outcome.is_err_and(|error| error.kind() != ErrorKind::UnexpectedEof);
    Some(Decoded { bytes: Cow::Owned(bytes), complete, broken })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use http::HeaderValue;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(plain).expect("writes");
        encoder.finish().expect("finishes")
    }

    fn decoded(coding: &'static str, body: &[u8], codings: Codings) -> Option<(Vec<u8>, bool)> {
        let mut headers = HeaderMap::new();
        for line in coding.split('|') {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(line));
        }
        let decoded = decode(&headers, body, 1000, codings)?;
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
        assert_eq!(decoded("identity;", b"x", Codings::All), None);
        assert_eq!(decoded("gzip, gzip, gzip, gzip", b"x", Codings::All), None);
    }

    #[test]
    fn lists_repeated_lines_and_members_are_one_body() {
        let twice = gzip(&gzip(b"plain"));
        let plain = Some((b"plain".to_vec(), true));
        assert_eq!(decoded("gzip, identity,, gzip", &twice, Codings::Bounded), plain);
        assert_eq!(decoded("gzip|gzip", &twice, Codings::Bounded), plain);
        assert_eq!(decoded("identity|identity", b"plain", Codings::Bounded), plain);
        let members = [gzip(b"pl"), gzip(b"ain")].concat();
        assert_eq!(decoded("gzip", &members, Codings::Bounded), plain);
        let garbage = [&gzip(b"plain")[..], b"{}"].concat();
        assert_eq!(decoded("gzip", &garbage, Codings::Bounded), Some((b"plain".to_vec(), false)));
    }

    #[test]
    fn brotli_and_zstd_come_off_within_a_window() {
        // As the reference encoders write them.
        let brotli = b"\x0b\x02\x80plain\x03";
        let plain = Some((b"plain".to_vec(), true));
        assert_eq!(decoded("br", brotli, Codings::Bounded), plain);
        let zstd = b"\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00plain";
        assert_eq!(decoded("zstd", zstd, Codings::Bounded), plain);
        let both = [&zstd[..], zstd].concat();
        assert_eq!(decoded("zstd", &both, Codings::Bounded), Some((b"plainplain".to_vec(), true)));
        // A window of 16 MiB.
        let far = b"\x0f\x02\x80plain\x03";
        assert_eq!(decoded("br", far, Codings::Bounded), None);
        let far = b"\x28\xb5\x2f\xfd\x00\x70\x29\x00\x00plain";
        assert_eq!(decoded("zstd", far, Codings::Bounded), None);
    }
}
