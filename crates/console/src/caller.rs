//! Who called, and what they may do.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;

use crate::api::Console;
use crate::keyring::Bearer;
use crate::refused::Refused;
use crate::scope::Scope;
use crate::session::Session;

/// The far end of a connection that came in over the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The far end of the socket, by the operating system's word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallerUid(pub(crate) Option<u32>);

/// Who called. There is one only after the gate has let them in.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// Somebody who may open the socket: the owner of the installation.
    Owner(CallerUid),
    /// Somebody with a token that counts.
    Bearer(Bearer),
}

/// The session that a call is made in.
#[derive(Clone, Debug)]
pub(crate) struct InSession(pub(crate) Session);

impl Caller {
    /// How far they may go.
    pub(crate) const fn scope(&self) -> Scope {
        match self {
            Self::Owner(_) => Scope::Admin,
            Self::Bearer(bearer) => bearer.scope,
        }
    }

    /// Whether they would still be let in.
    pub(crate) fn still_counts(&self, console: &Console) -> bool {
        match self {
            Self::Owner(_) => true,
            Self::Bearer(bearer) => {
                let token = console.keyring.one(&bearer.id);
                token.is_some_and(|token| token.is_valid(console.instance.now()))
            }
        }
    }

    /// The author to write down: what is certain, and over the socket the name that was given.
    pub(crate) fn author(&self, named: &str) -> String {
        let named: String = named.chars().filter(|c| !c.is_control()).take(64).collect();
        match (named.trim(), self) {
            (_, Self::Bearer(bearer)) => format!("{} (token {})", bearer.name, bearer.id),
            ("", Self::Owner(CallerUid(Some(uid)))) => format!("uid {uid}"),
            ("", Self::Owner(CallerUid(None))) => "unknown".to_owned(),
            (name, Self::Owner(CallerUid(Some(uid)))) => format!("{name} (uid {uid})"),
            (name, Self::Owner(CallerUid(None))) => name.to_owned(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Refused::stranger)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for InSession {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_cannot_pass_for_somebody_else() {
        let owner = |uid| Caller::Owner(CallerUid(uid));
        assert_eq!(owner(Some(0)).author("ana"), "ana (uid 0)");
        assert_eq!(owner(Some(7)).author(" \n"), "uid 7");
        assert_eq!(owner(None).author("a\x1b[2Jb"), "a[2Jb");
        let bearer = Bearer { id: "0a1b2c3d".into(), name: "ci".into(), scope: Scope::Read };
        assert_eq!(Caller::Bearer(bearer).author("ana"), "ci (token 0a1b2c3d)");
    }
}
