//! `/decisions`: standing blocks and allows.

use std::cmp::Reverse;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use traffic::recording::Order;
use traffic::{DecisionId, DecisionKind, Layer, Mode, Origin, Scope, Timestamp};

use super::page::PageQuery;
use super::{Console, aside, lasting, written};
use crate::caller::Caller;
use crate::extract::{Asked, Meant, Named, Ordered};
use crate::refused::Refused;
use crate::wire::{Decision, DecisionList, DecisionOrder, KindWord, Removed};

pub(crate) async fn list(
    State(console): State<Console>,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<DecisionList>, Refused> {
    let mut decisions = console.engine.decisions(console.instance.now());
    decisions.sort_by_key(|decision| Reverse(decision.id));
    let (decisions, next) = query.read()?.of(decisions, |decision| Reverse(decision.id));
    Ok(Json(DecisionList { next, ..DecisionList::of(&decisions) }))
}

pub(crate) async fn one(
    State(console): State<Console>,
    Named(id): Named,
) -> Result<Json<Decision>, Refused> {
    let decision = id.parse().ok().and_then(|number| console.engine.decision(number));
    decision
        .map(|decision| Json(Decision::from(&decision)))
        .ok_or_else(|| Refused::missing(format!("there is no decision {id}")))
}

pub(crate) async fn make(
    State(console): State<Console>,
    caller: Caller,
    Asked(meant): Asked<Meant>,
    Ordered(order): Ordered<DecisionOrder>,
) -> Result<Json<Decision>, Refused> {
    let decision_kind = match order.kind {
        KindWord::Block => DecisionKind::Block,
        KindWord::Allow => DecisionKind::Allow,
    };
    let lasts = lasting("for_s", order.for_s)?;
    let entity = console
        .engine
        .entity(&order.selector)
        .map_err(|error| Refused::wrong(error.to_string()))?;
    let author = caller.author(&order.author);
    aside(move || {
        let now = console.instance.now();
        let scope = Scope::whole(entity);
        let warnings = only_watched(&console, decision_kind);
        if meant.dry_run {
            let planned = traffic::Decision {
                id: DecisionId(0),
                kind: decision_kind,
                scope,
                origin: Origin::Operator,
                detector: None,
                reason: order.reason.clone(),
                author,
                since: now,
                until: lasts.map(|lasts| now.after(lasts)),
                hits: 0,
            };
            // It has no number yet.
            let id = String::new();
            return Ok(Json(Decision { id, warnings, ..Decision::from(&planned) }));
        }
        let engine = &console.engine;
        let lasts_until = lasts.map(|lasts| now.after(lasts));
        let stands = |it: &&traffic::Decision| {
            (it.kind, it.scope, it.origin) == (decision_kind, scope, Origin::Operator)
                && outlasts(it.until, lasts_until)
        };
        if let Some(known) = engine.decisions(now).iter().find(stands) {
            let mut warnings = warnings;
            warnings.insert(0, format!("it stands already, as {}; nothing was changed", known.id));
            return Ok(Json(Decision { warnings, ..Decision::from(known) }));
        }
        let decision =
            engine.decide_by_hand(decision_kind, scope, &order.reason, &author, lasts, now);
        let what = format!("{} {} as {}", kind(decision_kind), decision.scope, decision.id);
        let change = ledger::Change::PutDecision(decision.clone());
        if let Err(refused) = written(&console, change, &author, what) {
            console.engine.undo_decision(decision.id, now);
            return Err(refused);
        }
        Ok(Json(Decision { warnings, ..Decision::from(&decision) }))
    })
    .await
}

/// Whether what stands until then holds as long as what is asked for, give or take the moment that
/// it takes somebody to ask again.
pub(super) fn outlasts(known: Option<Timestamp>, asked: Option<Timestamp>) -> bool {
    const MOMENT: Duration = Duration::from_secs(60);
    known.is_none_or(|known| asked.is_some_and(|asked| asked <= known.after(MOMENT)))
}

/// Where a block does not refuse anybody yet: it goes as far as the layer of plain limits goes.
fn only_watched(console: &Console, kind: DecisionKind) -> Vec<String> {
    let policy = console.engine.policy();
    let watched = policy.sites.iter().filter(|site| site.modes.of(Layer::Rate) != Mode::Enforce);
    let warnings = watched.map(|site| {
        let mode = site.modes.of(Layer::Rate);
        format!(
            "layer rate is in {mode} mode on site {}: nobody is refused there until \
             `palisade enforce rate`",
            site.name
        )
    });
    if kind == DecisionKind::Block { warnings.collect() } else { Vec::new() }
}

pub(crate) async fn remove(
    State(console): State<Console>,
    caller: Caller,
    Asked(meant): Asked<Meant>,
    Named(id): Named,
) -> Result<Json<Removed>, Refused> {
    let number: DecisionId =
        id.parse().map_err(|_| Refused::missing(format!("there is no decision {id}")))?;
    let author = caller.author("");
    aside(move || {
        let now = console.instance.now();
        let taken_back = match meant.dry_run {
            true => console.engine.decision(number),
            false => console.engine.undo_decision(number, now),
        };
        let Some(decision) = taken_back else {
            return Err(Refused::missing(format!("there is no decision {id}")));
        };
        let removed = Removed {
            schema: "palisade.v1.removed".to_owned(),
            id: id.clone(),
            was: format!("{} {}", kind(decision.kind), decision.scope),
            undo: undo(&decision, now),
        };
        if meant.dry_run {
            return Ok(Json(removed));
        }
        let what = format!("removed {id}: {} {}", kind(decision.kind), decision.scope);
        let change = ledger::Change::RemoveDecision(number);
        if let Err(refused) = written(&console, change, &author, what) {
            console.engine.carry_out(Order::Decide(decision), now);
            return Err(refused);
        }
        Ok(Json(removed))
    })
    .await
}

const fn kind(kind: DecisionKind) -> &'static str {
    match kind {
        DecisionKind::Block => "block",
        DecisionKind::Allow => "allow",
    }
}

/// The command that brings a decision back for what was left of its time.
fn undo(decision: &traffic::Decision, now: Timestamp) -> String {
    let left = decision.until.map(|until| until.since(now).as_secs().max(1));
    let span = left.map_or_else(|| "ever".to_owned(), |left| format!("{left}s"));
    format!("{} {} --for {span}", kind(decision.kind), decision.scope.entity)
}
