//! Rules at work: an exchange is handed in piece by piece, and phase by phase the rules say whether
//! it may go on.
//!
//! An [`Engine`] is a rule set prepared for running, shared by all exchanges; a [`Transaction`] is
//! one exchange, which owns its bytes, so that it lives as long as the exchange does. Time,
//! addresses and identifiers are arguments: there is no clock, no input, no output and no chance
//! here.
//!
//! Every rule of a phase runs in file order, each asked of each of its values. What makes that fast
//! only leaves out what would have changed nothing: rules whose outcome is certain before there is
//! an exchange (`foreseen`), and those that no value of the exchange can satisfy (`prefilter`).

mod act;
mod body;
mod candidates;
mod effects;
mod fields;
mod foreseen;
mod gates;
mod head;
mod hits;
mod lasting;
mod link;
mod macros;
mod matches;
mod name_pattern;
mod narrowing;
mod program;
mod run;
mod singles;
mod state;
mod store;
mod touch;
mod transaction;
mod tx;
mod values;

#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc};

pub use hits::{Hit, Matched};
pub use lasting::Collections;
pub use transaction::Transaction;

use crate::{
    rule::Phase,
    rule_set::{RuleSet, Settings},
};
use program::Program;
use state::State;

/// A rule set, ready to run. Copies share everything.
#[derive(Clone, Debug)]
pub struct Engine {
    program: Arc<Program>,
    collections: Arc<Collections>,
}

/// What an exchange begins with.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// The time, in microseconds since 1970.
    pub now_us: u64,
    /// Who calls.
    pub remote: (IpAddr, u16),
    /// Whom they called.
    pub server: (IpAddr, u16),
    /// The name of this exchange, unlike any other.
    pub unique_id: &'c str,
    /// What it may cost: each test of a rule costs 128, the bytes that it looks at, and what its
    /// operator takes besides; a nanosecond each, roughly.
    pub work_max: u64,
}

/// An exchange may not go on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Interruption {
    /// The status to answer with.
    pub status: u16,
    /// The rule that says so; 0 when it is a limit of the settings.
    pub rule_id: u64,
    /// When it said so.
    pub phase: Phase,
    /// How.
    pub refusal: Refusal,
}

/// How an exchange is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// With an answer.
    Deny,
    /// The connection is closed without one.
    Drop,
    /// The caller is sent there.
    Redirect(Vec<u8>),
}

impl Engine {
    /// Prepares a rule set, with persistent collections of its own.
    #[must_use]
    pub fn new(set: RuleSet) -> Self {
        Self::with_collections(set, Arc::default())
    }

    /// Prepares a rule set in which each rule looks at each of its values by itself. It finds what
    /// the other finds, and takes many times as long: it is there to be compared with.
    #[must_use]
    pub fn plain(set: RuleSet) -> Self {
        Self { program: Arc::new(Program::plain(set)), collections: Arc::default() }
    }

    /// Prepares a rule set that goes on with the collections of another.
    #[must_use]
    pub fn with_collections(set: RuleSet, collections: Arc<Collections>) -> Self {
        Self { program: Arc::new(Program::new(set)), collections }
    }

    /// Forgets what was found in values.
    pub fn forget(&self) {
        self.program.forget();
    }

    /// The rule set.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.program.set
    }

    /// What directives other than rules say.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.program.set.settings
    }

    /// The persistent collections, for the engine that takes this one's place.
    #[must_use]
    pub fn collections(&self) -> Arc<Collections> {
        Arc::clone(&self.collections)
    }

    /// Begins an exchange.
    #[must_use]
    pub fn begin(&self, context: &Context<'_>) -> Transaction {
        let state = State::new(&self.program.set.settings);
        let mut transaction = Transaction { engine: self.clone(), state };
        transaction.open(context);
        transaction
    }
}
