//! `/exceptions`: what was no attack, as narrow as the order allows.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use traffic::recording::Order;
use traffic::{DecisionKind, Detector, Event, ExceptionId, Origin, Timestamp};

use super::decisions::outlasts;
use super::page::PageQuery;
use super::{Console, aside, events, lasting, written};
use crate::caller::Caller;
use crate::extract::{Asked, Meant, Named, Ordered};
use crate::refusals::{self, Effect};
use crate::refused::Refused;
use crate::wire::{Exception, ExceptionList, ExceptionOrder, Preview, Removed, WidthWord};

/// How far back a preview looks.
const PREVIEWED: Duration = Duration::from_secs(24 * 3_600);
/// So many callers are named in it.
const NAMED_MAX: usize = 5;
/// How long an exception holds when nobody says.
const HOLDS_FOR: Duration = Duration::from_secs(90 * 86_400);

pub(crate) async fn list(
    State(console): State<Console>,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<ExceptionList>, Refused> {
    let mut exceptions = console.engine.exceptions();
    exceptions.sort_by_key(|exception| Reverse(exception.id));
    let (exceptions, next) = query.read()?.of(exceptions, |exception| Reverse(exception.id));
    Ok(Json(ExceptionList { next, ..ExceptionList::of(&exceptions) }))
}

pub(crate) async fn one(
    State(console): State<Console>,
    Named(id): Named,
) -> Result<Json<Exception>, Refused> {
    let exceptions = console.engine.exceptions();
    let found = exceptions.iter().find(|exception| exception.id.to_string() == id);
    found
        .map(|exception| Json(Exception::from(exception)))
        .ok_or_else(|| Refused::missing(format!("there is no exception {id}")))
}

pub(crate) async fn make(
    State(console): State<Console>,
    caller: Caller,
    Asked(meant): Asked<Meant>,
    Ordered(order): Ordered<ExceptionOrder>,
) -> Result<Json<Exception>, Refused> {
    let author = caller.author(&order.author);
    let lasts = lasting("for_s", order.for_s)?.unwrap_or(HOLDS_FOR);
    aside(move || {
        let event = events::find(&console, &order.event)?;
        let now = console.instance.now();
        let mut exception = proposed(&console, &event, &order, &author, now, lasts)?;
        let still_blocked_by = blocks_on(&console, &event, now);
        let preview = Some(preview(&console, &exception, now)?);
        if order.dry_run || meant.dry_run {
            // It has no number yet.
            let (id, proposed) = (String::new(), Exception::from(&exception));
            return Ok(Json(Exception { id, still_blocked_by, preview, ..proposed }));
        }
        if let Some(known) = console.engine.exceptions().iter().find(|it| covers(it, &exception)) {
            let already = true;
            return Ok(Json(Exception { still_blocked_by, already, ..Exception::from(known) }));
        }
        let Some(id) = console.engine.except(exception.clone(), now) else {
            return Err(Refused::conflict("there are too many exceptions; remove some first"));
        };
        exception.id = id;
        let wire = Exception { still_blocked_by, preview, ..Exception::from(&exception) };
        let what = format!("silenced {} as {id}", wire.silences);
        let change = ledger::Change::PutException(exception);
        if let Err(refused) = written(&console, change, &author, what) {
            console.engine.unexcept(id, now);
            return Err(refused);
        }
        Ok(Json(wire))
    })
    .await
}

pub(crate) async fn remove(
    State(console): State<Console>,
    caller: Caller,
    Asked(meant): Asked<Meant>,
    Named(id): Named,
) -> Result<Json<Removed>, Refused> {
    let number: ExceptionId =
        id.parse().map_err(|_| Refused::missing(format!("there is no exception {id}")))?;
    let author = caller.author("");
    aside(move || {
        let now = console.instance.now();
        let taken_back = match meant.dry_run {
            true => console.engine.exceptions().into_iter().find(|one| one.id == number),
            false => console.engine.unexcept(number, now),
        };
        let Some(exception) = taken_back else {
            return Err(Refused::missing(format!("there is no exception {id}")));
        };
        let was = Exception::from(&exception).silences;
        let undo = undo(&console, &exception);
        if meant.dry_run {
            let schema = "palisade.v1.removed".to_owned();
            return Ok(Json(Removed { schema, id, was, undo }));
        }
        let change = ledger::Change::RemoveException(number);
        if let Err(refused) = written(&console, change, &author, format!("removed {id}: {was}")) {
            console.engine.carry_out(Order::Except(exception), now);
            return Err(refused);
        }
        Ok(Json(Removed { schema: "palisade.v1.removed".to_owned(), id, was, undo }))
    })
    .await
}

/// Whether `known` silences all that `asked` would, for as long.
fn covers(known: &traffic::Exception, asked: &traffic::Exception) -> bool {
    let what = |it: &traffic::Exception| {
        (it.detector, it.layer, it.rules.clone(), it.endpoint.clone(), it.entity)
    };
    what(known) == what(asked) && outlasts(known.until, asked.until)
}

/// The exception that `order` asks for, made from the strongest evidence of its event.
fn proposed(
    console: &Console,
    event: &Event,
    order: &ExceptionOrder,
    author: &str,
    now: Timestamp,
    lasts: Duration,
) -> Result<traffic::Exception, Refused> {
    let silenceable = |detector: &Detector| {
        !matches!(detector, Detector::Framing | Detector::StandingDecision | Detector::GoodStanding)
    };
    let decided_by = event.decision.and_then(|id| console.engine.decision(id)?.detector);
    let signal = event.signals.iter().find(|signal| signal.nats > 0.0);
    let detector = signal
        .and_then(|signal| Detector::named(&signal.detector).filter(silenceable))
        .or(decided_by)
        .ok_or_else(|| {
            Refused::conflict("this event rests on no detector's evidence: nothing to silence")
        })?;
    let selector = signal.map(|signal| signal.entity.as_str());
    let entity = selector.and_then(|selector| console.engine.entity(selector).ok());
    let (endpoint, entity) = match order.scope.unwrap_or_default() {
        WidthWord::Caller => (event.endpoint.clone(), entity),
        WidthWord::Endpoint => (event.endpoint.clone(), None),
        WidthWord::Detector => (None, None),
    };
    let rules = match detector {
        Detector::KnownAttack => event.rules.iter().map(|rule| rule.id).collect(),
        _ => Vec::new(),
    };
    Ok(traffic::Exception {
        id: ExceptionId(0),
        detector: Some(detector),
        layer: detector.layer(),
        rules,
        endpoint,
        entity,
        reason: order.reason.clone(),
        author: author.to_owned(),
        evidence: Some(event.id.to_string()),
        since: now,
        until: Some(now.after(lasts)),
        hits: 0,
        last_hit: None,
    })
}

/// What `exception` would have done in the last day.
fn preview(
    console: &Console,
    exception: &traffic::Exception,
    now: Timestamp,
) -> Result<Preview, Refused> {
    let mut preview = Preview { hours: PREVIEWED.as_secs() / 3_600, ..Preview::default() };
    let mut callers: BTreeMap<String, u64> = BTreeMap::new();
    let seen = refusals::since(&console.ledger, now.before(PREVIEWED), |event| {
        let count = u64::from(event.count);
        match refusals::effect(exception, event) {
            Effect::None => {}
            Effect::StillRefused => preview.still_refused += count,
            Effect::LetThrough { is_suspicious } => {
                preview.events += 1;
                preview.requests += count;
                preview.refused += if event.is_refused() { count } else { 0 };
                preview.suspicious += if is_suspicious { count } else { 0 };
                *callers.entry(event.caller().to_owned()).or_default() += count;
            }
        }
    });
    preview.complete = seen.map_err(|error| Refused::failed("the events cannot be read", error))?;
    preview.callers = callers.len() as u64;
    let mut foremost: Vec<(String, u64)> = callers.into_iter().collect();
    foremost.sort_by_key(|(_, count)| Reverse(*count));
    preview.foremost = foremost.into_iter().take(NAMED_MAX).map(|(caller, _)| caller).collect();
    Ok(preview)
}

/// The blocks by detectors that stand against whoever called.
fn blocks_on(console: &Console, event: &Event, now: Timestamp) -> Vec<String> {
    let stands_against = |decision: &traffic::Decision| {
        let entity = decision.scope.entity.to_string();
        decision.kind == DecisionKind::Block
            && decision.origin == Origin::Detector
            && event.entities.contains(&entity)
    };
    let decisions = console.engine.decisions(now);
    let against = decisions.iter().filter(|decision| stands_against(decision));
    against.map(|decision| decision.id.to_string()).collect()
}

/// The command that makes the exception again.
fn undo(console: &Console, exception: &traffic::Exception) -> String {
    let scope = match (&exception.endpoint, &exception.entity) {
        (_, Some(_)) => "caller",
        (Some(_), None) => "endpoint",
        (None, None) => "detector",
    };
    let left = exception.until.map(|until| until.since(console.instance.now()).as_secs().max(1));
    let span = left.map_or_else(|| "90d".to_owned(), |left| format!("{left}s"));
    let event = exception.evidence.as_deref().unwrap_or("EVENT");
    format!("silence {event} --scope {scope} --for {span}")
}
