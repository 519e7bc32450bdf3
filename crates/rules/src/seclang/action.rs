//! A rule's actions: `id:1,phase:2,deny,msg:'…',setvar:tx.a=+1`.
//!
//! Actions are separated by commas; behind a `:` stands a value, in `'…'` where it holds a comma
//! (with `\'` for a quotation mark). Here each becomes one [`Action`]; what they mean together for
//! a rule is [`super::rule`]'s concern.

mod list;

use crate::{
    action::{AllowScope, Effect, Severity},
    rule::Phase,
    template::Template,
    transformation::Transformation,
};

use super::{context::Context, control, effect, error::Reason, macros::template};

/// One action, its value understood.
#[derive(Clone, Debug)]
pub(super) enum Action {
    AuditLog(bool),
    Capture,
    Chain,
    Disrupt(Disruptive),
    Effect(Effect),
    Id(u64),
    Log(bool),
    LogData(Template),
    Message(Template),
    MultiMatch,
    Phase(Phase),
    Revision(Box<str>),
    Severity(Severity),
    Skip(u32),
    SkipAfter(Box<str>),
    Status(u16),
    Tag(Template),
    /// `t`; nothing is `t:none`.
    Transform(Option<Transformation>),
    Version(Box<str>),
}

/// What a rule says shall happen, before defaults and `status` are known.
#[derive(Clone, Debug)]
pub(super) enum Disruptive {
    Allow(AllowScope),
    /// What the defaults of the phase say.
    Block,
    Deny,
    Drop,
    Pass,
    Redirect(Template),
}

/// Every action, for suggestions.
const NAMES: [&str; 32] = [
    "allow",
    "auditlog",
    "block",
    "capture",
    "chain",
    "ctl",
    "deny",
    "drop",
    "expirevar",
    "id",
    "initcol",
    "log",
    "logdata",
    "msg",
    "multiMatch",
    "noauditlog",
    "nolog",
    "pass",
    "phase",
    "redirect",
    "rev",
    "setenv",
    "setrsc",
    "setsid",
    "setuid",
    "setvar",
    "severity",
    "skip",
    "skipAfter",
    "status",
    "tag",
    "ver",
];

/// Actions of others that there are not here, and why.
const ELSEWHERE: [(&str, &str); 7] = [
    ("append", "answers are not rewritten"),
    ("deprecatevar", "counters that decay are not kept; write expirevar"),
    ("exec", "programs are not run"),
    ("pause", "it would hold a connection to punish its sender; write deny"),
    ("prepend", "answers are not rewritten"),
    ("proxy", "requests go where the configuration says"),
    ("xmlns", "of XPath only /* and //@* are supported, which need no name spaces"),
];

/// Actions that were understood and change nothing here, and why.
const WITHOUT_EFFECT: [(&str, &str); 11] = [
    ("accuracy", "it says how sure a rule is, and nobody asks"),
    ("maturity", "it says how old a rule is, and nobody asks"),
    ("sanitiseArg", "every value is masked where it is told"),
    ("sanitiseMatched", "every value is masked where it is told"),
    ("sanitiseMatchedBytes", "every value is masked where it is told"),
    ("sanitiseRequestHeader", "every value is masked where it is told"),
    ("sanitiseResponseHeader", "every value is masked where it is told"),
    ("sanitizeArg", "every value is masked where it is told"),
    ("sanitizeMatched", "every value is masked where it is told"),
    ("sanitizeRequestHeader", "every value is masked where it is told"),
    ("sanitizeResponseHeader", "every value is masked where it is told"),
];

/// The actions of a list, in order.
pub(super) fn actions(list: &[u8], context: &mut Context<'_>) -> Result<Vec<Action>, Reason> {
    let mut actions = Vec::new();
    for (name, value) in list::split(list)? {
        action(&name, value.as_deref(), context, &mut actions)?;
    }
    Ok(actions)
}

fn action(
    name: &str,
    value: Option<&[u8]>,
    context: &mut Context<'_>,
    actions: &mut Vec<Action>,
) -> Result<(), Reason> {
    let name = name.to_ascii_lowercase();
    if let Some(action) = flag(&name) {
        return match value {
            None => {
                actions.push(action);
                Ok(())
            }
            Some(_) => Err(Reason::new(format!("{name} takes no value"))),
        };
    }
    if name == "allow" {
        actions.push(Action::Disrupt(Disruptive::Allow(scope(value)?)));
        return Ok(());
    }
    if let Some((known, why)) = entry(&WITHOUT_EFFECT, &name) {
        context.note(format!("{known} has no effect: {why}"));
        return Ok(());
    }
    if let Some((known, why)) = entry(&ELSEWHERE, &name) {
        return Err(Reason::new(format!("{known} is not supported: {why}")));
    }
    let names = NAMES.into_iter().chain(["t"]);
    if !names.clone().any(|known| known.eq_ignore_ascii_case(&name)) {
        return Err(Reason::unknown("action", &name, names));
    }
    let Some(value) = value.filter(|value| !value.is_empty() || name == "msg") else {
        return Err(Reason::new(format!("{name} needs a value")));
    };
    if let Some(effects) = effects(&name, value, context)? {
        actions.extend(effects.into_iter().map(Action::Effect));
        return Ok(());
    }
    actions.push(valued(&name, value, context)?);
    Ok(())
}

fn entry<'a>(table: &[(&'a str, &'a str)], name: &str) -> Option<(&'a str, &'a str)> {
    table.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).copied()
}

fn flag(name: &str) -> Option<Action> {
    Some(match name {
        "auditlog" => Action::AuditLog(true),
        "block" => Action::Disrupt(Disruptive::Block),
        "capture" => Action::Capture,
        "chain" => Action::Chain,
        "deny" => Action::Disrupt(Disruptive::Deny),
        "drop" => Action::Disrupt(Disruptive::Drop),
        "log" => Action::Log(true),
        "multimatch" => Action::MultiMatch,
        "noauditlog" => Action::AuditLog(false),
        "nolog" => Action::Log(false),
        "pass" => Action::Disrupt(Disruptive::Pass),
        _ => return None,
    })
}

fn scope(value: Option<&[u8]>) -> Result<AllowScope, Reason> {
    let Some(value) = value else { return Ok(AllowScope::Exchange) };
    match value.to_ascii_lowercase().as_slice() {
        b"phase" => Ok(AllowScope::Phase),
        b"request" => Ok(AllowScope::Request),
        _ => Err(wrong("allow", value, "phase or request")),
    }
}

fn effects(
    name: &str,
    value: &[u8],
    context: &mut Context<'_>,
) -> Result<Option<Vec<Effect>>, Reason> {
    Ok(Some(match name {
        "ctl" => control::controls(value, context)?.into_iter().map(Effect::Control).collect(),
        "expirevar" => vec![effect::expire(value, context)?],
        "initcol" => vec![effect::open(value, context)?],
        "setenv" => vec![effect::environment(value, context)?],
        "setrsc" | "setsid" | "setuid" => vec![effect::open_named(name, value, context)?],
        "setvar" => vec![effect::set(value, context)?],
        _ => return Ok(None),
    }))
}

/// An action with a value; `name` is one of [`NAMES`] in small letters.
fn valued(name: &str, value: &[u8], context: &mut Context<'_>) -> Result<Action, Reason> {
    let text = || String::from_utf8_lossy(value).into_owned();
    Ok(match name {
        "id" => Action::Id(number(name, value, 1, u64::MAX)?),
        "logdata" => Action::LogData(template(value, context)?),
        "msg" => Action::Message(template(value, context)?),
        "phase" => Action::Phase(phase(value)?),
        "redirect" => Action::Disrupt(Disruptive::Redirect(template(value, context)?)),
        "rev" => Action::Revision(text().into()),
        "severity" => Action::Severity(severity(value)?),
        "skip" => Action::Skip(narrow(number(name, value, 1, u64::from(u32::MAX))?)),
        "skipafter" => Action::SkipAfter(text().into()),
        "status" => {
            let status = number(name, value, 100, 599)?;
            Action::Status(u16::try_from(status).unwrap_or(403))
        }
        "t" => Action::Transform(transformation(&text())?),
        "tag" => Action::Tag(template(value, context)?),
        _ => Action::Version(text().into()),
    })
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn number(name: &str, value: &[u8], least: u64, most: u64) -> Result<u64, Reason> {
    let digits = std::str::from_utf8(value).ok().filter(|text| !text.starts_with('+'));
    let number = digits.and_then(|text| text.trim().parse().ok());
    let within = number.filter(|number| (least..=most).contains(number));
    within.ok_or_else(|| wrong(name, value, &format!("a number from {least} to {most}")))
}

/// The value of `name` is not what it takes.
pub(super) fn wrong(name: &str, value: &[u8], takes: &str) -> Reason {
    Reason::new(format!("{name}:{} is not known: it takes {takes}", value.escape_ascii()))
}

fn phase(value: &[u8]) -> Result<Phase, Reason> {
    Ok(match value.to_ascii_lowercase().as_slice() {
        b"1" => Phase::RequestHeaders,
        b"2" | b"request" => Phase::RequestBody,
        b"3" => Phase::ResponseHeaders,
        b"4" | b"response" => Phase::ResponseBody,
        b"5" | b"logging" => Phase::Logging,
        _ => return Err(wrong("phase", value, "1 to 5, request, response or logging")),
    })
}

fn severity(value: &[u8]) -> Result<Severity, Reason> {
    Ok(match value.to_ascii_lowercase().as_slice() {
        b"0" | b"emergency" => Severity::Emergency,
        b"1" | b"alert" => Severity::Alert,
        b"2" | b"critical" => Severity::Critical,
        b"3" | b"error" => Severity::Error,
        b"4" | b"warning" => Severity::Warning,
        b"5" | b"notice" => Severity::Notice,
        b"6" | b"info" => Severity::Info,
        b"7" | b"debug" => Severity::Debug,
        _ => return Err(wrong("severity", value, "0 to 7, or EMERGENCY to DEBUG")),
    })
}

fn transformation(name: &str) -> Result<Option<Transformation>, Reason> {
    match Transformation::named(name) {
        Some(Transformation::None) => Ok(None),
        Some(transformation) => Ok(Some(transformation)),
        None => {
            let known = Transformation::all().map(Transformation::name);
            Err(Reason::unknown("transformation", name, known))
        }
    }
}
