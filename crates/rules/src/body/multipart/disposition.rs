//! Content-Disposition of a part: `form-data; name="a"; filename="b"`.
//!
//! Every value that some server would take for the name or the file name is kept, and what servers
//! disagree on is a fault: other dispositions and parameters, duplicates, capital letters, text
//! behind a value, and what RFC 5987 does not know of `filename*`.

use std::borrow::Cow;

use super::{Flags, Part};
use crate::body::urlencoded::decode_into;

/// What a Content-Disposition says.
#[derive(Default)]
pub(super) struct Disposition {
    pub(super) names: Vec<Vec<u8>>,
    pub(super) filenames: Vec<Vec<u8>>,
    pub(super) is_faulty: bool,
    pub(super) invalid_quoting: bool,
}

/// Reads `value`, what stands behind the colon.
pub(super) fn read(value: &[u8]) -> Disposition {
    let mut disposition = Disposition::default();
    let length = memchr::memchr(b';', value).unwrap_or(value.len());
    let (sort, mut rest) = value.split_at_checked(length).unwrap_or((value, &[]));
    disposition.is_faulty |= sort.trim_ascii_end() != b"form-data";
    // Each round takes at least the semicolon.
    while let Some(parameter) = rest.strip_prefix(b";") {
        rest = disposition.take(parameter.trim_ascii_start());
    }
    disposition
}

impl Disposition {
    /// Reads one parameter; gives what follows, which begins with a semicolon or is empty.
    fn take<'v>(&mut self, parameter: &'v [u8]) -> &'v [u8] {
        let ends = |byte: &u8| matches!(byte, b'=' | b';');
        let length = parameter.iter().position(ends).unwrap_or(parameter.len());
        let (name, rest) = parameter.split_at_checked(length).unwrap_or((parameter, &[]));
        let Some(value) = rest.strip_prefix(b"=") else {
            // Nothing behind a semicolon, or a name without a value.
            self.is_faulty = true;
            return rest;
        };
        let value = value.trim_ascii_start();
        if name.eq_ignore_ascii_case(b"filename*") {
            self.is_faulty |= name != b"filename*";
            return self.take_extended(value);
        }
        let known = name.trim_ascii().to_ascii_lowercase();
        self.is_faulty |= name != known || !matches!(name, b"name" | b"filename");
        let (readings, rest) = self.take_value(value);
        let kept = match known.as_slice() {
            b"name" => &mut self.names,
            _ if known.starts_with(b"filename") => &mut self.filenames,
            _ => return rest,
        };
        self.is_faulty |= !kept.is_empty();
        kept.extend(readings);
        rest
    }

    /// A value in quotes or without, in each way it can be read.
    fn take_value<'v>(&mut self, value: &'v [u8]) -> (Vec<Vec<u8>>, &'v [u8]) {
        if let Some((quote @ (b'"' | b'\''), quoted)) = value.split_first() {
            self.invalid_quoting |= *quote == b'\'';
            let (reading, length, is_closed) = unquote(quoted, *quote);
            let after = quoted.get(length..).unwrap_or_default();
            let rest = after.trim_ascii_start();
            if is_closed && (rest.is_empty() || rest.starts_with(b";")) {
                return (vec![reading], rest);
            }
            // Something stands behind the quote, or there is none: other servers read on.
            self.is_faulty = true;
            self.invalid_quoting |= is_closed;
            let length = memchr::memchr(b';', after).unwrap_or(after.len());
            let whole = value.get(..1 + quoted.len() - after.len() + length).unwrap_or_default();
            return (vec![reading, whole.to_vec()], after.get(length..).unwrap_or_default());
        }
        let length = memchr::memchr(b';', value).unwrap_or(value.len());
        let (word, rest) = value.split_at_checked(length).unwrap_or((value, &[]));
        let word = word.trim_ascii_end();
        self.is_faulty |= word.is_empty() || !word.iter().all(|byte| is_token(*byte));
        self.invalid_quoting |= word.contains(&b'\'');
        (vec![word.to_vec()], rest)
    }

    /// `UTF-8'en'a%20b` (RFC 5987): decoded, and as it stands when it is not of that form.
    fn take_extended<'v>(&mut self, value: &'v [u8]) -> &'v [u8] {
        let quoted = value.strip_prefix(b"\"");
        self.invalid_quoting |= quoted.is_some();
        let value = quoted.unwrap_or(value);
        let end = if quoted.is_some() { b'"' } else { b';' };
        let length = memchr::memchr(end, value).unwrap_or(value.len());
        let (word, rest) = value.split_at_checked(length).unwrap_or((value, &[]));
        let word = word.trim_ascii_end();
        let mut sections = word.splitn(3, |byte| *byte == b'\'');
        let encoded = match (sections.next(), sections.next(), sections.next()) {
            (Some(charset), Some(_), Some(encoded)) => {
                self.is_faulty |= charset.is_empty();
                encoded
            }
            _ => {
                self.is_faulty = true;
                word
            }
        };
        let mut decoded = Vec::with_capacity(encoded.len());
        self.is_faulty |= decode_into(encoded, b'+', &mut decoded) > 0;
        self.filenames.push(decoded);
        let after = memchr::memchr(b';', rest).unwrap_or(rest.len());
        self.is_faulty |= rest
            .get(usize::from(quoted.is_some())..after)
            .is_some_and(|between| !between.trim_ascii().is_empty());
        rest.get(after..).unwrap_or_default()
    }

    /// Gives what was read to the part.
    pub(super) fn tell(self, part: &mut Part<'_>, flags: &mut Flags) {
        part.names.extend(self.names.into_iter().map(Cow::Owned));
        part.filenames.extend(self.filenames.into_iter().map(Cow::Owned));
        flags.invalid_quoting |= self.invalid_quoting;
    }
}

/// The text up to `quote`: unescaped, how many bytes it took with the quote, and whether it ended.
///
/// A backslash escapes only a quote and itself: some browsers send `C:\dir\file` as it is.
fn unquote(quoted: &[u8], quote: u8) -> (Vec<u8>, usize, bool) {
    let mut text = Vec::new();
    let mut at = 0;
    while let Some(&byte) = quoted.get(at) {
        at += 1;
        if byte == quote {
            return (text, at, true);
        }
        match quoted.get(at) {
            Some(&next) if byte == b'\\' && (next == quote || next == b'\\') => {
                text.push(next);
                at += 1;
            }
            _ => text.push(byte),
        }
    }
    (text, at, false)
}

/// RFC 2045, section 5.1.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'(' | b')' | b'<' | b'>' | b'@' | b',' | b';' | b':' | b'\\')
        && !matches!(byte, b'"' | b'/' | b'[' | b']' | b'?' | b'=')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(value: &str, names: &[&str], filenames: &[&str], marks: &str) {
        let read = read(value.as_bytes());
        let texts = |all: &[Vec<u8>]| -> Vec<String> {
            all.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
        };
        assert_eq!((texts(&read.names), texts(&read.filenames)), (own(names), own(filenames)));
        let faulty = if read.is_faulty { "F" } else { "" };
        let quoting = if read.invalid_quoting { "q" } else { "" };
        assert_eq!(format!("{faulty}{quoting}"), marks);
    }

    fn own(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn names_and_file_names_are_read() {
        check("form-data; name=\"a\"; filename=\"b.txt\"", &["a"], &["b.txt"], "");
        check("form-data;name=a;filename=b.txt", &["a"], &["b.txt"], "");
        check("form-data ; name = \"a\" ; filename= b", &["a"], &["b"], "F");
        check("form-data; name=\"a;b\\\"c\\\\d\\e=1\"", &["a;b\"c\\d\\e=1"], &[], "");
        check("form-data", &[], &[], "");
        check("form-data; name=\"\"; filename=\"\"", &[""], &[""], "");
        check("form-data; name=\"it's\"", &["it's"], &[], "");
        check("form-data; name=it's", &["it's"], &[], "q");
        check("form-data; name='a'", &["a"], &[], "q");
    }

    #[test]
    fn extended_file_names_are_decoded() {
        let plain = "form-data; name=f; filename=x.txt; ";
        check(&format!("{plain}filename*=utf-8''x%20+.txt"), &["f"], &["x.txt", "x +.txt"], "");
        check(
            &format!("{plain}filename*=\"utf-8''a;b\" ; name=g"),
            &["f", "g"],
            &["x.txt", "a;b"],
            "Fq",
        );
        check("form-data; name=f; filename*=evil.php", &["f"], &["evil.php"], "F");
        check("form-data; name=f; filename*=''evil.php", &["f"], &["evil.php"], "F");
        check("form-data; name=f; filename*=utf-8''e%zz", &["f"], &["e%zz"], "F");
        check("form-data; name=f; filename*0=a; filename*1*=b", &["f"], &["a", "b"], "F");
        check("form-data; name=f; filename*=\"u''a\"b; x", &["f"], &["a"], "Fq");
    }

    #[test]
    fn what_servers_disagree_on_is_a_fault() {
        check("attachment; name=a", &["a"], &[], "F");
        check("Form-Data; name=a", &["a"], &[], "F");
        check("form-data; Name=a; FILENAME=b", &["a"], &["b"], "F");
        check("form-data; name=a; name=b", &["a", "b"], &[], "F");
        check("form-data; filename=a; filename=\"b\"", &[], &["a", "b"], "F");
        check("form-data; name=a; size=3", &["a"], &[], "F");
        check("form-data; name=a;", &["a"], &[], "F");
        check("form-data; name", &[], &[], "F");
        check("form-data; name=a b.php; filename=", &["a b.php"], &[""], "F");
        check("form-data; name=\"a\"b; filename=\"c", &["a", "\"a\"b"], &["c", "\"c"], "Fq");
        check("form-data name=a", &[], &[], "F");
        check("", &[], &[], "F");
    }

    proptest! {
        #[test]
        fn what_was_quoted_is_unquoted(name in "[a-z\"\\\\;= ]{0,20}") {
            let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
            let read = read(format!("form-data; name=\"{quoted}\"").as_bytes());
            prop_assert_eq!(read.names, vec![name.into_bytes()]);
            prop_assert!(!read.is_faulty);
        }

        #[test]
        fn any_bytes_are_read_and_hardly_grow(value in "(name|filename|\\*|=|;|\"|'|\\\\|a|%4| ){0,40}") {
            let read = read(value.as_bytes());
            let kept: usize = read.names.iter().chain(&read.filenames).map(Vec::len).sum();
            // What can be read in two ways is kept twice.
            prop_assert!(kept <= 2 * value.len());
        }
    }
}
