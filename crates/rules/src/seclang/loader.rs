//! Reads rule files one after the other and puts the set together.

use std::{collections::HashMap, sync::Arc};

use crate::{
    rule::{Rule, Source},
    rule_set::{RuleSet, Step},
};

use super::{
    context::Context,
    defaults::Defaults,
    error::{LoadError, Problem, Reason},
    files::{Files, beside},
    lexer::{Directive, Lexer},
    rule::{Parts, sec_action, sec_rule},
    setting, update,
};

/// Files may include others to this depth: rule sets need three.
const INCLUDE_DEPTH_MAX: usize = 16;

/// A rule set may have so many files; the Core Rule Set has 60.
const FILES_MAX: usize = 10_000;

/// A rule file may have so many bytes; the longest of the Core Rule Set has 200 KB.
const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A set may have so many rules, links of chains included; the Core Rule Set has 700.
const RULES_MAX: usize = 100_000;

/// So many problems are told; most follow from a few.
const PROBLEMS_MAX: usize = 20;

/// Directives about rules, for suggestions; the others are in [`setting`].
const NAMES: [&str; 13] = [
    "Include",
    "IncludeOptional",
    "SecAction",
    "SecDefaultAction",
    "SecMarker",
    "SecRule",
    "SecRuleRemoveById",
    "SecRuleRemoveByMsg",
    "SecRuleRemoveByTag",
    "SecRuleUpdateActionById",
    "SecRuleUpdateTargetById",
    "SecRuleUpdateTargetByMsg",
    "SecRuleUpdateTargetByTag",
];

pub(super) struct Loader<'f> {
    context: Context<'f>,
    set: RuleSet,
    defaults: Defaults,
    /// Where each id stands.
    ids: HashMap<u64, Source>,
    chain: Chain,
    files: usize,
    rules: usize,
    problems: Vec<Problem>,
    omitted: usize,
}

/// The chain that the next rule belongs to.
enum Chain {
    /// None.
    Closed,
    Open(Box<Rule>),
    /// One of which a rule could not be read: its others are read for their own problems alone.
    Broken,
}

impl<'f> Loader<'f> {
    pub(super) fn new(files: &'f dyn Files) -> Self {
        Self {
            context: Context::new(files),
            set: RuleSet::default(),
            defaults: Defaults::default(),
            ids: HashMap::new(),
            chain: Chain::Closed,
            files: 0,
            rules: 0,
            problems: Vec::new(),
            omitted: 0,
        }
    }

    /// Reads a file and those that it includes.
    pub(super) fn file(&mut self, path: &str, depth: usize) -> Result<(), Reason> {
        self.files += 1;
        if self.files > FILES_MAX {
            return Err(Reason::new(format!("the rule set has more than {FILES_MAX} files")));
        }
        let failed = |error| Reason::new(format!("{path}: {error}"));
        let text = self.context.files.read(path).map_err(failed)?;
        if text.len() > FILE_BYTES_MAX {
            let bytes = text.len();
            return Err(Reason::new(format!(
                "{path}: the file has {bytes} bytes, more than {FILE_BYTES_MAX}"
            )));
        }
        let file: Arc<str> = path.into();
        let outer = self.context.source.clone();
        for directive in Lexer::new(&text) {
            let (line, read) = match directive {
                Ok(directive) => (directive.line, Ok(directive)),
                Err(error) => (error.line, Err(Reason::new(error.reason))),
            };
            self.context.source = Source { file: Arc::clone(&file), line };
            let done = read.and_then(|directive| self.directive(&directive, depth));
            done.unwrap_or_else(|reason| self.problem(reason));
        }
        self.end_chain();
        self.context.source = outer;
        Ok(())
    }

    fn problem(&mut self, reason: Reason) {
        let source = self.context.source.clone();
        self.problem_at(source, reason);
    }

    pub(super) fn problem_at(&mut self, source: Source, reason: Reason) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem { source, reason });
        } else {
            self.omitted = self.omitted.saturating_add(1);
        }
    }

    fn directive(&mut self, directive: &Directive, depth: usize) -> Result<(), Reason> {
        let Directive { name, arguments, .. } = directive;
        let lower = name.to_ascii_lowercase();
        if let "secrule" | "secaction" = lower.as_str() {
            let parts = match lower.as_str() {
                "secrule" => sec_rule(arguments, &mut self.context),
                _ => sec_action(arguments, &mut self.context),
            };
            return self.rule(parts, arguments);
        }
        self.end_chain();
        if let Some(by) = lower.strip_prefix("secruleremoveby").filter(|by| is_kind(by)) {
            let removed = update::remove(by, arguments, &mut self.set, &mut self.context)?;
            for id in removed {
                self.ids.remove(&id);
            }
            return Ok(());
        }
        if let Some(by) = lower.strip_prefix("secruleupdatetargetby").filter(|by| is_kind(by)) {
            return update::update_targets(by, arguments, &mut self.set, &mut self.context);
        }
        match lower.as_str() {
            "include" => self.include(arguments, depth, true),
            "includeoptional" => self.include(arguments, depth, false),
            "secdefaultaction" => match arguments.as_slice() {
                [list] => self.defaults.set(list, &mut self.context),
                _ => Err(Reason::new("SecDefaultAction takes one list of actions, in quotes")),
            },
            "secmarker" => self.marker(arguments),
            "secruleupdateactionbyid" => {
                update::update_actions(arguments, &mut self.set, &self.defaults, &mut self.context)
            }
            _ => {
                let settings = &mut self.set.settings;
                setting::set(name, arguments, settings, &mut self.context)
                    .unwrap_or_else(|| Err(unknown(name)))
            }
        }
    }

    fn include(
        &mut self,
        arguments: &[Vec<u8>],
        depth: usize,
        is_required: bool,
    ) -> Result<(), Reason> {
        let [path] = arguments else {
            return Err(Reason::new("it takes one path, which may hold * and ?"));
        };
        if depth >= INCLUDE_DEPTH_MAX {
            let text = format!("files include each other more than {INCLUDE_DEPTH_MAX} deep");
            return Err(Reason::new(text));
        }
        let pattern = beside(&self.context.source.file, &String::from_utf8_lossy(path));
        let failed = |error| Reason::new(format!("{pattern}: {error}"));
        let paths = self.context.files.expand(&pattern).map_err(failed)?;
        if paths.is_empty() && is_required {
            return Err(Reason::new(format!("there is no file {pattern}")));
        }
        for path in paths {
            if let Err(reason) = self.file(&path, depth + 1) {
                self.problem(reason);
            }
        }
        Ok(())
    }

    fn marker(&mut self, arguments: &[Vec<u8>]) -> Result<(), Reason> {
        let [name] = arguments else {
            return Err(Reason::new("SecMarker takes one name"));
        };
        let name: Box<str> = String::from_utf8_lossy(name).into();
        for steps in &mut self.set.phases {
            steps.push(Step::Marker(name.clone()));
        }
        Ok(())
    }

    /// Puts the parts where they belong: on the open chain, or as a rule of their own.
    fn rule(&mut self, parts: Result<Parts, Reason>, arguments: &[Vec<u8>]) -> Result<(), Reason> {
        self.rules += 1;
        if self.rules > RULES_MAX {
            return Err(Reason::new(format!("the set has more than {RULES_MAX} rules")));
        }
        let goes_on = match &parts {
            Ok(parts) => parts.spec.goes_on,
            Err(_) => arguments.last().is_some_and(|list| mentions_chain(list)),
        };
        let chain = std::mem::replace(&mut self.chain, Chain::Closed);
        let rule = match (chain, parts) {
            (Chain::Closed, parts) => parts.and_then(|parts| self.head(parts)).map(Some),
            (Chain::Open(mut rule), parts) => {
                let link = parts.and_then(|parts| {
                    parts.further_link(rule.phase, &self.defaults, &mut self.context)
                });
                link.map(|link| {
                    rule.links.push(link);
                    Some(rule)
                })
            }
            (Chain::Broken, parts) => parts.map(|_| None),
        };
        match (rule, goes_on) {
            (Ok(Some(rule)), true) => self.chain = Chain::Open(rule),
            (Ok(Some(rule)), false) => self.add(rule),
            (Ok(None), true) => self.chain = Chain::Broken,
            (Ok(None), false) => {}
            (Err(reason), goes_on) => {
                if goes_on {
                    self.chain = Chain::Broken;
                }
                return Err(reason);
            }
        }
        Ok(())
    }

    fn head(&mut self, parts: Parts) -> Result<Box<Rule>, Reason> {
        let rule = parts.rule(&self.defaults, &self.context)?;
        if let Some(other) = self.ids.get(&rule.id) {
            return Err(Reason::new(format!("the id {} is taken by the rule at {other}", rule.id)));
        }
        self.ids.insert(rule.id, rule.source.clone());
        Ok(Box::new(rule))
    }

    fn add(&mut self, rule: Box<Rule>) {
        if let Some(steps) = self.set.phases.get_mut(rule.phase as usize) {
            steps.push(Step::Rule(rule));
        }
    }

    /// A chain ends with its file and with any directive that is no rule.
    fn end_chain(&mut self) {
        if let Chain::Open(rule) = std::mem::replace(&mut self.chain, Chain::Closed) {
            let text =
                format!("the chain of rule {} has no end: its last rule says chain", rule.id);
            self.problem_at(rule.source, Reason::new(text));
        }
    }

    pub(super) fn finish(self) -> Result<RuleSet, LoadError> {
        if !self.problems.is_empty() {
            return Err(LoadError { problems: self.problems, omitted: self.omitted });
        }
        let Context { tx_names, notes, .. } = self.context;
        Ok(RuleSet { tx_names, notes, ..self.set })
    }
}

fn is_kind(by: &str) -> bool {
    matches!(by, "id" | "msg" | "tag")
}

fn unknown(name: &str) -> Reason {
    if name.starts_with('<') {
        let text = format!("{name}…: sections are Apache's; only what is in them can be read");
        return Reason::new(text);
    }
    Reason::unknown("directive", name, NAMES.into_iter().chain(setting::names()))
}

/// Does a list of actions that could not be read say `chain`?
fn mentions_chain(list: &[u8]) -> bool {
    let mut actions = list.split(|byte| *byte == b',');
    actions.any(|action| action.trim_ascii().eq_ignore_ascii_case(b"chain"))
}
