//! The gate before every route: who may come in, from where, and how far.
//!
//! Over the socket the operating system has decided already. Over the network a call must be
//! addressed to us by a name that nobody else can point here (against DNS rebinding), must not come
//! from another site's page, and must carry a token: in `authorization`, which no browser adds by
//! itself, or by the cookie of a session, with which a change needs a second secret (against forged
//! requests). Whatever cannot be told is refused.

use std::net::IpAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::api::Console;
use crate::caller::{Caller, CallerUid, InSession, Peer};
use crate::keyring::Denied;
use crate::refused::Refused;
use crate::scope::Scope;
use crate::session::{self, Session};

/// Answered to anybody: whether it lives, and whether it can work.
const OPEN: [&str; 2] = ["/livez", "/readyz"];

/// Lets a call in whose caller is known.
pub(crate) async fn identify(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Response {
    let entry = match entry(&console, &request) {
        Ok(entry) => entry,
        Err(refused) => return refused.into_response(),
    };
    match caller(&console, entry).await {
        Ok(Some((caller, session))) => {
            request.extensions_mut().insert(caller);
            if let Some(session) = session {
                request.extensions_mut().insert(session);
            }
        }
        Ok(None) => {}
        Err(refused) => return refused.into_response(),
    }
    next.run(request).await
}

/// Lets a call on whose caller may do so much.
pub(crate) async fn permit(
    State(needed): State<Scope>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    if caller.scope() < needed {
        return Refused::beyond(needed, caller.scope()).into_response();
    }
    next.run(request).await
}

/// How a call comes in.
enum Entry {
    /// Where anybody may ask.
    Open,
    /// Over the socket.
    Socket(CallerUid),
    /// Over the network, from there and with this token.
    Network(IpAddr, String),
    /// Over the network, in a session.
    Session(Session),
}

/// What a call says of itself, as far as that can be told without trying its token.
fn entry(console: &Console, request: &Request) -> Result<Entry, Refused> {
    let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() else {
        let socket = request.extensions().get::<ConnectInfo<CallerUid>>();
        return socket.map(|ConnectInfo(uid)| Entry::Socket(*uid)).ok_or_else(Refused::stranger);
    };
    let host = addressed(request, &console.hosts)?;
    not_from_elsewhere(request.headers(), &host)?;
    if OPEN.contains(&request.uri().path()) {
        return Ok(Entry::Open);
    }
    let headers = request.headers();
    if !headers.contains_key(header::AUTHORIZATION)
        && let Some(cookie) = session::cookie(headers)?
    {
        let found = console.sessions.find(cookie, console.instance.now());
        let session = found.ok_or_else(|| Refused::unknown_token("the session has ended"))?;
        let is_change = !matches!(*request.method(), Method::GET | Method::HEAD);
        if is_change && !session.is_confirmed(headers) {
            return Err(Refused::unconfirmed());
        }
        return Ok(Entry::Session(session));
    }
    Ok(Entry::Network(peer.ip(), token(headers)?.to_owned()))
}

/// The caller; none where anybody may ask.
async fn caller(
    console: &Console,
    entry: Entry,
) -> Result<Option<(Caller, Option<InSession>)>, Refused> {
    let now = console.instance.now();
    let (proven, session) = match entry {
        Entry::Open => return Ok(None),
        Entry::Socket(uid) => return Ok(Some((Caller::Owner(uid), None))),
        Entry::Network(peer, token) => (console.keyring.prove(peer, &token, now).await, None),
        Entry::Session(session) => (console.keyring.bearer(&session.token, now), Some(session)),
    };
    match proven {
        Ok(bearer) => Ok(Some((Caller::Bearer(bearer), session.map(InSession)))),
        Err(Denied::Unknown) => Err(Refused::unknown_token("the token is not known here")),
        Err(Denied::Ended) => Err(Refused::unknown_token("the token has expired or was revoked")),
        Err(Denied::TryLater(wait)) => Err(Refused::try_later(wait)),
    }
}

/// The host that a call is addressed to, when it is one of ours: an address, `localhost`, or a name
/// that the configuration gives. Any other name may be a stranger's that leads here.
fn addressed(request: &Request, hosts: &[String]) -> Result<String, Refused> {
    let mut named: Vec<String> = Vec::new();
    named.extend(request.uri().authority().map(|authority| authority.as_str().to_owned()));
    for host in request.headers().get_all(header::HOST) {
        named.push(host.to_str().map_err(|_| Refused::misdirected())?.to_owned());
    }
    let Some(first) = named.first().map(|host| host.to_ascii_lowercase()) else {
        return Err(Refused::wrong("the request names no host"));
    };
    let is_one = named.iter().all(|host| host.eq_ignore_ascii_case(&first));
    if is_one && is_ours(&first, hosts) { Ok(first) } else { Err(Refused::misdirected()) }
}

fn is_ours(host: &str, hosts: &[String]) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    if host.contains('@') {
        return false;
    }
    let name = authority.host();
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    bare.parse::<IpAddr>().is_ok() || name == "localhost" || hosts.iter().any(|own| own == name)
}

/// A page of another site must not order anything here, nor read.
fn not_from_elsewhere(headers: &HeaderMap, host: &str) -> Result<(), Refused> {
    for origin in headers.get_all(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or("").to_ascii_lowercase();
        let from = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        if from != Some(host) {
            return Err(Refused::elsewhere());
        }
    }
    let is_own = |site: &HeaderValue| site == "same-origin" || site == "none";
    match headers.get_all("sec-fetch-site").iter().all(is_own) {
        true => Ok(()),
        false => Err(Refused::elsewhere()),
    }
}

/// The token that a call carries.
fn token(headers: &HeaderMap) -> Result<&str, Refused> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else { return Err(Refused::stranger()) };
    let text = value.to_str().map_err(|_| Refused::stranger())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(Refused::stranger)?;
    match scheme.eq_ignore_ascii_case("bearer") {
        true => Ok(token.trim()),
        false => Err(Refused::stranger()),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn host_of(uri: &str, host: &[&str]) -> Option<String> {
        let mut request = Request::builder().uri(uri);
        for host in host {
            request = request.header("host", *host);
        }
        let request = request.body(Body::empty()).expect("a request");
        addressed(&request, &["admin.example.com".to_owned()]).ok()
    }

    #[test]
    fn only_names_that_nobody_else_can_point_here_are_ours() {
        for ours in [
            "127.0.0.1:9443",
            "localhost:9443",
            "LOCALHOST",
            "[::1]:9443",
            "192.0.2.7",
            "admin.example.com",
            "Admin.Example.com:9443",
        ] {
            assert!(host_of("/", &[ours]).is_some(), "{ours}");
        }
        for theirs in [
            "evil.example",
            "evil.example:9443",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
            "evil@127.0.0.1",
            "admin.example.com.evil.example",
            "",
            "2130706433",
        ] {
            assert!(host_of("/", &[theirs]).is_none(), "{theirs}");
        }
        assert!(host_of("/", &[]).is_none(), "HTTP/1.0");
        assert!(host_of("/", &["localhost", "evil.example"]).is_none(), "two of them");
        assert!(host_of("http://evil.example/", &["localhost"]).is_none(), "absolute form");
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let is_let_in = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a value"));
            not_from_elsewhere(&headers, "127.0.0.1:9443").is_ok()
        };
        assert!(is_let_in("origin", "http://127.0.0.1:9443"));
        assert!(is_let_in("sec-fetch-site", "none"));
        for origin in ["null", "", "http://127.0.0.1", "https://evil.example", "127.0.0.1:9443"] {
            assert!(!is_let_in("origin", origin), "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert!(!is_let_in("sec-fetch-site", site), "{site}");
        }
    }
}
