//! Patterns over ordinary text.
//!
//! Most of what rules look for is written with bytes that names, numbers and sentences do not have.
//! Of a value without them a pattern can match only what it could match if they did not exist,
//! which is less: often nothing, or words that are literals then.

use regex_syntax::hir::{Capture, Class, ClassBytes, ClassBytesRange, Hir, HirKind, Repetition};

use super::{DEPTH_MAX, class_bytes};
use crate::byte_set::ByteSet;

/// What ordinary values do not have: what quotes, calls, compares, escapes and ends statements.
const SIGNS: ByteSet =
    ByteSet::range(0x00, 0x1f).union(ByteSet::of(b"\"'`\\$|&;(){}[]<>^=*#!?%+~\x7f"));

/// What values lack: nothing, or the signs. What each lacks the next one lacks, too.
pub(in crate::prefilter) const LACKING: [ByteSet; 2] = [ByteSet::NONE, SIGNS];

/// The pattern that matches where this one does in values without these bytes; nothing when it
/// matches in none.
pub(super) fn without(hir: &Hir, lacking: ByteSet, depth: usize) -> Option<Hir> {
    if depth > DEPTH_MAX {
        return Some(hir.clone());
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(hir.clone()),
        HirKind::Literal(literal) => {
            let is_left = !ByteSet::present(&literal.0).meets(lacking);
            is_left.then(|| hir.clone())
        }
        HirKind::Class(class) => match class_bytes(class) {
            Some(set) => of_bytes(set.without(lacking)),
            None => Some(hir.clone()),
        },
        HirKind::Capture(capture) => {
            let sub = Box::new(without(&capture.sub, lacking, depth + 1)?);
            Some(Hir::capture(Capture { sub, ..capture.clone() }))
        }
        HirKind::Repetition(repetition) => match without(&repetition.sub, lacking, depth + 1) {
            Some(sub) => {
                let sub = Box::new(sub);
                Some(Hir::repetition(Repetition { sub, ..repetition.clone() }))
            }
            None => (repetition.min == 0).then(Hir::empty),
        },
        HirKind::Concat(parts) => {
            let parts = parts.iter().map(|part| without(part, lacking, depth + 1));
            Some(Hir::concat(parts.collect::<Option<_>>()?))
        }
        HirKind::Alternation(branches) => {
            let left: Vec<Hir> =
                branches.iter().filter_map(|branch| without(branch, lacking, depth + 1)).collect();
            (!left.is_empty()).then(|| Hir::alternation(left))
        }
    }
}

fn of_bytes(set: ByteSet) -> Option<Hir> {
    let ranges = set.iter().map(|byte| ClassBytesRange::new(byte, byte));
    (!set.is_empty()).then(|| Hir::class(Class::Bytes(ClassBytes::new(ranges))))
}
