//! What is not TOML: the commonest slips are guessed at.

use expect_test::expect;

use super::{check, check_site};

#[test]
fn text_without_quotes() {
    check_site(
        r#"mode = enforce
"#,
        expect![[r#"
            palisade.toml:4:8: not TOML: string values must be quoted
            4 | mode = enforce
              |        ^^^^^^^
            help: text stands in quotes: write mode = "…""#]],
    );
}

#[test]
fn address_without_quotes() {
    check_site(
        r#"[server]
listen = 127.0.0.1:8080
"#,
        expect![[r#"
            palisade.toml:5:15: not TOML: invalid float
            5 | listen = 127.0.0.1:8080
              |               ^^^^^^^^^
            help: text stands in quotes: write listen = "…""#]],
    );
}

#[test]
fn closing_quote_missing() {
    check_site(
        r#"mode = "enforce
"#,
        expect![[r#"
            palisade.toml:4:16: not TOML: invalid basic string, expected `"`
            4 | mode = "enforce
              |                ^
            help: the closing quote is missing"#]],
    );
}

#[test]
fn value_missing() {
    check_site(
        r#"mode =
"#,
        expect![[r#"
            palisade.toml:4:7: not TOML: string values must be quoted
            4 | mode =
              |       ^
            help: a value is missing: write mode = "…""#]],
    );
}

#[test]
fn yaml() {
    check(
        r#"version: 1
site:
  upstream: http://localhost:3000
"#,
        expect![[r#"
            palisade.toml:1:8: not TOML: invalid unquoted key
            1 | version: 1
              |        ^
            help: write version = …, not a colon

            palisade.toml:2:6: not TOML: key with no value, expected `=`
            help: write site = …, not a colon

            palisade.toml:3:13: not TOML: key with no value, expected `=`
            help: write upstream = …, not a colon"#]],
    );
}

#[test]
fn colon_instead_of_equals() {
    check_site(
        r#"mode: "enforce"
"#,
        expect![[r#"
            palisade.toml:4:5: not TOML: invalid unquoted key
            4 | mode: "enforce"
              |     ^
            help: write mode = …, not a colon"#]],
    );
}

#[test]
fn bracket_not_closed() {
    check_site(
        r#"hosts = ["a.example"
[limits]
"#,
        expect![[r#"
            palisade.toml:5:1: not TOML: missing comma between array elements, expected `,`
            5 | [limits]
              | ^
            help: an array ends in ], and a comma stands between its items"#]],
    );
}

#[test]
fn table_not_closed() {
    check_site(
        r#"[limits
header_count = 50
"#,
        expect![[r#"
            palisade.toml:4:8: not TOML: unclosed table, expected `]`
            4 | [limits
              |        ^
            help: a table is written [name], one of several [[name]]"#]],
    );
}

#[test]
fn key_twice() {
    check_site(
        r#"mode = "monitor"
mode = "enforce"
"#,
        expect![[r#"
            palisade.toml:5:1: not TOML: duplicate key
            5 | mode = "enforce"
              | ^^^^
            help: it stands above already: make them one"#]],
    );
}

#[test]
fn table_twice() {
    check_site(
        r#"[limits]
header_count = 50
[limits]
header_bytes = "8KiB"
"#,
        expect![[r#"
            palisade.toml:6:2: not TOML: duplicate key
            6 | [limits]
              |  ^^^^^^
            help: it stands above already: make them one"#]],
    );
}

#[test]
fn unit_outside_the_quotes() {
    check_site(
        r#"[limits]
header_timeout = 10s
"#,
        expect![[r#"
            palisade.toml:5:18: not TOML: string values must be quoted
            5 | header_timeout = 10s
              |                  ^^^
            help: text stands in quotes: write header_timeout = "…""#]],
    );
}
