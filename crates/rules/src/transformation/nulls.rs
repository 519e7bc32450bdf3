//! `removeNulls` and `replaceNulls`.

use super::rewrite::rewrite;

/// `removeNulls`.
pub(super) fn remove(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(value, |rest| memchr::memchr(0, rest), |_, _| 1)
}

/// `replaceNulls`.
pub(super) fn replace(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(
        value,
        |rest| memchr::memchr(0, rest),
        |_, out| {
            out.push(b' ');
            1
        },
    )
}
