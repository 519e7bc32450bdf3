//! Reads a TOML document key by key and gathers all mistakes instead of stopping at the first.
//!
//! Each table is read against the list of its keys, so that an unknown key is an error where it
//! stands, with the key that was probably meant or the table it belongs to. Values are taken as
//! their types with their place; what cannot be taken is a remark and counts as not given.
//! Nothing here knows what a key means.

mod scalar;

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::policy::error::{Place, PolicyError, Remark, Show, Text, Warning};
use crate::policy::nearest::nearest;
use crate::policy::setting::Provenance;
use crate::policy::value::Wrong;

pub(super) use scalar::one_of;

/// No policy is longer. What is, is not one.
const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Only in shorter texts all mistakes are looked for: the parser keeps the text with each of them.
const RECOVERED_BYTES_MAX: usize = 16 * 1024;
/// Of a text that is not TOML, so many mistakes are told: the later ones follow from the first.
const SYNTAX_ERRORS_MAX: usize = 5;

/// A table of the document: how it is written in messages, and which keys it has.
#[derive(Debug)]
pub(super) struct Shape {
    /// `[server]`, `[[site]]`, or `the file` for the top.
    pub(super) shown: &'static str,
    /// Its keys as a dotted path begins, such as `server.`.
    pub(super) prefix: &'static str,
    /// Its keys.
    pub(super) keys: &'static [&'static str],
}

/// One document being read, with what there is to say about it.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    text: Text<'t>,
    /// Whether this is the overlay: the origin of its values is named so.
    is_overlay: bool,
    /// All shapes of the document, to say where a misplaced key belongs.
    shapes: &'static [&'static Shape],
    pub(super) errors: Vec<PolicyError>,
    pub(super) warnings: Vec<Warning>,
}

/// A table with the keys that were not taken yet.
#[derive(Debug)]
pub(super) struct Section<'t> {
    shape: &'static Shape,
    entries: DeTable<'t>,
    /// Where it stands, for what is missing in it.
    pub(super) span: Range<usize>,
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry<'t> {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: DeValue<'t>,
    pub(super) span: Range<usize>,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Given<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
    pub(super) from: Provenance,
}

impl<T> Given<T> {
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Given<U> {
        Given { value: change(self.value), span: self.span, from: self.from }
    }
}

// === impl Reader ===

impl<'t> Reader<'t> {
    /// Parses `content`; none when it is not TOML, which is then said.
    pub(super) fn begin(
        name: &str,
        content: &'t str,
        top: &'static Shape,
        shapes: &'static [&'static Shape],
        is_overlay: bool,
    ) -> (Self, Option<Section<'t>>) {
        let text = Text::new(name, content);
        let (errors, warnings) = (Vec::new(), Vec::new());
        let mut reader = Self { text, is_overlay, shapes, errors, warnings };
        if content.len() > TEXT_BYTES_MAX {
            let help = "is this the right file?".to_owned();
            reader.error(0..0, Wrong { cause: "longer than 4 MiB".to_owned(), help });
            return (reader, None);
        }
        let mistake = match DeTable::parse(content) {
            Ok(table) => {
                let section = Section { shape: top, entries: table.into_inner(), span: 0..0 };
                return (reader, Some(section));
            }
            Err(mistake) => mistake,
        };
        let mistakes = match content.len() <= RECOVERED_BYTES_MAX {
            true => DeTable::parse_recoverable(content).1,
            false => vec![mistake],
        };
        reader.not_toml(&mistakes);
        (reader, None)
    }

    pub(super) fn error(&mut self, span: Range<usize>, wrong: Wrong) {
        self.error_showing(Show::Line, span, wrong);
    }

    /// As [`Self::error`], for values that may be secrets or carry them.
    pub(super) fn error_showing(&mut self, show: Show, span: Range<usize>, wrong: Wrong) {
        let remark = self.remark(show, &span, wrong);
        self.errors.push(PolicyError(remark));
    }

    /// What stands there is shown in no remark.
    pub(super) fn conceal(&mut self, span: Range<usize>) {
        self.text.secrets.push(span);
    }

    pub(super) fn warn(&mut self, span: &Range<usize>, cause: String, help: &str) {
        self.warnings.push(self.warning(span, cause, help));
    }

    pub(super) fn warning(&self, span: &Range<usize>, cause: String, help: &str) -> Warning {
        Warning(self.remark(Show::Line, span, Wrong { cause, help: help.to_owned() }))
    }

    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        self.text.place(span, Show::Line)
    }

    /// The place as values from here remember it.
    pub(super) fn provenance(&self, offset: usize) -> Provenance {
        let (name, line) = (self.text.name.clone(), self.text.line(offset));
        match self.is_overlay {
            true => Provenance::Overlay { name, line },
            false => Provenance::Document { name, line },
        }
    }

    /// Says which keys of a section are unknown. Each section ends here.
    pub(super) fn finish(&mut self, section: Section<'_>) {
        for (key, value) in &section.entries {
            let (name, shape) = (key.get_ref(), section.shape);
            let help = self.meant(name, shape);
            let is_named_table = shape.prefix.is_empty() && is_table(value.get_ref());
            let (show, cause) = match shape.prefix {
                "" if is_named_table => (Show::Line, format!("there is no table [{name}]")),
                "layer." => (Show::UpToSpot, format!("unknown layer `{name}` in {}", shape.shown)),
                _ => (Show::UpToSpot, format!("unknown key `{name}` in {}", shape.shown)),
            };
            self.error_showing(show, key.span(), Wrong { cause, help });
        }
    }

    /// What an unknown key was probably meant to be.
    fn meant(&self, key: &str, shape: &Shape) -> String {
        if let Some(near) = nearest(key, shape.keys.iter().copied()) {
            return format!("did you mean `{near}`?");
        }
        let homes: Vec<&Shape> =
            self.shapes.iter().copied().filter(|home| home.keys.contains(&key)).collect();
        if let [home, ..] = homes.as_slice() {
            return match home.prefix {
                "" => format!("`{key}` stands at the top of the file, before any [table]"),
                _ => format!("`{key}` belongs to {}", home.shown),
            };
        }
        format!("the keys of {} are {}", shape.shown, shape.keys.join(", "))
    }

    fn remark(&self, show: Show, span: &Range<usize>, wrong: Wrong) -> Remark {
        let help = Some(wrong.help).filter(|help| !help.is_empty());
        Remark { place: self.text.place(span, show), cause: wrong.cause, help }
    }

    fn not_toml(&mut self, mistakes: &[toml::de::Error]) {
        let mut said_line = 0;
        let start = |mistake: &toml::de::Error| mistake.span().unwrap_or_default().start;
        let mut mistakes: Vec<&toml::de::Error> = mistakes.iter().collect();
        mistakes.sort_by_key(|mistake| start(mistake));
        for mistake in mistakes.into_iter().take(SYNTAX_ERRORS_MAX) {
            let span = mistake.span().unwrap_or_default();
            let line = self.text.line(span.start);
            if line == said_line {
                continue;
            }
            // What follows a first mistake may be the inside of some value: it is not shown.
            let show = if said_line == 0 { Show::Line } else { Show::Nothing };
            said_line = line;
            // What the parser expected instead is of use only where it is one character.
            let message = match mistake.message().split_once(", expected ") {
                Some((message, expected)) if !expected.starts_with('`') => message,
                _ => mistake.message(),
            };
            let help = scalar::syntax_help(self.text.content, &span, message);
            self.error_showing(show, span, Wrong { cause: format!("not TOML: {message}"), help });
        }
    }
}

// === impl Section ===

impl<'t> Section<'t> {
    /// Takes a key out.
    pub(super) fn take(&mut self, key: &str) -> Option<Entry<'t>> {
        debug_assert!(self.shape.keys.contains(&key), "{key} is no key of {}", self.shape.shown);
        self.take_any(key)
    }

    /// Whether keys are left that are not known.
    pub(super) fn has_more(&self) -> bool {
        !self.entries.is_empty()
    }

    /// All that is left, where the keys are names that the user chose.
    pub(super) fn take_rest(&mut self) -> Vec<Entry<'t>> {
        let names: Vec<String> =
            self.entries.keys().map(|key| key.get_ref().clone().into_owned()).collect();
        let mut rest: Vec<Entry<'t>> = names.iter().filter_map(|key| self.take_any(key)).collect();
        rest.sort_by_key(|entry| entry.key_span.start);
        rest
    }

    fn take_any(&mut self, key: &str) -> Option<Entry<'t>> {
        let (key, value) = self.entries.remove_entry(key)?;
        let key_span = key.span();
        let span = value.span();
        Some(Entry {
            key: key.into_inner().into_owned(),
            key_span,
            value: value.into_inner(),
            span,
        })
    }
}

// === impl Entry ===

impl<'t> Entry<'t> {
    /// The value as a table.
    pub(super) fn table(
        self,
        reader: &mut Reader<'t>,
        shape: &'static Shape,
    ) -> Option<Section<'t>> {
        match self.value {
            DeValue::Table(entries) => {
                // A table that only its sub-tables name has no place of its own.
                let span = if self.span.is_empty() { self.key_span } else { self.span };
                Some(Section { shape, entries, span })
            }
            DeValue::Array(array) if array.iter().any(|item| is_table(item.get_ref())) => {
                let cause = format!("{} stands more than once, or in double brackets", shape.shown);
                let help = format!("write it once, as {}", shape.shown);
                reader.error(self.key_span, Wrong { cause, help });
                None
            }
            _ => {
                let first = shape.keys.first().copied().unwrap_or_default();
                let help = match shape.shown.starts_with('[') {
                    true => format!("write {} and its keys below", shape.shown),
                    false => format!("write {} = {{ {first} = … }}", self.key),
                };
                self.mistyped(reader, "a table", help);
                None
            }
        }
    }

    /// The value as an array of tables.
    pub(super) fn tables(self, reader: &mut Reader<'t>, shape: &'static Shape) -> Vec<Section<'t>> {
        let help = format!("write {} above each, in double brackets", shape.shown);
        let DeValue::Array(array) = self.value else {
            let brackets = matches!(self.value, DeValue::Table(_));
            if brackets {
                let cause = format!("`{}` needs double brackets: there may be several", self.key);
                reader.error(self.key_span, Wrong { cause, help });
            } else {
                self.mistyped(reader, "an array of tables", help);
            }
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in array {
            let span = item.span();
            match item.into_inner() {
                DeValue::Table(entries) => sections.push(Section { shape, entries, span }),
                _ => {
                    let cause = format!("an item of `{}` is not a table", self.key);
                    reader.error(span, Wrong { cause, help: help.clone() });
                }
            }
        }
        sections
    }

    /// The items of an array, or the one value that stands for an array of one.
    pub(super) fn items(self) -> Vec<Self> {
        let (key, key_span) = (self.key, self.key_span);
        match self.value {
            DeValue::Array(array) => array
                .into_iter()
                .map(|item: Spanned<DeValue<'t>>| {
                    let span = item.span();
                    let value = item.into_inner();
                    Self { key: key.clone(), key_span: key_span.clone(), value, span }
                })
                .collect(),
            value => vec![Self { key, key_span, value, span: self.span }],
        }
    }

    /// Says that the value has the wrong type.
    pub(super) fn mistyped(&self, reader: &mut Reader<'t>, wanted: &str, help: String) {
        let cause = format!("`{}` is {}, not {wanted}", self.key, scalar::kind_of(&self.value));
        reader.error(self.span.clone(), Wrong { cause, help });
    }

    pub(super) fn given<T>(&self, reader: &Reader<'t>, value: T) -> Given<T> {
        let from = reader.provenance(self.key_span.start);
        Given { value, span: self.span.clone(), from }
    }
}

const fn is_table(value: &DeValue<'_>) -> bool {
    matches!(value, DeValue::Table(_))
}
