//! Crate `gateway`.
