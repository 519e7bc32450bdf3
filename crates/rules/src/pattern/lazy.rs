//! A regular expression that is compiled when it is first run, and what running it takes.
//!
//! Each is compiled when it is read, too, so that a mistake is one of the rule file. But compiled,
//! the patterns of a rule set are most of its memory, and on most APIs few of them ever have
//! anything to look at. Fewer still ever match: so whether one does is told by an automaton of one
//! direction without groups, and only what tells where is compiled in full.
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
    dfa::{Automaton, StartKind, dense},
    hybrid::dfa,
    meta,
    nfa::thompson::{self, WhichCaptures},
    util::{primitives::NonMaxUsize, syntax},
};

use super::error::PatternError;
use crate::work::Work;

/// The lazy automaton of one pattern may hold this much for each thread.
const LAZY_BYTES_MAX: usize = 256 * 1024;

/// What it takes to fill that.
const FILL_WORK: usize = 1_000_000;

/// All patterns together may hold this much for each thread. What honest values need of a large
/// rule set is less than half of it.
pub(super) const SCRATCH_BYTES_MAX: usize = 6 * 1024 * 1024;

/// A compiled pattern may hold this much. The largest of the Core Rule Set needs a tenth of it.
pub(super) const COMPILED_BYTES_MAX: usize = 10 * 1024 * 1024;

/// What tells whether it matches may hold this much. In full it is a few times as large, and thus
/// within its own bound.
const FINDER_BYTES_MAX: usize = COMPILED_BYTES_MAX / 4;

/// Where all states of a pattern fit into this, they are made at once: to run it takes no memory
/// beside it, and half the time. Those of the Core Rule Set that fit have less than 1.4 MB.
const TABLE_BYTES_MAX: usize = 32 * 1024;

/// The states of a compiled pattern that is larger than this would hardly fit: it is not tried.
const TABLED_BYTES_MAX: usize = 6 * 1024;

/// The text of a regular expression, and what became of it.
pub(super) struct Lazy {
    pub(super) text: Box<str>,
    /// Unlike that of any other: under it each thread keeps what running takes.
    number: u64,
    /// Whether it matches.
    finder: OnceLock<Option<Finder>>,
    /// Where.
    regex: OnceLock<Option<meta::Regex>>,
}

/// What tells whether a pattern matches.
enum Finder {
    /// A table of all states.
    Table(Box<dense::DFA<Vec<u32>>>),
    /// States are made when they are first needed.
    Lazy(Box<dfa::DFA>),
}

/// Where the next match is, group by group: start and end.
pub(super) type Slots = Vec<Option<NonMaxUsize>>;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

type ByNumber<C> = HashMap<u64, Kept<C>, BuildHasherDefault<AsItIs>>;

/// What running patterns takes, by their numbers.
#[derive(Default)]
struct Scratch {
    finders: ByNumber<dfa::Cache>,
    regexes: ByNumber<meta::Cache>,
    bytes: usize,
}

struct Kept<C> {
    cache: C,
    bytes: usize,
}

impl Lazy {
    pub(super) fn new(text: String) -> Result<Self, PatternError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        finder(&text)?;
        let number = NEXT.fetch_add(1, Relaxed);
        Ok(Self { text: text.into(), number, finder: OnceLock::new(), regex: OnceLock::new() })
    }

    /// Does it match, as far as `work` allows?
    pub(super) fn is_match(&self, value: &[u8], work: &mut Work) -> bool {
        // It is always there: what compiled once does so again.
        let finder = self.finder.get_or_init(|| Finder::new(&self.text)).as_ref();
        let input = Input::new(value).earliest(true);
        let finder = match finder {
            Some(Finder::Lazy(finder)) => finder,
            // A table has no state in which it gives up.
            Some(Finder::Table(table)) => {
                return table.try_search_fwd(&input).is_ok_and(|end| end.is_some());
            }
            None => return false,
        };
        let found = SCRATCH.with_borrow_mut(|scratch| {
            let fresh = || Kept { cache: finder.create_cache(), bytes: 0 };
            let kept = scratch.finders.entry(self.number).or_insert_with(fresh);
            // What others left there takes room, too: only what has none in an empty one has none.
            let found = finder.try_search_fwd(&mut kept.cache, &input).or_else(|_| {
                kept.cache.reset(finder);
                finder.try_search_fwd(&mut kept.cache, &input)
            });
            let bytes = kept.cache.memory_usage() + size_of::<Kept<dfa::Cache>>();
            let before = std::mem::replace(&mut kept.bytes, bytes);
            scratch.grow(before, bytes);
            found
        });
        match found {
            Ok(end) => end.is_some(),
            Err(_) => churns(finder, value, work).unwrap_or_default(),
        }
    }

    /// The first match, with so many groups at most.
    pub(super) fn slots(&self, value: &[u8], groups_max: usize) -> Option<Slots> {
        let regex = self.regex.get_or_init(|| compile(&self.text).ok()).as_ref()?;
        SCRATCH.with_borrow_mut(|scratch| {
            let fresh = || Kept { cache: regex.create_cache(), bytes: 0 };
            let kept = scratch.regexes.entry(self.number).or_insert_with(fresh);
            let mut slots = vec![None; regex.group_info().slot_len().min(2 * groups_max)];
            let found = regex.search_slots_with(&mut kept.cache, &Input::new(value), &mut slots);
            let bytes = kept.cache.memory_usage() + size_of::<Kept<meta::Cache>>();
            let before = std::mem::replace(&mut kept.bytes, bytes);
            scratch.grow(before, bytes);
            found.map(|_| slots)
        })
    }
}

impl Finder {
    fn new(text: &str) -> Option<Self> {
        let lazy = finder(text).ok()?;
        let nfa = lazy.get_nfa();
        let is_small = nfa.memory_usage() <= TABLED_BYTES_MAX;
        let table = is_small.then(|| table(nfa)).flatten();
        Some(table.map_or_else(|| Self::Lazy(Box::new(lazy)), |it| Self::Table(Box::new(it))))
    }
}

/// All states of an automaton, if there are few.
fn table(nfa: &thompson::NFA) -> Option<dense::DFA<Vec<u32>>> {
    let config = dense::Config::new()
        .start_kind(StartKind::Unanchored)
        // Values are short: looking for a byte that leaves a state takes longer than it saves.
        .accelerate(false)
        .dfa_size_limit(Some(TABLE_BYTES_MAX))
        .determinize_size_limit(Some(4 * TABLE_BYTES_MAX));
    dense::DFA::builder().configure(config).build_from_nfa(nfa).ok()
}

impl Scratch {
    /// A cache has grown from `before` to `after` bytes.
    fn grow(&mut self, before: usize, after: usize) {
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
        if self.bytes > SCRATCH_BYTES_MAX {
            *self = Self::default();
        }
    }
}

/// Does a pattern match in a value that takes it through more states than there is room for? They
/// are made and forgotten again and again, which is what it costs. It begins with none, so that it
/// costs the same whatever was looked at before.
fn churns(finder: &dfa::DFA, value: &[u8], work: &mut Work) -> Option<bool> {
    let dfa =
        dfa::DFA::builder().configure(room()).build_from_nfa(finder.get_nfa().clone()).ok()?;
    let mut cache = dfa.create_cache();
    let mut state = dfa.start_state_forward(&mut cache, &Input::new(value)).ok()?;
    let mut filled = 0;
    for byte in value {
        state = dfa.next_state(&mut cache, state, *byte).ok()?;
        if state.is_match() || state.is_dead() {
            return Some(state.is_match());
        }
        if cache.clear_count() > filled {
            filled = cache.clear_count();
            work.spend(FILL_WORK);
            if work.is_over {
                return None;
            }
        }
    }
    let state = dfa.next_eoi_state(&mut cache, state).ok()?;
    Some(state.is_match())
}

/// Bytes are bytes, and `.` is any of them.
fn syntax() -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true)
}

/// As many states as there is room for.
fn room() -> dfa::Config {
    dfa::Config::new().cache_capacity(LAZY_BYTES_MAX).skip_cache_capacity_check(true)
}

/// What tells whether a pattern matches: it gives up where there is no room for another state.
fn finder(text: &str) -> Result<dfa::DFA, PatternError> {
    let nfa = thompson::Config::new()
        .utf8(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(FINDER_BYTES_MAX));
    dfa::DFA::builder()
        .syntax(syntax())
        .thompson(nfa)
        .configure(room().minimum_cache_clear_count(Some(0)))
        .build(text)
        .map_err(|error| PatternError::new(error.to_string()))
}

fn compile(text: &str) -> Result<meta::Regex, PatternError> {
    let config = meta::Config::new()
        .utf8_empty(false)
        // It leaves values that are long for its pattern to a machine that takes ten times as long.
        // For groups, which are seldom asked for, that one is taken for all.
        .backtrack(false)
        .nfa_size_limit(Some(COMPILED_BYTES_MAX))
        .hybrid_cache_capacity(LAZY_BYTES_MAX);
    meta::Regex::builder()
        .configure(config)
        .syntax(syntax())
        .build(text)
        .map_err(|error| PatternError::new(error.to_string()))
}

/// Numbers that are given one after the other need no mixing, nor do those that are hashes.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

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
        let patterns: Vec<_> = (0..60)
            .map(|number| Lazy::new(format!("(?:a|b)*a(?:a|b){{{}}}z{number}", 8 + number % 4)))
            .map(|pattern| pattern.expect("a pattern"))
            .collect();
        let next = |n: &u32| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let random = std::iter::successors(Some(1_u32), next);
        let value: Vec<u8> = random.take(20_000).map(|n| b'a' + (n >> 31) as u8).collect();
        let mut most = 0;
        for pattern in &patterns {
            assert!(!pattern.is_match(&value, &mut Work::unlimited()));
            most = most.max(SCRATCH.with_borrow(|scratch| scratch.bytes));
        }
        assert!(most <= SCRATCH_BYTES_MAX, "{most}");
        assert!(most > SCRATCH_BYTES_MAX / 2, "the test shall come close to the limit: {most}");
    }
}
