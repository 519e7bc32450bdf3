//! The real program against a real upstream, over sockets: what a user sees, and nothing less.

mod access;
mod accuracy;
mod admin;
mod alerts;
mod answers;
mod caretaking;
mod certificates;
mod disk;
mod first_minutes;
mod guesses;
mod kills;
mod logs;
mod operating;
mod past;
mod probes;
mod readiness;
mod recordings;
mod report;
mod restart;
mod rules;
mod secrets;
mod service;
mod sessions;
mod support;
mod unread;
mod upstreams;
