//! The key of all hashes, in a file of its own that only its owner can read.
//!
//! Made once from the operating system's randomness and never replaced: without it nothing that is
//! stored can be recognised again. It is not in the database, so that a copy of the database alone
//! cannot be searched for known names.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use traffic::HashKey;

use crate::error::OpenError;
use crate::folder::make_private_file;

/// The key in `path`, made now if there is none.
pub(crate) fn load_or_create(path: &Path) -> Result<HashKey, OpenError> {
    let failed = |doing| move |source| OpenError::Io { doing, path: path.to_owned(), source };
    match fs::read_to_string(path) {
        Ok(text) => {
            make_private_file(path).map_err(failed("protect"))?;
            parse(&text).ok_or_else(|| OpenError::BadKey { path: path.to_owned() })
        }
        Err(source) if source.kind() == ErrorKind::NotFound => {
            create(path).map_err(failed("write"))
        }
        Err(source) if source.kind() == ErrorKind::InvalidData => {
            Err(OpenError::BadKey { path: path.to_owned() })
        }
        Err(source) => Err(failed("read")(source)),
    }
}

/// Whether there is a key in `path`.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    parse(&text).map(drop).ok_or_else(|| "it is not one of 32 hexadecimal digits".to_owned())
}

/// Writes a new key beside its place and moves it there whole: a crash leaves a key or none.
fn create(path: &Path) -> std::io::Result<HashKey> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let beside = path.with_extension("new");
    let mut file =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(HashKey::new(bytes))
}

fn parse(text: &str) -> Option<HashKey> {
    let digits = text.trim();
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(digits, 16).ok().map(|number| HashKey::new(number.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let scratch = tempfile::tempdir().expect("a folder");
        let path = scratch.path().join("key");
        let made = load_or_create(&path).expect("made");
        assert!(load_or_create(&path).expect("read") == made);
        let other = load_or_create(&scratch.path().join("other")).expect("made");
        assert!(other != made, "two installations must not share a key");
        let mode = fs::metadata(&path).expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_an_error_and_stays_as_it_is() {
        let scratch = tempfile::tempdir().expect("a folder");
        let path = scratch.path().join("key");
        for damaged in [&b""[..], b"0123", b"zz23456789abcdef0123456789abcdef", b"\xff\xfe"] {
            fs::write(&path, damaged).expect("write");
            let error = load_or_create(&path).expect_err("not a key");
            assert!(matches!(error, OpenError::BadKey { .. }), "{error}");
            assert_eq!(fs::read(&path).expect("read"), damaged);
        }
    }
}
