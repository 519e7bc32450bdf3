//! `lowercase` and `uppercase`, of ASCII letters only: the other bytes belong to no alphabet here.

/// `lowercase`.
pub(super) fn lower(value: &[u8]) -> Option<Vec<u8>> {
    value.iter().any(u8::is_ascii_uppercase).then(|| value.to_ascii_lowercase())
}

/// `uppercase`.
pub(super) fn upper(value: &[u8]) -> Option<Vec<u8>> {
    value.iter().any(u8::is_ascii_lowercase).then(|| value.to_ascii_uppercase())
}
