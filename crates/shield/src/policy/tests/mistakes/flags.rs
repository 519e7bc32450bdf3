//! What is wrong with flags, and with flags beside a file.

use expect_test::{Expect, expect};

use crate::policy::tests::{SITE, load, of_file, shown};
use crate::policy::{Flags, Sources};

fn check(file: Option<&str>, flags: Flags, expected: Expect) {
    let sources = Sources { flags, ..file.map(of_file).unwrap_or_default() };
    expected.assert_eq(&shown(load(&sources).expect_err("the flags are refused")));
}

#[test]
fn nothing_at_all() {
    check(
        None,
        Flags::default(),
        expect![[r#"
        there is no site: nothing stands behind the gateway
        help: write [[site]] with upstream = "http://localhost:3000", or use --to URL"#]],
    );
}

#[test]
fn to_without_scheme() {
    let flags = Flags { to: Some("localhost:3000".to_owned()), ..Flags::default() };
    check(
        None,
        flags,
        expect![[r#"
        --to: "localhost:3000" is not a URL
        help: write "http://localhost:3000""#]],
    );
}

#[test]
fn to_with_credentials() {
    let flags = Flags { to: Some("http://ada:s3cret@a".to_owned()), ..Flags::default() };
    check(
        None,
        flags,
        expect![[r#"
        --to: the URL carries credentials
        help: leave out what stands before the @"#]],
    );
}

#[test]
fn to_for_several_sites() {
    let file =
        format!("{SITE}hosts = [\"a\"]\n[[site]]\nhosts = [\"b\"]\nupstream = \"http://b\"\n");
    let flags = Flags { to: Some("http://localhost:3000".to_owned()), ..Flags::default() };
    check(
        Some(&file),
        flags,
        expect![[r#"
        --to: the file has 2 sites, each with its own upstream
        help: leave the flag out, or use a file with one site"#]],
    );
}

#[test]
fn listen_and_workers_beside_a_bad_file() {
    let flags = Flags {
        listen: vec!["8080".to_owned(), "0.0.0.0:1".to_owned()],
        workers: Some(0),
        ..Flags::default()
    };
    check(
        Some("version = 1\n[[site]]\nmode = \"enfroce\"\n"),
        flags,
        expect![[r#"
            --listen: "8080" is not an address to listen on
            help: write "127.0.0.1:8080", or "0.0.0.0:8080" for all interfaces

            --workers: 0 threads do no work
            help: write 1 or more

            palisade.toml:2:1: the site `default` has no `upstream`
            2 | [[site]]
              | ^^^^^^^^
            help: write upstream = "http://localhost:3000", or use --to URL

            palisade.toml:3:8: `mode`: unknown value "enfroce"
            3 | mode = "enfroce"
              |        ^^^^^^^^^
            help: did you mean "enforce"?"#]],
    );
}
