//! A pattern of a rule: written for PCRE, run in linear time over bytes.
//!
//! Rules are written for PCRE with DOTALL and DOLLAR_ENDONLY, as ModSecurity 2 compiles them: `.`
//! is any byte, `^` and `$` are the ends of the value, `\w`, `\s` and ignored case are ASCII's, and
//! bytes beyond ASCII are bytes. [`dialect`] writes them anew in the syntax of the crate `regex`,
//! which has no pattern that takes more than linear time. The few that look around or refer to
//! their own groups run on a [`machine`] of ours.

mod dialect;
mod error;
mod lazy;
mod machine;
mod places;
mod shared;

use std::{fmt, ops::Range, sync::Arc};

use regex::bytes::{Regex, RegexBuilder};

pub(crate) use lazy::AsItIs;
use lazy::Lazy;
use machine::Machine;
use shared::Shared;

use crate::work::Work;

pub use error::PatternError;

/// The lazy automaton of a pattern that looks around, and of one that chooses names, may hold this
/// much for each thread. There are few of them.
const SELDOM_BYTES_MAX: usize = 64 * 1024;

/// Longer patterns are refused.
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// A pattern that is known to compile, shared by all who have its text.
#[derive(Clone)]
pub struct Pattern(Arc<Compiled>);

struct Compiled {
    program: Program,
    source: Box<[u8]>,
}

enum Program {
    Regex(Box<Lazy>),
    Machine(Box<Machine>),
}

impl Compiled {
    fn new(text: &[u8]) -> Result<Self, PatternError> {
        let rewritten = dialect::rewrite(text)?;
        let program = if rewritten.conditions.is_empty() {
            Program::Regex(Box::new(Lazy::new(rewritten.text)?))
        } else {
            Program::Machine(Box::new(Machine::new(&rewritten)?))
        };
        Ok(Self { program, source: text.into() })
    }
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
        static SHARED: Shared<Compiled> = Shared::new();
        SHARED.get(text, || Compiled::new(text)).map(Self)
    }

    /// The pattern as the rule has it.
    #[must_use]
    pub fn source(&self) -> &[u8] {
        &self.0.source
    }

    /// The pattern compiled for the crate `regex`, for Unicode off and `.` as any byte; nothing
    /// when it asks more than that syntax can say.
    #[must_use]
    pub fn regex(&self) -> Option<Regex> {
        match &self.0.program {
            Program::Regex(lazy) => compile(&lazy.text).ok(),
            Program::Machine(_) => None,
        }
    }

    /// The text of a pattern that matches wherever this one does: of itself, or where it looks
    /// around or refers to a group of one without that, which matches more.
    #[must_use]
    pub fn wider(&self) -> &str {
        match &self.0.program {
            Program::Regex(lazy) => &lazy.text,
            Program::Machine(machine) => machine.wider().as_str(),
        }
    }

    /// Does it match somewhere in the value?
    #[must_use]
    pub fn is_match(&self, value: &[u8]) -> bool {
        self.is_match_within(value, &mut Work::unlimited())
    }

    /// The same as far as `work` allows, which grows by what it costs besides a look at each byte.
    pub(crate) fn is_match_within(&self, value: &[u8], work: &mut Work) -> bool {
        match &self.0.program {
            Program::Regex(lazy) => lazy.is_match(value, work),
            Program::Machine(machine) => machine.find(value, work).is_some(),
        }
    }

    /// The first match and its groups, as many as `groups` has room for; group 0 is the match.
    pub fn captures(&self, value: &[u8], groups: &mut [Option<Range<usize>>]) -> bool {
        groups.fill(None);
        match &self.0.program {
            Program::Regex(lazy) => {
                let Some(slots) = lazy.slots(value, groups.len()) else { return false };
                for (group, ends) in groups.iter_mut().zip(slots.chunks(2)) {
                    *group = match ends {
                        [Some(start), Some(end)] => Some(start.get()..end.get()),
                        _ => None,
                    };
                }
            }
            Program::Machine(machine) => {
                let Some(slots) = machine.find(value, &mut Work::unlimited()) else { return false };
                for (group, ends) in groups.iter_mut().zip(slots.chunks(2)) {
                    *group = match ends {
                        [Some(start), Some(end)] => Some(*start..*end),
                        _ => None,
                    };
                }
            }
        }
        true
    }
}

/// A pattern that is run seldom.
fn compile(text: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(text)
        .unicode(false)
        .dot_matches_new_line(true)
        .dfa_size_limit(SELDOM_BYTES_MAX)
        .size_limit(lazy::COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| PatternError::new(error.to_string()))
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.0.source.escape_ascii())
    }
}

#[cfg(test)]
mod tests;
