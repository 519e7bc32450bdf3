//! Takes a short answer as soon as it is here, for a caller over HTTP/2.
//!
//! Over HTTP/1 a short answer goes into the socket's buffer and is done with. Over HTTP/2 none of
//! it is asked for until its caller opens a window: without this, a caller that never does would
//! keep a place and a connection of the upstream for each request it makes.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use http_body::Body as _;

use super::{Ongoing, held::Held};
use crate::{
    relay::HeldAnswer,
    upstream::{AnswerBody, BodyFault},
};

/// The longest answer that is taken ahead of its caller's asking.
const SHORT: usize = 16 << 10;

/// What comes of it is put into `held`.
pub(super) fn take(
    ongoing: &mut Ongoing,
    held: &mut HeldAnswer,
    body: &mut AnswerBody,
) -> Result<(), BodyFault> {
    let length = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let Some(length) = length.filter(|length| (1..=SHORT).contains(length)) else { return Ok(()) };
    if !held.bytes.is_empty() || ongoing.held_answer.is_some() {
        return Ok(());
    }
    let arrival = &ongoing.arrival;
    let Some(room) = arrival.worker.hold(length, &arrival.source) else { return Ok(()) };
    let mut taken = Held::expecting(length);
    // What is not here is asked for again by whoever writes the answer.
    let mut quiet = Context::from_waker(Waker::noop());
    if let Poll::Ready(Err(fault)) = pin!(taken.fill(body, length)).poll(&mut quiet) {
        return Err(fault);
    }
    ongoing.held_answer = Some(room);
    let (bytes, trailers) = taken.into_parts();
    *held = HeldAnswer { bytes, trailers };
    Ok(())
}
