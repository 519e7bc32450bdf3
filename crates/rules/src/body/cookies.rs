//! A Cookie header as names and values.
//!
//! Values are left as they were sent: no standard encodes them, and rules decode what they want.
//! Old attributes (`$Version`) are cookies like any other, so that rules can see them. What has an
//! empty name is no cookie to ModSecurity, and none here.

use super::arguments::Arguments;
use super::limits::Limits;

/// Takes the value of one Cookie header apart: at `;`, then at the first `=`, blanks around each
/// trimmed. Cookies beyond the limits' number are left out; a head is far too small for so many.
#[must_use]
pub fn parse<'a>(header: &'a [u8], limits: &Limits) -> Arguments<'a> {
    let (raw, _) = limits.split(header);
    let mut cookies = Arguments::of(raw);
    let mut at = 0;
    while let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) {
        let length = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let pair = rest.get(..length).unwrap_or_default();
        let name_length = memchr::memchr(b'=', pair).unwrap_or(length);
        let name = trimmed(raw, at, at + name_length);
        let value = trimmed(raw, (at + name_length + 1).min(at + length), at + length);
        if name.0 < name.1 && cookies.len() < limits.arguments_max {
            cookies
                .push(Arguments::raw_span(name.0, name.1), Arguments::raw_span(value.0, value.1));
        }
        at += length + 1;
    }
    cookies
}

/// `start..end` without the blanks at both ends.
fn trimmed(raw: &[u8], start: usize, end: usize) -> (usize, usize) {
    let bytes = raw.get(start..end).unwrap_or_default();
    let kept = bytes.trim_ascii();
    let start = start + (bytes.len() - bytes.trim_ascii_start().len());
    (start, start + kept.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(header: &[u8], expected: &[(&str, &str)]) {
        let cookies = parse(header, &Limits::default());
        let read: Vec<_> = cookies.iter().map(|c| (c.name, c.value)).collect();
        let expected: Vec<_> =
            expected.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn cookies_are_split_trimmed_and_left_undecoded() {
        check(b"a=1; b=2;c=3", &[("a", "1"), ("b", "2"), ("c", "3")]);
        check(b" a = x y ;b==%3D+;  c", &[("a", "x y"), ("b", "=%3D+"), ("c", "")]);
        check(b"a=1; a=2; A=3", &[("a", "1"), ("a", "2"), ("A", "3")]);
        check(b"=lost; ;;a=", &[("a", "")]);
        check(
            b"\"$Version\"=1; $Path=\"/;x\"",
            &[("\"$Version\"", "1"), ("$Path", "\"/"), ("x\"", "")],
        );
        check(b"", &[]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_and_never_grow(header in any::<Vec<u8>>()) {
            let cookies = parse(&header, &Limits::default());
            prop_assert!(cookies.combined_bytes() <= header.len());
            prop_assert!(cookies.iter().all(|cookie| !cookie.name.is_empty()));
        }
    }
}
