//! `/report`: the state of the API's security over a period.

use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use traffic::Timestamp;

use super::{Console, aside};
use crate::refused::Refused;
use crate::reporting::{self, Asked};

/// When nobody says how long.
const LAST_S: u64 = 7 * 86_400;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportQuery {
    /// RFC 3339.
    from: Option<String>,
    to: Option<String>,
    /// Instead of both: so many seconds up to now.
    last_s: Option<u64>,
}

pub(super) async fn make(
    State(console): State<Console>,
    Query(query): Query<ReportQuery>,
) -> Result<Json<report::Report>, Refused> {
    let time = |text: Option<String>| -> Result<Option<Timestamp>, Refused> {
        text.map(|text| text.parse().map_err(|error| Refused::wrong(format!("{error}"))))
            .transpose()
    };
    let (from, to) = (time(query.from)?, time(query.to)?);
    let asked = match (from, to, query.last_s) {
        (Some(from), to, None) => Asked::Between(from, to),
        (None, None, last_s) => Asked::Last(Duration::from_secs(last_s.unwrap_or(LAST_S).max(1))),
        _ => return Err(Refused::wrong("from, with or without to; or last_s")),
    };
    aside(move || {
        let (now, version) = (console.instance.now(), console.instance.standing().version);
        reporting::report(&console.engine, &console.ledger, version, asked, now)
            .map(Json)
            .map_err(|error| Refused::failed("the report cannot be made", error))
    })
    .await
}
