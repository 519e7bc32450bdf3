//! A request's query and body, and an answer's body, as one flat list of named values.
//!
//! Everything is decoded here once and read by every layer. Names repeat when the sender repeated
//! them (a duplicate key is a fact, not an error), and what could not be parsed is marked while all
//! that came before it is kept.

use std::borrow::Cow;

use crate::path::percent_decode;

/// More fields than this are not read. Enough for a 128 KiB body of short fields.
pub const FIELDS_MAX: usize = 16_384;

/// Where a field was found.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Location {
    /// In the query of the target.
    Query,
    /// In a URL-encoded body.
    Form,
    /// In a JSON body.
    Json,
}

/// What sort of value a field has.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Sort {
    /// A string.
    String,
    /// A JSON number.
    Number,
    /// A JSON boolean.
    Bool,
    /// JSON null.
    Null,
    /// A JSON object: its members follow.
    Object,
    /// A JSON array: its elements follow.
    Array,
}

/// What was odd about a body or query.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FieldAnomalies {
    /// It does not parse; the fields before the fault are kept.
    pub broken: bool,
    /// It was cut at the inspection limit.
    pub truncated: bool,
    /// Nesting went deeper than allowed.
    pub too_deep: bool,
    /// There were more fields than [`FIELDS_MAX`].
    pub too_many: bool,
}

/// The fields of a request or an answer.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    entries: Vec<Entry>,
    text: Vec<u8>,
    anomalies: FieldAnomalies,
    rest: Option<Rest>,
}

/// A body of which only the first fields were read.
#[derive(Clone, Copy, Debug)]
struct Rest {
    /// How many fields there were before its first.
    before: usize,
    /// Where it stands as it was received.
    raw: (u32, u32),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    location: Location,
    sort: Sort,
    parent: u32,
    name: (u32, u32),
    value: (u32, u32),
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    fields: &'a Fields,
    index: usize,
    entry: &'a Entry,
}

/// No parent: the field stands at the top.
const TOP: u32 = u32::MAX;

// === impl Fields ===

impl Fields {
    /// All fields, objects and arrays before what they hold.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> + Clone {
        self.entries.iter().enumerate().map(|(index, entry)| Field { fields: self, index, entry })
    }

    /// The fields that carry a value of their own.
    pub fn leaves(&self) -> impl Iterator<Item = Field<'_>> + Clone {
        self.iter().filter(|field| !matches!(field.sort(), Sort::Object | Sort::Array))
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many there are, objects and arrays included.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// What was odd.
    pub const fn anomalies(&self) -> FieldAnomalies {
        self.anomalies
    }

    /// A number for the set of names in the two outermost levels, whatever their order: answers of
    /// one outcome share it. Not keyed: it never decides over a caller.
    pub fn key_set(&self) -> u64 {
        let mut sum = 0_u64;
        for (at, entry) in self.entries.iter().enumerate() {
            if at > 256 {
                break;
            }
            let outer = match self.entries.get(entry.parent as usize) {
                None => 0,
                Some(parent) if parent.parent == TOP && parent.sort == Sort::Object => {
                    if parent.name.0 == parent.name.1 { 1 } else { fnv(self.slice(parent.name)) }
                }
                Some(_) => continue,
            };
            let name = self.slice(entry.name);
            if !name.is_empty() {
                sum = sum.wrapping_add(fnv(name) ^ outer.rotate_left(17));
            }
        }
        sum
    }

    /// Forgets all of them and keeps the room, for whoever reads one text after another.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
        self.anomalies = FieldAnomalies::default();
        self.rest = None;
    }

    /// Adds what a query or a URL-encoded body holds.
    pub fn read_pairs(&mut self, raw: &[u8], location: Location) {
        for pair in raw.split(|byte| *byte == b'&') {
            if pair.is_empty() {
                continue;
            }
            if self.is_full() {
                return;
            }
            let at = memchr::memchr(b'=', pair);
            let (name, value) = match at {
                Some(at) => {
                    (pair.get(..at).unwrap_or_default(), pair.get(at + 1..).unwrap_or_default())
                }
                None => (pair, &b""[..]),
            };
            let name = self.write_decoded(name);
            let value = self.write_decoded(value);
            self.entries.push(Entry { location, sort: Sort::String, parent: TOP, name, value });
        }
    }

    /// Adds one field that stands by itself.
    pub(crate) fn push_pair(&mut self, name: &[u8], value: &[u8], location: Location) {
        let (name, value) = (self.write(name), self.write(value));
        self.entries.push(Entry { location, sort: Sort::String, parent: TOP, name, value });
    }

    /// Whether a large body has more fields than were read of it.
    pub const fn has_rest(&self) -> bool {
        self.rest.is_some()
    }

    /// Reads those of a large body's fields that were put off.
    pub fn read_rest(&mut self) {
        let Some(rest) = self.rest.take() else { return };
        let raw = self.slice(rest.raw).to_vec();
        self.entries.truncate(rest.before);
        crate::json::read(&raw, self);
    }

    /// Puts off the reading of `raw`, of which only some fields were read after the first `before`.
    pub(crate) const fn put_off(&mut self, before: usize, raw: (u32, u32)) {
        self.rest = Some(Rest { before, raw });
    }

    /// Marks that the body went on after what was read.
    pub fn mark_truncated(&mut self) {
        self.anomalies.truncated = true;
    }

    pub(crate) fn is_full(&mut self) -> bool {
        if self.entries.len() < FIELDS_MAX {
            return false;
        }
        self.anomalies.too_many = true;
        true
    }

    pub(crate) const fn anomalies_mut(&mut self) -> &mut FieldAnomalies {
        &mut self.anomalies
    }

    /// Appends `bytes` to the text that fields point into; their place there.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> (u32, u32) {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        (place(start), place(self.text.len()))
    }

    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn reserve(&mut self, bytes: usize, entries: usize) {
        self.text.reserve(bytes);
        self.entries.reserve(entries);
    }

    pub(crate) fn push_json(
        &mut self,
        parent: u32,
        name: (u32, u32),
        value: (u32, u32),
        sort: Sort,
    ) -> u32 {
        let index = place(self.entries.len());
        self.entries.push(Entry { location: Location::Json, sort, parent, name, value });
        index
    }

    pub(crate) const fn top() -> u32 {
        TOP
    }

    fn write_decoded(&mut self, raw: &[u8]) -> (u32, u32) {
        if memchr::memchr2(b'%', b'+', raw).is_none() {
            return self.write(raw);
        }
        let decoded = percent_decode(raw, true);
        self.write(&decoded.bytes)
    }

    fn slice(&self, (start, end): (u32, u32)) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }
}

// === impl Field ===

impl<'a> Field<'a> {
    /// Where it was found.
    pub const fn location(&self) -> Location {
        self.entry.location
    }

    /// What sort of value it has.
    pub const fn sort(&self) -> Sort {
        self.entry.sort
    }

    /// Its own name; empty for elements of arrays and for the outermost value.
    pub fn name(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.fields.slice(self.entry.name))
    }

    /// The bytes of its own name.
    pub fn name_bytes(&self) -> &'a [u8] {
        self.fields.slice(self.entry.name)
    }

    /// Its value, decoded; empty for objects and arrays.
    pub fn value(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.fields.slice(self.entry.value))
    }

    /// The bytes of its value, decoded.
    pub fn value_bytes(&self) -> &'a [u8] {
        self.fields.slice(self.entry.value)
    }

    /// The object or array that holds it.
    pub fn parent(&self) -> Option<Self> {
        let index = self.entry.parent as usize;
        self.fields.entries.get(index).map(|entry| Field { fields: self.fields, index, entry })
    }

    /// How many objects and arrays hold it. Nesting is bounded by the parser.
    pub fn depth(&self) -> usize {
        std::iter::successors(self.parent(), Self::parent).count()
    }

    /// Its path from the top, as `order.items.*.price`: elements of arrays are all `*`.
    pub fn path(&self) -> String {
        let mut names: Vec<Cow<'a, str>> = std::iter::successors(Some(*self), Self::parent)
            .filter(|field| field.parent().is_some() || !field.name_bytes().is_empty())
            .map(|field| match field.name() {
                name if name.is_empty() => Cow::Borrowed("*"),
                name => name,
            })
            .collect();
        names.reverse();
        names.join(".")
    }

    /// Position among all fields.
    pub const fn index(&self) -> usize {
        self.index
    }
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_repeats_kept() {
        let mut fields = Fields::default();
        fields.read_pairs(b"a=1&a=2&b=%41+c&flag&=x", Location::Query);
        let all: Vec<_> =
            fields.leaves().map(|field| format!("{}={}", field.name(), field.value())).collect();
        assert_eq!(all, ["a=1", "a=2", "b=A c", "flag=", "=x"]);
    }

    #[test]
    fn fields_are_bounded() {
        let mut fields = Fields::default();
        fields.read_pairs("a=1&".repeat(FIELDS_MAX + 5).as_bytes(), Location::Form);
        assert_eq!(fields.len(), FIELDS_MAX);
        assert!(fields.anomalies().too_many);
    }
}
