//! The socket API of a running instance: what the command line asks and orders.
//!
//! HTTP and JSON under `/api/v1` on a Unix socket in the data folder ([`serve`]). The wire structs
//! ([`wire`]) are shared with the command line; the routes ([`api`]) read the engine's views and
//! the ledger's queries and order changes from both.
//!
//! Invariant: nothing here decides over requests, and nothing here is on their way.
//! Invariant: every change has its line in the audit log, committed before the answer.

pub mod api;
pub mod refused;
pub mod reporting;
pub mod serve;
pub mod socket;
pub mod wire;

pub use api::{Console, Instance, InstanceStanding, endpoint, explained, routes};
pub use refused::Refused;
pub use serve::Door;
