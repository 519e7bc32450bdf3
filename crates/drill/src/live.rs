//! Callers over real sockets: honest ones, attackers, and honest ones that look like attackers.
//!
//! Each caller has a loopback address of its own (on Linux all of 127.0.0.0/8 is there to bind), so
//! a gateway tells them apart as it would on the internet, without trusting any header. The callers
//! know the sample API and its people; they know nothing of what stands before it, except that an
//! answer with `palisade-event` was not the API's own.

pub mod attack;
pub mod browser;
pub mod look_alike;
pub mod shoppers;
pub mod tally;
