//! Tests of counts: sums are exact in each grain, and old ones go.

use proptest::prelude::*;
use rusqlite::Connection;

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

fn tables() -> Connection {
    let connection = Connection::open_in_memory().expect("opens");
    connection.execute_batch(SCHEMA).expect("tables");
    connection
}

fn rollup(at: Timestamp, endpoint: Option<&str>, count: u64) -> Rollup {
    Rollup {
        at,
        endpoint: endpoint.map(str::to_owned),
        status_class: 2,
        action: Action::Allow,
        enforced: false,
        count,
        bytes: count * 100,
        latency: vec![0, count, 0, 300],
    }
}

fn all(grain: Grain) -> RollupFilter {
    let to = Timestamp::from_micros(u64::MAX);
    RollupFilter { grain, from: Timestamp::EPOCH, to, endpoint: None, limit: 10_000 }
}

#[test]
fn counts_add_up_in_each_grain() {
    let connection = tables();
    let day = Timestamp::from_micros(20_000 * 86_400_000_000);
    for minute in 0..90 {
        let at = day.after(Duration::from_secs(minute * 60 + 7));
        add(&connection, &rollup(at, Some("GET shop /orders/{id}"), 1)).expect("added");
        add(&connection, &rollup(at, Some("GET shop /orders/{id}"), 2)).expect("added");
        add(&connection, &rollup(at, None, 1)).expect("added");
    }
    let counts = |grain| -> Vec<u64> {
        let filter = RollupFilter { endpoint: Some("GET shop /orders/{id}".into()), ..all(grain) };
        sums(&connection, &filter).expect("an answer").iter().map(|sum| sum.count).collect()
    };
    assert_eq!(counts(Grain::Minute), [3; 90]);
    assert_eq!(counts(Grain::Hour), [90, 180]);
    assert_eq!(counts(Grain::Day), [270]);
    let days = sums(&connection, &all(Grain::Day)).expect("an answer");
    assert_eq!(days.len(), 2);
    assert_eq!((days[0].endpoint.as_deref(), days[0].count), (None, 90));
    assert_eq!(days[1].latency, [0, 270, 0, 300 * 180]);
    assert_eq!((days[1].start, days[1].bytes), (day, 27_000));
}

#[test]
fn each_grain_is_kept_as_long_as_it_should_be() {
    let connection = tables();
    let now = Timestamp::from_micros(20_500 * 86_400_000_000);
    for hours in [1, 47, 49, 24 * 89, 24 * 91, 24 * 399, 24 * 401] {
        add(&connection, &rollup(now.before(HOUR * hours), Some("GET shop /"), 1)).expect("added");
    }
    add(&connection, &rollup(now.before(HOUR * 24 * 402), Some("GET shop /gone"), 1))
        .expect("added");
    trim(&connection, now, HOUR * 24 * 400).expect("trimmed");
    let rows = |grain| sums(&connection, &all(grain)).expect("an answer").len();
    assert_eq!([rows(Grain::Minute), rows(Grain::Hour), rows(Grain::Day)], [2, 4, 6]);
    let labels: i64 =
        connection.query_row("SELECT count(*) FROM labels", [], |row| row.get(0)).expect("a count");
    assert_eq!(labels, 1, "a label that nothing uses stays");
}

#[test]
fn damaged_latencies_do_not_fail() {
    let connection = tables();
    let at = Timestamp::from_micros(20_000 * 86_400_000_000);
    add(&connection, &rollup(at, None, 1)).expect("added");
    connection.execute("UPDATE rollups SET latency = x'ffffffffffffffffffffff'", []).expect("set");
    add(&connection, &rollup(at, None, 1)).expect("added");
    let sum = sums(&connection, &all(Grain::Minute)).expect("an answer");
    assert_eq!((sum[0].count, sum[0].latency.as_slice()), (2, &[0, 1, 0, 300][..]));
}

proptest! {
    #[test]
    fn packed_counts_come_back(counts in proptest::collection::vec(any::<u64>(), 0..64)) {
        prop_assert_eq!(unpacked(&packed(&counts)), counts);
    }

    #[test]
    fn unpacking_takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(unpacked(&bytes).len() <= LATENCY_CLASSES_MAX);
    }
}
