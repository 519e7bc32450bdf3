//! What Palisade is tried with: a sample API, and callers honest and hostile.
//!
//! `sample` is a small shop over real HTTP; `live` are callers over real sockets, `load` is more of
//! them than anybody can serve, and `trial` asks what the program bears; `access_log` writes what a
//! server would have logged. Nothing of it is part of the product: the gateway must not be able to
//! tell a drill from the day's traffic.

pub mod access_log;
pub mod dice;
pub mod live;
pub mod load;
pub mod sample;
pub mod town;
pub mod trial;
