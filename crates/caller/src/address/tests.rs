//! Tests of client addresses: honest proxy chains and forged headers.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn nets(texts: &[&str]) -> Vec<Net> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn found(peer: &str, source: AddressSource, lines: &[&str]) -> (String, Option<ForwardingAnomaly>) {
    let name = match &source {
        AddressSource::Forwarded => "forwarded",
        AddressSource::Header(name) => name.as_str(),
        AddressSource::Socket | AddressSource::XForwardedFor => "x-forwarded-for",
    };
    let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(&name, HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    let trusted = nets(&["10.0.0.0/8", "fd00::/8"]);
    let client = ClientAddress::find(peer.parse().unwrap(), &headers, &trusted, &source);
    (client.ip.to_string(), client.anomaly)
}

#[track_caller]
fn check_xff(peer: &str, lines: &[&str], ip: &str, anomaly: Option<ForwardingAnomaly>) {
    let expected = (ip.to_owned(), anomaly);
    assert_eq!(found(peer, AddressSource::XForwardedFor, lines), expected, "{peer} {lines:?}");
}

#[track_caller]
fn check_forwarded(lines: &[&str], ip: &str, anomaly: Option<ForwardingAnomaly>) {
    let expected = (ip.to_owned(), anomaly);
    assert_eq!(found("10.0.0.1", AddressSource::Forwarded, lines), expected, "{lines:?}");
}

#[test]
fn an_untrusted_peer_cannot_name_another_caller() {
    check_xff("203.0.113.9", &["198.51.100.1"], "203.0.113.9", None);
    check_xff("203.0.113.9", &["rubbish"], "203.0.113.9", None);
    check_xff("203.0.113.9", &[], "203.0.113.9", None);
}

#[test]
fn trusted_hops_are_walked_from_the_right() {
    check_xff("10.0.0.1", &["198.51.100.1"], "198.51.100.1", None);
    check_xff("10.0.0.1", &["198.51.100.1, 10.0.0.2"], "198.51.100.1", None);
    check_xff("10.0.0.1", &["198.51.100.1", "10.0.0.2"], "198.51.100.1", None);
    check_xff("10.0.0.1", &["10.0.0.3 , 10.0.0.2"], "10.0.0.3", None);
    check_xff("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1", None);
}

#[test]
fn what_a_caller_forged_on_the_left_is_not_believed() {
    check_xff("10.0.0.1", &["10.0.0.7, 198.51.100.1"], "198.51.100.1", None);
    check_xff("10.0.0.1", &["127.0.0.1", "198.51.100.1, 10.0.0.2"], "198.51.100.1", None);
    check_xff("10.0.0.1", &["192.0.2.1, rubbish, 198.51.100.1"], "198.51.100.1", None);
}

#[test]
fn an_entry_that_is_no_address_ends_the_walk_and_is_marked() {
    let unparsable = Some(ForwardingAnomaly::Unparsable);
    check_xff("10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1", unparsable);
    check_xff("10.0.0.1", &["198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2", unparsable);
    check_xff("10.0.0.1", &["198.51.100.1,"], "10.0.0.1", unparsable);
    check_xff("10.0.0.1", &["198.51.100.1, fe80::1%eth0"], "10.0.0.1", unparsable);
    check_xff("10.0.0.1", &["198.51.100.1, 010.0.0.2"], "10.0.0.1", unparsable);
}

#[test]
fn ports_and_brackets_are_read() {
    check_xff("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1", None);
    check_xff("10.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1", None);
    check_xff("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1", None);
    let unparsable = Some(ForwardingAnomaly::Unparsable);
    check_xff("10.0.0.1", &["[2001:db8::1]x"], "10.0.0.1", unparsable);
    check_xff("10.0.0.1", &["[2001:db8::1"], "10.0.0.1", unparsable);
    check_xff("10.0.0.1", &["198.51.100.1:99999"], "10.0.0.1", unparsable);
}

#[test]
fn the_standard_header_is_read_with_its_quoting() {
    check_forwarded(&["for=198.51.100.1"], "198.51.100.1", None);
    check_forwarded(&["proto=https;For=\"[2001:db8::1]:4711\";by=10.0.0.1"], "2001:db8::1", None);
    check_forwarded(&["for=198.51.100.1, for=10.0.0.2;host=\"a,b;for=1\""], "198.51.100.1", None);
    check_forwarded(&["for=192.0.2.1", "for=198.51.100.1"], "198.51.100.1", None);
    let unparsable = Some(ForwardingAnomaly::Unparsable);
    check_forwarded(&["for=198.51.100.1, for=_hidden"], "10.0.0.1", unparsable);
    check_forwarded(&["for=198.51.100.1, proto=https"], "10.0.0.1", unparsable);
    check_forwarded(&["for=198.51.100.1;for=192.0.2.1"], "10.0.0.1", unparsable);
    check_forwarded(&["for=\"192.0.2.1, for=198.51.100.1"], "198.51.100.1", None);
    check_forwarded(&["for=\"x\\, for=\"[2001:db8::1]\""], "2001:db8::1", None);
    check_forwarded(&["for=\"198.51.100.1"], "10.0.0.1", unparsable);
    check_forwarded(&["for=\"198.51.100\\.1\""], "10.0.0.1", unparsable);
}

#[test]
fn a_header_of_one_address_is_read_from_trusted_peers_alone() {
    let source = || AddressSource::Header(HeaderName::from_static("cf-connecting-ip"));
    let unparsable = Some(ForwardingAnomaly::Unparsable);
    for (peer, lines, ip, anomaly) in [
        ("10.0.0.1", &["198.51.100.1"][..], "198.51.100.1", None),
        ("10.0.0.1", &[" 2001:db8::1 "], "2001:db8::1", None),
        ("10.0.0.1", &[], "10.0.0.1", None),
        ("203.0.113.9", &["198.51.100.1"], "203.0.113.9", None),
        // One address, not a list, and not two answers.
        ("10.0.0.1", &["192.0.2.1, 198.51.100.1"], "10.0.0.1", unparsable),
        ("10.0.0.1", &["192.0.2.1", "198.51.100.1"], "10.0.0.1", unparsable),
        ("10.0.0.1", &["unknown"], "10.0.0.1", unparsable),
    ] {
        assert_eq!(found(peer, source(), lines), (ip.to_owned(), anomaly), "{peer} {lines:?}");
    }
}

#[test]
fn the_header_that_is_not_configured_is_not_read() {
    let mut headers = HeaderMap::new();
    headers.append("forwarded", HeaderValue::from_static("for=192.0.2.1"));
    let trusted = nets(&["10.0.0.0/8"]);
    let peer = "10.0.0.1".parse().unwrap();
    for source in [AddressSource::XForwardedFor, AddressSource::Socket] {
        assert_eq!(ClientAddress::find(peer, &headers, &trusted, &source).ip, peer);
    }
}

#[test]
fn an_endless_chain_of_trusted_hops_is_cut_and_marked() {
    let chain = vec!["10.0.0.2"; HOPS_MAX + 1].join(",");
    check_xff("10.0.0.1", &[&chain], "10.0.0.2", Some(ForwardingAnomaly::TooManyHops));
}

proptest! {
    #[test]
    fn hostile_headers_never_panic_and_never_forge(line in "[ -~\\t]{0,200}") {
        let named = AddressSource::Header(HeaderName::from_static("x-real-ip"));
        for source in [AddressSource::XForwardedFor, AddressSource::Forwarded, named] {
            let (ip, _) = found("203.0.113.9", source.clone(), &[&line]);
            prop_assert_eq!(ip, "203.0.113.9");
            let _ = found("10.0.0.1", source, &[&line]);
        }
    }
}
