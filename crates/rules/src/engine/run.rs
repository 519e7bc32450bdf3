//! A phase: its rules in order, chains link by link, jumps, and what refuses the exchange.

use super::{
    Interruption, Refusal,
    hits::HitParts,
    lasting::Collections,
    link::Present,
    narrowing::ActPlace,
    program::{Program, RulePlan},
    state::State,
};
use crate::{
    action::{AllowScope, Disruption, EngineMode},
    rule::{Phase, Rule},
    rule_set::Step,
};

/// Rules at work on an exchange.
pub(super) struct Run<'r> {
    pub(super) program: &'r Program,
    pub(super) collections: &'r Collections,
    pub(super) state: &'r mut State,
}

impl<'r> Run<'r> {
    /// Runs the rules of a phase.
    pub(super) fn phase(&mut self, phase: Phase) {
        let program: &'r Program = self.program;
        let steps = program.set.steps(phase);
        let plans = program.phases.get(phase as usize).map_or(&[][..], Vec::as_slice);
        let sieve = program.sieve(phase);
        self.state.forget_candidates();
        let mut at = 0;
        loop {
            let step = self.state.candidates.next(sieve, at);
            if step >= steps.len() || !self.goes_on(phase) {
                break;
            }
            if self.state.find_candidates(program, phase, step) {
                continue;
            }
            at = step + 1;
            let (Some(Step::Rule(rule)), Some(Some(plan))) = (steps.get(step), plans.get(step))
            else {
                continue;
            };
            if !self.state.narrowing.is_removed(plan.number) && self.rule(rule, plan, step) {
                at = plan.next;
            }
        }
        self.leave(phase);
    }

    /// Do further rules of the phase run?
    fn goes_on(&self, phase: Phase) -> bool {
        let state = &self.state;
        let is_request = matches!(phase, Phase::RequestHeaders | Phase::RequestBody);
        let is_allowed = match state.modes.allow {
            None => false,
            Some(AllowScope::Request) => is_request,
            Some(AllowScope::Phase | AllowScope::Exchange) => phase != Phase::Logging,
        };
        let is_refused = state.interruption.is_some() && phase != Phase::Logging;
        state.modes.engine != EngineMode::Off && !is_allowed && !is_refused && !state.work.is_over
    }

    /// An `allow` ends with what it was for.
    fn leave(&mut self, phase: Phase) {
        let allow = &mut self.state.modes.allow;
        let ends = match allow {
            Some(AllowScope::Phase) => true,
            Some(AllowScope::Request) => phase == Phase::RequestBody,
            Some(AllowScope::Exchange) | None => false,
        };
        if ends {
            *allow = None;
        }
    }

    /// Do all links of the rule hold? If so, what it says is done.
    pub(super) fn rule(&mut self, rule: &Rule, plan: &RulePlan, step: usize) -> bool {
        self.state.store.forget_scratch();
        self.state.matches.clear();
        let is_told = rule.about.is_logged || rule.about.is_audited;
        for (at, (link, link_plan)) in rule.links.iter().zip(&plan.links).enumerate() {
            self.state.matches.next_link();
            let place = ActPlace { phase: rule.phase as usize, step, link: at, act: 0 };
            let sieved = plan.sieved.filter(|_| at == 0);
            let RulePlan { number, groups, .. } = *plan;
            let is_met = false;
            let present =
                Present { plan: link_plan, number, groups, place, sieved, is_met, is_told };
            if !self.link(link, present) {
                return false;
            }
        }
        if is_told || rule.disruption != Disruption::Pass {
            self.state.tell(self.program, HitParts { rule, number: plan.number });
        }
        self.disrupt(rule, plan.number);
        true
    }

    /// Does to the exchange what the rule says.
    fn disrupt(&mut self, rule: &Rule, number: u32) {
        let (status, refusal) = match &rule.disruption {
            Disruption::Pass => return,
            Disruption::Allow(scope) => {
                if self.state.modes.engine == EngineMode::On {
                    self.state.modes.allow = Some(*scope);
                }
                return;
            }
            Disruption::Deny(status) => (*status, Refusal::Deny),
            Disruption::Drop => (403, Refusal::Drop),
            Disruption::Redirect { status, location } => {
                let mut to = Vec::new();
                self.state.expand(self.program, location, number, &mut to);
                (*status, Refusal::Redirect(to))
            }
        };
        if rule.phase == Phase::Logging {
            return;
        }
        let interruption = Interruption { status, rule_id: rule.id, phase: rule.phase, refusal };
        self.state.interrupt(interruption);
    }
}

impl State {
    /// The exchange is refused, or would be.
    pub(super) fn interrupt(&mut self, interruption: Interruption) {
        if self.modes.engine == EngineMode::On {
            self.interruption.get_or_insert(interruption);
        } else {
            self.would_interrupt.get_or_insert(interruption);
        }
    }
}
