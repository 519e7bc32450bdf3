//! What is kept of a decided exchange: its event.

use traffic::event::EventSignal;
use traffic::{Entity, Event, Hasher, Identity, Mode, Timestamp, Verdict, redact};

use crate::pass::{Pass, Settled};
use crate::refused::RefusedHead;
use crate::shared::Telling;

/// Longer user agents are cut.
const USER_AGENT_MAX: usize = 256;

/// How an exchange ended, for its event.
pub(crate) struct Ending {
    pub(crate) telling: Telling,
    pub(crate) endpoint: Option<String>,
    /// What the caller got.
    pub(crate) status: u16,
    pub(crate) took_us: u64,
    /// The upstream, or the gateway, failed the caller.
    pub(crate) is_failure: bool,
}

/// The event of a request that was decided as `settled`; none when it is not told now.
pub(crate) fn event(
    pass: &Pass,
    settled: &Settled,
    ending: Ending,
    hasher: &Hasher,
) -> Option<Event> {
    let Ending { telling, endpoint, status, took_us, is_failure } = ending;
    let count = telling.count?;
    let Settled { act, verdict, .. } = settled;
    let identity = &act.identity;
    Some(Event {
        id: telling.id,
        request_id: pass.request_id(),
        at: settled.at,
        site: pass.policy.site(&pass.route).map(|site| site.name.clone()).unwrap_or_default(),
        is_sample: !is_failure
            && !verdict.would_refuse()
            && verdict.exception.is_none()
            && verdict.signals.iter().all(|signal| signal.nats == 0.0),
        action: verdict.action,
        mode: verdict.mode,
        risk: verdict.risk,
        nats: verdict.nats,
        layer: verdict.layer,
        method: redact::method(pass.method.as_str()).to_owned(),
        host: redact::text(&pass.authority, hasher).into_owned(),
        path: pass.path.shown(hasher),
        endpoint,
        status,
        took_us,
        client: identity.address.to_string(),
        entities: entities(identity),
        is_known: identity.established,
        ja4: pass.peer_ja4.as_deref().map(str::to_owned),
        user_agent: pass.user_agent.as_ref().map(|value| user_agent(value.as_bytes(), hasher)),
        signals: signals(verdict),
        rules: pass.found().collect(),
        scope: verdict.scope.map(|scope| scope.to_string()),
        decision: verdict.decision,
        exception: verdict.exception,
        policy_version: pass.policy_version,
        notes: pass.notes.iter().map(|note| (*note).to_owned()).collect(),
        count,
    })
}

/// The event of a head that was refused for its framing.
pub(crate) fn framing_event(
    refused: &RefusedHead<'_>,
    client: std::net::IpAddr,
    policy_version: u64,
    now: Timestamp,
    hasher: &Hasher,
) -> Event {
    let RefusedHead { id, fault, status, raw } = *refused;
    let line = raw.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let line =
        String::from_utf8_lossy(line.get(..line.len().min(2_048)).unwrap_or_default()).into_owned();
    let mut words = line.splitn(3, ' ');
    let method = redact::method(words.next().unwrap_or_default()).to_owned();
    let path = words.next().and_then(|target| target.split('?').next()).unwrap_or_default();
    Event {
        id,
        request_id: id.to_string(),
        at: now,
        site: String::new(),
        is_sample: false,
        action: traffic::Action::Reject,
        mode: Mode::Enforce,
        risk: 0,
        nats: 0.0,
        layer: None,
        method,
        host: String::new(),
        path: redact::text(path, hasher).into_owned(),
        endpoint: None,
        status,
        took_us: 0,
        client: client.to_string(),
        entities: vec![Entity::address(client).to_string()],
        is_known: false,
        ja4: None,
        user_agent: None,
        signals: vec![EventSignal {
            detector: traffic::Detector::Framing.name().to_owned(),
            layer: String::new(),
            entity: Entity::address(client).to_string(),
            nats: 0.0,
            reason: fault.to_owned(),
        }],
        rules: Vec::new(),
        scope: None,
        decision: None,
        exception: None,
        policy_version,
        notes: Vec::new(),
        count: 1,
    }
}

fn signals(verdict: &Verdict) -> Vec<EventSignal> {
    verdict
        .signals
        .iter()
        .map(|signal| EventSignal {
            detector: signal.detector.name().to_owned(),
            layer: signal.detector.layer().key().to_owned(),
            entity: signal.entity.to_string(),
            nats: signal.nats,
            reason: signal.reason.to_string(),
        })
        .collect()
}

fn entities(identity: &Identity) -> Vec<String> {
    [
        Some(identity.address_entity),
        Some(identity.net_entity),
        Some(Entity::Device(identity.device)),
        identity.session.map(Entity::Session),
        identity.principal.or(identity.application).map(Entity::Principal),
        identity.account.or(identity.attempted).map(Entity::Account),
    ]
    .into_iter()
    .flatten()
    .map(|entity| entity.to_string())
    .collect()
}

pub(crate) fn user_agent(value: &[u8], hasher: &Hasher) -> String {
    let text = String::from_utf8_lossy(value);
    let cut: String = text.chars().take(USER_AGENT_MAX).collect();
    redact::text(&cut, hasher).into_owned()
}
