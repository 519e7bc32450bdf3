//! The catalog: what the API behind the gateway consists of, learnt from its traffic alone.
//!
//! Endpoints by host group, method and path template; the role each plays; how its answers tell
//! success from failure; its parameters, its authentication and the sensitive data it gives out.
//!
//! Invariant: what an attacker asks for creates nothing. Only an answer that shows that there is
//! something creates an endpoint, and refusals do so only for more than one source.
//! Invariant: every table has a capacity that traffic cannot move.
//! Invariant: the same lessons in the same order give the same catalog, byte for byte.
//! Invariant: no value of a parameter or credential is kept, only names, kinds and keyed hashes.

mod auth;
mod body;
mod catalog;
mod classes;
mod endpoint;
mod exchange;
mod hosts;
mod issued;
mod openapi;
mod outcome;
mod params;
mod redirect;
mod role;
mod sketch;
mod template;
mod tree;
mod view;
mod waiting;

pub use self::body::{AnswerBody, NameSketch, Speech, says_error};
pub use self::catalog::Catalog;
pub use self::classes::{classes, classes_of_text};
pub use self::exchange::{AnswerLesson, Lesson, Place, Query, RequestLesson, Slot};
pub use self::redirect::Redirect;
pub use self::role::{RoleEvidence, RoleHint, role_hint};
pub use self::view::{AuthSeen, EndpointView, OutcomeView, ParamPlace, ParamView};
