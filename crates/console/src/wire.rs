//! The JSON that goes over the socket: structs of its own, so that the inside can change freely.
//!
//! Every document names its schema (`palisade.v1.…`); fields are only ever added to one. The CLI
//! reads these same structs, and `--output json` prints them unchanged. Nothing here decides or
//! computes: each struct is filled from what engine, ledger and policy say.

pub mod audit;
pub mod change;
pub mod decision;
pub mod endpoint;
pub mod event;
pub mod incident;
pub mod problem;
pub mod readiness;
pub mod session;
pub mod sink;
mod span;
pub mod status;
pub mod token;
pub mod traffic;

pub use audit::{AuditCheck, AuditLine, AuditList};
pub use change::{Changed, Explained, ModeChange, Reloaded};
pub use decision::{
    Decision, DecisionList, DecisionOrder, Exception, ExceptionList, ExceptionOrder, KindWord,
    Preview, Removed, WidthWord,
};
pub use endpoint::{Endpoint, EndpointList, Parameter};
pub use event::{Event, EventDetail, EventList, EventRule, EventSignal};
pub use incident::{Finding, Incident, IncidentDetail, IncidentList};
pub use problem::Problem;
pub use readiness::{
    Because, CallerShare, EndpointShare, LayerReadiness, Probation, Readiness, TakenBack,
    VerdictWord,
};
pub use session::Session;
pub use sink::{Sink, SinkTest, SinkTests};
pub use status::{LayerList, LayerMode, Setting, Site, Status, Upstream};
pub use token::{ScopeWord, Token, TokenList, TokenMade, TokenOrder};
pub use traffic::Traffic;

/// A list that comes in parts.
pub trait InParts {
    /// Where the next part begins; asked once.
    fn take_next(&mut self) -> Option<String>;

    /// Puts the next part behind.
    fn add(&mut self, part: Self);
}

macro_rules! in_parts {
    ($($list:ident of $entries:ident),*) => {$(
        impl InParts for $list {
            fn take_next(&mut self) -> Option<String> {
                self.next.take()
            }

            fn add(&mut self, part: Self) {
                self.$entries.extend(part.$entries);
                self.next = part.next;
            }
        }
    )*};
}

in_parts!(
    DecisionList of decisions,
    ExceptionList of exceptions,
    EndpointList of endpoints,
    IncidentList of incidents,
    TokenList of tokens
);

#[cfg(test)]
mod tests;
