//! Persistent collections: what rules remember of an address, a session or a user from one
//! exchange to the next.
//!
//! An exchange works on a copy of the collections that it opened, and tells what it changed when it
//! is done, so that counts of exchanges at the same time add up and the lock is held for a moment.
//! All records together have a bounded size; the one that was untouched for longest makes room.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    program::Program,
    state::{Key, Row, State},
    store::Span,
};
use crate::{operator::number::atoi, variable::Variable};

/// What all records may take by default: some ten thousand of the sizes that rule sets write.
const BYTES_MAX: usize = 8 << 20;
/// What a record takes besides its texts: its places in two trees.
const RECORD_BYTES: usize = 256;
/// What a variable takes besides its texts.
const VARIABLE_BYTES: usize = 96;
/// Variables of a record.
const VARIABLES_MAX: usize = 64;
/// Bytes of a record's key, of a variable's name, and of its value.
const TEXT_BYTES_MAX: usize = 1_024;
/// Collections that one exchange opens: one of each kind.
const OPENED_MAX: usize = 5;

type RecordKey = (Variable, Box<[u8]>);

/// The records that outlive exchanges. A reload keeps them.
#[derive(Debug)]
pub struct Collections {
    shelf: Mutex<Shelf>,
    bytes_max: usize,
}

impl Default for Collections {
    fn default() -> Self {
        Self::new(BYTES_MAX)
    }
}

#[derive(Debug, Default)]
struct Shelf {
    records: BTreeMap<RecordKey, Record>,
    /// Records by when they were last touched.
    order: BTreeMap<u64, RecordKey>,
    touches: u64,
    /// What all records take.
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Record {
    variables: BTreeMap<Box<[u8]>, Lasting>,
    touched: u64,
    expires_s: u64,
    /// What it takes, as it was last counted.
    bytes: usize,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Lasting {
    value: Box<[u8]>,
    expires_s: Option<u64>,
}

/// A collection that the exchange works with.
#[derive(Debug)]
pub(super) struct Opened {
    collection: Variable,
    key: Box<[u8]>,
    record: Record,
    changes: Vec<(Box<[u8]>, Write)>,
}

/// What becomes of a variable.
#[derive(Clone, Debug)]
pub(super) enum Write {
    Set(Vec<u8>),
    Add(i64),
    Unset,
    Expire { after_s: u64 },
}

impl Record {
    fn write(&mut self, name: &[u8], write: &Write, now_s: u64) {
        let is_new = !self.variables.contains_key(name);
        let has_room = !is_new || self.variables.len() < VARIABLES_MAX;
        if !has_room || name.len() > TEXT_BYTES_MAX {
            return;
        }
        match write {
            Write::Unset => {
                self.variables.remove(name);
            }
            Write::Expire { after_s } => {
                if let Some(variable) = self.variables.get_mut(name) {
                    variable.expires_s = Some(now_s.saturating_add(*after_s));
                }
            }
            Write::Set(value) => {
                let value = value.get(..TEXT_BYTES_MAX).unwrap_or(value);
                self.variables.entry(name.into()).or_default().value = value.into();
            }
            Write::Add(by) => {
                let variable = self.variables.entry(name.into()).or_default();
                let sum = atoi(&variable.value).saturating_add(*by);
                variable.value = sum.to_string().into_bytes().into();
            }
        }
    }

    /// What it takes, without its key.
    fn size(&self) -> usize {
        let variables = self.variables.iter();
        let texts = variables.map(|(name, it)| name.len() + it.value.len() + VARIABLE_BYTES);
        RECORD_BYTES + texts.sum::<usize>()
    }

    fn forget_expired(&mut self, now_s: u64) {
        self.variables.retain(|_, variable| variable.expires_s.is_none_or(|at| at > now_s));
    }
}

impl Collections {
    /// None yet, and room for so many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { shelf: Mutex::default(), bytes_max }
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // A panic elsewhere leaves whole records behind: each change is one step.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().records.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read(&self, key: &RecordKey, now_s: u64) -> Record {
        let shelf = self.lock();
        let record = shelf.records.get(key).filter(|record| record.expires_s > now_s);
        let mut record = record.cloned().unwrap_or_default();
        drop(shelf);
        record.forget_expired(now_s);
        record
    }

    fn write(&self, opened: &Opened, now_s: u64, timeout_s: u32) {
        let key = (opened.collection, opened.key.clone());
        let mut shelf = self.lock();
        let shelf = &mut *shelf;
        shelf.touches += 1;
        let record = shelf.records.entry(key.clone()).or_default();
        if record.expires_s <= now_s {
            record.variables.clear();
        }
        record.forget_expired(now_s);
        for (name, write) in &opened.changes {
            record.write(name, write, now_s);
        }
        record.expires_s = now_s.saturating_add(u64::from(timeout_s));
        let before = std::mem::replace(&mut record.touched, shelf.touches);
        shelf.order.remove(&before);
        let bytes = record.size() + 2 * key.1.len();
        shelf.bytes = shelf.bytes.saturating_add(bytes).saturating_sub(record.bytes);
        record.bytes = bytes;
        shelf.order.insert(shelf.touches, key);
        while shelf.bytes > self.bytes_max
            && let Some((_, oldest)) = shelf.order.pop_first()
        {
            let removed = shelf.records.remove(&oldest);
            shelf.bytes = shelf.bytes.saturating_sub(removed.map_or(0, |record| record.bytes));
        }
    }
}

impl State {
    fn now_s(&self) -> u64 {
        self.surroundings.now_us / 1_000_000
    }

    /// `initcol`, `setsid`, `setuid`, `setrsc`.
    pub(super) fn open_lasting(
        &mut self,
        program: &Program,
        collections: &Collections,
        collection: Variable,
        name: &[u8],
    ) {
        let is_open = self.opened.iter().any(|it| it.collection == collection);
        if is_open || self.opened.len() >= OPENED_MAX || name.is_empty() {
            return;
        }
        let name = name.get(..TEXT_BYTES_MAX).unwrap_or(name);
        let single = match collection {
            Variable::Session => Some(Variable::SessionId),
            Variable::User => Some(Variable::UserId),
            _ => None,
        };
        if let Some(single) = single {
            let id = self.store.keep(name);
            self.singles.set(single, id);
        }
        let mut key = Vec::from(name);
        if let Some(application) = &program.set.settings.web_app_id {
            key.push(0);
            key.extend_from_slice(application.as_bytes());
        }
        let key = (collection, key.into_boxed_slice());
        let record = collections.read(&key, self.now_s());
        self.opened.push(Opened { collection, key: key.1, record, changes: Vec::new() });
    }

    /// Changes a variable of an open collection; of one that is not open there are none.
    pub(super) fn write_lasting(&mut self, collection: Variable, name: &[u8], write: Write) {
        let now_s = self.now_s();
        let opened = self.opened.iter_mut().find(|it| it.collection == collection);
        if let Some(opened) = opened
            && opened.changes.len() < VARIABLES_MAX * 4
        {
            opened.record.write(name, &write, now_s);
            opened.changes.push((name.into(), write));
        }
    }

    pub(super) fn lasting_value(&mut self, collection: Variable, name: &[u8]) -> Option<Span> {
        let opened = self.opened.iter().find(|it| it.collection == collection)?;
        let variable = opened.record.variables.get(name)?;
        Some(self.store.sketch(&variable.value))
    }

    pub(super) fn lasting_rows(&mut self, collection: Variable, rows: &mut Vec<Row>) {
        let opened = self.opened.iter().find(|it| it.collection == collection);
        for (name, variable) in opened.iter().flat_map(|it| &it.record.variables) {
            let key = Key::Text(self.store.sketch(name));
            rows.push(Row { key, value: self.store.sketch(&variable.value) });
        }
    }

    /// Tells the collections what changed.
    pub(super) fn save_lasting(&mut self, program: &Program, collections: &Collections) {
        let now_s = self.now_s();
        for opened in self.opened.drain(..).filter(|it| !it.changes.is_empty()) {
            collections.write(&opened, now_s, program.set.settings.collection_timeout_s);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(key: &[u8], changes: &[(&str, Write)]) -> Opened {
        let changes = changes.iter().map(|(name, write)| (name.as_bytes().into(), write.clone()));
        Opened {
            collection: Variable::Ip,
            key: key.into(),
            record: Record::default(),
            changes: changes.collect(),
        }
    }

    fn value(collections: &Collections, key: &[u8], name: &str, now_s: u64) -> Option<String> {
        let record = collections.read(&(Variable::Ip, key.into()), now_s);
        let variable = record.variables.get(name.as_bytes())?;
        Some(String::from_utf8(variable.value.to_vec()).unwrap())
    }

    #[test]
    fn counts_of_exchanges_at_the_same_time_add_up_and_end() {
        let collections = Collections::default();
        let count = opened(b"a", &[("n", Write::Add(2)), ("n", Write::Expire { after_s: 10 })]);
        collections.write(&count, 100, 60);
        collections.write(&count, 101, 60);
        collections.write(&opened(b"a", &[("s", Write::Set(b"x".to_vec()))]), 101, 60);
        assert_eq!(value(&collections, b"a", "n", 105).as_deref(), Some("4"));
        assert_eq!(value(&collections, b"a", "n", 111), None);
        assert_eq!(value(&collections, b"a", "s", 160).as_deref(), Some("x"));
        assert_eq!(value(&collections, b"a", "s", 161), None);
        collections.write(&opened(b"a", &[("n", Write::Unset)]), 102, 60);
        assert_eq!(value(&collections, b"a", "n", 102), None);
    }

    #[test]
    fn the_record_that_was_untouched_for_longest_makes_room() {
        let collections = Collections::new(100_000);
        let set = [("n", Write::Set(b"1".to_vec()))];
        for number in 0..1_000 {
            collections.write(&opened(number.to_string().as_bytes(), &set), 0, 60);
            collections.write(&opened(b"0", &set), 0, 60);
        }
        let count = collections.len();
        assert!((200..300).contains(&count), "{count}");
        assert_eq!(value(&collections, b"0", "n", 1).as_deref(), Some("1"));
        assert_eq!(value(&collections, b"999", "n", 1).as_deref(), Some("1"));
        assert_eq!(value(&collections, b"1", "n", 1), None);
    }

    #[test]
    fn a_record_has_bounded_room() {
        let collections = Collections::default();
        let names: Vec<String> = (0..200).map(|number| number.to_string()).collect();
        let long = Write::Set(vec![b'x'; 10_000]);
        let set: Vec<_> = names.iter().map(|name| (name.as_str(), long.clone())).collect();
        collections.write(&opened(b"a", &set), 0, 60);
        let record = collections.read(&(Variable::Ip, b"a"[..].into()), 1);
        assert_eq!(record.variables.len(), VARIABLES_MAX);
        assert!(record.variables.values().all(|it| it.value.len() == TEXT_BYTES_MAX));
    }
}
