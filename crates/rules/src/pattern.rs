//! A pattern of a rule: written for PCRE, run in linear time over bytes.
//!
//! Rules are written for PCRE with DOTALL and DOLLAR_ENDONLY, as ModSecurity 2 compiles them: `.`
//! is any byte, `^` and `$` are the ends of the value, `\w`, `\s` and ignored case are ASCII's, and
//! bytes beyond ASCII are bytes. [`dialect`] writes them anew in the syntax of the crate `regex`,
//! which has no pattern that takes more than linear time.

mod dialect;
mod error;

use std::{fmt, ops::Range, sync::Arc};

use regex::bytes::{Regex, RegexBuilder};

pub use error::PatternError;

/// The lazy automaton of one pattern may hold this much for each thread: with hundreds of patterns
/// the usual 2 MB would be more than everything else together.
const LAZY_BYTES_MAX: usize = 256 * 1024;

/// A compiled pattern may hold this much. The largest of the Core Rule Set needs a tenth of it.
const COMPILED_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Longer patterns are refused.
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// A compiled pattern, shared when it is cloned.
#[derive(Clone)]
pub struct Pattern(Arc<Compiled>);

struct Compiled {
    regex: Regex,
    source: Box<[u8]>,
}

impl Pattern {
    /// Compiles a pattern as a rule has it.
    ///
    /// # Errors
    /// When it is malformed, too large, or needs what cannot be had in linear time.
    pub fn parse(text: &[u8]) -> Result<Self, PatternError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(PatternError::new(format!(
                "it is {} bytes long, more than {TEXT_BYTES_MAX}",
                text.len()
            )));
        }
        let regex = compile(&dialect::rewrite(text)?)?;
        Ok(Self(Arc::new(Compiled { regex, source: text.into() })))
    }

    /// The pattern as the rule has it.
    #[must_use]
    pub fn source(&self) -> &[u8] {
        &self.0.source
    }

    /// The pattern in the syntax of the crate `regex`, for Unicode off and `.` as any byte; nothing
    /// when it asks more than that syntax can say.
    #[must_use]
    pub fn regex(&self) -> Option<&Regex> {
        Some(&self.0.regex)
    }

    /// Does it match somewhere in the value?
    #[must_use]
    pub fn is_match(&self, value: &[u8]) -> bool {
        self.0.regex.is_match(value)
    }

    /// The first match and its groups, as many as `groups` has room for; group 0 is the match.
    pub fn captures(&self, value: &[u8], groups: &mut [Option<Range<usize>>]) -> bool {
        groups.fill(None);
        let mut locations = self.0.regex.capture_locations();
        if self.0.regex.captures_read(&mut locations, value).is_none() {
            return false;
        }
        for (index, group) in groups.iter_mut().enumerate() {
            *group = locations.get(index).map(|(start, end)| start..end);
        }
        true
    }
}

fn compile(text: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(text)
        .unicode(false)
        .dot_matches_new_line(true)
        .dfa_size_limit(LAZY_BYTES_MAX)
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| PatternError::new(error.to_string()))
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.0.source.escape_ascii())
    }
}
