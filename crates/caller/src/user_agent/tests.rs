//! Tests of the `User-Agent` reading: honest programs, and headers made to confuse it.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(agent: &str, family: &str, major: u32, class: ClientClass) {
    let read = UserAgent::read(agent.as_bytes());
    assert_eq!((read.family, read.major, read.class), (family, major, class), "{agent}");
}

#[test]
fn the_table_is_sorted_and_in_lower_case() {
    assert!(PRODUCTS.is_sorted_by(|(a, _), (b, _)| a.as_bytes() < b.as_bytes()));
    for (name, _) in PRODUCTS {
        assert!(name.len() <= NAME_BYTES_MAX && *name == name.to_ascii_lowercase(), "{name}");
    }
}

#[test]
fn browsers_are_told_by_their_most_specific_name() {
    use ClientClass::Browser;
    let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
    let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
    check(&format!("{windows} {webkit} Chrome/126.0.0.0 Safari/537.36"), "chrome", 126, Browser);
    let edge = format!("{windows} {webkit} Chrome/126.0.0.0 Safari/537.36 Edg/125.0.2535.51");
    check(&edge, "edge", 125, Browser);
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
    check(firefox, "firefox", 127, Browser);
    let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X)";
    let safari = format!("{iphone} AppleWebKit/605.1.15 Version/17.4 Mobile/15E148 Safari/604.1");
    check(&safari, "safari", 17, Browser);
    check("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0)", "internet-explorer", 7, Browser);
    check("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.0)", "internet-explorer", 0, Browser);
    let phone = format!("Mozilla/5.0 (Linux; Android 9; CUBOT NOTE) {webkit} Chrome/120.0 Mobile");
    check(&phone, "chrome", 120, Browser);
}

#[test]
fn what_admits_to_be_automatic_wins_over_the_browser_it_resembles() {
    use ClientClass::{Crawler, Tool};
    check("curl/8.5.0", "curl", 8, Tool);
    check("python-requests/2.31.0", "python-requests", 2, Tool);
    check("Go-http-client/1.1", "go-http-client", 1, Tool);
    check("Mozilla/5.0 (X11) HeadlessChrome/126.0 Safari/537.36", "headlesschrome", 126, Tool);
    let google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    check(google, "googlebot", 2, Crawler);
    check("CCBot/2.0 (https://commoncrawl.org/faq/)", "ccbot", 2, Crawler);
    check("AcmeBot/3.1", "crawler", 3, Crawler);
    check("Mozilla/5.0 Nobody/1.0 (+https://example.com/about)", "crawler", 0, Crawler);
}

#[test]
fn applications_and_strangers() {
    check("Shop/4.2 CFNetwork/1494.0.7 Darwin/23.4.0", "cfnetwork", 1494, ClientClass::App);
    check("okhttp/4.12.0", "okhttp", 4, ClientClass::App);
    check("acme-sync/12", "", 12, ClientClass::Unknown);
    assert_eq!(UserAgent::read(b"acme-sync/12 x").first_word, "acme-sync");
    check("", "", 0, ClientClass::Unknown);
    check("/ ; ()", "", 0, ClientClass::Unknown);
}

#[test]
fn only_the_beginning_is_read() {
    let padded = format!("{} curl/8", "x ".repeat(AGENT_BYTES_MAX));
    check(&padded, "", 0, ClientClass::Unknown);
    check("curl/99999999999999999999", "curl", 999_999, ClientClass::Tool);
}

proptest! {
    #[test]
    fn hostile_values_never_panic(value in proptest::collection::vec(any::<u8>(), 0..700)) {
        let _ = UserAgent::read(&value);
    }
}
