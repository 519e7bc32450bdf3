//! Tests of the files of the days: where an event lies, and what a large day costs.

use std::sync::Arc;

use super::*;
use crate::database::open_reader;
use crate::samples::{NOON, event, id};

#[test]
fn days_are_utc_and_read_back_from_their_names() {
    let day = Day::of(NOON);
    assert_eq!(day.to_string(), "2026-11-23");
    assert_eq!(day.start(), NOON.before(Duration::from_secs(43_200)));
    assert_eq!(Day::named("2026-11-23.db"), Some(day));
    for other in
        ["2026-11-23.db-wal", "2026-11-23.db.corrupt", "20261123.db", "x.db", "2026-13-01.db"]
    {
        assert_eq!(Day::named(other), None, "{other}");
    }
    assert_eq!(Day::of(Timestamp::from_micros(u64::MAX)).0, Date::MAX);
}

#[test]
fn an_id_tells_the_day_only_when_it_can_be_believed() {
    let midnight = Day::of(NOON).start();
    let before = midnight.before(Duration::from_secs(2));
    let made =
        |made_at, at| Day::of_event(&Event { id: id(made_at, 1), ..event(at, 1) }).to_string();
    assert_eq!(made(before, midnight), "2026-11-22");
    assert_eq!(made(before, midnight.after(COUNTED_ON_MAX)), "2026-11-23", "too long ago");
    assert_eq!(made(NOON.after(Duration::from_secs(90_000)), NOON), "2026-11-23", "in the future");
    let other = Event { id: EventId(7), ..event(NOON, 1) };
    assert_eq!(Day::of_event(&other).to_string(), "2026-11-23", "not a UUIDv7");
}

#[test]
fn a_day_that_is_too_large_loses_its_oldest_events() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut days = Days::new(folder.path().to_owned(), Arc::default());
    let at = |number| NOON.after(Duration::from_millis(number));
    let mut waiting: VecDeque<Arc<Event>> =
        (0..70_000).map(|number| Arc::new(event(at(number), number))).collect();
    days.write(&mut waiting).expect("written");
    let far = Duration::from_secs(86_400 * 365 * 50);
    days.retire(NOON, far, u64::MAX);
    let left = || -> (i64, i64) {
        let (_, path) = files(folder.path()).remove(0);
        let deadline = std::time::Instant::now() + far;
        let reader = open_reader(&path, deadline).expect("opens");
        reader
            .query_row("SELECT count(*), min(at) FROM events", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .expect("a count")
    };
    assert_eq!(left().0, 70_000);
    days.retire(NOON, far, 1 << 20);
    assert_eq!(left(), (10_000, at(60_000).as_micros() as i64));
    // What became free is used again, and the file does not grow.
    let file_bytes = || {
        checkpoint(folder.path());
        fs::metadata(&files(folder.path())[0].1).expect("metadata").len()
    };
    let bytes = file_bytes();
    let mut more: VecDeque<Arc<Event>> =
        (100_000..130_000).map(|number| Arc::new(event(at(number), number))).collect();
    days.write(&mut more).expect("written");
    let grown = file_bytes();
    assert!(grown <= bytes + (1 << 20), "{bytes} -> {grown}");
}
