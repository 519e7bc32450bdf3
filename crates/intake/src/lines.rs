//! The lines of an input as slices of one buffer.
//!
//! Nothing is copied but the part of a line that a buffer's end cuts off. A line longer than the
//! limit is passed over without being held.

use std::io::{self, Read};

/// The buffer's size as long as no line is longer.
const BUFFER_BYTES: usize = 256 * 1024;

/// An input, line by line.
pub(crate) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// What has been read and not given out: `buffer[start..end]`.
    start: usize,
    end: usize,
    /// No newline stands in `buffer[start..searched]`.
    searched: usize,
    is_over: bool,
    /// The rest of a line that is too long is being passed over.
    is_passing: bool,
    longest: usize,
}

/// One line without its newline.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Line<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// It is longer than the limit.
    TooLong,
}

impl<R: Read> Lines<R> {
    /// Lines of `input` of at most `longest` bytes.
    pub(crate) fn new(input: R, longest: usize) -> Self {
        let buffer = vec![0; BUFFER_BYTES.min(longest.max(64))];
        Self {
            input,
            buffer,
            start: 0,
            end: 0,
            searched: 0,
            is_over: false,
            is_passing: false,
            longest,
        }
    }

    /// What comes next, as far as the buffer holds it, without taking it.
    pub(crate) fn peek(&mut self) -> io::Result<&[u8]> {
        self.is_over = false;
        while !self.is_over && self.end < self.buffer.len() {
            self.fill()?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    /// The next line. An input that may grow can be asked again after its end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.is_over = false;
        loop {
            let unsearched = self.buffer.get(self.searched..self.end).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', unsearched) {
                let (from, to) = (self.start, self.searched + at);
                (self.start, self.searched) = (to + 1, to + 1);
                if std::mem::take(&mut self.is_passing) {
                    return Ok(Some(Line::TooLong));
                }
                return Ok(Some(Line::Whole(self.buffer.get(from..to).unwrap_or_default())));
            }
            self.searched = self.end;
            if self.is_over {
                return Ok(None);
            }
            self.fill()?;
        }
    }

    /// What stands behind the last newline, once there is nothing more to come.
    pub(crate) fn rest(&mut self) -> Option<Line<'_>> {
        let (from, to) = (self.start, self.end);
        (self.start, self.end, self.searched) = (0, 0, 0);
        if std::mem::take(&mut self.is_passing) {
            return Some(Line::TooLong);
        }
        (to > from).then(|| Line::Whole(self.buffer.get(from..to).unwrap_or_default()))
    }

    /// What is read from, to look at it or to put another in its place.
    pub(crate) const fn input_mut(&mut self) -> &mut R {
        &mut self.input
    }

    /// Reads on, and makes room first where there is none.
    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 && self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched = self.searched.saturating_sub(self.start);
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            if self.buffer.len() >= self.longest {
                self.is_passing = true;
                (self.end, self.searched) = (0, 0);
            } else {
                self.buffer.resize((self.buffer.len() * 2).min(self.longest), 0);
            }
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.end += read;
        self.is_over = read == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives at most `most` bytes at a time.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(into.len());
            self.0.read(into.get_mut(..most).unwrap_or_default())
        }
    }

    fn lines(text: &[u8], at_a_time: usize, longest: usize) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::new(Dribble(text, at_a_time), longest);
        let owned = |line: Line<'_>| match line {
            Line::Whole(line) => Some(line.to_vec()),
            Line::TooLong => None,
        };
        let mut all = Vec::new();
        while let Some(line) = lines.next().expect("reads") {
            all.push(owned(line));
        }
        all.extend(lines.rest().map(owned));
        all
    }

    #[test]
    fn a_long_line_is_passed_over_and_the_next_is_whole() {
        let text = [&b"ab\n"[..], &[b'x'; 500], b"\ncd\n", &[b'y'; 64], b"\nend"].concat();
        let expected =
            [Some(b"ab".to_vec()), None, Some(b"cd".to_vec()), None, Some(b"end".to_vec())];
        for at_a_time in [1, 7, 63, 64, 65, 1_000] {
            assert_eq!(lines(&text, at_a_time, 64), expected, "{at_a_time} at a time");
        }
    }

    #[test]
    fn the_beginning_can_be_looked_at_first() {
        let mut lines = Lines::new(&b"one\ntwo"[..], 1_000);
        assert_eq!(lines.peek().expect("reads"), b"one\ntwo");
        assert_eq!(lines.next().expect("reads"), Some(Line::Whole(b"one")));
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_text(
            text in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), any::<u8>()], 0..300),
            at_a_time in 1_usize..80,
        ) {
            let mut expected: Vec<_> =
                text.split(|byte| *byte == b'\n').map(|line| Some(line.to_vec())).collect();
            if expected.last().is_some_and(|last| last.as_deref() == Some(&[])) {
                expected.pop();
            }
            prop_assert_eq!(lines(&text, at_a_time, 1_000), expected);
        }
    }
}
