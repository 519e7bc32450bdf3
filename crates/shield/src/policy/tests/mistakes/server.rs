//! What is wrong with listeners, trust and certificates.

use expect_test::expect;

use super::check_site;

#[test]
fn listen_without_port() {
    check_site(
        r#"[server]
listen = "127.0.0.1"
"#,
        expect![[r#"
            palisade.toml:5:10: `listen`: "127.0.0.1" has no port
            5 | listen = "127.0.0.1"
              |          ^^^^^^^^^^^
            help: write "127.0.0.1:8080""#]],
    );
}

#[test]
fn listen_v6_without_port() {
    check_site(
        r#"[server]
listen = "::1"
"#,
        expect![[r#"
            palisade.toml:5:10: `listen`: "::1" has no port
            5 | listen = "::1"
              |          ^^^^^
            help: write "[::1]:8080""#]],
    );
}

#[test]
fn listen_port_alone() {
    check_site(
        r#"[server]
listen = ["8080"]
"#,
        expect![[r#"
            palisade.toml:5:11: `listen`: "8080" is not an address to listen on
            5 | listen = ["8080"]
              |           ^^^^^^
            help: write "127.0.0.1:8080", or "0.0.0.0:8080" for all interfaces"#]],
    );
}

#[test]
fn listen_port_with_colon() {
    check_site(
        r#"[server]
listen = [":8080"]
"#,
        expect![[r#"
            palisade.toml:5:11: `listen`: ":8080" is not an address to listen on
            5 | listen = [":8080"]
              |           ^^^^^^^
            help: write "127.0.0.1:8080", or "0.0.0.0:8080" for all interfaces"#]],
    );
}

#[test]
fn listen_port_out_of_range() {
    check_site(
        r#"[server]
listen = "127.0.0.1:80800"
"#,
        expect![[r#"
            palisade.toml:5:10: `listen`: port 80800 does not exist
            5 | listen = "127.0.0.1:80800"
              |          ^^^^^^^^^^^^^^^^^
            help: ports end at 65535"#]],
    );
}

#[test]
fn listen_as_number() {
    check_site(
        r#"[server]
listen = 8080
"#,
        expect![[r#"
            palisade.toml:5:10: `listen` is a number, not a string
            5 | listen = 8080
              |          ^^^^
            help: write it in quotes, as in "127.0.0.1:8080""#]],
    );
}

#[test]
fn listen_as_url() {
    check_site(
        r#"[server]
listen = "http://0.0.0.0:8080/"
"#,
        expect![[r#"
            palisade.toml:5:10: `listen`: "http://0.0.0.0:8080/" is a URL, not an address
            5 | listen = "http://0.0.0.0:8080/"
              |          ^^^^^^^^^^^^^^^^^^^^^^
            help: leave the scheme out: write "0.0.0.0:8080""#]],
    );
}

#[test]
fn listen_on_a_name() {
    check_site(
        r#"[server]
listen = "api.example.com:8080"
"#,
        expect![[r#"
            palisade.toml:5:10: `listen`: "api.example.com:8080" is not an address to listen on
            5 | listen = "api.example.com:8080"
              |          ^^^^^^^^^^^^^^^^^^^^^^
            help: write an address and a port, as in "127.0.0.1:8080""#]],
    );
}

#[test]
fn listen_nowhere() {
    check_site(
        r#"[server]
listen = []
"#,
        expect![[r#"
            palisade.toml:5:10: `listen` has 0 addresses
            5 | listen = []
              |          ^^
            help: write 1 to 64, as in ["127.0.0.1:8080"]"#]],
    );
}

#[test]
fn listen_twice() {
    check_site(
        r#"[server]
listen = ["0.0.0.0:8080", "0.0.0.0:8080"]
"#,
        expect![[r#"
            palisade.toml:5:27: 0.0.0.0:8080 is listened on twice
            5 | listen = ["0.0.0.0:8080", "0.0.0.0:8080"]
              |                           ^^^^^^^^^^^^^^
            help: leave one out, or choose another port"#]],
    );
}

#[test]
fn listener_without_address() {
    check_site(
        r#"[server]
listen = [{ tls = "main" }]
[tls.main]
cert = "c.pem"
key = "k.pem"
"#,
        expect![[r#"
            palisade.toml:5:11: a listener has no `addr`
            5 | listen = [{ tls = "main" }]
              |           ^^^^^^^^^^^^^^^^
            help: write { addr = "0.0.0.0:8443", tls = "main" }"#]],
    );
}

#[test]
fn listener_with_unknown_certificate() {
    check_site(
        r#"[server]
listen = [{ addr = "0.0.0.0:8443", tls = "mian" }]
[tls.main]
cert = "c.pem"
key = "k.pem"
"#,
        expect![[r#"
            palisade.toml:5:42: there is no certificate "mian"
            5 | listen = [{ addr = "0.0.0.0:8443", tls = "mian" }]
              |                                          ^^^^^^
            help: did you mean "main"?"#]],
    );
}

#[test]
fn listener_with_no_certificates() {
    check_site(
        r#"[server]
listen = [{ addr = "0.0.0.0:8443", tls = "main" }]
"#,
        expect![[r#"
            palisade.toml:5:42: there is no certificate "main"
            5 | listen = [{ addr = "0.0.0.0:8443", tls = "main" }]
              |                                          ^^^^^^
            help: write a table [tls.main] with `cert` and `key`"#]],
    );
}

#[test]
fn certificate_without_key() {
    check_site(
        r#"[server]
listen = [{ addr = "0.0.0.0:8443", tls = "main" }]
[tls.main]
cert = "c.pem"
"#,
        expect![[r#"
            palisade.toml:6:6: [tls.main] has no `key`
            6 | [tls.main]
              |      ^^^^
            help: write key = "/path/to/key.pem""#]],
    );
}

#[test]
fn certificate_given_inline() {
    check_site(
        r#"[server]
listen = [{ addr = "0.0.0.0:8443", tls = "main" }]
[tls.main]
cert = "c.pem"
key = """-----BEGIN PRIVATE KEY-----
MIIEvSECRET
-----END PRIVATE KEY-----"""
"#,
        expect![[r#"
            palisade.toml:8:1: `key` holds the PEM text itself
            help: keep it in a file that only the service can read, and write its path"#]],
    );
}

#[test]
fn certificate_name_is_missing() {
    check_site(
        r#"[tls]
cert = "c.pem"
key = "k.pem"
"#,
        expect![[r#"
            palisade.toml:5:1: `cert` stands outside of a named certificate
            5 | cert …
              | ^^^^
            help: name it: [tls.main], with `cert` and `key` below

            palisade.toml:6:1: `key` stands outside of a named certificate
            6 | key …
              | ^^^
            help: name it: [tls.main], with `cert` and `key` below"#]],
    );
}

#[test]
fn tls_version_unknown() {
    check_site(
        r#"[server]
listen = [{ addr = "0.0.0.0:8443", tls = "main" }]
[tls.main]
cert = "c.pem"
key = "k.pem"
min_version = 1.2
"#,
        expect![[r#"
            palisade.toml:9:15: `min_version` is a number with a point, not a string
            9 | min_version = 1.2
              |               ^^^
            help: write it in quotes, for example "1.2""#]],
    );
}

#[test]
fn tls_version_old() {
    check_site(
        r#"[server]
listen = [{ addr = "0.0.0.0:8443", tls = "main" }]
[tls.main]
cert = "c.pem"
key = "k.pem"
min_version = "1.1"
"#,
        expect![[r#"
            palisade.toml:9:15: `min_version`: unknown value "1.1"
            9 | min_version = "1.1"
              |               ^^^^^
            help: did you mean "1.2"?"#]],
    );
}

#[test]
fn trusted_prefix_too_long() {
    check_site(
        r#"[server]
trusted_proxies = ["10.0.0.0/33"]
"#,
        expect![[r#"
            palisade.toml:5:20: `trusted_proxies`: "10.0.0.0/33" is not a block of addresses
            5 | trusted_proxies = ["10.0.0.0/33"]
              |                    ^^^^^^^^^^^^^
            help: a prefix is 0 to 32 bits long, not "33""#]],
    );
}

#[test]
fn trusted_name() {
    check_site(
        r#"[server]
trusted_proxies = ["load-balancer"]
"#,
        expect![[r#"
            palisade.toml:5:20: `trusted_proxies`: "load-balancer" is not a block of addresses
            5 | trusted_proxies = ["load-balancer"]
              |                    ^^^^^^^^^^^^^^^
            help: write an address or a block, as in "10.0.0.0/8""#]],
    );
}

#[test]
fn client_ip_unknown() {
    check_site(
        r#"[server]
trusted_proxies = ["10.0.0.0/8"]
client_ip = "x-forward-for"
"#,
        expect![[r#"
            palisade.toml:6:13: `client_ip`: unknown value "x-forward-for"
            6 | client_ip = "x-forward-for"
              |             ^^^^^^^^^^^^^^^
            help: did you mean "x-forwarded-for"?"#]],
    );
}

#[test]
fn client_ip_header_without_its_prefix() {
    check_site(
        r#"[server]
trusted_proxies = ["10.0.0.0/8"]
client_ip = "cf-connecting-ip"
"#,
        expect![[r#"
            palisade.toml:6:13: `client_ip`: unknown value "cf-connecting-ip"
            6 | client_ip = "cf-connecting-ip"
              |             ^^^^^^^^^^^^^^^^^^
            help: for a header of one address write "header:cf-connecting-ip""#]],
    );
}

#[test]
fn client_ip_header_that_is_none() {
    check_site(
        r#"[server]
trusted_proxies = ["10.0.0.0/8"]
client_ip = "header:my address"
"#,
        expect![[r#"
            palisade.toml:6:13: `client_ip`: "my address" is not the name of a header
            6 | client_ip = "header:my address"
              |             ^^^^^^^^^^^^^^^^^^^
            help: write it as in "header:cf-connecting-ip""#]],
    );
}

#[test]
fn request_id_as_text() {
    check_site(
        r#"[server]
request_id = "x-request-id"
"#,
        expect![[r#"
            palisade.toml:5:14: `request_id` is a string, not a table
            5 | request_id = "x-request-id"
              |              ^^^^^^^^^^^^^^
            help: write request_id = { accept_from = … }"#]],
    );
}

#[test]
fn request_id_of_everybody() {
    check_site(
        r#"[server]
request_id = { accept_from = "everybody" }
"#,
        expect![[r#"
            palisade.toml:5:30: `accept_from`: unknown value "everybody"
            5 | request_id = { accept_from = "everybody" }
              |                              ^^^^^^^^^^^
            help: one of trusted, nobody"#]],
    );
}

#[test]
fn workers_zero() {
    check_site(
        r#"[server]
workers = 0
"#,
        expect![[r#"
            palisade.toml:5:11: `workers`: 0 is out of bounds
            5 | workers = 0
              |           ^
            help: write a whole number from 1 to 1024"#]],
    );
}

#[test]
fn workers_as_text() {
    check_site(
        r#"[server]
workers = "4"
"#,
        expect![[r#"
            palisade.toml:5:11: `workers` is a string, not a whole number
            5 | workers = "4"
              |           ^^^
            help: write a whole number from 1 to 1024, without quotes"#]],
    );
}

#[test]
fn memory_too_small() {
    check_site(
        r#"[server]
memory_budget = "1MiB"
"#,
        expect![[r#"
            palisade.toml:5:17: `memory_budget`: "1MiB" is out of bounds
            5 | memory_budget = "1MiB"
              |                 ^^^^^^
            help: from 16MiB to 1TiB"#]],
    );
}

#[test]
fn proxy_protocol_as_a_version() {
    check_site(
        r#"[server]
listen = { addr = "0.0.0.0:8080", proxy_protocol = "v2", proxy = true }
"#,
        expect![[r#"
            palisade.toml:5:52: `proxy_protocol` is a string, not true or false
            5 | listen = { addr = "0.0.0.0:8080", proxy_protocol = "v2", proxy = true }
              |                                                    ^^^^
            help: write true or false, without quotes

            palisade.toml:5:58: unknown key `proxy` in a listener of [server]
            5 | listen = { addr = "0.0.0.0:8080", proxy_protocol = "v2", proxy …
              |                                                          ^^^^^
            help: the keys of a listener of [server] are addr, tls, proxy_protocol"#]],
    );
}
