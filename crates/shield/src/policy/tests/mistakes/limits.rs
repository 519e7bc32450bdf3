//! What is wrong with sizes, durations and counts.

use expect_test::expect;

use super::check_site;

#[test]
fn size_without_unit() {
    check_site(
        r#"[limits]
header_bytes = 16384
"#,
        expect![[r#"
            palisade.toml:5:16: `header_bytes` is a number, not a string
            5 | header_bytes = 16384
              |                ^^^^^
            help: write it in quotes, as in "16KiB""#]],
    );
}

#[test]
fn size_without_unit_in_quotes() {
    check_site(
        r#"[limits]
header_bytes = "16384"
"#,
        expect![[r#"
            palisade.toml:5:16: `header_bytes`: "16384" has no unit of size
            5 | header_bytes = "16384"
              |                ^^^^^^^
            help: write "16KiB", if bytes were meant"#]],
    );
}

#[test]
fn size_with_a_short_unit() {
    check_site(
        r#"[limits]
header_bytes = "16K"
"#,
        expect![[r#"
            palisade.toml:5:16: `header_bytes`: "16K" is not a size: unknown unit "K"
            5 | header_bytes = "16K"
              |                ^^^^^
            help: write "16KiB""#]],
    );
}

#[test]
fn size_in_lower_case() {
    check_site(
        r#"[limits]
header_bytes = "16kib"
"#,
        expect![[r#"
            palisade.toml:5:16: `header_bytes`: "16kib" is not a size: unknown unit "kib"
            5 | header_bytes = "16kib"
              |                ^^^^^^^
            help: write "16KiB""#]],
    );
}

#[test]
fn size_out_of_bounds() {
    check_site(
        r#"[limits]
header_bytes = "16GiB"
"#,
        expect![[r#"
            palisade.toml:5:16: `header_bytes`: "16GiB" is out of bounds
            5 | header_bytes = "16GiB"
              |                ^^^^^^^
            help: from 1KiB to 1MiB"#]],
    );
}

#[test]
fn size_negative() {
    check_site(
        r#"[limits]
header_bytes = "-1KiB"
"#,
        expect![[r#"
            palisade.toml:5:16: `header_bytes`: "-1KiB" is not a size
            5 | header_bytes = "-1KiB"
              |                ^^^^^^^
            help: write a size such as "16KiB""#]],
    );
}

#[test]
fn count_negative() {
    check_site(
        r#"[limits]
header_count = -5
"#,
        expect![[r#"
            palisade.toml:5:16: `header_count`: -5 is out of bounds
            5 | header_count = -5
              |                ^^
            help: write a whole number from 8 to 1000"#]],
    );
}

#[test]
fn count_too_large() {
    check_site(
        r#"[limits]
header_count = 100000000000000000000
"#,
        expect![[r#"
            palisade.toml:5:16: `header_count`: 100000000000000000000 is out of bounds
            5 | header_count = 100000000000000000000
              |                ^^^^^^^^^^^^^^^^^^^^^
            help: write a whole number from 8 to 1000"#]],
    );
}

#[test]
fn count_with_a_point() {
    check_site(
        r#"[limits]
header_count = 10.5
"#,
        expect![[r#"
            palisade.toml:5:16: `header_count` is a number with a point, not a whole number
            5 | header_count = 10.5
              |                ^^^^
            help: write a whole number from 8 to 1000"#]],
    );
}

#[test]
fn duration_without_unit() {
    check_site(
        r#"[limits]
header_timeout = "10"
"#,
        expect![[r#"
            palisade.toml:5:18: `header_timeout`: "10" has no unit of time
            5 | header_timeout = "10"
              |                  ^^^^
            help: write the unit, for example "10s" for seconds"#]],
    );
}

#[test]
fn duration_as_number() {
    check_site(
        r#"[limits]
header_timeout = 10
"#,
        expect![[r#"
            palisade.toml:5:18: `header_timeout` is a number, not a string
            5 | header_timeout = 10
              |                  ^^
            help: write it in quotes, as in "10s""#]],
    );
}

#[test]
fn duration_with_a_long_unit() {
    check_site(
        r#"[server]
drain_timeout = "30 seconds"
"#,
        expect![[r#"
            palisade.toml:5:17: `drain_timeout`: "30 seconds" is not a duration: unknown unit "seconds"
            5 | drain_timeout = "30 seconds"
              |                 ^^^^^^^^^^^^
            help: write "30s""#]],
    );
}

#[test]
fn duration_with_a_point() {
    check_site(
        r#"[limits]
header_timeout = "1.5s"
"#,
        expect![[r#"
            palisade.toml:5:18: `header_timeout`: "1.5s" is not a duration
            5 | header_timeout = "1.5s"
              |                  ^^^^^^
            help: write a whole number and a unit, as in "10s"; "1500ms" for one and a half"#]],
    );
}

#[test]
fn duration_out_of_bounds() {
    check_site(
        r#"[limits]
header_timeout = "1h"
"#,
        expect![[r#"
            palisade.toml:5:18: `header_timeout`: "1h" is out of bounds
            5 | header_timeout = "1h"
              |                  ^^^^
            help: from 1s to 5m"#]],
    );
}

#[test]
fn rate_of_bytes_without_time() {
    check_site(
        r#"[limits]
body_min_rate = "500B"
"#,
        expect![[r#"
            palisade.toml:5:17: `body_min_rate`: "500B" is not a rate of bytes
            5 | body_min_rate = "500B"
              |                 ^^^^^^
            help: write bytes per second, as in "500B/s""#]],
    );
}

#[test]
fn body_without_limit_misspelt() {
    check_site(
        r#"[limits]
body_bytes = "unlimitted"
"#,
        expect![[r#"
            palisade.toml:5:14: `body_bytes`: "unlimitted" is not a size: unknown unit "unlimitted"
            5 | body_bytes = "unlimitted"
              |              ^^^^^^^^^^^^
            help: did you mean "unlimited"?"#]],
    );
}

#[test]
fn underscores_misspelt() {
    check_site(
        r#"[limits]
underscore_headers = "drop"
"#,
        expect![[r#"
            palisade.toml:5:22: `underscore_headers`: unknown value "drop"
            5 | underscore_headers = "drop"
              |                      ^^^^^^
            help: one of forward, reject"#]],
    );
}

#[test]
fn retention_too_short() {
    check_site(
        r#"[store]
retention = { events = "1h" }
"#,
        expect![[r#"
            palisade.toml:5:24: `events`: "1h" is out of bounds
            5 | retention = { events = "1h" }
              |                        ^^^^
            help: from 1d to 3660d"#]],
    );
}

#[test]
fn retention_as_number() {
    check_site(
        r#"[store]
retention = 14
"#,
        expect![[r#"
            palisade.toml:5:13: `retention` is a number, not a table
            5 | retention = 14
              |             ^^
            help: write retention = { events = … }"#]],
    );
}

#[test]
fn store_path_empty() {
    check_site(
        r#"[store]
path = ""
"#,
        expect![[r#"
            palisade.toml:5:8: `path`: the path is empty
            5 | path = ""
              |        ^^
            help: write the path of a file"#]],
    );
}
