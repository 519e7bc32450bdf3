//! What is wrong with sites, upstreams, hosts and modes.

use expect_test::expect;

use super::{check, check_site, load, of_file, shown};

#[test]
fn upstream_missing() {
    check(
        r#"version = 1
[[site]]
name = "shop"
"#,
        expect![[r#"
            palisade.toml:2:1: the site `shop` has no `upstream`
            2 | [[site]]
              | ^^^^^^^^
            help: write upstream = "http://localhost:3000", or use --to URL"#]],
    );
}

#[test]
fn upstream_that_is_the_gateway_itself() {
    check(
        r#"version = 1
[server]
listen = ["0.0.0.0:3000"]
[[site]]
upstream = "http://localhost:3000"
"#,
        expect![[r#"
            palisade.toml:5:12: the upstream http://localhost:3000 is this gateway itself
            5 | upstream = "http://localhost:3000"
              |            ^^^^^^^^^^^^^^^^^^^^^^^
            help: it listens on 0.0.0.0:3000: listen on another port, or write where your API is"#]],
    );
}

#[test]
fn upstream_without_scheme() {
    check(
        r#"version = 1
[[site]]
upstream = "localhost:3000"
"#,
        expect![[r#"
            palisade.toml:3:12: `upstream`: "localhost:3000" is not a URL
            3 | upstream = "localhost:3000"
              |            ^^^^^^^^^^^^^^^^
            help: write "http://localhost:3000""#]],
    );
}

#[test]
fn upstream_with_a_slip_in_its_scheme() {
    for (text, meant) in [
        ("http//api:3000", "http://api:3000"),
        ("https:/api", "https://api"),
        ("http:api", "http://api"),
        ("h2c//api", "h2c://api"),
    ] {
        let file = format!("version = 1\n[[site]]\nupstream = \"{text}\"\n");
        let help = format!("help: write \"{meant}\"");
        let errors = load(&of_file(&file)).expect_err("the file is refused");
        let shown = shown(errors);
        assert!(shown.ends_with(&help), "{shown}");
    }
}

#[test]
fn upstream_of_unknown_scheme() {
    check(
        r#"version = 1
[[site]]
upstream = "htpp://localhost:3000"
"#,
        expect![[r#"
            palisade.toml:3:12: `upstream`: unknown scheme "htpp"
            3 | upstream = "htpp://localhost:3000"
              |            ^^^^^^^^^^^^^^^^^^^^^^^
            help: an upstream begins with http://, https:// or h2c://"#]],
    );
}

#[test]
fn upstream_with_a_path() {
    check(
        r#"version = 1
[[site]]
upstream = "http://localhost:3000/api"
"#,
        expect![[r#"
            palisade.toml:3:12: `upstream`: "http://localhost:3000/api" has a path
            3 | upstream = "http://localhost:3000/api"
              |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^
            help: leave it out: requests keep the path they came with"#]],
    );
}

#[test]
fn upstream_with_credentials() {
    check(
        r#"version = 1
[[site]]
upstream = "http://ada:s3cret@localhost:3000"
"#,
        expect![[r#"
            palisade.toml:3:12: `upstream` carries credentials
            help: leave out what stands before the @: requests bring their own"#]],
    );
}

#[test]
fn upstream_port_out_of_range() {
    check(
        r#"version = 1
[[site]]
upstream = "http://localhost:70000"
"#,
        expect![[r#"
            palisade.toml:3:12: `upstream`: "http://localhost:70000" has a port that does not exist
            3 | upstream = "http://localhost:70000"
              |            ^^^^^^^^^^^^^^^^^^^^^^^^
            help: ports are 1 to 65535"#]],
    );
}

#[test]
fn upstream_without_host() {
    check(
        r#"version = 1
[[site]]
upstream = "http://"
"#,
        expect![[r#"
            palisade.toml:3:12: `upstream`: "http://" names no host
            3 | upstream = "http://"
              |            ^^^^^^^^^
            help: write the URL of your API, as in "http://localhost:3000""#]],
    );
}

#[test]
fn upstream_twice() {
    check(
        r#"version = 1
[[site]]
upstream = ["http://a:80", "http://b", "http://a"]
"#,
        expect![[r#"
            palisade.toml:3:40: `upstream` names http://a:80 twice
            3 | upstream = ["http://a:80", "http://b", "http://a"]
              |                                        ^^^^^^^^^^
            help: leave one out: each gets the share that it can carry"#]],
    );
}

#[test]
fn one_upstream_of_several_that_is_the_gateway_itself() {
    check(
        r#"version = 1
[server]
listen = ["0.0.0.0:3000"]
[[site]]
upstream = ["http://10.0.0.5:3000", "http://127.0.0.1:3000"]
"#,
        expect![[r#"
            palisade.toml:5:37: the upstream http://127.0.0.1:3000 is this gateway itself
            5 | upstream = ["http://10.0.0.5:3000", "http://127.0.0.1:3000"]
              |                                     ^^^^^^^^^^^^^^^^^^^^^^^
            help: it listens on 0.0.0.0:3000: listen on another port, or write where your API is"#]],
    );
}

#[test]
fn retries_out_of_bounds() {
    check_site(
        r#"retries = 50
"#,
        expect![[r#"
            palisade.toml:4:11: `retries`: 50 is out of bounds
            4 | retries = 50
              |           ^^
            help: write a whole number from 0 to 5"#]],
    );
}

#[test]
fn health_with_a_url_and_an_odd_status() {
    check_site(
        r#"[site.health]
path = "http://localhost/healthz"
status = ["299-200", "ok", 99]
intervall = "1s"
timeout = "0s"
"#,
        expect![[r#"
            palisade.toml:5:8: `path`: "http://localhost/healthz" is a URL, not a path
            5 | path = "http://localhost/healthz"
              |        ^^^^^^^^^^^^^^^^^^^^^^^^^^
            help: leave scheme and host out: each upstream is asked itself

            palisade.toml:6:11: `status`: "299-200" begins above its end
            6 | status = ["299-200", "ok", 99]
              |           ^^^^^^^^^
            help: write "200-299"

            palisade.toml:6:22: `status`: "ok" is no status
            6 | status = ["299-200", "ok", 99]
              |                      ^^^^
            help: write one from 200 to 599, or a range as in "200-299"

            palisade.toml:6:28: `status`: 99 is out of bounds
            6 | status = ["299-200", "ok", 99]
              |                            ^^
            help: write a whole number from 200 to 599

            palisade.toml:7:1: unknown key `intervall` in [site.health]
            7 | intervall …
              | ^^^^^^^^^
            help: did you mean `interval`?

            palisade.toml:8:11: `timeout`: "0s" is out of bounds
            8 | timeout = "0s"
              |           ^^^^
            help: from 100ms to 1m"#]],
    );
}

#[test]
fn health_with_a_path_that_is_none() {
    check_site(
        r#"health = { path = "healthz now", status = [] }
"#,
        expect![[r#"
            palisade.toml:4:19: `path`: "healthz now" is no path
            4 | health = { path = "healthz now", status = [] }
              |                   ^^^^^^^^^^^^^
            help: write it as in "/healthz", without spaces

            palisade.toml:4:43: `status` has 0 statuses
            4 | health = { path = "healthz now", status = [] }
              |                                           ^^
            help: write 1 to 16, as in "200-299" or [200, 204]"#]],
    );
}

#[test]
fn upstream_empty() {
    check(
        r#"version = 1
[[site]]
upstream = []
"#,
        expect![[r#"
            palisade.toml:3:12: `upstream` is empty
            3 | upstream = []
              |            ^^
            help: write the URL of your API, as in "http://localhost:3000""#]],
    );
}

#[test]
fn site_twice() {
    check(
        r#"version = 1
[[site]]
name = "shop"
hosts = ["a.example"]
upstream = "http://a"
[[site]]
name = "shop"
hosts = ["b.example"]
upstream = "http://b"
"#,
        expect![[r#"
            palisade.toml:7:8: there are two sites named "shop"
            7 | name = "shop"
              |        ^^^^^^
            help: the first is at palisade.toml:3; give this one its own `name`"#]],
    );
}

#[test]
fn site_with_a_name_that_is_none() {
    check_site(
        r#"name = "my shop"
"#,
        expect![[r#"
            palisade.toml:4:8: `name`: "my shop" is no name for a site
            4 | name = "my shop"
              |        ^^^^^^^^^
            help: use up to 64 letters, digits, `-`, `_` and `.`"#]],
    );
}

#[test]
fn host_twice() {
    check(
        r#"version = 1
[[site]]
name = "a"
hosts = ["api.example.com"]
upstream = "http://a"
[[site]]
name = "b"
hosts = ["API.example.com."]
upstream = "http://b"
"#,
        expect![[r#"
            palisade.toml:8:10: the host api.example.com is taken
            8 | hosts = ["API.example.com."]
              |          ^^^^^^^^^^^^^^^^^^
            help: the other is at palisade.toml:4; give each site its own `hosts`"#]],
    );
}

#[test]
fn all_hosts_twice() {
    check(
        r#"version = 1
[[site]]
name = "a"
upstream = "http://a"
[[site]]
name = "b"
upstream = "http://b"
"#,
        expect![[r#"
            palisade.toml:5:1: two sites take all hosts that no other takes
            5 | [[site]]
              | ^^^^^^^^
            help: the other is at palisade.toml:2; give each site its own `hosts`"#]],
    );
}

#[test]
fn host_with_a_port() {
    check_site(
        r#"hosts = ["api.example.com:443"]
"#,
        expect![[r#"
            palisade.toml:4:10: `hosts`: "api.example.com:443" is not a host
            4 | hosts = ["api.example.com:443"]
              |          ^^^^^^^^^^^^^^^^^^^^^
            help: leave the port out, any port fits: write "api.example.com""#]],
    );
}

#[test]
fn host_as_url() {
    check_site(
        r#"hosts = ["https://api.example.com/"]
"#,
        expect![[r#"
            palisade.toml:4:10: `hosts`: "https://api.example.com/" is not a host
            4 | hosts = ["https://api.example.com/"]
              |          ^^^^^^^^^^^^^^^^^^^^^^^^^^
            help: leave the scheme out: write "api.example.com""#]],
    );
}

#[test]
fn hosts_empty() {
    check_site(
        r#"hosts = []
"#,
        expect![[r#"
            palisade.toml:4:9: `hosts` has 0 names
            4 | hosts = []
              |         ^^
            help: write the names callers use, or ["*"] for all"#]],
    );
}

#[test]
fn mode_misspelt() {
    check_site(
        r#"mode = "enforced"
"#,
        expect![[r#"
            palisade.toml:4:8: `mode`: unknown value "enforced"
            4 | mode = "enforced"
              |        ^^^^^^^^^^
            help: did you mean "enforce"?"#]],
    );
}

#[test]
fn mode_of_another_product() {
    check_site(
        r#"mode = "block"
"#,
        expect![[r#"
            palisade.toml:4:8: `mode`: unknown value "block"
            4 | mode = "block"
              |        ^^^^^^^
            help: one of monitor, enforce, off"#]],
    );
}

#[test]
fn mode_as_boolean() {
    check_site(
        r#"mode = true
"#,
        expect![[r#"
            palisade.toml:4:8: `mode` is true or false, not a string
            4 | mode = true
              |        ^^^^
            help: write it in quotes, for example "monitor""#]],
    );
}

#[test]
fn mode_with_its_comment_in_quotes() {
    check_site(
        r#"mode = "enforce # loud"
"#,
        expect![[r#"
            palisade.toml:4:8: `mode`: unknown value "enforce # loud"
            4 | mode = "enforce # loud"
              |        ^^^^^^^^^^^^^^^^
            help: the comment is inside the quotes: write mode = "enforce" # …"#]],
    );
}

#[test]
fn layer_misspelt() {
    check_site(
        r#"  [site.protect]
  recno = "enforce"
"#,
        expect![[r#"
            palisade.toml:5:3: unknown layer `recno` in [site.protect]
            5 |   recno …
              |   ^^^^^
            help: did you mean `recon`?"#]],
    );
}

#[test]
fn layer_unknown() {
    check_site(
        r#"  [site.protect]
  waf = "enforce"
"#,
        expect![[r#"
            palisade.toml:5:3: unknown layer `waf` in [site.protect]
            5 |   waf …
              |   ^^^
            help: the keys of [site.protect] are rate, recon, takeover, rules, contract, auth, object, flow, automation, leak, flood"#]],
    );
}

#[test]
fn layer_mode_misspelt() {
    check_site(
        r#"  [site.protect]
  rate = "montor"
"#,
        expect![[r#"
            palisade.toml:5:10: `rate`: unknown value "montor"
            5 |   rate = "montor"
              |          ^^^^^^^^
            help: did you mean "monitor"?"#]],
    );
}

#[test]
fn site_timeout_zero() {
    check_site(
        r#"connect_timeout = "0s"
"#,
        expect![[r#"
            palisade.toml:4:19: `connect_timeout`: "0s" is out of bounds
            4 | connect_timeout = "0s"
              |                   ^^^^
            help: from 1ms to 1d"#]],
    );
}

#[test]
fn a_header_that_is_not_free() {
    check_site(
        r#"  common_password_header = "authorization"
"#,
        expect![[r#"
            palisade.toml:4:28: `common_password_header`: "authorization" is not free to be used
            4 |   common_password_header = "authorization"
              |                            ^^^^^^^^^^^^^^^
            help: write a name such as "x-common-password", or "off""#]],
    );
}

#[test]
fn a_crawler_that_is_not_known() {
    check_site(
        r#"[[crawler]]
name = "goggle-bot"
networks = ["192.0.2.0/24"]
"#,
        expect![[r#"
            palisade.toml:5:8: `name`: no crawler is known by the name "goggle-bot"
            5 | name = "goggle-bot"
              |        ^^^^^^^^^^^^
            help: did you mean "googlebot"?"#]],
    );
}
