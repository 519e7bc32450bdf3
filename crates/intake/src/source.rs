//! What is read: files, patterns, folders, standard input; as it is, gzip or zstd.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Folders within folders are looked into so deep.
const DEPTH_MAX: usize = 8;
/// More files than this are not read in one go.
const FILES_MAX: usize = 10_000;

/// Something to read.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Source {
    /// A file that was named.
    Named(PathBuf),
    /// A file that was found in a folder.
    Found(PathBuf),
    /// Standard input.
    Stdin,
}

/// A path that leads to nothing.
#[derive(Debug, thiserror::Error)]
pub enum NoSource {
    /// It is not there, or cannot be looked at.
    #[error("cannot read {}: {}", .0.display(), .1)]
    Unreadable(PathBuf, io::Error),
    /// No file fits.
    #[error("no file fits {}", .0.display())]
    NothingFits(PathBuf),
    /// There are too many.
    #[error("more than {FILES_MAX} files")]
    TooMany,
}

impl Source {
    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::Named(path) | Self::Found(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_owned(),
        }
    }

    /// How many bytes it has as it lies there, when that is known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Named(path) | Self::Found(path) => {
                fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|about| about.len())
            }
            Self::Stdin => None,
        }
    }

    /// Opens it. What is read of it, as it lies there, is added to `read`.
    pub(crate) fn open(&self, read: &Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
        let input: Box<dyn Read + Send> = match self {
            Self::Named(path) | Self::Found(path) => Box::new(File::open(path)?),
            Self::Stdin => Box::new(io::stdin()),
        };
        unpacked(Counted { input, read: Arc::clone(read) })
    }
}

/// The sources that `paths` name, each once, in the order of the arguments.
pub(crate) fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, NoSource> {
    let mut found = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            found.push(Source::Stdin);
            continue;
        }
        let named = match fs::metadata(path) {
            Ok(_) => vec![path.clone()],
            Err(_) if is_pattern(path) => fitting(path)?,
            Err(error) => return Err(NoSource::Unreadable(path.clone(), error)),
        };
        for path in named {
            if path.is_dir() {
                within(&path, DEPTH_MAX, &mut found)?;
            } else {
                found.push(Source::Named(path));
            }
        }
        if found.len() > FILES_MAX {
            return Err(NoSource::TooMany);
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|source| seen.insert(source.clone()));
    Ok(found)
}

/// The files in a folder and below it, by name; hidden ones are left out.
fn within(folder: &Path, depth: usize, found: &mut Vec<Source>) -> Result<(), NoSource> {
    let unreadable = |error| NoSource::Unreadable(folder.to_owned(), error);
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(unreadable)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| !path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.')))
        .collect();
    entries.sort();
    for path in entries {
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        if about.is_dir() && depth > 0 {
            within(&path, depth - 1, found)?;
        } else if path.is_file() {
            found.push(Source::Found(path));
        }
        if found.len() > FILES_MAX {
            return Err(NoSource::TooMany);
        }
    }
    Ok(())
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?'])
}

/// The paths that fit a pattern, by name. Shells do this themselves unless it stands in quotes.
fn fitting(pattern: &Path) -> Result<Vec<PathBuf>, NoSource> {
    let mut paths = vec![PathBuf::new()];
    for component in pattern.components() {
        let name = component.as_os_str().to_string_lossy().into_owned();
        if !is_pattern(Path::new(&name)) {
            for path in &mut paths {
                path.push(component);
            }
            continue;
        }
        let mut next = Vec::new();
        for path in &paths {
            let folder = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            let Ok(entries) = fs::read_dir(folder) else { continue };
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            let hides = |entry: &str| entry.starts_with('.') && !name.starts_with('.');
            let names = names.filter(|entry| !hides(entry) && fits(entry, &name));
            next.extend(names.map(|entry| path.join(entry)));
        }
        if next.len() > FILES_MAX {
            return Err(NoSource::TooMany);
        }
        next.sort();
        paths = next;
    }
    paths.retain(|path| path.exists());
    if paths.is_empty() { Err(NoSource::NothingFits(pattern.to_owned())) } else { Ok(paths) }
}

/// Whether `name` fits `pattern`: `*` stands for any text, `?` for one character. On a mismatch
/// only the last star takes one character more, which is enough and never takes long.
fn fits(name: &str, pattern: &str) -> bool {
    let (name, pattern): (Vec<char>, Vec<char>) =
        (name.chars().collect(), pattern.chars().collect());
    let (mut at, mut in_pattern, mut star) = (0, 0, None);
    while let Some(&c) = name.get(at) {
        match pattern.get(in_pattern) {
            Some('*') => {
                star = Some((at, in_pattern));
                in_pattern += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == c => {
                at += 1;
                in_pattern += 1;
            }
            _ => {
                let Some((from, place)) = star else { return false };
                star = Some((from + 1, place));
                at = from + 1;
                in_pattern = place + 1;
            }
        }
    }
    pattern.get(in_pattern..).is_some_and(|rest| rest.iter().all(|&c| c == '*'))
}

// === packing ===

/// Counts what is read.
struct Counted {
    input: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(into)?;
        self.read.fetch_add(u64::try_from(read).unwrap_or(0), Relaxed);
        Ok(read)
    }
}

/// Takes the packing off that the first bytes name.
fn unpacked(mut input: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let mut first = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut first)?;
    let begins = |magic: &[u8]| first.starts_with(magic);
    let (is_gzip, is_zstd) = (begins(&[0x1f, 0x8b]), begins(&[0x28, 0xb5, 0x2f, 0xfd]));
    let has_mark = begins(&[0xef, 0xbb, 0xbf]);
    if has_mark {
        first.drain(..3);
    }
    let whole = BufReader::with_capacity(128 * 1024, Cursor::new(first).chain(input));
    if is_gzip {
        return Ok(Box::new(MultiGzDecoder::new(whole)));
    }
    if is_zstd {
        return Ok(Box::new(Zstd { input: Some(whole), frame: None }));
    }
    Ok(Box::new(whole))
}

/// zstd frames one after another, as appending to a file makes them.
struct Zstd<R: BufRead> {
    /// Between two frames.
    input: Option<R>,
    frame: Option<StreamingDecoder<R, FrameDecoder>>,
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let read = frame.read(into)?;
                if read > 0 || into.is_empty() {
                    return Ok(read);
                }
                self.input = self.frame.take().map(StreamingDecoder::into_inner);
            }
            let Some(mut input) = self.input.take() else { return Ok(0) };
            if input.fill_buf()?.is_empty() {
                return Ok(0);
            }
            let begun = StreamingDecoder::new(input);
            self.frame = Some(begun.map_err(|error| io::Error::other(error.to_string()))?);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        unpacked(Cursor::new(bytes))?.read_to_end(&mut all)?;
        Ok(all)
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(plain).expect("packs");
        packer.finish().expect("packs")
    }

    fn zstd(plain: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn packing_comes_off_also_in_several_pieces() {
        for (bytes, plain) in [
            (b"a\nb".to_vec(), &b"a\nb"[..]),
            (b"x".to_vec(), b"x"),
            (Vec::new(), b""),
            (b"\xef\xbb\xbfa".to_vec(), b"a"),
            ([gzip(b"one\n"), gzip(b"two\n")].concat(), b"one\ntwo\n"),
            ([zstd(b"one\n"), zstd(b"two\n")].concat(), b"one\ntwo\n"),
        ] {
            assert_eq!(read(bytes).expect("reads"), plain);
        }
        assert!(read(gzip(&[b'a'; 1_000])[..20].to_vec()).is_err(), "an end too early is told");
    }

    #[test]
    fn names_fit_patterns() {
        for (name, pattern, expected) in [
            ("access.log.1", "access.log*", true),
            ("access.log", "*.log", true),
            ("a", "?", true),
            ("ab", "?", false),
            ("aaab", "*a*b", true),
            ("aaac", "*a*b", false),
            ("", "*", true),
        ] {
            assert_eq!(fits(name, pattern), expected, "{name} {pattern}");
        }
    }

    #[test]
    fn folders_and_patterns_give_their_files_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("old")).expect("a folder");
        for name in ["access.log", "access.log.1", ".hidden", "old/access.log.2"] {
            fs::write(at(name), "x").expect("written");
        }
        let found = sources(&[folder.path().to_owned()]).expect("files");
        let names = ["access.log", "access.log.1", "old/access.log.2"];
        assert_eq!(found, names.map(|name| Source::Found(at(name))));
        let found = sources(&[at("access*"), at("access.log")]).expect("files");
        assert_eq!(found, ["access.log", "access.log.1"].map(|name| Source::Named(at(name))));
        assert!(matches!(sources(&[at("no*")]), Err(NoSource::NothingFits(_))));
        assert!(matches!(sources(&[at("no")]), Err(NoSource::Unreadable(..))));
    }
}
