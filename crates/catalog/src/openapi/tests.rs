//! The document keeps the rules of OpenAPI 3.1, whatever was learnt.

use proptest::prelude::*;
use traffic::{DataClass, EndpointId, ParamKind, Role, ServiceId, Timestamp};

use super::*;

fn view(id: u32, method: &str, host: &str, template: &str) -> EndpointView {
    let params = template
        .split(['{', '}'])
        .skip(1)
        .step_by(2)
        .map(|name| param(ParamPlace::Path, name, ParamKind::Integer, 1.0))
        .collect();
    EndpointView {
        id: EndpointId(id),
        service: ServiceId(0),
        method: method.to_owned(),
        host: host.to_owned(),
        template: template.to_owned(),
        role: Role::Other,
        evidence: Vec::new(),
        auth: AuthSeen::None,
        credentials: Vec::new(),
        params,
        classes: Vec::new(),
        first_seen: Timestamp::EPOCH,
        last_seen: Timestamp::EPOCH,
        exchanges: 1,
        callers: 1,
        statuses: vec![(200, 1)],
        latency_p50_us: None,
        latency_p95_us: None,
        outcomes: Vec::new(),
    }
}

fn param(place: ParamPlace, name: &str, kind: ParamKind, share: f32) -> ParamView {
    ParamView { place, name: name.to_owned(), kind, share, is_required: share >= 1.0 }
}

/// The rules that a validator holds a document to, and that this exporter could break.
fn check(document: &Value) {
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let empty = Map::new();
    let schemes = document["components"]["securitySchemes"].as_object().unwrap_or(&empty);
    schemes.iter().for_each(|(key, scheme)| check_scheme(key, scheme));
    for server in document["servers"].as_array().unwrap_or(&Vec::new()) {
        let url = server["url"].as_str().expect("a url");
        for name in names_in(url) {
            assert!(server["variables"][&name]["default"].is_string(), "{url}");
        }
    }
    let mut ids = BTreeSet::new();
    let mut shapes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        assert!(path.starts_with('/'), "{path}");
        assert!(
            path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>^`|\\ ".contains(&byte)),
            "{path}"
        );
        let shape: Vec<&str> = path.split(['{', '}']).step_by(2).collect();
        assert!(shapes.insert(shape.join("{}")), "{path}: the same path under other names");
        for (method, operation) in item.as_object().expect("an item") {
            if method.starts_with("x-") {
                continue;
            }
            assert!(method_key(method) == Some(method.as_str()), "{method}");
            assert!(
                ids.insert(operation["operationId"].as_str().expect("an id").to_owned()),
                "{path}"
            );
            check_operation(path, operation, schemes);
        }
    }
}

fn check_operation(path: &str, operation: &Value, schemes: &Map<String, Value>) {
    let mut seen = BTreeSet::new();
    let mut in_path = BTreeSet::new();
    for parameter in operation["parameters"].as_array().unwrap_or(&Vec::new()) {
        let (name, place) = (
            parameter["name"].as_str().expect("a name"),
            parameter["in"].as_str().expect("a place"),
        );
        assert!(seen.insert((name.to_owned(), place.to_owned())), "{path}: {name} twice");
        if place == "path" {
            assert_eq!(parameter["required"], true);
            in_path.insert(name.to_owned());
        }
        check_schema(&parameter["schema"]);
    }
    assert_eq!(in_path, names_in(path).into_iter().collect(), "{path}");
    let responses = operation["responses"].as_object().expect("responses");
    assert!(!responses.is_empty());
    for (status, response) in responses {
        assert!(
            status == "default" || (status.len() == 3 && status.as_bytes()[0].is_ascii_digit()),
            "{status}"
        );
        assert!(response["description"].is_string());
    }
    if let Some(body) = operation.get("requestBody") {
        for content in body["content"].as_object().expect("content").values() {
            check_schema(&content["schema"]);
        }
    }
    for alternative in operation["security"].as_array().unwrap_or(&Vec::new()) {
        for key in alternative.as_object().expect("an alternative").keys() {
            assert!(schemes.contains_key(key), "{key}");
        }
    }
}

fn check_schema(schema: &Value) {
    let Some(object) = schema.as_object() else { panic!("no schema: {schema}") };
    if let Some(required) = object.get("required") {
        for name in required.as_array().expect("names") {
            assert!(object["properties"][name.as_str().expect("a name")].is_object());
        }
    }
    for member in
        object.get("properties").and_then(Value::as_object).unwrap_or(&Map::new()).values()
    {
        check_schema(member);
    }
    object.get("items").into_iter().for_each(check_schema);
}

fn check_scheme(key: &str, scheme: &Value) {
    assert!(
        key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)),
        "{key}"
    );
    match scheme["type"].as_str() {
        Some("http") => assert!(matches!(scheme["scheme"].as_str(), Some("bearer" | "basic"))),
        Some("apiKey") => {
            assert!(matches!(scheme["in"].as_str(), Some("header" | "cookie" | "query")));
            assert!(scheme["name"].is_string());
        }
        other => panic!("{other:?}"),
    }
}

fn names_in(path: &str) -> Vec<String> {
    path.split(['{', '}']).skip(1).step_by(2).map(str::to_owned).collect()
}

fn shop() -> Vec<EndpointView> {
    let mut order = view(4, "POST", "api.example.com", "/orders");
    order.params = vec![
        param(ParamPlace::Query, "dry_run", ParamKind::Bool, 0.2),
        param(ParamPlace::Json, "items.*.sku", ParamKind::Word, 1.0),
        param(ParamPlace::Json, "items.*.count", ParamKind::Integer, 0.5),
        param(ParamPlace::Json, "note\\.text", ParamKind::Text, 0.1),
        param(ParamPlace::Json, "prices.{key}", ParamKind::Decimal, 1.0),
    ];
    order.auth = AuthSeen::Mixed;
    order.credentials =
        vec!["bearer".to_owned(), "cookie sid".to_owned(), "header x-api-key".to_owned()];
    order.classes = vec![DataClass::Email];
    order.role = Role::Checkout;
    order.statuses = vec![(201, 9), (422, 1), (799, 1)];
    vec![
        view(1, "GET", "api.example.com", "/users/{id}/friends/{id2}"),
        view(2, "GET", "api.example.com", "/users/{id}"),
        view(3, "DELETE", "api.example.com", "/users/{id}"),
        order,
        view(5, "PROPFIND", "api.example.com", "/files"),
        view(6, "GET", "*.example.org", "/users/{id}"),
        view(7, "GET", "2001:db8::1", "/"),
    ]
}

#[test]
fn a_shop_is_described_by_the_rules() {
    let document = document(&shop());
    check(&document);
    expect_test::expect![[r#"
        {
          "operationId": "post_orders",
          "parameters": [
            {
              "in": "query",
              "name": "dry_run",
              "required": false,
              "schema": {
                "type": "boolean"
              }
            }
          ],
          "requestBody": {
            "content": {
              "application/json": {
                "schema": {
                  "properties": {
                    "items": {
                      "items": {
                        "properties": {
                          "count": {
                            "type": "integer"
                          },
                          "sku": {
                            "type": "string"
                          }
                        },
                        "required": [
                          "sku"
                        ],
                        "type": "object"
                      },
                      "type": "array"
                    },
                    "note.text": {
                      "type": "string"
                    },
                    "prices": {
                      "additionalProperties": {
                        "type": "number"
                      },
                      "type": "object"
                    }
                  },
                  "type": "object"
                }
              }
            }
          },
          "responses": {
            "201": {
              "description": "Created",
              "x-palisade-count": 9
            },
            "422": {
              "description": "Unprocessable Entity",
              "x-palisade-count": 1
            }
          },
          "security": [
            {
              "bearer": []
            },
            {
              "cookie_sid": []
            },
            {
              "header_x-api-key": []
            },
            {}
          ],
          "summary": "POST /orders",
          "x-palisade-authentication": "mixed",
          "x-palisade-callers": 1,
          "x-palisade-data-classes": [
            "email"
          ],
          "x-palisade-exchanges": 1,
          "x-palisade-first-seen": "1970-01-01T00:00:00.000000Z",
          "x-palisade-last-seen": "1970-01-01T00:00:00.000000Z",
          "x-palisade-role": "checkout"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&document["paths"]["/orders"]["post"]).expect("json"));
    assert_eq!(
        document["paths"]["/users/{id}"]["get"]["x-palisade-hosts"],
        json!(["*.example.org"])
    );
    assert_eq!(document["paths"]["/files"]["x-palisade-methods"], json!(["PROPFIND"]));
}

#[test]
fn nothing_seen_is_a_document_too() {
    check(&document(&[]));
}

#[test]
fn operations_that_read_alike_have_names_of_their_own() {
    let views =
        [view(1, "GET", "a", "/a-b"), view(2, "GET", "a", "/a_b"), view(3, "GET", "a", "/a/b")];
    check(&document(&views));
}

proptest! {
    #[test]
    fn whatever_is_learnt_can_be_described(
        paths in proptest::collection::vec("(/[a-z.%: -]{1,6}){1,3}", 0..8),
        names in proptest::collection::vec(".{0,6}", 0..6),
        place in 1_usize..4,
    ) {
        let views: Vec<EndpointView> = paths
            .iter()
            .enumerate()
            .map(|(at, path)| {
                let id = u32::try_from(at).expect("few");
                let mut view = view(id, "POST", "api.example.com", path);
                use ParamPlace::{Form, Json, Path, Query};
                let places = [Path, Query, Form, Json];
                let distinct: BTreeSet<&String> = names.iter().collect();
                let named = |name: &String| param(places[place], name, ParamKind::Text, 1.0);
                view.params = distinct.into_iter().map(named).collect();
                view
            })
            .collect();
        check(&document(&views));
    }
}
