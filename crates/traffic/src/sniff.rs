//! What a body looks like, whatever its media type says.
//!
//! Programs read what they expect, and many never look at the type: JSON that calls itself an image
//! is JSON to them. Only the first bytes are looked at, so that a file is told from a document as
//! soon as it begins to arrive. Deliberately no detection of file types.

use crate::media::Media;

/// White space in front of a document: more of it is there to hide what follows.
const BLANK_MAX: usize = 64;
/// The longest name of a form's first field that is awaited.
const NAME_MAX: usize = 64;

/// What the first bytes of a body tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Look {
    /// Too little is there.
    Undecided,
    /// Nothing that a program would read fields from.
    Opaque,
    /// It begins as a body of this kind does.
    Like(Media),
}

/// What a body that begins with `start` looks like. It is never undecided beyond some hundred
/// bytes, nor when `is_all` of the body is there.
pub fn look(start: &[u8], is_all: bool) -> Look {
    let look = look_at(start);
    if is_all && look == Look::Undecided { Look::Opaque } else { look }
}

fn look_at(start: &[u8]) -> Look {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    if is_wide(text) {
        return Look::Like(Media::Unknown);
    }
    if text.len() < 4 && text.contains(&0) {
        return Look::Undecided;
    }
    let rest = text.trim_ascii_start();
    if text.len() - rest.len() > BLANK_MAX {
        return Look::Like(Media::Unknown);
    }
    let Some((first, after)) = rest.split_first() else { return Look::Undecided };
    let next = after.trim_ascii_start().first().copied();
    let begins = |is: fn(u8) -> bool, media| match next {
        None if after.len() > BLANK_MAX => Look::Like(media),
        None => Look::Undecided,
        Some(next) if is(next) => Look::Like(media),
        Some(_) => Look::Opaque,
    };
    match first {
        b'{' => begins(|next| is_name(next) || b"\"'}/".contains(&next), Media::Json),
        b'[' => begins(|next| is_name(next) || b"\"'{[]/".contains(&next), Media::Json),
        b'<' => begins(|next| next.is_ascii_alphabetic() || b"?!/_".contains(&next), Media::Text),
        0xef => Look::Undecided.unless(rest.len() > 2),
        0 | 0xfe | 0xff => Look::Undecided.unless(rest.len() > 3),
        _ => form(rest),
    }
}

impl Look {
    fn unless(self, is_known: bool) -> Self {
        if is_known { Self::Opaque } else { self }
    }
}

/// JSON or XML in characters of two or four bytes, with their mark or without.
fn is_wide(text: &[u8]) -> bool {
    let begins = |byte: u8| matches!(byte, b'{' | b'[' | b'<');
    match *text {
        [0xff, 0xfe, a, 0, ..] | [0xfe, 0xff, 0, a, ..] => begins(a) || a.is_ascii_whitespace(),
        [0, 0, 0xfe, 0xff, ..] => true,
        [0, 0, 0, a, ..] | [a, 0, 0, 0, ..] | [0, a, 0, _, ..] | [a, 0, _, 0, ..] => begins(a),
        _ => false,
    }
}

/// `name=`, as forms begin.
fn form(rest: &[u8]) -> Look {
    let ends = |byte: &u8| !is_name(*byte) && !b"[]".contains(byte);
    match rest.iter().take(NAME_MAX + 1).position(ends) {
        Some(at) if at > 0 && rest.get(at) == Some(&b'=') => Look::Like(Media::Form),
        Some(_) => Look::Opaque,
        None if rest.len() > NAME_MAX => Look::Opaque,
        None => Look::Undecided,
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.$%+".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_known_whatever_stands_before_them() {
        for (body, media) in [
            (&br#"{"a":1}"#[..], Media::Json),
            (b" \r\n\t[ 1, 2]", Media::Json),
            (b"{'a':1}", Media::Json),
            (b"\xef\xbb\xbf{\"a\":1}", Media::Json),
            (b"{ \n}", Media::Json),
            (b"<?xml version='1.0'?><a/>", Media::Text),
            (b"<a>", Media::Text),
            (b"user=ada&password=x", Media::Form),
            (b"a%5B0%5D=x", Media::Form),
            (b"a[b]=x", Media::Form),
            (b"{\0\"\0", Media::Unknown),
            (b"\xff\xfe{\0\"\0", Media::Unknown),
            (b"\0{\0\"", Media::Unknown),
            (b"\0\0\0{\0\0\0\"", Media::Unknown),
            (&[b' '; 100], Media::Unknown),
        ] {
            let known = Look::Like(media);
            assert_eq!(look(body, false), known, "{}", body.escape_ascii());
            // However it is cut up, it is never taken for a file before it is known.
            let before = (0..body.len()).map(|end| look(&body[..end], false));
            let kinds: Vec<_> = before.filter(|look| *look != Look::Undecided).collect();
            assert!(kinds.iter().all(|look| *look == known), "{}", body.escape_ascii());
        }
    }

    #[test]
    fn files_and_messages_are_none() {
        for body in [
            &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..],
            b"\xff\xd8\xff\xe0\0\x10JFIF",
            b"GIF89a\x01\0\x01\0",
            b"%PDF-1.7\n%\xe2\xe3",
            b"PK\x03\x04\x14\0",
            b"\x1f\x8b\x08\0\0",
            b"\0\0\0\x20ftypisom",
            b"\0\0\0\0\x07\n\x05hello",
            b"\xff\xfb\x90\x44\0",
            b"\n\x05hello\x10\x01",
            b"\x82\xa7compact\xc3",
            b"--boundary\r\nContent-Disposition: form-data",
            b"10000;chunk-signature=ab\r\n",
            b"[\x9f\x86\x81",
            b"data: 1\n\n",
            b"a,b,c\n1,2,3\n",
        ] {
            assert_eq!(look(body, false), Look::Opaque, "{}", body.escape_ascii());
        }
        assert_eq!(look(b"hello", true), Look::Opaque);
        assert_eq!(look(&[b'a'; 200], false), Look::Opaque);
    }
}
