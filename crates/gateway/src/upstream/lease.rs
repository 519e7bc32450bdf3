//! A request's hold on an upstream, from the choice to the end of its answer.
//!
//! It counts among what keeps the upstream busy, and says how it ended. Dropped without a word, as
//! when the caller hangs up, it says nothing.

use std::{ops::Deref, rc::Rc};

use super::{AnswerBody, Pool, health::Fault};

pub(crate) struct Lease(Rc<Pool>);

impl Lease {
    pub(super) fn new(pool: &Rc<Pool>) -> Self {
        pool.load.set(pool.load.get() + 1);
        Self(Rc::clone(pool))
    }

    /// The answer has come to its end; its connection may serve again.
    pub(crate) fn complete(&self, body: AnswerBody) {
        self.0.health.note_answer();
        if let Some(link) = body.into_link() {
            self.0.put_back(link);
        }
    }

    /// The connection now belongs to another protocol.
    pub(crate) fn switched(&self) {
        self.0.health.note_answer();
    }

    /// The upstream broke off its answer.
    pub(crate) fn cut_off(&self) {
        self.0.row.note_fault(&self.0.health, Fault::CutOff);
    }
}

impl Deref for Lease {
    type Target = Pool;

    fn deref(&self) -> &Pool {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.load.set(self.0.load.get().saturating_sub(1));
    }
}
