//! `/openapi.json`, and what anybody may ask: whether the program lives and can work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Console;
use crate::openapi;

pub(crate) async fn openapi(State(console): State<Console>) -> Json<serde_json::Value> {
    Json(openapi::document(console.instance.standing().version))
}

/// It answers, so it lives.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// Whether it can do its work: what is amiss is told to those who may know, by `status`.
pub(crate) async fn ready(State(console): State<Console>) -> (StatusCode, &'static str) {
    match console.ledger.health().storage_fault {
        None => (StatusCode::OK, "ok\n"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "degraded\n"),
    }
}
