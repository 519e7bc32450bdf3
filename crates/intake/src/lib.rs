//! Crate `intake`.
