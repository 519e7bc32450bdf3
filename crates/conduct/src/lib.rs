//! Behaviour over time: what a caller did before, weighed against what is normal here.
//!
//! One request tells little; forty failed log-ins tell a lot. This crate keeps, in tables of fixed
//! size, how each source has behaved, and says so as evidence ([`traffic::Signal`]) when the next
//! request comes. Several detectors live here: stuffing from one source, guesses at one account or
//! code from many, forced browsing, decoys, known attacks and published vulnerabilities one after
//! the other, common passwords, version walks, programs in disguise, and rate limits; beside them
//! the cap on unanswered attempts, which keeps parallel guessing from outrunning the answers.
//!
//! What it does not do: it neither weighs families of evidence against each other nor decides; that
//! is `shield`'s part.
//!
//! Invariant: time is an argument and arithmetic is exact IEEE 754, so that the same sequence of
//! calls gives the same evidence bit by bit, on any machine.
//! Invariant: memory is bounded by what [`Conduct::new`] was given, whatever keys callers choose.
//! Invariant: what was refused teaches nothing; `shield` calls [`Conduct::learn`] only for
//! exchanges that were let through and would have been in `enforce`.

mod accounts;
mod act;
mod baseline;
mod baselines;
mod browsing;
mod common_passwords;
mod conduct;
mod cusum;
mod cves;
mod decoy;
mod gcra;
mod guesses;
mod in_flight;
mod linear_count;
mod nats;
mod pace;
mod pairs;
mod pardon;
mod probing;
mod programs;
mod rate;
#[cfg(test)]
mod scene;
mod seen;
mod stuffing;
mod suspicion;
mod table;
mod variant;
mod view;
mod walks;
mod wanted;

pub use act::{Act, Guess, Keys};
pub use baseline::Readiness;
pub use conduct::Conduct;
pub use decoy::Decoy;
pub use in_flight::{Admission, Place};
pub use probing::Certainty;
pub use programs::Program;
pub use rate::{Limit, Per};
pub use variant::Variant;
pub use view::{BaselineView, Subject, Suggestion, TableView};
pub use wanted::{Wanted, is_provoked};
