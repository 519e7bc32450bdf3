//! Tests of learnt state: old or new, never a mixture, never damaged.

use rusqlite::Connection;

use super::*;

const KEY: u64 = u64::MAX - 5;

fn tables() -> Connection {
    let connection = Connection::open_in_memory().expect("opens");
    connection.execute_batch(SCHEMA).expect("tables");
    connection.execute_batch(SLICES_SCHEMA).expect("tables");
    connection
}

/// So many slices that together take so many bytes, and an empty one.
fn slices(second: u64, count: usize, bytes: usize) -> Vec<LearntSlice> {
    let slice = |number: usize| LearntSlice {
        part: (if number * 3 < count { "catalog" } else { "conduct" }).to_owned(),
        bytes: (0..bytes / count).map(|at| (at as u64 * 31 + second) as u8).collect(),
    };
    let empty = LearntSlice { part: "empty".to_owned(), bytes: Vec::new() };
    (0..count).map(slice).chain([empty]).collect()
}

fn state(second: u64, slices: Vec<LearntSlice>) -> LearntState {
    LearntState {
        at: Timestamp::from_micros(second * 1_000_000),
        slices: Box::new(slices.into_iter()),
    }
}

/// Saves in steps until `steps_max`; the steps that it took.
fn save(connection: &mut Connection, state: LearntState, steps_max: usize) -> Vec<Step> {
    let mut saving = Saving::new(state, KEY);
    let mut steps = Vec::new();
    while steps.len() < steps_max && steps.last() != Some(&Step::Done) {
        let transaction = connection.transaction().expect("begins");
        steps.push(saving.step(&transaction).expect("stored"));
        transaction.commit().expect("committed");
    }
    steps
}

fn loaded_state(connection: &Connection) -> (Timestamp, Vec<LearntSlice>) {
    let mut slices = Vec::new();
    let take = |part: &str, bytes: &[u8]| {
        slices.push(LearntSlice { part: part.to_owned(), bytes: bytes.to_vec() });
    };
    match load(connection, KEY, take).expect("an answer") {
        Loaded::State(at) => (at, slices),
        other => panic!("{other:?}"),
    }
}

#[test]
fn states_come_back_whatever_their_size() {
    for (count, bytes) in [(1, 0), (1, 1), (7, STEP_BYTES), (200, STEP_BYTES * 3 + 7)] {
        let mut connection = tables();
        let kept = slices(1, count, bytes);
        assert_eq!(save(&mut connection, state(1, kept.clone()), 100).last(), Some(&Step::Done));
        let (at, found) = loaded_state(&connection);
        assert_eq!((at.as_secs(), found.len()), (1, kept.len()));
        assert!(found == kept, "{count} slices of {bytes} bytes");
    }
}

#[test]
fn slices_are_asked_for_when_they_are_written() {
    let mut connection = tables();
    let (asked, counter) = (std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0)), 0);
    let count = std::sync::Arc::clone(&asked);
    let slices = slices(1, 64, STEP_BYTES * 4).into_iter().inspect(move |_| {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    let at = Timestamp::EPOCH;
    let mut saving = Saving::new(LearntState { at, slices: Box::new(slices) }, KEY);
    let mut before = counter;
    loop {
        let transaction = connection.transaction().expect("begins");
        let step = saving.step(&transaction).expect("stored");
        transaction.commit().expect("committed");
        let now = asked.load(std::sync::atomic::Ordering::Relaxed);
        assert!(now - before <= 17, "{} slices in one step", now - before);
        before = now;
        if step == Step::Done {
            break;
        }
    }
    assert_eq!(before, 65);
}

#[test]
fn a_save_that_stops_anywhere_leaves_the_old_state_or_the_new_one() {
    let mut connection = tables();
    let (count, bytes) = (100, STEP_BYTES * 4);
    save(&mut connection, state(1, slices(1, 1, 1_000)), 100);
    let steps = save(&mut connection, state(2, slices(2, count, bytes)), 100);
    assert!(steps.len() > 5, "{steps:?} are too few to show anything");
    let mut expected = 2;
    for stopped_after in 1..8 {
        let next = 2 + stopped_after as u64;
        let kept = slices(next, count, bytes);
        let steps = save(&mut connection, state(next, kept), stopped_after);
        if steps.contains(&Step::Current) {
            expected = next;
        }
        let (at, found) = loaded_state(&connection);
        assert_eq!(at.as_secs(), u32::try_from(expected).expect("small"), "{steps:?}");
        assert!(found == slices(expected, count, bytes), "after {stopped_after} steps");
    }
    assert!(expected > 2, "some were current before they were stopped");
    save(&mut connection, state(99, slices(99, 1, 1_000)), 100);
    assert!(loaded_state(&connection).1 == slices(99, 1, 1_000));
    let count = |table: &str| -> i64 {
        let sql = format!("SELECT count(DISTINCT generation) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).expect("a count")
    };
    assert_eq!([count("learnt_generations"), count("learnt_slices")], [1; 2]);
}

#[test]
fn what_is_damaged_is_not_believed() {
    for damage in [
        "UPDATE learnt_slices SET bytes = zeroblob(length(bytes)) WHERE part = 'conduct'",
        "UPDATE learnt_slices SET part = 'conduct' WHERE part = 'catalog'",
        "DELETE FROM learnt_slices WHERE number = 0",
        "DELETE FROM learnt_slices WHERE part = 'empty'",
        "UPDATE learnt_generations SET slices = slices + 1",
    ] {
        let mut connection = tables();
        save(&mut connection, state(1, slices(1, 9, 90_000)), 100);
        connection.execute_batch(damage).expect("damaged");
        let mut handed_over = 0;
        let loaded = load(&connection, KEY, |_, _| handed_over += 1).expect("an answer");
        assert_eq!((loaded, handed_over), (Loaded::Damaged, 0), "{damage}");
    }
}

#[test]
fn a_state_under_another_key_is_not_used() {
    let mut connection = tables();
    save(&mut connection, state(1, slices(1, 1, 10)), 100);
    let load = |connection: &Connection, key| load(connection, key, |_, _| {}).expect("an answer");
    assert_eq!(load(&connection, KEY + 1), Loaded::OtherKey);
    assert_eq!(load(&tables(), KEY), Loaded::Nothing);
}
