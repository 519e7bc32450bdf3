//! JSON bodies and what they are read as, and the same compared with serde_json.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn read(body: &[u8], array_names: ArrayNames, limits: &Limits) -> (Vec<String>, Option<JsonFault>) {
    let json = parse(body, array_names, limits);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = json.arguments.iter().map(|a| format!("{}={}", text(a.name), text(a.value)));
    (all.collect(), json.fault)
}

#[track_caller]
fn check(body: &str, expected: &[&str]) {
    let read = read(body.as_bytes(), ArrayNames::Coraza, &Limits::default());
    assert_eq!(read, (expected.iter().map(|&text| text.to_owned()).collect(), None));
}

#[track_caller]
fn check_broken(body: &str, expected: &[&str], fault: JsonFault, unread: &str) {
    let read = read(body.as_bytes(), ArrayNames::Coraza, &Limits::default());
    assert_eq!(read, (expected.iter().map(|&text| text.to_owned()).collect(), Some(fault)));
    let json = parse(body.as_bytes(), ArrayNames::Coraza, &Limits::default());
    assert_eq!(String::from_utf8_lossy(json.unread), unread);
}

#[test]
fn scalars_have_their_paths_as_names() {
    check(
        r#" {"a":1,"b":{"c":[true,null,"x"],"d":{}},"a":-2.50e+7,"e":[]} "#,
        &[
            "json.a=1",
            "json.b.c.0=true",
            "json.b.c.1=",
            "json.b.c.2=x",
            "json.b.c=3",
            "json.b.d=",
            "json.a=-2.50e+7",
            "json.e=",
        ],
    );
    check("[1,[2,{\"\":3}]]", &["json.0=1", "json.1.0=2", "json.1.1.=3", "json.1=2", "json=2"]);
    check("\"x\"", &["json=x"]);
    check(" 123456789012345678901234567890 ", &["json=123456789012345678901234567890"]);
    check("{}", &[]);
    check("[]", &[]);
    check("", &[]);
}

#[test]
fn a_dotted_key_and_a_path_both_stay() {
    check(r#"{"a":{"b":1},"a.b":2}"#, &["json.a.b=1", "json.a.b=2"]);
}

#[test]
fn arrays_can_be_named_as_libmodsecurity_does() {
    let body = br#"{"a":[1,{"b":2}],"c":[]}"#;
    let (all, _) = read(body, ArrayNames::ModSecurity, &Limits::default());
    assert_eq!(all, ["json.a.array_0=1", "json.a.array_1.b=2", "json.c="]);
}

#[test]
fn escapes_are_decoded() {
    check(
        r#"{"k\n":"\u00e9\ud83d\ude00\"\/\\","\u0000":"<\u0073cript>"}"#,
        &["json.k\n=é😀\"/\\", "json.\0=<script>"],
    );
    check(
        r#"["\ud800x","\udc00\ud800","\ud800\u0041"]"#,
        &["json.0=\u{fffd}x", "json.1=\u{fffd}\u{fffd}", "json.2=\u{fffd}A", "json=3"],
    );
}

#[test]
fn what_a_lenient_server_would_read_is_read_and_flagged() {
    let comma = JsonFault::TrailingComma;
    check_broken(r#"{"a":1,}"#, &["json.a=1"], comma, "");
    check_broken("[1,]", &["json.0=1", "json=1"], comma, "");
    check_broken("[\"a\nb\"]", &["json.0=a\nb", "json=1"], JsonFault::ControlCharacter, "");
    check_broken("[\"\\na\nb\"]", &["json.0=\na\nb", "json=1"], JsonFault::ControlCharacter, "");
    check_broken(r#"{"\x41":"\u00g0"}"#, &[r"json.\x41=\u00g0"], JsonFault::InvalidEscape, "");
    check_broken(r#"{"a":1} {"b":2}"#, &["json.a=1", "json.b=2"], JsonFault::TrailingData, "");
}

#[test]
fn what_comes_before_a_fault_is_kept_and_the_token_that_broke_off_too() {
    let (cut, malformed) = (JsonFault::Truncated, JsonFault::Malformed);
    check_broken(r#"{"a":1,"b":"<scr"#, &["json.a=1", "json.b=<scr"], cut, "");
    check_broken(r#"{"a":"\u0041\"#, &["json.a=A\\"], JsonFault::InvalidEscape, "");
    check_broken(r#"{"a":1,"key"#, &["json.a=1", "json.key="], cut, "");
    check_broken(r#"{"key""#, &["json.key="], cut, "");
    check_broken(r#"{"key": "#, &["json.key="], cut, "");
    check_broken(r#"{"key" 1}"#, &["json.key="], malformed, "1}");
    check_broken(r#"{"a":tru"#, &["json.a=tru"], cut, "");
    check_broken(r#"{"a":1"#, &["json.a=1"], cut, "");
    check_broken(r#"{"a":'x',"b":2}"#, &["json.a='x'"], malformed, r#","b":2}"#);
    check_broken(r#"{a:1}"#, &[], malformed, "a:1}");
    check_broken(r#"{"a":01,"b":2}"#, &["json.a=01"], malformed, r#","b":2}"#);
    check_broken(r#"{"a":}"#, &[], malformed, "}");
    check_broken(r#"{"a":1]"#, &["json.a=1"], malformed, "]");
    check_broken("[1 2]", &["json.0=1"], malformed, "2]");
    check_broken("[,1]", &[], malformed, ",1]");
    check_broken("}", &[], malformed, "}");
    check_broken("a=1&b=2", &["json=a=1&b=2"], cut, "");
}

#[test]
fn encodings_other_than_utf8_are_noticed() {
    let json = parse(b"\xef\xbb\xbf{\"a\":1}", ArrayNames::Coraza, &Limits::default());
    assert!(json.has_byte_order_mark && json.fault.is_none() && json.arguments.len() == 1);
    for wide in [&b"{\0\"\0a\0"[..], b"\0{\0\"", b"\xff\xfe{\0", b"\xfe\xff\0{", b"\0\0\0{"] {
        let json = parse(wide, ArrayNames::Coraza, &Limits::default());
        assert_eq!((json.fault, json.unread), (Some(JsonFault::Encoding), wide));
    }
    check("\"\u{ff}\"", &["json=\u{ff}"]);
}

#[test]
fn bounds_keep_what_came_before() {
    let deep = Limits { json_depth_max: 2, ..Limits::default() };
    let (all, fault) = read(br#"{"a":1,"b":{"c":{"d":1}}}"#, ArrayNames::Coraza, &deep);
    assert_eq!(
        (all, fault),
        (vec!["json.a=1".into(), "json.b.c=".into()], Some(JsonFault::TooDeep))
    );
    let few = Limits { arguments_max: 2, ..Limits::default() };
    let (all, fault) = read(b"[1,2,3]", ArrayNames::Coraza, &few);
    assert_eq!((all.len(), fault), (2, Some(JsonFault::TooManyArguments)));
    let short = Limits { body_bytes_max: 9, ..Limits::default() };
    let (all, fault) = read(br#"{"a":"<script>"}"#, ArrayNames::Coraza, &short);
    assert_eq!((all, fault), (vec!["json.a=<sc".into()], Some(JsonFault::TooLong)));
}

#[test]
fn names_do_not_outgrow_the_body_and_no_key_is_lost() {
    let limits = Limits { json_names_factor: 0, ..Limits::default() };
    let key = "k".repeat(3_000);
    let body = format!("{{\"{key}\":{{\"a\":1,\"b\":{{\"c\":2,\"d\":[]}}}}}}");
    let json = parse(body.as_bytes(), ArrayNames::Coraza, &limits);
    let names: Vec<_> = json.arguments.iter().map(|a| a.name.len()).collect();
    assert_eq!(
        names,
        [3_007, 1, 1, 1],
        "4 KiB hold one full name; then `b` (twice: as `c`'s parent)"
    );
    assert_eq!(json.fault, Some(JsonFault::NamesTooLong));
}

#[test]
fn a_megabyte_of_brackets_needs_no_stack() {
    let body = vec![b'['; 1 << 20];
    let limits = Limits { json_depth_max: usize::MAX, ..Limits::default() };
    let json = parse(&body, ArrayNames::Coraza, &limits);
    assert_eq!((json.arguments.len(), json.fault), (0, Some(JsonFault::Truncated)));
}

/// What the pass should give for a text that serde_json reads, by walking its tree.
fn walk(value: &Value, path: &str, is_root: bool, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, value) in members {
                walk(value, &format!("{path}.{key}"), false, out);
            }
        }
        Value::Array(elements) if !elements.is_empty() => {
            for (index, value) in elements.iter().enumerate() {
                walk(value, &format!("{path}.{index}"), false, out);
            }
            out.push((path.to_owned(), elements.len().to_string()));
        }
        Value::Object(_) | Value::Array(_) if is_root => {}
        Value::Object(_) | Value::Array(_) | Value::Null => {
            out.push((path.to_owned(), String::new()))
        }
        Value::String(text) => out.push((path.to_owned(), text.clone())),
        other => out.push((path.to_owned(), other.to_string())),
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\"\\\\a\\x00-\\x1f\u{e9}\u{1f600}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map("[a-c\"\\\\\n]{0,3}", inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn valid_json_reads_as_serde_json_reads_it(value in any_json(), is_pretty in any::<bool>()) {
        let write = if is_pretty { serde_json::to_vec_pretty } else { serde_json::to_vec };
        let body = write(&value).expect("a tree serialises");
        let mut expected = Vec::new();
        walk(&value, "json", true, &mut expected);
        let json = parse(&body, ArrayNames::Coraza, &Limits::default());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let read: Vec<_> = json.arguments.iter().map(|a| (text(a.name), text(a.value))).collect();
        // serde_json's objects have an order of their own; ours is the document's, which is the
        // same since it was written from them.
        prop_assert_eq!(json.fault, None);
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn what_serde_json_refuses_has_a_fault_and_what_it_reads_has_none(
        body in "[\\[\\]{}:,\"\\\\a1.e\\-+ntu0 ]{0,24}"
    ) {
        let json = parse(body.as_bytes(), ArrayNames::Coraza, &Limits::default());
        match serde_json::from_str::<&serde_json::value::RawValue>(&body) {
            Ok(_) => prop_assert_eq!(json.fault, None),
            Err(_) => prop_assert!(json.fault.is_some() || body.trim_matches(' ').is_empty()),
        }
    }

    #[test]
    fn any_bytes_are_read_within_bounds(body in any::<Vec<u8>>()) {
        let json = parse(&body, ArrayNames::Coraza, &Limits::default());
        let values: usize = json.arguments.iter().map(|a| a.value.len()).sum();
        // U+FFFD has three bytes and takes six; the lengths of arrays are ours.
        prop_assert!(values <= body.len() * 2);
        prop_assert!(body.ends_with(json.unread));
    }

    #[test]
    fn any_bytes_of_the_alphabet_are_read_within_bounds(body in "[\\[\\]{}:,\"\\\\a1u]{0,80}") {
        let json = parse(body.as_bytes(), ArrayNames::ModSecurity, &Limits::default());
        let values: usize = json.arguments.iter().map(|a| a.value.len()).sum();
        prop_assert!(values <= body.len());
    }

    #[test]
    fn a_cut_body_keeps_what_came_before_the_cut(
        value in any_json(),
        cut in any::<prop::sample::Index>(),
    ) {
        let body = serde_json::to_vec(&value).expect("a tree serialises");
        let whole = parse(&body, ArrayNames::ModSecurity, &Limits::default());
        let cut = cut.index(body.len());
        let part = parse(&body[..cut], ArrayNames::ModSecurity, &Limits::default());
        let whole: Vec<_> = whole.arguments.iter().collect();
        let part: Vec<_> = part.arguments.iter().collect();
        // All but the last are whole; the last may have broken off.
        let whole_ones = part.len().saturating_sub(1);
        prop_assert_eq!(&part[..whole_ones], &whole[..whole_ones]);
    }
}
