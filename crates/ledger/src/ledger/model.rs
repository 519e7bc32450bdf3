//! Whatever the order of what comes in, and however often the ledger is closed and opened again:
//! what it says afterwards is what a simple model says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use traffic::DecisionId;

use crate::queue::{Change, Entry, Write};
use crate::samples::{NOON, Scratch, event, put_decision};
use crate::{AuditLine, EventFilter, LearntSlice, LearntState};

/// One thing that happens to a ledger.
#[derive(Clone, Debug)]
enum Step {
    /// Somebody stores a decision and waits.
    Put(u64),
    /// Somebody removes a decision and waits.
    Remove(u64),
    /// News of a decision that nobody waits for.
    LateNews(u64),
    /// An event, perhaps one that is counted on.
    Event(u64),
    /// Learnt state of so many bytes.
    Save(usize),
    /// The end of the process, and the next start.
    Reopen,
}

#[derive(Default)]
struct Model {
    decisions: BTreeSet<u64>,
    removed: BTreeSet<u64>,
    audit_lines: u64,
    events: BTreeMap<u64, u32>,
    learnt: Option<LearntSlice>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..6_u64).prop_map(Step::Put),
        3 => (1..6_u64).prop_map(Step::Remove),
        3 => (1..6_u64).prop_map(Step::LateNews),
        6 => (0..9_u64).prop_map(Step::Event),
        1 => (0..600_000_usize).prop_map(Step::Save),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..40)
}

/// An awaited write with its line in the audit log.
fn awaited(change: Change) -> Write {
    let audit = AuditLine {
        at: NOON,
        who: "ada".to_owned(),
        what: "change".to_owned(),
        before: None,
        after: None,
    };
    Write { changes: vec![change], audit: Some(audit) }
}

fn take(step: &Step, scratch: Scratch, model: &mut Model) -> Scratch {
    match *step {
        Step::Put(id) => {
            scratch.ledger.write(awaited(put_decision(id))).expect("acknowledged");
            model.decisions.insert(id);
            model.removed.remove(&id);
            model.audit_lines += 1;
        }
        Step::Remove(id) => {
            let remove = Change::RemoveDecision(DecisionId(id));
            scratch.ledger.write(awaited(remove)).expect("acknowledged");
            model.decisions.remove(&id);
            model.removed.insert(id);
            model.audit_lines += 1;
        }
        Step::LateNews(id) => {
            assert!(scratch.ledger.record(Entry::Change(Box::new(put_decision(id)))));
            if !model.removed.contains(&id) {
                model.decisions.insert(id);
            }
        }
        Step::Event(number) => {
            assert!(scratch.ledger.record_event(event(NOON, number)));
            *model.events.entry(number).or_default() += 1;
        }
        Step::Save(bytes) => {
            let slice = LearntSlice { part: "engine".to_owned(), bytes: vec![7; bytes] };
            let slices = Box::new(std::iter::once(slice.clone()));
            scratch.ledger.save_learnt(LearntState { at: NOON, slices }).expect("acknowledged");
            model.learnt = Some(slice);
        }
        Step::Reopen => return scratch.reopened(|_| {}),
    }
    scratch
}

fn compare(scratch: &Scratch, model: &Model) {
    let decisions = scratch.ledger.decisions().expect("an answer");
    let ids: BTreeSet<u64> = decisions.iter().map(|decision| decision.id.0).collect();
    assert_eq!(ids, model.decisions);
    let head = scratch.ledger.verify_audit().expect("an answer").expect("an unbroken chain");
    assert_eq!(head.seq, model.audit_lines);
    let page = scratch.ledger.events(&EventFilter::default()).expect("an answer");
    let number = |id: u128| (id & 0xffff_ffff) as u64;
    let counts: BTreeMap<u64, u32> =
        page.events.iter().map(|event| (number(event.id.0), event.count)).collect();
    assert_eq!(counts, model.events);
    let mut learnt = None;
    let at = scratch.ledger.learnt(|part, bytes| {
        learnt = Some(LearntSlice { part: part.to_owned(), bytes: bytes.to_vec() });
    });
    assert_eq!(at.expect("an answer"), learnt.as_ref().map(|_| NOON));
    assert_eq!(learnt, model.learnt);
}

proptest! {
    // Each case starts threads and syncs to a disk: fewer cases than where only memory is touched.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.div_ceil(16),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_ledger_is_what_was_done_to_it(steps in steps()) {
        let mut scratch = Scratch::new();
        let mut model = Model::default();
        for step in &steps {
            scratch = take(step, scratch, &mut model);
        }
        scratch.ledger.flush().expect("written");
        compare(&scratch, &model);
        compare(&scratch.reopened(|_| {}), &model);
    }
}
