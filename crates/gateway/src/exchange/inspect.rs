//! Holds a request's body back until it has been looked at.
//!
//! Where a layer that goes by bodies enforces, it is held to its end, or as far as it is looked at:
//! nothing goes on unread because it came slowly, in a coding that nobody knows, or when memory ran
//! short. Only the least pace that bodies are held to ends the waiting. Where nothing enforces, a
//! body is held for seconds, and no answer changes.

mod start;
mod taking;

use std::{borrow::Cow, rc::Rc};

use http::{HeaderMap, header};
use http_body::Body;
use shield::Pass;

use super::{Ongoing, held::Held};
use crate::{
    answer::Problem,
    decode::{Codings, Decoded, decode},
    framing::Refusal,
    inbound::InboundBody,
    meters::Phase,
    slow_uploads::Watch,
    upload::{CallerFault, Stream, Upload},
};
use taking::{HOLD, Reached, Taking};

const UNREADABLE: &str = "the body was inspected as it came: its coding is unknown or broken";

/// Gives the body as it goes upstream; what was held goes first.
pub(super) async fn inspect(
    ongoing: &mut Ongoing,
    headers: &HeaderMap,
    incoming: InboundBody,
    fault: &CallerFault,
) -> Result<Upload, Problem> {
    if incoming.is_end_stream() {
        return Ok(Upload::Empty);
    }
    let allowed = ongoing.body_bytes_max();
    if incoming.size_hint().exact().is_some_and(|length| length > allowed) {
        return Err(ongoing.refused(Refusal::BodyTooLarge));
    }
    if incoming.lacks_its_end() {
        return await_end(ongoing, incoming).await;
    }
    let must = ongoing.pass.as_ref().is_some_and(|pass| pass.must_read_body());
    if must && headers.get_all(header::CONTENT_TYPE).iter().nth(1).is_some() {
        return Err(ongoing.refused(Refusal::RepeatedContentType));
    }
    let mut taking = Taking::new(ongoing, incoming, must);
    let reached = match start::wanted(ongoing, headers, &mut taking).await? {
        Some(most) => {
            let reached = taking.read(ongoing, most).await?;
            if taking.held.len() as u64 > allowed {
                return Err(ongoing.refused(Refusal::BodyTooLarge));
            }
            if reached == Reached::NoRoom && taking.held.len() == 0 {
                if let Some(pass) = &mut ongoing.pass {
                    pass.miss_body();
                }
            } else {
                ongoing.look();
                show(ongoing, headers, taking.held.bytes(), reached == Reached::End, most, must)?;
                ongoing.lap(Phase::Body);
            }
            reached
        }
        None if taking.is_ended() => Reached::End,
        None => Reached::Enough,
    };
    Ok(onward(ongoing, taking, reached, fault, allowed))
}

/// The body as it goes on.
fn onward(
    ongoing: &mut Ongoing,
    taking: Taking,
    reached: Reached,
    fault: &CallerFault,
    allowed: u64,
) -> Upload {
    let Taking { incoming, held, room, pace, must, .. } = taking;
    incoming.gather(0);
    let (bytes, trailers) = held.into_parts();
    if reached == Reached::End {
        ongoing.held = room;
        return Upload::Whole { bytes, trailers };
    }
    let left = allowed.saturating_sub(bytes.len() as u64);
    let is_grpc = ongoing.pass.as_ref().is_some_and(|pass| pass.is_grpc());
    let stream = Stream::new(bytes, incoming, Rc::clone(fault), left, pace).holding(room);
    // Callers of gRPC keep streams open in which they say little.
    let is_watched = !(is_grpc && ongoing.head.is_none());
    let (source, worker) = (&ongoing.arrival.source, &ongoing.arrival.worker);
    let watch = || Watch::new(&worker.settings.slow_uploads, source, &worker.ticker);
    let stream = stream.watched(is_watched.then(watch).flatten());
    Upload::Stream(if is_grpc && must { stream.framed() } else { stream })
}

/// Shows the layers what came of a body.
fn show(
    ongoing: &mut Ongoing,
    headers: &HeaderMap,
    bytes: &[u8],
    is_whole: bool,
    most: usize,
    must: bool,
) -> Result<(), Problem> {
    let seen = bytes.get(..bytes.len().min(most)).unwrap_or_default();
    let is_whole = is_whole && seen.len() == bytes.len();
    let decoded = decode(headers, seen, most, Codings::Bounded);
    let is_readable =
        seen.is_empty() || decoded.as_ref().is_some_and(|it| is_readable(it, seen, is_whole, most));
    let hasher = ongoing.arrival.worker.engine.hasher();
    if let Some(pass) = &mut ongoing.pass {
        match decoded.filter(|decoded| is_readable || !reads_as_text(decoded, seen)) {
            Some(decoded) => {
                pass.read_body(&decoded.bytes, is_readable && is_whole && decoded.complete, hasher)
            }
            // A server that does not know the coding, or does not care, reads what is there.
            None => pass.read_body(seen, is_readable && is_whole, hasher),
        }
    }
    if is_readable {
        return Ok(());
    }
    ongoing.note(UNREADABLE);
    if must { Err(ongoing.refused(Refusal::UnreadableCoding)) } else { Ok(()) }
}

/// Whether the codings came off as they should, and in no other way that somebody could read it.
fn is_readable(decoded: &Decoded<'_>, seen: &[u8], is_whole: bool, most: usize) -> bool {
    let is_cut_short = is_whole && !decoded.complete && decoded.bytes.len() < most;
    !decoded.broken && !is_cut_short && !reads_as_text(decoded, seen)
}

/// Whether a coded body is a document as it stands: one for servers that take no codings off.
fn reads_as_text(decoded: &Decoded<'_>, seen: &[u8]) -> bool {
    matches!(decoded.bytes, Cow::Owned(_)) && Pass::looks_read(seen) && start::is_text(seen)
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
