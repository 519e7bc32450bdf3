//! Shows an answer to the rules that look at answers before its head goes out.
//!
//! Its body is held where their media types say so: to its end, as far as they look at it, or for a
//! second; a stream that has no end is not held at all, and a long one streams on once as much of
//! it was held as rules look at. Where nothing may be kept back, nothing is held: what passes is
//! collected, and looked at when it has passed.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body::Body as _;
use shield::Answer;
use traffic::AnswerHead;

use super::{Ongoing, held::Held, now};
use crate::{
    answer::Problem,
    decode::{Codings, decode},
    meters::Phase,
    relay::HeldAnswer,
    upload::CallerFault,
    upstream::{AnswerBody, BodyFault, Lease, UpstreamFault},
};

/// An answer that takes longer streams on, and what has come of it is looked at.
const HOLD: Duration = Duration::from_secs(1);
/// Where no length is promised, memory is asked for in such steps.
const STEP: usize = 32 << 10;

const NO_MEMORY: &str = "the answer was not looked at: no memory is left to hold it";

/// Gives what was held of the answer; its body goes on from there.
pub(super) async fn screen(
    ongoing: &mut Ongoing,
    status: StatusCode,
    headers: &HeaderMap,
    body: &mut AnswerBody,
    lease: &Lease,
) -> Result<HeldAnswer, Problem> {
    let worker = Rc::clone(&ongoing.arrival.worker);
    let Some(pass) = &mut ongoing.pass else { return Ok(HeldAnswer::default()) };
    let head = AnswerHead { status: status.as_u16(), headers };
    worker.engine.screen_head(pass, &head, ongoing.looked);
    let holds = pass.holds_answer();
    ongoing.lap(Phase::Answer);
    let Some(pass) = ongoing.pass.as_ref().filter(|_| holds) else {
        return Ok(HeldAnswer::default());
    };
    let exact = body.size_hint().exact();
    let held = match pass.answer_held() {
        Some(most) if !body.is_end_stream() => hold(ongoing, body, most, lease).await?,
        _ => Taken::default(),
    };
    let Taken { held, is_complete, seen } = held;
    let shown = seen.and_then(|most| shown(ongoing, headers, &held.bytes, is_complete, most));
    let now = ongoing.look();
    let Some(pass) = &mut ongoing.pass else { return Ok(held) };
    let (bytes, is_longer) = shown.clone().unzip();
    worker.engine.screen_body(pass, bytes, is_longer.unwrap_or(false), now);
    if let Some(rules) = pass.rules_to_tell() {
        ongoing.rules = Some(rules);
    }
    let has_found = pass.has_found_in_answer();
    ongoing.lap(Phase::Answer);
    if has_found {
        let length = exact.unwrap_or(held.bytes.len() as u64);
        let bytes = shown.as_ref().map(|(bytes, _)| bytes.as_ref());
        learn(ongoing, &Answer { head, body: bytes, is_complete, length })?;
    }
    Ok(held)
}

/// What came of a body.
#[derive(Default)]
struct Taken {
    held: HeldAnswer,
    is_complete: bool,
    /// How much of it rules look at; nothing when it was not held.
    seen: Option<usize>,
}

async fn hold(
    ongoing: &mut Ongoing,
    body: &mut AnswerBody,
    most: usize,
    lease: &Lease,
) -> Result<Taken, Problem> {
    let worker = Rc::clone(&ongoing.arrival.worker);
    let expected = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let expected = expected.map(|length| length.min(most));
    let source = &ongoing.arrival.source;
    let Some(mut room) = worker.hold(expected.unwrap_or(STEP.min(most)), source) else {
        ongoing.note(NO_MEMORY);
        return Ok(Taken::default());
    };
    let mut held = Held::expecting(room.bytes());
    let filling = async {
        loop {
            if held.fill(body, room.bytes()).await? {
                return Ok::<_, BodyFault>(true);
            }
            if held.len() >= most || !room.grow(most.min(room.bytes().saturating_mul(2))) {
                return Ok(false);
            }
        }
    };
    let is_complete = match worker.within(HOLD, filling).await {
        Some(Ok(is_complete)) => is_complete,
        // Nothing has gone out yet: the caller need not find out that it breaks off.
        Some(Err(error)) => {
            tracing::debug!(%error, "answer cut short");
            if error.is_the_upstreams() {
                lease.cut_off();
            }
            return Err(ongoing.failed(UpstreamFault::Broken, &CallerFault::default()));
        }
        None => false,
    };
    if !is_complete && held.len() < most {
        ongoing.note("the answer was looked at in part: the rest came too late to be held");
    }
    ongoing.held_answer = Some(room);
    let (bytes, trailers) = held.into_parts();
    Ok(Taken { held: HeldAnswer { bytes, trailers }, is_complete, seen: Some(most) })
}

/// What rules are shown of it, and whether there is more of it than they look at.
fn shown(
    ongoing: &mut Ongoing,
    headers: &HeaderMap,
    held: &Bytes,
    is_complete: bool,
    most: usize,
) -> Option<(Bytes, bool)> {
    let seen = held.slice(..held.len().min(most));
    let is_coded = headers.contains_key(header::CONTENT_ENCODING);
    let room = ongoing.held_answer.as_mut().filter(|_| is_coded);
    // Without its coding it may take as much as rules look at, however little came.
    if room.is_some_and(|room| !room.grow(room.bytes().saturating_add(most))) {
        ongoing.note(NO_MEMORY);
        return None;
    }
    let Some(decoded) = decode(headers, &seen, most, Codings::All) else {
        ongoing.note("the answer was not looked at: its coding is unknown or broken");
        return None;
    };
    let is_longer = decoded.bytes.len() >= most && !(is_complete && decoded.complete);
    let bytes = match decoded.bytes {
        std::borrow::Cow::Borrowed(_) => seen,
        std::borrow::Cow::Owned(bytes) => bytes.into(),
    };
    Some((bytes, is_longer || held.len() > most))
}

/// What was found is weighed at once; the answer goes out, or another one does.
fn learn(ongoing: &mut Ongoing, answer: &Answer<'_>) -> Result<(), Problem> {
    let Some(pass) = ongoing.pass.take() else { return Ok(()) };
    let worker = &ongoing.arrival.worker;
    let learnt = worker.engine.learn(pass, answer, now());
    let refusal = learnt.refusal;
    worker.learnt(learnt);
    match refusal {
        Some(refusal) => Err(Problem::new(refusal.status, refusal.event)),
        None => Ok(()),
    }
}
