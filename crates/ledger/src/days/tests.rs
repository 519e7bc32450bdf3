//! Tests of `days`.
