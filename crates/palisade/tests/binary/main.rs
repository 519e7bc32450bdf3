//! The real program against a real upstream, over sockets: what a user sees, and nothing less.

mod access;
mod admin;
mod answers;
mod caretaking;
mod disk;
mod first_minutes;
mod kills;
mod logs;
mod operating;
mod probes;
mod recordings;
mod report;
mod restart;
mod rules;
mod secrets;
mod support;
mod upstreams;
