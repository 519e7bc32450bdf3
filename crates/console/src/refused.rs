//! A call that is not carried out, as problem details (RFC 9457).

use std::fmt;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::scope::Scope;
use crate::wire::Problem;

/// Why a call is not carried out.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    title: String,
    details: Vec<String>,
    /// Boxed, so that results stay small.
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Refused {
    /// With this status.
    pub(crate) fn of(status: StatusCode, title: impl Into<String>) -> Self {
        Self { status, title: title.into(), details: Vec::new(), header: None }
    }

    /// The call itself is wrong.
    pub fn wrong(title: impl Into<String>) -> Self {
        Self::of(StatusCode::BAD_REQUEST, title)
    }

    /// There is no such thing.
    pub fn missing(title: impl Into<String>) -> Self {
        Self::of(StatusCode::NOT_FOUND, title)
    }

    /// It cannot be done as things are.
    pub fn conflict(title: impl Into<String>) -> Self {
        Self::of(StatusCode::CONFLICT, title)
    }

    /// What the caller has seen is not what there is; the tag of what there is, if there is any.
    pub(crate) fn changed(tag: Option<&str>) -> Self {
        let tag = tag.and_then(|tag| HeaderValue::from_str(tag).ok());
        Self {
            header: tag.map(|tag| Box::new((header::ETAG, tag))),
            ..Self::of(StatusCode::PRECONDITION_FAILED, "it has changed since it was read")
        }
    }

    /// The configuration is invalid; one fault an entry.
    pub fn invalid(title: impl Into<String>, details: Vec<String>) -> Self {
        Self { details, ..Self::of(StatusCode::UNPROCESSABLE_ENTITY, title) }
    }

    /// It should have worked.
    pub fn failed(title: &str, cause: impl fmt::Display) -> Self {
        let details = vec![cause.to_string()];
        Self { details, ..Self::of(StatusCode::INTERNAL_SERVER_ERROR, title) }
    }

    /// Nobody says who is calling.
    pub(crate) fn stranger() -> Self {
        let challenge = HeaderValue::from_static("Bearer realm=\"palisade\"");
        Self {
            header: Some(Box::new((header::WWW_AUTHENTICATE, challenge))),
            details: vec!["make one with `palisade token create`".to_owned()],
            ..Self::of(StatusCode::UNAUTHORIZED, "a token is needed: authorization: Bearer …")
        }
    }

    /// A token does not count.
    pub(crate) fn unknown_token(title: &str) -> Self {
        let challenge = "Bearer realm=\"palisade\", error=\"invalid_token\"";
        Self {
            header: Some(Box::new((header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge)))),
            ..Self::of(StatusCode::UNAUTHORIZED, title)
        }
    }

    /// A change in a session lacks its second secret.
    pub(crate) fn unconfirmed() -> Self {
        Self {
            details: vec!["`GET /api/v1/session` tells it to its own page".to_owned()],
            ..Self::of(StatusCode::FORBIDDEN, "a change in a session needs x-csrf-token")
        }
    }

    /// Whoever called may not do that.
    pub(crate) fn beyond(needed: Scope, has: Scope) -> Self {
        let title = format!("this needs a token of scope {needed}, and this one's is {has}");
        Self::of(StatusCode::FORBIDDEN, title)
    }

    /// Too many tokens were tried.
    pub(crate) fn try_later(wait: Duration) -> Self {
        let seconds = HeaderValue::from(wait.as_secs().saturating_add(1));
        Self {
            header: Some(Box::new((header::RETRY_AFTER, seconds))),
            ..Self::of(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens came from there")
        }
    }

    /// The call names a host that is not ours.
    pub(crate) fn misdirected() -> Self {
        Self {
            details: vec!["name the host in `hosts` of [admin]".to_owned()],
            ..Self::of(StatusCode::MISDIRECTED_REQUEST, "the API is not known by that host")
        }
    }

    /// The call was made by a page of another site.
    pub(crate) fn elsewhere() -> Self {
        Self::of(StatusCode::FORBIDDEN, "pages of other sites may not call this")
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)?;
        self.details.iter().try_for_each(|detail| write!(f, "\n{detail}"))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self { status, title, details, header } = self;
        let problem = Problem { status: status.as_u16(), title, details };
        let mut response = (status, axum::Json(problem)).into_response();
        let media = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        if let Some((name, value)) = header.map(|header| *header) {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
