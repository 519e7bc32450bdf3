//! Passive inputs: recordings and access logs, through the very engine that decides live.
//!
//! A recording made by the gateway carries sequence numbers and is replayed step by step in their
//! order ([`exact`]); any other is replayed in virtual time, by the times it names ([`replay`]).
//! A [`scan`](mod@scan) takes whatever there is: logs of many formats, recordings, HAR documents.
//!
//! Invariant: what is read here came from outside and may be anything. A line that cannot be used
//! is counted and named with its number and what is wrong with it; it never stops the reading.

mod call;
mod driver;
mod exact;
mod follow;
mod har;
mod input;
mod lines;
mod log;
mod open;
mod reader;
mod replay;
pub mod scan;
mod source;
mod summary;
pub mod watch;

pub use call::NotAnExchange;
pub use exact::policy_of;
pub use input::{Account, Assumptions, NoRequests, NotAnInput, Skips};
pub use log::{Fault, FormatName, NoRequest, NotAFormat, NotRecognised, Zone};
pub use reader::{NotReadable, Recording};
pub use replay::{Answered, Emit, Replayed, replay};
pub use source::{NoSource, Source};
pub use summary::{Skipped, Summary};
