//! Tests of the ledger as a whole: what goes in comes out, soon, in order, and after a restart.

use std::time::Instant;

use traffic::{DecisionId, Timestamp};

use super::*;
use crate::audit::AuditLine;
use crate::filter::EventFilter;
use crate::queue::Change;
use crate::samples::{NOON, Scratch, decision, event, finding, id, put_decision};

const DAY: Duration = Duration::from_secs(86_400);

fn line(what: &str) -> Option<AuditLine> {
    Some(AuditLine {
        at: NOON,
        who: "ada".to_owned(),
        what: what.to_owned(),
        before: None,
        after: Some("after".to_owned()),
    })
}

/// The numbers of the events that a filter finds, in order.
fn numbers(ledger: &Ledger, filter: &EventFilter) -> Vec<u64> {
    let page = ledger.events(filter).expect("an answer");
    assert!(page.is_complete);
    page.events.iter().map(|event| (event.id.0 & 0xffff_ffff) as u64).collect()
}

#[test]
fn an_event_answers_before_it_is_on_disk_and_after_a_restart() {
    let scratch = Scratch::new();
    let event = event(NOON, 1);
    assert!(scratch.ledger.record_event(event.clone()));
    let ask = |ledger: &Ledger, id: &str| ledger.event(id).expect("an answer");
    for id in [event.id.to_string(), format!("urn:uuid:{}", event.id), "request-1".to_owned()] {
        assert_eq!(ask(&scratch.ledger, &id).as_ref(), Some(&event), "{id}");
    }
    let scratch = scratch.reopened(|_| {});
    for id in [event.id.to_string(), "request-1".to_owned()] {
        assert_eq!(ask(&scratch.ledger, &id).as_ref(), Some(&event), "{id}");
    }
    assert_eq!(ask(&scratch.ledger, "request-2"), None);
    assert_eq!(ask(&scratch.ledger, "' OR 1=1 --"), None);
}

#[test]
fn evidence_without_bounds_is_stored_all_the_same() {
    let scratch = Scratch::new();
    for (number, nats) in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN].into_iter().enumerate() {
        let mut event = Event { nats, ..event(NOON, number as u64) };
        event.signals[0].nats = nats;
        scratch.ledger.record_event(event);
    }
    let scratch = scratch.reopened(|_| {});
    assert_eq!(numbers(&scratch.ledger, &EventFilter::default()), [2, 1, 0]);
}

#[test]
fn a_refusal_that_repeats_is_one_event_with_a_count() {
    let scratch = Scratch::new();
    let first = event(NOON, 1);
    for part in 0..3 {
        let again = Event { at: NOON.after(Duration::from_secs(part)), count: 5, ..first.clone() };
        scratch.ledger.record_event(again);
        scratch.ledger.flush().expect("written");
    }
    let count = |ledger: &Ledger| {
        let page = ledger.events(&EventFilter::default()).expect("an answer");
        assert_eq!(page.events.len(), 1);
        page.events[0].count
    };
    assert_eq!(count(&scratch.ledger), 15);
    assert_eq!(count(&scratch.reopened(|_| {}).ledger), 15);
}

#[test]
fn an_event_counted_on_over_midnight_stays_one() {
    let scratch = Scratch::new();
    let evening = NOON.after(DAY / 2 - Duration::from_secs(3));
    let first = event(evening, 1);
    scratch.ledger.record_event(first.clone());
    let later = Event { at: evening.after(Duration::from_secs(6)), ..first };
    scratch.ledger.record_event(later);
    let scratch = scratch.reopened(|_| {});
    let page = scratch.ledger.events(&EventFilter::default()).expect("an answer");
    assert_eq!(page.events.iter().map(|event| event.count).collect::<Vec<_>>(), [2]);
}

#[test]
fn pages_cover_memory_and_days_without_gap_or_repeat() {
    let scratch = Scratch::with(Options { recent_events: 10, ..Options::default() });
    let total = 60;
    for number in 0..total {
        // Four days, with equal times among them.
        let at = NOON.after(DAY * (number / 15) as u32 + Duration::from_secs(number / 3));
        scratch.ledger.record_event(event(at, number));
        if number == 40 {
            scratch.ledger.flush().expect("written");
        }
    }
    let mut seen = Vec::new();
    let mut filter = EventFilter { limit: 7, ..EventFilter::default() };
    scratch.ledger.flush().expect("written");
    loop {
        seen.extend(numbers(&scratch.ledger, &filter));
        filter.after = scratch.ledger.events(&filter).expect("an answer").next;
        if filter.after.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..total).rev().collect::<Vec<_>>());
    let between = EventFilter {
        from: Some(NOON.after(DAY)),
        to: Some(NOON.after(DAY * 2)),
        ..EventFilter::default()
    };
    assert_eq!(numbers(&scratch.ledger, &between), (15..30).rev().collect::<Vec<_>>());
}

#[test]
fn filters_mean_the_same_in_memory_and_on_disk() {
    let scratch = Scratch::new();
    scratch.ledger.record_event(event(NOON, 1));
    let other = Event {
        action: traffic::Action::Throttle,
        layer: Some(traffic::Layer::Rate),
        client: "198.51.100.9".to_owned(),
        entities: vec!["session:00000000000000aa".to_owned()],
        endpoint: None,
        path: "/Über/uns".to_owned(),
        signals: Vec::new(),
        ..event(NOON.after(Duration::from_secs(1)), 2)
    };
    scratch.ledger.record_event(other);
    let sample = Event { is_sample: true, ..event(NOON.after(Duration::from_secs(2)), 3) };
    scratch.ledger.record_event(sample);
    let all = EventFilter::default;
    let some = |text: &str| Some(text.to_owned());
    let cases = [
        (all(), vec![2, 1]),
        (EventFilter { with_samples: true, ..all() }, vec![3, 2, 1]),
        (EventFilter { actions: vec![traffic::Action::Deny], ..all() }, vec![1]),
        (EventFilter { layer: Some(traffic::Layer::Rate), ..all() }, vec![2]),
        (EventFilter { client: some("198.51.100.9"), ..all() }, vec![2]),
        (EventFilter { entity: some("session:00000000000000aa"), ..all() }, vec![2]),
        (EventFilter { detector: some("credential-stuffing"), ..all() }, vec![1]),
        (EventFilter { endpoint: some("POST api.example.com /v1/login"), ..all() }, vec![1]),
        (EventFilter { site: some("other"), ..all() }, vec![]),
        (EventFilter { text: some("über"), ..all() }, vec![2]),
        (EventFilter { text: some("accounts TRIED"), ..all() }, vec![1]),
        (EventFilter { text: some("%"), ..all() }, vec![]),
        (EventFilter { text: some("'"), ..all() }, vec![]),
    ];
    for (filter, expected) in &cases {
        assert_eq!(&numbers(&scratch.ledger, filter), expected, "in memory: {filter:?}");
    }
    let scratch = scratch.reopened(|_| {});
    for (filter, expected) in &cases {
        assert_eq!(&numbers(&scratch.ledger, filter), expected, "on disk: {filter:?}");
    }
}

#[test]
fn changes_and_their_audit_line_are_stored_together_or_not_at_all() {
    let scratch = Scratch::new();
    let blocked = Write { changes: vec![put_decision(1), put_decision(2)], audit: line("blocked") };
    scratch.ledger.write(blocked).expect("stored");
    let impossible = Write {
        changes: vec![
            Change::RemoveDecision(DecisionId(1)),
            Change::SetIncident(crate::IncidentId(99), crate::IncidentState::Closed),
        ],
        audit: line("closed"),
    };
    let error = scratch.ledger.write(impossible).expect_err("no such incident");
    assert_eq!(error.to_string(), "there is no incident i-99");
    let scratch = scratch.reopened(|_| {});
    assert_eq!(scratch.ledger.decisions().expect("an answer"), [decision(1), decision(2)]);
    assert_eq!(scratch.ledger.audit(None, 10).expect("an answer").len(), 1);
    let head = scratch.ledger.verify_audit().expect("an answer").expect("an unbroken chain");
    assert_eq!(head.seq, 1);
}

#[test]
fn numbers_are_never_given_twice() {
    let scratch = Scratch::new();
    let write = |changes| Write { changes, audit: None };
    scratch.ledger.write(write(vec![put_decision(7)])).expect("stored");
    scratch.ledger.write(write(vec![Change::RemoveDecision(DecisionId(7))])).expect("stored");
    let scratch = scratch.reopened(|_| {});
    assert!(scratch.ledger.decisions().expect("an answer").is_empty());
    assert_eq!(scratch.ledger.last_ids().expect("an answer").decision, 7);
}

#[test]
fn late_news_of_what_was_removed_does_not_bring_it_back() {
    let scratch = Scratch::new();
    let write = |changes| Write { changes, audit: None };
    let late = || scratch.ledger.record(Entry::Change(Box::new(put_decision(7))));
    scratch.ledger.write(write(vec![put_decision(7)])).expect("stored");
    scratch.ledger.write(write(vec![Change::RemoveDecision(DecisionId(7))])).expect("stored");
    late();
    scratch.ledger.flush().expect("written");
    assert!(scratch.ledger.decisions().expect("an answer").is_empty());
    // A person who puts it back means it.
    scratch.ledger.write(write(vec![put_decision(7)])).expect("stored");
    late();
    scratch.ledger.flush().expect("written");
    assert_eq!(scratch.ledger.decisions().expect("an answer").len(), 1);
}

#[test]
fn what_is_handed_in_and_what_is_awaited_keep_their_order() {
    let scratch = Scratch::new();
    for number in 1..200 {
        scratch.ledger.record(Entry::Change(Box::new(put_decision(number))));
        let remove = vec![Change::RemoveDecision(DecisionId(number))];
        scratch.ledger.write_then(Write { changes: remove, audit: None }, |_| {});
    }
    scratch.ledger.flush().expect("written");
    assert!(scratch.ledger.decisions().expect("an answer").is_empty());
}

#[test]
fn a_tail_sees_each_event_once_and_counts_what_it_missed() {
    let scratch = Scratch::with(Options { recent_events: 4, ..Options::default() });
    scratch.ledger.record_event(event(NOON, 1));
    let mut tail = scratch.ledger.tail();
    for number in 2..5 {
        scratch.ledger.record_event(event(NOON, number));
        scratch.ledger.record_event(event(NOON, number));
    }
    let (events, missed) = scratch.ledger.follow(&mut tail, 2);
    assert_eq!((events.len(), missed), (2, 0));
    assert_eq!(events[0].id, id(NOON, 2));
    for number in 5..20 {
        scratch.ledger.record_event(event(NOON, number));
    }
    let (events, missed) = scratch.ledger.follow(&mut tail, 100);
    assert_eq!((events.len(), missed), (4, 12));
    assert_eq!(scratch.ledger.follow(&mut tail, 100).0.len(), 0);
}

#[test]
fn a_flood_is_dropped_and_counted_and_never_waits() {
    let options = Options { queue_events: 64, recent_events: 64, ..Options::default() };
    let scratch = Scratch::with(options);
    let begun = Instant::now();
    let mut taken = 0_u64;
    for number in 0..50_000 {
        taken += u64::from(scratch.ledger.record_event(event(NOON, number)));
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "handing in waited for the disk");
    scratch.ledger.flush().expect("written");
    let health = scratch.ledger.health();
    assert_eq!(health.events_written, taken);
    assert_eq!(health.events_written + health.dropped_queue_full, 50_000);
    assert!(health.dropped_queue_full > 0);
    assert_eq!(health.waiting, 0);
}

#[test]
fn a_closed_ledger_refuses_writes_and_still_answers() {
    let mut scratch = Scratch::new();
    scratch.ledger.record_event(event(NOON, 1));
    scratch.close();
    assert!(!scratch.ledger.record_event(event(NOON, 2)));
    let refused = scratch.ledger.write(Write { changes: vec![put_decision(1)], audit: None });
    assert!(matches!(refused, Err(WriteError::Closed)));
    assert!(matches!(scratch.ledger.flush(), Err(WriteError::Closed)));
    assert!(scratch.ledger.event("request-1").expect("an answer").is_some());
    assert!(scratch.ledger.decisions().expect("an answer").is_empty());
}

#[test]
fn old_days_go_by_age_and_by_size() {
    let scratch = Scratch::new();
    let days = |ledger: &Ledger| crate::days::files(&ledger.shared.folder.events_folder()).len();
    for number in 0..5 {
        scratch.ledger.record_event(event(NOON.after(DAY * number as u32), number));
    }
    scratch.ledger.flush().expect("written");
    assert_eq!(days(&scratch.ledger), 5);
    let vitals = Arc::new(Vitals::default());
    let mut retiring = crate::days::Days::new(scratch.ledger.shared.folder.events_folder(), vitals);
    let now = NOON.after(DAY * 4);
    retiring.retire(now, DAY * 2, u64::MAX);
    assert_eq!(days(&scratch.ledger), 3, "two days back from the last, and it");
    retiring.retire(now, DAY * 2, 1);
    assert_eq!(days(&scratch.ledger), 1, "the latest day is not given up for its size");
    retiring.retire(now.after(DAY * 30), DAY * 2, u64::MAX);
    assert_eq!(days(&scratch.ledger), 0);
}

#[test]
fn readers_and_the_writer_do_not_disturb_each_other() {
    let scratch = Scratch::new();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for number in 0..4_000 {
                scratch.ledger.record_event(event(NOON, number));
                if number % 200 == 0 {
                    let changes = vec![put_decision(number)];
                    scratch.ledger.write(Write { changes, audit: line("put") }).expect("stored");
                }
            }
        });
        while !writing.is_finished() {
            scratch.ledger.events(&EventFilter::default()).expect("an answer");
            scratch.ledger.verify_audit().expect("an answer").expect("an unbroken chain");
            let decisions = scratch.ledger.decisions().expect("an answer").len();
            let lines = scratch.ledger.audit(None, 100).expect("an answer").len();
            assert!(lines >= decisions, "a decision without its line");
        }
    });
    scratch.ledger.flush().expect("written");
    assert_eq!(scratch.ledger.decisions().expect("an answer").len(), 20);
}

#[test]
fn findings_of_a_campaign_become_one_incident() {
    let scratch = Scratch::new();
    for number in 0..3 {
        let found = finding(number, &format!("192.0.2.{number}"), NOON);
        assert!(scratch.ledger.record(Entry::Finding(Box::new(found))));
    }
    scratch.ledger.flush().expect("written");
    let incidents = scratch.ledger.incidents(crate::IncidentFilter::default()).expect("an answer");
    assert_eq!(incidents.len(), 1);
    assert_eq!((incidents[0].finding_count, incidents[0].requests), (3, 30));
    assert_eq!(scratch.ledger.findings(Timestamp::EPOCH, 10).expect("an answer").len(), 3);
}

#[test]
fn damaged_files_cost_what_they_held_and_no_more() {
    let scratch = Scratch::new();
    scratch.ledger.record_event(event(NOON, 1));
    scratch.ledger.record_event(event(NOON.after(DAY), 2));
    let write = Write { changes: vec![put_decision(1)], audit: line("blocked") };
    scratch.ledger.write(write).expect("stored");
    let scratch = scratch.reopened(|folder| {
        let yesterday = folder.join("events/2026-11-23.db");
        let whole = std::fs::read(&yesterday).expect("read");
        std::fs::write(&yesterday, &whole[..whole.len() / 2 + 100]).expect("cut");
    });
    let page = scratch.ledger.events(&EventFilter::default()).expect("an answer");
    assert_eq!(page.events.first().map(|event| event.request_id.as_str()), Some("request-2"));
    scratch.ledger.record_event(event(NOON, 3));
    scratch.ledger.flush().expect("written into a new file");
    assert_eq!(numbers(&scratch.ledger, &EventFilter::default()), [2, 3]);
    let repairs = scratch.ledger.health().repairs;
    assert!(repairs.iter().any(|what| what.contains("2026-11-23")), "{repairs:?}");
    assert!(scratch.folder.path().join("events/2026-11-23.db.corrupt").exists());
    assert_eq!(scratch.ledger.decisions().expect("an answer").len(), 1);
}

#[test]
fn of_a_damaged_main_file_what_can_be_read_is_kept() {
    let scratch = Scratch::new();
    for number in 1..50 {
        let write = Write { changes: vec![put_decision(number)], audit: line("blocked") };
        scratch.ledger.write(write).expect("stored");
    }
    let scratch = scratch.reopened(|folder| {
        let main = folder.join("palisade.db");
        let mut bytes = std::fs::read(&main).expect("read");
        // The last pages: rows of the tables that grew last, or free ones.
        let from = bytes.len() - 4_096;
        bytes[from..].fill(0xa5);
        std::fs::write(&main, bytes).expect("damaged");
    });
    let kept = scratch.ledger.decisions().expect("an answer").len();
    assert!(kept > 0, "nothing was saved");
    assert!(scratch.folder.path().join("palisade.db.corrupt").exists());
    assert!(scratch.ledger.health().repairs[0].contains("were saved"));
    let scratch = scratch.reopened(|folder| {
        std::fs::write(folder.join("palisade.db"), b"not a database at all").expect("damaged");
    });
    let write = Write { changes: vec![put_decision(99)], audit: None };
    scratch.ledger.write(write).expect("works on a new file");
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(Ledger::open(folder.path(), Options::default()).expect("opens"));
    let path = folder.path().join("palisade.db");
    let main = Connection::open(&path).expect("opens");
    main.pragma_update(None, "user_version", 99).expect("set");
    drop(main);
    let before = std::fs::read(&path).expect("read");
    let error = Ledger::open(folder.path(), Options::default()).expect_err("refused").to_string();
    assert!(error.contains("newer version of palisade (format 99, this one knows 4)"), "{error}");
    assert_eq!(std::fs::read(&path).expect("read"), before);
}

#[test]
fn a_file_of_each_older_version_opens_and_keeps_what_is_in_it() {
    for version in 1..MAIN_FORMAT.steps.len() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("palisade.db");
        let older = Format { steps: &MAIN_FORMAT.steps[..version] };
        let mut main =
            open_writer(&path, &older, Durability::Synced, Check::No).expect("an older file");
        let transaction = main.transaction().expect("begins");
        audit::append(&transaction, &line("kept").expect("a line")).expect("appended");
        transaction.commit().expect("committed");
        drop(main);
        let (ledger, writer) = Ledger::open(folder.path(), Options::default()).expect("opens");
        assert_eq!(ledger.audit(None, 9).expect("read")[0].line.what, "kept", "format {version}");
        assert!(ledger.verify_audit().expect("read").is_ok(), "format {version}");
        assert!(ledger.tokens().expect("there is a table").is_empty(), "format {version}");
        let write = Write { changes: vec![put_decision(1)], audit: line("new") };
        ledger.write(write).expect("written");
        drop((ledger, writer));
        let main = Connection::open(&path).expect("opens");
        let found: i64 =
            main.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a number");
        assert_eq!(usize::try_from(found), Ok(MAIN_FORMAT.steps.len()));
    }
}
