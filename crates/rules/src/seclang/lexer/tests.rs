//! Lines, quotes, continuations and comments.

use super::*;

/// Directives one a line: `line name [argument] [argument]`.
fn shown(text: &[u8]) -> String {
    let lines = Lexer::new(text).map(|read| match read {
        Ok(directive) => {
            let arguments = directive.arguments.iter();
            let arguments = arguments.map(|it| format!(" [{}]", String::from_utf8_lossy(it)));
            format!("{} {}{}", directive.line, directive.name, arguments.collect::<String>())
        }
        Err(error) => format!("{} error: {}", error.line, error.reason),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn directives_are_lines() {
    for (text, expected) in [
        ("", ""),
        ("  \n\t\n# a comment\n   # another", ""),
        ("A", "1 A"),
        ("\u{feff}A b", "1 A [b]"),
        ("A b\nC d e\n", "1 A [b]\n2 C [d] [e]"),
        ("A b\r\n\r\nC d\r\n", "1 A [b]\n3 C [d]"),
        ("  A\t\"b c\"  'd e' f\"g", "1 A [b c] [d e] [f\"g]"),
        ("A \"\" ''", "1 A [] []"),
        // A comment goes on to the end of its line only, whatever it ends with.
        ("# a \\\nB", "2 B"),
        // No comment: it is within a line.
        ("A b#c #d", "1 A [b#c] [#d]"),
    ] {
        assert_eq!(shown(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn a_backslash_continues_a_line() {
    for (text, expected) in [
        ("A b \\\n   c\nD", "1 A [b] [c]\n3 D"),
        ("A b\\\nc", "1 A [b] [c]"),
        ("A \\  \n \\\t\r\n b", "1 A [b]"),
        ("A \"id:1,\\\n    pass\"", "1 A [id:1,pass]"),
        ("A \"id:1, \\\r\n    pass\"\r\nB", "1 A [id:1, pass]\n3 B"),
        // Comments between continued lines, within quotes and without.
        ("A \"id:1,\\\n#   log,\\\n  # deny\n    pass\"\nB", "1 A [id:1,pass]\n5 B"),
        ("A \\\n# b \\\n c\nD", "1 A [c]\n4 D"),
        // An empty line ends it, and so does the end of the text.
        ("A b \\\n\nC", "1 A [b]\n3 C"),
        ("A b \\", "1 A [b]"),
    ] {
        assert_eq!(shown(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn quotes_keep_what_patterns_need() {
    for (text, expected) in [
        (r#"A "a\"b""#, r#"1 A [a"b]"#),
        (r#"A "a\'b\d\\.c""#, r"1 A [a\'b\d\\.c]"),
        (r#"A "a\\""#, r"1 A [a\\]"),
        (r"A 'a\'b'", "1 A [a'b]"),
        // Doubled for Apache.
        (r#"A "[a-z]:\\\\inetpub""#, r"1 A [[a-z]:\\inetpub]"),
        (r#"A "\\\\\\\\server""#, r"1 A [\\\\server]"),
        (r"A &TX:'/A\\\/B/'", r"1 A [&TX:'/A\\\/B/']"),
    ] {
        assert_eq!(shown(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn a_quotation_without_end_costs_its_line_alone() {
    let unfinished = "a quotation that begins here has no end";
    for (text, expected) in [
        ("A \"b\nC", format!("1 error: {unfinished}\n2 C")),
        ("A \\\n \"b \\\n c\nD", format!("2 error: {unfinished}\n4 D")),
        ("A 'b \\", format!("1 error: {unfinished}")),
    ] {
        assert_eq!(shown(text.as_bytes()), expected, "{text}");
    }
}
