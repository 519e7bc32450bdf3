//! Whether a value would change the meaning of an SQL statement or of an HTML page that it is put
//! into: what SecLang's `@detectSQLi` and `@detectXSS` ask.
//!
//! The semantics are those of libinjection 4.0: its word list, its fingerprints and its lists of
//! tags, attributes and events are data of ours, too (see NOTICE), and its verdicts and
//! fingerprints are ours, including where it reads oddly. The code is our own, and where the
//! original can be made to take time in the square of the value, this one cannot.
//!
//! Both functions are total, take no memory and no recursion, and take time linear in the value.

mod sqli;
mod xss;

#[cfg(test)]
mod tests;

pub(crate) use sqli::SQLI_NEEDS;
pub use sqli::{Fingerprint, sqli, sqli_is_possible};
pub use xss::{xss, xss_is_possible};
