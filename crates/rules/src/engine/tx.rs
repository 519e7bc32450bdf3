//! `TX`: the variables that rules write for themselves.
//!
//! A name that a rule names outright has a slot, so that reading it costs an index. A name that a
//! macro made is looked up by a hash whose key is drawn anew, so that no choice of names moves the
//! cost. Scores are counted as numbers and become text only when something wants their text. A
//! value is overwritten in place as long as it fits, so that no number of writes takes more room
//! than the longest values.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasher, BuildHasherDefault, RandomState},
};

use super::store::{Source, Span, Store};
use crate::{hash::hash, operator::number, pattern::AsItIs};

/// What a variable holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Kind {
    #[default]
    Absent,
    Number,
    Text,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    kind: Kind,
    number: i64,
    /// Its place among the bytes of `TX`.
    start: u32,
    length: u32,
    room: u32,
}

/// A variable of `TX`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// One that has a slot.
    Slot(u16),
    /// One that a macro named, by the order of its first writing.
    Named(u32),
}

/// The variables of one exchange.
#[derive(Debug, Default)]
pub(super) struct Tx {
    slots: Vec<Cell>,
    named: Vec<Named>,
    /// The last of the names with each hash.
    places: HashMap<u64, u32, BuildHasherDefault<AsItIs>>,
    keys: Keys,
}

/// What nobody outside knows of the hashes of names.
#[derive(Debug)]
struct Keys {
    start: u64,
    factor: u64,
}

impl Default for Keys {
    fn default() -> Self {
        let random = RandomState::new();
        Self { start: random.hash_one(0), factor: random.hash_one(1) | 1 }
    }
}

impl Keys {
    fn hash(&self, name: &[u8]) -> u64 {
        hash(self.start, self.factor, name)
    }
}

/// A variable that a macro named.
#[derive(Debug)]
struct Named {
    name: Span,
    cell: Cell,
    /// The one before with the same hash.
    before: Option<u32>,
}

impl Tx {
    /// Forgets everything, and has so many slots.
    pub(super) fn reset(&mut self, slots: usize) {
        self.slots.clear();
        self.slots.resize(slots, Cell::default());
        self.named.clear();
        self.places.clear();
    }

    /// Forgets everything, and has what another has in its slots.
    pub(super) fn begin_as(&mut self, other: &Self) {
        self.slots.clone_from(&other.slots);
        self.named.clear();
        self.places.clear();
    }

    /// Where a name without a slot stands, if it was ever written.
    pub(super) fn named(&self, name: &[u8], store: &Store) -> Option<Place> {
        let last = self.places.get(&self.keys.hash(name)).copied();
        Self::among(&self.named, last, name, store)
    }

    /// The place of a name among those of one hash, the last of which is given.
    fn among(named: &[Named], last: Option<u32>, name: &[u8], store: &Store) -> Option<Place> {
        let mut at = last;
        while let Some(place) = at {
            let named = named.get(place as usize)?;
            if store.bytes(named.name) == name {
                return Some(Place::Named(place));
            }
            at = named.before;
        }
        None
    }

    /// Where a name without a slot stands; from now on, if it is new.
    pub(super) fn name(&mut self, name: &[u8], store: &mut Store) -> Option<Place> {
        let hash = self.keys.hash(name);
        let at = u32::try_from(self.named.len()).ok()?;
        let before = match self.places.entry(hash) {
            Entry::Vacant(place) => {
                place.insert(at);
                None
            }
            Entry::Occupied(mut place) => {
                if let Some(known) = Self::among(&self.named, Some(*place.get()), name, store) {
                    return Some(known);
                }
                Some(place.insert(at))
            }
        };
        self.named.push(Named { name: store.keep(name), cell: Cell::default(), before });
        Some(Place::Named(at))
    }

    /// The names without a slot that hold a value, in the order of their first writing.
    pub(super) fn names(&self) -> impl Iterator<Item = (Place, Span)> + '_ {
        (0..self.named.len()).filter_map(|at| self.name_at(at))
    }

    /// How many names without a slot there are, whether they hold a value or not.
    pub(super) const fn named_count(&self) -> usize {
        self.named.len()
    }

    /// The name without a slot that was written as one of that number, if it holds a value.
    pub(super) fn name_at(&self, at: usize) -> Option<(Place, Span)> {
        let named = self.named.get(at)?;
        let place = Place::Named(u32::try_from(at).ok()?);
        (named.cell.kind != Kind::Absent).then_some((place, named.name))
    }

    fn cell(&self, place: Place) -> Option<&Cell> {
        match place {
            Place::Slot(slot) => self.slots.get(usize::from(slot)),
            Place::Named(at) => self.named.get(at as usize).map(|named| &named.cell),
        }
    }

    fn cell_mut(&mut self, place: Place) -> Option<&mut Cell> {
        match place {
            Place::Slot(slot) => self.slots.get_mut(usize::from(slot)),
            Place::Named(at) => self.named.get_mut(at as usize).map(|named| &mut named.cell),
        }
    }

    /// Has it a value?
    pub(super) fn is_set(&self, place: Place) -> bool {
        self.cell(place).is_some_and(|cell| cell.kind != Kind::Absent)
    }

    /// Its value as a number; what is no number is 0. Nothing when it has no value.
    pub(super) fn number(&self, place: Place, store: &Store) -> Option<i64> {
        let cell = self.cell(place)?;
        match cell.kind {
            Kind::Absent => None,
            Kind::Number => Some(cell.number),
            Kind::Text => Some(number::atoi(store.bytes(cell.span()))),
        }
    }

    /// Appends its value, whose text is among `texts`, if it has one.
    pub(super) fn write(&self, place: Place, texts: &[u8], out: &mut Vec<u8>) {
        let Some(cell) = self.cell(place) else { return };
        match cell.kind {
            Kind::Absent => {}
            Kind::Number => out.extend_from_slice(decimal(cell.number, &mut [0; 20])),
            Kind::Text => {
                let start = cell.start as usize;
                let text = texts.get(start..start + cell.length as usize);
                out.extend_from_slice(text.unwrap_or_default());
            }
        }
    }

    /// Its value as text.
    pub(super) fn text(&mut self, place: Place, store: &mut Store) -> Option<Span> {
        let cell = self.cell_mut(place)?;
        match cell.kind {
            Kind::Absent => return None,
            Kind::Text => {}
            Kind::Number => {
                let mut digits = [0; 20];
                let digits = decimal(cell.number, &mut digits);
                cell.make_room(digits.len(), store);
                let start = cell.start as usize;
                if let Some(room) = store.tx.get_mut(start..start + digits.len()) {
                    room.copy_from_slice(digits);
                }
                cell.kind = Kind::Text;
            }
        }
        Some(cell.span())
    }

    pub(super) fn set_number(&mut self, place: Place, number: i64) {
        if let Some(cell) = self.cell_mut(place) {
            cell.kind = Kind::Number;
            cell.number = number;
        }
    }

    pub(super) fn set_text(&mut self, place: Place, value: Span, store: &mut Store) {
        if let Some(cell) = self.cell_mut(place) {
            cell.make_room(value.length as usize, store);
            store.write_tx(cell.start as usize, value);
            cell.kind = Kind::Text;
        }
    }

    pub(super) fn unset(&mut self, place: Place) {
        if let Some(cell) = self.cell_mut(place) {
            cell.kind = Kind::Absent;
        }
    }
}

impl Cell {
    fn span(&self) -> Span {
        Span { source: Source::Tx, start: self.start, length: self.length }
    }

    /// Makes it so long, at a new place of twice the length if it does not fit.
    fn make_room(&mut self, length: usize, store: &mut Store) {
        let Ok(length) = u32::try_from(length) else { return };
        if length > self.room {
            let room = length.saturating_mul(2).max(8);
            let start = store.tx.len();
            let Ok(place) = u32::try_from(start) else { return };
            store.tx.resize(start + room as usize, 0);
            self.start = place;
            self.room = room;
        }
        self.length = length;
    }
}

/// A number in decimal digits.
pub(super) fn decimal(number: i64, digits: &mut [u8; 20]) -> &[u8] {
    let mut rest = number.unsigned_abs();
    let mut at = digits.len();
    loop {
        at -= 1;
        if let (Some(digit), Ok(value)) = (digits.get_mut(at), u8::try_from(rest % 10)) {
            *digit = b'0' + value;
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        // The longest number has nineteen digits.
        at -= 1;
        if let Some(sign) = digits.get_mut(at) {
            *sign = b'-';
        }
    }
    digits.get(at..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for number in [0, 7, -1, 42, i64::MAX, i64::MIN] {
            let mut digits = [0; 20];
            assert_eq!(decimal(number, &mut digits), number.to_string().as_bytes());
        }
    }

    #[test]
    fn a_variable_is_overwritten_in_place() {
        let (mut tx, mut store) = (Tx::default(), Store::default());
        tx.reset(2);
        let place = Place::Slot(1);
        assert_eq!((tx.is_set(place), tx.number(place, &store)), (false, None));
        tx.set_number(place, 15);
        assert_eq!(tx.number(place, &store), Some(15));
        let text = tx.text(place, &mut store).unwrap();
        assert_eq!(store.bytes(text), b"15");
        for round in 0..100 {
            let value = store.sketch(if round % 2 == 0 { b"longer value" } else { b"7" });
            tx.set_text(place, value, &mut store);
        }
        assert_eq!(tx.number(place, &store), Some(7));
        assert!(store.tx.len() <= 40, "{}", store.tx.len());
        tx.unset(place);
        assert_eq!(tx.text(place, &mut store), None);
    }

    #[test]
    fn a_name_that_a_macro_made_is_found_again() {
        let (mut tx, mut store) = (Tx::default(), Store::default());
        tx.reset(0);
        assert_eq!(tx.named(b"count_a", &store), None);
        let a = tx.name(b"count_a", &mut store).unwrap();
        let b = tx.name(b"count_b", &mut store).unwrap();
        assert_eq!(tx.name(b"count_a", &mut store), Some(a));
        tx.set_number(b, 2);
        let names: Vec<_> = tx.names().map(|(place, name)| (place, store.bytes(name))).collect();
        assert_eq!(names, [(b, &b"count_b"[..])]);
        let value = tx.text(b, &mut store).unwrap();
        tx.set_text(a, value, &mut store);
        let value = tx.text(a, &mut store).unwrap();
        assert_eq!(store.bytes(value), b"2");
    }
}
