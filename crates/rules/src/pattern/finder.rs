//! Whether an ordinary pattern matches at all, asked of many short values.
//!
//! An automaton that makes its states when it first meets them. Where a match lies, it does not
//! tell, so that it needs one direction, no groups, and no more memory than the states that values
//! have led to. These are kept apart from it, in a [`Memory`]: whoever looks at values has one for
//! all patterns, and what all of them hold together is bounded.

use regex_automata::{
    Input,
    hybrid::dfa::{Cache, Config, DFA},
    nfa::thompson::{self, WhichCaptures},
    util::syntax,
};

use super::{
    error::PatternError,
    lazy::{COMPILED_BYTES_MAX, LAZY_BYTES_MAX},
};

/// The automaton that tells whether a pattern matches may hold this much. What is compiled to tell
/// where is a few times as large, and thus within its own bound.
const FINDER_BYTES_MAX: usize = COMPILED_BYTES_MAX / 4;

/// So much is kept of the states that values have led to, of all patterns together.
const MEMORY_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The automaton of a pattern.
#[derive(Debug)]
pub(crate) struct Finder(DFA);

/// The states that patterns have met, each pattern by its number.
#[derive(Debug)]
pub(crate) struct Memory {
    caches: Vec<Option<Box<Cache>>>,
    bytes: usize,
}

impl Finder {
    pub(super) fn new(text: &str) -> Result<Self, PatternError> {
        let nfa = thompson::Config::new()
            .utf8(false)
            .which_captures(WhichCaptures::None)
            .nfa_size_limit(Some(FINDER_BYTES_MAX));
        DFA::builder()
            .syntax(syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true))
            .thompson(nfa)
            .configure(Config::new().cache_capacity(LAZY_BYTES_MAX).skip_cache_capacity_check(true))
            .build(text)
            .map(Self)
            .map_err(|error| PatternError::new(error.to_string()))
    }

    /// How much memory it takes, without what it meets.
    pub(crate) fn bytes(&self) -> usize {
        self.0.memory_usage() + self.0.get_nfa().memory_usage()
    }
}

impl Memory {
    /// For patterns with numbers below `patterns`.
    pub(crate) fn new(patterns: usize) -> Self {
        Self { caches: std::iter::repeat_with(|| None).take(patterns).collect(), bytes: 0 }
    }

    /// Does the pattern of that number match somewhere in the value?
    pub(crate) fn finds(&mut self, number: usize, finder: &Finder, value: &[u8]) -> bool {
        let Some(place) = self.caches.get_mut(number) else { return true };
        let before = place.as_ref().map_or(0, |cache| cache.memory_usage());
        let cache = place.get_or_insert_with(|| Box::new(finder.0.create_cache()));
        let found = finder.0.try_search_fwd(cache, &Input::new(value).earliest(true));
        self.bytes = self.bytes.saturating_add(cache.memory_usage()).saturating_sub(before);
        if self.bytes > MEMORY_BYTES_MAX {
            self.caches.iter_mut().for_each(|cache| *cache = None);
            self.bytes = 0;
        }
        // It cannot fail: it neither gives up nor quits at a byte. If it did, the pattern would
        // be asked itself.
        found.map_or(true, |found| found.is_some())
    }

    /// How much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.caches.capacity() * size_of::<Option<Box<Cache>>>()
    }
}
