//! The verdict on one layer at one site, with its reasons.

use std::cmp::Reverse;
use std::time::Duration;

use traffic::{Layer, Mode, Timestamp};
use traffic::{counted, times};

use super::evidence::{OfEndpoint, Place};
use crate::shell::quoted;
use crate::wire::{Because, CallerShare, EndpointShare, LayerReadiness, VerdictWord};

/// A layer has to see a whole day: what is usual at night is not what is usual at noon.
const HOURS_MIN: u64 = 24;
/// And so many requests.
const REQUESTS_MIN: u64 = 1_000;
/// How long it would take to see them is not told beyond this.
const HOURS_TOLD_MAX: u64 = 168;
/// One request in so many may be refused to somebody known without a word.
const KNOWN_ONE_IN: u64 = 10_000;
/// An endpoint on which so many callers would be refused here and there …
const BROAD_CALLERS: usize = 10;
/// … whose requests were answered to so many in a hundred, is rather a rule that errs.
const BROAD_ANSWERED_PERCENT: u64 = 90;
/// So many endpoints and callers are named.
const NAMED_MAX: usize = 5;
/// And so many events in a reason.
const EVENTS_MAX: usize = 3;

/// What is known of a layer at a site besides what it would refuse.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) site: &'a str,
    pub(super) is_only_site: bool,
    pub(super) layer: Layer,
    pub(super) mode: Mode,
    pub(super) watched_since: Option<Timestamp>,
    /// Requests to the site while it watched.
    pub(super) requests: u64,
    pub(super) faults: u64,
    pub(super) now: Timestamp,
    pub(super) last: Duration,
}

/// The verdict.
pub(super) fn layer(facts: &Facts<'_>, place: Option<&Place>) -> LayerReadiness {
    let nothing = Place::default();
    let place = place.unwrap_or(&nothing);
    let mut reasons = doubts(facts, place);
    let must_look = !reasons.is_empty();
    let hours_needed = hours_needed(facts);
    reasons.extend(too_little(facts));
    let verdict = match hours_needed {
        _ if must_look => VerdictWord::LookFirst,
        Some(_) => VerdictWord::NeedsHours,
        None => VerdictWord::Ready,
    };
    if reasons.is_empty() {
        reasons.push(Because { says: fine(place), commands: Vec::new() });
    }
    let known_callers = place.callers.values().filter(|caller| caller.is_known).count();
    LayerReadiness {
        site: facts.site.to_owned(),
        layer: facts.layer.to_string(),
        mode: facts.mode.to_string(),
        verdict,
        hours_needed: hours_needed.filter(|_| verdict == VerdictWord::NeedsHours),
        watched_since: facts.watched_since.map(|since| since.to_string()),
        requests: facts.requests,
        would_refuse: place.would_refuse,
        refused: place.refused,
        known: place.known,
        callers: place.callers.len() as u64,
        known_callers: known_callers as u64,
        endpoints: endpoints(place),
        foremost: foremost(place),
        reasons,
    }
}

/// What speaks against enforcing.
fn doubts(facts: &Facts<'_>, place: &Place) -> Vec<Because> {
    let mut doubts = Vec::new();
    if place.known.saturating_mul(KNOWN_ONE_IN) > facts.requests && place.known > 0 {
        let known: Vec<CallerShare> = foremost(place).into_iter().filter(|it| it.known).collect();
        let callers = place.callers.values().filter(|caller| caller.is_known).count();
        doubts.push(Because {
            says: format!(
                "{} with an established session {}",
                counted(callers as u64, "caller"),
                refused_words(place.known, facts.mode)
            ),
            commands: looks(facts, &known, "--known"),
        });
    }
    for (label, of) in place.endpoints.iter().filter(|(_, of)| is_broad(of)) {
        let named = if label.is_empty() { "paths that are no endpoint" } else { label };
        doubts.push(Because {
            says: format!(
                "on {named} {} callers {}, nearly all of which the API answered: \
                 rather a rule that errs than so many attackers",
                of.by_caller.len(),
                refused_words(of.requests, facts.mode)
            ),
            commands: vec![events(facts, &format!("--endpoint {}", quoted(label)))],
        });
    }
    if facts.faults > 0 {
        doubts.push(Because {
            says: format!("it failed {} since the start", times(facts.faults)),
            commands: vec!["status".to_owned()],
        });
    }
    doubts
}

/// Whether many callers would be refused now and then, with what the API takes for granted.
fn is_broad(of: &OfEndpoint) -> bool {
    let most = of.by_caller.values().copied().max().unwrap_or(0);
    of.by_caller.len() >= BROAD_CALLERS
        && of.answered * 100 >= of.requests * BROAD_ANSWERED_PERCENT
        && most * 2 <= of.requests
}

/// How much longer it has to watch; none when it has seen enough.
fn hours_needed(facts: &Facts<'_>) -> Option<u64> {
    let Some(since) = facts.watched_since else { return Some(HOURS_MIN) };
    let seconds = facts.now.since(since).as_secs();
    let for_a_day = (HOURS_MIN * 3_600).saturating_sub(seconds).div_ceil(3_600);
    let seen_in = seconds.clamp(60, facts.last.as_secs().max(60));
    let missing = REQUESTS_MIN.saturating_sub(facts.requests);
    let for_requests = match (missing, facts.requests) {
        (0, _) => 0,
        (_, 0) => HOURS_MIN,
        (missing, seen) => (missing.saturating_mul(seen_in) / seen).div_ceil(3_600).max(1),
    };
    Some(for_a_day.max(for_requests).min(HOURS_TOLD_MAX)).filter(|hours| *hours > 0)
}

/// Why it has not seen enough.
fn too_little(facts: &Facts<'_>) -> Vec<Because> {
    let mut reasons = Vec::new();
    let Some(since) = facts.watched_since else {
        let says = "it is off and sees nothing".to_owned();
        let commands = vec![format!("monitor {}{}", facts.layer, at_site(facts))];
        return vec![Because { says, commands }];
    };
    let hours = facts.now.since(since).as_secs() / 3_600;
    if hours < HOURS_MIN {
        let says = format!("it has watched for {hours} of {HOURS_MIN} hours");
        reasons.push(Because { says, commands: Vec::new() });
    }
    if facts.requests < REQUESTS_MIN {
        let says = format!("it has seen {} of {REQUESTS_MIN} requests", facts.requests);
        reasons.push(Because { says, commands: Vec::new() });
    }
    reasons
}

fn fine(place: &Place) -> String {
    match place.would_refuse + place.refused {
        0 => "nothing would have been refused".to_owned(),
        all => format!(
            "{} of {}, none of them with an established session",
            counted(all, "request"),
            counted(place.callers.len() as u64, "caller")
        ),
    }
}

fn endpoints(place: &Place) -> Vec<EndpointShare> {
    let share = |(endpoint, of): (&String, &OfEndpoint)| EndpointShare {
        endpoint: endpoint.clone(),
        requests: of.requests,
        answered: of.answered,
        callers: of.by_caller.len() as u64,
    };
    let mut all: Vec<EndpointShare> = place.endpoints.iter().map(share).collect();
    all.sort_by_key(|share| Reverse(share.requests));
    all.truncate(NAMED_MAX);
    all
}

/// Who would be refused most, those that are known first.
fn foremost(place: &Place) -> Vec<CallerShare> {
    let mut all: Vec<_> = place.callers.iter().collect();
    all.sort_by_key(|(_, of)| Reverse((of.is_known, of.requests)));
    let share = |(caller, of): (&String, &super::evidence::OfCaller)| CallerShare {
        caller: caller.clone(),
        requests: of.requests,
        known: of.is_known,
        event: of.event.clone(),
    };
    all.into_iter().take(NAMED_MAX).map(share).collect()
}

/// The commands that look at some callers' events.
fn looks(facts: &Facts<'_>, callers: &[CallerShare], only: &str) -> Vec<String> {
    let mut commands = vec![events(facts, only)];
    commands.extend(callers.iter().take(EVENTS_MAX).map(|it| format!("why {}", it.event)));
    commands.extend(callers.first().map(|it| format!("silence {} --dry-run", it.event)));
    commands
}

fn events(facts: &Facts<'_>, only: &str) -> String {
    let hours = facts.last.as_secs().div_ceil(3_600);
    format!("events --layer {} {only} --since {hours}h", facts.layer)
}

fn at_site(facts: &Facts<'_>) -> String {
    match facts.is_only_site {
        true => String::new(),
        false => format!(" --site {}", quoted(facts.site)),
    }
}

fn refused_words(requests: u64, mode: Mode) -> String {
    match mode {
        Mode::Enforce => format!("were refused {}", times(requests)),
        _ => format!("would have been refused {}", times(requests)),
    }
}

#[cfg(test)]
mod tests;
