//! What is told to others: incidents and events to webhooks, syslog and SIEMs.
//!
//! [`Outbox`] holds one [`Outlet`] for each sink of the policy: what waits for it, in a spool on
//! disk with a cap, and a thread that sends it in order, tries again with growing pauses, and never
//! stands in anybody's way. [`Teller`] looks at the ledger and hands over what is news.
//!
//! What decides (whether something is news, how long to wait, what is written) takes time and
//! chance as arguments; sockets and files are in `sink` and `spool` alone.
//!
//! Invariant: nothing here is on the way of a request.
//! Invariant: what is in a spool is sent at least once, in order, and each message carries an ID
//! that is the same every time, so that the other side can leave out what it has.
//! Invariant: no secret of a sink's address reaches a log, an error, or what is sent.
//!
//! Deliberately not here: answering to what others say. A sink is told, and that is all.

mod alert;
mod backoff;
mod memory;
pub mod ocsf;
mod outbox;
mod render;
mod sink;
mod spool;
mod teller;

pub use alert::{Alert, Evidence, Item, News};
pub use outbox::{Outbox, SinkStanding, Tested};
pub use sink::{Outlet, Ready, ready};
pub use teller::Teller;
