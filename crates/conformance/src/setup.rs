//! The configuration that the tests are written for.

/// The name under which [`SETUP`] is read.
pub const SETUP_NAME: &str = "conformance.conf";

/// Settings in SecLang: everything is detected and nothing refused, at the highest paranoia level,
/// with the limits that the tests exceed.
pub const SETUP: &str = include_str!("setup.conf");
