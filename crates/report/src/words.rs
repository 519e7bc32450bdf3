//! Numbers in sentences.

/// `count` of `what`, which takes an s where there are several.
#[must_use]
pub fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
