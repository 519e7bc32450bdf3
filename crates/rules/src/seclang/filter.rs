//! Which rules an exclusion means: numbers and ranges of them, or a pattern for tag or message.

use std::ops::RangeInclusive;

use regex::bytes::Regex;

use super::{context::Context, error::Reason};

/// `942100`, `1-999`, and lists of these with blanks or commas between.
pub(super) fn ids(list: &[u8]) -> Result<Vec<RangeInclusive<u64>>, Reason> {
    let pieces = list.split(|byte| matches!(byte, b' ' | b'\t' | b','));
    let ranges = pieces.filter(|piece| !piece.is_empty()).map(range);
    let ranges = ranges.collect::<Result<Vec<_>, _>>()?;
    if ranges.is_empty() { Err(Reason::new("the number of a rule is missing")) } else { Ok(ranges) }
}

fn range(piece: &[u8]) -> Result<RangeInclusive<u64>, Reason> {
    let text = String::from_utf8_lossy(piece);
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
        _ => Err(Reason::new(format!("{text} is neither the number of a rule nor a range"))),
    }
}

/// The pattern of an exclusion by tag or message.
pub(super) fn matching(pattern: &[u8], context: &mut Context<'_>) -> Result<Regex, Reason> {
    let pattern = context.pattern(pattern)?;
    pattern
        .regex()
        .ok_or_else(|| Reason::new("this pattern cannot look around or refer to a group"))
}
