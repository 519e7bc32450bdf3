//! A request's path in segments, decoded once.
//!
//! Percent-encoding is undone once, the parameters of a segment (`;x=1`, RFC 3986 §3.3) are left
//! out, `.` and `..` are resolved and empty segments dropped, so that two spellings of one resource
//! are one. What was unusual about the spelling is kept as anomalies. What goes upstream is always
//! the target as it was received, never this form.
//!
//! An encoded slash is part of its segment (RFC 3986 §2.2), and yet some servers (WSGI, CGI) decode
//! before they split: what the path is to them is kept beside it.

use std::borrow::Cow;

use crate::hash::{Digest, Hasher};
use crate::kind::ParamKind;

/// Deeper paths are cut: what follows counts as part of the last segment.
pub const SEGMENTS_MAX: usize = 24;

/// A decoded path.
#[derive(Clone, Debug, Default)]
pub struct Path {
    text: String,
    segments: Vec<Span>,
    anomalies: PathAnomalies,
    split: Option<Box<Self>>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
    kind: ParamKind,
    digest: Digest,
}

/// One segment of a path.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Its decoded text.
    pub text: &'a str,
    /// What it looks like.
    pub kind: ParamKind,
    /// Its keyed hash.
    pub digest: Digest,
}

/// What was unusual about how a path was written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PathAnomalies {
    /// It had `.` or `..` segments, plain or encoded.
    pub dot_segments: bool,
    /// Decoding once left another percent-encoding.
    pub double_encoded: bool,
    /// A `%` without two hexadecimal digits.
    pub bad_encoding: bool,
    /// It does not decode to UTF-8.
    pub not_utf8: bool,
    /// It decodes to control characters.
    pub control: bool,
}

impl Path {
    /// Parses the path of a request target: what stands before `?`.
    pub fn parse(raw: &[u8], hasher: &Hasher) -> Self {
        let mut path = Self { text: String::with_capacity(raw.len()), ..Self::default() };
        let mut parts = raw.split(|byte| *byte == b'/');
        // What stands before the first slash is empty in an origin-form target.
        let leading = parts.next().filter(|part| !part.is_empty());
        let mut has_inner = false;
        for part in leading.into_iter().chain(parts) {
            has_inner |= path.push(part, hasher);
        }
        if has_inner {
            path.split = Some(Box::new(path.split_further(hasher)));
        }
        path
    }

    /// The path to a server that decodes it before it looks for slashes, where that is another one.
    /// A backslash is a slash to some.
    pub fn as_split(&self) -> Option<&Self> {
        self.split.as_deref()
    }

    /// The segments in order.
    pub fn segments(
        &self,
    ) -> impl ExactSizeIterator<Item = Segment<'_>> + DoubleEndedIterator + Clone {
        self.segments.iter().map(|span| Segment {
            text: self.text.get(span.start as usize..span.end as usize).unwrap_or_default(),
            kind: span.kind,
            digest: span.digest,
        })
    }

    /// How many segments there are.
    pub const fn len(&self) -> usize {
        self.segments.len()
    }

    /// Whether this is the root.
    pub const fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The hash of the path as a whole.
    pub fn digest(&self) -> Digest {
        self.segments.iter().fold(Digest(0), |whole, span| whole.then(span.digest))
    }

    /// The hash of the path's shape: identifiers count by their kind alone, so that a walk over
    /// `/orders/1`, `/orders/2`, … is one shape.
    pub fn shape(&self) -> Digest {
        self.segments.iter().fold(Digest(0), |whole, span| {
            whole.then(if span.kind.is_identifier() {
                Digest(span.kind as u64)
            } else {
                span.digest
            })
        })
    }

    /// What was unusual about the spelling.
    pub const fn anomalies(&self) -> PathAnomalies {
        self.anomalies
    }

    /// The extension of the last segment, without its dot.
    pub fn extension(&self) -> Option<&str> {
        self.segments()
            .next_back()
            .and_then(|last| last.text.rsplit_once('.'))
            .map(|(_, extension)| extension)
    }

    /// The path as it may be shown and stored: decoded, secrets redacted.
    pub fn shown(&self, hasher: &Hasher) -> String {
        if self.segments.is_empty() {
            return "/".to_owned();
        }
        self.segments().fold(String::with_capacity(self.text.len() + 8), |mut shown, segment| {
            shown.push('/');
            shown.push_str(&crate::redact::text(segment.text, hasher));
            shown
        })
    }

    fn split_further(&self, hasher: &Hasher) -> Self {
        let mut path = Self::default();
        for segment in self.segments() {
            segment.text.split(['/', '\\']).for_each(|piece| path.add(piece, hasher));
        }
        path
    }

    /// Adds a part as it was written. Whether it holds a slash once it is decoded.
    fn push(&mut self, part: &[u8], hasher: &Hasher) -> bool {
        // In the order of the servers that know such parameters, for which `/..;/` leads upwards.
        let end = memchr::memchr(b';', part).unwrap_or(part.len());
        let decoded = self.decode(part.get(..end).unwrap_or_default());
        self.add(&decoded, hasher);
        decoded.contains(['/', '\\'])
    }

    fn add(&mut self, decoded: &str, hasher: &Hasher) {
        match decoded {
            "" => return,
            "." => {
                self.anomalies.dot_segments = true;
                return;
            }
            ".." => {
                self.anomalies.dot_segments = true;
                if let Some(dropped) = self.segments.pop() {
                    self.text.truncate(dropped.start as usize);
                }
                return;
            }
            _ => {}
        }
        let mut start = self.text.len();
        if self.segments.len() == SEGMENTS_MAX
            && let Some(last) = self.segments.pop()
        {
            start = last.start as usize;
            self.text.push('/');
        }
        self.text.push_str(decoded);
        let whole = self.text.get(start..).unwrap_or_default();
        let (kind, digest) = (ParamKind::of(whole), hasher.hash(whole.as_bytes()));
        let span = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.segments.push(Span { start: span(start), end: span(self.text.len()), kind, digest });
    }

    fn decode<'a>(&mut self, part: &'a [u8]) -> Cow<'a, str> {
        if part.is_ascii() && memchr::memchr(b'%', part).is_none() {
            return String::from_utf8_lossy(part);
        }
        let decoded = percent_decode(part, false);
        self.anomalies.bad_encoding |= decoded.is_bad;
        self.anomalies.control |= decoded.bytes.iter().any(u8::is_ascii_control);
        self.anomalies.double_encoded |= has_encoding(&decoded.bytes);
        match String::from_utf8(decoded.bytes) {
            Ok(text) => Cow::Owned(text),
            Err(error) => {
                self.anomalies.not_utf8 = true;
                Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned())
            }
        }
    }
}

/// Splits a request target at its first `?`. An absolute-form target loses scheme and authority.
pub fn split_target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let is_origin = target.first() == Some(&b'/');
    let authority = if is_origin { None } else { memchr::memmem::find(target, b"://") };
    let origin = match authority {
        Some(at) => {
            let after = target.get(at + 3..).unwrap_or_default();
            let end =
                after.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(after.len());
            after.get(end..).unwrap_or_default()
        }
        None => target,
    };
    match memchr::memchr(b'?', origin) {
        Some(at) => (origin.get(..at).unwrap_or_default(), origin.get(at + 1..)),
        None => (origin, None),
    }
}

/// Bytes with percent-encoding undone.
#[derive(Debug)]
pub struct Decoded {
    /// The decoded bytes. A `%` that begins no encoding stands for itself.
    pub bytes: Vec<u8>,
    /// Whether there was such a `%`.
    pub is_bad: bool,
}

/// Undoes percent-encoding once; `plus_is_space` as in forms and queries.
pub fn percent_decode(raw: &[u8], plus_is_space: bool) -> Decoded {
    let mut decoded = Decoded { bytes: Vec::with_capacity(raw.len()), is_bad: false };
    let mut rest = raw;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => match after {
                [high, low, beyond @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    decoded.bytes.push(hex_value(*high) << 4 | hex_value(*low));
                    rest = beyond;
                }
                _ => {
                    decoded.is_bad = true;
                    decoded.bytes.push(b'%');
                }
            },
            b'+' if plus_is_space => decoded.bytes.push(b' '),
            _ => decoded.bytes.push(*byte),
        }
    }
    decoded
}

const fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}

fn has_encoding(bytes: &[u8]) -> bool {
    bytes.windows(3).any(
        |three| matches!(three, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::HashKey;

    fn path(raw: &str) -> Path {
        Path::parse(raw.as_bytes(), &Hasher::new(HashKey::new([0; 16])))
    }

    fn texts(raw: &str) -> Vec<String> {
        path(raw).segments().map(|segment| segment.text.to_owned()).collect()
    }

    #[test]
    fn two_spellings_are_one_path() {
        assert_eq!(texts("/a/b"), ["a", "b"]);
        assert_eq!(texts("//a/./x/../b/"), ["a", "b"]);
        assert_eq!(texts("/%61/b"), ["a", "b"]);
        assert_eq!(texts("/../../a/%2e%2e/b"), ["b"]);
        assert!(path("/a/%2e%2e/b").anomalies().dot_segments);
        assert_eq!(path("/a/b").digest(), path("//a//b").digest());
        assert_eq!(texts("/"), Vec::<String>::new());
        assert_eq!(texts("*"), ["*"]);
        assert_eq!(texts("/a;x=1/b;jsessionid=7/;/"), ["a", "b"]);
        assert_eq!(texts("/a/..;x/b"), ["b"]);
        assert_eq!(texts("/a%3Bx"), ["a;x"], "encoded, it is part of the name");
    }

    #[test]
    fn what_is_a_slash_to_some_is_kept_beside() {
        let split = |raw: &str| {
            let path = path(raw);
            let split = path.as_split()?;
            Some(split.segments().map(|segment| segment.text.to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(split("/a/b;x=%2F"), None);
        assert_eq!(texts("/a%2fb/c"), ["a/b", "c"]);
        assert_eq!(split("/a%2fb/c"), Some(vec!["a".into(), "b".into(), "c".into()]));
        assert_eq!(split("/a%5Cb"), Some(vec!["a".into(), "b".into()]));
        assert_eq!(split("/x%2F..%2F%2Fa/./b"), Some(vec!["a".into(), "b".into()]));
        assert_eq!(path("/a%2Fb").as_split().map(Path::digest), Some(path("/a/b").digest()));
        let deep = format!("/{}", "x%2F".repeat(5_000));
        assert_eq!(path(&deep).as_split().map(Path::len), Some(SEGMENTS_MAX));
    }

    #[test]
    fn a_walk_over_identifiers_is_one_shape() {
        assert_eq!(path("/orders/1").shape(), path("/orders/2").shape());
        assert_ne!(path("/orders/1").digest(), path("/orders/2").digest());
        assert_ne!(path("/admin").shape(), path("/backup").shape());
    }

    #[test]
    fn oddities_are_marked() {
        assert!(path("/%2561").anomalies().double_encoded);
        assert!(path("/%zz").anomalies().bad_encoding);
        assert!(path("/%ff").anomalies().not_utf8);
        assert!(path("/a%00").anomalies().control);
    }

    #[test]
    fn endless_paths_stay_bounded() {
        let deep = "/x".repeat(5_000);
        assert_eq!(path(&deep).len(), SEGMENTS_MAX);
    }

    #[test]
    fn targets_split() {
        assert_eq!(split_target(b"/a?b=c?d"), (&b"/a"[..], Some(&b"b=c?d"[..])));
        assert_eq!(split_target(b"http://h/a?b"), (&b"/a"[..], Some(&b"b"[..])));
        assert_eq!(split_target(b"/a?u=http://h/"), (&b"/a"[..], Some(&b"u=http://h/"[..])));
        assert_eq!(split_target(b"http://h"), (&b""[..], None));
    }
}
