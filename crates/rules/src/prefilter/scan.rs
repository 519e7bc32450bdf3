//! One value after the other, looked at for all rules together.

use super::{
    bits::Bits,
    chains::{Form, Nodes},
    plan::{Class, Sieve, SieveTest},
};
use crate::{operator::Operator, rule_set::Step};

/// What was found in the values of a phase so far, and room that is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The steps whose rules can hold.
    pub(crate) steps: Bits,
    /// The tests that some value satisfied: they need not be asked again.
    found: Bits,
    /// Of each form of the present value the tests of which a literal is in it.
    hits: Vec<Bits>,
    asked: Bits,
    forms_of_nodes: Vec<u8>,
}

impl Scan {
    /// A phase begins.
    pub(crate) fn begin(&mut self, sieve: &Sieve, steps: usize) {
        self.steps.reset(steps);
        self.found.reset(sieve.tests.len());
    }

    /// Looks at a value for the tests of `class`. Says how many bytes were looked at.
    pub(crate) fn value(
        &mut self,
        sieve: &Sieve,
        steps: &[Step],
        class: &Class,
        value: &[u8],
    ) -> usize {
        if class.tests.is_empty() || sieve.clean.is_clean(class.id, value) {
            return 0;
        }
        let mut forms = Vec::new();
        let mut nodes = std::mem::take(&mut self.forms_of_nodes);
        sieve.chains.forms(value, class.nodes, &mut nodes, &mut forms);
        self.forms_of_nodes = nodes;
        let mut bytes = 0;
        let mut is_clean = true;
        for at in 0..forms.len() {
            bytes += self.find_literals(sieve, &forms, at);
            is_clean &= self.form(sieve, steps, class, &forms, at);
        }
        if is_clean {
            sieve.clean.note(class.id, value);
        }
        bytes
    }

    /// Notes of which tests a literal is in the form.
    fn find_literals(&mut self, sieve: &Sieve, forms: &[Form<'_>], at: usize) -> usize {
        if self.hits.len() <= at {
            self.hits.push(Bits::default());
        }
        let Some(form) = forms.get(at) else { return 0 };
        let (before, rest) = self.hits.split_at_mut(at);
        let Some(hits) = rest.first_mut() else { return 0 };
        if let Some(same) = form.in_small_letters_of.and_then(|same| before.get(same)) {
            hits.clone_from(same);
            return 0;
        }
        hits.clone_from(&sieve.others);
        let Some(literals) = &sieve.literals else { return 0 };
        for found in literals.find_overlapping_iter(&form.bytes[..]) {
            for test in sieve.owners.get(found.pattern().as_usize()).into_iter().flatten() {
                hits.insert(usize::from(*test));
            }
        }
        form.bytes.len()
    }

    /// Asks of a form what is not ruled out. Is there nothing in it?
    fn form(
        &mut self,
        sieve: &Sieve,
        steps: &[Step],
        class: &Class,
        forms: &[Form<'_>],
        at: usize,
    ) -> bool {
        let (Some(form), Some(hits)) = (forms.get(at), self.hits.get(at)) else { return true };
        let all: Option<&Bits> = if forms.len() == 1 { None } else { Some(&self.asked) };
        if all.is_some() {
            ends_of(sieve, form.nodes, &mut self.asked);
        }
        let mut is_clean = true;
        for place in 0..class.tests.words() {
            let ends = if forms.len() == 1 { u64::MAX } else { self.asked.word(place) };
            let mut left = class.tests.word(place) & hits.word(place) & ends;
            while left != 0 {
                let number = place * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                let Some(test) = sieve.tests.get(number) else { continue };
                if self.found.contains(number) {
                    // It was found in another value. Whether this one has it, too, is not known.
                    is_clean = false;
                } else if test.is_possible(form) && test.is_met(steps, form) {
                    is_clean = false;
                    self.found.insert(number);
                    self.steps.insert(test.step);
                }
            }
        }
        is_clean
    }
}

/// The tests whose chains end in one of the nodes.
fn ends_of(sieve: &Sieve, nodes: Nodes, all: &mut Bits) {
    all.reset(sieve.tests.len());
    let mut rest = nodes;
    while rest != 0 {
        let node = rest.trailing_zeros() as usize;
        rest &= rest - 1;
        if let Some(ends) = sieve.ends.get(node) {
            all.add(ends);
        }
    }
}

impl SieveTest {
    fn is_possible(&self, form: &Form<'_>) -> bool {
        form.bytes.len() >= self.length_min && self.bytes.iter().all(|set| set.meets(form.present))
    }

    fn is_met(&self, steps: &[Step], form: &Form<'_>) -> bool {
        self.operator(steps).is_some_and(|operator| operator.matches(&form.bytes, b""))
    }

    fn operator<'s>(&self, steps: &'s [Step]) -> Option<&'s Operator> {
        match steps.get(self.step)? {
            Step::Rule(rule) => Some(&rule.links.first()?.test.as_ref()?.operator),
            Step::Marker(_) => None,
        }
    }
}
