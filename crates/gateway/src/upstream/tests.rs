//! Upstreams as they are written down.

use super::*;

#[test]
fn urls_are_taken_apart() {
    for (url, shown) in [
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://localhost/", "http://localhost:80"),
        ("https://api.example.com", "https://api.example.com:443"),
        ("h2c://10.0.0.5:50051", "h2c://10.0.0.5:50051"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ] {
        assert_eq!(Upstream::parse(url, None).map(|u| u.to_string()).ok().as_deref(), Some(shown));
    }
}

#[test]
fn an_upstream_is_the_same_when_nothing_about_it_changed() {
    let parse = |url| Upstream::parse(url, None).expect("an upstream");
    assert!(parse("http://a:1") == parse("http://a:1/"));
    assert!(parse("http://a:1") != parse("http://a:2"));
    assert!(parse("http://a:1") != parse("h2c://a:1"));
}
