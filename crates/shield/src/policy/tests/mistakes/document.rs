//! What is wrong with the document as a whole, and with names of keys.

use expect_test::expect;

use super::{check, check_site};

#[test]
fn version_missing() {
    check(
        r#"[[site]]
upstream = "http://localhost:3000"
"#,
        expect![[r#"
            palisade.toml:1:1: the version is missing
            1 | [[site]]
              | ^
            help: write `version = 1` in the first line"#]],
    );
}

#[test]
fn version_of_the_future() {
    check(
        r#"version = 99
[[site]]
upstream = "http://localhost:3000"
"#,
        expect![[r#"
            palisade.toml:1:11: version 99 is not known: this program reads 1
            1 | version = 99
              |           ^^
            help: write `version = 1` in the first line"#]],
    );
}

#[test]
fn version_as_text() {
    check(
        r#"version = "1"
[[site]]
upstream = "http://localhost:3000"
"#,
        expect![[r#"
            palisade.toml:1:11: the version is a number, without quotes
            1 | version = "1"
              |           ^^^
            help: write `version = 1` in the first line"#]],
    );
}

#[test]
fn version_negative() {
    check(
        r#"version = -1
[[site]]
upstream = "http://localhost:3000"
"#,
        expect![[r#"
            palisade.toml:1:11: version -1 is not known: this program reads 1
            1 | version = -1
              |           ^^
            help: write `version = 1` in the first line"#]],
    );
}

#[test]
fn no_site() {
    check(
        r#"version = 1
"#,
        expect![[r#"
            palisade.toml:1:1: there is no site: nothing stands behind the gateway
            1 | version = 1
              | ^
            help: write [[site]] with upstream = "http://localhost:3000", or use --to URL"#]],
    );
}

#[test]
fn site_in_single_brackets() {
    check(
        r#"version = 1
[site]
upstream = "http://localhost:3000"
"#,
        expect![[r#"
            palisade.toml:2:2: `site` needs double brackets: there may be several
            2 | [site]
              |  ^^^^
            help: write [[site]] above each, in double brackets"#]],
    );
}

#[test]
fn route_before_its_site() {
    check(
        r#"version = 1
[[site.route]]
match = "/a"
"#,
        expect![[r#"
            palisade.toml:2:3: `site` needs double brackets: there may be several
            2 | [[site.route]]
              |   ^^^^
            help: write [[site]] above each, in double brackets"#]],
    );
}

#[test]
fn server_in_double_brackets() {
    check_site(
        r#"[[server]]
workers = 2
"#,
        expect![[r#"
            palisade.toml:4:3: [server] stands more than once, or in double brackets
            4 | [[server]]
              |   ^^^^^^
            help: write it once, as [server]"#]],
    );
}

#[test]
fn table_given_as_value() {
    check(
        r#"version = 1
server = "127.0.0.1:8080"
[[site]]
upstream = "http://a"
"#,
        expect![[r#"
            palisade.toml:2:10: `server` is a string, not a table
            2 | server = "127.0.0.1:8080"
              |          ^^^^^^^^^^^^^^^^
            help: write [server] and its keys below"#]],
    );
}

#[test]
fn sites_given_as_value() {
    check(
        r#"version = 1
site = "shop"
"#,
        expect![[r#"
            palisade.toml:2:8: `site` is a string, not an array of tables
            2 | site = "shop"
              |        ^^^^^^
            help: write [[site]] above each, in double brackets"#]],
    );
}

#[test]
fn site_array_of_strings() {
    check(
        r#"version = 1
site = ["shop"]
"#,
        expect![[r#"
            palisade.toml:2:9: an item of `site` is not a table
            2 | site = ["shop"]
              |         ^^^^^^
            help: write [[site]] above each, in double brackets"#]],
    );
}

#[test]
fn key_misspelt() {
    check(
        r#"version = 1
[[site]]
upstraem = "http://localhost:3000"
"#,
        expect![[r#"
            palisade.toml:3:1: unknown key `upstraem` in [[site]]
            3 | upstraem …
              | ^^^^^^^^
            help: did you mean `upstream`?"#]],
    );
}

#[test]
fn key_with_a_hyphen() {
    check_site(
        r#"[limits]
header-bytes = "16KiB"
"#,
        expect![[r#"
            palisade.toml:5:1: unknown key `header-bytes` in [limits]
            5 | header-bytes …
              | ^^^^^^^^^^^^
            help: did you mean `header_bytes`?"#]],
    );
}

#[test]
fn key_in_capitals() {
    check_site(
        r#"Mode = "enforce"
"#,
        expect![[r#"
            palisade.toml:4:1: unknown key `Mode` in [[site]]
            4 | Mode …
              | ^^^^
            help: did you mean `mode`?"#]],
    );
}

#[test]
fn key_in_the_wrong_table() {
    check_site(
        r#"[limits]
memory_budget = "1GiB"
"#,
        expect![[r#"
            palisade.toml:5:1: unknown key `memory_budget` in [limits]
            5 | memory_budget …
              | ^^^^^^^^^^^^^
            help: `memory_budget` belongs to [server]"#]],
    );
}

#[test]
fn key_that_belongs_above_its_table() {
    check_site(
        r#"  [site.protect]
  rate = "enforce"
  hosts = ["a.example"]
"#,
        expect![[r#"
            palisade.toml:6:3: unknown layer `hosts` in [site.protect]
            6 |   hosts …
              |   ^^^^^
            help: `hosts` belongs to [[site]]"#]],
    );
}

#[test]
fn key_at_the_end_of_the_file() {
    check_site(
        r#"[server]
workers = 2
version = 1
"#,
        expect![[r#"
            palisade.toml:6:1: unknown key `version` in [server]
            6 | version …
              | ^^^^^^^
            help: `version` stands at the top of the file, before any [table]"#]],
    );
}

#[test]
fn key_of_another_product() {
    check_site(
        r#"password = "hunter2"
"#,
        expect![[r#"
            palisade.toml:4:1: unknown key `password` in [[site]]
            4 | password …
              | ^^^^^^^^
            help: the keys of [[site]] are name, hosts, upstream, retries, health, ca_file, connect_timeout, first_byte_timeout, idle_timeout, mode, body_bytes, common_password_header, protect, route"#]],
    );
}

#[test]
fn table_misspelt() {
    check_site(
        r#"[limit]
header_count = 50
"#,
        expect![[r#"
            palisade.toml:4:2: there is no table [limit]
            4 | [limit]
              |  ^^^^^
            help: did you mean `limits`?"#]],
    );
}

#[test]
fn table_unknown() {
    check_site(
        r#"[cluster]
listen = "127.0.0.1:9443"
"#,
        expect![[r#"
            palisade.toml:4:2: there is no table [cluster]
            4 | [cluster]
              |  ^^^^^^^
            help: the keys of the file are version, server, admin, tls, limits, store, rules, debug, crawler, alerts, export, site"#]],
    );
}

#[test]
fn key_in_an_inline_table() {
    check_site(
        r#"[limits]
h2 = { stream = 10 }
"#,
        expect![[r#"
            palisade.toml:5:8: unknown key `stream` in `h2` of [limits]
            5 | h2 = { stream …
              |        ^^^^^^
            help: did you mean `streams`?"#]],
    );
}

#[test]
fn several_mistakes_at_once() {
    check(
        r#"version = 2
[server]
listen = "8080"
worker = 4
[[site]]
mode = "enfroce"
"#,
        expect![[r#"
            palisade.toml:1:11: version 2 is not known: this program reads 1
            1 | version = 2
              |           ^
            help: write `version = 1` in the first line

            palisade.toml:3:10: `listen`: "8080" is not an address to listen on
            3 | listen = "8080"
              |          ^^^^^^
            help: write "127.0.0.1:8080", or "0.0.0.0:8080" for all interfaces

            palisade.toml:4:1: unknown key `worker` in [server]
            4 | worker …
              | ^^^^^^
            help: did you mean `workers`?

            palisade.toml:5:1: the site `default` has no `upstream`
            5 | [[site]]
              | ^^^^^^^^
            help: write upstream = "http://localhost:3000", or use --to URL

            palisade.toml:6:8: `mode`: unknown value "enfroce"
            6 | mode = "enfroce"
              |        ^^^^^^^^^
            help: did you mean "enforce"?"#]],
    );
}
