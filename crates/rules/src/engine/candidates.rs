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

    /// The next step that runs, from `at` on: behind the last one when the phase is over. Before
    /// values were looked at it is no further than the first step for which they are.
    pub(super) fn next(&self, sieve: Option<&Sieve>, at: usize) -> usize {
        let Some(sieve) = sieve else { return at };
        if self.is_known {
            return sieve.always.next_of_either(&self.scan.steps, at).unwrap_or(usize::MAX);
        }
        sieve.always.next(at).map_or(sieve.first, |step| step.min(sieve.first))
    }
}

impl State {
    /// A phase begins: nothing was looked at yet.
    pub(super) fn forget_candidates(&mut self) {
        self.candidates.is_known = false;
    }

    /// Looks at each value once, for all rules of the phase that can be sieved and are not jumped
    /// over, when the first of them is reached with `step`. Says whether that is now: what comes
    /// next is another question then.
    pub(super) fn find_candidates(&mut self, program: &Program, phase: Phase, step: usize) -> bool {
        let Some((sieve, gates)) = program.sieve(phase).zip(program.gates(phase)) else {
            return false;
        };
        if self.candidates.is_known || sieve.is_empty() || step < sieve.first {
            return false;
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
        true
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
            if let Some(span) = self.single(program, variable)
                && self.work.begin(0)
            {
                let Self { store, work, .. } = self;
                scan.value(look, &lookout.any, (part, 0), store.bytes(span), work);
            }
            return;
        }
        let Self { store, fields, work, .. } = self;
        for (place, span) in fields.xml(part).into_iter().flatten().enumerate() {
            if !work.begin(0) {
                return;
            }
            scan.value(look, &lookout.any, (part, place), store.bytes(*span), work);
        }
        let Some((list, side)) = fields.part(part) else { return };
        for (place, field) in list.iter().enumerate() {
            let class = lookout.class(store.bytes(field.name), name);
            let value = store.bytes(field.shown(side));
            if !work.begin(0) {
                return;
            }
            scan.value(look, class, (part, place), value, work);
        }
    }
}
