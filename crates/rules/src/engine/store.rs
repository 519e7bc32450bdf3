//! The bytes of one exchange, and spans that point into them.
//!
//! An exchange outlives the buffers that it was read from, so its head is copied into one vector,
//! its bodies are reference-counted, and values are places in these. A span stays valid while the
//! vectors grow, which a slice would not.

use bytes::Bytes;

/// Where the bytes of a span stand.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Source {
    /// In what was copied and stays for the whole exchange.
    #[default]
    Kept,
    /// In the request's body.
    RequestBody,
    /// In the answer's body.
    ResponseBody,
    /// Among the values of `TX`, which are overwritten in place.
    Tx,
    /// In what is forgotten when the next rule begins.
    Scratch,
}

/// A place among the bytes of an exchange.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Span {
    pub(super) source: Source,
    pub(super) start: u32,
    pub(super) length: u32,
}

impl Span {
    /// Places fit in 32 bits: heads have kilobytes, and bodies at most 256 MiB, see
    /// [`crate::body::Limits`]. What did not fit would be empty.
    pub(super) fn new(source: Source, start: usize, length: usize) -> Self {
        match (u32::try_from(start), u32::try_from(length)) {
            (Ok(start), Ok(length)) => Self { source, start, length },
            _ => Self { source, ..Self::default() },
        }
    }

    /// The part of it from `start` to `end`, counted from its own beginning.
    pub(super) fn part(self, start: usize, end: usize) -> Self {
        let length = self.length as usize;
        let (start, end) = (start.min(length), end.min(length));
        Self::new(self.source, self.start as usize + start, end.saturating_sub(start))
    }
}

/// All bytes of an exchange.
#[derive(Debug, Default)]
pub(super) struct Store {
    kept: Vec<u8>,
    pub(super) request_body: Bytes,
    pub(super) response_body: Bytes,
    pub(super) tx: Vec<u8>,
    scratch: Vec<u8>,
}

impl Store {
    /// Forgets everything and keeps the room.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.request_body = Bytes::new();
        self.response_body = Bytes::new();
        self.tx.clear();
        self.scratch.clear();
    }

    /// The bytes of memory that it keeps.
    pub(super) const fn room(&self) -> usize {
        self.kept.capacity() + self.tx.capacity() + self.scratch.capacity()
    }

    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        let all: &[u8] = match span.source {
            Source::Kept => &self.kept,
            Source::RequestBody => &self.request_body,
            Source::ResponseBody => &self.response_body,
            Source::Tx => &self.tx,
            Source::Scratch => &self.scratch,
        };
        let start = span.start as usize;
        all.get(start..start + span.length as usize).unwrap_or_default()
    }

    /// Copies bytes for the rest of the exchange.
    pub(super) fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.kept.len();
        self.kept.extend_from_slice(bytes);
        Span::new(Source::Kept, start, bytes.len())
    }

    /// Writes bytes for the rest of the exchange.
    pub(super) fn keep_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.kept.len();
        write(&mut self.kept);
        Span::new(Source::Kept, start, self.kept.len().saturating_sub(start))
    }

    /// The span as one that is good for the rest of the exchange; its first `bytes_max` bytes.
    pub(super) fn keep_span(&mut self, span: Span, bytes_max: usize) -> Span {
        let span = span.part(0, bytes_max);
        match span.source {
            Source::Tx => {
                let start = self.kept.len();
                let range = span.start as usize..(span.start + span.length) as usize;
                self.kept.extend_from_slice(self.tx.get(range).unwrap_or_default());
                Span::new(Source::Kept, start, self.kept.len() - start)
            }
            Source::Scratch => {
                let start = self.kept.len();
                let range = span.start as usize..(span.start + span.length) as usize;
                self.kept.extend_from_slice(self.scratch.get(range).unwrap_or_default());
                Span::new(Source::Kept, start, self.kept.len() - start)
            }
            Source::Kept | Source::RequestBody | Source::ResponseBody => span,
        }
    }

    /// Copies bytes for as long as the present rule runs.
    pub(super) fn sketch(&mut self, bytes: &[u8]) -> Span {
        let start = self.scratch.len();
        self.scratch.extend_from_slice(bytes);
        Span::new(Source::Scratch, start, bytes.len())
    }

    /// The span as one that no `setvar` overwrites while the present rule runs.
    pub(super) fn steady(&mut self, span: Span) -> Span {
        if span.source != Source::Tx {
            return span;
        }
        let start = self.scratch.len();
        let range = span.start as usize..(span.start + span.length) as usize;
        self.scratch.extend_from_slice(self.tx.get(range).unwrap_or_default());
        Span::new(Source::Scratch, start, self.scratch.len() - start)
    }

    /// A new rule begins.
    pub(super) fn forget_scratch(&mut self) {
        self.scratch.clear();
    }

    /// Copies a value to a place among those of `TX`, which has the room.
    pub(super) fn write_tx(&mut self, start: usize, value: Span) {
        let length = value.length as usize;
        let from = value.start as usize..value.start as usize + length;
        if value.source == Source::Tx {
            if from.end <= self.tx.len() && start + length <= self.tx.len() {
                self.tx.copy_within(from, start);
            }
            return;
        }
        let bytes = match value.source {
            Source::Kept | Source::Tx => self.kept.get(from),
            Source::RequestBody => self.request_body.get(from),
            Source::ResponseBody => self.response_body.get(from),
            Source::Scratch => self.scratch.get(from),
        };
        let room = self.tx.get_mut(start..start + length);
        if let (Some(bytes), Some(room)) = (bytes, room) {
            room.copy_from_slice(bytes);
        }
    }
}
