//! Request bodies taken apart into the variables that rules name.
//!
//! One parser for each form of body, each of our own, because what matters is the raw bytes: what a
//! server behind us may read in another way must be seen, kept and flagged, not repaired. A parser
//! never fails as a whole. It gives what it could read, in document order and with duplicates, the
//! first fault (the text of `REQBODY_ERROR_MSG`), and where it stopped, so that the rest can still
//! be inspected as bytes.
//!
//! Invariant: each takes one pass or a fixed number of them, holds memory bounded by a multiple of
//! its input, and does not recurse. Nothing is inflated here: the caller does that, under a limit.

pub mod arguments;
pub mod cookies;
pub mod json;
pub mod limits;
pub mod multipart;
pub mod urlencoded;
pub mod xml;

pub use arguments::{Argument, Arguments};
pub use limits::Limits;
