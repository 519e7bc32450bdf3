//! Values of one key: strings, numbers, words out of a list, durations, sizes.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::de::DeValue;

use crate::policy::nearest::nearest;
use crate::policy::reader::{Entry, Given, Reader};
use crate::policy::value::{self, Wrong};

impl<'t> Entry<'t> {
    /// The value as a string that `parse` understands.
    pub(in crate::policy) fn text<T>(
        self,
        reader: &mut Reader<'t>,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<Given<T>> {
        let DeValue::String(text) = &self.value else {
            let help = match &self.value {
                DeValue::Integer(_) => format!("write it in quotes, as in {example}"),
                _ => format!("write it in quotes, for example {example}"),
            };
            self.mistyped(reader, "a string", help);
            return None;
        };
        match parse(text) {
            Ok(value) => Some(self.given(reader, value)),
            Err(wrong) => {
                let cause = format!("`{}`: {}", self.key, wrong.cause);
                reader.error(self.span, Wrong { cause, help: wrong.help });
                None
            }
        }
    }

    /// The value as a string, whatever it says.
    pub(in crate::policy) fn string(
        self,
        reader: &mut Reader<'t>,
        example: &str,
    ) -> Option<Given<String>> {
        self.text(reader, example, |text| Ok(text.to_owned()))
    }

    /// The value as a whole number within bounds.
    pub(in crate::policy) fn integer(
        self,
        reader: &mut Reader<'t>,
        bounds: RangeInclusive<u32>,
    ) -> Option<Given<u32>> {
        let within = format!("write a whole number from {} to {}", bounds.start(), bounds.end());
        let DeValue::Integer(number) = &self.value else {
            let help = match &self.value {
                DeValue::String(_) => format!("{within}, without quotes"),
                _ => within,
            };
            self.mistyped(reader, "a whole number", help);
            return None;
        };
        match u32::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) if bounds.contains(&number) => Some(self.given(reader, number)),
            _ => {
                let cause = format!("`{}`: {number} is out of bounds", self.key);
                reader.error(self.span, Wrong { cause, help: within });
                None
            }
        }
    }

    /// The value as yes or no.
    pub(in crate::policy) fn truth(self, reader: &mut Reader<'t>) -> Option<Given<bool>> {
        let DeValue::Boolean(truth) = self.value else {
            let help = match &self.value {
                DeValue::String(_) => "write true or false, without quotes",
                _ => "write true or false",
            };
            self.mistyped(reader, "true or false", help.to_owned());
            return None;
        };
        Some(self.given(reader, truth))
    }

    /// The value as one of some words.
    pub(in crate::policy) fn word<T: Copy>(
        self,
        reader: &mut Reader<'t>,
        words: &[(&str, T)],
    ) -> Option<Given<T>> {
        let example = words.first().map(|(word, _)| format!("\"{word}\"")).unwrap_or_default();
        let key = self.key.clone();
        self.text(reader, &example, |text| one_of(&key, text, words))
    }

    /// The value as a duration within bounds.
    pub(in crate::policy) fn duration(
        self,
        reader: &mut Reader<'t>,
        bounds: RangeInclusive<Duration>,
    ) -> Option<Given<Duration>> {
        self.text(reader, "\"10s\"", |text| {
            let show = value::show_duration;
            within(value::duration(text)?, &bounds, text, show)
        })
    }

    /// The value as a size within bounds.
    pub(in crate::policy) fn bytes(
        self,
        reader: &mut Reader<'t>,
        bounds: RangeInclusive<u64>,
    ) -> Option<Given<u64>> {
        self.text(reader, "\"16KiB\"", |text| {
            within(value::bytes(text)?, &bounds, text, value::show_bytes)
        })
    }
}

/// `value`, when it lies within `bounds`.
pub(in crate::policy) fn within<T: Copy + PartialOrd>(
    value: T,
    bounds: &RangeInclusive<T>,
    text: &str,
    show: impl Fn(T) -> String,
) -> Result<T, Wrong> {
    match bounds.contains(&value) {
        true => Ok(value),
        false => Err(Wrong {
            cause: format!("{text:?} is out of bounds"),
            help: format!("from {} to {}", show(*bounds.start()), show(*bounds.end())),
        }),
    }
}

/// The value that `text` names.
pub(in crate::policy) fn one_of<T: Clone>(
    key: &str,
    text: &str,
    words: &[(&str, T)],
) -> Result<T, Wrong> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(value.clone());
    }
    let list = || words.iter().map(|(word, _)| *word);
    // A comment that slipped into the quotes is common enough to be told apart.
    let before_comment = text.split_once('#').map_or("", |(before, _)| before).trim();
    let help = if list().any(|word| word == before_comment) {
        format!("the comment is inside the quotes: write {key} = \"{before_comment}\" # …")
    } else if let Some(near) = nearest(text, list()) {
        format!("did you mean \"{near}\"?")
    } else {
        format!("one of {}", list().collect::<Vec<_>>().join(", "))
    };
    Err(Wrong { cause: format!("unknown value {text:?}"), help })
}

/// What a value is, as a sentence needs it.
pub(super) const fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// A guess at what went wrong where the text is not TOML.
pub(super) fn syntax_help(content: &str, span: &Range<usize>, message: &str) -> String {
    if message.contains("duplicate") {
        return "it stands above already: make them one".to_owned();
    }
    if message.contains("between array elements") || message.contains("unclosed array") {
        return "an array ends in ], and a comma stands between its items".to_owned();
    }
    let before = content.get(..span.start).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = content.get(line_start..).and_then(|text| text.lines().next()).unwrap_or_default();
    let general = "each line is key = value, a [table], or a # comment".to_owned();
    let is_key = |key: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        !key.is_empty() && key.chars().all(plain)
    };
    let Some((key, value)) = line.split_once('=') else {
        return match line.split_once(':') {
            _ if line.trim_start().starts_with('[') => {
                "a table is written [name], one of several [[name]]".to_owned()
            }
            Some((key, _)) if is_key(key.trim()) => {
                format!("write {} = …, not a colon", key.trim())
            }
            _ => general,
        };
    };
    let (key, value) = (key.trim(), value.trim());
    if !is_key(key) {
        return general;
    }
    let quotes = value.chars().filter(|c| matches!(c, '"' | '\'')).count();
    match value.chars().next() {
        None => format!("a value is missing: write {key} = \"…\""),
        Some('\'' | '"') if quotes < 2 => "the closing quote is missing".to_owned(),
        Some(first) if first.is_ascii_alphanumeric() || matches!(first, '/' | '.' | '*') => {
            format!("text stands in quotes: write {key} = \"…\"")
        }
        _ => general,
    }
}
