//! Sensitive data in answers, by the shape of values.
//!
//! Stateless and bounded: the first few hundred values, and of long texts their words.

use traffic::{DataClasses, Fields, ParamKind};

/// So many values are looked at; what a resource gives out repeats after that.
const VALUES_READ_MAX: usize = 256;
/// Account numbers have so many digits at least.
const DIGITS_MIN: usize = 8;
/// Tokens and keys have so many characters in a row at least.
const RUN_MIN: usize = 14;
/// Of one text so many words are looked at.
const WORDS_READ_MAX: usize = 512;

/// The classes of data found in the values of `fields`.
pub fn classes(fields: &Fields) -> DataClasses {
    let mut found = DataClasses::default();
    for field in fields.leaves().take(VALUES_READ_MAX) {
        if is_suspect(field.value_bytes()) {
            found.extend(of_value(&field.value()));
        }
    }
    found
}

/// The classes of data found in a text.
pub fn classes_of_text(text: &str) -> DataClasses {
    let mut found = DataClasses::default();
    let parts =
        |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'' | ',' | ';' | '(' | ')');
    for word in text.split(parts).take(WORDS_READ_MAX).filter(|word| is_suspect(word.as_bytes())) {
        if let Some(class) = ParamKind::of(word.trim_end_matches(['.', ':', '!', '?'])).data_class()
        {
            found.insert(class);
        }
    }
    found
}

/// Whether a value could be of any class: most are turned away by a look at its characters.
fn is_suspect(value: &[u8]) -> bool {
    let (mut digits, mut run) = (0, 0);
    for byte in value {
        digits += usize::from(byte.is_ascii_digit());
        run = if *byte == b' ' { 0 } else { run + 1 };
        if *byte == b'@' || digits >= DIGITS_MIN || run >= RUN_MIN {
            return true;
        }
    }
    false
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
        check(
            r#"{"user":{"email":"ada@example.com","iban":"DE89370400440532013000"}}"#,
            &[DataClass::Email, DataClass::Iban],
        );
        check(r#"{"note":"card 4111111111111111, thanks"}"#, &[DataClass::Card]);
        check(
            r#"{"card":"4111 1111 1111 1111","iban":"GB82 WEST 1234 5698 7654 32"}"#,
            &[DataClass::Card, DataClass::Iban],
        );
        check(r#"["a@b.de"]"#, &[DataClass::Email]);
        check(r#"{"pan":4111111111111111}"#, &[DataClass::Card]);
        check(
            r#"{"token":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"}"#,
            &[DataClass::Jwt],
        );
        check(r#"["AKIAIOSFODNN7EXAMPLE"]"#, &[DataClass::Key]);
    }

    #[test]
    fn look_alikes_are_none() {
        check(
            r#"{"id":4111111111111112,"at":"2026-11-23T12:00:00Z","tel":"+49 30 123456","sku":"DE00370400440532013001"}"#,
            &[],
        );
    }
}
