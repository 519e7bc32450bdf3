//! Sessions of browsers: a cookie that stands for a token, so that no page has to keep one.
//!
//! Opened with a token, and never worth more than it: when the token ends, so does the session. The
//! cookie is out of reach for scripts and is sent to nobody else's page (`HttpOnly`,
//! `SameSite=Strict`); a change needs a second secret besides, in a header that no form can send.
//! In memory: a restart ends all sessions.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use traffic::Timestamp;

use crate::refused::Refused;

/// The cookie's name.
const COOKIE: &str = "palisade_session";
/// The header that a change needs.
pub(crate) const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
const SECRET_BYTES: usize = 32;
/// How long a session lasts at most.
const LASTS: Duration = Duration::from_secs(12 * 3_600);
/// And how long when nobody uses it.
const IDLE: Duration = Duration::from_secs(3_600);
/// More sessions than this are not open at one time; the one that was idle for longest ends.
const SESSIONS_MAX: usize = 256;

/// All open sessions. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    /// By the hash of the cookie.
    open: Arc<Mutex<HashMap<[u8; 32], Session>>>,
}

/// An open session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// What it is found by.
    pub(crate) key: [u8; 32],
    /// The token that it stands for.
    pub(crate) token: String,
    /// The second secret.
    pub(crate) csrf: String,
    pub(crate) until: Timestamp,
    used: Timestamp,
}

impl Sessions {
    /// Opens one for a token; the cookie's value, for its owner alone.
    pub(crate) fn open(&self, token: &str, now: Timestamp) -> io::Result<(String, Session)> {
        let (cookie, csrf) = (random()?, random()?);
        let key = hash(&cookie);
        let until = now.after(LASTS);
        let session = Session { key, token: token.to_owned(), csrf, until, used: now };
        let mut open = self.inner();
        open.retain(|_, session| session.counts(now));
        if open.len() >= SESSIONS_MAX
            && let Some(oldest) = open.values().min_by_key(|it| it.used).map(|it| it.key)
        {
            open.remove(&oldest);
        }
        open.insert(key, session.clone());
        Ok((cookie, session))
    }

    /// The session of a cookie, which is used by that.
    pub(crate) fn find(&self, cookie: &str, now: Timestamp) -> Option<Session> {
        let mut open = self.inner();
        let session = open.get_mut(&hash(cookie)).filter(|session| session.counts(now))?;
        session.used = now;
        Some(session.clone())
    }

    /// Ends one.
    pub(crate) fn close(&self, key: &[u8; 32]) {
        self.inner().remove(key);
    }

    /// Nothing here is left half changed.
    fn inner(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn counts(&self, now: Timestamp) -> bool {
        now < self.until && now.since(self.used) < IDLE
    }

    /// Whether a call carries the second secret. Compared by hashes, so that the time tells
    /// nothing.
    pub(crate) fn is_confirmed(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(CSRF).and_then(|value| value.to_str().ok()).unwrap_or_default();
        hash(given) == hash(&self.csrf)
    }
}

/// The session cookie of a call. Of two nobody could tell which is meant.
pub(crate) fn cookie(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    let mut found = None;
    for value in headers.get_all(header::COOKIE) {
        let pairs = value.to_str().unwrap_or_default().split(';');
        for value in pairs.filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('=')) {
            if found.replace(value).is_some() {
                return Err(Refused::stranger());
            }
        }
    }
    Ok(found)
}

/// The header that gives a browser its cookie.
pub(crate) fn set_cookie(value: &str, has_tls: bool) -> String {
    let secure = if has_tls { "; Secure" } else { "" };
    let lasts = LASTS.as_secs();
    format!("{COOKIE}={value}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Strict{secure}")
}

/// The header that takes it away.
pub(crate) fn take_cookie() -> String {
    format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict")
}

fn random() -> io::Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: u64) -> Timestamp {
        Timestamp::EPOCH.after(Duration::from_secs(hours * 3_600))
    }

    #[test]
    fn a_session_ends_when_it_is_idle_or_old_or_closed() {
        let sessions = Sessions::default();
        let (cookie, session) = sessions.open("t1", at(0)).expect("opened");
        assert_eq!(sessions.find(&cookie, at(0)).expect("open").token, "t1");
        assert!(sessions.find(&cookie[1..], at(0)).is_none());
        assert!(sessions.find(&cookie, at(1)).is_none(), "idle");
        let minutes = |count: u64| Timestamp::EPOCH.after(Duration::from_secs(count * 60));
        let (cookie, _) = sessions.open("t1", at(0)).expect("opened");
        for minute in (0..12 * 60).step_by(30) {
            assert!(sessions.find(&cookie, minutes(minute)).is_some(), "{minute}");
        }
        assert!(sessions.find(&cookie, at(12)).is_none(), "old");
        sessions.close(&session.key);
        assert!(sessions.find(&cookie, at(0)).is_none_or(|open| open.key != session.key));
    }

    #[test]
    fn the_second_secret_is_asked_for_exactly() {
        let (_, session) = Sessions::default().open("t1", at(0)).expect("opened");
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CSRF, value.parse().expect("a value"));
            headers
        };
        assert!(session.is_confirmed(&with(&session.csrf)));
        assert!(!session.is_confirmed(&with("")) && !session.is_confirmed(&HeaderMap::new()));
        assert!(!session.is_confirmed(&with(&session.csrf[1..])));
    }

    #[test]
    fn one_cookie_is_found_among_others_and_two_are_none() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, text.parse().expect("a value"));
            cookie(&headers).map(|found| found.map(str::to_owned)).map_err(|it| it.to_string())
        };
        assert_eq!(of("a=b; palisade_session=x; c=d"), Ok(Some("x".to_owned())));
        assert_eq!(of("palisade_sessions=x; xpalisade_session=y"), Ok(None));
        assert!(of("palisade_session=x; palisade_session=y").is_err());
    }

    #[test]
    fn sessions_are_bounded() {
        let sessions = Sessions::default();
        for number in 0..SESSIONS_MAX + 20 {
            sessions.open(&format!("t{number}"), at(0)).expect("opened");
        }
        assert_eq!(sessions.inner().len(), SESSIONS_MAX);
    }
}
