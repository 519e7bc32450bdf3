//! The header fingerprint: which headers a program sends, in which order, over which protocol.
//!
//! HTTP stacks differ in it the way TLS stacks differ in their hello, and it is there where TLS
//! ends before us. It is our own and reads names only. Headers that change from request to request
//! of one program (a body's, a cached copy's, a link's) and those that proxies add are left out,
//! so that a program keeps one fingerprint as far as that can be had.
//!
//! Invariant: it depends on nothing that a recording leaves out.

use http::{HeaderMap, Version};
use traffic::{Digest, Hasher};

/// Names beyond this many bytes are not read: no honest head has as many.
const CANON_BYTES_MAX: usize = 1_024;

/// The fingerprint of a request's headers; `h2_settings` as the connection announced them.
#[must_use]
pub fn header_print(
    version: Version,
    headers: &HeaderMap,
    h2_settings: Option<&[(u16, u32)]>,
    hasher: &Hasher,
) -> Digest {
    let mut canon = Canon::default();
    canon.push(version_name(version));
    for &(identifier, value) in h2_settings.unwrap_or_default() {
        canon.push(&identifier.to_be_bytes());
        canon.push(&value.to_be_bytes());
    }
    let mut presence = 0;
    for name in headers.keys() {
        let name = name.as_str().as_bytes();
        presence |= presence_bit(name);
        if !varies(name) {
            canon.push(name);
            canon.push(b"\n");
        }
    }
    canon.push(&[presence]);
    hasher.hash(canon.bytes())
}

/// The bit of a telling header that counts by being there.
fn presence_bit(name: &[u8]) -> u8 {
    match name {
        b"accept-language" => 1,
        b"sec-ch-ua" => 2,
        b"sec-fetch-mode" | b"sec-fetch-site" => 4,
        _ => 0,
    }
}

/// Whether a header is there or not by the request and not by the program: what belongs to a body,
/// a cached copy, a link, a credential or a proxy. `sec-fetch-*` and `sec-ch-ua*` count by their
/// presence alone, because browsers send more or fewer of them with the kind of request.
fn varies(name: &[u8]) -> bool {
    // By the first letter, because each request asks this of each of its headers.
    match name {
        [b'a', ..] => name == b"authorization",
        [b'b', ..] => name == b"baggage",
        [b'c', rest @ ..] => {
            rest.starts_with(b"ontent-")
                || rest.starts_with(b"f-")
                || matches!(rest, b"ache-control" | b"dn-loop" | b"onnection" | b"ookie")
        }
        [b'd', ..] => name == b"date",
        [b'e', ..] => name == b"expect",
        [b'f', ..] => name == b"forwarded",
        [b'i', b'f', b'-', ..] => true,
        [b'i', ..] => name == b"idempotency-key",
        [b'l', ..] => name == b"last-event-id",
        [b'm', ..] => name == b"max-forwards",
        [b'o', ..] => name == b"origin",
        [b'p', rest @ ..] => rest.starts_with(b"roxy-") || matches!(rest, b"ragma" | b"riority"),
        [b'r', ..] => matches!(name, b"range" | b"referer"),
        [b's', rest @ ..] => rest.starts_with(b"ec-ch-ua") || rest.starts_with(b"ec-fetch-"),
        [b't', rest @ ..] => {
            matches!(rest, b"e" | b"raceparent" | b"racestate" | b"railer" | b"ransfer-encoding")
        }
        [b'v', ..] => name == b"via",
        [b'x', b'-', ..] => true,
        _ => false,
    }
}

/// Several versions of HTTP/1 are one: a program may fall back within a connection pool.
fn version_name(version: Version) -> &'static [u8] {
    match version {
        Version::HTTP_2 => b"2;",
        Version::HTTP_3 => b"3;",
        _ => b"1;",
    }
}

/// The canonical text under the fingerprint, on the stack: it is built for each request.
struct Canon {
    bytes: [u8; CANON_BYTES_MAX],
    length: usize,
}

impl Default for Canon {
    fn default() -> Self {
        Self { bytes: [0; CANON_BYTES_MAX], length: 0 }
    }
}

impl Canon {
    /// Appends `part`, or nothing when it does not fit.
    fn push(&mut self, part: &[u8]) {
        let end = self.length + part.len();
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(part);
            self.length = end;
        }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use traffic::HashKey;

    use super::*;

    fn print(names: &[&str]) -> Digest {
        print_over(Version::HTTP_11, names, None)
    }

    fn print_over(version: Version, names: &[&str], h2: Option<&[(u16, u32)]>) -> Digest {
        let mut headers = HeaderMap::new();
        for name in names {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_static("v"));
        }
        header_print(version, &headers, h2, &Hasher::new(HashKey::new([5; 16])))
    }

    #[test]
    fn what_varies_by_request_does_not_count() {
        let plain = print(&["host", "user-agent", "accept"]);
        let busy = ["Host", "Cookie", "User-Agent", "Content-Length", "Accept", "X-Forwarded-For"];
        assert_eq!(print(&busy), plain);
        assert_eq!(print(&["host", "user-agent", "accept", "if-none-match", "origin"]), plain);
    }

    #[test]
    fn order_names_version_and_settings_count() {
        let plain = print(&["host", "user-agent", "accept"]);
        assert_ne!(print(&["host", "accept", "user-agent"]), plain);
        assert_ne!(print(&["host", "user-agent"]), plain);
        assert_ne!(print(&["host", "user-agent", "accept", "sec-fetch-mode"]), plain);
        let names = ["user-agent", "accept"];
        let h2 = print_over(Version::HTTP_2, &names, None);
        assert_ne!(print_over(Version::HTTP_11, &names, None), h2);
        let settings = print_over(Version::HTTP_2, &names, Some(&[(1, 4096), (3, 100)]));
        assert_ne!(settings, h2);
        let swapped = print_over(Version::HTTP_2, &names, Some(&[(3, 100), (1, 4096)]));
        assert_ne!(swapped, settings);
    }

    #[test]
    fn an_endless_head_is_cut() {
        let names: Vec<String> = (0..400).map(|number| format!("h-{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let more = [&names[..], &["h-more"]].concat();
        assert_eq!(print(&more), print(&names));
    }
}
