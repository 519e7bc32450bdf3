//! `/readiness`: may a layer enforce?

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Console, aside, lasting};
use crate::extract::Asked;
use crate::readiness;
use crate::refused::Refused;
use crate::wire::Readiness;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadinessQuery {
    /// So many seconds back is looked; a day without.
    #[schemars(range(min = 1, max = 316_224_000))]
    last_s: Option<u64>,
}

pub(crate) async fn of(
    State(console): State<Console>,
    Asked(query): Asked<ReadinessQuery>,
) -> Result<Json<Readiness>, Refused> {
    let last = lasting("last_s", query.last_s)?.unwrap_or(readiness::LAST);
    aside(move || {
        readiness::of(&console, last)
            .map(Json)
            .map_err(|error| Refused::failed("readiness cannot be told", error))
    })
    .await
}
