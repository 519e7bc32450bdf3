//! What is allowed, but probably not meant.

use expect_test::{Expect, expect};

use super::{SITE, load, of_file, shown};
use crate::policy::Sources;

fn check(lines: &str, expected: Expect) {
    let text = format!("{SITE}{lines}");
    let (_, warnings) = load(&of_file(&text)).expect("a policy");
    expected.assert_eq(&shown(warnings));
}

#[test]
fn a_plain_file_gives_none() {
    check("mode = \"enforce\"\n", expect![[r#""#]]);
}

#[test]
fn everybody_is_trusted() {
    check(
        "[server]\ntrusted_proxies = [\"0.0.0.0/0\", \"::/0\"]\n",
        expect![[r#"
        palisade.toml:5:20: everybody is trusted here: any caller can choose its own address
        5 | trusted_proxies = ["0.0.0.0/0", "::/0"]
          |                    ^^^^^^^^^^^
        help: name the blocks of your own proxies

        palisade.toml:5:33: everybody is trusted here: any caller can choose its own address
        5 | trusted_proxies = ["0.0.0.0/0", "::/0"]
          |                                 ^^^^^^
        help: name the blocks of your own proxies"#]],
    );
}

#[test]
fn a_block_is_written_by_one_of_its_addresses() {
    check(
        "[server]\ntrusted_proxies = [\"10.1.2.3/8\", \"10.0.0.0/8\"]\n",
        expect![[r#"
        palisade.toml:5:20: "10.1.2.3/8" means the whole block 10.0.0.0/8
        5 | trusted_proxies = ["10.1.2.3/8", "10.0.0.0/8"]
          |                    ^^^^^^^^^^^^"#]],
    );
}

#[test]
fn a_forwarding_header_without_a_trusted_proxy() {
    check(
        "[server]\nclient_ip = \"forwarded\"\n",
        expect![[r#"
        palisade.toml:5:13: `client_ip` has no effect: no proxy is trusted
        5 | client_ip = "forwarded"
          |             ^^^^^^^^^^^
        help: name your proxies in `trusted_proxies`, or leave this out"#]],
    );
}

#[test]
fn a_certificate_that_no_listener_uses() {
    check(
        "[tls.main]\ncert = \"c.pem\"\nkey = \"k.pem\"\n",
        expect![[r#"
        palisade.toml:4:1: no listener uses [tls.main]
        4 | [tls.main]
          | ^^^^^^^^^^
        help: use it: listen = [{ addr = "0.0.0.0:8443", tls = "main" }]"#]],
    );
}

#[test]
fn authorities_for_an_upstream_without_tls() {
    check(
        "ca_file = \"ca.pem\"\n",
        expect![[r#"
        palisade.toml:4:11: `ca_file` has no effect: the upstream is not spoken to over TLS
        4 | ca_file = "ca.pem"
          |           ^^^^^^^^
        help: write https:// in `upstream`"#]],
    );
}

#[test]
fn layers_without_a_detector() {
    check(
        "  [site.protect]\n  flow = \"enforce\"\n  leak = \"off\"\n  rate = \"enforce\"\n",
        expect![[r#"
            palisade.toml:5:3: the layer `flow` has no detector in this version
            5 |   flow = "enforce"
              |   ^^^^
            help: the line has no effect yet; its key is reserved"#]],
    );
}

#[test]
fn an_overlay_for_what_is_gone() {
    let overlay = "version = 1\n[site.gone]\nmode = \"off\"\n\
                   [site.default.route.\"GET /gone\"]\nmode = \"off\"\n";
    let sources = Sources { overlay: Some(("overlay.toml", overlay)), ..of_file(SITE) };
    let (_, warnings) = load(&sources).expect("a policy");
    expect![[r#"
        overlay.toml:2:7: there is no site "gone"
        2 | [site.gone]
          |       ^^^^
        help: delete the lines, or take all switches back with `palisade inherit`

        overlay.toml:4:21: the site "default" has no route `GET /gone`
        4 | [site.default.route."GET /gone"]
          |                     ^^^^^^^^^^^
        help: delete the lines, or take all switches back with `palisade inherit`"#]]
    .assert_eq(&shown(warnings));
}

#[test]
fn health_and_retries_that_change_nothing() {
    check(
        "retries = 2\n[site.health]\ninterval = \"1s\"\nstatus = 204\neject_for = \"1m\"\n",
        expect![[r#"
            palisade.toml:4:11: `retries` has no effect: there is one upstream
            4 | retries = 2
              |           ^
            help: name the others in `upstream`

            palisade.toml:6:12: `interval` has no effect: nothing is checked
            6 | interval = "1s"
              |            ^^^^
            help: write what to ask for, as in path = "/healthz"

            palisade.toml:7:10: `status` has no effect: nothing is checked
            7 | status = 204
              |          ^^^
            help: write what to ask for, as in path = "/healthz"

            palisade.toml:8:13: `eject_for` has no effect: there is one upstream
            8 | eject_for = "1m"
              |             ^^^^
            help: name the others in `upstream`"#]],
    );
}

#[test]
fn a_proxy_protocol_that_nobody_is_trusted_to_speak() {
    check(
        "[server]\nlisten = { addr = \"0.0.0.0:8080\", proxy_protocol = true }\n",
        expect![[r#"
            palisade.toml:5:52: `proxy_protocol` has no effect: no proxy is trusted
            5 | listen = { addr = "0.0.0.0:8080", proxy_protocol = true }
              |                                                    ^^^^
            help: name your balancers in `trusted_proxies`"#]],
    );
}
