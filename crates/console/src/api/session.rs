//! `/session`: a browser logs in with a token and out again, and asks who it is.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};

use super::{Console, aside, written_all};
use crate::caller::{Caller, InSession};
use crate::extract::{Asked, Meant};
use crate::refused::Refused;
use crate::session::{set_cookie, take_cookie};
use crate::wire;

/// An answer that gives or takes a cookie.
type WithCookie = ([(HeaderName, String); 1], Json<wire::Session>);

pub(crate) async fn show(caller: Caller, session: Option<InSession>) -> Json<wire::Session> {
    let session = session.map(|InSession(session)| session);
    let csrf = session.as_ref().map(|session| session.csrf.clone());
    let until = session.map(|session| session.until.to_string());
    Json(told(&caller, csrf, until))
}

pub(crate) async fn open(
    State(console): State<Console>,
    caller: Caller,
    Asked(meant): Asked<Meant>,
) -> Result<WithCookie, Refused> {
    let Caller::Bearer(bearer) = caller.clone() else {
        return Err(Refused::conflict("whoever may open the socket needs no session"));
    };
    if meant.dry_run {
        let nothing = [(header::CACHE_CONTROL, "no-store".to_owned())];
        return Ok((nothing, Json(told(&caller, None, None))));
    }
    aside(move || {
        let now = console.instance.now();
        let (cookie, session) = console
            .sessions
            .open(&bearer.id, now)
            .map_err(|error| Refused::failed("no session was opened", error))?;
        let what = "opened a session".to_owned();
        if let Err(refused) = written_all(&console, Vec::new(), &caller.author(""), what) {
            console.sessions.close(&session.key);
            return Err(refused);
        }
        let has_tls = console.engine.policy().admin.tls.value.is_some();
        let given = [(header::SET_COOKIE, set_cookie(&cookie, has_tls))];
        let told = told(&caller, Some(session.csrf), Some(session.until.to_string()));
        Ok((given, Json(told)))
    })
    .await
}

pub(crate) async fn close(
    State(console): State<Console>,
    caller: Caller,
    session: Option<InSession>,
    Asked(meant): Asked<Meant>,
) -> Result<WithCookie, Refused> {
    let InSession(session) =
        session.ok_or_else(|| Refused::missing("this call is not made in a session"))?;
    aside(move || {
        if !meant.dry_run {
            // Closed from now on, also when the disk does not take the line.
            console.sessions.close(&session.key);
            let what = "closed a session".to_owned();
            written_all(&console, Vec::new(), &caller.author(""), what)?;
        }
        Ok(([(header::SET_COOKIE, take_cookie())], Json(told(&caller, None, None))))
    })
    .await
}

fn told(caller: &Caller, csrf_token: Option<String>, until: Option<String>) -> wire::Session {
    let (name, token) = match caller {
        Caller::Bearer(bearer) => (bearer.name.clone(), Some(bearer.id.clone())),
        Caller::Owner(_) => (caller.author(""), None),
    };
    wire::Session {
        schema: "palisade.v1.session".to_owned(),
        name,
        token,
        scope: caller.scope().to_string(),
        csrf_token,
        until,
    }
}
