//! Crate `catalog`.
