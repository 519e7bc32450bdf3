//! An answer before the rules that look at answers.
//!
//! Where there are such rules, the shell shows them the answer's head when it has come
//! ([`Engine::screen_head`]). Where they may keep it from going out ([`Pass::holds_answer`]) it
//! then holds the body as far as they look at it, and shows them that ([`Engine::screen_body`]).
//! When something was found ([`Pass::has_found_in_answer`]), [`Engine::learn`] says what becomes of
//! the answer. Where nothing can be kept back, as in monitor mode and in a replay, the answer goes
//! out as ever, and [`Engine::learn`] shows the rules what was collected of it.

use bytes::Bytes;
use traffic::{AnswerHead, Layer, Mode, Timestamp};

use super::Pass;
use super::answer::Answer;
use crate::engine::Engine;
use crate::inspection::Inspection;

impl Pass {
    /// Are there rules that look at the answer?
    pub fn screens_answer(&self) -> bool {
        self.inspection.as_ref().is_some_and(|it| it.looks_at_answers())
    }

    /// Is the answer to be held until the rules have looked?
    pub fn holds_answer(&self) -> bool {
        self.screens_answer() && (self.mode(Layer::Rules) == Mode::Enforce || self.tells_rules())
    }

    /// How much of the answer's body is to be held for the rules, without its coding; none when
    /// they look at nothing of it.
    pub fn answer_held(&self) -> Option<usize> {
        self.inspection.as_ref().and_then(|inspection| inspection.answer_bytes())
    }

    /// Have rules found anything in the answer?
    pub fn has_found_in_answer(&self) -> bool {
        self.inspection.as_ref().is_some_and(|inspection| {
            !inspection.answer.found.is_empty() || inspection.answer.order.is_some()
        })
    }

    /// How much of the body is collected as it passes: for rules that look when it has passed, and
    /// for a recording, whose replay has no other.
    pub(super) fn answer_collected(&self) -> Option<usize> {
        let is_collected = !self.holds_answer() || self.draft.is_some();
        self.answer_held().filter(|_| is_collected)
    }

    fn is_unfinished(&self) -> bool {
        self.inspection.as_ref().is_some_and(|inspection| inspection.is_unfinished())
    }

    /// Is this a caller that is told which rules matched?
    pub(super) fn tells_rules(&self) -> bool {
        self.policy.debug.rule_header.value && self.sighting.address.is_loopback()
    }
}

impl Engine {
    /// Shows the head of the answer to the rules, once.
    pub fn screen_head(&self, pass: &mut Pass, head: &AnswerHead<'_>, now: Timestamp) {
        if pass.screens_answer() {
            self.look(pass, now, |inspection| inspection.answer_head(head, self.hasher()));
        }
    }

    /// Shows the body of the answer to the rules, once: without its coding, and none where they
    /// look at nothing of it. `is_longer` says that there is more of it than they look at. Where
    /// the caller is told which rules matched, those that run last run, too.
    pub fn screen_body(
        &self,
        pass: &mut Pass,
        body: Option<Bytes>,
        is_longer: bool,
        now: Timestamp,
    ) {
        let tells_all = pass.tells_rules();
        self.look(pass, now, |inspection| {
            inspection.answer_body(body, is_longer, self.hasher());
            if tells_all {
                inspection.end();
            }
        });
    }

    /// Shows the rules what they have not seen of the answer.
    pub(super) fn screen_rest(&self, pass: &mut Pass, answer: &Answer<'_>, now: Timestamp) {
        if !pass.is_unfinished() {
            return;
        }
        self.screen_head(pass, &answer.head, now);
        let most = pass.answer_held();
        let body = answer.body.zip(most);
        let is_longer = body.is_some_and(|(body, most)| body.len() >= most && !answer.is_complete);
        let body = body.map(|(body, most)| body.get(..most).unwrap_or(body));
        self.look(pass, now, |inspection| {
            inspection.answer_body(body.map(Bytes::copy_from_slice), is_longer, self.hasher());
            inspection.end();
        });
    }

    /// The exchange is over without an answer of the upstream.
    pub(super) fn end_inspection(&self, pass: &mut Pass, now: Timestamp) {
        if pass.is_unfinished() {
            self.look(pass, now, Inspection::end);
        }
    }

    /// Lets the rules do something. A fault of theirs is theirs alone.
    pub(super) fn look(&self, pass: &mut Pass, now: Timestamp, work: impl FnOnce(&mut Inspection)) {
        let Some(inspection) = &mut pass.inspection else { return };
        let was_cut_short = inspection.is_cut_short();
        if self.guard().run(Layer::Rules, now, || work(inspection)).is_err() {
            pass.inspection = None;
            pass.notes.push("the rules failed on this request");
        } else if inspection.is_cut_short() && !was_cut_short {
            pass.notes.push("not all rules looked: the request would have cost too much");
        }
    }
}
