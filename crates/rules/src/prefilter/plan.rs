//! A phase, prepared: which rules can be sieved by the values they look at, what each needs, and
//! which rules look at which value.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::{
    bits::Bits,
    chains::{Chains, Nodes},
    clean::Clean,
    literal::{self, Needs},
};
use crate::{
    byte_set::ByteSet,
    injection,
    operator::{Encoding, Operator, Relation},
    rule::{Rule, Selector, Target, Test},
    rule_set::Step,
    variable::{Shape, Variable},
};

/// A phase with more rules than this is one of a kind; the rest is evaluated plainly.
const TESTS_MAX: usize = 4_096;
/// So many views are kept.
const VIEWS_MAX: usize = 16;

/// The rules of a phase that can be sieved, and how.
#[derive(Debug)]
pub(crate) struct Sieve {
    /// Steps of the phase that run whatever values there are.
    pub(crate) always: Bits,
    /// The first step that is sieved: nothing is looked at before it is reached.
    pub(crate) first: usize,
    looks: Looks,
    /// Of each test the nodes in which its chain ends: several when each step is looked at.
    nodes: Vec<Vec<usize>>,
    views: Mutex<Vec<(Outcomes, Arc<View>)>>,
    next_class: AtomicU32,
    pub(super) chains: Chains,
    pub(super) tests: Vec<SieveTest>,
    /// Of each node the tests whose chains end in it.
    pub(super) ends: Vec<Bits>,
    pub(super) literals: Option<AhoCorasick>,
    /// Of each literal the tests that need it.
    pub(super) owners: Vec<Box<[u16]>>,
    /// Tests that need no literal.
    pub(super) others: Bits,
    pub(super) clean: Clean,
}

/// A test, and what it needs.
#[derive(Debug)]
pub(super) struct SieveTest {
    /// The step of the phase whose rule begins with it.
    pub(super) step: usize,
    pub(super) bytes: Vec<ByteSet>,
    pub(super) length_min: usize,
}

/// Which conditions hold that let rules be jumped over, a bit for each.
pub(crate) type Outcomes = u64;

/// What is looked at, when some rules are jumped over.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) lookouts: Vec<Lookout>,
}

type Looks = BTreeMap<(Variable, bool), LooksAt>;

/// A variable, and the tests that look at its values.
#[derive(Debug)]
pub(crate) struct Lookout {
    pub(crate) variable: Variable,
    /// Of `XML`, the attributes instead of the texts.
    pub(crate) is_xml_attributes: bool,
    /// For any value.
    pub(crate) any: Class,
    /// For values of these names, those for any value included.
    named: BTreeMap<Box<[u8]>, Class>,
    is_exact: bool,
}

/// Tests that look at the same values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Class {
    /// Unlike that of any other class of the phase.
    pub(super) id: u32,
    pub(super) tests: Bits,
    /// The nodes on the way to where their chains end.
    pub(super) nodes: Nodes,
}

impl Sieve {
    /// Prepares the steps of a phase.
    pub(crate) fn new(steps: &[Step]) -> Self {
        let mut plan = Plan::default();
        let mut always = Bits::with_room(steps.len());
        for (at, step) in steps.iter().enumerate() {
            if let Step::Rule(rule) = step
                && !plan.take(at, rule)
            {
                always.insert(at);
            }
        }
        plan.finish(always)
    }

    /// Forgets the values in which nothing was found.
    pub(crate) fn forget(&self) {
        self.clean.forget();
    }

    /// Are there rules to be sieved?
    pub(crate) fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// What is looked at under these outcomes; `jumped_over` says which steps they leave out.
    pub(crate) fn view(&self, outcomes: Outcomes, jumped_over: impl FnOnce() -> Bits) -> Arc<View> {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, view)) = views.iter().find(|(known, _)| *known == outcomes) {
            return Arc::clone(view);
        }
        let view = Arc::new(self.new_view(&jumped_over()));
        // Rule sets have a level or two; what comes up beyond that makes room.
        if views.len() >= VIEWS_MAX {
            views.remove(0);
        }
        views.push((outcomes, Arc::clone(&view)));
        view
    }

    fn new_view(&self, jumped_over: &Bits) -> View {
        let stays = |test: &&usize| {
            self.tests.get(**test).is_some_and(|test| !jumped_over.contains(test.step))
        };
        let class = |tests: &[&[usize]]| {
            let tests = tests.iter().copied().flatten().filter(stays);
            self.class(tests)
        };
        let lookout = |((variable, is_xml_attributes), looks): (&(Variable, bool), &LooksAt)| {
            let named = looks.named.iter();
            let named = named.map(|(name, tests)| (name.clone(), class(&[&looks.any, tests])));
            Lookout {
                variable: *variable,
                is_xml_attributes: *is_xml_attributes,
                any: class(&[&looks.any]),
                named: named.filter(|(_, class)| !class.tests.is_empty()).collect(),
                is_exact: variable.shape() == Shape::ExactCase,
            }
        };
        let lookouts = self.looks.iter().map(lookout);
        View { lookouts: lookouts.filter(|it| !it.is_idle()).collect() }
    }

    fn class<'t>(&self, tests: impl Iterator<Item = &'t usize>) -> Class {
        let id = self.next_class.fetch_add(1, Relaxed);
        let mut class = Class { id, tests: Bits::with_room(self.tests.len()), nodes: 0 };
        let mut ends: Nodes = 0;
        for test in tests {
            class.tests.insert(*test);
            let nodes = self.nodes.get(*test).into_iter().flatten();
            ends |= nodes.fold(0, |all, node| all | 1 << node);
        }
        class.nodes = self.chains.ways_to(ends);
        class
    }
}

impl Lookout {
    /// Does nobody look?
    fn is_idle(&self) -> bool {
        self.any.tests.is_empty() && self.named.is_empty()
    }

    /// The tests that look at the value of that name; `room` is for the name in small letters.
    pub(crate) fn class(&self, name: &[u8], room: &mut Vec<u8>) -> &Class {
        if self.named.is_empty() {
            return &self.any;
        }
        if self.is_exact {
            return self.named.get(name).unwrap_or(&self.any);
        }
        room.clear();
        room.extend(name.iter().map(u8::to_ascii_lowercase));
        self.named.get(room.as_slice()).unwrap_or(&self.any)
    }
}

/// A plan in the making.
#[derive(Default)]
struct Plan {
    chains: Chains,
    tests: Vec<SieveTest>,
    needs: Vec<Option<Vec<Vec<u8>>>>,
    /// Of each test the nodes in which its chain ends: several when each step is looked at.
    nodes: Vec<Vec<usize>>,
    looks: Looks,
}

/// Who looks at a variable.
#[derive(Debug, Default)]
struct LooksAt {
    any: Vec<usize>,
    named: BTreeMap<Box<[u8]>, Vec<usize>>,
}

impl Plan {
    /// Takes a rule in, if it can be sieved.
    fn take(&mut self, step: usize, rule: &Rule) -> bool {
        let Some(test) = rule.links.first().and_then(|link| link.test.as_ref()) else {
            return false;
        };
        let is_full = self.tests.len() >= TESTS_MAX;
        if is_full || test.is_negated || !test.targets.included.iter().all(is_of_the_exchange) {
            return false;
        }
        let Some(needs) = needs(test) else { return false };
        let Some(path) = self.chains.grow(&test.transformations) else { return false };
        let number = self.tests.len();
        let Needs { literals, bytes, length_min } = needs;
        self.tests.push(SieveTest { step, bytes, length_min });
        self.needs.push(literals.map(|literals| literals.into_iter().collect()));
        let ends = if test.multi_match { path } else { path.last().copied().into_iter().collect() };
        self.nodes.push(ends);
        for target in &test.targets.included {
            self.look(number, target);
        }
        true
    }

    fn look(&mut self, test: usize, target: &Target) {
        let is_attributes = matches!(target.selector, Selector::XmlAttributes);
        let looks = self.looks.entry((target.variable, is_attributes)).or_default();
        match &target.selector {
            Selector::Key { key, .. } => looks.named.entry(key.clone()).or_default().push(test),
            // Which names a pattern matches is the engine's concern.
            _ => looks.any.push(test),
        }
    }

    fn finish(self, always: Bits) -> Sieve {
        let length = self.tests.len();
        let mut ends = vec![Bits::with_room(length); self.chains.len()];
        for (test, nodes) in self.nodes.iter().enumerate() {
            for node in nodes {
                if let Some(ends) = ends.get_mut(*node) {
                    ends.insert(test);
                }
            }
        }
        let (literals, owners, others) = self.literals();
        let first = self.tests.iter().map(|test| test.step).min().unwrap_or(usize::MAX);
        let Self { chains, tests, looks, nodes, .. } = self;
        let (views, next_class) = (Mutex::default(), AtomicU32::new(1));
        let clean = Clean::default();
        Sieve {
            always,
            first,
            looks,
            nodes,
            views,
            next_class,
            chains,
            tests,
            ends,
            literals,
            owners,
            others,
            clean,
        }
    }

    /// One automaton for the literals of all tests.
    fn literals(&self) -> (Option<AhoCorasick>, Vec<Box<[u16]>>, Bits) {
        let mut owners: BTreeMap<&[u8], Vec<u16>> = BTreeMap::new();
        for (test, literals) in self.needs.iter().enumerate() {
            for literal in literals.iter().flatten() {
                let owners = owners.entry(literal).or_default();
                owners.extend(u16::try_from(test).ok());
            }
        }
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(owners.keys())
            .ok()
            .filter(|_| !owners.is_empty());
        let mut others = Bits::with_room(self.tests.len());
        for (test, literals) in self.needs.iter().enumerate() {
            // Without an automaton nothing tells tests apart.
            if literals.is_none() || automaton.is_none() {
                others.insert(test);
            }
        }
        (automaton, owners.into_values().map(Vec::into_boxed_slice).collect(), others)
    }
}

/// Are the values those of the exchange itself, whatever rules did before?
fn is_of_the_exchange(target: &Target) -> bool {
    use Variable as V;
    let is_value = matches!(
        target.variable,
        V::Args
            | V::ArgsGet
            | V::ArgsGetNames
            | V::ArgsNames
            | V::ArgsPath
            | V::ArgsPost
            | V::ArgsPostNames
            | V::Files
            | V::FilesNames
            | V::MultipartFilename
            | V::MultipartName
            | V::MultipartPartHeaders
            | V::QueryString
            | V::RequestBasename
            | V::RequestBody
            | V::RequestCookies
            | V::RequestCookiesNames
            | V::RequestFilename
            | V::RequestHeaders
            | V::RequestHeadersNames
            | V::RequestLine
            | V::RequestMethod
            | V::RequestProtocol
            | V::RequestUri
            | V::RequestUriRaw
            | V::ResponseBody
            | V::ResponseHeaders
            | V::ResponseHeadersNames
            | V::Xml
    );
    is_value && !target.is_count
}

/// What the test needs; nothing when it cannot be sieved.
fn needs(test: &Test) -> Option<Needs> {
    let literal = |text: &[u8]| Needs {
        literals: (text.len() > 1).then(|| [text.to_ascii_lowercase()].into()),
        bytes: Vec::new(),
        length_min: text.len(),
    };
    let bytes = |sets: &[ByteSet]| Needs { bytes: sets.to_vec(), ..Needs::default() };
    Some(match &test.operator {
        Operator::Rx(pattern) => literal::needs(pattern.wider()),
        Operator::Phrases(phrases) => {
            let all = phrases.list().iter().map(|it| it.to_ascii_lowercase());
            let is_long = phrases.list().iter().all(|it| it.len() > 1);
            Needs { literals: is_long.then(|| all.collect()), ..Needs::default() }
        }
        Operator::Text(text) => match (text.relation(), text.fixed()) {
            (Relation::Within, _) | (_, None | Some(b"")) => return None,
            (_, Some(text)) => literal(text),
        },
        Operator::ByteRange(range) => bytes(&[range.allowed().complement()]),
        // Markup needs a tag, or the value of an attribute.
        Operator::DetectXss => bytes(&[ByteSet::of(b"<=")]),
        Operator::DetectSqli => bytes(&injection::SQLI_NEEDS),
        Operator::Encoding(Encoding::Url) => bytes(&[ByteSet::of(b"%")]),
        Operator::Encoding(Encoding::Utf8) => bytes(&[ByteSet::range(0x80, 0xff)]),
        _ => return None,
    })
}
