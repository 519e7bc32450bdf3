//! Text from traffic, made harmless for a terminal.
//!
//! A path or a User-Agent may hold escape sequences that recolour, hide or retype what an operator
//! sees, and direction marks that reorder it. Here they become visible escapes.

use std::borrow::Cow;
use std::fmt::Write as _;

use traffic::acts_where_shown;
pub(crate) use traffic::plain;

/// JSON `text` with such characters in their JSON escape: they can only stand inside strings.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| acts_where_shown(c) && c != '\n';
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if !hidden(c) {
            out.push(c);
            continue;
        }
        let mut units = [0_u16; 2];
        for unit in c.encode_utf16(&mut units) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_json() {
        let value = serde_json::json!({"path": "/\u{9b}31m\u{202e}\u{e0041}x", "n": [1, 2]});
        let text = serde_json::to_string_pretty(&value).expect("json");
        let safe = json(&text);
        assert!(!safe.contains('\u{202e}') && !safe.contains('\u{9b}'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).expect("json"), value);
    }
}
