//! Following logs that are being written: through rotation by renaming and by truncation.
//!
//! Polled, because that works on every file system. A file that was renamed is read to its end
//! before the new one of its name is begun; one that became shorter is begun anew.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// One followed file.
pub(crate) struct Followed {
    path: PathBuf,
    open: Option<Open>,
}

struct Open {
    file: File,
    identity: (u64, u64),
    /// How far it has been read.
    at: u64,
    /// Whether what was read last ends a line.
    ends_line: bool,
}

impl Followed {
    /// Follows `path` from its beginning. It need not be there yet.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), open: None }
    }

    /// Takes up the file of that name, if it is there.
    fn take_up(&mut self) -> io::Result<()> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            // Between renaming and creating there is none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let about = file.metadata()?;
        let identity = (about.dev(), about.ino());
        self.open = Some(Open { file, identity, at: 0, ends_line: true });
        Ok(())
    }

    /// Whether another file has the name by now.
    fn is_replaced(&self) -> bool {
        let identity = self.open.as_ref().map(|open| open.identity);
        fs::metadata(&self.path)
            .is_ok_and(|about| identity.is_some_and(|known| known != (about.dev(), about.ino())))
    }
}

impl Open {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.file.metadata()?.len() < self.at {
            self.file.seek(SeekFrom::Start(0))?;
            self.at = 0;
            if !std::mem::replace(&mut self.ends_line, true) {
                return Ok(newline(into));
            }
        }
        let read = self.file.read(into)?;
        self.at += u64::try_from(read).unwrap_or(0);
        if let Some(last) = read.checked_sub(1).and_then(|last| into.get(last)) {
            self.ends_line = *last == b'\n';
        }
        Ok(read)
    }
}

impl Read for Followed {
    /// What there is; nothing at the end of what there is at the moment.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        if self.open.is_none() {
            self.take_up()?;
        }
        let Some(open) = &mut self.open else { return Ok(0) };
        let read = open.read(into)?;
        if read > 0 || !self.is_replaced() {
            return Ok(read);
        }
        // Whoever held the old one open may have written between the two looks.
        let Some(old) = &mut self.open else { return Ok(0) };
        let last = old.read(into)?;
        if last > 0 {
            return Ok(last);
        }
        // A line that the old one did not end is not to run into the new one's first.
        let is_cut = !old.ends_line;
        self.open = None;
        if is_cut {
            return Ok(newline(into));
        }
        self.take_up()?;
        self.open.as_mut().map_or(Ok(0), |open| open.read(into))
    }
}

fn newline(into: &mut [u8]) -> usize {
    into.first_mut().map_or(0, |first| {
        *first = b'\n';
        1
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn drain(followed: &mut Followed) -> String {
        let mut text = String::new();
        let mut buffer = [0; 7];
        loop {
            let read = followed.read(&mut buffer).expect("reads");
            if read == 0 {
                return text;
            }
            text.push_str(std::str::from_utf8(&buffer[..read]).expect("text"));
        }
    }

    #[test]
    fn rotations_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("access.log");
        let mut followed = Followed::new(&path);
        assert_eq!(drain(&mut followed), "", "not there yet");
        let mut writer = File::create(&path).expect("created");
        writer.write_all(b"one\n").expect("written");
        assert_eq!(drain(&mut followed), "one\n");
        // Renamed; the server writes to the old one until it is told.
        fs::rename(&path, folder.path().join("access.log.1")).expect("renamed");
        writer.write_all(b"two\n").expect("written");
        assert_eq!(drain(&mut followed), "two\n");
        writer.write_all(b"three\n").expect("written");
        let mut writer = File::options().append(true).create(true).open(&path).expect("created");
        writer.write_all(b"four\n").expect("written");
        assert_eq!(drain(&mut followed), "three\nfour\n");
        // Copied and truncated.
        writer.set_len(0).expect("truncated");
        assert_eq!(drain(&mut followed), "");
        writer.write_all(b"5\nunfin").expect("written");
        assert_eq!(drain(&mut followed), "5\nunfin");
        writer.set_len(0).expect("truncated");
        writer.write_all(b"6\n").expect("written");
        assert_eq!(drain(&mut followed), "\n6\n");
    }
}
