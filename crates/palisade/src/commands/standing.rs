//! `block`, `allow`, `decisions`, `silence`, `exceptions`: what stands over single requests.

use console::wire::{
    Decision, DecisionList, DecisionOrder, Exception, ExceptionList, ExceptionOrder, KindWord,
    Preview, Removed, WidthWord,
};
use http::Method;
use traffic::{counted, times};

use super::{Desk, author};
use crate::args::{Decisions, Exceptions, Silence, SilenceScope, Span, Stand};
use crate::client::escaped;
use crate::failure::Failure;
use crate::output::{Page, Paint};

/// Makes a standing decision.
pub(crate) fn stand(desk: &mut Desk, kind: KindWord, stand: &Stand) -> Result<(), Failure> {
    let order = DecisionOrder {
        kind,
        selector: stand.selector.clone(),
        for_s: match stand.span {
            Span::For(span) => Some(span.as_secs()),
            Span::Ever => None,
        },
        reason: stand.reason.clone(),
        author: author(),
    };
    let decision: Decision = desk.client.send(Method::POST, "/decisions", &order)?;
    desk.output.document(&decision, |page| one_decision(page, &decision))?;
    for warning in &decision.warnings {
        desk.output.talk(&format!("warning: {warning}"));
    }
    undo(desk, &format!("decisions rm {}", decision.id));
    Ok(())
}

/// Lists or ends standing decisions.
pub(crate) fn decisions(desk: &mut Desk, command: &Decisions) -> Result<(), Failure> {
    match command {
        Decisions::List => {
            let list: DecisionList = desk.client.get_all("/decisions")?;
            desk.output.list(&list, &list.decisions, |page| all_decisions(page, &list.decisions))
        }
        Decisions::Rm { id } => remove(desk, "decisions", id),
    }
}

/// Makes an exception from an event.
pub(crate) fn silence(desk: &mut Desk, silence: &Silence) -> Result<(), Failure> {
    let (scope, width) = match silence.scope {
        SilenceScope::Caller => ("caller", WidthWord::Caller),
        SilenceScope::Endpoint => ("endpoint", WidthWord::Endpoint),
        SilenceScope::Detector => ("detector", WidthWord::Detector),
    };
    let order = ExceptionOrder {
        event: silence.id.trim().trim_start_matches("urn:uuid:").to_owned(),
        scope: Some(width),
        for_s: Some(silence.span.as_secs()),
        reason: silence.reason.clone(),
        author: author(),
        dry_run: silence.dry_run,
    };
    let exception: Exception = desk.client.send(Method::POST, "/exceptions", &order)?;
    desk.output.document(&exception, |page| {
        if silence.dry_run {
            page.painted(Paint::Bold, "would make this exception; nothing was changed");
        }
        one_exception(page, &exception);
    })?;
    match silence.dry_run {
        true => desk.output.talk(&format!(
            "make it: {}",
            desk.command(&format!("silence {} --scope {scope}", order.event))
        )),
        false => {
            if exception.already {
                desk.output.talk("it stands already; nothing was changed");
            }
            undo(desk, &format!("exceptions rm {}", exception.id));
        }
    }
    for block in &exception.still_blocked_by {
        desk.output.talk(&format!(
            "{block} still refuses this caller: {}",
            desk.command(&format!("decisions rm {block}"))
        ));
    }
    Ok(())
}

/// Lists, shows or ends exceptions.
pub(crate) fn exceptions(desk: &mut Desk, command: &Exceptions) -> Result<(), Failure> {
    match command {
        Exceptions::List => {
            let list: ExceptionList = desk.client.get_all("/exceptions")?;
            desk.output.list(&list, &list.exceptions, |page| all_exceptions(page, &list.exceptions))
        }
        Exceptions::Show { id } => {
            let exception: Exception = desk.client.get(&format!("/exceptions/{}", escaped(id)))?;
            desk.output.document(&exception, |page| one_exception(page, &exception))
        }
        Exceptions::Rm { id } => remove(desk, "exceptions", id),
    }
}

fn remove(desk: &mut Desk, what: &str, id: &str) -> Result<(), Failure> {
    let removed: Removed = desk.client.delete(&format!("/{what}/{}", escaped(id)))?;
    desk.output.document(&removed, |page| {
        page.line(&format!("removed {}: {}", removed.id, removed.was));
    })?;
    undo(desk, &removed.undo);
    Ok(())
}

/// Tells how to take back what was just done.
fn undo(desk: &Desk, command: &str) {
    desk.output.talk(&format!("undo: {}", desk.command(command)));
}

fn one_decision(page: &mut Page, decision: &Decision) {
    page.pair("decision", &decision.id);
    page.pair_painted("kind", &decision.kind, kind_paint(&decision.kind));
    page.pair("whom", &decision.scope);
    page.pair("by", &format!("{} ({})", decision.author, decision.origin));
    page.pair("since", &page.clock().full(&decision.since));
    page.pair("until", &end(page, decision.until.as_deref()));
    if !decision.reason.is_empty() {
        page.pair("reason", &decision.reason);
    }
    page.pair("applied", &times(decision.hits));
}

fn all_decisions(page: &mut Page, decisions: &[Decision]) {
    if decisions.is_empty() {
        page.line("nothing stands");
        return;
    }
    let rows: Vec<_> = decisions
        .iter()
        .map(|decision| {
            vec![
                (decision.id.clone(), Paint::Bold),
                (decision.kind.clone(), kind_paint(&decision.kind)),
                (decision.scope.clone(), Paint::None),
                (end(page, decision.until.as_deref()), Paint::None),
                (decision.hits.to_string(), Paint::None),
                (decision.author.clone(), Paint::Faint),
                (decision.reason.clone(), Paint::Faint),
            ]
        })
        .collect();
    page.table(&["ID", "KIND", "WHOM", "UNTIL", ">HITS", "BY", "REASON"], &rows);
}

fn one_exception(page: &mut Page, exception: &Exception) {
    if !exception.id.is_empty() {
        page.pair("exception", &exception.id);
    }
    page.pair("silences", &exception.silences);
    page.pair("layer", &exception.layer);
    page.pair("by", &exception.author);
    page.pair("since", &page.clock().full(&exception.since));
    page.pair("until", &end(page, exception.until.as_deref()));
    if !exception.reason.is_empty() {
        page.pair("reason", &exception.reason);
    }
    if let Some(event) = &exception.evidence {
        page.pair("from event", event);
    }
    let last = match &exception.last_hit {
        Some(at) => format!("{}, last {}", times(exception.hits), page.clock().full(at)),
        None => "never yet".to_owned(),
    };
    page.pair("applied", &last);
    if let Some(preview) = &exception.preview {
        previewed(page, preview);
    }
}

/// What an exception would have done lately.
fn previewed(page: &mut Page, preview: &Preview) {
    let told = format!(
        "{} of {} ({}) would have passed, {} of them refused in fact",
        counted(preview.requests, "request"),
        counted(preview.callers, "caller"),
        counted(preview.events, "event"),
        preview.refused
    );
    page.pair(&format!("last {} h", preview.hours), &told);
    let suspicious = format!("{} of them look malicious by other signals", preview.suspicious);
    let paint = if preview.suspicious > 0 { Paint::Warn } else { Paint::None };
    page.pair_painted("", &suspicious, paint);
    if preview.still_refused > 0 {
        let still = format!("{} more would be refused all the same", preview.still_refused);
        page.pair("", &still);
    }
    for caller in &preview.foremost {
        page.pair("whose", caller);
    }
    if !preview.complete {
        page.pair("", "there was more than is looked at in one go");
    }
}

fn all_exceptions(page: &mut Page, exceptions: &[Exception]) {
    if exceptions.is_empty() {
        page.line("no exceptions");
        return;
    }
    let rows: Vec<_> = exceptions
        .iter()
        .map(|exception| {
            vec![
                (exception.id.clone(), Paint::Bold),
                (exception.silences.clone(), Paint::None),
                (end(page, exception.until.as_deref()), Paint::None),
                (exception.hits.to_string(), Paint::None),
                (exception.author.clone(), Paint::Faint),
                (exception.reason.clone(), Paint::Faint),
            ]
        })
        .collect();
    page.table(&["ID", "SILENCES", "UNTIL", ">HITS", "BY", "REASON"], &rows);
}

fn end(page: &Page, until: Option<&str>) -> String {
    until.map_or_else(|| "without end".to_owned(), |until| page.clock().short(until))
}

fn kind_paint(kind: &str) -> Paint {
    if kind == "block" { Paint::Bad } else { Paint::Good }
}
