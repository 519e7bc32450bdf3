//! What waits for a sink: lines in files, with a cap, read in the order in which they were written.
//!
//! A spool is a folder of segments, `00000001.jsonl` and so on, and a file `sent` that says how far
//! the sink has been told. A line is synced before anybody relies on it; how far the sink was told
//! is not, so that after a crash the last of it is sent again: at least once, never not at all. A
//! line that a crash tore is left out.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A segment that is longer takes no more lines; it is removed when it was sent.
const SEGMENT_BYTES: u64 = 1 << 20;
/// Lines that are read together; the last of them may exceed it.
const READ_BYTES_MAX: usize = 512 << 10;
/// Longer lines are not taken.
pub(crate) const LINE_BYTES_MAX: usize = 256 << 10;
const SENT: &str = "sent";

/// How far the sink has been told.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Place {
    segment: u64,
    byte: u64,
}

/// A line that waits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Waiting {
    pub(crate) line: Vec<u8>,
    /// Where the next one begins.
    pub(crate) end: Place,
}

/// Why a line was not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// The spool is full.
    Full,
    /// The disk does not take it.
    Disk(io::Error),
}

#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    bytes_max: u64,
    segments: VecDeque<Segment>,
    head: Place,
    /// The last segment, while lines are added to it.
    open: Option<File>,
    waiting: u64,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    number: u64,
    bytes: u64,
}

impl Spool {
    /// Opens the spool in `folder`, making what is missing.
    pub(crate) fn open(folder: &Path, bytes_max: u64) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut segments = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".jsonl")?.parse().ok());
            if let Some(number) = number {
                segments.push(Segment { number, bytes: entry.metadata()?.len() });
            }
        }
        segments.sort_by_key(|segment| segment.number);
        let mut spool = Self {
            folder: folder.to_owned(),
            bytes_max,
            segments: segments.into(),
            head: Place::default(),
            open: None,
            waiting: 0,
        };
        let sent = fs::read(spool.folder.join(SENT)).unwrap_or_default();
        let sent: Place = serde_json::from_slice(&sent).unwrap_or_default();
        spool.begin_at(sent);
        spool.waiting = spool.count()?;
        Ok(spool)
    }

    /// How many lines wait.
    pub(crate) const fn waiting(&self) -> u64 {
        self.waiting
    }

    /// And how many bytes.
    pub(crate) fn bytes(&self) -> u64 {
        let all: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        all.saturating_sub(self.head.byte)
    }

    pub(crate) const fn limit(&mut self, bytes_max: u64) {
        self.bytes_max = bytes_max;
    }

    /// Adds lines, and comes back when they are on disk: how many there was room for.
    pub(crate) fn append(&mut self, lines: &[Vec<u8>]) -> Result<usize, NotTaken> {
        let mut bytes = Vec::new();
        let mut taken = 0;
        for line in lines {
            let all = self.bytes() + (bytes.len() + line.len() + 1) as u64;
            if line.len() > LINE_BYTES_MAX || all > self.bytes_max {
                break;
            }
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
            taken += 1;
        }
        if taken == 0 {
            return Err(NotTaken::Full);
        }
        self.write(&bytes).map_err(NotTaken::Disk)?;
        self.waiting += taken as u64;
        Ok(taken)
    }

    /// The first lines that wait, up to `most` of them.
    pub(crate) fn first(&self, most: usize) -> io::Result<Vec<Waiting>> {
        let (mut found, mut bytes) = (Vec::new(), 0);
        let mut at = self.head;
        let is_enough = |found: &[Waiting], bytes| found.len() >= most || bytes >= READ_BYTES_MAX;
        while !is_enough(&found, bytes) {
            let Some(segment) = self.segment(at.segment) else { break };
            let mut reader = self.reader(at)?;
            while !is_enough(&found, bytes) {
                let mut line = Vec::new();
                at.byte += reader.read_until(b'\n', &mut line)? as u64;
                if line.pop() != Some(b'\n') {
                    break;
                }
                bytes += line.len();
                found.push(Waiting { line, end: at });
            }
            if !is_enough(&found, bytes) {
                match self.after(segment.number) {
                    Some(next) => at = Place { segment: next, byte: 0 },
                    None => break,
                }
            }
        }
        Ok(found)
    }

    /// The sink was told `lines` more, up to `end`.
    pub(crate) fn sent(&mut self, end: Place, lines: u64) {
        self.waiting = self.waiting.saturating_sub(lines);
        self.begin_at(end);
        if let Some(last) = self.segments.back().copied()
            && end.segment == last.number
            && end.byte >= last.bytes
        {
            // All was sent: the last segment may go, and the next line begins another.
            self.begin_at(Place { segment: last.number + 1, byte: 0 });
            (self.open, self.waiting) = (None, 0);
        }
        let text = serde_json::to_vec(&self.head).unwrap_or_default();
        if let Err(error) = replace(&self.folder.join(SENT), &text) {
            tracing::debug!(%error, "after a crash more would be sent again");
        }
    }

    /// Forgets segments before `place`.
    fn begin_at(&mut self, place: Place) {
        while let Some(first) = self.segments.front().copied()
            && first.number < place.segment
        {
            self.segments.pop_front();
            let path = self.path(first.number);
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(%error, path = %path.display(), "what was sent cannot be removed");
            }
        }
        let is_there = self.segments.front().is_some_and(|first| first.number == place.segment);
        self.head = match self.segments.front() {
            Some(_) if is_there => place,
            Some(first) => Place { segment: first.number, byte: 0 },
            // A number that was never used: what `sent` says may be older than what is gone.
            None => Place { segment: place.segment + 1, byte: 0 },
        };
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let is_long = self.segments.back().is_some_and(|last| last.bytes >= SEGMENT_BYTES);
        if self.open.is_none() || is_long {
            self.begin_segment()?;
        }
        let (Some(file), Some(last)) = (&mut self.open, self.segments.back_mut()) else {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        };
        match file.write_all(bytes).and_then(|()| file.sync_data()) {
            Ok(()) => {
                last.bytes += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Half a line must not become the beginning of the next.
                let whole = file.set_len(last.bytes).is_ok();
                if !whole {
                    self.open = None;
                }
                Err(error)
            }
        }
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        let number = self.segments.back().map_or(self.head.segment.max(1), |last| last.number + 1);
        let path = self.path(number);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        File::open(&self.folder)?.sync_all()?;
        let bytes = file.metadata()?.len();
        self.open = Some(file);
        if self.segments.is_empty() {
            self.head = Place { segment: number, byte: bytes };
        }
        self.segments.push_back(Segment { number, bytes });
        Ok(())
    }

    fn count(&self) -> io::Result<u64> {
        let mut lines = 0;
        for segment in &self.segments {
            let byte = if segment.number == self.head.segment { self.head.byte } else { 0 };
            let mut reader = self.reader(Place { segment: segment.number, byte })?;
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line)? > 0 {
                lines += u64::from(line.last() == Some(&b'\n'));
                line.clear();
            }
        }
        Ok(lines)
    }

    fn reader(&self, at: Place) -> io::Result<BufReader<File>> {
        let mut file = File::open(self.path(at.segment))?;
        file.seek(SeekFrom::Start(at.byte))?;
        Ok(BufReader::new(file))
    }

    fn segment(&self, number: u64) -> Option<Segment> {
        self.segments.iter().find(|segment| segment.number == number).copied()
    }

    fn after(&self, number: u64) -> Option<u64> {
        self.segments.iter().map(|segment| segment.number).find(|other| *other > number)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:08}.jsonl"))
    }
}

/// Puts `bytes` in the place of a file: a crash leaves the old ones or the new ones.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests;
