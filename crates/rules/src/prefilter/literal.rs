//! What a value must contain for a pattern to match it at all: one of some literals, or bytes of
//! some sets.
//!
//! The algebra is that of RE2's FilteredRE2 and of Google's code search: going up the syntax tree,
//! each part is either a small set of exact strings or known by what it begins and ends with; where
//! two parts meet, the end of one and the beginning of the other are a literal. Everything is in
//! small letters, because the scan for literals does not tell case apart, so that what is found
//! here holds for a value in any case.
//!
//! Invariant: every value that the pattern matches contains one of the literals, and for each of
//! the byte sets at least one byte of it.

mod alphabet;
mod ends;
mod sequences;

use std::collections::{BTreeMap, BTreeSet};

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::byte_set::ByteSet;
pub(super) use alphabet::LACKING;
use ends::Ends;
pub(in crate::prefilter) use sequences::{Place, Sequence};

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
/// Nor do literals of which one begins at one place in a hundred.
const FREQUENCY_MAX: f64 = 0.01;
/// What begins more seldom than at one place in a thousand is not looked for more closely.
const SELDOM: f64 = 0.001;
/// So many byte sets are kept of a pattern, the rarest.
const BYTE_SETS_MAX: usize = 6;
/// Most bytes of most values: counting them tells nothing.
const LETTERS: ByteSet = ByteSet::range(b'a', b'z');
/// Patterns nest less deeply than this; the parser's own bound is 250.
const DEPTH_MAX: usize = 300;

type Strings = BTreeSet<Vec<u8>>;

/// What every value needs that a pattern matches.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Needs {
    /// One of these, in any case of letters; none is no demand.
    pub(super) literals: Option<Strings>,
    /// One of these; none is no demand.
    pub(super) sequences: Option<Vec<Sequence>>,
    /// A byte of each of these.
    pub(super) bytes: Vec<ByteSet>,
    /// Of a set so many bytes.
    pub(super) count: Option<(ByteSet, usize)>,
    /// At least so many bytes.
    pub(super) length_min: usize,
}

impl Needs {
    /// What no value has.
    fn never() -> Self {
        Self { literals: Some(Strings::new()), length_min: usize::MAX, ..Self::default() }
    }
}

/// What is needed, by what the value is known to lack.
pub(super) type ByAlphabet<T> = [T; LACKING.len()];

/// What is needed for the pattern to match. Where it cannot be told, nothing is.
pub(super) fn needs(pattern: &str) -> ByAlphabet<Needs> {
    let Some(hir) = parsed(pattern) else { return Default::default() };
    let mut literals = None;
    LACKING.map(|lacking| {
        let Some(hir) = alphabet::without(&hir, lacking, 0) else { return Needs::never() };
        let mut needs = needs_of(&hir);
        // A pattern has one list of literals: the first that there is.
        needs.literals = literals.take().or(needs.literals);
        literals.clone_from(&needs.literals);
        let bytes = needs.bytes.iter().map(|set| sequences::frequency_of_bytes(*set));
        let besides = bytes.chain(needs.literals.iter().map(frequency)).fold(1.0, f64::min);
        if besides >= SELDOM {
            needs.sequences = sequences::needed(&hir, besides);
        }
        needs
    })
}

/// The pattern as a tree.
fn parsed(pattern: &str) -> Option<Hir> {
    let mut parser = regex_syntax::ParserBuilder::new();
    parser.unicode(false).utf8(false).dot_matches_new_line(true).build().parse(pattern).ok()
}

fn needs_of(hir: &Hir) -> Needs {
    let Part { exact, needed, .. } = part(hir, 0);
    let literals = [exact.filter(is_useful), needed].into_iter().flatten().reduce(better);
    let mut bytes = byte_sets(hir, 0);
    keep_rarest(&mut bytes);
    let count = count(hir, 0).filter(|(set, _)| !set.meets(LETTERS));
    let length_min = hir.properties().minimum_len().unwrap_or_default();
    Needs { literals, sequences: None, bytes, count, length_min }
}

/// What is known of a part of a pattern.
#[derive(Clone, Default)]
struct Part {
    /// It matches one of these strings and nothing else.
    exact: Option<Strings>,
    /// Whatever it matches contains one of these.
    needed: Option<Strings>,
    /// What it begins and ends with.
    ends: Ends,
}

impl Part {
    fn exact(strings: Strings) -> Self {
        let ends = Ends::of(&strings);
        Self { exact: Some(strings), needed: None, ends }
    }

    fn empty() -> Self {
        Self::exact(Strings::from([Vec::new()]))
    }

    /// The same, no longer as exact strings.
    fn at_least(self) -> Self {
        let needed = [self.exact.filter(is_useful), self.needed].into_iter().flatten();
        Self { exact: None, needed: needed.reduce(better), ends: self.ends }
    }
}

fn part(hir: &Hir, depth: usize) -> Part {
    if depth > DEPTH_MAX {
        return Part::default();
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Part::empty(),
        HirKind::Literal(literal) => Part::exact(Strings::from([literal.0.to_ascii_lowercase()])),
        HirKind::Class(class) => of_class(class),
        HirKind::Capture(capture) => part(&capture.sub, depth + 1),
        HirKind::Repetition(repetition) => repeated(repetition, depth),
        HirKind::Concat(parts) => concatenated(parts.iter().map(|it| part(it, depth + 1))),
        HirKind::Alternation(branches) => alternated(branches.iter().map(|it| part(it, depth + 1))),
    }
}

fn of_class(class: &Class) -> Part {
    let Some(set) = class_bytes(class) else { return Part::default() };
    let small: Strings = set.iter().map(|byte| vec![byte.to_ascii_lowercase()]).collect();
    if small.len() <= CLASS_MAX {
        return Part::exact(small);
    }
    Part { ends: Ends::of(&small), ..Part::default() }
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
        (0, Some(0)) => Part::empty(),
        (0, Some(1)) => match inner.exact {
            Some(mut strings) if strings.len() < EXACT_MAX => {
                strings.insert(Vec::new());
                Part::exact(strings)
            }
            _ => Part { ends: inner.ends.or_empty(), ..Part::default() },
        },
        (0, _) => Part { ends: inner.ends.or_empty(), ..Part::default() },
        (1, Some(1)) => inner,
        (min, max) => {
            let times = usize::try_from(min).unwrap_or(usize::MAX).min(EXACT_BYTES_MAX);
            // What one copy needs is added below, once.
            let copy = Part { needed: None, exact: inner.exact, ends: inner.ends.clone() };
            let all = concatenated(std::iter::repeat_n(copy, times));
            let is_exact = max == Some(min) && times as u64 == u64::from(min);
            let whole = if is_exact { all } else { all.at_least() };
            // More copies may follow: it begins as the first does, and ends as any does.
            let ends = if is_exact { whole.ends } else { inner.ends };
            let needed = [whole.needed, inner.needed].into_iter().flatten().reduce(better);
            Part { exact: whole.exact, needed, ends }
        }
    }
}

/// Exact parts that stand side by side are multiplied out for as long as they stay few; where other
/// parts meet, their ends are a literal.
fn concatenated(parts: impl Iterator<Item = Part>) -> Part {
    let mut run = Some(Strings::from([Vec::new()]));
    let mut is_exact = true;
    let mut needed: Option<Strings> = None;
    let mut take = |found: Option<Strings>| {
        let both = [needed.take(), found.filter(is_useful)];
        needed = both.into_iter().flatten().reduce(better);
    };
    let mut all_ends = Vec::new();
    for part in parts {
        take(part.needed);
        all_ends.push(part.ends);
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
    if is_exact && let Some(exact) = run {
        return Part { needed, ..Part::exact(exact) };
    }
    take(run);
    let (ends, meeting) = ends::joined(&all_ends);
    meeting.into_iter().for_each(|literals| take(Some(literals)));
    Part { exact: None, needed, ends }
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
    let ends = Ends::either(branches.iter().map(|branch| &branch.ends));
    let needed = branches.into_iter().try_fold(Strings::new(), |mut all, branch| {
        all.extend(branch.at_least().needed?);
        (all.len() <= NEEDED_MAX).then_some(all)
    });
    Part { exact: None, needed, ends }
}

/// Do the strings tell values apart?
fn is_useful(strings: &Strings) -> bool {
    !strings.is_empty()
        && strings.iter().all(|string| string.len() >= LITERAL_BYTES_MIN)
        && frequency(strings) <= FREQUENCY_MAX
}

/// Of two sets of which one string each is needed, the one that fewer values have.
fn better(one: Strings, other: Strings) -> Strings {
    if frequency(&other) < frequency(&one) { other } else { one }
}

/// How often any of the strings begins at a place of a value, roughly.
fn frequency(strings: &Strings) -> f64 {
    let of = |string: &Vec<u8>| string.iter().map(|byte| likelihood(*byte)).product::<f64>();
    strings.iter().map(of).sum()
}

/// How likely a byte is at a place of what programs send, roughly.
fn likelihood(byte: u8) -> f64 {
    match byte {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 0.07,
        b'a'..=b'z' => 0.025,
        b' ' => 0.1,
        b'0'..=b'9' => 0.03,
        b'.' | b'-' | b'_' | b'/' => 0.02,
        _ => 0.004,
    }
}

/// How likely a byte of the set is at a place of a value, in millionths.
pub(super) fn commonness(set: ByteSet) -> u64 {
    let likelihood = set.iter().map(|byte| likelihood(byte.to_ascii_lowercase())).sum::<f64>();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 256 million"
    )]
    let millionths = (likelihood * 1e6) as u64;
    millionths
}

fn keep_rarest(sets: &mut Vec<ByteSet>) {
    sets.sort_by_cached_key(|set| (commonness(*set), *set));
    sets.dedup();
    sets.truncate(BYTE_SETS_MAX);
}

/// A set of which every match has more than one byte, and how many at least.
fn count(hir: &Hir, depth: usize) -> Option<(ByteSet, usize)> {
    if depth > DEPTH_MAX {
        return None;
    }
    match hir.kind() {
        HirKind::Capture(capture) => count(&capture.sub, depth + 1),
        HirKind::Repetition(repetition) => {
            let times = usize::try_from(repetition.min).unwrap_or(usize::MAX);
            let rarest = || {
                let sets = byte_sets(&repetition.sub, depth + 1);
                sets.into_iter().min_by_key(|set| commonness(*set)).map(|set| (set, 1))
            };
            let (set, each) = count(&repetition.sub, depth + 1).or_else(rarest)?;
            let all = each.saturating_mul(times);
            (all > 1).then_some((set, all))
        }
        HirKind::Concat(parts) => {
            let counts = parts.iter().filter_map(|part| count(part, depth + 1));
            // What two parts have one of each, all of them have two of.
            let mut ones: BTreeMap<ByteSet, usize> = BTreeMap::new();
            let sets = parts.iter().flat_map(|part| byte_sets(part, depth + 1));
            sets.for_each(|set| *ones.entry(set).or_default() += 1);
            let ones = ones.into_iter().filter(|(_, times)| *times > 1);
            counts.chain(ones).min_by_key(|(set, _)| commonness(*set))
        }
        _ => None,
    }
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
            keep_rarest(&mut sets);
            sets
        }
        HirKind::Alternation(branches) => {
            // A match takes one of the branches: it has a byte of the rarest set of that one.
            let rarest = branches.iter().map(|branch| {
                byte_sets(branch, depth + 1).into_iter().min_by_key(|set| commonness(*set))
            });
            let united =
                rarest.into_iter().try_fold(ByteSet::NONE, |all, set| Some(all.union(set?)));
            united.into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn literals(pattern: &str) -> Option<Vec<String>> {
        let [Needs { literals, .. }, ..] = needs(pattern);
        let literals = literals?;
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
        // What stands where parts meet.
        check(r"\w+='?[ab]+", &["='", "=a", "=b"]);
        check(r"\w*='?[ab]*", &[]);
    }

    #[test]
    fn bytes_are_needed_where_literals_are_not() {
        let [Needs { literals, bytes, length_min, .. }, ..] = needs(r"[a-z]+\D*=\D*[0-9]");
        assert_eq!(literals, None);
        assert!(bytes.contains(&ByteSet::of(b"=")));
        assert_eq!(length_min, 3);
    }

    #[test]
    fn bytes_are_counted_where_many_are_needed() {
        let count = |pattern: &str| {
            let [any, ..] = needs(pattern);
            any.count
        };
        assert_eq!(count("((?:[';][^';]*?){6})"), Some((ByteSet::of(b"';"), 6)));
        assert_eq!(count("(?:(?:;a?){2}b){3}"), Some((ByteSet::of(b";"), 6)));
        assert_eq!(count("x=(?:--){2,}"), Some((ByteSet::of(b"-"), 2)));
        for pattern in ["[a-f0-9]{32}", ";;", "(?:;{2})?", "(?:;{2}|x)", ";+"] {
            assert_eq!(count(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn plain_text_needs_what_is_left_without_special_bytes() {
        let plain = |pattern: &str| {
            let [.., plain] = needs(pattern);
            let literals = plain.literals.map(|all| {
                all.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect::<Vec<_>>()
            });
            (literals, plain.length_min)
        };
        let of = |literals: &[&str]| Some(literals.iter().map(|it| (*it).to_owned()).collect());
        assert_eq!(plain(r"[et][\x22']*[ao][\x22']*n"), (of(&["ean", "eon", "tan", "ton"]), 3));
        assert_eq!(plain("like|[<=>]|=sleep"), (of(&["like"]), 4));
        assert_eq!(plain("'[a-z]+'|;"), (of(&[]), usize::MAX));
        assert_eq!(plain("(?:;a)?[a-z]+"), (None, 1));
    }

    /// Has the value what is needed?
    fn are_met(needs: &Needs, value: &[u8]) -> bool {
        let small = value.to_ascii_lowercase();
        let has = |literal: &Vec<u8>| memchr::memmem::find(&small, literal).is_some();
        let present = ByteSet::present(value);
        let counted = |set: ByteSet| value.iter().filter(|byte| set.contains(**byte)).count();
        needs.literals.as_ref().is_none_or(|literals| literals.iter().any(has))
            && needs
                .sequences
                .as_ref()
                .is_none_or(|all| all.iter().any(|it| Place::stand_in(it, value)))
            && needs.bytes.iter().all(|set| set.meets(present))
            && needs.count.is_none_or(|(set, least)| counted(set) >= least)
            && value.len() >= needs.length_min
    }

    /// Patterns over a small alphabet, so that values match them often.
    fn patterns() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "[ab]{1,3}".prop_map(|it| it),
            Just("[ab]".to_owned()),
            Just("[^a]".to_owned()),
            Just(".".to_owned()),
            Just("[;,]".to_owned()),
            Just("a;".to_owned()),
            Just("[a=]".to_owned()),
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
        fn whatever_matches_has_what_is_needed(pattern in patterns(), value in "[abABc;,=]{0,12}") {
            let regex = regex::bytes::RegexBuilder::new(&pattern)
                .unicode(false)
                .dot_matches_new_line(true)
                .build()
                .unwrap();
            if regex.is_match(value.as_bytes()) {
                let present = ByteSet::of(value.as_bytes());
                for (needs, lacking) in needs(&pattern).iter().zip(LACKING) {
                    let is_met = are_met(needs, value.as_bytes());
                    prop_assert!(is_met || lacking.meets(present), "{needs:?}");
                }
            }
        }
    }
}
