//! `/alerts/test`: does what is told arrive?

use axum::Json;
use axum::extract::State;

use super::{Console, aside};
use crate::refused::Refused;
use crate::wire::SinkTests;

pub(super) async fn test(State(console): State<Console>) -> Result<Json<SinkTests>, Refused> {
    aside(move || {
        let sinks = console.instance.test_sinks();
        Ok(Json(SinkTests { schema: "palisade.v1.alerts_test".to_owned(), sinks }))
    })
    .await
}
