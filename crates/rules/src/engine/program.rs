//! A rule set, prepared for running.
//!
//! What a request would otherwise work out again and again is worked out once: to which step a rule
//! jumps, which rules a `ctl` removes, where a name of `TX` stands, which targets an exclusion
//! concerns, and which tests are no more than a comparison of two numbers. The rules themselves
//! stay as they were loaded, beside their plans.

use std::collections::HashMap;
use std::sync::Arc;

use regex::bytes::Regex;

use super::{
    act::{self, Act},
    foreseen::Foreseen,
    gates::Gates,
    name_pattern::NamePattern,
    narrowing::ActPlace,
    touch,
};
use crate::{
    body::Limits,
    operator::{Comparison, GROUPS, Operator},
    prefilter::{Part, Seen, Sieve},
    rule::{Jump, Link, Phase, Rule, Selector, Target, Test},
    rule_set::{RuleSet, Settings, Step},
    template::{Piece, Template},
    transformation::Transformation,
    variable::{Shape, Variable},
};

/// A rule set beside its plans.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) set: RuleSet,
    /// For each phase one plan for each of its steps.
    pub(super) phases: [Vec<Option<RulePlan>>; 5],
    pub(super) names: Names,
    /// How many rules there are.
    pub(super) rules: usize,
    pub(super) limits: Limits,
    /// None when every rule is to look for itself.
    sieves: Option<Sieves>,
    gates: [Gates; 5],
    /// Of each rule its phase and step.
    pub(super) places: Vec<(usize, usize)>,
    /// What is certain before there is an exchange.
    pub(super) foreseen: Foreseen,
}

/// What finds the rules that can hold.
#[derive(Debug)]
struct Sieves {
    /// For each phase.
    phases: [Sieve; 5],
    seen: Arc<Seen>,
}

/// What is worked out about a rule.
#[derive(Debug)]
pub(super) struct RulePlan {
    /// Its place among all rules of all phases.
    pub(super) number: u32,
    /// The step of its phase with which evaluation goes on when it holds.
    pub(super) next: usize,
    /// The number of the test that it begins with in the sieve of its phase, if it is sieved.
    pub(super) sieved: Option<u16>,
    /// As many groups of what it captures are kept, the whole match among them.
    pub(super) groups: usize,
    /// One for each link.
    pub(super) links: Box<[LinkPlan]>,
}

/// What is worked out about a link of a chain.
#[derive(Debug)]
pub(super) struct LinkPlan {
    pub(super) quick: Option<Quick>,
    pub(super) targets: Box<[TargetPlan]>,
    /// The operator's argument when it has macros, its names resolved.
    pub(super) argument: Option<Template>,
    pub(super) acts: Box<[Act]>,
    /// What is captured of a value is not looked at before the next one: only what is captured of
    /// the last one counts.
    pub(super) captures_last: bool,
}

/// A target, and what is left out of it.
#[derive(Debug)]
pub(super) struct TargetPlan {
    pub(super) variable: Variable,
    pub(super) selection: Selection,
    /// Are names compared byte by byte?
    pub(super) is_exact: bool,
    pub(super) is_count: bool,
    /// Where its values stand, if they are those of the exchange itself.
    pub(super) parts: &'static [Part],
    /// Those of the same variable.
    pub(super) exclusions: Box<[Selection]>,
    /// What numbers the test holds for, if it compares with one: of thousands of counters, few have
    /// to become text.
    pub(super) limit: Option<Limit>,
}

/// A comparison with a number that stands in the rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    comparison: Comparison,
    bound: i64,
    is_negated: bool,
}

/// Which values of a variable.
#[derive(Clone, Debug)]
pub(super) enum Selection {
    All,
    Key(Box<[u8]>),
    Slot(u16),
    Pattern(NamePattern),
    /// A pattern of names of `TX`: the slots whose names it matches, worked out in advance.
    Slots(Box<[u16]>, NamePattern),
    XmlTexts,
    XmlAttributes,
}

/// A comparison of a variable of `TX` with a number: most of what controls the flow of a rule set.
#[derive(Debug)]
pub(super) struct Quick {
    pub(super) slot: u16,
    pub(super) is_count: bool,
    pub(super) comparison: Comparison,
    pub(super) bound: Bound,
    pub(super) is_negated: bool,
}

/// What a number is compared with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    Fixed(i64),
    Slot(u16),
}

/// The slots of `TX` by their names.
#[derive(Debug, Default)]
pub(super) struct Names {
    slots: HashMap<Box<[u8]>, u16>,
    names: Vec<Box<[u8]>>,
    /// Of `TX.0` to `TX.9`.
    captures: [u16; 10],
}

impl Program {
    pub(super) fn new(set: RuleSet) -> Self {
        let mut program = Self::plain(set);
        program.foreseen = Foreseen::of(&program);
        program.settle();
        program.count_groups();
        program.prepare_sieves();
        program
    }

    /// A program in which each rule runs in its turn, looks at each of its values, and captures all
    /// groups.
    pub(super) fn plain(mut set: RuleSet) -> Self {
        let names = Names::new(&mut set);
        let mut places = Vec::new();
        let phases: [Vec<Option<RulePlan>>; 5] = std::array::from_fn(|phase| {
            let steps = set.phases.get(phase).map_or(&[][..], Vec::as_slice);
            let plan = |(at, step): (usize, &Step)| match step {
                Step::Marker(_) => None,
                Step::Rule(rule) => {
                    let number = u32::try_from(places.len()).unwrap_or(u32::MAX);
                    places.push((phase, at));
                    let links = rule.links.iter();
                    let links = links.map(|it| LinkPlan::new(it, &set, &names)).collect();
                    let next = next(steps, at, rule);
                    Some(RulePlan { number, next, sieved: None, groups: GROUPS, links })
                }
            };
            steps.iter().enumerate().map(plan).collect()
        });
        let limits = limits(&set.settings);
        let foreseen = Foreseen::nothing(names.len());
        let (rules, gates) = (places.len(), Default::default());
        Self { set, phases, names, rules, limits, sieves: None, gates, places, foreseen }
    }

    /// Puts what is certain in the place of macros.
    fn settle(&mut self) {
        for (phase, steps) in self.set.phases.iter_mut().enumerate() {
            let plans = self.phases.get_mut(phase).map_or(&mut [][..], Vec::as_mut_slice);
            for (step, plan) in steps.iter_mut().zip(plans) {
                let (Step::Rule(rule), Some(plan)) = (step, plan) else { continue };
                for (link, plan) in rule.links.iter_mut().zip(&mut plan.links) {
                    let (Some(test), Some(argument)) = (&mut link.test, &plan.argument) else {
                        continue;
                    };
                    let text = self.foreseen.text(argument);
                    if let Some(operator) = text.and_then(|it| test.operator.settled(&it)) {
                        test.operator = operator;
                        (test.argument, plan.argument) = (None, None);
                    }
                }
            }
        }
    }

    /// Leaves out groups that nobody looks at; the whole match never.
    fn count_groups(&mut self) {
        let of_others = self.set.groups_of_others();
        for (steps, plans) in self.set.phases.iter().zip(&mut self.phases) {
            for (step, plan) in steps.iter().zip(plans) {
                if let (Step::Rule(rule), Some(plan)) = (step, plan) {
                    plan.groups = rule.groups().max(of_others).max(1);
                }
            }
        }
    }

    /// Prepares what finds the rules that can hold.
    fn prepare_sieves(&mut self) {
        let seen = Arc::default();
        let phases: [Sieve; 5] = std::array::from_fn(|phase| {
            let steps = self.set.phases.get(phase).map_or(&[][..], Vec::as_slice);
            Sieve::new(steps, self.foreseen.idle(phase), &seen)
        });
        for (sieve, plans) in phases.iter().zip(&mut self.phases) {
            for (at, plan) in plans.iter_mut().enumerate() {
                if let Some(plan) = plan {
                    plan.sieved = sieve.test(at);
                }
            }
        }
        self.gates = std::array::from_fn(|phase| {
            let first = phases.get(phase).map_or(usize::MAX, |sieve: &Sieve| sieve.first);
            let steps = self.set.phases.get(phase).map_or(&[][..], Vec::as_slice);
            let plans = self.phases.get(phase).map_or(&[][..], Vec::as_slice);
            Gates::new(steps, plans, &self.names, (first, self.foreseen.idle(phase)))
        });
        self.sieves = Some(Sieves { phases, seen });
    }

    /// What finds the rules of a phase that can hold.
    pub(super) fn sieve(&self, phase: Phase) -> Option<&Sieve> {
        self.sieves.as_ref()?.phases.get(phase as usize)
    }

    /// The gates of a phase.
    pub(super) fn gates(&self, phase: Phase) -> Option<&Gates> {
        self.gates.get(phase as usize)
    }

    /// Forgets what was found in values.
    pub(super) fn forget(&self) {
        self.sieves.iter().for_each(|sieves| sieves.seen.forget());
    }

    /// The rule of that number.
    pub(super) fn rule(&self, number: u32) -> Option<&Rule> {
        let (phase, step) = self.places.get(number as usize).copied()?;
        match self.set.phases.get(phase)?.get(step)? {
            Step::Rule(rule) => Some(rule),
            Step::Marker(_) => None,
        }
    }

    /// The act at a place.
    pub(super) fn act(&self, place: ActPlace) -> Option<&Act> {
        let plan = self.phases.get(place.phase)?.get(place.step)?.as_ref()?;
        plan.links.get(place.link)?.acts.get(place.act)
    }
}

/// The settings that are limits of the body parsers.
fn limits(settings: &Settings) -> Limits {
    let mut limits = Limits::default();
    limits.body_bytes_max = limits.body_bytes_max.max(settings.request_body_bytes_max);
    limits.arguments_max = settings.arguments_max;
    limits.json_depth_max = settings.json_depth_max;
    limits.files_max = settings.files_max;
    limits
}

/// The step with which evaluation goes on when the rule at `at` holds.
fn next(steps: &[Step], at: usize, rule: &Rule) -> usize {
    let rest = steps.get(at + 1..).unwrap_or_default();
    let skipped = match &rule.jump {
        Jump::Next => Some(0),
        Jump::SkipAfter(name) => rest
            .iter()
            .position(|step| matches!(step, Step::Marker(marker) if marker == name))
            .map(|place| place + 1),
        Jump::Skip(count) => {
            let rules = rest.iter().enumerate().filter(|(_, step)| matches!(step, Step::Rule(_)));
            let mut skipped = rules.map(|(place, _)| place).take(*count as usize);
            match (*count as usize).checked_sub(1) {
                None => Some(0),
                Some(before) => skipped.nth(before).map(|place| place + 1),
            }
        }
    };
    skipped.map_or(steps.len(), |skipped| at + 1 + skipped)
}

impl LinkPlan {
    fn new(link: &Link, set: &RuleSet, names: &Names) -> Self {
        let test = link.test.as_ref();
        let targets = test.map_or(&[][..], |test| &test.targets.included);
        let excluded = test.map_or(&[][..], |test| &test.targets.excluded);
        let mut plan = Self {
            quick: test.and_then(|test| Quick::new(test, names)),
            targets: targets.iter().map(|it| TargetPlan::new(it, test, excluded, names)).collect(),
            argument: test.and_then(|test| test.argument.as_ref()).map(|it| names.resolved(it)),
            acts: link.effects.iter().map(|effect| act::plan(effect, set, names)).collect(),
            captures_last: false,
        };
        plan.captures_last = !touch::meets_captures(&plan, names);
        plan
    }
}

impl TargetPlan {
    fn new(target: &Target, test: Option<&Test>, excluded: &[Target], names: &Names) -> Self {
        let concerned = excluded.iter().filter(|it| it.variable == target.variable);
        Self {
            variable: target.variable,
            selection: Selection::of(target, names),
            is_exact: target.variable.shape() == Shape::ExactCase,
            is_count: target.is_count,
            parts: Part::of(target),
            exclusions: concerned.map(|it| Selection::of(it, names)).collect(),
            limit: test.filter(|_| !target.is_count).and_then(Limit::of),
        }
    }
}

impl Limit {
    fn of(test: &Test) -> Option<Self> {
        let Operator::Number(number) = &test.operator else { return None };
        let is_plain = test.transformations.iter().all(|it| *it == Transformation::None);
        let bound = number.fixed().filter(|_| is_plain)?;
        Some(Self { comparison: number.comparison(), bound, is_negated: test.is_negated })
    }

    pub(super) const fn admits(self, number: i64) -> bool {
        self.comparison.holds(number, self.bound) != self.is_negated
    }
}

impl Selection {
    pub(super) fn of(target: &Target, names: &Names) -> Self {
        let is_tx = target.variable == Variable::Tx;
        match &target.selector {
            Selector::All => Self::All,
            Selector::Key { key, .. } if is_tx => {
                names.slot(key).map_or_else(|| Self::Key(key.clone()), Self::Slot)
            }
            Selector::Key { key, .. } => Self::Key(key.clone()),
            Selector::Pattern(pattern) if is_tx => {
                Self::Slots(names.matching(pattern), NamePattern::new(pattern))
            }
            Selector::Pattern(pattern) => Self::Pattern(NamePattern::new(pattern)),
            Selector::XmlTexts => Self::XmlTexts,
            Selector::XmlAttributes => Self::XmlAttributes,
        }
    }
}

impl Quick {
    /// The test as a comparison of numbers, if it is no more than that.
    fn new(test: &Test, names: &Names) -> Option<Self> {
        let Operator::Number(number) = &test.operator else { return None };
        let [target] = test.targets.included.as_slice() else { return None };
        let Selection::Slot(slot) = Selection::of(target, names) else { return None };
        let is_plain = test.transformations.iter().all(|it| *it == Transformation::None);
        if !is_plain || !test.targets.excluded.is_empty() {
            return None;
        }
        let bound = match (number.fixed(), &test.argument) {
            (Some(number), _) => Bound::Fixed(number),
            (None, Some(argument)) => Bound::Slot(names.only_slot(argument)?),
            (None, None) => return None,
        };
        Some(Self {
            slot,
            is_count: target.is_count,
            comparison: number.comparison(),
            bound,
            is_negated: test.is_negated,
        })
    }
}

impl Names {
    fn new(set: &mut RuleSet) -> Self {
        let mut names = Self::default();
        for (group, slot) in names.captures.iter_mut().enumerate() {
            // Only a set with 65,536 names has no room for these, and then it has no captures.
            *slot = set.tx_names.intern(group.to_string().as_bytes()).unwrap_or(u16::MAX);
        }
        for slot in 0..set.tx_names.len() {
            let slot = u16::try_from(slot).unwrap_or(u16::MAX);
            let name = set.tx_names.name(slot).unwrap_or_default();
            names.slots.insert(name.into(), slot);
            names.names.push(name.into());
        }
        names
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The slot of a name in small letters.
    pub(super) fn slot(&self, name: &[u8]) -> Option<u16> {
        self.slots.get(name).copied()
    }

    pub(super) fn name(&self, slot: u16) -> &[u8] {
        self.names.get(usize::from(slot)).map_or(b"", AsRef::as_ref)
    }

    pub(super) const fn captures(&self) -> [u16; 10] {
        self.captures
    }

    fn matching(&self, pattern: &Regex) -> Box<[u16]> {
        let named = (0..).zip(&self.names);
        named.filter(|(_, name)| pattern.is_match(name)).map(|(slot, _)| slot).collect()
    }

    /// The template with the slots of its macros.
    pub(super) fn resolved(&self, template: &Template) -> Template {
        let mut template = template.clone();
        for piece in &mut template.pieces {
            if let Piece::Macro(it) = piece
                && it.variable == Variable::Tx
            {
                it.slot = it.key.as_ref().and_then(|key| self.slot(key));
            }
        }
        template
    }

    /// The slot of the macro when the template is nothing else.
    pub(super) fn only_slot(&self, template: &Template) -> Option<u16> {
        match template.pieces.as_slice() {
            [Piece::Macro(it)] if it.variable == Variable::Tx => {
                it.key.as_ref().and_then(|key| self.slot(key))
            }
            _ => None,
        }
    }
}
