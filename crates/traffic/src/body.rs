//! A body, as far as it was looked at, into fields.

use std::borrow::Cow;

use crate::fields::{Fields, Location};
use crate::media::Media;
use crate::{json, multipart, xml};

/// Adds the fields of an answer's body to `fields`. `complete` says whether it ended there.
pub fn read(body: &[u8], media: Media, complete: bool, fields: &mut Fields) {
    let is_read = match media {
        Media::Form => {
            fields.read_pairs(body, Location::Form);
            true
        }
        _ => read_json(body, media, fields, usize::MAX),
    };
    if is_read && !complete {
        fields.mark_truncated();
    }
}

/// Adds the fields of a request's body, but of JSON only the first `most`: [`Fields::read_rest`]
/// reads the rest. Says whether it is a body that can be read.
pub fn read_up_to(
    body: &[u8],
    media: Media,
    complete: bool,
    fields: &mut Fields,
    most: usize,
) -> bool {
    let body = &in_utf8(body);
    let is_text = matches!(media, Media::Text | Media::Unknown | Media::Multipart);
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match media {
        Media::Form => fields.read_pairs(body, Location::Form),
        // What a recording keeps of parts is a form.
        Media::Multipart if !begins_like_a_form(body) => multipart::read(body, fields),
        _ if read_json(body, media, fields, most) => {}
        _ if is_text && first == Some(&b'<') => xml::read(body, fields),
        _ if is_text && begins_like_a_form(body) => fields.read_pairs(body, Location::Form),
        _ => return false,
    }
    if !complete {
        fields.mark_truncated();
    }
    true
}

/// Reads JSON, where it is said or begins like it: many clients send it without saying so.
fn read_json(body: &[u8], media: Media, fields: &mut Fields, most: usize) -> bool {
    let begins_so = || {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        matches!(first, Some(b'{' | b'['))
    };
    let is_json = match media {
        Media::Json => true,
        Media::Unknown | Media::Opaque | Media::Text => begins_so(),
        Media::Form | Media::Multipart | Media::Grpc | Media::Stream => false,
    };
    if is_json {
        json::read_up_to(body, fields, most);
    }
    is_json
}

/// Whether a name and an equals sign stand in front.
pub fn begins_like_a_form(body: &[u8]) -> bool {
    const NAME_BYTES_MAX: usize = 64;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.[]%+".contains(byte);
    let length = body.iter().take(NAME_BYTES_MAX).take_while(|byte| is_name(byte)).count();
    length > 0 && body.get(length) == Some(&b'=')
}

/// The body without a byte order mark, and in UTF-8 where it is UTF-16 or UTF-32: told by that
/// mark, or by the zeros beside its first character, which is of ASCII in all that is read here.
pub fn in_utf8(body: &[u8]) -> Cow<'_, [u8]> {
    let (wide, is_big, skip) = match body {
        [0xef, 0xbb, 0xbf, rest @ ..] => return Cow::Borrowed(rest),
        [0xff, 0xfe, 0, 0, ..] => (4, false, 4),
        [0, 0, 0xfe, 0xff, ..] => (4, true, 4),
        [0xff, 0xfe, ..] => (2, false, 2),
        [0xfe, 0xff, ..] => (2, true, 2),
        [1..=0x7f, 0, 0, 0, ..] => (4, false, 0),
        [0, 0, 0, 1..=0x7f, ..] => (4, true, 0),
        [1..=0x7f, 0, ..] => (2, false, 0),
        [0, 1..=0x7f, ..] => (2, true, 0),
        _ => return Cow::Borrowed(body),
    };
    let text = body.get(skip..).unwrap_or_default();
    let number = |unit: &[u8]| {
        let push = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
        if is_big { unit.iter().fold(0, push) } else { unit.iter().rev().fold(0, push) }
    };
    let units = text.chunks_exact(wide).map(number);
    let text: String = if wide == 4 {
        units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    } else {
        let units = units.map(|unit| u16::try_from(unit).unwrap_or_default());
        let read = char::decode_utf16(units);
        read.map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    Cow::Owned(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &[u8], media: Media, expected: &[&str]) {
        let mut fields = Fields::default();
        let is_read = read_up_to(body, media, true, &mut fields, usize::MAX);
        let found: Vec<String> =
            fields.leaves().map(|field| format!("{}={}", field.path(), field.value())).collect();
        assert_eq!(
            (found, is_read),
            (expected.iter().map(|it| (*it).to_owned()).collect(), !expected.is_empty())
        );
    }

    #[test]
    fn what_programs_would_read_is_read_whatever_it_is_called() {
        let json = r#"{"user":"ada","é":"ü"}"#;
        let utf16: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = json.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let utf32: Vec<u8> = json.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        for body in [json.as_bytes(), &utf16, &big, &utf32] {
            check(body, Media::Json, &["user=ada", "é=ü"]);
            check(body, Media::Unknown, &["user=ada", "é=ü"]);
            check(body, Media::Opaque, &["user=ada", "é=ü"]);
        }
        for mark in [&b"\xff\xfe"[..], b"\xef\xbb\xbf"] {
            let body = if mark.len() == 2 { &utf16[..] } else { json.as_bytes() };
            check(&[mark, body].concat(), Media::Json, &["user=ada", "é=ü"]);
        }
        check(b"user=ada&pass=x", Media::Unknown, &["user=ada", "pass=x"]);
        check(b"<l><user>ada</user></l>", Media::Text, &["user=ada"]);
    }

    #[test]
    fn what_nobody_would_read_is_said_not_to_be_read() {
        check(b"\x89PNG\r\n", Media::Opaque, &[]);
        check(b"dear all, x = y", Media::Text, &[]);
        check(b"\x00\x00\x00\x00\x05abcde", Media::Grpc, &[]);
    }
}
