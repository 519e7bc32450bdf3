//! Crate `conduct`.
