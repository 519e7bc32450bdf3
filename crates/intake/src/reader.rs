//! The lines of a recording, one by one.

use std::io::{BufRead, Read};

use traffic::recording::{ExchangeLine, HeaderLine, Line, OrderLine};

use crate::summary::Skipped;

/// Longer lines are not read: two bodies of 128 KiB in base64 and their heads stay far below.
const LINE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The version of the format that is understood.
const VERSION: u32 = 1;

/// A recording being read.
#[derive(Debug)]
pub struct Recording<R> {
    input: R,
    number: u64,
    header: Option<HeaderLine>,
    /// A line that was read to look for the header and is no header.
    first: Option<Read1>,
}

#[derive(Debug)]
struct Read1 {
    number: u64,
    line: Result<Line, String>,
}

/// One line that is not a header at the start.
#[derive(Debug)]
pub(crate) enum Item {
    /// An exchange and its line number.
    Exchange(u64, Box<ExchangeLine>),
    /// The policy changed here.
    Header(Box<HeaderLine>),
    /// An operator ordered something here.
    Order(u64, Box<OrderLine>),
    /// A line that cannot be used.
    Skipped(Skipped),
}

/// The input cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum NotReadable {
    /// Reading failed.
    #[error("reading failed: {0}")]
    Io(#[from] std::io::Error),
    /// The header is of another version.
    #[error("the recording is of format version {0}; this program reads version {VERSION}")]
    Version(u32),
}

impl<R: BufRead> Recording<R> {
    /// Begins to read, up to and including the header when there is one.
    pub fn open(input: R) -> Result<Self, NotReadable> {
        let mut recording = Self { input, number: 0, header: None, first: None };
        match recording.read_line()? {
            Some(Read1 { line: Ok(Line::Header(header)), .. }) => {
                if header.palisade_recording != VERSION {
                    return Err(NotReadable::Version(header.palisade_recording));
                }
                recording.header = Some(*header);
            }
            other => recording.first = other,
        }
        Ok(recording)
    }

    /// The header, when the recording has one.
    pub const fn header(&self) -> Option<&HeaderLine> {
        self.header.as_ref()
    }

    /// The next line that is not empty.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, NotReadable> {
        let read = match self.first.take() {
            Some(first) => Some(first),
            None => self.read_line()?,
        };
        Ok(read.map(|Read1 { number, line }| match line {
            Ok(Line::Exchange(exchange)) => Item::Exchange(number, exchange),
            Ok(Line::Header(header)) => Item::Header(header),
            Ok(Line::Order(order)) => Item::Order(number, order),
            Err(reason) => Item::Skipped(Skipped { line: number, reason }),
        }))
    }

    fn read_line(&mut self) -> Result<Option<Read1>, NotReadable> {
        loop {
            let mut bytes = Vec::new();
            let read = self.input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if u64::try_from(read).unwrap_or(u64::MAX) >= LINE_BYTES_MAX
                && bytes.last() != Some(&b'\n')
            {
                self.skip_line()?;
                let reason = format!("the line is longer than {} MiB", LINE_BYTES_MAX >> 20);
                return Ok(Some(Read1 { number: self.number, line: Err(reason) }));
            }
            let text = bytes.trim_ascii();
            if !text.is_empty() {
                return Ok(Some(Read1 { number: self.number, line: parse(text) }));
            }
        }
    }

    fn skip_line(&mut self) -> Result<(), NotReadable> {
        loop {
            let buffer = self.input.fill_buf()?;
            let Some(at) = buffer.iter().position(|byte| *byte == b'\n') else {
                let length = buffer.len();
                if length == 0 {
                    return Ok(());
                }
                self.input.consume(length);
                continue;
            };
            self.input.consume(at + 1);
            return Ok(());
        }
    }
}

/// Parses a line; what is wrong names the field.
fn parse(text: &[u8]) -> Result<Line, String> {
    // The forms are told apart first, so that an error is about the right one.
    #[derive(serde::Deserialize)]
    struct Probe {
        palisade_recording: Option<u32>,
        order: Option<serde::de::IgnoredAny>,
    }
    let probe: Probe =
        serde_json::from_slice(text).map_err(|error| format!("not a JSON object: {error}"))?;
    if probe.palisade_recording.is_some() {
        let header =
            serde_json::from_slice(text).map_err(|error| format!("not a header: {error}"))?;
        return Ok(Line::Header(Box::new(header)));
    }
    if probe.order.is_some() {
        let order =
            serde_json::from_slice(text).map_err(|error| format!("not an order: {error}"))?;
        return Ok(Line::Order(Box::new(order)));
    }
    let exchange =
        serde_json::from_slice(text).map_err(|error| format!("not an exchange: {error}"))?;
    Ok(Line::Exchange(Box::new(exchange)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<Item> {
        let mut recording = Recording::open(text.as_bytes()).expect("readable");
        std::iter::from_fn(|| recording.next().expect("readable")).collect()
    }

    #[test]
    fn a_bad_line_is_named_and_the_rest_is_read() {
        let text = "{\"request\":{\"method\":\"GET\",\"url\":\"/\"}}\n\nnonsense\n{\"request\":{\"method\":\"GET\"}}\n{\"request\":{\"method\":\"GET\",\"url\":\"/b\"}}";
        let items = items(text);
        assert!(matches!(items.first(), Some(Item::Exchange(1, _))));
        assert!(matches!(items.get(1), Some(Item::Skipped(skipped)) if skipped.line == 3));
        assert!(
            matches!(items.get(2), Some(Item::Skipped(skipped)) if skipped.reason.contains("url"))
        );
        assert!(matches!(items.get(3), Some(Item::Exchange(5, _))));
    }

    #[test]
    fn another_version_is_refused() {
        assert!(matches!(
            Recording::open(&b"{\"palisade_recording\":9}"[..]),
            Err(NotReadable::Version(9))
        ));
    }
}
