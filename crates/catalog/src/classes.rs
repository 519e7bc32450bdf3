//! Sensitive data in answers, by the shape of values.
//!
//! Stateless and bounded: the first few hundred values, and of long texts their words.

use traffic::{DataClasses, Fields, ParamKind};

/// So many values are looked at; what a resource gives out repeats after that.
const VALUES_READ_MAX: usize = 256;
/// Shorter values are of no class: the shortest is a mail address.
const VALUE_BYTES_MIN: usize = 6;
/// Of one text so many words are looked at.
const WORDS_READ_MAX: usize = 512;

/// The classes of data found in the values of `fields`.
pub fn classes(fields: &Fields) -> DataClasses {
    let mut found = DataClasses::default();
    for field in fields.leaves().take(VALUES_READ_MAX) {
        if field.value_bytes().len() >= VALUE_BYTES_MIN {
            found.extend(of_value(&field.value()));
        }
    }
    found
}

/// The classes of data found in a text.
pub fn classes_of_text(text: &str) -> DataClasses {
    let mut found = DataClasses::default();
    let parts = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'' | ',' | ';' | '(' | ')');
    for word in text.split(parts).filter(|word| word.len() >= VALUE_BYTES_MIN).take(WORDS_READ_MAX) {
        if let Some(class) = ParamKind::of(word.trim_end_matches(['.', ':', '!', '?'])).data_class() {
            found.insert(class);
        }
    }
    found
}

fn of_value(value: &str) -> DataClasses {
    match ParamKind::of(value) {
        ParamKind::Text => classes_of_text(value),
        kind => {
            let mut found = DataClasses::default();
            if let Some(class) = kind.data_class() {
                found.insert(class);
            }
            found
        }
    }
}

#[cfg(test)]
mod tests {
    use traffic::DataClass;

    use super::*;

    fn check(body: &str, expected: &[DataClass]) {
        let mut fields = Fields::default();
        traffic::json::read(body.as_bytes(), &mut fields);
        assert_eq!(classes(&fields).iter().collect::<Vec<_>>(), expected, "{body}");
    }

    #[test]
    fn classes_are_found_by_shape() {
        check(r#"{"user":{"email":"ada@example.com","iban":"DE89370400440532013000"}}"#, &[DataClass::Email, DataClass::Iban]);
        check(r#"{"note":"card 4111111111111111, thanks"}"#, &[DataClass::Card]);
        check(r#"{"pan":4111111111111111}"#, &[DataClass::Card]);
        check(r#"{"token":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"}"#, &[DataClass::Jwt]);
        check(r#"["AKIAIOSFODNN7EXAMPLE"]"#, &[DataClass::Key]);
    }

    #[test]
    fn look_alikes_are_none() {
        check(r#"{"id":4111111111111112,"at":"2026-11-23T12:00:00Z","tel":"+49 30 123456","sku":"DE00370400440532013001"}"#, &[]);
    }
}
