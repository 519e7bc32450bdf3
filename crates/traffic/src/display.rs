//! Characters that a terminal or a page does not show as themselves, but obeys.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Control characters (C0, C1), direction marks, line separators, zero-width and tag characters.
pub const fn acts_where_shown(c: char) -> bool {
    matches!(
        c,
        '\0'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// `text` with every character that could act on a terminal written as `\x1b` or `\u{202e}`.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts_where_shown) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match u32::from(c) {
            _ if !acts_where_shown(c) => out.push(c),
            code @ 0..=0xff => {
                let _ = write!(out, "\\x{code:02x}");
            }
            code => {
                let _ = write!(out, "\\u{{{code:x}}}");
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn nothing_acts_on_the_terminal() {
        assert_eq!(plain("/a\x1b[2J\x07"), "/a\\x1b[2J\\x07");
        assert_eq!(plain("gnp.\u{202e}exe"), "gnp.\\u{202e}exe");
        assert_eq!(plain("\u{9b}31m"), "\\x9b31m");
        assert_eq!(plain("a\nb\r"), "a\\x0ab\\x0d");
    }

    #[test]
    fn people_write_as_they_like() {
        for honest in ["/pfad/größe", "/路径/猫", "emoji 🛡 and …", "naïve"] {
            assert_eq!(plain(honest), honest);
        }
    }
}
