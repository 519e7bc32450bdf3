//! Texts that keep a pattern busy: they nearly match it, over and over, and fail at the end.
//!
//! The pattern's syntax tree is walked. From each of its branches a text is taken that matches;
//! without its last byte, and repeated, it makes an engine begin a match at every place. Each loop
//! is pumped on its own and together with what leads to it, so that every place both begins and
//! goes on. What follows a loop never comes.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, Hir, HirKind};
use rules::transformation::Transformation;

use super::disguise::disguised;

/// So many shapes are taken of one pattern: of large ones a sample, evenly.
const SHAPES_MAX: usize = 24;
/// A byte that ends what loops take: few classes have it that do not have all bytes.
const END: u8 = 0x01;
/// A text that is repeated is no longer than this.
const PUMP_BYTES_MAX: usize = 400;

/// A text of any length: what it begins with, what is repeated, and what it ends with.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Shape {
    pub(crate) before: Vec<u8>,
    pub(crate) pump: Vec<u8>,
    pub(crate) after: Vec<u8>,
}

impl Shape {
    pub(crate) fn repeated(pump: &[u8]) -> Self {
        Self { before: Vec::new(), pump: pump.to_vec(), after: vec![END] }
    }

    /// The text, of so many bytes.
    pub(crate) fn text(&self, bytes: usize) -> Vec<u8> {
        let end = bytes.saturating_sub(self.after.len());
        let mut text = self.before.clone();
        while text.len() < end {
            text.extend_from_slice(&self.pump);
        }
        text.truncate(end);
        text.extend_from_slice(&self.after);
        text
    }

    /// The same text as it is before `chain` undoes what hides it.
    pub(crate) fn hidden(&self, chain: &[Transformation]) -> Self {
        let hide = |part: &[u8]| disguised(part, chain);
        // Three times, since base64 has its marks at every third byte.
        let pump = hide(&self.pump.repeat(3));
        Self { before: hide(&self.before), pump, after: hide(&self.after) }
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        let part = |bytes: &[u8]| {
            let text: String = bytes.escape_ascii().to_string();
            text.chars().take(40).collect::<String>()
        };
        format!("{} ({})* {}", part(&self.before), part(&self.pump), part(&self.after))
    }
}

/// The shapes of a pattern, in the syntax of the crate `regex`.
pub(crate) fn shapes(pattern: &str) -> Vec<Shape> {
    let parser = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .build()
        .parse(pattern);
    let hir = parser.expect("a pattern that was compiled");
    let mut shapes = BTreeSet::new();
    for choice in 0..6 {
        nearly(&text(&hir, choice), &mut shapes);
    }
    let mut loops = Vec::new();
    for choice in 0..3 {
        walk(&hir, choice, &Vec::new(), &mut loops);
    }
    for (lead, sub) in sampled(&loops, SHAPES_MAX) {
        let mut add = |before: &[u8], pump: Vec<u8>| {
            if !pump.is_empty() && pump.len() <= PUMP_BYTES_MAX {
                let before = before.to_vec();
                shapes.insert(Shape { before, pump, after: vec![END] });
            }
        };
        add(lead, sub.clone());
        add(b"", [lead.as_slice(), sub].concat());
        add(b"", lead.clone());
    }
    let shapes: Vec<Shape> = shapes.into_iter().collect();
    sampled(&shapes, SHAPES_MAX).cloned().collect()
}

/// A text that matches, with its ends cut off or spoilt.
fn nearly(text: &[u8], shapes: &mut BTreeSet<Shape>) {
    if text.is_empty() || text.len() > PUMP_BYTES_MAX {
        return;
    }
    let spoilt = [&text[..text.len() - 1], &[END]].concat();
    for pump in [&text[..text.len() - 1], &text[1..], &spoilt, text] {
        if !pump.is_empty() {
            shapes.insert(Shape::repeated(pump));
        }
    }
    // Its first half alone: the second is looked for at each of them.
    shapes.insert(Shape::repeated(&text[..text.len().div_ceil(2)]));
}

/// `most` of a list, evenly.
fn sampled<T>(list: &[T], most: usize) -> impl Iterator<Item = &T> {
    let step = list.len().div_ceil(most).max(1);
    list.iter().step_by(step)
}

/// A text that the part matches; `choice` says which branch, which byte, and how often at least.
fn text(hir: &Hir, choice: usize) -> Vec<u8> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Vec::new(),
        HirKind::Literal(literal) => literal.0.to_vec(),
        HirKind::Class(class) => byte(class, choice).into_iter().collect(),
        HirKind::Capture(capture) => text(&capture.sub, choice),
        HirKind::Repetition(repetition) => {
            let least = repetition.min as usize;
            let may_more = repetition.max.is_none_or(|max| max > repetition.min);
            let times = least + usize::from(may_more && choice % 2 == 1);
            let once = text(&repetition.sub, choice);
            once.repeat(times.min(PUMP_BYTES_MAX))
        }
        HirKind::Concat(parts) => parts.iter().flat_map(|part| text(part, choice)).collect(),
        HirKind::Alternation(branches) => {
            // An even spread over the branches, since the first of many are alike.
            let at = choice * branches.len().div_ceil(6) % branches.len();
            text(&branches[at], choice)
        }
    }
}

/// A byte of a class: of its first, middle or last range, a printable one if there is one.
fn byte(class: &Class, choice: usize) -> Option<u8> {
    let bytes: Vec<u8> = match class {
        Class::Bytes(class) => {
            class.ranges().iter().flat_map(|range| range.start()..=range.end()).collect()
        }
        Class::Unicode(class) => {
            let ranges = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            ranges.filter_map(|it| u8::try_from(it).ok()).filter(u8::is_ascii).collect()
        }
    };
    let printable: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_graphic).collect();
    let from = if printable.is_empty() { bytes } else { printable };
    from.get(choice * from.len().div_ceil(5) % from.len().max(1)).copied()
}

/// Every loop that can go on for long, with a text that leads to it and one of it.
fn walk(hir: &Hir, choice: usize, lead: &[u8], loops: &mut Vec<(Vec<u8>, Vec<u8>)>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => {}
        HirKind::Capture(capture) => walk(&capture.sub, choice, lead, loops),
        HirKind::Repetition(repetition) => {
            if repetition.max.is_none_or(|max| max > repetition.min + 4) {
                loops.push((lead.to_vec(), text(&repetition.sub, choice)));
            }
            walk(&repetition.sub, choice, lead, loops);
        }
        HirKind::Concat(parts) => {
            let mut lead = lead.to_vec();
            for part in parts {
                walk(part, choice, &lead, loops);
                lead.extend(text(part, choice));
            }
        }
        HirKind::Alternation(branches) => {
            for branch in sampled(branches, SHAPES_MAX) {
                walk(branch, choice, lead, loops);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_loop_is_pumped_with_and_without_what_leads_to_it() {
        use super::*;

        let shapes = shapes("ab[xy]*c");
        let has = |before: &str, pump: &str| {
            let (before, pump) = (before.as_bytes(), pump.as_bytes());
            shapes.iter().any(|it| it.before == before && it.pump == pump)
        };
        assert!(has("ab", "x"), "{shapes:?}");
        assert!(has("", "abx"), "{shapes:?}");
        assert!(has("", "ab"), "{shapes:?}");
        let pattern = regex::bytes::Regex::new("^ab[xy]*c").expect("a pattern");
        let pumped = shapes.iter().find(|it| it.before == b"ab").expect("a pumped loop");
        assert!(!pattern.is_match(&pumped.text(1_000)));
        assert_eq!(pumped.text(1_000).len(), 1_000);
    }
}
