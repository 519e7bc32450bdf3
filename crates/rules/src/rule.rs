//! A rule as the engine runs it: checked, its names resolved, its defaults filled in.
//!
//! Rules are made by [`crate::seclang`] from text. Nothing here knows how they were spelt, only
//! where they stood.

mod groups;

use std::{fmt, sync::Arc};

use regex::bytes::Regex;

use crate::{
    action::{Disruption, Effect, Severity},
    operator::Operator,
    template::Template,
    transformation::Transformation,
    variable::Variable,
};

/// When a rule runs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Phase {
    /// 1: the head of the request is known.
    RequestHeaders,
    /// 2: its body, too.
    RequestBody,
    /// 3: the head of the answer.
    ResponseHeaders,
    /// 4: its body.
    ResponseBody,
    /// 5: all is done; nothing can be refused any more.
    Logging,
}

/// A place in a rule file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Source {
    /// The file as it was named.
    pub file: Arc<str>,
    /// Counted from 1; of a directive over several lines the first.
    pub line: u32,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A rule: one condition, or a chain of them that must hold one after the other.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its number, unique in its set.
    pub id: u64,
    /// When it runs.
    pub phase: Phase,
    /// Where it stood.
    pub source: Source,
    /// The head of the chain and its further links; at least one.
    pub links: Vec<Link>,
    /// What happens to the request when all links hold; `block` is already what the defaults of
    /// its phase say.
    pub disruption: Disruption,
    /// Where evaluation goes on when all links hold.
    pub jump: Jump,
    /// What is told of it.
    pub about: About,
}

/// One condition of a rule, and what happens each time that it holds for a value.
#[derive(Clone, Debug)]
pub struct Link {
    /// What is asked; nothing for a `SecAction`, which always holds, once.
    pub test: Option<Test>,
    /// Executed in order for each value for which the test holds, whether or not the rest of the
    /// chain does.
    pub effects: Vec<Effect>,
    /// What to say, when the whole chain holds. The head's message stands for the rule.
    pub message: Option<Template>,
    /// Which data to show. Expanded when the whole chain holds.
    pub log_data: Option<Template>,
}

/// A question, and the values of which it is asked.
#[derive(Clone, Debug)]
pub struct Test {
    /// What is looked at, and what is left out of it.
    pub targets: Targets,
    /// Applied to each value in order, before the operator sees it.
    pub transformations: Vec<Transformation>,
    /// What is asked.
    pub operator: Operator,
    /// The operator's argument when it holds macros.
    pub argument: Option<Template>,
    /// Does the test hold when the operator does not match?
    pub is_negated: bool,
    /// Are `TX.0` to `TX.9` set to what the operator found?
    pub captures: bool,
    /// Is the operator asked of the value as it came and after each transformation that changed
    /// it, instead of after all of them?
    pub multi_match: bool,
}

/// The values that a test looks at.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// In the order in which they are looked at.
    pub included: Vec<Target>,
    /// What is not looked at although an included target names it.
    pub excluded: Vec<Target>,
}

/// A variable, and which of its values.
#[derive(Clone, Debug)]
pub struct Target {
    /// The variable.
    pub variable: Variable,
    /// Which of its values.
    pub selector: Selector,
    /// Is it how many there are (`&ARGS`) instead of the values themselves? Never in an exclusion.
    pub is_count: bool,
}

/// Which values of a collection.
#[derive(Clone, Debug)]
pub enum Selector {
    /// Every one.
    All,
    /// Those of this name.
    Key {
        /// In small ASCII letters unless the collection tells them apart.
        key: Box<[u8]>,
        /// For `TX`, the place that the set gave this name.
        slot: Option<u16>,
    },
    /// Those whose name the pattern matches.
    Pattern(Regex),
    /// `XML:/*`: the texts of the document.
    XmlTexts,
    /// `XML://@*`: the values of its attributes.
    XmlAttributes,
}

/// Where evaluation goes on after a rule that holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Jump {
    /// With the next rule of the phase.
    #[default]
    Next,
    /// Behind as many rules of the phase.
    Skip(u32),
    /// Behind the next marker of that name, or the end of the phase.
    SkipAfter(Box<str>),
}

/// What is told of a rule.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// How bad it is.
    pub severity: Option<Severity>,
    /// In the order of the rule; macros are rare in them, but allowed.
    pub tags: Vec<Template>,
    /// Of the rule set (`ver`).
    pub version: Option<Box<str>>,
    /// Of the rule (`rev`).
    pub revision: Option<Box<str>>,
    /// Is a match told at all? (`log`, `nolog`)
    pub is_logged: bool,
    /// Does a match make the exchange one for the audit log? (`auditlog`, `noauditlog`)
    pub is_audited: bool,
}
