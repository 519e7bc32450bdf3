//! Crate `console`.
