//! The table keeps suspects under a flood, and comes back from storage as it was.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use traffic::Digest;

use super::*;

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Suspect {
    nats: f32,
    at_s: u32,
}

impl Line for Suspect {
    fn worth(&self, now_s: u32) -> f32 {
        self.nats - now_s.saturating_sub(self.at_s) as f32 / 3_600.0
    }
}

fn key(number: u64) -> Digest {
    Digest(number).tagged(9)
}

fn slices(table: &Table<Suspect>) -> Vec<Vec<u8>> {
    let mut slices = Vec::new();
    let mut from = Some(0);
    while let Some(place) = from {
        let mut slice = SliceWriter::default();
        from = table.write_slice(place, &mut slice);
        slices.push(slice.into_bytes());
    }
    slices
}

fn restore(table: &mut Table<Suspect>, slices: &[Vec<u8>]) -> Option<()> {
    slices
        .iter()
        .try_for_each(|slice| table.read_slice(&mut SliceReader::new(slice), Timestamp::EPOCH))
}

#[test]
fn a_flood_of_new_keys_flushes_itself_and_not_the_suspects() {
    let mut table = Table::new(64 * 1_024);
    let suspects = table.capacity() / 8;
    for number in 0..suspects as u64 {
        table.write(key(number), 0, Suspect { nats: 6.0, at_s: 0 });
    }
    for number in 0..1_000_000 {
        table.write(key(1_000_000 + number), 60, Suspect { nats: 0.5, at_s: 60 });
    }
    let kept = (0..suspects as u64).filter(|n| table.read(key(*n)).is_some()).count();
    assert!(kept * 100 >= suspects * 95, "{kept} of {suspects}");
    assert!(table.used() <= table.capacity());
    assert!(table.evicted() > 900_000);
}

#[test]
fn a_table_can_be_restored_into_another_size() {
    let mut table = Table::new(64 * 1_024);
    for number in 0..500 {
        table.write(key(number), 0, Suspect { nats: number as f32, at_s: 0 });
    }
    let stored = slices(&table);
    let mut larger = Table::new(1 << 20);
    restore(&mut larger, &stored).expect("whole");
    assert_eq!(larger.used(), table.used());
    assert!((0..500).all(|n| larger.read(key(n)) == table.read(key(n))));
    let mut smaller = Table::new(2 * 1_024);
    restore(&mut smaller, &stored).expect("whole");
    assert!(smaller.used() <= smaller.capacity());
    assert!(smaller.read(key(499)).is_some(), "what is worth most stays");
}

#[test]
fn one_set_is_the_least_a_table_has() {
    let mut table = Table::new(0);
    for number in 0..100 {
        table.write(key(number), 0, Suspect { nats: 1.0, at_s: 0 });
    }
    assert_eq!((table.used(), table.capacity()), (8, 8));
}

proptest! {
    #[test]
    fn what_was_stored_behaves_as_what_was_not(
        before in prop::collection::vec((0_u64..200, 0_f32..9.0), 0..300),
        after in prop::collection::vec((0_u64..200, 0_f32..9.0), 0..100),
    ) {
        let mut table = Table::new(4 * 1_024);
        for (number, nats) in before {
            table.write(key(number), 5, Suspect { nats, at_s: 5 });
        }
        let mut restored = Table::new(4 * 1_024);
        restore(&mut restored, &slices(&table)).expect("whole");
        for (number, nats) in after {
            table.write(key(number), 9, Suspect { nats, at_s: 9 });
            restored.write(key(number), 9, Suspect { nats, at_s: 9 });
        }
        prop_assert_eq!(slices(&table), slices(&restored));
    }

    #[test]
    fn damaged_bytes_never_upset_a_table(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut table: Table<Suspect> = Table::new(1_024);
        // Whether they are found damaged is not the question.
        let _ = restore(&mut table, &[bytes]);
        prop_assert!(table.used() <= table.capacity());
    }
}

#[test]
fn memory_is_taken_where_something_lands_and_nowhere_else() {
    let mut table: Table<Suspect> = Table::new(64 << 20);
    assert_eq!(table.sets.next_taken(0), None);
    assert_eq!(table.read(key(1)), None);
    assert_eq!(table.sets.next_taken(0), None, "to look takes nothing");
    table.write(key(1), 0, Suspect { nats: 1.0, at_s: 0 });
    let taken = table.sets.next_taken(0).expect("a page");
    let count = (taken..table.sets.count()).take_while(|at| table.sets.get(*at).is_some()).count();
    assert!(count * size_of::<Set<Suspect>>() <= 4_096, "{count} sets");
    assert_eq!(table.sets.next_taken(taken + count), None);
}
