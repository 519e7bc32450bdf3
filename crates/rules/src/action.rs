//! What a rule does when it holds.

use std::ops::RangeInclusive;

use regex::bytes::Regex;

use crate::{
    rule::{Rule, Target},
    template::Template,
    variable::Variable,
};

/// What happens to the exchange when a rule holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Disruption {
    /// Nothing; evaluation goes on.
    #[default]
    Pass,
    /// No further rules, as far as the scope reaches.
    Allow(AllowScope),
    /// Refused with this status.
    Deny(u16),
    /// Refused, and the connection closed without an answer.
    Drop,
    /// Sent elsewhere.
    Redirect {
        /// 301, 302, 303 or 307.
        status: u16,
        /// The target; may hold macros.
        location: Template,
    },
}

/// How far `allow` reaches. Logging (phase 5) always runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AllowScope {
    /// The whole exchange.
    Exchange,
    /// The rest of this phase.
    Phase,
    /// The phases of the request.
    Request,
}

/// How bad it is: the numbers of syslog.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Severity {
    /// 0.
    Emergency,
    /// 1.
    Alert,
    /// 2.
    Critical,
    /// 3.
    Error,
    /// 4.
    Warning,
    /// 5.
    Notice,
    /// 6.
    Info,
    /// 7.
    Debug,
}

/// What a match does besides: each is executed once for each value that matches.
#[derive(Clone, Debug)]
pub enum Effect {
    /// `setvar`.
    SetVariable(Assignment),
    /// `expirevar`: a variable of a persistent collection ends after a while.
    ExpireVariable {
        /// `IP`, `SESSION`, …
        collection: Variable,
        /// Its name.
        key: Template,
        /// After how many seconds.
        seconds: Template,
    },
    /// `initcol`, `setsid`, `setuid`, `setrsc`: a persistent collection is opened.
    OpenCollection {
        /// `IP`, `SESSION`, `USER`, `RESOURCE` or `GLOBAL`.
        collection: Variable,
        /// Which one: an address, a session's ID.
        key: Template,
    },
    /// `setenv`: a variable of `ENV`, seen by later rules.
    SetEnvironment {
        /// Its name.
        name: Box<[u8]>,
        /// Its value.
        value: Template,
    },
    /// `ctl`.
    Control(Control),
}

/// `setvar`.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// `TX`, or a persistent collection.
    pub collection: Variable,
    /// The name, in small ASCII letters; may hold macros.
    pub key: Template,
    /// For `TX` with a name that holds no macros, the place that the set gave it.
    pub slot: Option<u16>,
    /// What becomes of it.
    pub change: Change,
}

/// What `setvar` does to a variable.
#[derive(Clone, Debug)]
pub enum Change {
    /// `=value`; without a value 1.
    Set(Template),
    /// `=+value`: what is no number counts as 0.
    Add(Template),
    /// `=-value`.
    Subtract(Template),
    /// `!name`.
    Unset,
}

/// `ctl`: a setting for this exchange alone.
#[derive(Clone, Debug)]
pub enum Control {
    /// `auditEngine`: is the exchange told in full, whatever its rules say?
    AuditEngine(Audit),
    /// `forceRequestBodyVariable`.
    ForceRequestBodyVariable(bool),
    /// `requestBodyAccess`.
    RequestBodyAccess(bool),
    /// `requestBodyProcessor`.
    RequestBodyProcessor(BodyProcessor),
    /// `responseBodyAccess`.
    ResponseBodyAccess(bool),
    /// `ruleEngine`.
    RuleEngine(EngineMode),
    /// `ruleRemoveById`, `ruleRemoveByTag`, `ruleRemoveByMsg`.
    RemoveRules(RuleFilter),
    /// `ruleRemoveTargetById`, `…ByTag`, `…ByMsg`.
    RemoveTarget {
        /// Of which rules.
        rules: RuleFilter,
        /// What they no longer look at.
        target: Target,
    },
}

/// Which exchanges are told in full.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Audit {
    /// None.
    Off,
    /// Every one.
    On,
    /// Those in which a rule with `auditlog` matched.
    #[default]
    RelevantOnly,
}

/// What the engine does with what its rules find.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum EngineMode {
    /// Rules do not run.
    Off,
    /// Rules run, and refuse nothing.
    DetectionOnly,
    /// Rules run, and refuse.
    #[default]
    On,
}

/// How a request's body is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BodyProcessor {
    /// `JSON`.
    Json,
    /// `MULTIPART`.
    Multipart,
    /// `URLENCODED`.
    UrlEncoded,
    /// `XML`.
    Xml,
}

/// Rules by what they are called.
#[derive(Clone, Debug)]
pub enum RuleFilter {
    /// Those with these numbers.
    Ids(Vec<RangeInclusive<u64>>),
    /// Those with a message that the pattern matches.
    Message(Regex),
    /// Those with a tag that the pattern matches.
    Tag(Regex),
}

impl RuleFilter {
    /// Is this rule meant? Of tags and messages the text counts, not what macros stand for.
    #[must_use]
    pub fn matches(&self, rule: &Rule) -> bool {
        match self {
            Self::Ids(ranges) => ranges.iter().any(|range| range.contains(&rule.id)),
            Self::Message(pattern) => {
                let message = rule.links.first().and_then(|link| link.message.as_ref());
                message.is_some_and(|message| pattern.is_match(&message.plain()))
            }
            Self::Tag(pattern) => rule.about.tags.iter().any(|tag| pattern.is_match(&tag.plain())),
        }
    }
}
