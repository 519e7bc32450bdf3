//! The vocabulary that every other crate speaks.
//!
//! Plain data about one exchange (request, answer, caller, endpoint), the evidence that layers
//! derive from it (signals), what is decided (verdicts), and what is kept (events, findings,
//! decisions). Bodies are decoded here once, into fields that all layers share.
//!
//! Invariant: nothing in this crate does IO, reads a clock, draws a random number or keeps state.
//! Invariant: no parser here fails on hostile bytes; each returns what it understood and what was
//! odd.
//! Invariant: the identity of a value is its keyed hash, live and in a replay alike, so that
//! nothing learnt depends on a secret that a recording leaves out.

pub mod body;
mod cve;
pub mod decision;
mod display;
pub mod entity;
pub mod event;
pub mod facts;
pub mod few;
pub mod fields;
pub mod finding;
pub mod hash;
pub mod head;
pub mod initials;
pub mod json;
pub mod kind;
pub mod layer;
pub mod media;
mod multipart;
pub mod path;
pub mod recording;
pub mod redact;
pub mod role;
pub mod scrub;
pub mod secret_names;
pub mod signal;
pub mod slices;
pub mod sniff;
pub mod surface;
pub mod tally;
pub mod time;
pub mod verdict;
mod words;
mod xml;

pub use cve::Cve;
pub use decision::{Decision, DecisionId, DecisionKind, Exception, ExceptionId, Origin, Scope};
pub use display::{acts_where_shown, plain};
pub use entity::{Entity, Net};
pub use event::{Event, EventId};
pub use facts::{AnswerFacts, EndpointId, Identity, Outcome, ServiceId};
pub use few::Few;
pub use fields::{Field, Fields, Location};
pub use finding::{Finding, Severity};
pub use hash::{Digest, HashKey, Hasher};
pub use head::{AnswerHead, Head, Peer, Scheme};
pub use kind::{DataClass, DataClasses, ParamKind};
pub use layer::{Layer, Mode};
pub use path::Path;
pub use role::Role;
pub use signal::{Detector, Disguise, Family, Reason, Signal};
pub use surface::{Surface, SurfaceHint};
pub use tally::{AttackKind, CallerKind, ExchangeKind, Fate, Tally, TallyKey};
pub use time::Timestamp;
pub use verdict::{Action, Verdict};
pub use words::{counted, times};
