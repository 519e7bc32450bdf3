//! The rule engine, as a library of its own: what SecLang's transformations do to a value, what its
//! operators ask of one, what injection into SQL and HTML looks like, and how bodies are taken
//! apart into the variables that rules name. Bytes in, facts out; no input and no output.
//!
//! Invariant: every function a request can reach is total, takes time linear in its input, and
//! never looks at text: values are bytes.

pub mod action;
pub mod body;
pub mod builtin;
pub mod byte_set;
pub mod engine;
mod hash;
pub mod head;
pub mod injection;
pub mod lint;
pub mod operator;
pub mod pattern;
mod prefilter;
mod prose;
pub mod rule;
pub mod rule_set;
pub mod seclang;
pub mod template;
pub mod transformation;
pub mod variable;
mod work;
