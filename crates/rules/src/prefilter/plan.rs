//! How a sieve is put together, rule by rule.

use std::collections::BTreeMap;

use super::{
    chains::Chains,
    lexicon::Lexicon,
    literal::{self, ByAlphabet},
    needs::needs,
    neighbours::Neighbours,
    part::Part,
    sieve::{Ask, SieveTest},
    view::LooksAt,
};
use crate::{
    byte_set::ByteSet,
    rule::{Rule, Selector, Target},
    variable::Shape,
};

/// A phase with more rules than this is one of a kind; the rest is evaluated plainly.
const TESTS_MAX: usize = 4_096;

/// A sieve in the making.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) chains: Chains,
    pub(super) tests: Vec<SieveTest>,
    needs: Vec<Option<Vec<Vec<u8>>>>,
    pub(super) looks: BTreeMap<Part, LooksAt>,
    pub(super) neighbours: ByAlphabet<Neighbours>,
}

/// Bytes that ordinary names do not have, and of which those have one that the pattern matches.
fn mark(pattern: &str) -> Option<ByteSet> {
    let ordinary = ByteSet::of(b"_-.[]")
        .union(ByteSet::range(b'0', b'9'))
        .union(ByteSet::range(b'A', b'Z'))
        .union(ByteSet::range(b'a', b'z'));
    let [any, ..] = literal::needs(pattern);
    any.bytes.into_iter().find(|set| !set.meets(ordinary))
}

impl Plan {
    /// Takes a rule in, if it can be sieved.
    pub(super) fn take(&mut self, step: usize, rule: &Rule) -> bool {
        let Some(test) = rule.links.first().and_then(|link| link.test.as_ref()) else {
            return false;
        };
        let targets = &test.targets.included;
        let is_full = self.tests.len() >= TESTS_MAX;
        if is_full || targets.iter().any(|it| Part::of(it).is_empty()) {
            return false;
        }
        let Some(needs) = needs(test) else { return false };
        let Some(path) = self.chains.grow(&test.transformations) else { return false };
        let number = self.tests.len();
        let last = path.len().saturating_sub(1);
        let ends = path.get(if test.multi_match { 0 } else { last }..).unwrap_or_default();
        let ends = ends.iter().fold(0, |all, node| all | 1 << node);
        let mut neighbours = self.neighbours.iter_mut();
        let asks = needs.each_ref().map(|needs| Ask::new(ends, needs, neighbours.next()));
        self.tests.push(SieveTest::new(step, asks, rule));
        let mut literals = needs.into_iter().filter_map(|needs| needs.literals);
        let literals = literals.find(|literals| !literals.is_empty());
        self.needs.push(literals.map(|literals| literals.into_iter().collect()));
        for target in targets {
            self.look(number, target);
        }
        true
    }

    fn look(&mut self, test: usize, target: &Target) {
        for part in Part::of(target) {
            let looks = self.looks.entry(*part).or_default();
            looks.is_exact = target.variable.shape() == Shape::ExactCase;
            match &target.selector {
                Selector::Key { key, .. } => {
                    looks.named.entry(key.clone()).or_default().push(test);
                }
                Selector::Pattern(pattern) => match mark(pattern.as_str()) {
                    Some(mark) => {
                        looks.marked.push(test);
                        looks.marks = looks.marks.union(mark);
                    }
                    // Which names a pattern matches is the engine's concern.
                    None => looks.any.push(test),
                },
                _ => looks.any.push(test),
            }
        }
    }

    /// The literals of all tests.
    pub(super) fn lexicon(&self) -> Lexicon {
        let mut owners: BTreeMap<&[u8], Vec<u16>> = BTreeMap::new();
        for (test, literals) in self.needs.iter().enumerate() {
            for literal in literals.iter().flatten() {
                let owners = owners.entry(literal).or_default();
                owners.extend(u16::try_from(test).ok());
            }
        }
        Lexicon::new(&owners)
    }
}
