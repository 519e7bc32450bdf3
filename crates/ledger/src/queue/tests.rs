//! Tests of the queue: lanes have ends, answers always come.

use std::sync::mpsc;

use super::*;
use crate::samples::{NOON, event, finding};

fn answer(ask: impl FnOnce(Ack)) -> mpsc::Receiver<Result<(), WriteError>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    ask(Box::new(move |outcome| sender.send(outcome).expect("somebody waits")));
    receiver
}

#[test]
fn a_flood_of_events_keeps_nothing_else_out() {
    let queue = Queue::new(3, 1 << 20);
    let taken = (0..9).filter(|number| queue.push_event(Arc::new(event(NOON, *number)))).count();
    assert_eq!(taken, 3);
    assert!(queue.push(Item::Finding(Box::new(finding(1, "192.0.2.1", NOON)))));
    assert_eq!(queue.len(), 4);
}

#[test]
fn few_large_events_fill_it_too() {
    let queue = Queue::new(1_000, 100_000);
    let large = Event { path: "x".repeat(9_000), ..event(NOON, 1) };
    let taken = (0..100).filter(|_| queue.push_event(Arc::new(large.clone()))).count();
    assert!((5..12).contains(&taken), "{taken}");
}

#[test]
fn whoever_asks_is_answered() {
    let queue = Queue::new(10, 1 << 20);
    let state = || LearntState { at: NOON, parts: Vec::new() };
    let waiting = answer(|ack| queue.save(state(), ack));
    let busy = answer(|ack| queue.save(state(), ack)).recv().expect("an answer");
    assert!(matches!(busy, Err(WriteError::Busy)));
    let lane: Vec<_> =
        (0..=WRITES_MAX).map(|_| answer(|ack| queue.write(Write::default(), ack))).collect();
    let last = lane.last().expect("one").recv().expect("an answer");
    assert!(matches!(last, Err(WriteError::Busy)));
    queue.close();
    let closed = answer(|ack| queue.flush(ack)).recv().expect("an answer");
    assert!(matches!(closed, Err(WriteError::Closed)));
    // A thread that ends without answering leaves nobody waiting.
    queue.abandon();
    assert!(waiting.recv().is_err());
}

#[test]
fn what_is_held_back_is_not_forgotten_at_the_end() {
    let queue = Queue::new(10, 1 << 20);
    let waiting = answer(|ack| queue.save(LearntState { at: NOON, parts: Vec::new() }, ack));
    queue.close();
    let taken = queue.take(Duration::ZERO, false);
    assert!(taken.is_closing && !taken.is_last && taken.learnt.is_none());
    let taken = queue.take(Duration::ZERO, true);
    let (_, ack) = taken.learnt.expect("it is still there");
    ack(Ok(()));
    waiting.recv().expect("an answer").expect("saved");
    assert!(queue.take(Duration::ZERO, true).is_last);
}
