//! A call that is not carried out, as problem details (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::wire::Problem;

/// Why a call is not carried out.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    title: String,
    details: Vec<String>,
}

impl Refused {
    /// The call itself is wrong.
    pub fn wrong(title: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, title: title.into(), details: Vec::new() }
    }

    /// There is no such thing.
    pub fn missing(title: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, title: title.into(), details: Vec::new() }
    }

    /// It cannot be done as things are.
    pub fn conflict(title: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, title: title.into(), details: Vec::new() }
    }

    /// The configuration is invalid; one fault an entry.
    pub fn invalid(title: impl Into<String>, details: Vec<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, title: title.into(), details }
    }

    /// It should have worked.
    pub fn failed(title: &str, cause: impl std::fmt::Display) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, title: title.to_owned(), details: vec![cause.to_string()] }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self { status, title, details } = self;
        let problem = Problem { status: status.as_u16(), title, details };
        let mut response = (status, axum::Json(problem)).into_response();
        let media = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        response
    }
}
