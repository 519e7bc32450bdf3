//! `/explain`: what would apply to a request, and who set it.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use shield::policy::{OnError, Policy, show_bytes};

use super::Console;
use crate::extract::Asked;
use crate::refused::Refused;
use crate::wire::{Explained, Setting};

/// The request asked about.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainQuery {
    /// The method.
    #[schemars(regex(pattern = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"))]
    method: String,
    host: String,
    target: String,
}

pub(crate) async fn explain(
    State(console): State<Console>,
    Asked(query): Asked<ExplainQuery>,
) -> Result<Json<Explained>, Refused> {
    let method = query.method.parse();
    let method: Method =
        method.map_err(|_| Refused::wrong(format!("{:?} is no method", query.method)))?;
    Ok(Json(explained(&console.engine.policy(), &method, &query.host, &query.target)))
}

/// What `policy` says of a request.
pub fn explained(policy: &Policy, method: &Method, host: &str, target: &str) -> Explained {
    let explanation = policy.explain(method, host, target);
    let mut settings = Vec::new();
    let mut add = |key: String, value: String, origin: String| {
        settings.push(Setting { key, value, origin });
    };
    match &explanation.site {
        Some(site) => add("site".to_owned(), site.clone(), String::new()),
        None => add("site".to_owned(), "none for this host: 421".to_owned(), String::new()),
    }
    if let Some(upstream) = &explanation.upstream {
        add("upstream".to_owned(), upstream.value.clone(), upstream.from.to_string());
    }
    if let Some(route) = &explanation.route {
        add("route".to_owned(), route.value.clone(), route.from.to_string());
    }
    if let Some(label) = &explanation.label {
        add("role".to_owned(), label.value.to_string(), label.from.to_string());
    }
    if let Some(decoy) = &explanation.decoy {
        add("decoy".to_owned(), decoy.value.to_string(), decoy.from.to_string());
    }
    for layer in explanation.layers.iter().filter(|it| it.layer.has_detector()) {
        add(format!("layer {}", layer.layer), layer.mode.to_string(), layer.from.to_string());
    }
    for limit in &explanation.limits {
        add("rate limit".to_owned(), limit.value.clone(), limit.from.to_string());
    }
    let on_error = match explanation.on_error.value {
        OnError::Open => "open",
        OnError::Closed => "closed",
    };
    add("on_error".to_owned(), on_error.to_owned(), explanation.on_error.from.to_string());
    let body = explanation.body_bytes.value.map_or_else(|| "unlimited".to_owned(), show_bytes);
    add("body_bytes".to_owned(), body, explanation.body_bytes.from.to_string());
    Explained {
        schema: "palisade.v1.explained".to_owned(),
        method: method.to_string(),
        host: host.to_owned(),
        path: target.to_owned(),
        settings,
    }
}
