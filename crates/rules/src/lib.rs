//! SecLang, the rule language of ModSecurity, as a library: bytes in, decisions out.
//!
//! It reads rule files through a source its caller gives it, and does no input or output itself.
//!
//! Invariant: every function a request can reach is total, takes time linear in its input, and
//! never looks at text: values are bytes.

pub mod body;
pub mod byte_set;
pub mod injection;
pub mod operator;
pub mod seclang;
pub mod transformation;
