//! Tests of `incidents`.
