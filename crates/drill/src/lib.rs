//! What Palisade is tried with: a sample API, and callers honest and hostile.
//!
//! `sample` is a small shop over real HTTP; `live` are callers over real sockets. Nothing of it is
//! part of the product: the gateway must not be able to tell a drill from the day's traffic.

pub mod dice;
pub mod live;
pub mod sample;
pub mod town;
