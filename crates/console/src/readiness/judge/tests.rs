//! What speaks for enforcing, what against it, and what is too little to tell.

use super::super::evidence::OfCaller;
use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);

fn facts(hours: u64, requests: u64) -> Facts<'static> {
    Facts {
        site: "shop",
        is_only_site: true,
        layer: Layer::Rules,
        mode: Mode::Monitor,
        watched_since: Some(NOW.before(Duration::from_secs(hours * 3_600))),
        requests,
        faults: 0,
        now: NOW,
        last: DAY,
    }
}

/// So many callers, each refused once on one endpoint, answered or not.
fn refusals(callers: usize, is_known: bool, is_answered: bool) -> Place {
    let mut place = Place::default();
    for number in 0..callers {
        let caller = format!("session:{number}");
        let of = OfCaller { requests: 1, is_known, event: format!("event-{number}") };
        place.callers.insert(caller.clone(), of);
        place.would_refuse += 1;
        place.known += u64::from(is_known);
        let endpoint = place.endpoints.entry("POST shop.test /notes".to_owned()).or_default();
        endpoint.requests += 1;
        endpoint.answered += u64::from(is_answered);
        endpoint.by_caller.insert(caller, 1);
    }
    place
}

#[test]
fn a_day_without_harm_is_ready() {
    for place in [None, Some(&refusals(500, false, false))] {
        let told = layer(&facts(24, 5_000), place);
        assert_eq!((told.verdict, told.hours_needed), (VerdictWord::Ready, None), "{told:?}");
    }
}

#[test]
fn who_is_known_and_would_be_refused_is_looked_at_first() {
    let told = layer(&facts(24, 5_000), Some(&refusals(3, true, true)));
    assert_eq!(told.verdict, VerdictWord::LookFirst);
    assert_eq!((told.known, told.known_callers), (3, 3));
    let because = &told.reasons[0];
    let says = "3 callers with an established session would have been refused 3 times";
    assert_eq!(because.says, says);
    assert_eq!(because.commands[0], "events --layer rules --known --since 24h");
    assert_eq!(because.commands[1], "why event-0");
    assert_eq!(because.commands[4], "silence event-0 --dry-run");
    // One in ten thousand is the bar.
    let told = layer(&facts(24, 30_000), Some(&refusals(3, true, false)));
    assert_eq!(told.verdict, VerdictWord::Ready);
    // It speaks before a day is over, too.
    let told = layer(&facts(2, 100), Some(&refusals(1, true, true)));
    assert_eq!((told.verdict, told.hours_needed), (VerdictWord::LookFirst, None));
}

#[test]
fn a_rule_that_errs_on_strangers_is_told_from_many_attackers() {
    let errs = layer(&facts(24, 5_000), Some(&refusals(40, false, true)));
    assert_eq!(errs.verdict, VerdictWord::LookFirst);
    assert!(errs.reasons[0].says.contains("40 callers"), "{:?}", errs.reasons);
    assert_eq!(
        errs.reasons[0].commands,
        ["events --layer rules --endpoint 'POST shop.test /notes' --since 24h"]
    );
    let attackers = layer(&facts(24, 5_000), Some(&refusals(40, false, false)));
    assert_eq!(attackers.verdict, VerdictWord::Ready, "the API turned them down");
}

#[test]
fn too_little_is_told_in_hours() {
    let needed = |hours, requests| layer(&facts(hours, requests), None).hours_needed;
    assert_eq!(needed(19, 100_000), Some(5));
    assert_eq!(needed(24, 500), Some(24), "as many again in as long");
    assert_eq!(needed(0, 0), Some(24));
    assert_eq!(needed(24, 1), Some(168));
    let off = Facts { watched_since: None, mode: Mode::Off, ..facts(24, 5_000) };
    let told = layer(&off, None);
    assert_eq!((told.verdict, told.hours_needed), (VerdictWord::NeedsHours, Some(24)));
    assert_eq!(told.reasons[0].commands, ["monitor rules"]);
}

#[test]
fn a_layer_that_fails_is_looked_at_first() {
    let told = layer(&Facts { faults: 2, ..facts(24, 5_000) }, None);
    assert_eq!(told.verdict, VerdictWord::LookFirst);
    assert_eq!(told.reasons[0].commands, ["status"]);
}
