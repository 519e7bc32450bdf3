//! How a value is normalised before an operator sees it.
//!
//! One variant for each transformation that SecLang names; each family has a file of its own. The
//! results are those of ModSecurity to the byte, except where it is defective or Coraza's reading
//! is the one that the Core Rule Set is tested with: the head of each file says which and why.
//!
//! Invariant: a transformation is a pure function of its input, takes linear time, and gives at
//! most [`Transformation::output_max`] bytes.

mod base64;
mod best_fit;
mod cmd_line;
mod comments;
mod css;
mod digest;
mod escape_seq;
mod hex;
mod html_entity;
mod js;
mod jwt;
mod letter_case;
mod nulls;
mod parity;
mod path;
mod rewrite;
mod url;
mod utf8;
mod whitespace;

use std::borrow::Cow;

use crate::byte_set::ByteSet;

/// A normalisation of one value, named as SecLang names it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Transformation {
    /// Base64 up to the first byte that is none.
    Base64Decode,
    /// Base64 and its URL form, everything else passed over.
    Base64DecodeExt,
    /// To base64 with padding.
    Base64Encode,
    /// A command line as a shell would have it after quotes and escapes.
    CmdLine,
    /// Runs of white space to one space.
    CompressWhitespace,
    /// Escapes of CSS.
    CssDecode,
    /// Escapes of C.
    EscapeSeqDecode,
    /// Pairs of hexadecimal digits to bytes.
    HexDecode,
    /// Bytes to pairs of hexadecimal digits.
    HexEncode,
    /// Character references of HTML.
    HtmlEntityDecode,
    /// Escapes of JavaScript.
    JsDecode,
    /// Heads and claims of the JSON Web Tokens in it, and nothing else. Of this engine alone.
    JwtDecode,
    /// The number of bytes, in decimal digits.
    Length,
    /// ASCII letters to small ones.
    Lowercase,
    /// The MD5 digest, 16 bytes.
    Md5,
    /// Nothing at all. In an action list it also clears what was inherited.
    None,
    /// A path without empty, `.` and `..` segments.
    NormalizePath,
    /// The same, with backslashes as slashes.
    NormalizePathWin,
    /// The eighth bit by even parity.
    ParityEven7bit,
    /// The eighth bit by odd parity.
    ParityOdd7bit,
    /// The low seven bits.
    ParityZero7bit,
    /// Without comments, their text included.
    RemoveComments,
    /// Without the marks of comments, their text kept.
    RemoveCommentsChar,
    /// Without NUL bytes.
    RemoveNulls,
    /// Without white space.
    RemoveWhitespace,
    /// C comments to a space.
    ReplaceComments,
    /// NUL bytes to spaces.
    ReplaceNulls,
    /// The SHA-1 digest, 20 bytes.
    Sha1,
    /// Hexadecimal literals of SQL to the bytes they mean.
    SqlHexDecode,
    /// Without white space at both ends.
    Trim,
    /// Without white space at the start.
    TrimLeft,
    /// Without white space at the end.
    TrimRight,
    /// ASCII letters to capitals.
    Uppercase,
    /// `%HH` and `+` decoded.
    UrlDecode,
    /// The same, and `%uHHHH` of IIS.
    UrlDecodeUni,
    /// All but letters, digits and `*` as `%hh`, a space as `+`.
    UrlEncode,
    /// UTF-8 beyond ASCII as `%uhhhh`.
    Utf8ToUnicode,
}

/// Every transformation beside its name; where there are two spellings, first the one that the
/// Core Rule Set writes.
const NAMES: [(&str, Transformation); 39] = [
    ("base64Decode", Transformation::Base64Decode),
    ("base64DecodeExt", Transformation::Base64DecodeExt),
    ("base64Encode", Transformation::Base64Encode),
    ("cmdLine", Transformation::CmdLine),
    ("compressWhitespace", Transformation::CompressWhitespace),
    ("cssDecode", Transformation::CssDecode),
    ("escapeSeqDecode", Transformation::EscapeSeqDecode),
    ("hexDecode", Transformation::HexDecode),
    ("hexEncode", Transformation::HexEncode),
    ("htmlEntityDecode", Transformation::HtmlEntityDecode),
    ("jsDecode", Transformation::JsDecode),
    ("jwtDecode", Transformation::JwtDecode),
    ("length", Transformation::Length),
    ("lowercase", Transformation::Lowercase),
    ("md5", Transformation::Md5),
    ("none", Transformation::None),
    ("normalizePath", Transformation::NormalizePath),
    ("normalisePath", Transformation::NormalizePath),
    ("normalizePathWin", Transformation::NormalizePathWin),
    ("normalisePathWin", Transformation::NormalizePathWin),
    ("parityEven7bit", Transformation::ParityEven7bit),
    ("parityOdd7bit", Transformation::ParityOdd7bit),
    ("parityZero7bit", Transformation::ParityZero7bit),
    ("removeComments", Transformation::RemoveComments),
    ("removeCommentsChar", Transformation::RemoveCommentsChar),
    ("removeNulls", Transformation::RemoveNulls),
    ("removeWhitespace", Transformation::RemoveWhitespace),
    ("replaceComments", Transformation::ReplaceComments),
    ("replaceNulls", Transformation::ReplaceNulls),
    ("sha1", Transformation::Sha1),
    ("sqlHexDecode", Transformation::SqlHexDecode),
    ("trim", Transformation::Trim),
    ("trimLeft", Transformation::TrimLeft),
    ("trimRight", Transformation::TrimRight),
    ("uppercase", Transformation::Uppercase),
    ("urlDecode", Transformation::UrlDecode),
    ("urlDecodeUni", Transformation::UrlDecodeUni),
    ("urlEncode", Transformation::UrlEncode),
    ("utf8toUnicode", Transformation::Utf8ToUnicode),
];

impl Transformation {
    /// Every transformation, in the order of their names.
    pub fn all() -> impl Iterator<Item = Self> {
        let named = NAMES.iter().filter(|(name, it)| it.name() == *name);
        named.map(|(_, it)| *it)
    }

    /// The transformation of that name, in any case of letters and both spellings of `normalize`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let entry = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        entry.map(|(_, transformation)| *transformation)
    }

    /// Its name as the Core Rule Set writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, it)| *it == self).map_or("none", |(name, _)| name)
    }

    /// The bytes it acts on: a value that is not empty and has none of them stays as it is.
    #[must_use]
    pub const fn triggers(self) -> ByteSet {
        match self {
            Self::Base64Decode
            | Self::Base64DecodeExt
            | Self::Base64Encode
            | Self::HexDecode
            | Self::HexEncode
            | Self::JwtDecode
            | Self::Length
            | Self::Md5
            | Self::Sha1 => ByteSet::ALL,
            Self::CmdLine => cmd_line::TRIGGERS,
            Self::CompressWhitespace | Self::RemoveWhitespace => whitespace::TRIGGERS,
            Self::CssDecode | Self::EscapeSeqDecode | Self::JsDecode => ByteSet::of(b"\\"),
            Self::HtmlEntityDecode => ByteSet::of(b"&"),
            Self::Lowercase => ByteSet::range(b'A', b'Z'),
            Self::None => ByteSet::NONE,
            Self::NormalizePath => ByteSet::of(b"./"),
            Self::NormalizePathWin => ByteSet::of(b"./\\"),
            Self::ParityEven7bit => parity::EVEN_TRIGGERS,
            Self::ParityOdd7bit => parity::ODD_TRIGGERS,
            Self::ParityZero7bit | Self::Utf8ToUnicode => ByteSet::range(0x80, 0xff),
            Self::RemoveComments => comments::REMOVE_TRIGGERS,
            Self::RemoveCommentsChar => comments::REMOVE_CHAR_TRIGGERS,
            Self::RemoveNulls | Self::ReplaceNulls => ByteSet::of(b"\0"),
            Self::ReplaceComments => ByteSet::of(b"/"),
            Self::SqlHexDecode => ByteSet::of(b"xX"),
            Self::Trim | Self::TrimLeft | Self::TrimRight => whitespace::ASCII,
            Self::Uppercase => ByteSet::range(b'a', b'z'),
            Self::UrlDecode | Self::UrlDecodeUni => ByteSet::of(b"%+"),
            Self::UrlEncode => url::UNSAFE,
        }
    }

    /// Can a value in which exactly the bytes `present` occur come out changed?
    ///
    /// An empty value has no bytes, and yet a length and a digest.
    #[must_use]
    pub const fn may_change(self, present: ByteSet) -> bool {
        matches!(self, Self::Length | Self::Md5 | Self::Sha1) || self.triggers().meets(present)
    }

    /// The most bytes that can come out of a value of `len` bytes.
    #[must_use]
    pub const fn output_max(self, len: usize) -> usize {
        match self {
            Self::Base64Encode => len.div_ceil(3).saturating_mul(4),
            Self::HexEncode => len.saturating_mul(2),
            // The digits of 2^64.
            Self::Length => 20,
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::UrlEncode | Self::Utf8ToUnicode => len.saturating_mul(3),
            _ => len,
        }
    }

    /// The value transformed: borrowed exactly when it stays as it is.
    #[must_use]
    pub fn apply(self, value: &[u8]) -> Cow<'_, [u8]> {
        match self.changed(value) {
            Some(changed) if changed != value => Cow::Owned(changed),
            _ => Cow::Borrowed(value),
        }
    }

    /// The value transformed, or nothing where a first look shows that it stays as it is.
    fn changed(self, value: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Base64Decode => base64::decode(value),
            Self::Base64DecodeExt => base64::decode_ext(value),
            Self::Base64Encode => base64::encode(value),
            Self::CmdLine => cmd_line::normalize(value),
            Self::CompressWhitespace => whitespace::compress(value),
            Self::CssDecode => css::decode(value),
            Self::EscapeSeqDecode => escape_seq::decode(value),
            Self::HexDecode => hex::decode(value),
            Self::HexEncode => hex::encode(value),
            Self::HtmlEntityDecode => html_entity::decode(value),
            Self::JsDecode => js::decode(value),
            Self::JwtDecode => Some(jwt::decode(value)),
            Self::Length => Some(value.len().to_string().into_bytes()),
            Self::Lowercase => letter_case::lower(value),
            Self::Md5 => Some(digest::md5(value)),
            Self::None => None,
            Self::NormalizePath => path::normalize(value),
            Self::NormalizePathWin => path::normalize_windows(value),
            Self::ParityEven7bit => parity::even(value),
            Self::ParityOdd7bit => parity::odd(value),
            Self::ParityZero7bit => parity::zero(value),
            Self::RemoveComments => comments::remove(value),
            Self::RemoveCommentsChar => comments::remove_char(value),
            Self::RemoveNulls => nulls::remove(value),
            Self::RemoveWhitespace => whitespace::remove(value),
            Self::ReplaceComments => comments::replace(value),
            Self::ReplaceNulls => nulls::replace(value),
            Self::Sha1 => Some(digest::sha1(value)),
            Self::SqlHexDecode => hex::decode_sql(value),
            Self::Trim => whitespace::trim(value),
            Self::TrimLeft => whitespace::trim_left(value),
            Self::TrimRight => whitespace::trim_right(value),
            Self::Uppercase => letter_case::upper(value),
            Self::UrlDecode => url::decode(value),
            Self::UrlDecodeUni => url::decode_uni(value),
            Self::UrlEncode => url::encode(value),
            Self::Utf8ToUnicode => utf8::to_unicode(value),
        }
    }
}

#[cfg(test)]
mod tests;
