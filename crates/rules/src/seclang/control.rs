//! `ctl`: settings for one exchange.

use crate::{
    action::{Audit, BodyProcessor, Control, EngineMode, RuleFilter},
    rule::Target,
};

use super::{
    action::wrong,
    context::Context,
    error::Reason,
    filter::{ids, matching},
    target::targets,
};

/// Every setting, for suggestions.
const NAMES: [&str; 12] = [
    "auditEngine",
    "forceRequestBodyVariable",
    "requestBodyAccess",
    "requestBodyProcessor",
    "responseBodyAccess",
    "ruleEngine",
    "ruleRemoveById",
    "ruleRemoveByMsg",
    "ruleRemoveByTag",
    "ruleRemoveTargetById",
    "ruleRemoveTargetByMsg",
    "ruleRemoveTargetByTag",
];

/// Settings that change nothing here, and why.
const WITHOUT_EFFECT: [(&str, &str); 3] = [
    ("auditLogParts", "the events of the gateway have parts of their own"),
    ("debugLogLevel", "there is no debug log of rules"),
    ("parseXmlIntoArgs", "the texts of a document are in XML"),
];

/// Settings of others that there are not here, and why.
const ELSEWHERE: [(&str, &str); 4] = [
    ("hashEnforcement", "links are not signed"),
    ("hashEngine", "links are not signed"),
    ("requestBodyLimit", "a body's limit is known before rules run"),
    ("responseBodyLimit", "a body's limit is known before rules run"),
];

/// The settings of `name=value`.
pub(super) fn controls(value: &[u8], context: &mut Context<'_>) -> Result<Vec<Control>, Reason> {
    let mut parts = value.splitn(2, |byte| *byte == b'=');
    let name = String::from_utf8_lossy(parts.next().unwrap_or_default()).trim().to_owned();
    let Some(value) = parts.next().map(<[u8]>::trim_ascii).filter(|value| !value.is_empty()) else {
        return Err(Reason::new(format!("ctl:{name} needs a value behind =")));
    };
    let is = |(known, _): &&(&str, &str)| known.eq_ignore_ascii_case(&name);
    if let Some((known, why)) = WITHOUT_EFFECT.iter().find(is) {
        context.note(format!("ctl:{known} has no effect: {why}"));
        return Ok(Vec::new());
    }
    if let Some((known, why)) = ELSEWHERE.iter().find(is) {
        return Err(Reason::new(format!("ctl:{known} is not supported: {why}")));
    }
    let lower = name.to_ascii_lowercase();
    if let Some(by) = lower.strip_prefix("ruleremovetargetby") {
        return removed_targets(by, &name, value, context);
    }
    Ok(vec![match lower.as_str() {
        "auditengine" => Control::AuditEngine(audit(value)?),
        "forcerequestbodyvariable" => Control::ForceRequestBodyVariable(switch(&name, value)?),
        "requestbodyaccess" => Control::RequestBodyAccess(switch(&name, value)?),
        "requestbodyprocessor" => Control::RequestBodyProcessor(processor(value)?),
        "responsebodyaccess" => Control::ResponseBodyAccess(switch(&name, value)?),
        "ruleengine" => Control::RuleEngine(engine(value)?),
        "ruleremovebyid" => Control::RemoveRules(RuleFilter::Ids(ids(value)?)),
        "ruleremovebymsg" => Control::RemoveRules(RuleFilter::Message(matching(value, context)?)),
        "ruleremovebytag" => Control::RemoveRules(RuleFilter::Tag(matching(value, context)?)),
        _ => return Err(Reason::unknown("setting of ctl:", &name, NAMES)),
    }])
}

/// `ruleRemoveTargetById=942100;ARGS:text`: what stands behind the `;` is no longer looked at.
fn removed_targets(
    by: &str,
    name: &str,
    value: &[u8],
    context: &mut Context<'_>,
) -> Result<Vec<Control>, Reason> {
    let mut parts = value.splitn(2, |byte| *byte == b';');
    let (Some(rules), Some(list)) = (parts.next(), parts.next()) else {
        return Err(Reason::new(format!("ctl:{name} needs a target behind ;")));
    };
    let rules = match by {
        "id" => RuleFilter::Ids(ids(rules)?),
        "msg" => RuleFilter::Message(matching(rules, context)?),
        "tag" => RuleFilter::Tag(matching(rules, context)?),
        _ => return Err(Reason::unknown("setting of ctl:", name, NAMES)),
    };
    let targets = targets(list, context)?;
    // `!ARGS:text` is read as `ARGS:text`, which is what it can only mean.
    let targets = targets.included.into_iter().chain(targets.excluded);
    let remove = |target: Target| match target.is_count {
        true => Err(Reason::new(format!("ctl:{name} cannot remove a count"))),
        false => Ok(Control::RemoveTarget { rules: rules.clone(), target }),
    };
    targets.map(remove).collect()
}

/// `On` or `Off`.
pub(super) fn switch(name: &str, value: &[u8]) -> Result<bool, Reason> {
    match value.to_ascii_lowercase().as_slice() {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(wrong(name, value, "On or Off")),
    }
}

/// `SecRuleEngine`'s values.
pub(super) fn engine(value: &[u8]) -> Result<EngineMode, Reason> {
    match value.to_ascii_lowercase().as_slice() {
        b"detectiononly" => Ok(EngineMode::DetectionOnly),
        b"off" => Ok(EngineMode::Off),
        b"on" => Ok(EngineMode::On),
        _ => Err(wrong("the rule engine", value, "On, Off or DetectionOnly")),
    }
}

/// `SecAuditEngine`'s values.
pub(super) fn audit(value: &[u8]) -> Result<Audit, Reason> {
    match value.to_ascii_lowercase().as_slice() {
        b"off" => Ok(Audit::Off),
        b"on" => Ok(Audit::On),
        b"relevantonly" => Ok(Audit::RelevantOnly),
        _ => Err(wrong("the audit engine", value, "On, Off or RelevantOnly")),
    }
}

fn processor(value: &[u8]) -> Result<BodyProcessor, Reason> {
    match value.to_ascii_lowercase().as_slice() {
        b"json" => Ok(BodyProcessor::Json),
        b"multipart" => Ok(BodyProcessor::Multipart),
        b"urlencoded" => Ok(BodyProcessor::UrlEncoded),
        b"xml" => Ok(BodyProcessor::Xml),
        _ => Err(wrong("requestBodyProcessor", value, "JSON, MULTIPART, URLENCODED or XML")),
    }
}
