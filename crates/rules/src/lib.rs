//! The rule engine, as a library of its own: what SecLang's transformations do to a value, what its
//! operators ask of one, and how bodies are taken apart into the variables that rules name. Bytes
//! in, facts out; no input and no output.
//!
//! Invariant: every function a request can reach is total, takes time linear in its input, and
//! never looks at text: values are bytes.

pub mod body;
pub mod builtin;
pub mod byte_set;
pub mod operator;
pub mod transformation;
