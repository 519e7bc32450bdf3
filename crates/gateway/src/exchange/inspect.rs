//! Holds a request's body back until it has been looked at: to its end, up to a size, or for a
//! second.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body;
use shield::Missed;

use super::{Ongoing, held::Held};
use crate::{
    answer::Problem,
    decode::{Codings, decode},
    framing::Refusal,
    inbound::InboundBody,
    upload::{CallerFault, Pace, Stream, Upload},
};

/// A body that takes longer streams on, and what has come of it is looked at.
const HOLD: Duration = Duration::from_secs(1);
/// The same for a document. Nobody can do anything with the half of one, so that waiting costs
/// little, and slow networks take their time; whoever takes more has something to hide.
const HOLD_DOCUMENT: Duration = Duration::from_secs(10);

/// Gives the body as it goes upstream; what was held goes first.
pub(super) async fn inspect(
    ongoing: &mut Ongoing,
    headers: &HeaderMap,
    mut incoming: InboundBody,
    fault: &CallerFault,
) -> Result<Upload, Problem> {
    if incoming.is_end_stream() {
        return Ok(Upload::Empty);
    }
    let expected = incoming.size_hint().exact();
    let allowed = ongoing.body_bytes_max();
    if expected.is_some_and(|length| length > allowed) {
        return Err(ongoing.refused(Refusal::BodyTooLarge));
    }
    if incoming.lacks_its_end() {
        return await_end(ongoing, incoming).await;
    }
    let worker = Rc::clone(&ongoing.arrival.worker);
    let deadlines = ongoing.arrival.wire.terms.deadlines;
    let shares_connection = ongoing.head.is_none();
    let stream = |held: Bytes, incoming| {
        let left = allowed.saturating_sub(held.len() as u64);
        let pace = || Pace::new(Rc::clone(&worker.ticker), &deadlines, held.len());
        let pace = shares_connection.then(pace);
        Upload::Stream(Stream::new(held, incoming, Rc::clone(fault), left, pace))
    };
    let wanted = ongoing.pass.as_ref().and_then(|pass| pass.body_wanted());
    let Some(bytes_max) = wanted else { return Ok(stream(Bytes::new(), incoming)) };
    let expected = expected.and_then(|length| usize::try_from(length).ok()).unwrap_or(bytes_max);
    ongoing.held = worker.hold(expected.min(bytes_max));
    if ongoing.held.is_none() {
        if let Some(pass) = &mut ongoing.pass {
            pass.miss_body(Missed::NoMemory);
        }
        return Ok(stream(Bytes::new(), incoming));
    }
    incoming.gather(bytes_max);
    let mut held = Held::expecting(expected.min(bytes_max));
    let is_document = ongoing.pass.as_ref().is_some_and(|pass| pass.body_is_document());
    let hold = if is_document { HOLD_DOCUMENT } else { HOLD };
    let complete = match worker.within(hold, held.fill(&mut incoming, bytes_max)).await {
        Some(Ok(complete)) => complete,
        Some(Err(_)) => {
            let refusal = ongoing.arrival.wire.take_body_fault().unwrap_or(Refusal::BadBody);
            return Err(ongoing.refused(refusal));
        }
        None => false,
    };
    incoming.gather(0);
    let (bytes, trailers) = held.into_parts();
    if bytes.len() as u64 > allowed {
        return Err(ongoing.refused(Refusal::BodyTooLarge));
    }
    let seen = bytes.get(..bytes.len().min(bytes_max)).unwrap_or_default();
    let whole = complete && seen.len() == bytes.len();
    if let Some(pass) = &mut ongoing.pass {
        let coding = headers.get(header::CONTENT_ENCODING);
        match decode(coding, seen, bytes_max, Codings::Bounded) {
            Some(decoded) => {
                let whole = whole && decoded.complete;
                pass.read_body(&decoded.bytes, whole, worker.engine.hasher());
            }
            None => pass.miss_body(Missed::Coding),
        }
    }
    if complete { Ok(Upload::Whole { bytes, trailers }) } else { Ok(stream(bytes, incoming)) }
}

/// A body of which nothing is promised, over HTTP/2: it goes on once its end shows that to be so.
async fn await_end(ongoing: &mut Ongoing, mut incoming: InboundBody) -> Result<Upload, Problem> {
    let worker = Rc::clone(&ongoing.arrival.worker);
    let mut nothing = Held::default();
    match worker.within(HOLD, nothing.fill(&mut incoming, 1)).await {
        Some(Ok(true)) => Ok(Upload::Empty),
        Some(_) => Err(ongoing.refused(Refusal::BadBody)),
        None => Err(ongoing.refused(Refusal::BodyTooSlow)),
    }
}
