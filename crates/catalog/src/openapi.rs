//! The catalog as an OpenAPI 3.1 document.
//!
//! What was seen, not what was promised: schemas are as wide as the values were, a parameter is
//! required only if every request carried it, and what the format has no word for (roles, data
//! classes, who calls) stands in `x-palisade-…` extensions.

mod schema;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use self::schema::{body_schema, scalar_schema};
use crate::view::{AuthSeen, EndpointView, ParamPlace, ParamView};

/// The document for the given endpoints. Endpoints of several hosts share it; an operation that
/// more than one host has is described once, with the hosts named.
pub(crate) fn document(views: &[EndpointView]) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut names = BTreeSet::new();
    let mut schemes = Map::new();
    for view in views {
        let item = paths.entry(path_of(&view.template)).or_default();
        let Some(method) = method_key(&view.method) else {
            push_to(item, "x-palisade-methods", json!(view.method));
            continue;
        };
        if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
            push_to(operation, "x-palisade-hosts", json!(view.host));
            continue;
        }
        item.insert(method.to_owned(), operation(view, &mut names, &mut schemes));
    }
    let hosts: BTreeSet<&str> = views.iter().map(|view| view.host.as_str()).collect();
    let servers: Vec<Value> = hosts.into_iter().map(server).collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "API as seen by Palisade",
            "description": "Learnt from traffic; describes what was seen, not what was promised.",
            "version": "1",
        },
        "paths": paths,
    });
    if let Some(top) = document.as_object_mut() {
        if !servers.is_empty() {
            top.insert("servers".to_owned(), json!(servers));
        }
        if !schemes.is_empty() {
            top.insert("components".to_owned(), json!({ "securitySchemes": schemes }));
        }
    }
    document
}

/// A host group as a server: a group of hosts has a variable for its first label.
fn server(host: &str) -> Value {
    let host_in_url =
        |host: &str| if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    match host.strip_prefix("*.") {
        Some(domain) => json!({
            "url": format!("//{{tenant}}.{domain}"),
            "variables": { "tenant": { "default": "tenant" } },
        }),
        None => json!({ "url": format!("//{}", host_in_url(host)) }),
    }
}

fn operation(
    view: &EndpointView,
    names: &mut BTreeSet<String>,
    schemes: &mut Map<String, Value>,
) -> Value {
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), json!(operation_id(view, names)));
    operation.insert("summary".to_owned(), json!(format!("{} {}", view.method, view.template)));
    let parameters: Vec<Value> = view
        .params
        .iter()
        .filter(|param| matches!(param.place, ParamPlace::Path | ParamPlace::Query))
        .filter(|param| !param.name.is_empty())
        .map(parameter)
        .collect();
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), json!(parameters));
    }
    if let Some(body) = request_body(view) {
        operation.insert("requestBody".to_owned(), body);
    }
    operation.insert("responses".to_owned(), responses(view));
    if let Some(security) = security(view, schemes) {
        operation.insert("security".to_owned(), security);
    }
    operation.insert("x-palisade-role".to_owned(), json!(view.role.key()));
    operation.insert("x-palisade-authentication".to_owned(), json!(view.auth.key()));
    operation.insert("x-palisade-first-seen".to_owned(), json!(view.first_seen.to_string()));
    operation.insert("x-palisade-last-seen".to_owned(), json!(view.last_seen.to_string()));
    operation.insert("x-palisade-exchanges".to_owned(), json!(view.exchanges));
    operation.insert("x-palisade-callers".to_owned(), json!(view.callers));
    if !view.classes.is_empty() {
        let classes: Vec<&str> = view.classes.iter().map(|class| class.key()).collect();
        operation.insert("x-palisade-data-classes".to_owned(), json!(classes));
    }
    Value::Object(operation)
}

fn parameter(param: &ParamView) -> Value {
    let place = if param.place == ParamPlace::Path { "path" } else { "query" };
    json!({
        "name": param.name.replace("\\.", ".").replace("\\\\", "\\"),
        "in": place,
        "required": param.place == ParamPlace::Path || param.is_required,
        "schema": scalar_schema(param.kind),
    })
}

fn request_body(view: &EndpointView) -> Option<Value> {
    if matches!(view.method.as_str(), "GET" | "HEAD" | "DELETE" | "TRACE") {
        return None;
    }
    let mut content = Map::new();
    for (place, media) in [
        (ParamPlace::Json, "application/json"),
        (ParamPlace::Form, "application/x-www-form-urlencoded"),
    ] {
        let fields: Vec<&ParamView> =
            view.params.iter().filter(|param| param.place == place).collect();
        if !fields.is_empty() {
            content.insert(media.to_owned(), json!({ "schema": body_schema(&fields) }));
        }
    }
    (!content.is_empty()).then(|| json!({ "content": content }))
}

fn responses(view: &EndpointView) -> Value {
    let mut responses = Map::new();
    for (status, count) in view.statuses.iter().filter(|(status, _)| (100..=599).contains(status)) {
        let description = http::StatusCode::from_u16(*status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Seen in traffic");
        responses.insert(
            status.to_string(),
            json!({ "description": description, "x-palisade-count": count }),
        );
    }
    if responses.is_empty() {
        responses.insert("default".to_owned(), json!({ "description": "Not seen yet" }));
    }
    Value::Object(responses)
}

fn security(view: &EndpointView, schemes: &mut Map<String, Value>) -> Option<Value> {
    if view.auth == AuthSeen::None || view.credentials.is_empty() {
        return None;
    }
    let mut alternatives: Vec<Value> = view
        .credentials
        .iter()
        .map(|credential| {
            let (key, scheme) = scheme_of(credential);
            schemes.insert(key.clone(), scheme);
            json!({ key: [] })
        })
        .collect();
    if view.auth == AuthSeen::Mixed {
        alternatives.push(json!({}));
    }
    Some(json!(alternatives))
}

/// The security scheme for a credential as it is shown: `bearer`, `cookie sid`.
fn scheme_of(credential: &str) -> (String, Value) {
    let key: String = credential
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .collect();
    let scheme = match credential.split_once(' ') {
        Some((place, name)) => json!({ "type": "apiKey", "in": place, "name": name }),
        None => json!({ "type": "http", "scheme": credential }),
    };
    (key, scheme)
}

/// A name that no other operation has: the method and the words of the template.
fn operation_id(view: &EndpointView, names: &mut BTreeSet<String>) -> String {
    let mut id = view.method.to_ascii_lowercase();
    let words =
        view.template.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    for word in words {
        id.push('_');
        id.push_str(word);
    }
    if !names.insert(id.clone()) {
        id = format!("{id}__{}", view.id.0);
        names.insert(id.clone());
    }
    id
}

/// A template as a key of `paths`: what a URL's path cannot hold is encoded (RFC 3986 §3.3).
fn path_of(template: &str) -> String {
    let mut path = String::with_capacity(template.len());
    for byte in template.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@{}".contains(&byte);
        if is_plain { path.push(char::from(byte)) } else { path.push_str(&format!("%{byte:02X}")) }
    }
    path
}

fn method_key(method: &str) -> Option<&'static str> {
    ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
        .into_iter()
        .find(|key| key.eq_ignore_ascii_case(method))
}

fn push_to(object: &mut Map<String, Value>, key: &str, value: Value) {
    let list = object.entry(key).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut()
        && !list.contains(&value)
    {
        list.push(value);
    }
}

#[cfg(test)]
mod tests;
