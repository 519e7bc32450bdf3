//! Which segments of a path are part of the route, and which are values.
//!
//! Numbers, UUIDs, dates, hashes and whatever else cannot be a name are values at once. Words are
//! part of the route until so many alike stand beside each other that they must be values; that is
//! found out in `vary.rs`, from what this file calls the class of a segment.

use traffic::ParamKind;
use traffic::path::Segment;

/// What a segment could be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Class {
    /// An identifier: a value at once.
    Identifier,
    /// Free text: a value at once.
    Text,
    /// Words joined by hyphens: a value when a few alike stand beside each other.
    Slug,
    /// A file name: a value when several with one extension do.
    File,
    /// A word.
    Word,
    /// A version: never a value.
    Version,
}

/// Longer segments are no names of routes.
const NAME_BYTES_MAX: usize = 64;

impl Class {
    pub(crate) fn of(segment: &Segment<'_>) -> Self {
        Self::of_kind(segment.text, segment.kind)
    }

    /// The class of a literal that stands in the tree.
    pub(crate) fn of_text(text: &str) -> Self {
        Self::of_kind(text, ParamKind::of(text))
    }

    fn of_kind(text: &str, kind: ParamKind) -> Self {
        if kind.is_identifier() {
            return Self::Identifier;
        }
        if text.len() > NAME_BYTES_MAX {
            return Self::Text;
        }
        match kind {
            ParamKind::Slug => Self::Slug,
            ParamKind::Word | ParamKind::Bool => Self::of_word(text),
            _ if is_custom_verb(text) => Self::Word,
            _ => Self::Text,
        }
    }

    fn of_word(text: &str) -> Self {
        if text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_')) {
            return Self::Word;
        }
        if is_version(text) {
            return Self::Version;
        }
        if let Some((stem, extension)) = text.rsplit_once('.')
            && is_extension(extension)
            && !stem.is_empty()
        {
            let is_numbered = ParamKind::of(stem).is_identifier() || is_code(stem);
            return if is_numbered { Self::Identifier } else { Self::File };
        }
        if is_code(text) { Self::Identifier } else { Self::Word }
    }

    /// Whether a segment of this class is a value wherever it stands.
    pub(crate) const fn varies_at_once(self) -> bool {
        matches!(self, Self::Identifier | Self::Text)
    }

    /// Whether values of this class may turn out to be a parameter.
    pub(crate) const fn may_vary(self) -> bool {
        !matches!(self, Self::Version)
    }

    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Whether a parameter that took values of the classes in `accepts` takes this segment, too. One
/// that took slugs takes any hyphenated word: titles have two words or ten.
pub(crate) fn takes(accepts: u8, class: Class, text: &str) -> bool {
    class.varies_at_once()
        || accepts & class.bit() != 0
        || (class == Class::Word && accepts & Class::Slug.bit() != 0 && text.contains('-'))
        || (class == Class::Slug && accepts & Class::Word.bit() != 0)
}

/// The name of a parameter in a template, by the kind of the first value and its class. It stays
/// when other kinds follow: exceptions and rules name endpoints by their template.
pub(crate) const fn parameter_name(kind: ParamKind, class: Class) -> &'static str {
    match (kind, class) {
        (ParamKind::Uuid, _) => "uuid",
        (ParamKind::Date | ParamKind::DateTime, _) => "date",
        (ParamKind::Hash, _) => "hash",
        (ParamKind::Email, _) => "email",
        (ParamKind::Ip, _) => "ip",
        (ParamKind::Token | ParamKind::Jwt | ParamKind::Key | ParamKind::Secret, _) => "token",
        (_, Class::Slug) => "slug",
        (_, Class::File) => "file",
        (_, Class::Word) => "name",
        (_, Class::Text) => "text",
        _ => "id",
    }
}

/// One kind for all the kinds that a parameter took, as a set of bits.
pub(crate) fn kind_covering(kinds: u32) -> ParamKind {
    let mut seen = ParamKind::ALL.into_iter().filter(|kind| kinds & (1 << *kind as u32) != 0);
    match (seen.next(), seen.next()) {
        (Some(only), None) => only,
        _ => ParamKind::Text,
    }
}

/// `v1`, `v2.1`, `v1beta1`.
fn is_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(['v', 'V']) else { return false };
    let number: &str =
        rest.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
    let tail = rest.get(number.len()..).unwrap_or_default();
    let tail = tail.trim_end_matches(|c: char| c.is_ascii_digit());
    !number.is_empty() && number.len() <= 6 && matches!(tail, "" | "alpha" | "beta" | "rc")
}

fn is_extension(extension: &str) -> bool {
    (1..=5).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && extension.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// A numbered code such as `ORD-12345` or `INV2024-0007`: letters first, then mostly digits.
fn is_code(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let is_mixed_code = text.len() >= 8
        && digits >= 3
        && text.bytes().any(|byte| byte.is_ascii_uppercase())
        && !text.bytes().any(|byte| byte.is_ascii_lowercase());
    let trailing = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    is_mixed_code || (digits >= 4 && digits >= letters) || trailing >= 5
}

/// A custom verb on a collection, as `documents:search`.
fn is_custom_verb(text: &str) -> bool {
    let Some((name, verb)) = text.split_once(':') else { return false };
    let plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'))
    };
    plain(name) && plain(verb)
}

#[cfg(test)]
mod tests {
    use traffic::{HashKey, Hasher, Path};

    use super::*;

    fn check(class: Class, texts: &[&str]) {
        let hasher = Hasher::new(HashKey::new([1; 16]));
        for text in texts {
            let path = Path::parse(text.as_bytes(), &hasher);
            let segment = path.segments().next().expect("a segment");
            assert_eq!(Class::of(&segment), class, "{text}");
        }
    }

    #[test]
    fn segments_are_told_apart() {
        check(Class::Version, &["v1", "v2", "v1.1", "V3", "v1beta1", "v2alpha"]);
        check(
            Class::Identifier,
            &[
                "17",
                "ORD-12345",
                "user_10293",
                "42.json",
                "img_00017.png",
                "2026-11-23",
                "B00X4WHP5E",
                "6f1c2f0e-8f1c-4a9b-9d3e-3f6d1f0a7b21",
                "507f1f77bcf86cd799439011",
            ],
        );
        check(
            Class::Word,
            &[
                "users",
                "oauth2",
                "sha256",
                "sign-in",
                "documents:search",
                "me",
                "s3",
                "iphone-15",
                "web3",
                "vacations",
            ],
        );
        check(Class::Slug, &["how-to-cook-an-egg"]);
        check(Class::File, &["index.html", "main.js", "photo-a.jpg"]);
        check(Class::Text, &["a%20b", "%C3%A9t%C3%A9", "O'Brien", "Products(42)", "@alice"]);
    }

    #[test]
    fn long_names_are_values() {
        check(Class::Text, &["internationalization".repeat(4).as_str()]);
    }
}
