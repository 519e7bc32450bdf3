//! What to do, made from the figures: the most urgent first.

use super::sums::Sums;
use crate::outcome::{Action, Report};

/// A share of what cannot be told from which the figures themselves are in doubt.
const UNTOLD_MUCH: f64 = 0.3;

/// Everything there is to do.
pub(super) fn of(report: &Report, now: &Sums) -> Vec<Action> {
    let is_scan = report.origin.kind == "scan";
    let mut actions = Vec::new();
    let mut act = |is_so: bool, title: String, why: &str, command: Option<&str>| {
        if is_so {
            let command = command.map(str::to_owned);
            actions.push(Action { title, why: why.to_owned(), command });
        }
    };
    let live = |command: &'static str| (!is_scan).then_some(command);
    let total =
        |id: &str| report.endpoints.iter().find(|list| list.id == id).map_or(0, |list| list.total);
    act(
        now.victims > 0 || now.incidents_succeeded > 0,
        match now.victims {
            0 => format!("Look into {} that succeeded", counted(now.incidents_succeeded, "attack")),
            victims => format!("Reset the passwords of {}", counted(victims, "account")),
        },
        "They were entered, or found, by somebody who was guessing.",
        live("palisade incidents list"),
    );
    let answered: u64 = now.probes.values().map(|(_, answered)| *answered).sum();
    act(
        answered > 0,
        format!("Check {} that the API answered with success", counted(answered, "probe")),
        "Either the API has the vulnerability, or it answers whatever it is asked. The list of \
         vulnerabilities below says which to rule out.",
        live("palisade events --layer rules"),
    );
    let open = total("open-sensitive");
    act(
        open > 0,
        format!("Ask for a credential at {}", counted(open, "endpoint")),
        "They give out sensitive data to callers who show none.",
        live("palisade api list"),
    );
    act(
        now.would_refuse > 0 && !is_scan,
        format!(
            "Enforce: {} passed that would have been refused",
            counted(now.would_refuse, "request")
        ),
        &match now.attacks_of_established {
            0 => "None of them came from a caller in good standing.".to_owned(),
            known => format!(
                "{known} of the attacks came from callers in good standing: look at those first."
            ),
        },
        Some("palisade enforce"),
    );
    act(
        now.would_refuse > 0 && is_scan,
        format!(
            "Put Palisade in front: {} would have been refused",
            counted(now.would_refuse, "request")
        ),
        "They were answered as if they were honest. In monitor mode nothing changes until you say so.",
        Some("palisade run --to URL"),
    );
    let forgotten = total("forgotten");
    act(
        forgotten > 0,
        format!("Retire {}", counted(forgotten, "forgotten endpoint")),
        "An older version that still answers is rarely as well protected as the one that replaced it.",
        live("palisade api list"),
    );
    act(
        now.incidents > now.incidents_closed && !is_scan,
        format!(
            "Close or silence {}",
            counted(now.incidents - now.incidents_closed, "open incident")
        ),
        "Only what somebody looked at can be counted as a false alarm or as none.",
        Some("palisade incidents list"),
    );
    let new = total("new");
    act(
        new > 0,
        format!("Review {}", counted(new, "new endpoint")),
        "Nobody has to have meant them.",
        live("palisade api list"),
    );
    let untold = report.figure("untold-share").and_then(|figure| figure.value);
    act(
        untold.is_some_and(|share| share > UNTOLD_MUCH),
        "Let the log tell media types, or record with the gateway".to_owned(),
        "Much of the traffic cannot be told to be API, page or file, so the shares of those are low.",
        None,
    );
    actions
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
