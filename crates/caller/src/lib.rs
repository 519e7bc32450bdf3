//! Who is calling: address and its trust, TLS and header fingerprints, client class, credentials,
//! and from those the session, the principal and the account behind a request.
//!
//! Everything here is sans-IO: bytes, times and keys are arguments, so that a replay of recorded
//! traffic names the same callers as the gateway did. What a caller *does* over time is the
//! business of `conduct`; whether that is allowed is decided in `shield`.
//!
//! Invariant: no raw credential leaves this crate; what is kept or handed on is a keyed hash.
//! Invariant: every table has a capacity that the traffic cannot move.
//! Invariant: nothing a caller sends can panic, recurse, or cost more than linear time.

pub mod address;
mod attempt;
mod callers;
mod common_passwords;
pub mod credential;
pub mod header_print;
mod issued;
pub mod ja4;
mod readings;
mod sighting;
mod table;
mod tried;
pub mod user_agent;

pub use address::{AddressSource, ForwardingAnomaly};
pub use attempt::{Attempted, attempted};
pub use callers::{Callers, Fill, SlotView};
pub use common_passwords::is_common_password;
pub use credential::claims::{Claims, recorded_claims};
pub use credential::{Credential, Place, Slot};
pub use issued::issued_credentials;
pub use readings::Readings;
pub use sighting::{Agent, Sighting, Trust, sight};
pub use tried::{Tried, tried};
pub use user_agent::ClientClass;
