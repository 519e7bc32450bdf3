//! The API described in OpenAPI 3.1, made from the table of operations and the wire structs.

use axum::http::Method;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::operations::{Answer, Operation, SchemaOf, all};
use crate::wire::Problem;

/// What every operation may answer with besides its own.
const REFUSALS: [u16; 7] = [400, 401, 403, 408, 421, 429, 500];
/// What those that take a body may answer with.
const BODY_REFUSALS: [u16; 2] = [413, 415];
/// What those that change something may answer with: see [`crate::conditional`].
const CHANGE_REFUSALS: [u16; 2] = [409, 412];

/// The description.
pub fn document(version: &str) -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for operation in all() {
        let place = paths.entry(format!("/api/v1{}", operation.path)).or_insert_with(|| json!({}));
        let method = operation.method.as_str().to_ascii_lowercase();
        if let Some(place) = place.as_object_mut() {
            place.insert(method, described(&operation, &mut schemas));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Palisade admin API",
            "version": version,
            "description": "Answers carry an `etag`; `if-none-match` saves sending them again, and \
                a change with `if-match` is made only to what a plain read of its path gave. A \
                change that is sent again with the same `idempotency-key` is carried out once.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn described(operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut parameters = Vec::new();
    if let Some(name) = operation.named() {
        parameters.push(json!({
            "name": name, "in": "path", "required": true,
            "schema": { "type": "string", "minLength": 1, "maxLength": 2_048 },
        }));
    }
    parameters.extend(operation.query.map(|query| schemas.parameters(query)).unwrap_or_default());
    let (media, answer) = match operation.answer {
        Answer::Json(answer) => ("application/json", schemas.answer(answer)),
        // What follows `data:` in each event; a schema of the stream itself is not to be had.
        Answer::Events(event) => {
            let event = schemas.answer(event);
            ("text/event-stream", json!({ "type": "string", "contentSchema": event }))
        }
    };
    let content = |media: &str, schema: Value| json!({ media: { "schema": schema } });
    let mut responses = Map::new();
    let done = json!({ "description": "done", "content": content(media, answer) });
    responses.insert("200".to_owned(), done);
    let takes_body = operation.body.is_some();
    let of_body = BODY_REFUSALS.iter().filter(|_| takes_body);
    let is_change = operation.method != Method::GET;
    let of_change = CHANGE_REFUSALS.iter().filter(|_| is_change);
    if operation.has_tag() {
        let unchanged = json!({ "description": "what `if-none-match` names is what there is" });
        responses.insert("304".to_owned(), unchanged);
    }
    for status in REFUSALS.iter().chain(of_body).chain(of_change).chain(operation.refusals) {
        let problem = schemas.answer(SchemaGenerator::subschema_for::<Problem>);
        let problem = content("application/problem+json", problem);
        let refusal = json!({ "description": reason(*status), "content": problem });
        responses.insert(status.to_string(), refusal);
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "description": format!("Needs scope `{}`.", operation.scope),
        "x-palisade-scope": operation.scope.key(),
        "parameters": parameters,
        "responses": responses,
    });
    if let (Some(body), Some(into)) = (operation.body, described.as_object_mut()) {
        let schema = schemas.order(body);
        let body = json!({ "required": true, "content": content("application/json", schema) });
        into.insert("requestBody".to_owned(), body);
    }
    described
}

fn reason(status: u16) -> String {
    let status = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    status.canonical_reason().unwrap_or_default().to_owned()
}

/// Schemas by name. What is answered always has fields that an order may leave out, so there is a
/// generator for each direction; their names do not meet, because no struct goes both ways.
struct Schemas {
    answers: SchemaGenerator,
    orders: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12()
                .with(|settings| settings.definitions_path = "/components/schemas".into())
        };
        Self {
            answers: settings().for_serialize().into_generator(),
            orders: settings().for_deserialize().into_generator(),
        }
    }

    fn answer(&mut self, of: SchemaOf) -> Value {
        of(&mut self.answers).to_value()
    }

    fn order(&mut self, of: SchemaOf) -> Value {
        of(&mut self.orders).to_value()
    }

    /// The fields of a query, each a parameter.
    fn parameters(&self, query: SchemaOf) -> Vec<Value> {
        // Queries refer to nothing else, so their schemas are written out.
        let settings = SchemaSettings::draft2020_12().with(|it| it.inline_subschemas = true);
        let schema = query(&mut settings.for_deserialize().into_generator()).to_value();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let fields = schema["properties"].as_object().cloned().unwrap_or_default();
        let parameter = |(name, mut schema): (String, Value)| {
            let is_required = required.iter().any(|it| *it == name);
            let described = schema.as_object_mut().and_then(|it| it.remove("description"));
            without_null(&mut schema);
            json!({
                "name": name, "in": "query", "required": is_required, "schema": schema,
                "description": described.unwrap_or_default(),
            })
        };
        fields.into_iter().map(parameter).collect()
    }

    fn finish(mut self) -> Map<String, Value> {
        let mut all = self.answers.take_definitions(true);
        all.extend(self.orders.take_definitions(true));
        all
    }
}

/// A parameter of a query is there or not; it is never null.
fn without_null(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    if let Some(Value::Array(kinds)) = fields.get("type") {
        let kind = kinds.iter().find(|kind| *kind != "null").cloned();
        fields.insert("type".to_owned(), kind.unwrap_or_default());
    }
    fields.remove("default");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
        let document = document("0.0.0");
        let text = document.to_string();
        let schemas = document["components"]["schemas"].as_object().expect("schemas");
        let references = text.split("\"$ref\":\"").skip(1);
        let names: Vec<&str> = references.filter_map(|rest| rest.split('"').next()).collect();
        assert!(names.len() > 40, "{names:?}");
        for name in names {
            let name = name.strip_prefix("#/components/schemas/").expect("a schema");
            assert!(schemas.contains_key(name), "{name}");
        }
        let mut ids: Vec<&str> = all().iter().map(|operation| operation.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all().len());
    }

    #[test]
    fn every_change_can_be_tried_first() {
        let document = document("0.0.0");
        let paths = document["paths"].as_object().expect("paths");
        let operations = paths.values().filter_map(Value::as_object).flatten();
        let mut changes = 0;
        for (method, operation) in operations.filter(|(method, _)| *method != "get") {
            let parameters = operation["parameters"].as_array().expect("parameters");
            let named = |name: &str| parameters.iter().any(|it| it["name"] == name);
            assert!(named("dry_run"), "{method} {}", operation["operationId"]);
            changes += 1;
        }
        assert!(changes >= 9, "{changes}");
    }
}
