//! The most common passwords, by their hashes: the first thing that anybody tries who guesses.
//!
//! Some twenty thousand that leaked most often, each as the first four bytes of its SHA-256 in
//! lower case, sorted, in 77 KiB of the program itself. So the list can be looked into without a
//! password standing anywhere, and one password in two hundred thousand that is not on it is taken
//! for one that is, which costs its owner a header. NOTICE names where the list comes from.

use sha2::{Digest as _, Sha256};

/// Bytes of a hash.
const WIDTH: usize = 4;
static HASHES: &[u8] = include_bytes!("common_passwords.bin");

/// No password of the list is longer.
const PASSWORD_BYTES_MAX: usize = 66;

/// Whether `password` is one of the most common, whatever its case.
#[must_use]
pub fn is_common_password(password: &[u8]) -> bool {
    let password = password.trim_ascii();
    let mut buffer = [0; PASSWORD_BYTES_MAX];
    let Some(lower) = buffer.get_mut(..password.len()) else { return false };
    lower.copy_from_slice(password);
    lower.make_ascii_lowercase();
    let hash = Sha256::digest(&*lower);
    let Some(hash) = hash.first_chunk::<WIDTH>() else { return false };
    let (hashes, _) = HASHES.as_chunks::<WIDTH>();
    hashes.binary_search(hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_sorted_for_the_search() {
        let (hashes, rest) = HASHES.as_chunks::<WIDTH>();
        assert!(hashes.is_sorted() && rest.is_empty());
        assert!(hashes.len() > 19_000);
    }

    #[test]
    fn common_ones_are_known_in_any_case_and_others_are_not() {
        for password in ["123456", "Password", "qwerty123", "letmein", " iloveyou ", "DRAGON"] {
            assert!(is_common_password(password.as_bytes()), "{password}");
        }
        for password in ["", "correct horse battery staple", "right-horse", "Tr0ub4dor&3x", "~"] {
            assert!(!is_common_password(password.as_bytes()), "{password}");
        }
        assert!(!is_common_password(&[b'1'; 5_000]));
    }
}
