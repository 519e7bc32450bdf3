//! What the `User-Agent` claims to be: family, major version and class.
//!
//! A claim, not a fact: it is part of what tells two devices behind one address apart, and what
//! the fingerprints are later held against. One pass over the words, a sorted table, no regular
//! expressions: the header is as hostile as any other, and this runs on each request.

mod products;

use products::{PRODUCTS, Product};

/// More than any honest `User-Agent` needs; the rest is not read.
const AGENT_BYTES_MAX: usize = 512;
/// More words than that say nothing new.
const WORDS_MAX: usize = 64;
/// The longest product name of the table fits.
const NAME_BYTES_MAX: usize = 32;

/// What kind of program says it is calling.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ClientClass {
    /// A native application, by the library of its platform.
    App,
    /// A browser.
    Browser,
    /// A crawler that says so.
    Crawler,
    /// A command line tool, a library for scripts, a scanner, a driven browser.
    Tool,
    /// Nothing known, or nothing said.
    #[default]
    Unknown,
}

/// The reading of one `User-Agent`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct UserAgent<'a> {
    /// The family by its table name; empty where it is not known.
    pub family: &'static str,
    /// The first word as sent, which is what there is to tell unknown programs apart.
    pub first_word: &'a str,
    /// The major version; zero where there is none.
    pub major: u32,
    /// What kind of program that is.
    pub class: ClientClass,
}

impl<'a> UserAgent<'a> {
    /// Reads the header's value, as far as it is text.
    #[must_use]
    pub fn read(value: &'a [u8]) -> Self {
        let value = value.get(..AGENT_BYTES_MAX).unwrap_or(value);
        let mut read = Self::default();
        let mut first = true;
        let mut best_rank = 0;
        let mut safari_version = 0;
        for word in words(value).take(WORDS_MAX) {
            let mut lower = [0; NAME_BYTES_MAX];
            let name = word.lower_name(&mut lower);
            if first {
                first = false;
                read.first_word = word.name;
                read.major = word.major;
            }
            if name == b"version" {
                // Safari writes its own version under this name.
                safari_version = word.major;
            }
            let found = known(name).or_else(|| names_a_crawler(name, &word).then_some(CRAWLER));
            if let Some(product) = found
                && product.rank > best_rank
            {
                best_rank = product.rank;
                read.family = product.family;
                read.class = product.class;
                read.major = if product.family == "safari" { safari_version } else { word.major };
            }
        }
        read
    }
}

/// The crawlers that are known by name.
pub fn crawlers() -> impl Iterator<Item = &'static str> {
    let crawlers = PRODUCTS.iter().filter(|(_, it)| it.class == ClientClass::Crawler);
    crawlers.map(|(_, product)| product.family).filter(|family| *family != CRAWLER.family)
}

/// What says no more than that it is one: any crawler that is known by its name is that one,
/// though it gives an address, too.
const CRAWLER: Product = Product { family: "crawler", class: ClientClass::Crawler, rank: 84 };

fn known(name: &[u8]) -> Option<Product> {
    let first = usize::from(*name.first()?);
    let (start, end) = (*FIRST_BYTE.get(first)?, *FIRST_BYTE.get(first + 1)?);
    let candidates = PRODUCTS.get(usize::from(start)..usize::from(end))?;
    candidates.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, product)| *product)
}

/// Where the names that begin with a byte begin in the table, and end where the next byte's do.
const FIRST_BYTE: [u16; 257] = {
    let mut starts = [0; 257];
    let mut byte = 0;
    let mut at = 0;
    while byte < 257 {
        while at < PRODUCTS.len() && (PRODUCTS[at].0.as_bytes()[0] as usize) < byte {
            at += 1;
        }
        // The table has some hundreds of names.
        starts[byte] = at as u16;
        byte += 1;
    }
    starts
};

/// Whether a name that the table does not list follows the custom by which crawlers say so, or
/// gives an address where they are explained.
fn names_a_crawler(name: &[u8], word: &Word<'_>) -> bool {
    // `cubot` makes telephones.
    word.is_address || (name != b"cubot" && (0..name.len()).any(|at| has_earmark(name.get(at..))))
}

fn has_earmark(rest: Option<&[u8]>) -> bool {
    let Some(rest) = rest else { return false };
    let starts = |mark: &[u8]| rest.starts_with(mark);
    match rest.first() {
        Some(b'b') => starts(b"bot"),
        Some(b'c') => starts(b"crawl") || starts(b"checker"),
        Some(b'f') => starts(b"fetch"),
        Some(b'm') => starts(b"monitor"),
        Some(b'p') => starts(b"preview"),
        Some(b's') => starts(b"spider") || starts(b"scan"),
        _ => false,
    }
}

/// One word of the header: `name/version`, or a bare name.
#[derive(Clone, Copy, Debug)]
struct Word<'a> {
    name: &'a str,
    major: u32,
    /// A link, often with a `+` before it: the custom by which crawlers explain themselves.
    is_address: bool,
}

impl Word<'_> {
    fn lower_name<'b>(&self, buffer: &'b mut [u8; NAME_BYTES_MAX]) -> &'b [u8] {
        let length = self.name.len().min(NAME_BYTES_MAX);
        for (lower, byte) in buffer.iter_mut().zip(self.name.bytes()) {
            *lower = byte.to_ascii_lowercase();
        }
        buffer.get(..length).unwrap_or_default()
    }
}

fn words(value: &[u8]) -> impl Iterator<Item = Word<'_>> {
    // Of a value that is not text, what comes before it ceases to be.
    let text = match std::str::from_utf8(value) {
        Ok(text) => text,
        Err(error) => {
            let valid = value.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
    };
    text.split([' ', '\t', ';', ',', '(', ')']).filter_map(|word| {
        let link = word.trim_start_matches('+');
        let is_address = link.starts_with("http://") || link.starts_with("https://");
        let (name, version) = match word.split_once('/') {
            Some((name, version)) if !is_address => (name, version),
            _ => (word, ""),
        };
        (!name.is_empty()).then(|| Word { name, major: leading_number(version), is_address })
    })
}

fn leading_number(version: &str) -> u32 {
    let digits = version.bytes().take_while(u8::is_ascii_digit).take(6);
    digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}

#[cfg(test)]
mod tests;
