//! XML documents and the texts and attributes they are read as.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(body: &str, texts: &[&str], attributes: &[&str], fault: Option<XmlFault>) {
    let xml = parse(body.as_bytes(), &Limits::default());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(xml.texts().map(text).collect::<Vec<_>>(), texts);
    assert_eq!(xml.attributes.iter().map(|value| text(value)).collect::<Vec<_>>(), attributes);
    assert_eq!(xml.fault, fault);
}

#[test]
fn texts_and_attributes_are_told_in_order() {
    check(
        "<?xml version=\"1.0\" encoding='UTF-8'?>\n<r a='1' b = \"&lt;2&#x41;&#66;\">\n <x>t1</x> <y c=''/>t2 </r>\n",
        &["t1", "t2"],
        &["1", "<2AB", ""],
        None,
    );
    check("<r/>", &[], &[], None);
    check("", &[], &[], None);
}

#[test]
fn one_text_runs_over_cdata_comments_and_instructions() {
    check("<r>un<!-- > -->io<?p x?>n <![CDATA[<s>]]>e</r>", &["union <s>e"], &[], None);
    check("<r>un<b/>ion</r>", &["un", "ion"], &[], None);
    let xml = parse(b"<r><x>t1</x> <y>t2<![CDATA[cd]]></y></r>", &Limits::default());
    assert_eq!(&*xml.whole_text(), b"t1 t2cd");
    let xml = parse(b"<r>un<b/>ion</r>", &Limits::default());
    assert_eq!(&*xml.whole_text(), b"union");
}

#[test]
fn what_needs_no_decoding_is_borrowed() {
    let xml = parse(b"<r a='plain'>text</r>", &Limits::default());
    assert!(matches!(xml.attributes[..], [Cow::Borrowed(b"plain")]));
    assert!(matches!(xml.runs[..], [Cow::Borrowed(b"text")]));
}

#[test]
fn namespaces_are_told_apart_from_attributes() {
    let body = b"<s:E xmlns='urn:a' xmlns:s=\"urn:b\" s:x='1'><s:B>t</s:B></s:E>";
    let xml = parse(body, &Limits::default());
    let all: Vec<&[u8]> = xml.namespaces.iter().map(|name| &**name).collect();
    assert_eq!(all, [b"urn:a", b"urn:b"]);
    assert_eq!((xml.attributes.len(), xml.fault), (1, None));
    check(
        "<xml><element attribute=\"evil.clone\">value</element></xml>",
        &["value"],
        &["evil.clone"],
        None,
    );
}

#[test]
fn no_entity_is_expanded_and_no_subset_goes_unnoticed() {
    let subset = Some(XmlFault::InternalSubset);
    let body = "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><r>&x;</r>";
    check(body, &["&x;"], &[], subset);
    let xml = parse(body.as_bytes(), &Limits::default());
    assert_eq!(xml.doctype, body.find("<r>").and_then(|end| body.as_bytes().get(..end)));
    check("<!DOCTYPE r [<!ENTITY a \"]>\"><!ENTITY b '&a;&a;'>]><r>&b;</r>", &["&b;"], &[], subset);
    check("<!DOCTYPE r SYSTEM \"http://x/[>\"><r>t</r>", &["t"], &[], None);
    check("<!DOCTYPE r [<!ENTITY x", &[], &[], subset);
    check("<!doctype r><r>t</r>", &["t"], &[], None);
    check("<!ENTITY x 'y'><r>t</r>", &["t"], &[], Some(XmlFault::Malformed));
    check(
        "<r>a&nbsp;&#xD800;&#9999999999;&#;& b</r>",
        &["a&nbsp;&#xD800;&#9999999999;&#;& b"],
        &[],
        Some(XmlFault::UnknownEntity),
    );
}

#[test]
fn what_is_broken_is_read_as_far_as_it_goes() {
    check("<r><a>1</b>2</a></r>", &["1", "2"], &[], Some(XmlFault::MismatchedTag));
    check("<r><a>1</r>", &["1"], &[], Some(XmlFault::MismatchedTag));
    check("<r><a>1", &["1"], &[], Some(XmlFault::Truncated));
    check("<r a='evil", &[], &["evil"], Some(XmlFault::Truncated));
    check("<r><![CDATA[evil", &["evil"], &[], Some(XmlFault::Truncated));
    check("<r>x<!-- evil", &["x"], &[], Some(XmlFault::Truncated));
    check("<r a=b c d='e'f/>", &[], &["b", "e"], Some(XmlFault::Malformed));
    check("<r><a x='1' <b>t</b></r>", &["t"], &["1"], Some(XmlFault::Malformed));
    check("<r>1 < 2</r>", &["1 < 2"], &[], Some(XmlFault::Malformed));
    check("a=1", &["a=1"], &[], Some(XmlFault::Root));
    check("<r/>evil", &["evil"], &[], Some(XmlFault::Root));
    check("<r/><s>t</s>", &["t"], &[], Some(XmlFault::Root));
    check(" ", &[], &[], Some(XmlFault::Root));
    let xml = parse(b"<r>x<!-- evil", &Limits::default());
    assert_eq!(xml.unread, b"<!-- evil");
}

#[test]
fn other_encodings_are_noticed() {
    let encoding = Some(XmlFault::Encoding);
    check("<?xml version='1.0' encoding='utf-7'?><r>+ADw-</r>", &["+ADw-"], &[], encoding);
    check("<?xml version='1.0' encoding = \"IBM037\"?><r/>", &[], &[], encoding);
    check("<?xml version='1.0' encoding='ISO-8859-1'?><r/>", &[], &[], None);
    check("\u{feff}<r>t</r>", &["t"], &[], None);
    assert_eq!(parse(b"\xff\xfe<\0r\0", &Limits::default()).fault, encoding);
    assert_eq!(parse(b"<\0r\0/\0>\0", &Limits::default()).fault, encoding);
}

#[test]
fn bounds_stop_the_pass_and_say_so() {
    let limits = Limits { xml_depth_max: 2, ..Limits::default() };
    let xml = parse(b"<a>1<b>2<c>3</c></b></a>", &limits);
    assert_eq!(xml.texts().collect::<Vec<_>>(), [b"1", b"2"]);
    assert_eq!((xml.fault, xml.unread), (Some(XmlFault::TooDeep), &b"3</c></b></a>"[..]));
    let limits = Limits { arguments_max: 2, ..Limits::default() };
    let xml = parse(b"<a x='1' y='2' z='3'>4</a>", &limits);
    assert_eq!((xml.attributes.len(), xml.fault), (2, Some(XmlFault::TooMany)));
    let limits = Limits { body_bytes_max: 5, ..Limits::default() };
    let xml = parse(b"<a>text</a>", &limits);
    assert_eq!(xml.texts().collect::<Vec<_>>(), [b"te"]);
    assert_eq!((xml.fault, xml.unread), (Some(XmlFault::TooLong), &b"xt</a>"[..]));
}

fn encode(text: &str, how: u8) -> String {
    match how {
        0 => text.chars().map(|c| format!("&#{};", u32::from(c))).collect(),
        1 => text.chars().map(|c| format!("&#x{:X};", u32::from(c))).collect(),
        2 => format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>")),
        _ => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
    }
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(text in any::<String>(), how in 0_u8..4) {
        let body = format!("<r a=\"{}\">{}</r>", encode(&text, how % 2), encode(&text, how));
        let xml = parse(body.as_bytes(), &Limits::default());
        prop_assert_eq!(xml.fault, None);
        prop_assert_eq!(&*xml.whole_text(), text.as_bytes());
        prop_assert_eq!(&*xml.attributes[0], text.as_bytes());
    }

    #[test]
    fn any_bytes_are_read_and_never_grow(body in any::<Vec<u8>>()) {
        bounded(&body)?;
    }

    #[test]
    fn any_markup_is_read_and_never_grows(
        body in "(<|>|</|/>|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<!DOCTYPE|\\[|\\]|<\\?|\\?>|&#1|&lt;|;|=|'|\"|a| ){0,40}"
    ) {
        bounded(body.as_bytes())?;
    }
}

fn bounded(body: &[u8]) -> Result<(), TestCaseError> {
    let xml = parse(body, &Limits::default());
    let values = xml.attributes.iter().chain(&xml.namespaces);
    let kept = xml.whole_text().len() + values.map(|value| value.len()).sum::<usize>();
    prop_assert!(kept <= body.len());
    prop_assert!(body.ends_with(xml.unread));
    Ok(())
}
