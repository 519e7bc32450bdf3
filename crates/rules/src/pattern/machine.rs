//! Patterns that look around or refer to their groups, in linear time.
//!
//! A simulation of the pattern's automaton that carries all its states along at once, each with
//! what it has captured (Thompson's and Pike's). Where a state passes the place of a condition, it
//! goes on only if the condition holds there:
//!
//! - Whether a pattern matches from here on or up to here was found out for all places beforehand,
//!   by one pass of an automaton over the value.
//! - A reference to a group compares bytes. Of several ways to the same state only the preferred
//!   one is followed, so that a match in which another way had captured something else can be
//!   missed; where what is captured depends on the place alone, as it does for a word between two
//!   `\b`, there is no other way.
//!
//! An ordinary pattern that is the same without its conditions goes first: most values end there.

use std::collections::BTreeMap;

use regex::bytes::Regex;
use regex_automata::{
    nfa::thompson::{Compiler, Config, NFA, State},
    util::{look::LookMatcher, primitives::StateID, syntax},
};

use super::{
    compile,
    dialect::{Condition, Reference, Rewritten},
    error::PatternError,
    places::{Place, Scan},
};

/// Of a group that is referred to, longer texts are the same as nothing: comparing takes their
/// length at each place.
const SAME_BYTES_MAX: usize = 256;

/// So often the ordinary pattern is asked where to go on, each time at the cost of a match.
const LEAPS_MAX: usize = 64;

/// As large as an automaton may be.
const NFA_BYTES_MAX: usize = 10 * 1024 * 1024;

/// What was captured: the ends of each group, of group 0 first.
type Slots = Vec<Option<usize>>;

pub(super) struct Machine {
    /// The pattern without its conditions: matches wherever this one does, and more.
    wider: Regex,
    nfa: NFA,
    looks: LookMatcher,
    conditions: Vec<Met>,
    /// For each slot of the automaton, what it is here.
    slots: Vec<Slot>,
    groups: usize,
}

/// A condition, ready to be asked.
enum Met {
    Around { scan: Box<Scan>, is_negated: bool },
    Reference(Condition),
}

#[derive(Clone, Copy)]
enum Slot {
    /// The end of a group.
    Group(usize),
    /// Where a condition is to be met.
    Condition(usize),
    /// Behind it.
    Passed,
}

/// A state to go on from, and what was captured on the way to it.
struct Thread {
    state: StateID,
    slots: Slots,
}

/// The threads at one place, the preferred first, and the states that were seen there.
struct Threads {
    list: Vec<Thread>,
    seen: Vec<bool>,
}

/// One search.
struct Search<'a> {
    machine: &'a Machine,
    value: &'a [u8],
    /// Of conditions that look around, where they hold.
    places: Vec<Vec<Place>>,
    /// Threads behind a reference, by where it ends.
    later: BTreeMap<usize, Vec<Thread>>,
}

impl Machine {
    pub(super) fn new(rewritten: &Rewritten) -> Result<Self, PatternError> {
        let mut wider = rewritten.text.clone();
        let mut conditions = Vec::new();
        for (index, condition) in rewritten.conditions.iter().enumerate() {
            let stands_for = match condition {
                Condition::Same(_) => "(?s:.*?)",
                Condition::Around { .. } | Condition::Ahead { .. } => "(?:)",
            };
            wider = wider.replace(&format!("(?P<_{index}>)"), stands_for);
            conditions.push(match condition {
                Condition::Around { text, direction, is_negated } => {
                    let scan = Box::new(Scan::new(text, *direction)?);
                    Met::Around { scan, is_negated: *is_negated }
                }
                reference => Met::Reference(reference.clone()),
            });
        }
        let nfa = Compiler::new()
            .syntax(syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true))
            .configure(Config::new().utf8(false).nfa_size_limit(Some(NFA_BYTES_MAX)))
            .build(&rewritten.text)
            .map_err(|error| PatternError::new(error.to_string()))?;
        let (slots, groups) = slots(&nfa);
        let looks = LookMatcher::new();
        Ok(Self { wider: compile(&wider)?, nfa, looks, conditions, slots, groups })
    }

    /// A pattern that matches wherever this one does, and more.
    pub(super) fn wider(&self) -> &Regex {
        &self.wider
    }

    /// The ends of the groups of the first match.
    pub(super) fn find(&self, value: &[u8]) -> Option<Slots> {
        let first = self.wider.find(value)?.start();
        let places = self.conditions.iter().map(|condition| match condition {
            Met::Around { scan, .. } => scan.places(value),
            Met::Reference(_) => Vec::new(),
        });
        let places = places.collect();
        Search { machine: self, value, places, later: BTreeMap::new() }.run(first)
    }
}

/// What each slot of the automaton is, and how many groups there are.
fn slots(nfa: &NFA) -> (Vec<Slot>, usize) {
    let info = nfa.group_info();
    let (mut slots, mut groups) = (Vec::new(), 0);
    for (_, _, name) in info.all_names() {
        let condition = name.and_then(|name| name.strip_prefix('_')).and_then(|it| it.parse().ok());
        if let Some(condition) = condition {
            slots.extend([Slot::Condition(condition), Slot::Passed]);
        } else {
            slots.extend([Slot::Group(2 * groups), Slot::Group(2 * groups + 1)]);
            groups += 1;
        }
    }
    // The slots of group 0 stand first, as those of the others do behind it.
    (slots, groups)
}

impl Search<'_> {
    fn run(mut self, first: usize) -> Option<Slots> {
        let states = self.machine.nfa.states().len();
        let mut now = Threads { list: Vec::new(), seen: vec![false; states] };
        let mut next = Threads { list: Vec::new(), seen: vec![false; states] };
        let mut found: Option<Slots> = None;
        let mut leaps = 0;
        let mut at = first;
        while at <= self.value.len() {
            if found.is_none() {
                for thread in self.later.remove(&at).unwrap_or_default() {
                    self.follow(thread, at, &mut now);
                }
                if now.list.is_empty() && self.later.is_empty() && leaps < LEAPS_MAX {
                    leaps += 1;
                    at = self.machine.wider.find_at(self.value, at)?.start();
                }
                let slots = vec![None; 2 * self.machine.groups];
                let state = self.machine.nfa.start_anchored();
                self.follow(Thread { state, slots }, at, &mut now);
            } else if now.list.is_empty() {
                break;
            }
            for thread in now.list.drain(..) {
                if matches!(self.machine.nfa.state(thread.state), State::Match { .. }) {
                    found = Some(thread.slots);
                    break;
                }
                if let Some(state) = self.step(thread.state, at) {
                    self.follow(Thread { state, slots: thread.slots }, at + 1, &mut next);
                }
            }
            now.seen.fill(false);
            std::mem::swap(&mut now, &mut next);
            at += 1;
        }
        found
    }

    /// The state behind the byte at `at`.
    fn step(&self, state: StateID, at: usize) -> Option<StateID> {
        let byte = *self.value.get(at)?;
        match self.machine.nfa.state(state) {
            State::ByteRange { trans } => trans.matches_byte(byte).then_some(trans.next),
            State::Sparse(transitions) => transitions.matches_byte(byte),
            State::Dense(transitions) => transitions.matches_byte(byte),
            _ => None,
        }
    }

    /// Adds every state that can be reached without a byte.
    fn follow(&mut self, thread: Thread, at: usize, threads: &mut Threads) {
        let mut stack = vec![thread];
        while let Some(Thread { state, mut slots }) = stack.pop() {
            match threads.seen.get_mut(state.as_usize()) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            match self.machine.nfa.state(state) {
                State::Look { look, next } => {
                    if self.machine.looks.matches(*look, self.value, at) {
                        stack.push(Thread { state: *next, slots });
                    }
                }
                State::Union { alternates } => {
                    // The preferred one is followed first.
                    let others = alternates.iter().rev();
                    stack.extend(others.map(|it| Thread { state: *it, slots: slots.clone() }));
                }
                State::BinaryUnion { alt1, alt2 } => {
                    stack.push(Thread { state: *alt2, slots: slots.clone() });
                    stack.push(Thread { state: *alt1, slots });
                }
                State::Capture { next, slot, .. } => {
                    match self.machine.slots.get(slot.as_usize()) {
                        Some(Slot::Group(end)) => {
                            if let Some(end) = slots.get_mut(*end) {
                                *end = Some(at);
                            }
                        }
                        Some(Slot::Condition(condition)) => match self.meet(*condition, at, &slots)
                        {
                            None => continue,
                            Some(0) => {}
                            Some(bytes) => {
                                let thread = Thread { state: *next, slots };
                                self.later.entry(at + bytes).or_default().push(thread);
                                continue;
                            }
                        },
                        Some(Slot::Passed) | None => {}
                    }
                    stack.push(Thread { state: *next, slots });
                }
                State::Fail => {}
                _ => threads.list.push(Thread { state, slots }),
            }
        }
    }

    /// How many bytes a condition that holds takes; nothing when it does not hold.
    fn meet(&self, condition: usize, at: usize, slots: &[Option<usize>]) -> Option<usize> {
        match self.machine.conditions.get(condition)? {
            Met::Around { is_negated, .. } => {
                let places = self.places.get(condition)?;
                (Place::holds(places, at) != *is_negated).then_some(0)
            }
            Met::Reference(Condition::Same(of)) => self.same(*of, at, slots),
            Met::Reference(Condition::Ahead { of, begins_word, ends_word, is_negated }) => {
                let holds = self.same(*of, at, slots).is_some_and(|bytes| {
                    (!begins_word || self.is_word_end(at))
                        && (!ends_word || self.is_word_end(at + bytes))
                });
                (holds != *is_negated).then_some(0)
            }
            Met::Reference(Condition::Around { .. }) => None,
        }
    }

    /// How many bytes at `at` are what the group captured.
    fn same(&self, of: Reference, at: usize, slots: &[Option<usize>]) -> Option<usize> {
        let start = slots.get(2 * of.group).copied().flatten()?;
        let end = slots.get(2 * of.group + 1).copied().flatten()?;
        let captured = self.value.get(start..end).filter(|it| it.len() <= SAME_BYTES_MAX)?;
        let here = self.value.get(at..at + captured.len())?;
        let is_same =
            if of.ignores_case { captured.eq_ignore_ascii_case(here) } else { captured == here };
        is_same.then_some(captured.len())
    }

    /// `\b`.
    fn is_word_end(&self, at: usize) -> bool {
        let is_word = |at: Option<usize>| {
            let byte = at.and_then(|at| self.value.get(at));
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        };
        is_word(at.checked_sub(1)) != is_word(Some(at))
    }
}
