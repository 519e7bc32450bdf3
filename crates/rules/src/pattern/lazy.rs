//! A regular expression that is compiled when it is first run, and what running it takes.
//!
//! A mistake in it is found when the rule file is read, by compiling what only tells whether it
//! matches. But all of it compiled, the patterns of a rule set are most of its memory, and on most
//! APIs few of them ever match anything.
//!
//! To run one takes memory beside it, by and by as much as it may have, and a caller who knows the
//! rules can make all of them take theirs. So each thread keeps that memory for all patterns
//! together, up to a limit; beyond it everything is forgotten and made anew, which costs time in
//! proportion to what is made.

use std::{
    cell::RefCell,
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use regex_automata::{
    Input,
    meta::{Cache, Config, Regex},
    util::{primitives::NonMaxUsize, syntax},
};

use super::error::PatternError;

/// The lazy automaton of one pattern may hold this much for each thread.
pub(super) const LAZY_BYTES_MAX: usize = 256 * 1024;

/// All patterns together may hold this much for each thread. What honest values need of a large
/// rule set is less than half of it.
pub(super) const SCRATCH_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A compiled pattern may hold this much. The largest of the Core Rule Set needs a tenth of it.
pub(super) const COMPILED_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The text of a regular expression, and what became of it.
pub(super) struct Lazy {
    pub(super) text: Box<str>,
    /// Unlike that of any other: under it each thread keeps what running takes.
    number: u64,
    regex: OnceLock<Option<Regex>>,
}

/// Where the next match is, group by group: start and end.
pub(super) type Slots = Vec<Option<NonMaxUsize>>;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What running patterns takes, by their numbers.
#[derive(Default)]
struct Scratch {
    caches: HashMap<u64, Kept, BuildHasherDefault<AsItIs>>,
    bytes: usize,
}

struct Kept {
    cache: Cache,
    bytes: usize,
}

impl Lazy {
    /// Of a text that is known to compile.
    pub(super) fn new(text: String) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { text: text.into(), number: NEXT.fetch_add(1, Relaxed), regex: OnceLock::new() }
    }

    pub(super) fn is_match(&self, value: &[u8]) -> bool {
        let input = Input::new(value).earliest(true);
        self.run(|regex, cache| regex.search_half_with(cache, &input).is_some()).unwrap_or(false)
    }

    /// The first match, with so many groups at most.
    pub(super) fn slots(&self, value: &[u8], groups_max: usize) -> Option<Slots> {
        let input = Input::new(value);
        self.run(|regex, cache| {
            let mut slots = vec![None; regex.group_info().slot_len().min(2 * groups_max)];
            regex.search_slots_with(cache, &input, &mut slots).map(|_| slots)
        })?
    }

    fn run<R>(&self, search: impl FnOnce(&Regex, &mut Cache) -> R) -> Option<R> {
        // It is always there: what compiled once does so again.
        let regex = self.regex.get_or_init(|| compile(&self.text).ok()).as_ref()?;
        SCRATCH.with_borrow_mut(|scratch| {
            let fresh = || Kept { cache: regex.create_cache(), bytes: 0 };
            let kept = scratch.caches.entry(self.number).or_insert_with(fresh);
            let found = search(regex, &mut kept.cache);
            let bytes = kept.cache.memory_usage() + size_of::<Kept>();
            scratch.bytes = scratch.bytes - kept.bytes + bytes;
            kept.bytes = bytes;
            if scratch.bytes > SCRATCH_BYTES_MAX {
                *scratch = Scratch::default();
            }
            Some(found)
        })
    }
}

fn compile(text: &str) -> Result<Regex, PatternError> {
    let config = Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(COMPILED_BYTES_MAX))
        .hybrid_cache_capacity(LAZY_BYTES_MAX);
    Regex::builder()
        .configure(config)
        .syntax(syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true))
        .build(text)
        .map_err(|error| PatternError::new(error.to_string()))
}

/// Numbers that are given one after the other need no mixing.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        // The table takes its place from the low bits and tells entries apart by the highest.
        self.0 = number ^ number.rotate_right(7);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_running_takes_stays_within_its_limit() {
        let patterns: Vec<_> = (0..200)
            .map(|number| Lazy::new(format!("(?:a|b)*a(?:a|b){{{}}}z{number}", 8 + number % 4)))
            .collect();
        let value: Vec<u8> = (0..20_000_u32).map(|n| b'a' + (n * n / 7 % 2) as u8).collect();
        let mut most = 0;
        for pattern in &patterns {
            assert!(!pattern.is_match(&value));
            most = most.max(SCRATCH.with_borrow(|scratch| scratch.bytes));
        }
        assert!(most <= SCRATCH_BYTES_MAX, "{most}");
        assert!(most > SCRATCH_BYTES_MAX / 2, "the test shall come close to the limit: {most}");
    }
}
