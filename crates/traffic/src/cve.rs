//! The number of a published vulnerability.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A CVE identifier: `CVE-2021-44228`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Cve {
    /// The year in which it was given its number.
    pub year: u16,
    /// Its number within the year.
    pub number: u32,
}

impl Cve {
    /// The vulnerability that `text` names.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.strip_prefix("CVE-")?;
        let (year, number) = text.split_once('-')?;
        // A parser of numbers would take a sign, too.
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_plain(year) || !is_plain(number) {
            return None;
        }
        Some(Self { year: year.parse().ok()?, number: number.parse().ok()? })
    }
}

impl fmt::Display for Cve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CVE-{}-{:04}", self.year, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for text in ["CVE-2021-44228", "CVE-2014-6271", "CVE-2012-0391"] {
            let read = Cve::parse(text.as_bytes()).map(|cve| cve.to_string());
            assert_eq!(read.as_deref(), Some(text));
        }
        for text in
            ["CWE-22", "CVE-2021", "CVE-x-1", "cve-2021-44228", "CVE-2021-44228-1", "CVE-2021-+1"]
        {
            assert_eq!(Cve::parse(text.as_bytes()), None, "{text}");
        }
    }
}
