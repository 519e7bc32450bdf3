//! Parameters and fields as JSON Schema (2020-12).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use traffic::ParamKind;

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
    members: BTreeMap<String, Property<'a>>,
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
        if let Some(element) = self.members.get("*").filter(|_| self.members.len() == 1) {
            // Elements of an array and values of a map look the same from here.
            let element = element.schema();
            return json!({ "type": ["array", "object"], "items": element, "additionalProperties": element });
        }
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, property) in &self.members {
            if property.field.is_some_and(|field| field.is_required) {
                required.push(name.as_str());
            }
            properties.insert(name.clone(), property.schema());
        }
        let mut schema = json!({ "type": "object", "properties": properties });
        if let Some(object) = schema.as_object_mut()
            && !required.is_empty()
        {
            object.insert("required".to_owned(), json!(required));
        }
        schema
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
