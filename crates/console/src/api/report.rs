//! `/report`: the state of the API's security over a period.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;
use traffic::Timestamp;

use super::{Console, LASTS_S_MAX, aside, lasting};
use crate::extract::Asked;
use crate::refused::Refused;
use crate::reporting;

/// When nobody says how long.
const LAST: Duration = Duration::from_secs(7 * 86_400);

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportQuery {
    /// The period's beginning, as RFC 3339 says it.
    from: Option<String>,
    /// Its end; now without.
    to: Option<String>,
    /// Instead of both: so many seconds up to now; seven days without anything.
    #[schemars(range(min = 1, max = 316_224_000_u64))]
    last_s: Option<u64>,
}

pub(crate) async fn make(
    State(console): State<Console>,
    Asked(query): Asked<ReportQuery>,
) -> Result<Json<report::Report>, Refused> {
    let time = |text: Option<String>| -> Result<Option<Timestamp>, Refused> {
        text.map(|text| text.parse().map_err(|error| Refused::wrong(format!("{error}"))))
            .transpose()
    };
    let (from, to) = (time(query.from)?, time(query.to)?);
    let period = match (from, to, lasting("last_s", query.last_s)?) {
        (Some(from), to, None) if is_short(from, to.unwrap_or(console.instance.now())) => {
            reporting::Asked::Between(from, to)
        }
        (Some(_), _, None) => return Err(Refused::wrong("a report is on 10 years at most")),
        (None, None, last) => reporting::Asked::Last(last.unwrap_or(LAST)),
        _ => return Err(Refused::wrong("from, with or without to; or last_s")),
    };
    aside(move || {
        let (now, version) = (console.instance.now(), console.instance.standing().version);
        reporting::report(&console.engine, &console.ledger, version, period, now)
            .map(Json)
            .map_err(|error| Refused::failed("the report cannot be made", error))
    })
    .await
}

/// Nothing is kept for so long, and each day of it would be a row.
fn is_short(from: Timestamp, to: Timestamp) -> bool {
    to.since(from) <= Duration::from_secs(LASTS_S_MAX)
}
