//! `[site.health]` in force: defaults, and what its keys say together.

use std::time::Duration;

use crate::policy::check::{Check, SECOND, setting};
use crate::policy::document::SaidHealth;
use crate::policy::health::{Health, StatusRange};
use crate::policy::reader::Given;
use crate::policy::setting::Setting;
use crate::policy::upstream::Upstream;

const SUCCESS: StatusRange = StatusRange { first: 200, last: 299 };

pub(super) fn settle(
    check: &mut Check<'_, '_, '_>,
    said: SaidHealth,
    upstreams: &Setting<Vec<Upstream>>,
) -> Health {
    needs_path(check, &said);
    needs_others(check, &said, upstreams);
    Health {
        path: setting(said.path.map(|given| given.map(Some)), None),
        interval: setting(said.interval, SECOND * 5),
        timeout: setting(said.timeout, SECOND * 2),
        status: setting(said.status, vec![SUCCESS]),
        unhealthy_after: setting(said.unhealthy_after, 3),
        healthy_after: setting(said.healthy_after, 2),
        eject_after: setting(said.eject_after, 5),
        eject_for: setting(said.eject_for, SECOND * 10),
        eject_percent_max: setting(said.eject_percent_max, 50),
        slow_start: setting(said.slow_start, SECOND * 10),
    }
}

/// How to check says nothing as long as nothing is checked.
fn needs_path(check: &mut Check<'_, '_, '_>, said: &SaidHealth) {
    if said.path.is_some() {
        return;
    }
    let durations = [("interval", &said.interval), ("timeout", &said.timeout)];
    let counts =
        [("unhealthy_after", &said.unhealthy_after), ("healthy_after", &said.healthy_after)];
    let spans = durations.into_iter().filter_map(|(key, given)| spot(key, given));
    let spans = spans.chain(counts.into_iter().filter_map(|(key, given)| spot(key, given)));
    for (key, span) in spans.chain(spot("status", &said.status)) {
        let cause = format!("`{key}` has no effect: nothing is checked");
        check.reader.warn(&span, cause, "write what to ask for, as in path = \"/healthz\"");
    }
}

/// A single upstream is used whatever is known of it.
fn needs_others(
    check: &mut Check<'_, '_, '_>,
    said: &SaidHealth,
    upstreams: &Setting<Vec<Upstream>>,
) {
    if upstreams.value.len() > 1 {
        return;
    }
    let counts =
        [("eject_after", &said.eject_after), ("eject_percent_max", &said.eject_percent_max)];
    let durations: [(_, &Option<Given<Duration>>); 2] =
        [("eject_for", &said.eject_for), ("slow_start", &said.slow_start)];
    let spans = counts.into_iter().filter_map(|(key, given)| spot(key, given));
    for (key, span) in
        spans.chain(durations.into_iter().filter_map(|(key, given)| spot(key, given)))
    {
        let cause = format!("`{key}` has no effect: there is one upstream");
        check.reader.warn(&span, cause, "name the others in `upstream`");
    }
}

fn spot<T>(
    key: &'static str,
    given: &Option<Given<T>>,
) -> Option<(&'static str, std::ops::Range<usize>)> {
    given.as_ref().map(|given| (key, given.span.clone()))
}
