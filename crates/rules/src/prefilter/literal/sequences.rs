//! What stands side by side in whatever a pattern matches: a few bytes, each of some set.
//!
//! Literals tell words apart. But attacks are written with signs, and around a sign many bytes may
//! stand: behind a quote a blank, a comparison, the first letter of a word. An apostrophe within a
//! name has none of these behind it. So of each place of a pattern it is worked out which bytes may
//! follow there one after the other; where that is rare, it is what the pattern needs.
//!
//! Invariant: every value that the pattern matches contains one of the sequences, if the edge of
//! the value is taken for a byte of its own that stands before and behind it.

use std::collections::BTreeMap;

use regex_syntax::hir::{Hir, HirKind, Look, Repetition};

use super::{DEPTH_MAX, class_bytes, likelihood};
use crate::byte_set::ByteSet;

/// A sequence has so many places: more tells little more.
const PLACES_MAX: usize = 3;
/// So many sequences are carried along; beyond, they become shorter.
const CARRIED_MAX: usize = 48;
/// More are not needed of a pattern: one of them is in most values.
const NEEDED_MAX: usize = 40;
/// Nor are those of which one begins at so many places.
const FREQUENCY_MAX: f64 = 0.03;
/// How likely the edge of a value is at a place.
const EDGE_LIKELIHOOD: f64 = 0.05;
/// Where an apostrophe stands in text, mostly, and how often that is.
const APOSTROPHE: &[u8] = b"e's ";
const APOSTROPHE_LIKELIHOOD: f64 = 0.02;
/// How likely each byte is that is no printable one of ASCII.
const STRANGE_LIKELIHOOD: f64 = 0.0005;
/// Where it takes more steps than this to tell, nothing is needed.
const STEPS_MAX: usize = 1_500;

/// What may stand at a place: a byte of a set, or the edge of the value.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::prefilter) struct Place {
    pub(in crate::prefilter) bytes: ByteSet,
    pub(in crate::prefilter) is_edge: bool,
    /// How likely it is that one of them stands there, in millionths.
    likelihood: u32,
}

/// Places side by side.
pub(in crate::prefilter) type Sequence = Vec<Place>;

/// The sequences of which every match contains one; nothing when they are many, or are not by far
/// rarer than what is needed besides, one of which begins at so many places.
pub(super) fn needed(hir: &Hir, besides: f64) -> Option<Vec<Sequence>> {
    let anything = [Sequence::new()];
    let mut walk = Walk { steps: 0 };
    let needed = walk.rest(hir, &anything, 0).needed?;
    let is_worth = walk.steps < STEPS_MAX && needed.len() <= NEEDED_MAX;
    (is_worth && frequency(&needed) <= FREQUENCY_MAX.min(besides / 2.0)).then_some(needed)
}

/// How often a byte of the set is at a place of a value, roughly.
pub(super) fn frequency_of_bytes(set: ByteSet) -> f64 {
    frequency(&[vec![Place::new(set, false)]])
}

/// A walk over the tree of a pattern, from its end to its beginning.
struct Walk {
    steps: usize,
}

/// What is known of a match from some place on.
struct Rest {
    /// It begins with one of these; where there is an empty one, with anything.
    starts: Vec<Sequence>,
    /// It contains one of these.
    needed: Option<Vec<Sequence>>,
}

impl Place {
    pub(in crate::prefilter) fn new(bytes: ByteSet, is_edge: bool) -> Self {
        // Both cases of a letter are one.
        let small = |byte: u8| byte.to_ascii_lowercase();
        let once = |byte: &u8| *byte == small(*byte) || !bytes.contains(small(*byte));
        let of = |byte: u8| match byte {
            b' '..=b'~' => likelihood(small(byte)),
            _ => STRANGE_LIKELIHOOD,
        };
        let edge = if is_edge { EDGE_LIKELIHOOD } else { 0.0 };
        let likelihood = bytes.iter().filter(once).map(of).sum::<f64>() + edge;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a million"
        )]
        let likelihood = (likelihood.min(1.0) * 1e6) as u32;
        Self { bytes, is_edge, likelihood }
    }

    fn or(self, other: Self) -> Self {
        Self::new(self.bytes.union(other.bytes), self.is_edge || other.is_edge)
    }
}

impl Rest {
    /// Of what begins with these, and contains one of what is needed.
    fn new(starts: Vec<Sequence>, needed: Option<Vec<Sequence>>) -> Self {
        let own = starts.iter().all(|it| !it.is_empty()).then(|| starts.clone());
        Self { starts, needed: better(needed, own) }
    }

    fn unknown() -> Self {
        Self { starts: vec![Sequence::new()], needed: None }
    }
}

impl Walk {
    /// What is known of a match of `hir` and what stands behind it, which begins with one of
    /// `behind`.
    fn rest(&mut self, hir: &Hir, behind: &[Sequence], depth: usize) -> Rest {
        self.steps += 1;
        if depth > DEPTH_MAX || self.steps >= STEPS_MAX {
            return Rest::unknown();
        }
        match hir.kind() {
            HirKind::Look(Look::Start | Look::End) => Rest::new(at_edge(behind), None),
            HirKind::Empty | HirKind::Look(_) => Rest::new(behind.to_vec(), None),
            HirKind::Literal(literal) => {
                let bytes = literal.0.iter().rev();
                bytes.fold(Rest::new(behind.to_vec(), None), |rest, byte| {
                    let place = Place::new(ByteSet::of(&[*byte]), false);
                    Rest::new(begun(place, &rest.starts), rest.needed)
                })
            }
            HirKind::Class(class) => match class_bytes(class) {
                Some(set) => Rest::new(begun(Place::new(set, false), behind), None),
                None => Rest::unknown(),
            },
            HirKind::Capture(capture) => self.rest(&capture.sub, behind, depth + 1),
            HirKind::Repetition(repetition) => self.repeated(repetition, behind, depth + 1),
            HirKind::Concat(parts) => {
                let end = Rest::new(behind.to_vec(), None);
                parts.iter().rev().fold(end, |after, part| {
                    let rest = self.rest(part, &after.starts, depth + 1);
                    Rest { needed: better(rest.needed, after.needed), starts: rest.starts }
                })
            }
            HirKind::Alternation(branches) => self.either(branches, behind, depth + 1),
        }
    }

    fn either(&mut self, branches: &[Hir], behind: &[Sequence], depth: usize) -> Rest {
        let (mut starts, mut needed) = (Vec::new(), Some(Vec::new()));
        for branch in branches {
            let rest = self.rest(branch, behind, depth);
            starts.extend(rest.starts);
            needed = needed.zip(rest.needed).map(|(mut all, more)| {
                all.extend(more);
                all
            });
        }
        let needed = needed.map(merged).filter(|it| it.len() <= NEEDED_MAX);
        Rest::new(bounded(starts), needed)
    }

    fn repeated(&mut self, repetition: &Repetition, behind: &[Sequence], depth: usize) -> Rest {
        let Repetition { min, max, sub, .. } = repetition;
        if *max == Some(0) {
            return Rest::new(behind.to_vec(), None);
        }
        let copies_max = u32::try_from(PLACES_MAX).unwrap_or(u32::MAX);
        // What stands behind the copies that there must be: as many more as there may be.
        let more = max.map_or(copies_max, |max| max.saturating_sub(*min)).min(copies_max);
        let mut starts = behind.to_vec();
        for _ in 0..more {
            let again = self.rest(sub, &starts, depth).starts;
            starts = bounded(again.into_iter().chain(behind.iter().cloned()).collect());
        }
        // The last copy of many stands before what is behind them.
        let is_last_known = *min > 0 && more > 0;
        let mut needed = is_last_known.then(|| self.rest(sub, behind, depth).needed).flatten();
        for _ in 0..(*min).min(copies_max) {
            let copy = self.rest(sub, &starts, depth);
            (starts, needed) = (copy.starts, better(copy.needed, needed));
        }
        // Behind the copies that were left out stand others.
        if *min > copies_max && starts.iter().any(|it| it.len() < PLACES_MAX) {
            return Rest::unknown();
        }
        Rest::new(starts, needed)
    }
}

/// What begins with a place and goes on with one of these.
fn begun(place: Place, behind: &[Sequence]) -> Vec<Sequence> {
    let whole = |rest: &Sequence| {
        std::iter::once(place).chain(rest.iter().copied()).take(PLACES_MAX).collect()
    };
    bounded(behind.iter().map(whole).collect())
}

/// What begins at the edge of the value and goes on with one of these. There is one edge however
/// often it is asked for.
fn at_edge(behind: &[Sequence]) -> Vec<Sequence> {
    let (edged, others): (Vec<_>, Vec<_>) =
        behind.iter().cloned().partition(|it| it.first().is_some_and(|first| first.is_edge));
    bounded(begun(Place::new(ByteSet::NONE, true), &others).into_iter().chain(edged).collect())
}

/// The same, or fewer and shorter sequences of which one is where one of these is.
fn bounded(all: Vec<Sequence>) -> Vec<Sequence> {
    if all.iter().any(Vec::is_empty) {
        return vec![Sequence::new()];
    }
    let mut all = all;
    all.sort_unstable();
    all.dedup();
    if all.len() > CARRIED_MAX {
        all = merged(all);
    }
    for places in (1..PLACES_MAX).rev() {
        if all.len() <= CARRIED_MAX {
            break;
        }
        all.iter_mut().for_each(|it| it.truncate(places));
        all = merged(all);
    }
    all
}

/// The same with one sequence for all that differ in their last place alone, or in their first.
fn merged(all: Vec<Sequence>) -> Vec<Sequence> {
    let mut by_start: BTreeMap<Sequence, Place> = BTreeMap::new();
    for mut sequence in all {
        if let Some(last) = sequence.pop() {
            by_start.entry(sequence).and_modify(|it| *it = it.or(last)).or_insert(last);
        }
    }
    let mut by_end: BTreeMap<Sequence, Place> = BTreeMap::new();
    for (start, last) in by_start {
        let mut places = start.into_iter().chain([last]);
        if let Some(first) = places.next() {
            let end = by_end.entry(places.collect());
            end.and_modify(|it| *it = it.or(first)).or_insert(first);
        }
    }
    by_end.into_iter().map(|(end, first)| std::iter::once(first).chain(end).collect()).collect()
}

/// Of two lists of which one sequence each is needed, the one that fewer values have.
fn better(one: Option<Vec<Sequence>>, other: Option<Vec<Sequence>>) -> Option<Vec<Sequence>> {
    let cost = |all: &Vec<Sequence>| frequency(all);
    match (one, other) {
        (Some(one), Some(other)) => Some(if cost(&other) < cost(&one) { other } else { one }),
        (one, other) => one.or(other),
    }
}

/// How often any of the sequences begins at a place of a value, roughly.
fn frequency(all: &[Sequence]) -> f64 {
    let of = |place: &Place| f64::from(place.likelihood) / 1e6;
    let product = |sequence: &Sequence| sequence.iter().map(of).product::<f64>();
    let is_apostrophe = |sequence: &Sequence| {
        let mut windows = APOSTROPHE.windows(sequence.len()).filter(|it| it.contains(&b'\''));
        windows.any(|it| it.iter().zip(sequence).all(|(byte, place)| place.bytes.contains(*byte)))
    };
    let apostrophe = if all.iter().any(is_apostrophe) { APOSTROPHE_LIKELIHOOD } else { 0.0 };
    all.iter().map(product).sum::<f64>() + apostrophe
}

#[cfg(test)]
impl Place {
    /// Do such places stand side by side in the value, or at its edge?
    pub(in crate::prefilter) fn stand_in(places: &[Self], value: &[u8]) -> bool {
        let bytes = value.iter().map(|byte| Some(*byte));
        let symbols: Vec<_> = [None].into_iter().chain(bytes).chain([None]).collect();
        let may = |place: &Self, symbol: &Option<u8>| {
            symbol.map_or(place.is_edge, |byte| place.bytes.contains(byte))
        };
        let mut windows = symbols.windows(places.len());
        windows.any(|window| places.iter().zip(window).all(|(place, it)| may(place, it)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::parsed;
    use super::*;

    /// Does the value have what the pattern needs side by side?
    fn may_match(pattern: &str, value: &str) -> bool {
        let hir = parsed(pattern).expect("a pattern");
        let sequences = needed(&hir, 1.0).expect("what is rare");
        sequences.iter().any(|it| Place::stand_in(it, value.as_bytes()))
    }

    #[test]
    fn an_apostrophe_within_words_is_no_quote() {
        let compared = r#"["'`]\s*(?:[^\w\s]|x?or\b)"#;
        for (value, expected) in [
            ("left at the baker's door; call", false),
            ("O'Neill", false),
            ("x' or 1", true),
            ("x'=1", true),
            ("x' <", true),
        ] {
            assert_eq!(may_match(compared, value), expected, "{value}");
        }
    }

    #[test]
    fn the_edge_of_a_value_is_a_place() {
        for (value, expected) in [("ls", true), ("a/ls", true), ("ls -l", false), ("also", false)] {
            assert_eq!(may_match("(?:^|/)ls$", value), expected, "{value}");
        }
    }
}
