//! `/alerts/test`: does what is told arrive?

use axum::Json;
use axum::extract::State;

use super::{Console, aside};
use crate::extract::{Asked, Meant};
use crate::refused::Refused;
use crate::wire::SinkTests;

pub(crate) async fn test(
    State(console): State<Console>,
    Asked(meant): Asked<Meant>,
) -> Result<Json<SinkTests>, Refused> {
    aside(move || {
        let sinks = console.instance.test_sinks(meant.dry_run);
        Ok(Json(SinkTests { schema: "palisade.v1.alerts_test".to_owned(), sinks }))
    })
    .await
}
