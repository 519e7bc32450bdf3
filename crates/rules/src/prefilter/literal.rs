//! What a value must contain for a pattern to match it at all: one of some literals, or bytes of
//! some sets.
//!
//! The algebra is that of RE2's FilteredRE2: going up the syntax tree, each part is either a small
//! set of exact strings or only known to need one of a set. Everything is in small letters, because
//! the scan for literals does not tell case apart, so that what is found here holds for a value in
//! any case.
//!
//! Invariant: every value that the pattern matches contains one of the literals, and for each of
//! the byte sets at least one byte of it.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::byte_set::ByteSet;

/// A set of exact strings is not multiplied beyond this.
const EXACT_MAX: usize = 256;
/// An exact string is not grown beyond this; more tells no more.
const EXACT_BYTES_MAX: usize = 24;
/// A class of so many bytes, in small letters, is a set of strings; a larger one is any byte.
const CLASS_MAX: usize = 16;
/// A set of needed literals is not united beyond this.
const NEEDED_MAX: usize = 3_000;
/// Shorter literals are in most values: they tell nothing apart.
const LITERAL_BYTES_MIN: usize = 2;
/// So many byte sets are kept of a pattern, the smallest.
const BYTE_SETS_MAX: usize = 6;
/// Patterns nest less deeply than this; the parser's own bound is 250.
const DEPTH_MAX: usize = 300;

type Strings = BTreeSet<Vec<u8>>;

/// What every value needs that a pattern matches.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Needs {
    /// One of these, in any case of letters; none is no demand.
    pub(super) literals: Option<Strings>,
    /// A byte of each of these.
    pub(super) bytes: Vec<ByteSet>,
    /// At least so many bytes.
    pub(super) length_min: usize,
}

/// What is needed for the pattern to match. Where it cannot be told, nothing is.
pub(super) fn needs(pattern: &str) -> Needs {
    let parser = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .build()
        .parse(pattern);
    let Ok(hir) = parser else { return Needs::default() };
    let Part { exact, needed } = part(&hir, 0);
    let literals = [exact.filter(is_useful), needed].into_iter().flatten().reduce(better);
    let mut bytes = byte_sets(&hir, 0);
    bytes.sort_by_key(|set| set.len());
    bytes.dedup();
    bytes.truncate(BYTE_SETS_MAX);
    let length_min = hir.properties().minimum_len().unwrap_or_default();
    Needs { literals, bytes, length_min }
}

/// What is known of a part of a pattern.
#[derive(Default)]
struct Part {
    /// It matches one of these strings and nothing else.
    exact: Option<Strings>,
    /// Whatever it matches contains one of these.
    needed: Option<Strings>,
}

impl Part {
    fn exact(strings: Strings) -> Self {
        Self { exact: Some(strings), needed: None }
    }

    fn empty() -> Self {
        Self::exact(Strings::from([Vec::new()]))
    }

    /// The same, no longer as exact strings.
    fn at_least(self) -> Self {
        let needed = [self.exact.filter(is_useful), self.needed].into_iter().flatten();
        Self { exact: None, needed: needed.reduce(better) }
    }
}

fn part(hir: &Hir, depth: usize) -> Part {
    if depth > DEPTH_MAX {
        return Part::default();
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Part::empty(),
        HirKind::Literal(literal) => Part::exact(Strings::from([literal.0.to_ascii_lowercase()])),
        HirKind::Class(class) => class_strings(class).map_or_else(Part::default, Part::exact),
        HirKind::Capture(capture) => part(&capture.sub, depth + 1),
        HirKind::Repetition(repetition) => repeated(repetition, depth),
        HirKind::Concat(parts) => concatenated(parts.iter().map(|it| part(it, depth + 1))),
        HirKind::Alternation(branches) => alternated(branches.iter().map(|it| part(it, depth + 1))),
    }
}

fn class_strings(class: &Class) -> Option<Strings> {
    let set = class_bytes(class)?;
    let small: Strings = set.iter().map(|byte| vec![byte.to_ascii_lowercase()]).collect();
    (small.len() <= CLASS_MAX).then_some(small)
}

fn class_bytes(class: &Class) -> Option<ByteSet> {
    match class {
        Class::Bytes(class) => {
            let ranges = class.ranges().iter();
            Some(ranges.fold(ByteSet::NONE, |set, range| {
                set.union(ByteSet::range(range.start(), range.end()))
            }))
        }
        // Without Unicode there are none but of ASCII.
        Class::Unicode(class) => class.ranges().iter().try_fold(ByteSet::NONE, |set, range| {
            let (start, end) = (u8::try_from(range.start()).ok()?, u8::try_from(range.end()).ok()?);
            (end < 0x80).then(|| set.union(ByteSet::range(start, end)))
        }),
    }
}

fn repeated(repetition: &Repetition, depth: usize) -> Part {
    let inner = part(&repetition.sub, depth + 1);
    match (repetition.min, repetition.max) {
        (0, Some(1)) => match inner.exact {
            Some(mut strings) if strings.len() < EXACT_MAX => {
                strings.insert(Vec::new());
                Part::exact(strings)
            }
            _ => Part::default(),
        },
        (0, _) => Part::default(),
        (1, Some(1)) => inner,
        (min, max) => {
            let times = usize::try_from(min).unwrap_or(usize::MAX).min(EXACT_BYTES_MAX);
            let copies = std::iter::repeat_n(inner.exact.clone(), times);
            let all = concatenated(copies.map(|exact| Part { exact, needed: None }));
            let is_exact = max == Some(min) && times as u64 == u64::from(min);
            let whole = if is_exact { all } else { all.at_least() };
            let needed = [whole.needed, inner.needed].into_iter().flatten().reduce(better);
            Part { exact: whole.exact, needed }
        }
    }
}

/// Exact parts that stand side by side are multiplied out for as long as they stay few.
fn concatenated(parts: impl Iterator<Item = Part>) -> Part {
    let mut run = Some(Strings::from([Vec::new()]));
    let mut is_exact = true;
    let mut needed: Option<Strings> = None;
    let mut take = |found: Option<Strings>| {
        let both = [needed.take(), found.filter(is_useful)];
        needed = both.into_iter().flatten().reduce(better);
    };
    for part in parts {
        take(part.needed);
        let product = run.as_ref().zip(part.exact.as_ref()).and_then(|(run, it)| product(run, it));
        match product {
            Some(product) => run = Some(product),
            None => {
                is_exact = false;
                take(run.take());
                run = part.exact.filter(|exact| exact.len() <= EXACT_MAX);
            }
        }
    }
    if is_exact {
        return Part { exact: run, needed };
    }
    take(run);
    Part { exact: None, needed }
}

fn product(left: &Strings, right: &Strings) -> Option<Strings> {
    if left.len() * right.len() > EXACT_MAX {
        return None;
    }
    let mut all = Strings::new();
    for left in left {
        for right in right {
            if left.len() + right.len() > EXACT_BYTES_MAX {
                return None;
            }
            all.insert([left.as_slice(), right].concat());
        }
    }
    Some(all)
}

fn alternated(branches: impl Iterator<Item = Part>) -> Part {
    let branches: Vec<Part> = branches.collect();
    let all_exact = branches.iter().try_fold(Strings::new(), |mut all, branch| {
        all.extend(branch.exact.as_ref()?.iter().cloned());
        (all.len() <= EXACT_MAX).then_some(all)
    });
    if let Some(strings) = all_exact {
        return Part::exact(strings);
    }
    let needed = branches.into_iter().try_fold(Strings::new(), |mut all, branch| {
        all.extend(branch.at_least().needed?);
        (all.len() <= NEEDED_MAX).then_some(all)
    });
    Part { exact: None, needed }
}

/// Has each string enough bytes to tell values apart?
fn is_useful(strings: &Strings) -> bool {
    !strings.is_empty() && strings.iter().all(|string| string.len() >= LITERAL_BYTES_MIN)
}

/// Of two sets of which one string each is needed, the one that fewer values have: that of the
/// longer strings, then that of fewer.
fn better(one: Strings, other: Strings) -> Strings {
    let rank = |strings: &Strings| {
        let shortest = strings.iter().map(Vec::len).min().unwrap_or_default();
        (shortest.min(6), usize::MAX - strings.len())
    };
    if rank(&other) > rank(&one) { other } else { one }
}

/// Sets of which every match has a byte.
fn byte_sets(hir: &Hir, depth: usize) -> Vec<ByteSet> {
    if depth > DEPTH_MAX {
        return Vec::new();
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Vec::new(),
        HirKind::Literal(literal) => literal.0.iter().map(|byte| ByteSet::of(&[*byte])).collect(),
        HirKind::Class(class) => class_bytes(class).into_iter().collect(),
        HirKind::Capture(capture) => byte_sets(&capture.sub, depth + 1),
        HirKind::Repetition(repetition) if repetition.min == 0 => Vec::new(),
        HirKind::Repetition(repetition) => byte_sets(&repetition.sub, depth + 1),
        HirKind::Concat(parts) => {
            let mut sets: Vec<ByteSet> =
                parts.iter().flat_map(|part| byte_sets(part, depth + 1)).collect();
            sets.sort_by_key(|set| set.len());
            sets.dedup();
            sets.truncate(BYTE_SETS_MAX);
            sets
        }
        HirKind::Alternation(branches) => {
            // A match takes one of the branches: it has a byte of the smallest set of that one.
            let smallest = branches
                .iter()
                .map(|branch| byte_sets(branch, depth + 1).into_iter().min_by_key(|set| set.len()));
            let united =
                smallest.into_iter().try_fold(ByteSet::NONE, |all, set| Some(all.union(set?)));
            united.into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn literals(pattern: &str) -> Option<Vec<String>> {
        let literals = needs(pattern).literals?;
        Some(literals.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect())
    }

    #[track_caller]
    fn check(pattern: &str, expected: &[&str]) {
        let found = literals(pattern).unwrap_or_default();
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn each_pattern_needs_its_rarest_literals() {
        check("union select", &["union select"]);
        check(r"(?i)UNION\s+SELECT", &["select"]);
        check("a(?:bc|de)f", &["abcf", "adef"]);
        check(r"\b(?:exec|system)\s*\(", &["exec", "system"]);
        check("(?:xp_cmdshell|sp_(?:oa|exec))", &["sp_exec", "sp_oa", "xp_cmdshell"]);
        check("ab?c", &["abc", "ac"]);
        check("(?:ab)+", &["ab"]);
        check("(?:ab){3}", &["ababab"]);
        check("x*", &[]);
        check("[a-z]+", &[]);
        check("(?:ab|x)", &[]);
        check("^/etc/passwd$", &["/etc/passwd"]);
        check(r"(?:ab|cd).{3,}(?:longer|string)", &["longer", "string"]);
    }

    #[test]
    fn bytes_are_needed_where_literals_are_not() {
        let Needs { literals, bytes, length_min } = needs(r"[a-z]+\s*=\s*[0-9]");
        assert_eq!(literals, None);
        assert!(bytes.contains(&ByteSet::of(b"=")));
        assert_eq!(length_min, 3);
    }

    /// Patterns over a small alphabet, so that values match them often.
    fn patterns() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "[ab]{1,3}".prop_map(|it| it),
            Just("[ab]".to_owned()),
            Just("[^a]".to_owned()),
            Just(".".to_owned()),
            Just("^".to_owned()),
            Just("\\b".to_owned()),
            Just("(?i:aB)".to_owned()),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(|it| it.concat()),
                prop::collection::vec(inner.clone(), 1..4)
                    .prop_map(|it| format!("(?:{})", it.join("|"))),
                (inner.clone(), 0_u32..3, 0_u32..3)
                    .prop_map(|(it, min, more)| format!("(?:{it}){{{min},{}}}", min + more)),
                inner.prop_map(|it| format!("({it})+")),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_matches_has_what_is_needed(pattern in patterns(), value in "[abABc]{0,12}") {
            let regex = regex::bytes::RegexBuilder::new(&pattern)
                .unicode(false)
                .dot_matches_new_line(true)
                .build()
                .unwrap();
            if regex.is_match(value.as_bytes()) {
                let needs = needs(&pattern);
                let small = value.to_ascii_lowercase().into_bytes();
                if let Some(literals) = &needs.literals {
                    let has = |literal: &Vec<u8>| {
                        memchr::memmem::find(&small, literal).is_some()
                    };
                    prop_assert!(literals.iter().any(has), "{literals:?}");
                }
                let present = ByteSet::of(value.as_bytes());
                prop_assert!(needs.bytes.iter().all(|set| set.meets(present)));
                prop_assert!(value.len() >= needs.length_min);
            }
        }
    }
}
