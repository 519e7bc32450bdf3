//! Tests of `learnt`.
