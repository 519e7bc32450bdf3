//! The loop that most transformations share: text is copied up to the next mark, and what the mark
//! begins is decoded.
//!
//! Searching for marks runs at the speed of memory, so a value with few of them costs little more
//! than a copy, and a value with none is not copied.

/// Copies `value` with what begins at each mark replaced, or gives nothing when it has no mark.
///
/// `next` finds the first mark in what is left. `step` is given what is left from the mark on,
/// writes what replaces it, and says how many bytes it has read; at least one is always taken, so
/// the loop ends, and time is linear as long as a step reads no more than it takes.
pub(super) fn rewrite(
    value: &[u8],
    next: impl Fn(&[u8]) -> Option<usize>,
    mut step: impl FnMut(&[u8], &mut Vec<u8>) -> usize,
) -> Option<Vec<u8>> {
    let mut mark = next(value)?;
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((plain, marked)) = rest.split_at_checked(mark) {
        out.extend_from_slice(plain);
        let taken = step(marked, &mut out).max(1);
        rest = marked.get(taken..).unwrap_or_default();
        match next(rest) {
            Some(at) => mark = at,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    Some(out)
}
