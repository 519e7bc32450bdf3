//! The rules of a phase that can hold, found by one look at each value of the exchange.

use super::{program::Program, state::State};
use crate::{
    prefilter::{Look, Lookout, Part, Scan, Sieve},
    rule::Phase,
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
    /// What was found in the values of this phase.
    pub(super) const fn scan(&self) -> &Scan {
        &self.scan
    }

    /// Were they looked at?
    pub(super) const fn is_known(&self) -> bool {
        self.is_known
    }

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
        let look = Look { sieve, steps: program.set.steps(phase) };
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.is_known = true;
        candidates.scan.begin(look);
        let outcomes = gates.outcomes(self);
        let view = sieve.view(outcomes, || gates.jumped_over(outcomes, look.steps.len()));
        for lookout in &view.lookouts {
            self.look(program, look, lookout, &mut candidates);
        }
        candidates.scan.finish();
        self.candidates = candidates;
    }

    fn look(
        &mut self,
        program: &Program,
        look: Look<'_>,
        lookout: &Lookout,
        candidates: &mut Candidates,
    ) {
        let Candidates { scan, name, .. } = candidates;
        let part = lookout.part;
        if let Part::Single(variable) = part {
            if let Some(span) = self.single(program, variable) {
                let value = self.store.bytes(span);
                let bytes = scan.value(look, &lookout.any, (part, 0), value);
                self.work.begin(bytes);
            }
            return;
        }
        let Self { store, fields, work, .. } = self;
        for (place, span) in fields.xml(part).into_iter().flatten().enumerate() {
            let value = store.bytes(*span);
            if !work.begin(scan.value(look, &lookout.any, (part, place), value)) {
                return;
            }
        }
        let Some((list, side)) = fields.part(part) else { return };
        for (place, field) in list.iter().enumerate() {
            let class = lookout.class(store.bytes(field.name), name);
            let value = store.bytes(field.shown(side));
            if !work.begin(scan.value(look, class, (part, place), value)) {
                return;
            }
        }
    }
}
