//! `sha1` and `md5`: digests as raw bytes, which `hexEncode` makes readable.
//!
//! Rule sets name values by them, the Core Rule Set a client by its user agent; nothing secret
//! rests on either.

use ::md5::Md5;
use ::sha1::{Digest as _, Sha1};

/// `md5`.
pub(super) fn md5(value: &[u8]) -> Vec<u8> {
    Md5::digest(value).to_vec()
}

/// `sha1`.
pub(super) fn sha1(value: &[u8]) -> Vec<u8> {
    Sha1::digest(value).to_vec()
}
