//! `validateByteRange`, `validateUrlEncoding` and `validateUtf8Encoding`: they match what is not
//! valid.

use crate::byte_set::ByteSet;

/// The bytes that a value may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ByteRange(ByteSet);

impl ByteRange {
    /// Bytes and ranges of bytes in decimal, with commas: `9,10,13,32-126`.
    pub(super) fn parse(list: &[u8]) -> Result<Self, String> {
        let list = String::from_utf8_lossy(list);
        let mut set = ByteSet::NONE;
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (first, last) = entry.split_once('-').unwrap_or((entry, entry));
            let byte = |text: &str| text.trim().parse::<u8>().ok();
            let range = byte(first).zip(byte(last)).filter(|(first, last)| first <= last);
            let (first, last) = range.ok_or_else(|| format!("{entry} is no range of bytes"))?;
            set = set.union(ByteSet::range(first, last));
        }
        Ok(Self(set))
    }

    /// The bytes that a value may have.
    #[must_use]
    pub fn allowed(self) -> ByteSet {
        self.0
    }

    pub(super) fn matches(self, value: &[u8]) -> bool {
        value.iter().any(|byte| !self.0.contains(*byte))
    }
}

/// An encoding that a value should be valid in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// Every `%` has two hexadecimal digits.
    Url,
    /// UTF-8 (RFC 3629): no overlong form, no surrogate, nothing beyond U+10FFFF.
    Utf8,
}

impl Encoding {
    pub(super) fn is_broken(self, value: &[u8]) -> bool {
        match self {
            Self::Url => memchr::memchr_iter(b'%', value).any(|at| {
                let digits = value.get(at + 1..at + 3).unwrap_or_default();
                digits.len() < 2 || !digits.iter().all(u8::is_ascii_hexdigit)
            }),
            Self::Utf8 => std::str::from_utf8(value).is_err(),
        }
    }
}
