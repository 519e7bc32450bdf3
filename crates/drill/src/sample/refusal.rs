//! How the sample API says no: a status and one word, as JSON.
//!
//! Faults of the store become 500 without a detail; the detail goes to stderr.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;

/// An answer other than success.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
}

impl Refusal {
    pub(super) const BAD_REQUEST: Self = Self::new(StatusCode::BAD_REQUEST, "bad_request");
    pub(super) const FORBIDDEN: Self = Self::new(StatusCode::FORBIDDEN, "forbidden");
    pub(super) const NOT_FOUND: Self = Self::new(StatusCode::NOT_FOUND, "not_found");
    pub(super) const SIGNED_OUT: Self = Self::new(StatusCode::UNAUTHORIZED, "not_signed_in");
    pub(super) const WRONG_PASSWORD: Self =
        Self::new(StatusCode::UNAUTHORIZED, "wrong_email_or_password");

    const fn new(status: StatusCode, error: &'static str) -> Self {
        Self { status, error }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        eprintln!("sample api: {error}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.error }))).into_response()
    }
}
