//! Crate `traffic`.
