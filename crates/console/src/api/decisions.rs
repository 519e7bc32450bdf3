//! `/decisions`: standing blocks and allows.

use std::time::Duration;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use traffic::recording::Order;
use traffic::{DecisionId, DecisionKind, Layer, Mode, Scope, Timestamp};

use super::{Console, aside, written};
use crate::refused::Refused;
use crate::serve::CallerUid;
use crate::wire::{Decision, DecisionList, DecisionOrder, Removed};

pub(super) async fn list(State(console): State<Console>) -> Json<DecisionList> {
    Json(DecisionList::of(&console.engine.decisions(console.instance.now())))
}

pub(super) async fn make(
    State(console): State<Console>,
    ConnectInfo(caller): ConnectInfo<CallerUid>,
    Json(order): Json<DecisionOrder>,
) -> Result<Json<Decision>, Refused> {
    let kind = match order.kind.as_str() {
        "block" => DecisionKind::Block,
        "allow" => DecisionKind::Allow,
        other => return Err(Refused::wrong(format!("{other:?} is neither block nor allow"))),
    };
    let entity = console
        .engine
        .entity(&order.selector)
        .map_err(|error| Refused::wrong(error.to_string()))?;
    let author = caller.author(&order.author);
    aside(move || {
        let now = console.instance.now();
        let lasts = order.for_s.map(Duration::from_secs);
        let scope = Scope::whole(entity);
        let decision =
            console.engine.decide_by_hand(kind, scope, &order.reason, &author, lasts, now);
        let what = format!("{} {} as {}", order.kind, decision.scope, decision.id);
        let change = ledger::Change::PutDecision(decision.clone());
        if let Err(refused) = written(&console, change, &author, what) {
            console.engine.undo_decision(decision.id, now);
            return Err(refused);
        }
        let warnings = only_watched(&console, kind);
        Ok(Json(Decision { warnings, ..Decision::from(&decision) }))
    })
    .await
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

pub(super) async fn remove(
    State(console): State<Console>,
    ConnectInfo(caller): ConnectInfo<CallerUid>,
    Path(id): Path<String>,
) -> Result<Json<Removed>, Refused> {
    let number: DecisionId = id.parse().map_err(|error| Refused::wrong(format!("{error}")))?;
    let author = caller.author("");
    aside(move || {
        let now = console.instance.now();
        let Some(decision) = console.engine.undo_decision(number, now) else {
            return Err(Refused::missing(format!("there is no decision {id}")));
        };
        let what = format!("removed {id}: {} {}", kind(decision.kind), decision.scope);
        let change = ledger::Change::RemoveDecision(number);
        if let Err(refused) = written(&console, change, &author, what) {
            console.engine.carry_out(Order::Decide(decision), now);
            return Err(refused);
        }
        Ok(Json(Removed {
            schema: "palisade.v1.removed".to_owned(),
            id,
            was: format!("{} {}", kind(decision.kind), decision.scope),
            undo: undo(&decision, now),
        }))
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
