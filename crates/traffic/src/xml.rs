//! The texts and attributes of an XML body as fields, in one pass and without recursion.
//!
//! Not a validator, and no document type is read: an element's text is a field of its name, an
//! attribute one of its own name. That is enough to tell whom a log-in names.

use std::borrow::Cow;

use crate::fields::{Fields, Location};

/// The entities that XML has by itself; others need a document type.
const ENTITIES: [(&str, &str); 5] =
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];

/// Adds the texts and attributes of `body` to `fields`.
pub(crate) fn read(body: &[u8], fields: &mut Fields) {
    let mut rest = body;
    let mut name = &b""[..];
    while let Some(at) = memchr::memchr(b'<', rest) {
        text(name, rest.get(..at).unwrap_or_default(), fields);
        rest = rest.get(at + 1..).unwrap_or_default();
        if fields.is_full() {
            return;
        }
        if let Some(data) = rest.strip_prefix(b"![CDATA[") {
            let end = memchr::memmem::find(data, b"]]>").unwrap_or(data.len());
            fields.push_pair(name, data.get(..end).unwrap_or_default(), Location::Form);
            rest = data.get(end + 3..).unwrap_or_default();
            continue;
        }
        let comment = rest.strip_prefix(b"!--");
        let end: &[u8] = if comment.is_some() { b"-->" } else { b">" };
        let inside = comment.unwrap_or(rest);
        let at = memchr::memmem::find(inside, end).unwrap_or(inside.len());
        let tag = inside.get(..at).unwrap_or_default();
        rest = inside.get(at + end.len()..).unwrap_or_default();
        if comment.is_none() && !tag.starts_with(b"/") {
            let length = tag.iter().take_while(|byte| !is_end_of_name(**byte)).count();
            name = local(tag.get(..length).unwrap_or_default());
            attributes(tag.get(length..).unwrap_or_default(), fields);
        }
    }
}

const fn is_end_of_name(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'/' | b'=')
}

/// A name without the prefix of its namespace.
fn local(name: &[u8]) -> &[u8] {
    name.rsplit(|byte| *byte == b':').next().unwrap_or_default()
}

fn text(name: &[u8], raw: &[u8], fields: &mut Fields) {
    let raw = raw.trim_ascii();
    if !raw.is_empty() && !name.is_empty() {
        fields.push_pair(name, &decoded(raw), Location::Form);
    }
}

fn attributes(tag: &[u8], fields: &mut Fields) {
    let mut rest = tag;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let before = rest.get(..at).unwrap_or_default().trim_ascii();
        let name = before.rsplit(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
        rest = rest.get(at + 1..).unwrap_or_default().trim_ascii_start();
        let Some(quote) = rest.first().copied().filter(|byte| matches!(byte, b'"' | b'\'')) else {
            continue;
        };
        let value = rest.get(1..).unwrap_or_default();
        let end = memchr::memchr(quote, value).unwrap_or(value.len());
        if fields.is_full() {
            return;
        }
        let value_of = value.get(..end).unwrap_or_default();
        fields.push_pair(local(name), &decoded(value_of), Location::Form);
        rest = value.get(end + 1..).unwrap_or_default();
    }
}

fn decoded(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'&', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut text = String::from_utf8_lossy(raw).into_owned();
    for (written, meant) in ENTITIES {
        text = text.replace(written, meant);
    }
    Cow::Owned(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(body: &str) -> Vec<String> {
        let mut fields = Fields::default();
        read(body.as_bytes(), &mut fields);
        fields.leaves().map(|field| format!("{}={}", field.name(), field.value())).collect()
    }

    #[test]
    fn texts_and_attributes_are_fields() {
        let soap = "<?xml version='1.0'?><s:Envelope><s:Body><l:user kind=\"mail\">a&amp;b</l:user>\
            <!-- <user>no</user> --><password><![CDATA[x<y]]></password><e/></s:Body></s:Envelope>";
        assert_eq!(found(soap), ["version=1.0", "kind=mail", "user=a&b", "password=x<y"]);
        assert_eq!(found("<login user = 'ada' pass=\"x\"/>"), ["user=ada", "pass=x"]);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_survived(text in "[<>/=&;'\"! a-c\\[\\]-]{0,200}") {
            let _ = found(&text);
        }
    }
}
