//! Tests of learnt state: old or new, never a mixture, never damaged.

use rusqlite::Connection;

use super::*;

const KEY: u64 = u64::MAX - 5;

fn tables() -> Connection {
    let connection = Connection::open_in_memory().expect("opens");
    connection.execute_batch(SCHEMA).expect("tables");
    connection
}

fn state(second: u64, bytes: usize) -> LearntState {
    let fill = |name: &str, bytes: usize| LearntPart {
        name: name.to_owned(),
        bytes: (0..bytes).map(|at| (at as u64 * 31 + second) as u8).collect(),
    };
    let parts = vec![fill("catalog", bytes), fill("conduct", bytes / 3), fill("empty", 0)];
    LearntState { at: Timestamp::from_micros(second * 1_000_000), parts }
}

/// Saves in steps until `steps_max`; how many steps it took, if it came to its end.
fn save(connection: &mut Connection, state: LearntState, steps_max: usize) -> Option<usize> {
    let mut saving = Saving::new(state, KEY);
    for step in 1..=steps_max {
        let transaction = connection.transaction().expect("begins");
        let is_current = saving.step(&transaction).expect("stored");
        transaction.commit().expect("committed");
        if is_current {
            return Some(step);
        }
    }
    None
}

fn loaded_state(connection: &Connection) -> LearntState {
    match load(connection, KEY).expect("an answer") {
        Loaded::State(state) => state,
        Loaded::Nothing => panic!("nothing"),
        Loaded::OtherKey => panic!("another key"),
        Loaded::Damaged => panic!("damaged"),
    }
}

#[test]
fn states_come_back_whatever_their_size() {
    for bytes in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, STEP_BYTES * 3 + 7] {
        let mut connection = tables();
        save(&mut connection, state(1, bytes), 100).expect("comes to its end");
        assert_eq!(loaded_state(&connection), state(1, bytes), "{bytes}");
    }
}

#[test]
fn a_save_that_stops_anywhere_leaves_the_old_state() {
    let large = STEP_BYTES * 4;
    let mut connection = tables();
    save(&mut connection, state(1, 1_000), 100).expect("the old state");
    let steps = save(&mut connection, state(2, large), 100).expect("the new state");
    assert!(steps > 4, "{steps} steps are too few to show anything");
    for stopped_after in 1..steps {
        assert_eq!(save(&mut connection, state(3, large), stopped_after), None);
        assert_eq!(loaded_state(&connection), state(2, large), "after {stopped_after} steps");
    }
    save(&mut connection, state(4, 1_000), 100).expect("the next state");
    assert_eq!(loaded_state(&connection), state(4, 1_000));
    let count = |table: &str| -> i64 {
        let sql = format!("SELECT count(DISTINCT generation) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).expect("a count")
    };
    assert_eq!(
        [count("learnt_generations"), count("learnt_parts"), count("learnt_chunks")],
        [1; 3]
    );
}

#[test]
fn what_is_damaged_is_not_believed() {
    for damage in [
        "UPDATE learnt_chunks SET bytes = zeroblob(length(bytes)) WHERE part = 'conduct'",
        "DELETE FROM learnt_chunks WHERE part = 'catalog' AND number = 0",
        "UPDATE learnt_parts SET bytes = bytes + 1 WHERE part = 'empty'",
    ] {
        let mut connection = tables();
        save(&mut connection, state(1, CHUNK_BYTES * 2), 100).expect("stored");
        connection.execute_batch(damage).expect("damaged");
        assert!(matches!(load(&connection, KEY).expect("an answer"), Loaded::Damaged), "{damage}");
    }
}

#[test]
fn a_state_under_another_key_is_not_used() {
    let mut connection = tables();
    save(&mut connection, state(1, 10), 100).expect("stored");
    assert!(matches!(load(&connection, KEY + 1).expect("an answer"), Loaded::OtherKey));
    assert!(matches!(load(&tables(), KEY).expect("an answer"), Loaded::Nothing));
}
