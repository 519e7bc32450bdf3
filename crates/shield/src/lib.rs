//! Crate `shield`.
