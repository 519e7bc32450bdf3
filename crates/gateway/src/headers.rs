//! Which headers cross the gateway, and which it sets itself (RFC 9110 §7.6.1, RFC 9112 §9.6).
//!
//! One look over the names says which rules apply at all; most requests need two or three. What a
//! caller names in `Connection` is removed, except what removing would change the meaning of: a
//! caller must not be able to strip `Authorization` or our own `X-Forwarded-For` on the way.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// What the gateway says about where a request came from.
pub(crate) struct Provenance<'a> {
    /// The socket's other end, as text.
    pub(crate) peer: &'a HeaderValue,
    /// The peer may speak for others.
    pub(crate) trusted: bool,
    /// Headers of the policy's choice that only a trusted peer may write: the one in which it says
    /// who called it, and the one that marks a common password.
    pub(crate) guarded: [Option<&'a HeaderName>; 2],
    /// The header that marks the password of this request as one of the most common.
    pub(crate) marks_password: Option<&'a HeaderName>,
    pub(crate) scheme: HeaderValue,
    pub(crate) host: Option<HeaderValue>,
    pub(crate) request_id: HeaderValue,
    /// Made only when none is kept.
    pub(crate) traceparent: &'a dyn Fn() -> HeaderValue,
}

/// What was found and done on the way.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Header names with `_` that were dropped because a server could fold them to another header.
    pub(crate) underscores_dropped: usize,
    /// Our own headers, which replace received ones of the same names.
    pub(crate) own: Vec<(HeaderName, HeaderValue)>,
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// The request ID, both ways.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The rules that matched, for callers on this machine that are told.
pub(crate) const X_PALISADE_RULES: HeaderName = HeaderName::from_static("x-palisade-rules");
/// W3C trace context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Removed in both directions. `Proxy` is nobody's header: programs in the manner of CGI take it
/// for their own setting of where to send what they ask for.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// Speak about the caller, or about what it asked for before a proxy rewrote it, and are believed
/// only from trusted peers.
const CLAIMS: &[&str] = &[
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded",
    "forwarded-for",
    "tracestate",
    "true-client-ip",
    "x-azure-clientip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-forwarded",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-forwarded-prefix",
    "x-forwarded-scheme",
    "x-forwarded-ssl",
    "x-original-forwarded-for",
    "x-original-url",
    "x-originating-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-rewrite-url",
];

/// The lengths that these names have, a bit each: most names are told from them by it.
const CLAIM_LENGTHS: u32 = {
    let mut lengths = 0;
    let mut at = 0;
    while at < CLAIMS.len() {
        lengths |= 1 << CLAIMS[at].len();
        at += 1;
    }
    lengths
};

/// Stay even when `Connection` names them; a name with `_` that folds to one of them goes.
const KEPT: &[&str] = &[
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "origin",
    "range",
    "traceparent",
    "tracestate",
    "x-api-key",
    "x-request-id",
];

const NAMES_CONNECTION: u8 = 1;
const NAMES_HOP: u8 = 2;
const NAMES_CLAIM: u8 = 4;
const NAMES_UNDERSCORE: u8 = 8;

/// Which rules the names of these headers call for.
fn survey(headers: &HeaderMap) -> u8 {
    headers.keys().fold(0, |found, name| found | rules_for(name.as_str()))
}

fn rules_for(name: &str) -> u8 {
    let bytes = name.as_bytes();
    let special = match bytes.first() {
        Some(b'c') if name == "connection" => NAMES_CONNECTION | NAMES_HOP,
        Some(b'k' | b'p' | b't' | b'u' | b'h') if HOP_BY_HOP.contains(&name) => NAMES_HOP,
        Some(b'x' | b'f' | b'c' | b't') if is_claim(name) => NAMES_CLAIM,
        _ => 0,
    };
    // Names are short: a search begun for each would cost more than looking at every byte.
    let has_underscore = bytes.iter().fold(false, |found, byte| found | (*byte == b'_'));
    special | if has_underscore { NAMES_UNDERSCORE } else { 0 }
}

fn is_claim(name: &str) -> bool {
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    1_u32.checked_shl(length).is_some_and(|bit| CLAIM_LENGTHS & bit != 0) && CLAIMS.contains(&name)
}

/// Whether the caller asks to switch to a protocol that can be tunnelled. Clear-text HTTP/2 is not:
/// requests inside that tunnel would pass unseen.
pub(crate) fn upgrade_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut values = headers.get_all(header::UPGRADE).iter();
    let value = values.next()?;
    let asked = has_token(headers, &header::CONNECTION, "upgrade");
    let token = value.as_bytes();
    let single = values.next().is_none() && !token.contains(&b',');
    let tunnels = !token.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(b"h2"));
    (asked && single && tunnels).then(|| value.clone())
}

/// Makes received request headers fit to be sent on.
pub(crate) fn prepare_request(
    headers: &mut HeaderMap,
    from: Provenance<'_>,
    upgrade: Option<HeaderValue>,
) -> Prepared {
    let mut underscores_dropped = 0;
    let found = survey(headers);
    if found & NAMES_UNDERSCORE != 0 {
        underscores_dropped = drop_underscores(headers, &from.guarded);
    }
    let trailers = found & NAMES_HOP != 0 && has_token(headers, &header::TE, "trailers");
    strip_hop_by_hop(headers, found);
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    if let Some(protocol) = upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol);
    }
    if found & NAMES_CLAIM != 0 && !from.trusted {
        for claim in CLAIMS {
            headers.remove(*claim);
        }
    }
    if !from.trusted {
        for name in from.guarded.into_iter().flatten() {
            headers.remove(name);
        }
    }
    Prepared { underscores_dropped, own: speak_for(headers, from) }
}

/// Makes received answer headers fit to be sent on.
pub(crate) fn prepare_answer(headers: &mut HeaderMap, keep_upgrade: bool) {
    let found = survey(headers);
    let upgrade = if keep_upgrade { headers.get(header::UPGRADE).cloned() } else { None };
    strip_hop_by_hop(headers, found);
    if let Some(protocol) = upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol);
    }
}

/// A header line as name and value, checked by the types they become; the value shares `raw`.
pub(crate) fn read_field(raw: &Bytes, line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = memchr::memchr(b':', line)?;
    let name = HeaderName::from_bytes(line.get(..colon)?).ok()?;
    let value = raw.slice_ref(line.get(colon + 1..)?.trim_ascii());
    Some((name, HeaderValue::from_maybe_shared(value).ok()?))
}

/// Trailer lines, which the framing scanner has bounded and checked.
pub(crate) fn read_trailers(lines: Vec<u8>) -> HeaderMap {
    let raw = Bytes::from(lines);
    let lines = raw.split(|byte| *byte == b'\n');
    lines.filter_map(|line| read_field(&raw, line.strip_suffix(b"\r")?)).collect()
}

/// Drops trailer fields that frame, route or authorise: too late to take them into account
/// (RFC 9110 §6.5.1).
pub(crate) fn prepare_trailers(trailers: &mut HeaderMap) {
    for name in HOP_BY_HOP.iter().chain(KEPT).chain(CLAIMS) {
        trailers.remove(*name);
    }
    trailers.remove(header::TRAILER);
    trailers.remove(header::SET_COOKIE);
}

/// A request ID from a trusted peer, if it is one that cannot do harm in a log.
pub(crate) fn accepted_request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(X_REQUEST_ID)?;
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let bytes = value.as_bytes();
    (!bytes.is_empty() && bytes.len() <= 128 && bytes.iter().all(harmless)).then(|| value.clone())
}

/// What we say about where a request comes from.
fn speak_for(headers: &HeaderMap, from: Provenance<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let earlier = if from.trusted { joined(headers, &X_FORWARDED_FOR) } else { None };
    let chain = earlier.and_then(|earlier| {
        HeaderValue::from_bytes(&[&earlier, b", ".as_slice(), from.peer.as_bytes()].concat()).ok()
    });
    let mut own = Vec::with_capacity(6);
    own.push((X_FORWARDED_FOR, chain.unwrap_or_else(|| from.peer.clone())));
    if !(from.trusted && headers.contains_key(&X_FORWARDED_PROTO)) {
        own.push((X_FORWARDED_PROTO, from.scheme));
    }
    if let Some(host) = from.host
        && !(from.trusted && headers.contains_key(&X_FORWARDED_HOST))
    {
        own.push((X_FORWARDED_HOST, host));
    }
    if let Some(name) = from.marks_password {
        own.push((name.clone(), HeaderValue::from_static("1")));
    }
    own.push((X_REQUEST_ID, from.request_id));
    if !(from.trusted && headers.contains_key(&TRACEPARENT)) {
        own.push((TRACEPARENT, (from.traceparent)()));
    }
    own
}

fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let values: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    (!values.is_empty()).then(|| values.join(&b", "[..]))
}

fn strip_hop_by_hop(headers: &mut HeaderMap, found: u8) {
    if found & NAMES_CONNECTION != 0 {
        for name in connection_names(headers) {
            headers.remove(name);
        }
    }
    if found & NAMES_HOP != 0 {
        for name in HOP_BY_HOP {
            headers.remove(*name);
        }
    }
}

/// The headers that `Connection` names and that may be removed for it.
fn connection_names(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
        .filter(|name| !KEPT.contains(&name.as_str()) && !CLAIMS.contains(&name.as_str()))
        .take(64)
        .collect()
}

/// Many servers fold `_` and `-` into one: what then could pass for another header is dropped.
fn drop_underscores(headers: &mut HeaderMap, guarded: &[Option<&HeaderName>]) -> usize {
    let ambiguous: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().contains('_'))
        .filter(|name| {
            let folded = name.as_str().replace('_', "-");
            headers.contains_key(folded.as_str())
                || is_ours(&folded)
                || guarded.iter().flatten().any(|name| **name == folded.as_str())
        })
        .cloned()
        .collect();
    for name in &ambiguous {
        headers.remove(name);
    }
    ambiguous.len()
}

fn is_ours(name: &str) -> bool {
    [HOP_BY_HOP, CLAIMS, KEPT].iter().any(|list| list.contains(&name))
}

/// Whether a header holds this token, whatever its case.
pub(crate) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers.get_all(name).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| matches!(byte, b',' | b';'))
            .any(|part| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    })
}

#[cfg(test)]
mod tests;
