//! Each difference of the two syntaxes, and what is refused.

use super::*;

fn written(text: &str) -> String {
    match rewrite(text.as_bytes()) {
        Ok(rewritten) => rewritten.text,
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn what_differs_is_written_anew() {
    for (pattern, expected) in [
        ("abc", "abc"),
        (r"a.b|^c$", r"a.b|^c$"),
        // Literals that would be syntax, and escapes that would mean something else.
        (r"a{b}", r"a\{b\}"),
        (r"a{,3}", r"a\{,3\}"),
        (r"a{2}b{2,}c{2,3}?", r"a{2}b{2,}c{2,3}?"),
        (r"\<\>\/\#\-", r"<>/\#\-"),
        (r"]&&~~--", r"\]\&\&\~\~\-\-"),
        ("\u{e9}", r"\xc3\xa9"),
        (r"\e\a\cA\0\012\x4\x{41}\x41\o{101}", r"\x1b\x07\x01\x00\x0a\x04AAA"),
        (r"\h\v\N", r"[\t \xa0][\n\x0b\x0c\r\x85][^\n]"),
        (r"\d\D\w\W\s\S\b\B\A\z", r"\d\D\w\W\s\S\b\B\A\z"),
        (r"a\Z", r"a(?:\n?\z)"),
        (r"\Qa.b\E.c", r"a\.b.c"),
        // Repetition.
        (r"a++b*+c?+d{2}+", r"a+b*c?d{2}"),
        (r"a+?b*?", r"a+?b*?"),
        // Groups.
        (r"(a)(?:b)(?>c)(?<n>d)(?P<n>e)(?'n'f)", r"(a)(?:b)(?:c)(d)(e)(f)"),
        (r"a(?#comment)b", r"ab"),
        (r"(?i)a(?-i:b)c", r"(?is-m)a(?s-im:b)c"),
        (r"(?i:a(?m)b)c", r"(?is-m:a(?ims)b)c"),
        ("(?x) a b # c\n[ d] (?-x: e) f", "(?s-im)ab[ d](?s-im: e)f"),
        // Classes.
        (r"[abc]", "[abc]"),
        (r"[]a][^]a]", r"[\]a][^\]a]"),
        (r"[a[b]", r"[a\[b]"),
        (r"[a-c\d-z]", r"[a-c\d\-z]"),
        (r"[-a][a-]", r"[\-a][a\-]"),
        (r"[a-\d]", r"[a\-\d]"),
        (r"[a&&b~~+--d]", r"[a\&\&b\~\~\+-\-d]"),
        (r"[\b\n\x00-\x1f\101]", r"[\x08\x0a\x00-\x1fA]"),
        (r"[[:alpha:][:^digit:]_]", r"[[:alpha:][:^digit:]_]"),
        (r"[[:a]", r"[\[:a]"),
        (r"[\h\H\Qa]\E]", r"[\t \xa0[^\t \xa0]a\]]"),
    ] {
        assert_eq!(written(pattern), expected, "{pattern}");
    }
}

#[test]
fn what_has_no_equal_is_an_error() {
    for (pattern, expected) in [
        ("a(b", "a group is not closed"),
        ("a)b", "a group is closed that was not opened"),
        ("[a", "a class is not closed"),
        ("[z-a]", "a range in a class ends before it begins"),
        ("*a", "a repetition has nothing to repeat"),
        ("a|+", "a repetition has nothing to repeat"),
        (r"a\", r"it ends with a \"),
        (r"\G", r"\G is not supported"),
        (r"\K", r"\K is not supported"),
        (r"\x{100}", "the code of a character is no byte"),
        (r"(?R)", "groups like (?R) are not supported"),
        (r"(?|a)", "groups like (?|a are not supported"),
        (r"(*ACCEPT)", "verbs such as (*ACCEPT) are not supported"),
        (r"(?iJ)", "only the flags i, m, s and x are supported"),
        (r"[[:nope:]]", "there is no class [:nope:]"),
        (r"a\1", "a reference to a group that is not there yet"),
        (r"(a)\g{1}", r"groups are referred to by \1 to \9 alone"),
        (r"(?=(a))", "where a pattern looks around it can neither capture nor look around again"),
        (r"(?=a", "a group is not closed"),
    ] {
        assert_eq!(written(pattern), format!("error: the pattern cannot be used: {expected}"));
    }
}

#[test]
fn conditions_leave_a_named_group() {
    let rewritten = rewrite(br"(?i)(a)(?<![()]b)c(?!\b\1\b)(?-i)\1").expect("a pattern");
    assert_eq!(rewritten.text, "(?is-m)(a)(?P<_0>)c(?P<_1>)(?s-im)(?P<_2>)");
    assert_eq!(
        rewritten.conditions,
        [
            Condition::Around {
                text: r"(?is-m:[\(\)]b)".to_owned(),
                direction: Direction::Behind,
                is_negated: true,
            },
            Condition::Ahead {
                of: Reference { group: 1, ignores_case: true },
                begins_word: true,
                ends_word: true,
                is_negated: true,
            },
            Condition::Same(Reference { group: 1, ignores_case: false }),
        ]
    );
}
