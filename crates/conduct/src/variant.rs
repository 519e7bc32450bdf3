//! Which part of a path says "another version of this" or "a copy of this", and what it is of.
//!
//! `/api/v3/orders`, `/beta/api/orders`, `/api/internal/orders`, `/api/orders_old` and
//! `/api/orders.bak` are all variants of `/api/orders`: they have one base. Whether somebody has
//! business with a variant is for [`crate::walks`] to say; this only reads paths.
//!
//! Not read: versions in queries, headers and host names, and bare numbers, which are identifiers.

use traffic::initials::Initials;
use traffic::path::Segment;
use traffic::{Digest, Hasher, Path};

/// A path as a variant of its base.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Variant {
    /// The path's shape without what makes it a variant.
    pub(crate) base: Digest,
    /// What makes it one, if anything does.
    pub(crate) mark: Option<Digest>,
    /// The number, where that is a version.
    pub(crate) version: Option<u16>,
}

/// Words for what is not the version in use, sorted.
const WORDS: [&str; 24] = [
    "alpha",
    "backup",
    "backups",
    "beta",
    "deprecated",
    "dev",
    "devel",
    "development",
    "internal",
    "legacy",
    "obsolete",
    "old",
    "older",
    "prev",
    "qa",
    "sandbox",
    "stage",
    "staging",
    "stg",
    "test",
    "testing",
    "tmp",
    "uat",
    "unstable",
];

/// What copies of files and folders end in, sorted.
const COPIES: [&str; 16] = [
    "1", "7z", "bak", "bkp", "copy", "dump", "gz", "orig", "rar", "save", "sav", "sql", "swp",
    "tar", "tgz", "zip",
];

/// No word is longer.
const WORD_BYTES_MAX: usize = 11;

impl Variant {
    /// Reads `path`.
    pub fn of(path: &Path, hasher: &Hasher) -> Self {
        let mut variant = Self::default();
        for segment in path.segments() {
            match Part::of(segment.text) {
                Part::Plain => variant.base = variant.base.then(shape_of(&segment)),
                Part::Mark(version) => variant.mark(segment.digest, version),
                Part::Marked { stem, mark } => {
                    variant.base = variant.base.then(hasher.hash(stem.as_bytes()));
                    variant.mark(hasher.hash(mark.as_bytes()), version(mark));
                }
            }
        }
        variant
    }

    fn mark(&mut self, mark: Digest, version: Option<u16>) {
        self.mark = Some(self.mark.map_or(mark, |before| before.then(mark)));
        self.version = self.version.or(version);
    }
}

/// Identifiers count by their kind, as in [`Path::shape`].
fn shape_of(segment: &Segment<'_>) -> Digest {
    if segment.kind.is_identifier() { Digest(segment.kind as u64) } else { segment.digest }
}

/// One segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part<'a> {
    /// It is part of the base.
    Plain,
    /// It is nothing but a mark; of a version with its number.
    Mark(Option<u16>),
    /// It ends in one.
    Marked { stem: &'a str, mark: &'a str },
}

impl<'a> Part<'a> {
    fn of(text: &'a str) -> Self {
        if let Some(version) = version(text) {
            return Self::Mark(Some(version));
        }
        if is_word(text) {
            return Self::Mark(None);
        }
        if let Some(stem) = text.strip_suffix('~').filter(|stem| !stem.is_empty()) {
            return Self::Marked { stem, mark: "~" };
        }
        // Nearly every segment has no such byte.
        let at = text.bytes().rposition(|byte| matches!(byte, b'.' | b'-' | b'_'));
        let Some((stem, rest)) = at.and_then(|at| text.split_at_checked(at)) else {
            return Self::Plain;
        };
        let mark = rest.get(1..).unwrap_or_default();
        let is_copy = rest.starts_with('.') && is_one_of(&COPIES, mark);
        let is_marked = is_copy || version(mark).is_some() || is_word(mark);
        if is_marked && !stem.is_empty() { Self::Marked { stem, mark } } else { Self::Plain }
    }
}

/// `v1`, `v12`, `v2.1`: the number before the dot.
fn version(text: &str) -> Option<u16> {
    let number = text.strip_prefix(['v', 'V'])?;
    let whole = number.split('.').next()?;
    let is_number = number.len() <= 7
        && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && (1..=3).contains(&whole.len());
    whole.parse().ok().filter(|_| is_number)
}

const INITIALS: Initials = Initials::of(&WORDS);

fn is_word(text: &str) -> bool {
    INITIALS.may_begin(text.as_bytes()) && is_one_of(&WORDS, text)
}

fn is_one_of(words: &[&str], text: &str) -> bool {
    text.len() <= WORD_BYTES_MAX && words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use traffic::HashKey;

    use super::*;

    fn variant(path: &str) -> Variant {
        let hasher = Hasher::new(HashKey::new([3; 16]));
        Variant::of(&Path::parse(path.as_bytes(), &hasher), &hasher)
    }

    #[test]
    fn variants_of_one_thing_have_one_base() {
        let base = variant("/api/orders");
        assert_eq!(base.mark, None);
        for path in [
            "/api/v1/orders",
            "/v2.1/api/orders",
            "/api/V9/orders/",
            "/beta/api/orders",
            "/api/%69nternal/orders",
            "/api-v2/orders",
            "/api/orders_old",
            "/api/orders.bak",
            "/api/orders~",
            "/api/orders.v3",
            "/api/legacy/v1/orders",
        ] {
            let found = variant(path);
            assert_eq!(found.base, base.base, "{path}");
            assert!(found.mark.is_some(), "{path}");
        }
        assert_ne!(variant("/v1/x").mark, variant("/v2/x").mark);
        assert_eq!(variant("/v1/x").mark, variant("/v1/y").mark);
        assert_eq!(variant("/v12/x").version, Some(12));
        assert_eq!(variant("/v1/orders/7").base, variant("/v2/orders/8").base);
    }

    #[test]
    fn what_only_looks_like_a_mark_is_none() {
        for path in [
            "/",
            "/api/orders/7",
            "/vendors",
            "/v/x",
            "/v1234/x",
            "/contest",
            "/products.json",
            "/images/logo.png",
            "/.bak",
            "/testimonials",
            "/users/ada-lovelace",
            "/v1x/orders",
        ] {
            assert_eq!(variant(path).mark, None, "{path}");
        }
    }
}
