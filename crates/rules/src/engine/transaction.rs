//! An exchange as the rules see it: what its owner hands in, and what it may ask.

use bytes::Bytes;

use super::{
    Context, Engine, Hit, Interruption, Refusal,
    run::Run,
    state::{State, Surroundings},
};
use crate::{
    action::{Audit, EngineMode},
    rule::Phase,
    rule_set::OverLimit,
    variable::Variable,
    work::Work,
};

/// One exchange under the rules.
///
/// The order of calls: the request line and its headers, phase 1, the body if it is wanted, phase
/// 2, the head of the answer, phase 3, its body if it is wanted, phase 4, and [`Self::finish`].
/// What did not happen is left out; what was not handed in, rules do not see.
#[derive(Debug)]
pub struct Transaction {
    pub(super) engine: Engine,
    pub(super) state: State,
}

impl Transaction {
    pub(super) fn open(&mut self, context: &Context<'_>) {
        let state = &mut self.state;
        state.surroundings = Surroundings {
            began_us: context.now_us,
            now_us: context.now_us,
            remote: context.remote,
            server: context.server,
        };
        state.work = Work { max: context.work_max, ..Work::default() };
        self.engine.program.foreseen.begin(state);
        // Without a body processor its variable is empty, not absent: rule sets ask for that.
        state.keep_single(Variable::ReqbodyProcessor, b"");
        let id = state.store.keep(context.unique_id.as_bytes());
        state.singles.set(Variable::UniqueId, id);
    }

    /// Forgets the exchange and begins another in the same memory.
    pub fn reset(&mut self, engine: &Engine, context: &Context<'_>) {
        self.engine = engine.clone();
        self.state.clear(engine.settings());
        self.open(context);
    }

    /// About the bytes of memory that it keeps, which another exchange may use after it.
    #[must_use]
    pub fn room(&self) -> usize {
        let State { store, fields, candidates, .. } = &self.state;
        store.room() + fields.room() + candidates.scan().room()
    }

    /// The time goes on.
    pub fn set_now(&mut self, now_us: u64) {
        self.state.surroundings.now_us = now_us;
    }

    /// What the exchange may cost, now that more of it is known.
    pub fn set_work_max(&mut self, work_max: u64) {
        self.state.work.allow(work_max);
    }

    /// What has refused the exchange is not carried out: whoever owns it decided otherwise, and the
    /// rules of later phases look at it all the same.
    pub fn overrule(&mut self) {
        self.state.interruption = None;
        self.state.would_interrupt = None;
    }

    /// The request line: as it was sent, and its parts. `protocol` is empty for HTTP/0.9.
    pub fn request_line(&mut self, line: &[u8], method: &[u8], uri: &[u8], protocol: &[u8]) {
        self.state.read_line(&self.engine.program, line, method, uri, protocol);
    }

    /// A header of the request, in the order in which they were sent.
    pub fn request_header(&mut self, name: &[u8], value: &[u8]) {
        self.state.read_header(&self.engine.program, name, value);
    }

    /// A parameter that the path holds, as the catalog of the API has it.
    pub fn path_argument(&mut self, name: &[u8], value: &[u8]) {
        let store = &mut self.state.store;
        let field = super::fields::Field { name: store.keep(name), value: store.keep(value) };
        self.state.fields.path_arguments.push(field);
    }

    /// Is the request's body to be handed in?
    #[must_use]
    pub fn wants_request_body(&self) -> bool {
        self.is_on() && self.state.modes.request_body_access
    }

    /// The request's body, after its coding was undone. `is_cut` says that there was more than is
    /// handed in.
    pub fn request_body(&mut self, body: Bytes, is_cut: bool) {
        let settings = &self.engine.program.set.settings;
        let body_bytes_max = settings.request_body_bytes_max;
        let is_cut = is_cut || body.len() > body_bytes_max;
        self.state.store.request_body =
            if body.len() > body_bytes_max { body.slice(..body_bytes_max) } else { body };
        self.state.is_request_body_cut = is_cut;
        if is_cut && settings.request_body_over_limit == OverLimit::Reject && self.is_on() {
            self.over_limit(413, Phase::RequestBody);
        }
    }

    /// The head of the answer.
    pub fn response<'h>(
        &mut self,
        status: u16,
        protocol: &[u8],
        headers: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    ) {
        self.state.read_status(status, protocol);
        for (name, value) in headers {
            self.state.read_response_header(name, value);
        }
    }

    /// Is the answer's body to be handed in? That depends on its media type.
    #[must_use]
    pub fn wants_response_body(&self) -> bool {
        if !self.is_on() || !self.state.modes.response_body_access {
            return false;
        }
        let Some(media_type) = self.state.singles.get(Variable::ResponseContentType) else {
            return false;
        };
        let media_type = self.state.store.bytes(media_type);
        let inspected = &self.engine.settings().response_media_types;
        inspected.iter().any(|it| it.as_bytes().eq_ignore_ascii_case(media_type))
    }

    /// The answer's body, after its coding was undone.
    pub fn response_body(&mut self, body: Bytes, is_cut: bool) {
        let settings = &self.engine.program.set.settings;
        let body_bytes_max = settings.response_body_bytes_max;
        let is_cut = is_cut || body.len() > body_bytes_max;
        self.state.store.response_body =
            if body.len() > body_bytes_max { body.slice(..body_bytes_max) } else { body };
        self.state.is_response_body_cut = is_cut;
        self.state.show_response_body();
        if is_cut && settings.response_body_over_limit == OverLimit::Reject && self.is_on() {
            self.over_limit(500, Phase::ResponseBody);
        }
    }

    fn over_limit(&mut self, status: u16, phase: Phase) {
        let refusal = Refusal::Deny;
        self.state.interrupt(Interruption { status, rule_id: 0, phase, refusal });
    }

    /// Runs the rules of a phase. What it gives stays: an exchange that was refused is.
    pub fn run(&mut self, phase: Phase) -> Option<&Interruption> {
        let Self { engine, state } = self;
        let program = &*engine.program;
        if state.modes.engine != EngineMode::Off
            && (state.interruption.is_none() || phase == Phase::Logging)
        {
            if phase == Phase::RequestBody {
                state.read_request_body(program);
            }
            Run { program, collections: &engine.collections, state }.phase(phase);
        }
        self.state.interruption.as_ref()
    }

    /// The exchange is over: phase 5 runs, and what rules remember of it is written down.
    pub fn finish(&mut self) {
        self.run(Phase::Logging);
        let Self { engine, state } = self;
        state.save_lasting(&engine.program, &engine.collections);
    }

    fn is_on(&self) -> bool {
        self.state.modes.engine != EngineMode::Off
    }

    /// What refused the exchange.
    #[must_use]
    pub fn interruption(&self) -> Option<&Interruption> {
        self.state.interruption.as_ref()
    }

    /// What would have refused it, had the engine not been set to detect only.
    #[must_use]
    pub fn would_interrupt(&self) -> Option<&Interruption> {
        self.state.would_interrupt.as_ref()
    }

    /// Did it cost more than it may, so that rules were left out?
    #[must_use]
    pub fn is_over_budget(&self) -> bool {
        self.state.work.is_over
    }

    /// What it has cost, in the unit of [`Context::work_max`].
    #[must_use]
    pub fn work(&self) -> u64 {
        self.state.work.done
    }

    /// Rules that held and are told of, and those that refused or let pass, in the order in which
    /// they did.
    pub fn hits(&self) -> impl ExactSizeIterator<Item = Hit<'_>> {
        self.state.hits.iter(&self.engine.program, &self.state.store)
    }

    /// Is the exchange one for the audit log?
    #[must_use]
    pub fn is_audited(&self) -> bool {
        match self.state.modes.audit {
            Audit::Off => false,
            Audit::On => true,
            Audit::RelevantOnly => self.hits().any(|hit| hit.rule.about.is_audited),
        }
    }

    /// A variable of `TX` as a number: an anomaly score, say.
    #[must_use]
    pub fn tx_number(&self, name: &[u8]) -> Option<i64> {
        self.state.tx_number(&self.engine.program, name)
    }

    /// A variable of `TX` as text.
    pub fn tx_text(&mut self, name: &[u8]) -> Option<&[u8]> {
        let span = self.state.tx_text(&self.engine.program, name)?;
        Some(self.state.store.bytes(span))
    }

    /// Every variable of `TX` that has a value, in the order of their names, as text: what two ways
    /// of running the same rules must leave behind alike, but for those of `TX.1` to `TX.9` that no
    /// rule looks at.
    pub fn tx_variables(&mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.state.tx_texts(&self.engine.program)
    }

    /// The engine that the exchange began with.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}
