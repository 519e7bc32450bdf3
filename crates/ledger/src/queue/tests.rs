//! Tests of the queue: lanes have ends, answers always come.

use std::sync::mpsc;

use super::*;
use crate::samples::{NOON, finding};

const ROWS_MAX: usize = 1_000;

fn answer(ask: impl FnOnce(Ack)) -> mpsc::Receiver<Result<(), WriteError>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    ask(Box::new(move |outcome| sender.send(outcome).expect("somebody waits")));
    receiver
}

#[test]
fn it_ends_and_still_takes_what_somebody_waits_for() {
    let queue = Queue::new(ROWS_MAX);
    let finding = || Item::Finding(Box::new(finding(1, "192.0.2.1", NOON)));
    let taken = (0..ROWS_MAX + 5).filter(|_| queue.push(finding())).count();
    assert_eq!(taken, ROWS_MAX);
    let waiting = answer(|ack| queue.write(Write::default(), ack));
    for item in queue.take(Duration::ZERO, true).items {
        if let Item::Write(_, ack) = item {
            ack(Ok(()));
        }
    }
    waiting.recv().expect("an answer").expect("taken");
    assert!(queue.push(finding()), "what was taken makes room");
}

#[test]
fn whoever_asks_is_answered() {
    let queue = Queue::new(ROWS_MAX);
    let state = || LearntState { at: NOON, slices: Box::new(std::iter::empty()) };
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
    let queue = Queue::new(ROWS_MAX);
    let state = LearntState { at: NOON, slices: Box::new(std::iter::empty()) };
    let waiting = answer(|ack| queue.save(state, ack));
    queue.close();
    let taken = queue.take(Duration::ZERO, false);
    assert!(taken.is_closing && !taken.is_last && taken.learnt.is_none());
    let taken = queue.take(Duration::ZERO, true);
    let (_, ack) = taken.learnt.expect("it is still there");
    ack(Ok(()));
    waiting.recv().expect("an answer").expect("saved");
    assert!(queue.take(Duration::ZERO, true).is_last);
}
