//! Passive inputs: recorded traffic, replayed through the very engine that decides live.
//!
//! A recording made by the gateway carries sequence numbers and is replayed step by step in their
//! order ([`exact`]); any other is replayed in virtual time, by the times it names ([`replay`]).
//!
//! Invariant: what is read here came from outside and may be anything. A line that cannot be used
//! is counted and named with its number and what is wrong with it; it never stops the replay.

mod call;
mod exact;
mod reader;
mod replay;
mod summary;

pub use call::NotAnExchange;
pub use exact::policy_of;
pub use reader::{NotReadable, Recording};
pub use replay::{Answered, Emit, Replayed, replay};
pub use summary::{Skipped, Summary};
