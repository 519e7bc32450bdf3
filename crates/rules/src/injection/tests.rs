//! What is an attack, what looks like one and is none, and that no value is too much.

use proptest::prelude::*;
use proptest::string::bytes_regex;

use super::*;
use crate::byte_set::ByteSet;

/// Value and fingerprint, `-` for none.
fn check_sqli(rows: &[(&[u8], &str)]) {
    for (value, expected) in rows {
        let found = sqli(value);
        let found = found.as_ref().map_or(&b"-"[..], Fingerprint::as_bytes);
        assert_eq!(found.escape_ascii().to_string(), *expected, "{}", value.escape_ascii());
    }
}

#[test]
fn sql_is_recognised_in_each_place_of_a_statement() {
    check_sqli(&[
        // As it is.
        (b"1 or 1=1", "1&1"),
        (b"-1 union all select null, password from users", "1UEvk"),
        (b"1; drop table users", "1;Tnn"),
        (b"1) and sleep(5) and (1=1", "1)&f("),
        (b"1/**/or/**/2>1-- x", "1&1c"),
        // In quotes.
        (b"' or ''='", "s&sos"),
        (b"x' and 1=convert(int, @@version)--", "s&1of"),
        (b"admin'--", "sc"),
        (b"\" or 1=1 #", "s&1c"),
        (b"foo' + 'bar", "sos"),
        // In MySQL's dialect alone.
        (b"1 or 1=1#", "1&1c"),
        (b"x--1 or 1=1", "n&1"),
        // What only attackers write.
        (b"1 /*!50000union*/ select 2", "X"),
        (b"/* /* */ 1", "X"),
        (b"select {``.``.id}", "X"),
        (b"x-- sp_password", "nc"),
    ]);
}

#[test]
fn honest_values_are_no_sql() {
    check_sqli(&[
        (b"", "-"),
        (b"42", "-"),
        (b"123e4567-e89b-12d3-a456-426614174000", "-"),
        (b"2026-11-26T07:20:00Z", "-"),
        (b"jane.doe+tag@example.com", "-"),
        (b"https://shop.example/search?q=shoes&size=42", "-"),
        (b"O'Brien", "-"),
        (b"it's 5 o'clock -- or is it?", "-"),
        (b"select a size and order by phone", "-"),
        (b"sexy and 17", "-"),
        (b"#hashtag", "-"),
        (b"1 union", "-"),
        (b"'a' + 'b'", "-"),
        (b" 123--", "-"),
        (b"{\"name\": \"x\", \"n\": [1, 2]}", "-"),
        ("Ünïted — 北京 'quoted'".as_bytes(), "-"),
    ]);
}

#[test]
fn literals_are_read_as_some_database_reads_them() {
    check_sqli(&[
        // A number in all spellings is a number before `or`.
        (b"0x4f or 1=1", "1&1"),
        (b"0b01 or 1=1", "1&1"),
        (b"x'4f' or 1=1", "1&1"),
        (b"b'01' or 1=1", "1&1"),
        (b"$1,000.00 or 1=1", "1&1"),
        (b"1.5e-3 or 1=1", "1&1"),
        (b"1f or 1=1", "1&1"),
        (b"1fUNION select 1", "1UE1"),
        (b"\\N or 1=1", "1&1"),
        (b".5 or 1=1", "1&1"),
        // MySQL reads over a number whose exponent has no digits.
        (b"1.e or 1=1", "-"),
        (b"' or 1.e(1)", "s&(1)"),
        // Strings.
        (b"n'a' or 1=1", "s&1"),
        (b"e'\\'' or 1=1", "s&1"),
        (b"q'(a')' or 1=1", "s&1"),
        (b"nq'[a]' or 1=1", "s&1"),
        (b"u&'a' or 1=1", "s&1"),
        (b"$$a$$ or 1=1", "s&1"),
        (b"$t$a$$t$ or 1=1", "s&1"),
        (b"'a''b' or 1=1", "s&1"),
        // Names and variables.
        (b"`a``b` or 1=1", "n&1"),
        (b"[a b] or 1=1", "n&1"),
        (b"@@version or 1=1", "v&1"),
        (b"@`a b` or 1=1", "v&1"),
        (b"or.1 or 1=1", "-"),
    ]);
}

#[test]
fn a_literal_that_never_ends_takes_all_there_is() {
    check_sqli(&[
        (b"1 union select $$ or 1=1", "1UEs"),
        (b"1 union select q'( or 1=1)", "1UEs"),
        (b"1 union select $a$ or 1=1 $b$", "1UEs"),
        (b"1 union select 'x'' or 1=1\\' or 1=1", "1UEs"),
        (b"1 union select [a or 1=1", "1UEn"),
        (b"1 union select 1/* or 1=1", "1UE1c"),
        (b"1 union select x'4 or 1=1", "1UEns"),
    ]);
}

#[test]
fn a_script_is_recognised_in_each_place_of_a_page() {
    for attack in [
        "<script>alert(1)</script>",
        "<ScRiPt src=//evil.example>",
        "<img src=x onerror=alert(1)>",
        "<img src=x onerror%09=javascript:x>",
        "<a href=\" &#x6A;avascript:alert(1)\">",
        "<svg/onload=alert(1)>",
        "<svg:x>",
        "<!DOCTYPE x>",
        "<!--[if IE]>x<![endif]-->",
        "<!-- ` -->",
        "<?import x>",
        "<%xml:x%>",
        "<x xmlns:y=z>",
        "<set attributename=href to=javascript:x>",
        "<a style=x:y>",
        "<s\0cript>",
        "onload=alert(1)",
        "x onfocus=alert(1) autofocus",
        "' onmouseover='alert(1)",
        "\" onmouseover=\"alert(1)",
        "` onmouseover=`alert(1)",
        "'><script>alert(1)</script>",
        "x\"/formaction=java\nscript:alert(1)",
        "</a href=javascript:x>",
    ] {
        assert!(xss(attack.as_bytes()), "{attack}");
    }
}

#[test]
fn honest_values_are_no_scripts() {
    for honest in [
        "",
        "42",
        "a < b and b = c",
        "<3 you",
        "<b>bold</b> and <i>italic</i>",
        "<p class=\"lead\">text</p>",
        "<a href=\"https://example.com/java\">x</a>",
        "one=1&only=2&onsale=true",
        "a=b&c=d",
        "x -> y => z",
        "List<String> names = new ArrayList<>();",
        "if (a <= b && c >= d)",
        "<!-- a comment -->",
        "name='O\"Brien' by='x'",
        "javascript: the good parts",
    ] {
        assert!(!xss(honest.as_bytes()), "{honest}");
    }
}

/// Words that SQL is made of, and what they are written with.
const PLAIN: [&str; 26] = [
    "0", "1", "9", "0x", "0b1", "b", "d", "e", "f", "g", "n", "q", "u", "x", "_", "or", "in", "is",
    "not", "like", "union", "select", "having", "int", "user", "\u{e9}",
];

/// Every sequence of up to `most` of the pieces.
fn every_sequence(pieces: &[&str], most: u32, check: &mut impl FnMut(&str)) {
    for length in 0..=most {
        for mut number in 0..pieces.len().pow(length) {
            let mut value = String::new();
            for _ in 0..length {
                value.push_str(pieces[number % pieces.len()]);
                number /= pieces.len();
            }
            check(&value);
        }
    }
}

#[test]
fn what_is_said_to_be_impossible_is_not_found() {
    let mut checked = 0;
    let mut check = |value: &str| {
        assert!(!sqli_is_possible(ByteSet::of(value.as_bytes())), "{value}");
        assert_eq!(sqli(value.as_bytes()), None, "{value}");
        checked += 1;
    };
    every_sequence(&PLAIN, 4, &mut check);
    every_sequence(&["0", "1", "23", ".", ".."], 7, &mut check);
    assert!(checked > 500_000);
    for possible in ["0having.1", "-00union", "1or.99-Z", "1--", "a'b"] {
        assert!(sqli_is_possible(ByteSet::of(possible.as_bytes())), "{possible}");
    }
    assert!(xss_is_possible(ByteSet::of(b"x=1")) && xss_is_possible(ByteSet::of(b"<")));
}

/// What either language is made of.
const PIECES: [&str; 64] = [
    "'",
    "\"",
    "`",
    "\\",
    "--",
    "#",
    "/*",
    "*/",
    "/*!",
    " ",
    "\n",
    "\0",
    "1",
    ".5",
    "1e",
    "0x4",
    "$",
    "$$",
    "$a$",
    "@",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ",",
    ";",
    ":",
    "=",
    "<",
    ">",
    "&",
    "|",
    "!",
    "+",
    "-",
    "*",
    "%",
    "or",
    "union",
    "select",
    "in",
    "not",
    "user",
    "collate",
    "utf8_bin",
    "q'(",
    "n'",
    "x'",
    "u&'",
    "<!--",
    "-->",
    "<!",
    "</",
    "<%",
    "&#x6a",
    "&#",
    "script",
    "src",
    "onload",
    "style",
    "javascript:",
    "é",
];

fn any_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24)
            .prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

proptest! {
    #[test]
    fn every_value_has_a_verdict(value in any_value()) {
        if let Some(fingerprint) = sqli(&value) {
            let length = fingerprint.as_bytes().len();
            prop_assert!((1..=5).contains(&length) && fingerprint.as_bytes().is_ascii());
            prop_assert!(sqli_is_possible(ByteSet::of(&value)));
        }
        if xss(&value) {
            prop_assert!(xss_is_possible(ByteSet::of(&value)));
        }
    }

    #[test]
    fn sqli_of_plain_bytes_is_impossible(
        value in bytes_regex("(?s-u)[a-zA-Z0-9_\\x80-\\x9f\\xa1-\\xff]{0,40}|[0-9.]{0,40}").unwrap(),
    ) {
        prop_assert!(!sqli_is_possible(ByteSet::of(&value)));
        prop_assert_eq!(sqli(&value), None);
    }

    #[test]
    fn the_case_of_letters_does_not_count(value in any_value()) {
        // But for a few letters that mean something in one case alone, or are looked for so.
        prop_assume!(!value.iter().any(|byte| b"$[\\qQ".contains(byte)));
        let large = value.to_ascii_uppercase();
        prop_assert_eq!(sqli(&value), sqli(&large));
        prop_assert_eq!(xss(&value), xss(&large));
    }
}
