//! The decision core: policy, the layers in order, and one verdict with its reasons.
//!
//! [`Engine`] is what the shells (gateway, replay, simulator) hold. A request becomes a [`Pass`]
//! ([`Engine::open`]), is decided ([`Engine::decide`]) and, once answered, teaches
//! ([`Engine::learn`]). The life of a request is told top to bottom in `pass.rs`.
//!
//! Invariant: this is the only place that knows monitor from enforce, and that applies exceptions.
//! Invariant: no clock, no randomness, no IO, no thread; a replay in sequence order gives the same
//! verdicts, byte for byte.
//! Invariant: an exchange that was refused, or would have been, teaches nothing.

mod access;
mod algebra;
mod budget;
mod counts;
mod engine;
mod findings;
mod guard;
mod inspection;
mod ladder;
mod memory;
mod pacing;
mod pass;
pub mod policy;
mod record;
mod refused;
mod report;
mod rollup;
mod rulebook;
mod shared;
mod snapshot;
mod standing;
mod tally;
pub mod timeline;
mod weigh;
mod welfare;

pub use access::Accessed;
pub use budget::Budget;
pub use counts::{Ended, RuleHits, SiteCounts};
pub use engine::{Engine, Settings};
pub use guard::LayerFaults;
pub use memory::Overview;
pub use pass::{Answer, Decided, End, Learnt, Pass, Patience, Refusal};
pub use record::Recorder;
pub use refused::{RefusedHead, ToldRefusal};
pub use rollup::{LATENCY_BOUNDS_US, Rollup, RollupKey};
pub use rulebook::{RuleSetView, Rulebook};
pub use snapshot::{NotRestored, Restoring, Slices};
pub use standing::Change;
pub use welfare::{Fates, Welfare};

// What the shells need of the layers, as views.
pub use caller::{Fill, SlotView, ja4};
pub use catalog::{AuthSeen, EndpointView, OutcomeView, ParamPlace, ParamView};
pub use conduct::{BaselineView, Readiness, Subject, Suggestion, TableView};
