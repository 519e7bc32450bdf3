//! What patterns find, and that hostile ones and hostile values cost no more than they should.

use proptest::prelude::*;

use super::*;

/// The wider pattern, compiled.
fn wider(pattern: &Pattern) -> Regex {
    compile(pattern.wider()).expect("a pattern")
}

/// The groups of the first match, as text.
fn found(pattern: &str, value: &[u8]) -> Option<Vec<String>> {
    let pattern = Pattern::parse(pattern.as_bytes()).expect("a pattern");
    let mut groups = vec![None; 3];
    let is_match = pattern.captures(value, &mut groups);
    assert_eq!(is_match, pattern.is_match(value));
    assert!(!is_match || wider(&pattern).is_match(value), "the wider pattern matches, too");
    is_match.then(|| {
        let text = |group: &Option<Range<usize>>| match group {
            Some(range) => String::from_utf8_lossy(&value[range.clone()]).into_owned(),
            None => "-".to_owned(),
        };
        groups.iter().map(text).collect()
    })
}

#[test]
fn values_are_bytes() {
    for (pattern, value, expected) in [
        (r"^.$", &b"\n"[..], true),
        (r"^foo$", b"a\nfoo\nb", false),
        (r"(?m)^foo$", b"a\nfoo\nb", true),
        (r"^foo$", b"foo\n", false),
        (r"^foo\Z", b"foo\n", true),
        (r"^.$", b"\xff", true),
        (r"^..$", "\u{e9}".as_bytes(), true),
        (r"\xe9", b"\xe9", true),
        ("\u{e9}", "\u{e9}".as_bytes(), true),
        (r"(?i)\xe9", b"\xc9", false),
        (r"^\W\w$", b"\xe9a", true),
        (r"^\s$", b"\xa0", false),
        (r"^\s$", b"\x0b", true),
        (r"(?i)K", "\u{212a}".as_bytes(), false),
        (r"^[^a]$", b"\x80", true),
    ] {
        assert_eq!(found(pattern, value).is_some(), expected, "{pattern}");
    }
}

#[test]
fn looking_around_is_exact() {
    for (pattern, value, expected) in [
        (r"<\?(?!xml)", "<?php", Some("<? - -")),
        (r"<\?(?!xml)", "<?xml <?xm", Some("<? - -")),
        (r"<\?(?!xml)", "<?xml <?xml", None),
        (r"(?<!&amp|&apos);|['=]", "a&amp;b&apos;c", None),
        (r"(?<!&amp|&apos);|['=]", "a&amp;b&aposc;", Some("; - -")),
        (r"(?<!&amp|&apos);|['=]", "a&amp;b'", Some("' - -")),
        (r"(?<=a|bc)d", "ad", Some("d - -")),
        (r"(?<=a|bc)d", "xbcd", Some("d - -")),
        (r"(?<=a|bc)d", "cd d", None),
        (r"(\w+)(?=!)", "abc de!", Some("de de -")),
        (r"(?=.*b)a(.)", "axcb", Some("ax x -")),
        (r"(?i)(?!ABC)\b[a-z]+", "abc abd", Some("abd - -")),
        (r"^(?!.*evil).*$", "a good day", Some("a good day - -")),
        (r"^(?!.*evil).*$", "an evil day", None),
        (r"(?:(?!--)[^>])*>", "ab--cd>", Some("-cd> - -")),
        (r"\b(?!\d)\w+\b", "12 ab", Some("ab - -")),
        (r"x(?!$)", "axx", Some("x - -")),
        (r"(?<!^)x", "x", None),
        (r"^a*+ab", "aab", None),
        (r"^[ab]++c", "abc", Some("abc - -")),
        (r"^;\s*+[^c]", "; c", None),
        (r"^;\s*+[^c]", ";  d", Some(";  d - -")),
    ] {
        let groups = found(pattern, value.as_bytes()).map(|groups| groups.join(" "));
        assert_eq!(groups.as_deref(), expected, "{pattern} on {value}");
    }
}

#[test]
fn references_compare_with_what_was_captured() {
    for (pattern, value, expected) in [
        (r"(a|b)-\1", "a-b b-b", Some("b-b b -")),
        (r"(a|b)-\1", "a-b b-a", None),
        (r"(?i)(a|b)-\1$", "a-A", Some("a-A a -")),
        (r"\b(\w+)\b = \b\1\b", "x = xy, 1 = 1", Some("1 = 1 1 -")),
        (r"\b(\w+)\b != (?!\b\1\b)(\w+)", "1 != 1", None),
        (r"\b(\w+)\b != (?!\b\1\b)(\w+)", "1 != 12", Some("1 != 12 1 12")),
        (r"\b(\w+)\b (?=\1)\w+", "ab abc", Some("ab abc ab -")),
        (r"(a)?b\1", "ab", None),
        (r"(a*)b\1c", "aabaac", Some("aabaac aa -")),
        (r"(x)(\1)", "axx", Some("xx x x")),
    ] {
        let groups = found(pattern, value.as_bytes()).map(|groups| groups.join(" "));
        assert_eq!(groups.as_deref(), expected, "{pattern} on {value}");
    }
}

/// Each pattern that looks around beside one that says the same without.
const EQUAL: [(&str, &str); 6] = [
    (r"a(?!b)", r"a(?:[^b]|$)"),
    (r"(?<!a)b", r"(?:^|[^a])b"),
    (r"a(?=b|c)", r"a[bc]"),
    (r"(?<=ab)c", r"abc"),
    (r"^(?!.*aa)", r"^(?:a?(?:[^a]|$))*$|^(?:[^a]|a[^a])*a?$"),
    (r"a(?!bc)", r"a(?:$|[^b]|b$|b[^c])"),
];

proptest! {
    #[test]
    fn looking_around_finds_what_a_plain_pattern_finds(value in "[abc]{0,12}") {
        for (around, plain) in EQUAL {
            let expected = found(plain, value.as_bytes()).is_some();
            prop_assert_eq!(found(around, value.as_bytes()).is_some(), expected, "{}", around);
        }
    }

    #[test]
    fn no_pattern_and_no_value_panics(
        pattern in proptest::collection::vec(
            proptest::sample::select(br"ab1()[]{}|\?*+.^$-:<=!#,x&&sdbQE'P0 ".as_slice()), 0..24
        ),
        value in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        if let Ok(pattern) = Pattern::parse(&pattern) {
            let mut groups = vec![None; 10];
            let is_match = pattern.captures(&value, &mut groups);
            prop_assert_eq!(is_match, groups[0].is_some());
            prop_assert!(!is_match || wider(&pattern).is_match(&value));
        }
    }
}
