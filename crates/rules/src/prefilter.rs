//! Which rules can match at all, before any of them runs.
//!
//! Most rules look for something that most values do not have. So each value is looked at once for
//! all rules together, instead of once by each: its distinct forms under all chains of
//! transformations, one pass over each for the literals that patterns need, then what little is
//! left, exactly. What comes out is a set of rules; the engine runs only these, as it always would,
//! beside those that look at something else than the exchange's own bytes, and of each only with
//! the values for which its first condition holds.
//!
//! What a value needs for a pattern to match it depends on the bytes that it has: ordinary text
//! lacks most of what attacks are written with, so that there much more is ruled out.
//!
//! Where a rule asks a second thing of the values that satisfy its first condition, and does
//! nothing before, that is found out at once, too.
//!
//! What a value showed is remembered, since names, tokens and paths come again and again.
//!
//! Invariant: a rule that plain evaluation would find to hold, or to do anything, is in the set,
//! with each value that satisfies its first condition. Nothing is decided here: exclusions, chains
//! and effects are the engine's.

mod bits;
mod chains;
mod demand;
mod lexicon;
mod literal;
mod needs;
mod neighbours;
mod part;
mod plan;
mod scan;
mod seen;
mod sieve;
mod view;

pub(crate) use bits::Bits;
pub(crate) use part::Part;
pub(crate) use scan::{Look, Scan};
pub(crate) use seen::Seen;
pub(crate) use sieve::Sieve;
pub(crate) use view::{Lookout, Outcomes};
