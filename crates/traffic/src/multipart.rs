//! The fields of a multipart body (RFC 7578), whatever its boundary is.
//!
//! Programs differ in which boundary they take where several could be meant, and in what they let
//! stand before the first part. So each line that says which field follows counts, and its value
//! ends at the next line that begins like a delimiter. That may read more than a program would,
//! and never less. Files are fields without a value.

use crate::fields::{Fields, Location};

const DISPOSITION: &[u8] = b"content-disposition:";

/// Adds the fields of `body` to `fields`.
pub(crate) fn read(body: &[u8], fields: &mut Fields) {
    let mut rest = body;
    while let Some((line, after)) = next_line(rest) {
        rest = after;
        let is_head =
            line.get(..DISPOSITION.len()).is_some_and(|it| it.eq_ignore_ascii_case(DISPOSITION));
        if !is_head {
            continue;
        }
        if fields.is_full() {
            return;
        }
        let (name, is_file) = name_of(line);
        // The other lines of the head, up to an empty one.
        while let Some((line, after)) = next_line(rest).filter(|(line, _)| !line.is_empty()) {
            rest = after;
            if line.starts_with(b"--") {
                break;
            }
        }
        let value = rest.get(next_line(rest).map_or(0, |(_, after)| rest.len() - after.len())..);
        let value = value.unwrap_or_default();
        let end = memchr::memmem::find(value, b"\n--").unwrap_or(value.len());
        let read = value.get(..end).unwrap_or_default();
        let read = if end == value.len() { read.strip_suffix(b"\n").unwrap_or(read) } else { read };
        let read = read.strip_suffix(b"\r").unwrap_or(read);
        fields.push_pair(name, if is_file { b"" } else { read }, Location::Form);
        rest = value.get(end..).unwrap_or_default();
    }
}

/// A line without its end, and what follows it.
fn next_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let line = text.get(..end).unwrap_or_default();
    Some((line.strip_suffix(b"\r").unwrap_or(line), text.get(end + 1..).unwrap_or_default()))
}

/// The name in a disposition, and whether it is that of a file.
fn name_of(line: &[u8]) -> (&[u8], bool) {
    let (mut name, mut is_file) = (&b""[..], false);
    let mut rest = line;
    while let Some(at) = memchr::memchr(b';', rest) {
        rest = rest.get(at + 1..).unwrap_or_default().trim_ascii_start();
        let length = rest.iter().take_while(|byte| !matches!(byte, b'=' | b';')).count();
        let key = rest.get(..length).unwrap_or_default().trim_ascii();
        let Some(value) = rest.get(length..).and_then(|it| it.strip_prefix(b"=")) else { continue };
        let value = value.trim_ascii_start();
        let (value, after) = match value.strip_prefix(b"\"") {
            Some(quoted) => {
                let end = memchr::memchr(b'"', quoted).unwrap_or(quoted.len());
                (quoted.get(..end), quoted.get(end..))
            }
            None => {
                let end = memchr::memchr(b';', value).unwrap_or(value.len());
                (value.get(..end).map(<[u8]>::trim_ascii), value.get(end..))
            }
        };
        rest = after.unwrap_or_default();
        if key.eq_ignore_ascii_case(b"name") {
            name = value.unwrap_or_default();
        } else if key.eq_ignore_ascii_case(b"name*") && name.is_empty() {
            let value = value.unwrap_or_default();
            name = value.rsplit(|byte| *byte == b'\'').next().unwrap_or_default();
        } else {
            is_file |= key.eq_ignore_ascii_case(b"filename");
        }
    }
    (name, is_file)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &[&str]) {
        let mut fields = Fields::default();
        read(body.as_bytes(), &mut fields);
        let found: Vec<String> =
            fields.leaves().map(|field| format!("{}={}", field.name(), field.value())).collect();
        assert_eq!(found, expected, "{body}");
    }

    fn part(disposition: &str, value: &str) -> String {
        format!("--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n")
    }

    #[test]
    fn fields_are_read_and_files_are_named() {
        let body = [
            part("name=\"username\"", "ada"),
            part("name=password", "a\r\nb"),
            part("name=\"photo\"; filename=\"a;b.png\"\r\nContent-Type: image/png", "PNG"),
            part("name*=utf-8\'\'otp", "1234"),
            "--x--\r\n".to_owned(),
        ];
        check(&body.concat(), &["username=ada", "password=a\r\nb", "photo=", "otp=1234"]);
    }

    #[test]
    fn a_boundary_in_doubt_hides_nothing() {
        let fields = [part("name=\"username\"", "ada"), part("name=\"p\"", "x")].concat();
        check(&format!("--other\r\n\r\nin front\r\n{fields}"), &["username=ada", "p=x"]);
        check(&fields.replace("\r\n", "\n"), &["username=ada", "p=x"]);
        check(&fields.replace("--x\r\nC", "--y\r\nX: 1\r\nC"), &["username=ada", "p=x"]);
        check("Content-Disposition: form-data; name=a", &["a="]);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let mut fields = Fields::default();
            read(&bytes, &mut fields);
            read(&[b"Content-Disposition: ; name=", &bytes[..]].concat(), &mut fields);
        }
    }
}
