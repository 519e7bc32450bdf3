//! The real program against a real upstream, over sockets: what a user sees, and nothing less.

mod first_minutes;
mod operating;
mod recordings;
mod restart;
mod secrets;
mod support;
