//! The boundary that a Content-Type names.
//!
//! As strict as ModSecurity, since a server that reads another boundary reads another body. The
//! most likely one is given all the same, so that the body can be looked at.

use super::{Multipart, MultipartFault};
use crate::body::limits::Limits;

const MEDIA_TYPE: &[u8] = b"multipart/form-data";
const PARAMETER: &[u8] = b"boundary";

/// The boundary, without the dashes before it. What is odd is noted in `multipart`.
pub(super) fn find<'c>(
    content_type: &'c [u8],
    limits: &Limits,
    multipart: &mut Multipart<'_>,
) -> Option<&'c [u8]> {
    let is_form =
        content_type.get(..MEDIA_TYPE.len()).is_some_and(|t| t.eq_ignore_ascii_case(MEDIA_TYPE));
    if !is_form || content_type.len() > limits.content_type_bytes_max {
        multipart.note(MultipartFault::ContentType);
    }
    // Bounded, so that counting below stays cheap whatever a caller lets through.
    let header = content_type.get(..limits.content_type_bytes_max).unwrap_or(content_type);
    let mut places = parameters(header);
    let Some(place) = places.next() else {
        multipart.note(MultipartFault::Boundary);
        return None;
    };
    let is_lower = header.get(place..).is_some_and(|rest| rest.starts_with(PARAMETER));
    if places.next().is_some() || !is_lower {
        multipart.note(MultipartFault::Boundary);
    }
    let ends_type = |byte: &u8| byte.is_ascii_whitespace() || *byte == b';';
    let type_length = match header.iter().position(ends_type) {
        Some(length) if !is_form => length,
        _ => MEDIA_TYPE.len(),
    };
    before(header.get(type_length..place).unwrap_or_default(), multipart);
    let after = header.get(place + PARAMETER.len()..).unwrap_or_default();
    let equals = memchr::memchr(b'=', after)?;
    for byte in after.get(..equals).unwrap_or_default() {
        if byte.is_ascii_whitespace() {
            multipart.flags.boundary_whitespace = true;
        } else {
            multipart.note(MultipartFault::Boundary);
        }
    }
    value(after.get(equals + 1..).unwrap_or_default(), multipart)
}

/// Where `boundary`, in any case, stands with an equals sign somewhere behind it.
fn parameters(header: &[u8]) -> impl Iterator<Item = usize> {
    let end = memchr::memrchr(b'=', header).unwrap_or(0);
    let before = header.get(..end).unwrap_or_default();
    let is_parameter = |window: &[u8]| window.eq_ignore_ascii_case(PARAMETER);
    before
        .windows(PARAMETER.len())
        .enumerate()
        .filter(move |(_, window)| is_parameter(window))
        .map(|(place, _)| place)
}

/// Between the media type and the parameter: one semicolon and blanks.
fn before(between: &[u8], multipart: &mut Multipart<'_>) {
    let mut marks = between.iter().filter(|byte| !byte.is_ascii_whitespace());
    match (marks.next(), marks.next()) {
        (Some(b';'), None) => {}
        (None, _) => multipart.flags.missing_semicolon = true,
        _ => multipart.note(MultipartFault::Boundary),
    }
}

fn value<'c>(value: &'c [u8], multipart: &mut Multipart<'_>) -> Option<&'c [u8]> {
    if value.first().is_some_and(u8::is_ascii_whitespace) {
        multipart.flags.boundary_whitespace = true;
    }
    let boundary = match value {
        [b'"', quoted @ .., b'"'] => {
            multipart.flags.boundary_quoted = true;
            quoted
        }
        _ => {
            // Another parameter may follow; to ModSecurity that is a fault, and to us.
            let length = memchr::memchr(b';', value).unwrap_or(value.len());
            if length < value.len() {
                multipart.note(MultipartFault::Boundary);
            }
            let first = value.get(..length).unwrap_or_default().trim_ascii_start();
            if first.starts_with(b"\"") || first.ends_with(b"\"") {
                multipart.note(MultipartFault::Boundary);
                first.strip_prefix(b"\"").unwrap_or(first).split(|byte| *byte == b'"').next()?
            } else {
                first
            }
        }
    };
    if boundary.ends_with(b" ") || !boundary.iter().all(|byte| is_boundary_byte(*byte)) {
        multipart.note(MultipartFault::Boundary);
    }
    let boundary = boundary.trim_ascii_end();
    if boundary.is_empty() {
        multipart.note(MultipartFault::Boundary);
        return None;
    }
    Some(boundary)
}

/// RFC 2046, section 5.1.1.
const fn is_boundary_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b' ' | b'\'' | b'(' | b')' | b'+' | b'_' | b',' | b'-' | b'.')
        || matches!(byte, b'/' | b':' | b'=' | b'?')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The boundary, and its flags as letters: quoted, whitespace, missing semicolon, fault.
    fn read(content_type: &str) -> (String, String) {
        let mut multipart = Multipart::default();
        let found = find(content_type.as_bytes(), &Limits::default(), &mut multipart);
        let flags = multipart.flags;
        let marks = [
            (flags.boundary_quoted, "q"),
            (flags.boundary_whitespace, "w"),
            (flags.missing_semicolon, "s"),
            (multipart.fault == Some(MultipartFault::ContentType), "T"),
            (multipart.fault == Some(MultipartFault::Boundary), "F"),
        ];
        let marks = marks.iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| *mark);
        (String::from_utf8_lossy(found.unwrap_or(b"none")).into_owned(), marks.collect())
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_noted() {
        for (parameters, boundary, marks) in [
            ("; boundary=b", "b", ""),
            (";boundary=----WebKit'()+_,-./:=? x", "----WebKit'()+_,-./:=? x", ""),
            ("; boundary=\"b c\"", "b c", "q"),
            (" boundary=b", "b", "s"),
            ("; boundary =b", "b", "w"),
            ("; boundary= b", "b", "w"),
            ("; boundary=b ", "b", "F"),
            ("; boundary=\"b", "b", "F"),
            ("; boundary=b\"", "b", "F"),
            ("; boundary=b; charset=utf-8", "b", "F"),
            ("; charset=utf-8; boundary=b", "b", "F"),
            (";; boundary=b", "b", "F"),
            ("; boundary=a; boundary=b", "a", "F"),
            ("; Boundary=b", "b", "F"),
            ("; boundaryx=b", "b", "F"),
            ("; boundary=b&c", "b&c", "F"),
            ("; boundary=", "none", "F"),
            ("; boundary=\"\"", "none", "qF"),
            ("; boundary", "none", "F"),
            ("", "none", "F"),
        ] {
            let read = read(&format!("Multipart/Form-Data{parameters}"));
            assert_eq!(read, (boundary.into(), marks.into()), "{parameters}");
        }
        assert_eq!(read("multipart/mixed; boundary=b"), ("b".into(), "T".into()));
        let long = format!("multipart/form-data; boundary={}", "b".repeat(2_000));
        assert_eq!(read(&long).1, "T");
    }
}
