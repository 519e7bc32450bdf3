//! JA4, the fingerprint of a TLS client, from the bytes of its ClientHello.
//!
//! It tells TLS stacks apart whatever the `User-Agent` claims, which makes it the steadiest fact
//! about a tool that rotates everything else. Only JA4 itself is free to use, so its sisters
//! (JA4H, JA4S and so on) are deliberately absent, and QUIC is, because the gateway does not
//! speak it.
//!
//! The form is `a_b_c`: `a` describes the hello in ten characters, `b` hashes the sorted cipher
//! suites, `c` the sorted extensions and the signature algorithms in their order. Values that
//! clients send only to keep servers tolerant (GREASE, RFC 8701) are skipped everywhere.

mod client_hello;

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

pub use client_hello::{ClientHello, HelloError};

const EXTENSION_SERVER_NAME: u16 = 0x0000;
const EXTENSION_ALPN: u16 = 0x0010;
/// Stands for an empty list, by the definition of JA4.
const EMPTY_LIST_HASH: &str = "000000000000";
/// Two decimal digits are all that the first part has room for.
const COUNT_MAX: usize = 99;

/// The JA4 of a ClientHello, given as the TLS records that carry it or as the bare handshake
/// message; `None` when the bytes are neither, or not complete.
#[must_use]
pub fn fingerprint(bytes: &[u8]) -> Option<String> {
    let hello = match bytes.first() {
        Some(&client_hello::HANDSHAKE_CLIENT_HELLO) => ClientHello::from_handshake(bytes),
        _ => ClientHello::from_records(bytes),
    };
    hello.ok().map(|hello| ja4(&hello))
}

/// The JA4 of a parsed ClientHello.
#[must_use]
pub fn ja4(hello: &ClientHello) -> String {
    let mut ciphers = hello.cipher_suites.clone();
    ciphers.sort_unstable();
    let mut extensions = hello.extensions.clone();
    extensions.retain(|&kind| kind != EXTENSION_SERVER_NAME && kind != EXTENSION_ALPN);
    extensions.sort_unstable();

    let mut extension_list = hex_list(&extensions);
    if !hello.signature_algorithms.is_empty() {
        extension_list.push('_');
        extension_list.push_str(&hex_list(&hello.signature_algorithms));
    }
    let server_name = if hello.extensions.contains(&EXTENSION_SERVER_NAME) { 'd' } else { 'i' };
    let (alpn_first, alpn_last) = alpn_ends(&hello.alpn_first);
    format!(
        "t{version}{server_name}{ciphers:02}{extensions:02}{alpn_first}{alpn_last}_{b}_{c}",
        version = version_digits(hello.version),
        ciphers = hello.cipher_suites.len().min(COUNT_MAX),
        extensions = hello.extensions.len().min(COUNT_MAX),
        b = truncated_hash(&hex_list(&ciphers)),
        c = truncated_hash(&extension_list),
    )
}

fn version_digits(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

/// The two characters that stand for the first ALPN value.
///
/// Bytes outside ASCII become `9` each, which is how the published captures have them. For
/// ASCII that is no letter or digit the published text takes the ends of the hex form instead,
/// which also keeps control characters out of a string that people read.
fn alpn_ends(value: &[u8]) -> (char, char) {
    let (Some(&first), Some(&last)) = (value.first(), value.last()) else {
        return ('0', '0');
    };
    let replaced = |byte: u8| if byte.is_ascii() { byte } else { b'9' };
    let (first, last) = (replaced(first), replaced(last));
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return (char::from(first), char::from(last));
    }
    let nibble = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    (nibble(first >> 4), nibble(last & 0x0f))
}

fn hex_list(values: &[u16]) -> String {
    let mut list = String::with_capacity(values.len() * 5);
    for (position, value) in values.iter().enumerate() {
        let separator = if position == 0 { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(list, "{separator}{value:04x}");
    }
    list
}

fn truncated_hash(list: &str) -> String {
    if list.is_empty() {
        return EMPTY_LIST_HASH.to_owned();
    }
    let digest = Sha256::digest(list.as_bytes());
    let mut hash = String::with_capacity(EMPTY_LIST_HASH.len());
    for byte in digest.iter().take(EMPTY_LIST_HASH.len() / 2) {
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}

#[cfg(test)]
mod tests;
