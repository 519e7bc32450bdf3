//! Operators by their names: what each matches, what it lets pass, what it does not take.

use crate::pattern::Pattern;
use proptest::prelude::*;

use super::*;

/// Two files, and no others.
struct Files;

impl DataFiles for Files {
    fn read(&self, name: &str) -> Result<Vec<u8>, DataFileError> {
        match name {
            "words.data" => Ok(b"# words\r\n\r\n  union select \r\n/etc/\r\n#x\r\npasswd".to_vec()),
            "networks" => Ok(b"# ours\n10.0.0.0/8\n\n2001:db8::/32\n".to_vec()),
            "empty" => Ok(Vec::new()),
            _ => Err(DataFileError("not found".to_owned())),
        }
    }
}

fn operator(name: &str, argument: &str) -> Operator {
    if Operator::takes_pattern(name) {
        let pattern = Pattern::parse(argument.as_bytes()).unwrap();
        return Operator::with_pattern(name, pattern).unwrap();
    }
    Operator::parse(name, argument.as_bytes(), &Files).unwrap()
}

/// Name, argument, a value that matches, a value that does not.
fn check(rows: &[(&str, &str, &str, &str)]) {
    for (name, argument, matching, passing) in rows {
        let operator = operator(name, argument);
        assert!(operator.matches(matching.as_bytes(), b""), "@{name} {argument} on {matching}");
        assert!(!operator.matches(passing.as_bytes(), b""), "@{name} {argument} on {passing}");
    }
}

#[test]
fn texts_and_numbers_are_compared() {
    check(&[
        ("beginsWith", "/api", "/api/v1", "/v1/api"),
        ("contains", "../", "a/../b", "a/..b"),
        ("strmatch", "WebZIP", "x WebZIP", "webzip"),
        ("containsWord", "select", "a SELECT, a select", "selected"),
        ("endsWith", ".php", "a.php", "a.php5"),
        ("streq", "abc", "abc", "abcd"),
        ("within", "GET,POST", "POST", "PUT"),
        ("eq", "7", " 7 seven", "70"),
        ("ge", "-1", "x", "-2"),
        ("gt", "5", "6", "5"),
        ("le", "5", "5", "6"),
        ("LT", "5", "4", "5"),
        ("gt", "100", "99999999999999999999999", "-99999999999999999999999"),
        ("rx", "(?s)^a.b$", "a\nb", "ab"),
    ]);
    assert!(operator("within", "GET POST").matches(b"", b""));
    assert!(operator("unconditionalMatch", "").matches(b"", b""));
    assert!(!operator("noMatch", "").matches(b"", b""));
}

#[test]
fn lists_come_from_arguments_and_files() {
    check(&[
        ("pm", "sleep benchmark", "BENCHMARK(1)", "sle ep"),
        ("pm", "a|3b|b", "xA;Bx", "ab"),
        ("pmFromFile", "words.data", "1 UNION SELECT 2", "union of select"),
        ("pmf", "empty words.data", "/ETC/", "# words"),
        ("ipMatch", "10.1.0.0/16, ::1", "10.1.2.3", "10.2.2.3"),
        ("ipMatchF", "networks", "2001:db8::5", "2001:db9::5"),
        ("ipMatchFromFile", "networks", "10.9.9.9", "# ours"),
    ]);
    assert!(!operator("pmFromFile", "empty").matches(b"# words", b""));
}

#[test]
fn injections_are_detected() {
    check(&[
        ("detectSQLi", "", "1' or '1'='1", "the customer's order or '1"),
        ("DetectSqli", "", "-1 union select 1,2", "union select committee"),
        ("detectXSS", "", "<img src=x onerror=alert(1)>", "a < b and b = c"),
        ("detectxss", "", "\" onfocus=alert(1) x=\"", "one=1"),
    ]);
}

#[test]
fn what_is_not_valid_matches() {
    check(&[
        ("validateByteRange", "9,10,13,32-126", "a\0b", "a\r\n~"),
        ("validateByteRange", "", "a", ""),
        ("validateUrlEncoding", "", "%4", "%4a%00+"),
        ("validateUrlEncoding", "", "100% sure", "plain"),
        ("verifyCC", r"\b\d{13,16}\b", "card 4111111111111111.", "card 4111111111111112."),
        ("verifyCPF", r"[\d.-]{11,14}", "cpf 529.982.247-25", "cpf 111.111.111-11"),
        ("verifySSN", r"\d{3}-\d\d-\d{4}", "ssn 219-09-9999", "ssn 666-09-9999"),
        ("verifySVNR", r"\d{4} ?\d{6}", "nr 1237 010180", "nr 1238 010180"),
    ]);
    let utf8 = operator("validateUtf8Encoding", "");
    for broken in [&b"\xc0\xbc"[..], b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"] {
        assert!(utf8.matches(broken, b""), "{}", broken.escape_ascii());
    }
    assert!(!utf8.matches("né €😀".as_bytes(), b""));
}

#[test]
fn an_argument_with_macros_is_what_it_expands_to() {
    for (name, expanded, matching, passing) in [
        ("beginsWith", "ab", "abc", "bab"),
        ("contains", "ab", "xabx", "a b"),
        ("containsWord", "ab", "x ab", "xab"),
        ("endsWith", "ab", "xab", "abx"),
        ("streq", "ab", "ab", "%{tx.0}"),
        ("within", "ab cd", "cd", "%{"),
        ("eq", "12 ", "12", "0"),
        ("lt", "12", "11", "12"),
    ] {
        let operator = operator(name, "%{tx.0}");
        assert_eq!(operator.macros(), Some(&b"%{tx.0}"[..]));
        assert!(operator.matches(matching.as_bytes(), expanded.as_bytes()), "@{name}");
        assert!(!operator.matches(passing.as_bytes(), expanded.as_bytes()), "@{name}");
    }
    assert_eq!(operator("streq", "100%").macros(), None);
}

#[test]
fn what_was_found_is_captured() {
    let captured = |name: &str, argument: &str, value: &str| {
        let mut captures = Captures::default();
        let matched =
            operator(name, argument).capture(value.as_bytes(), b"", GROUPS, &mut captures);
        let groups = (0..11).map(|index| captures.group(index).map(|range| &value[range]));
        (matched, groups.map(|group| group.unwrap_or("-").to_owned()).collect::<Vec<_>>().join(" "))
    };
    let nothing = "- - - - - - - - - - -".to_owned();
    assert_eq!(captured("rx", "(a)(x)?(b)", "..ab"), (true, "ab a - b - - - - - - -".to_owned()));
    assert_eq!(captured("rx", "c", "..ab"), (false, nothing.clone()));
    let ten = "abcdefghijk abcdefghijk".split(' ').next().unwrap();
    assert_eq!(
        captured("rx", "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)", ten),
        (true, "abcdefghijk a b c d e f g h i -".to_owned())
    );
    assert_eq!(captured("pm", "b bcd x", "aBCDx"), (true, "BCD - - - - - - - - - -".to_owned()));
    assert_eq!(captured("contains", "a", "ab"), (true, nothing.clone()));
    assert_eq!(captured("detectXSS", "", "<xss>"), (true, "<xss> - - - - - - - - - -".to_owned()));
    assert_eq!(captured("detectSQLi", "", "1--"), (true, nothing.clone()));
    assert_eq!(
        captured("verifyCC", r"\d{4}", "1234 0018"),
        (true, "0018 - - - - - - - - - -".to_owned())
    );
}

#[test]
fn what_was_found_is_a_text_of_its_own_or_of_the_value() {
    let mut captures = Captures::default();
    assert!(operator("detectSQLi", "").capture(b"1' or '1'='1", b"", GROUPS, &mut captures));
    assert_eq!(captures.text(0, b"1' or '1'='1"), Some(&b"s&sos"[..]));
    assert_eq!(captures.text(1, b"1' or '1'='1"), None);
    assert!(!operator("detectSQLi", "").capture(b"plain", b"", GROUPS, &mut captures));
    assert_eq!(captures.text(0, b"plain"), None);
    assert!(operator("rx", "b(.)").capture(b"abc", b"", GROUPS, &mut captures));
    assert_eq!(captures.text(0, b"abc"), Some(&b"bc"[..]));
    assert_eq!(captures.text(1, b"abc"), Some(&b"c"[..]));
}

#[test]
fn what_cannot_be_had_is_said_why() {
    let reason = |name: &str, argument: &str| {
        Operator::parse(name, argument.as_bytes(), &Files).unwrap_err().to_string()
    };
    assert_eq!(reason("containz", ""), "there is no operator @containz");
    assert_eq!(reason("rx", "a"), "@rx takes a pattern");
    assert_eq!(
        reason("geolookup", ""),
        "@geoLookup is not supported: it needs a database of countries, which is not read"
    );
    let accepted = Operator::unanswered("GeoLookup").unwrap();
    assert!(matches!(accepted, Operator::Unanswered("geoLookup")));
    assert!(!accepted.matches(b"192.0.2.1", b""));
    assert!(Operator::unanswered("ipMatch").is_none());
    assert_eq!(reason("pmFromFile", "none.data"), "file none.data: not found");
    assert_eq!(reason("pm", " "), "@pm cannot take \" \": there is no phrase in it");
    assert_eq!(
        reason("ipMatch", "10.0.0.0/8,localhost"),
        "@ipMatch cannot take \"10.0.0.0/8,localhost\": localhost is no network"
    );
    assert_eq!(
        reason("validateByteRange", "1-255,256"),
        "@validateByteRange cannot take \"1-255,256\": 256 is no range of bytes"
    );
    let pattern = Pattern::parse(b"a").unwrap();
    assert_eq!(
        Operator::with_pattern("pm", pattern).unwrap_err().to_string(),
        "there is no operator @pm"
    );
}

proptest! {
    #[test]
    fn no_value_and_no_argument_is_too_much(
        value in prop::collection::vec(any::<u8>(), 0..80),
        argument in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        for name in [
            "beginsWith", "contains", "containsWord", "detectSQLi", "detectXSS", "endsWith", "eq",
            "ge", "gt", "ipMatch", "le", "lt", "noMatch", "pm", "streq", "unconditionalMatch", "validateByteRange",
            "validateUrlEncoding", "validateUtf8Encoding", "within",
        ] {
            let Ok(operator) = Operator::parse(name, &argument, &Files) else { continue };
            let mut captures = Captures::default();
            let matched = operator.capture(&value, &argument, GROUPS, &mut captures);
            prop_assert_eq!(matched, operator.matches(&value, &argument), "{}", name);
            if let Some(range) = captures.group(0) {
                prop_assert!(matched && value.get(range).is_some());
            }
        }
    }

    #[test]
    fn a_word_is_found_as_a_pattern_finds_it(
        word in "[ab _-]{1,4}",
        value in "[ab _-]{0,24}",
    ) {
        let plain = (0..value.len()).any(|at| {
            let of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            value[at..].starts_with(&word)
                && !value[..at].ends_with(of_word)
                && !value[at + word.len()..].starts_with(of_word)
        });
        prop_assert_eq!(operator("containsWord", &word).matches(value.as_bytes(), b""), plain);
    }

    #[test]
    fn phrases_are_found_as_each_alone_would_be(
        phrases in prop::collection::vec("[aAbc]{1,3}", 1..5),
        value in "[aAbcC]{0,12}",
    ) {
        let small = value.to_lowercase();
        let plain = phrases.iter().any(|phrase| small.contains(&phrase.to_lowercase()));
        let operator = operator("pm", &phrases.join(" "));
        prop_assert_eq!(operator.matches(value.as_bytes(), b""), plain);
    }

    #[test]
    fn an_address_is_in_the_network_of_its_prefix(
        bits in any::<u32>(),
        prefix in 0..=32_u32,
        other in any::<u32>(),
    ) {
        let address = |bits: u32| std::net::Ipv4Addr::from(bits).to_string();
        let operator = operator("ipMatch", &format!("{}/{prefix}", address(bits)));
        let same = prefix == 0 || (bits ^ other) >> (32 - prefix) == 0;
        prop_assert!(operator.matches(address(bits).as_bytes(), b""));
        prop_assert_eq!(operator.matches(address(other).as_bytes(), b""), same);
    }
}
