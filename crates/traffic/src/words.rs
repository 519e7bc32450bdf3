//! Numbers in sentences.

/// `count` of `what`, which takes an s where there are several.
#[must_use]
pub fn counted(count: impl Into<u64>, what: &str) -> String {
    let count = count.into();
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// How often.
#[must_use]
pub fn times(count: impl Into<u64>) -> String {
    match count.into() {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}
