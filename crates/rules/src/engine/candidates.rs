//! The rules of a phase that can hold, found by one look at each value of the exchange.

use super::{program::Program, state::State};
use crate::{
    prefilter::{Lookout, Scan, Sieve},
    rule::Phase,
    variable::Variable,
};

/// Which steps of the present phase run.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    scan: Scan,
    /// The values of this phase were looked at.
    is_known: bool,
    name: Vec<u8>,
}

impl Candidates {
    /// The next step that runs, from `at` on.
    pub(super) fn next(&self, sieve: Option<&Sieve>, at: usize) -> usize {
        match sieve.filter(|_| self.is_known) {
            // Behind the last one the phase is over.
            Some(sieve) => sieve.always.next_of_either(&self.scan.steps, at).unwrap_or(usize::MAX),
            None => at,
        }
    }
}

impl State {
    /// A phase begins: nothing was looked at yet.
    pub(super) fn forget_candidates(&mut self) {
        self.candidates.is_known = false;
    }

    /// Looks at each value once, for all rules of the phase that can be sieved and are not jumped
    /// over, when `step` is the first of them.
    pub(super) fn find_candidates(&mut self, program: &Program, phase: Phase, step: usize) {
        let Some((sieve, gates)) = program.sieve(phase).zip(program.gates(phase)) else { return };
        if self.candidates.is_known || sieve.is_empty() || step < sieve.first {
            return;
        }
        let steps = program.set.steps(phase);
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.is_known = true;
        candidates.scan.begin(sieve, steps.len());
        let outcomes = gates.outcomes(self);
        let view = sieve.view(outcomes, || gates.jumped_over(outcomes, steps.len()));
        for lookout in &view.lookouts {
            self.look(program, phase, sieve, lookout, &mut candidates);
        }
        self.candidates = candidates;
    }

    fn look(
        &mut self,
        program: &Program,
        phase: Phase,
        sieve: &Sieve,
        lookout: &Lookout,
        candidates: &mut Candidates,
    ) {
        let steps = program.set.steps(phase);
        let Candidates { scan, name, .. } = candidates;
        let Self { store, fields, work, .. } = self;
        if lookout.variable == Variable::Xml {
            let texts =
                if lookout.is_xml_attributes { &fields.xml_attributes } else { &fields.xml_texts };
            for span in texts {
                let bytes = scan.value(sieve, steps, &lookout.any, store.bytes(*span));
                work.begin(bytes);
            }
            return;
        }
        if let Some((first, second, side)) = fields.list(lookout.variable) {
            for field in first.iter().chain(second) {
                let class = lookout.class(store.bytes(field.name), name);
                let bytes = scan.value(sieve, steps, class, store.bytes(field.shown(side)));
                if !work.begin(bytes) {
                    return;
                }
            }
            return;
        }
        if let Some(span) = self.single(program, lookout.variable) {
            let bytes = scan.value(sieve, steps, &lookout.any, self.store.bytes(span));
            self.work.begin(bytes);
        }
    }
}
