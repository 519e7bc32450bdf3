//! The admin API of a running instance: what the command line asks and orders.
//!
//! HTTP and JSON under `/api/v1`, on a Unix socket in the data folder ([`serve`]) and, where the
//! configuration says so, on TCP ([`network`]). One table (`operations`) lists all that it does;
//! before each of them stands the gate (`gate`). The wire structs
//! ([`wire`]) are shared with the command line; the routes ([`api`]) read the engine's views and
//! the ledger's queries and order changes from both.
//!
//! Invariant: nothing here decides over requests, and nothing here is on their way.
//! Invariant: every change has its line in the audit log, committed before the answer.

pub mod api;
mod caller;
mod conditional;
mod exposition;
mod extract;
mod gate;
mod idempotency;
mod keyring;
pub mod network;
mod openapi;
mod operations;
mod readiness;
mod refusals;
pub mod refused;
pub mod reporting;
mod scope;
mod secret;
pub mod serve;
mod session;
pub mod shell;
pub mod socket;
mod totals;
pub mod wire;

pub use api::{
    ACCESS_LINES_LOST, Console, Instance, InstanceStanding, Reloads, Served, Timed, Watched,
    endpoint, explained, new_token, routes,
};
pub use idempotency::Repeats;
pub use keyring::Keyring;
pub use network::Network;
pub use openapi::document as openapi_document;
pub use readiness::Lately;
pub use refused::Refused;
pub use serve::Door;
pub use session::Sessions;
pub use totals::{Taken, Totals};
