//! What to do, made from the figures: the most urgent first.

use super::sums::Sums;
use crate::outcome::{Action, Report};
use traffic::counted;

/// A share of what cannot be told from which the figures themselves are in doubt.
const UNTOLD_MUCH: f64 = 0.3;

/// Everything there is to do.
pub(super) fn of(report: &Report, now: &Sums) -> Vec<Action> {
    let is_scan = report.origin.kind == "scan";
    let all = [
        entered(now),
        answered(now),
        open(report),
        if is_scan { put_in_front(now) } else { enforce(now) },
        forgotten(report),
        label(now).filter(|_| !is_scan),
        review(report),
        tell_more(report),
    ];
    let all = all.into_iter().flatten();
    // Of a scan there is no instance that could be asked.
    let is_askable = |command: &String| !is_scan || command.starts_with("palisade run");
    all.map(|action| Action { command: action.command.filter(is_askable), ..action }).collect()
}

fn action(title: String, why: &str, command: Option<&str>) -> Action {
    Action { title, why: why.to_owned(), command: command.map(str::to_owned) }
}

fn entered(now: &Sums) -> Option<Action> {
    let title = match (now.victims, now.incidents_succeeded) {
        (0, 0) => return None,
        (0, succeeded) => format!("Look into {} that succeeded", counted(succeeded, "attack")),
        (victims, _) => format!("Reset the passwords of {}", counted(victims, "account")),
    };
    let why = "They were entered, or found, by somebody who was guessing.";
    Some(action(title, why, Some("palisade incidents list")))
}

fn answered(now: &Sums) -> Option<Action> {
    let answered: u64 = now.probes.values().map(|(_, answered)| *answered).sum();
    let title = format!("Check {} that the API answered with success", counted(answered, "probe"));
    let why = "Either the API has the vulnerability, or it answers whatever it is asked. The list \
               of vulnerabilities below says which to rule out.";
    (answered > 0).then(|| action(title, why, Some("palisade events --layer rules")))
}

fn open(report: &Report) -> Option<Action> {
    let open = total(report, "open-sensitive");
    let title = format!("Ask for a credential at {}", counted(open, "endpoint"));
    let why = "They give out sensitive data to callers who show none.";
    (open > 0).then(|| action(title, why, Some("palisade api list")))
}

fn enforce(now: &Sums) -> Option<Action> {
    let passed = counted(now.would_refuse, "request");
    let title = format!("Enforce: {passed} passed that would have been refused");
    let why = match now.attacks_of_established {
        0 => "None of the attacks came from a caller in good standing.".to_owned(),
        1 => {
            "One of the attacks came from a caller in good standing: look at that first.".to_owned()
        }
        known => {
            format!(
                "{known} of the attacks came from callers in good standing: look at those first."
            )
        }
    };
    (now.would_refuse > 0).then(|| action(title, &why, Some("palisade enforce")))
}

fn put_in_front(now: &Sums) -> Option<Action> {
    let refused = counted(now.would_refuse, "request");
    let title = format!("Put Palisade in front: {refused} would have been refused");
    let why = "They were answered as if they were honest. In monitor mode nothing changes until you \
               say so.";
    (now.would_refuse > 0).then(|| action(title, why, Some("palisade run --to URL")))
}

fn forgotten(report: &Report) -> Option<Action> {
    let forgotten = total(report, "forgotten");
    let title = format!("Retire {}", counted(forgotten, "forgotten endpoint"));
    let why = "What nobody uses any more, and still answers, is rarely as well protected as what \
               replaced it.";
    (forgotten > 0).then(|| action(title, why, Some("palisade api list")))
}

fn label(now: &Sums) -> Option<Action> {
    let open = now.incidents.saturating_sub(now.incidents_closed);
    let title = format!("Close or silence {}", counted(open, "open incident"));
    let why = "Only what somebody looked at can be counted as a false alarm or as none.";
    (open > 0).then(|| action(title, why, Some("palisade incidents list")))
}

fn review(report: &Report) -> Option<Action> {
    let new = total(report, "new");
    let title = format!("Review {}", counted(new, "new endpoint"));
    (new > 0).then(|| action(title, "Nobody has to have meant them.", Some("palisade api list")))
}

fn tell_more(report: &Report) -> Option<Action> {
    let untold = report.figure("untold-share").and_then(|figure| figure.value);
    let title = "Let the log tell media types, or record with the gateway".to_owned();
    let why = "Much of the traffic cannot be told to be API, page or file, so the shares of those \
               are low.";
    untold.is_some_and(|share| share > UNTOLD_MUCH).then(|| action(title, why, None))
}

/// How many endpoints a list has.
fn total(report: &Report, id: &str) -> u64 {
    report.endpoints.iter().find(|list| list.id == id).map_or(0, |list| list.total)
}
