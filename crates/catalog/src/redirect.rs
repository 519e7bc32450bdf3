//! Where an answer redirects to, as far as outcomes depend on it.

use traffic::{Digest, Hasher, Path};

use crate::role::clue::{self, Clue};

/// The target of a `Location` header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Redirect {
    /// The shape of the path it leads to: identifiers in it do not count.
    pub shape: Digest,
    /// Whether it leads to a log-in: then the answer is a refusal, whatever its status says.
    pub asks_login: bool,
    /// Whether it carries an error along (`?error=…`).
    pub says_error: bool,
}

impl Redirect {
    /// Reads a `Location`, absolute or relative.
    pub fn of(location: &str, hasher: &Hasher) -> Self {
        let (path, query) = traffic::path::split_target(location.as_bytes());
        let path = Path::parse(path, hasher);
        let says_error = query.is_some_and(|query| {
            query.split(|byte| matches!(byte, b'&' | b'#')).any(|pair| {
                let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
                [&b"error"[..], b"err", b"failed", b"failure", b"login_error", b"auth_error"]
                    .iter()
                    .any(|word| name.eq_ignore_ascii_case(word))
            })
        });
        let asks_login = clue::of_path(&path).has(Clue::PathLogin);
        Self { shape: path.shape(), asks_login, says_error }
    }
}
