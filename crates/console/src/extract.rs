//! What a call says, read strictly: whoever gets it wrong is told what, as problem details.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::refused::Refused;

/// The query.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

/// The body.
#[derive(Debug)]
pub(crate) struct Ordered<T>(pub(crate) T);

/// The one name in the path.
#[derive(Debug)]
pub(crate) struct Named(pub(crate) String);

/// How a change is meant.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Meant {
    /// Only tell what it would do.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => Err(Refused::wrong(rejection.body_text())),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Ordered<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(ordered)) => Ok(Self(ordered)),
            Err(rejection) if rejection.status().as_u16() == 422 => {
                Err(Refused::wrong(rejection.body_text()))
            }
            Err(rejection) => Err(Refused::of(rejection.status(), rejection.body_text())),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(rejection) => Err(Refused::wrong(rejection.body_text())),
        }
    }
}
