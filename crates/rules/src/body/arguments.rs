//! Named values, in the order and as often as they were sent.
//!
//! A body has hundreds of them, so they are not objects of their own: what stands in the body as it
//! is meant is pointed at, and only what was decoded or put together is written, all of it into one
//! buffer. An argument costs 16 bytes and no allocation.

/// One named value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Argument<'s> {
    /// Its name, decoded; may be empty.
    pub name: &'s [u8],
    /// Its value, decoded; may be empty.
    pub value: &'s [u8],
}

/// The arguments of a body, a query or a Cookie header.
#[derive(Clone, Debug, Default)]
pub struct Arguments<'a> {
    raw: &'a [u8],
    written: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    name: Span,
    value: Span,
}

/// Some bytes of the body, or of what was written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    /// The highest bit says that this is a place in what was written.
    start: u32,
    length: u32,
}

const IS_WRITTEN: u32 = 1 << 31;

impl<'a> Arguments<'a> {
    /// None yet, of a body whose bytes are `raw`.
    pub(super) const fn of(raw: &'a [u8]) -> Self {
        Self { raw, written: Vec::new(), entries: Vec::new() }
    }

    /// All of them, in document order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Argument<'_>> + Clone {
        self.entries
            .iter()
            .map(|entry| Argument { name: self.bytes(entry.name), value: self.bytes(entry.value) })
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Are there none?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes of all names and values together: `ARGS_COMBINED_SIZE`.
    #[must_use]
    pub fn combined_bytes(&self) -> usize {
        self.iter().map(|argument| argument.name.len() + argument.value.len()).sum()
    }

    pub(super) fn push(&mut self, name: Span, value: Span) {
        self.entries.push(Entry { name, value });
    }

    pub(super) fn reserve(&mut self, entries: usize, written: usize) {
        self.entries.reserve(entries);
        self.written.reserve(written);
    }

    /// The bytes `start..end` of the body.
    pub(super) fn raw_span(start: usize, end: usize) -> Span {
        Span::new(start, end.saturating_sub(start), 0)
    }

    /// Where bytes can be written. [`Self::written_since`] then tells where they stand.
    pub(super) const fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.written
    }

    /// What was written after the buffer was `start` bytes long.
    pub(super) fn written_since(&self, start: usize) -> Span {
        Span::new(start, self.written.len().saturating_sub(start), IS_WRITTEN)
    }

    fn bytes(&self, span: Span) -> &[u8] {
        let start = (span.start & !IS_WRITTEN) as usize;
        let all = if span.start & IS_WRITTEN == 0 { self.raw } else { &self.written };
        all.get(start..start + span.length as usize).unwrap_or_default()
    }
}

impl Span {
    /// The limits keep places below 2^31, see [`super::Limits`]; what did not would be empty.
    fn new(start: usize, length: usize, mark: u32) -> Self {
        match (u32::try_from(start), u32::try_from(length)) {
            (Ok(start), Ok(length)) if start < IS_WRITTEN => Self { start: start | mark, length },
            _ => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_point_into_the_body_or_into_what_was_written() {
        let mut arguments = Arguments::of(b"name=value");
        arguments.buffer().extend_from_slice(b"unused");
        let start = arguments.buffer().len();
        arguments.buffer().extend_from_slice(b"decoded");
        let decoded = arguments.written_since(start);
        arguments.push(Arguments::raw_span(0, 4), decoded);
        arguments.push(Span::default(), Arguments::raw_span(5, 10));
        let all: Vec<_> = arguments.iter().collect();
        assert_eq!(all[0], Argument { name: b"name", value: b"decoded" });
        assert_eq!(all[1], Argument { name: b"", value: b"value" });
        assert_eq!(arguments.combined_bytes(), 4 + 7 + 5);
    }
}
