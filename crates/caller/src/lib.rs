//! Crate `caller`.
