//! Parameters and fields as JSON Schema (2020-12).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use traffic::ParamKind;

use crate::params::{ANY_ELEMENT, ANY_KEY};
use crate::view::ParamView;

/// The schema of one scalar value of that kind.
pub(super) fn scalar_schema(kind: ParamKind) -> Value {
    match kind {
        ParamKind::Bool => json!({ "type": "boolean" }),
        ParamKind::Integer => json!({ "type": "integer" }),
        ParamKind::Decimal => json!({ "type": "number" }),
        ParamKind::Uuid => json!({ "type": "string", "format": "uuid" }),
        ParamKind::Date => json!({ "type": "string", "format": "date" }),
        ParamKind::DateTime => json!({ "type": "string", "format": "date-time" }),
        ParamKind::Email => json!({ "type": "string", "format": "email" }),
        ParamKind::Url => json!({ "type": "string", "format": "uri" }),
        ParamKind::Secret => json!({ "type": "string", "format": "password" }),
        // Nothing but nulls and empty strings was seen: anything may come.
        ParamKind::Empty => json!({}),
        _ => json!({ "type": "string" }),
    }
}

/// One name of a body and what hangs below it.
#[derive(Default)]
struct Property<'a> {
    field: Option<&'a ParamView>,
    members: BTreeMap<String, Self>,
}

/// The schema of a body with these fields, named by their paths.
pub(super) fn body_schema(fields: &[&ParamView]) -> Value {
    let mut top = Property::default();
    for field in fields {
        let mut at = &mut top;
        for name in names(&field.name) {
            at = at.members.entry(name).or_default();
        }
        at.field = Some(field);
    }
    top.schema()
}

impl Property<'_> {
    /// Names are at most as deep as parameters are kept, so this ends soon.
    fn schema(&self) -> Value {
        if self.members.is_empty() {
            return self.field.map_or_else(|| json!({}), |field| scalar_schema(field.kind));
        }
        let (element, value) = (self.members.get(ANY_ELEMENT), self.members.get(ANY_KEY));
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, property) in &self.members {
            if name == ANY_ELEMENT || name == ANY_KEY {
                continue;
            }
            if property.field.is_some_and(|field| field.is_required) {
                required.push(name.as_str());
            }
            properties.insert(name.clone(), property.schema());
        }
        let is_object = value.is_some() || !properties.is_empty();
        let mut schema = Map::new();
        let kinds = [(element.is_some(), "array"), (is_object, "object")];
        let kinds: Vec<&str> =
            kinds.into_iter().filter(|(is_seen, _)| *is_seen).map(|(_, kind)| kind).collect();
        schema.insert(
            "type".to_owned(),
            if let [only] = kinds.as_slice() { json!(only) } else { json!(kinds) },
        );
        schema.extend(element.map(|element| ("items".to_owned(), element.schema())));
        schema.extend(value.map(|value| ("additionalProperties".to_owned(), value.schema())));
        if !properties.is_empty() {
            schema.insert("properties".to_owned(), Value::Object(properties));
        }
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        Value::Object(schema)
    }
}

/// The names in a path such as `order.items.*.price`; a backslash keeps a dot within a name.
fn names(path: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match (character, names.last_mut()) {
            ('\\', Some(name)) => name.extend(characters.next()),
            ('.', _) => names.push(String::new()),
            (_, Some(name)) => name.push(character),
            (_, None) => {}
        }
    }
    names
}
