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

use crate::{byte_set::ByteSet, work::Work};

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

/// What it takes to follow a state, and to find for a byte where a condition holds.
const STATE_WORK: usize = 8;
const PLACES_WORK: usize = 16;

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
    /// What a match may begin with, unless it may be empty.
    first: Option<ByteSet>,
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

/// A state to go on from later, and what was captured on the way to it.
struct Thread {
    state: StateID,
    slots: Slots,
}

/// The threads at one place, the preferred first, each with what it captured, and the states that
/// were seen there.
struct Threads {
    list: Vec<StateID>,
    slots: Slots,
    /// Of each state when it was last seen: in the present round, or before.
    seen: Vec<usize>,
    round: usize,
    /// How many they are in this round.
    seen_count: usize,
}

/// What is left to do while states are followed.
enum Frame {
    Explore(StateID),
    /// The way on which this was captured ends.
    Restore {
        end: usize,
        was: Option<usize>,
    },
}

/// One search.
struct Search<'a> {
    machine: &'a Machine,
    value: &'a [u8],
    /// Of conditions that look around, where they hold.
    places: Vec<Vec<Place>>,
    /// Threads behind a reference, by where it ends.
    later: BTreeMap<usize, Vec<Thread>>,
    /// Room that is used again and again.
    stack: Vec<Frame>,
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
        let (looks, first) = (LookMatcher::new(), first(&nfa, &slots, &conditions));
        Ok(Self { wider: compile(&wider)?, nfa, looks, conditions, slots, groups, first })
    }

    /// A pattern that matches wherever this one does, and more.
    pub(super) fn wider(&self) -> &Regex {
        &self.wider
    }

    /// The ends of the groups of the first match.
    pub(super) fn find(&self, value: &[u8], work: &mut Work) -> Option<Slots> {
        let first = self.wider.find(value)?.start();
        work.spend(value.len().saturating_mul(self.conditions.len() * PLACES_WORK));
        let places = self.conditions.iter().map(|condition| match condition {
            Met::Around { scan, .. } => scan.places(value),
            Met::Reference(_) => Vec::new(),
        });
        let places = places.collect();
        let (later, stack) = (BTreeMap::new(), Vec::new());
        Search { machine: self, value, places, later, stack }.run(first, work)
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

/// The bytes of which every match has one first; nothing when that cannot be told.
fn first(nfa: &NFA, slots: &[Slot], conditions: &[Met]) -> Option<ByteSet> {
    let mut first = ByteSet::NONE;
    let mut seen = vec![false; nfa.states().len()];
    let mut stack = vec![nfa.start_anchored()];
    while let Some(state) = stack.pop() {
        match seen.get_mut(state.as_usize()) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        match nfa.state(state) {
            State::ByteRange { trans } => {
                first = first.union(ByteSet::range(trans.start, trans.end));
            }
            State::Sparse(transitions) => {
                for it in transitions.transitions.iter() {
                    first = first.union(ByteSet::range(it.start, it.end));
                }
            }
            State::Dense(_) | State::Match { .. } => return None,
            State::Look { next, .. } => stack.push(*next),
            State::Union { alternates } => stack.extend(alternates.iter()),
            State::BinaryUnion { alt1, alt2 } => stack.extend([*alt1, *alt2]),
            State::Capture { next, slot, .. } => {
                // A reference takes bytes of its own.
                if let Some(Slot::Condition(it)) = slots.get(slot.as_usize())
                    && !matches!(conditions.get(*it), Some(Met::Around { .. }))
                {
                    return None;
                }
                stack.push(*next);
            }
            State::Fail => {}
        }
    }
    Some(first)
}

impl Threads {
    fn new(states: usize) -> Self {
        Self { list: Vec::new(), slots: Vec::new(), seen: vec![0; states], round: 1, seen_count: 0 }
    }

    /// Was the state not seen in this round?
    fn is_new(&mut self, state: StateID) -> bool {
        let round = self.round;
        let seen = self.seen.get_mut(state.as_usize());
        let is_new = seen.is_some_and(|seen| std::mem::replace(seen, round) != round);
        self.seen_count += usize::from(is_new);
        is_new
    }

    fn clear(&mut self) {
        self.list.clear();
        self.slots.clear();
        self.round += 1;
        self.seen_count = 0;
    }
}

impl Search<'_> {
    fn run(mut self, first: usize, work: &mut Work) -> Option<Slots> {
        let (states, width) = (self.machine.nfa.states().len(), 2 * self.machine.groups);
        let (mut now, mut next) = (Threads::new(states), Threads::new(states));
        let mut slots = vec![None; width];
        let mut found: Option<Slots> = None;
        let mut leaps = 0;
        let mut at = first;
        while at <= self.value.len() && !work.is_over {
            if found.is_none() {
                for mut thread in self.later.remove(&at).unwrap_or_default() {
                    self.follow(thread.state, &mut thread.slots, at, &mut now);
                }
                if now.list.is_empty() && self.later.is_empty() && leaps < LEAPS_MAX {
                    leaps += 1;
                    at = self.machine.wider.find_at(self.value, at)?.start();
                }
                if self.may_begin(at) {
                    slots.fill(None);
                    self.follow(self.machine.nfa.start_anchored(), &mut slots, at, &mut now);
                }
            } else if now.list.is_empty() {
                break;
            }
            for (place, state) in now.list.iter().enumerate() {
                let captured = now.slots.get(place * width..).unwrap_or_default();
                slots.clear();
                slots.extend(captured.iter().take(width));
                if matches!(self.machine.nfa.state(*state), State::Match { .. }) {
                    found = Some(slots.clone());
                    break;
                }
                if let Some(state) = self.step(*state, at) {
                    self.follow(state, &mut slots, at + 1, &mut next);
                }
            }
            work.spend((next.seen_count + 1).saturating_mul(STATE_WORK));
            now.clear();
            std::mem::swap(&mut now, &mut next);
            at += 1;
        }
        found
    }

    /// May a match begin at `at`?
    fn may_begin(&self, at: usize) -> bool {
        let Some(first) = self.machine.first else { return true };
        self.value.get(at).is_some_and(|byte| first.contains(*byte))
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

    /// Adds every state that can be reached without a byte, the preferred first.
    fn follow(&mut self, from: StateID, slots: &mut Slots, at: usize, threads: &mut Threads) {
        let mut stack = std::mem::take(&mut self.stack);
        stack.push(Frame::Explore(from));
        while let Some(frame) = stack.pop() {
            match frame {
                Frame::Explore(state) => self.explore(state, slots, at, threads, &mut stack),
                Frame::Restore { end, was } => {
                    if let Some(slot) = slots.get_mut(end) {
                        *slot = was;
                    }
                }
            }
        }
        self.stack = stack;
    }

    /// Goes from state to state as long as none takes a byte; other ways than the preferred one are
    /// left on the stack.
    fn explore(
        &mut self,
        mut state: StateID,
        slots: &mut Slots,
        at: usize,
        threads: &mut Threads,
        stack: &mut Vec<Frame>,
    ) {
        while threads.is_new(state) {
            state = match self.machine.nfa.state(state) {
                State::Look { look, next } => {
                    if !self.machine.looks.matches(*look, self.value, at) {
                        return;
                    }
                    *next
                }
                State::Union { alternates } => {
                    let Some((preferred, others)) = alternates.split_first() else { return };
                    stack.extend(others.iter().rev().map(|it| Frame::Explore(*it)));
                    *preferred
                }
                State::BinaryUnion { alt1, alt2 } => {
                    stack.push(Frame::Explore(*alt2));
                    *alt1
                }
                State::Capture { next, slot, .. } => {
                    match self.machine.slots.get(slot.as_usize()) {
                        Some(Slot::Group(end)) => {
                            if let Some(slot) = slots.get_mut(*end) {
                                stack.push(Frame::Restore { end: *end, was: *slot });
                                *slot = Some(at);
                            }
                        }
                        Some(Slot::Condition(condition)) => {
                            match self.meet(*condition, at, slots) {
                                None => return,
                                Some(0) => {}
                                Some(bytes) => {
                                    let thread = Thread { state: *next, slots: slots.clone() };
                                    self.later.entry(at + bytes).or_default().push(thread);
                                    return;
                                }
                            }
                        }
                        Some(Slot::Passed) | None => {}
                    }
                    *next
                }
                State::Fail => return,
                _ => {
                    threads.list.push(state);
                    threads.slots.extend_from_slice(slots);
                    return;
                }
            };
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
