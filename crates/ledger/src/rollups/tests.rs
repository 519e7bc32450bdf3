//! Tests of `rollups`.
