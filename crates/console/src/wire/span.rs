//! Spans of time in orders: whole seconds, in each way that JSON has of writing a whole number.

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};

/// Seconds up to here are the same number in either way.
const SECONDS_MAX: f64 = 9_007_199_254_740_991.0;

/// A number as it stands: JSON does not tell `60` from `60.0`, and some programs write the latter.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(u64),
    Float(f64),
}

/// Reads seconds, when there are any.
pub(super) fn seconds<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<u64>, D::Error> {
    let expected = &"a whole number of seconds";
    match Option::<Number>::deserialize(reader) {
        Ok(None) => Ok(None),
        Ok(Some(Number::Whole(seconds))) => Ok(Some(seconds)),
        Ok(Some(Number::Float(float))) if (0.0..=SECONDS_MAX).contains(&float) => {
            // Exact in decimal, so that nothing is rounded on the way.
            let whole = format!("{float}").parse().ok();
            let wrong = || D::Error::invalid_value(Unexpected::Float(float), expected);
            whole.map(Some).ok_or_else(wrong)
        }
        Ok(Some(Number::Float(float))) => {
            Err(D::Error::invalid_value(Unexpected::Float(float), expected))
        }
        Err(_) => Err(D::Error::custom("`for_s` is a whole number of seconds")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Order {
        #[serde(default, deserialize_with = "seconds")]
        for_s: Option<u64>,
    }

    #[test]
    fn whole_numbers_are_read_however_they_are_written() {
        let read = |text: &str| serde_json::from_str::<Order>(text).map(|order| order.for_s).ok();
        assert_eq!(read("{}"), Some(None));
        assert_eq!(read(r#"{"for_s":null}"#), Some(None));
        for text in [r#"{"for_s":60}"#, r#"{"for_s":60.0}"#, r#"{"for_s":6e1}"#] {
            assert_eq!(read(text), Some(Some(60)), "{text}");
        }
        for text in [
            r#"{"for_s":60.5}"#,
            r#"{"for_s":-1}"#,
            r#"{"for_s":"60"}"#,
            r#"{"for_s":1e300}"#,
            r#"{"for_s":true}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
