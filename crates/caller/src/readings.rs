//! What was read of tokens and user agents, for when they come again.
//!
//! A caller sends the same token and the same `User-Agent` with each of its requests, and reading
//! them takes longer than all else that is looked at in a head. Reading depends on the bytes alone,
//! so remembering it changes nothing but the time: a replay, which has no readings, names the same
//! callers.
//!
//! Invariant: bounded, and nobody waits: a shelf that another thread holds is passed by.
//! Invariant: a value is known by its keyed hash, never by itself.

use std::sync::Mutex;

use traffic::{Digest, ParamKind};

use crate::credential::claims::Claims;
use crate::sighting::Agent;

/// Threads seldom meet on one of so many.
const SHELVES: u64 = 16;
/// Tokens remembered on each shelf: 4,096 in all, in half a megabyte.
const TOKENS: u64 = 256;
/// User agents remembered on each shelf: there are far fewer programs than callers.
const AGENTS: u64 = 32;

/// Readings of values that came before. The default remembers nothing.
#[derive(Debug, Default)]
pub struct Readings {
    pub(crate) tokens: Memo<TokenReading>,
    pub(crate) agents: Memo<AgentReading>,
}

/// What a credential's value is, and whom it speaks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenReading {
    pub(crate) kind: ParamKind,
    pub(crate) claims: Claims,
}

/// What a `User-Agent` says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AgentReading {
    pub(crate) agent: Agent,
    /// The hash of the family's name, or of the first word where the family is not known.
    pub(crate) name: Digest,
}

impl Readings {
    /// Readings with room for the callers of one gateway.
    #[must_use]
    pub fn with_room() -> Self {
        Self { tokens: Memo::of(TOKENS), agents: Memo::of(AGENTS) }
    }
}

/// A table in which a value has one place; whatever comes to that place last stays there.
#[derive(Debug)]
pub(crate) struct Memo<T> {
    shelves: Vec<Mutex<Shelf<T>>>,
}

/// By place, the value that was read last, and its reading.
type Shelf<T> = Vec<Option<(Digest, T)>>;

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { shelves: Vec::new() }
    }
}

impl<T: Copy> Memo<T> {
    fn of(places: u64) -> Self {
        let shelf = |_| Mutex::new((0..places).map(|_| None).collect());
        Self { shelves: (0..SHELVES).map(shelf).collect() }
    }

    /// The reading of the value with this hash: the one remembered, or what `read` gives.
    pub(crate) fn recall(&self, value: Digest, read: impl FnOnce() -> T) -> T {
        let Some(shelf) = self.shelves.get(place(value.0, self.shelves.len())) else {
            return read();
        };
        let Ok(mut shelf) = shelf.try_lock() else { return read() };
        let at = place(value.0 >> 32, shelf.len());
        let Some(place) = shelf.get_mut(at) else { return read() };
        match place {
            Some((known, reading)) if *known == value => *reading,
            _ => place.insert((value, read())).1,
        }
    }
}

/// A place among `places` by a number that is evenly spread; zero where there are none.
fn place(number: u64, places: usize) -> usize {
    let places = u64::try_from(places).unwrap_or(u64::MAX);
    usize::try_from(number.checked_rem(places).unwrap_or(0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_once_and_another_takes_its_place() {
        let memo: Memo<u32> = Memo::of(4);
        let (one, two) = (Digest(5), Digest(5 + (1 << 34)));
        assert_eq!(memo.recall(one, || 1), 1);
        assert_eq!(memo.recall(one, || 9), 1);
        assert_eq!(memo.recall(two, || 2), 2, "the same place holds another value");
        assert_eq!(memo.recall(one, || 3), 3);
    }

    #[test]
    fn nothing_is_remembered_without_room_and_nobody_waits() {
        let none: Memo<u32> = Memo::default();
        assert_eq!(none.recall(Digest(1), || 1), 1);
        assert_eq!(none.recall(Digest(1), || 2), 2);
        let memo: Memo<u32> = Memo::of(1);
        let inner = memo.recall(Digest(1), || memo.recall(Digest(1), || 7) + 1);
        assert_eq!(inner, 8, "a shelf in use is passed by");
    }
}
