//! What an access log says of a request: the same words as an event, masked in the same way.

use traffic::redact;

use crate::engine::Engine;
use crate::pass::Pass;
use crate::report::user_agent;

/// What was asked, by whom, without secrets.
#[derive(Clone, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of traffic::Event")]
pub struct Accessed {
    pub site: String,
    pub client: String,
    pub method: String,
    pub host: String,
    /// Without its query.
    pub path: String,
    pub user_agent: Option<String>,
}

impl Engine {
    /// What was asked in `pass`.
    pub fn accessed(&self, pass: &Pass) -> Accessed {
        let hasher = self.hasher();
        let site = pass.policy.site(&pass.route).map(|site| site.name.clone());
        Accessed {
            site: site.unwrap_or_default(),
            client: pass.sighting.address.to_string(),
            method: redact::method(pass.method.as_str()).to_owned(),
            host: redact::text(&pass.authority, hasher).into_owned(),
            path: pass.path.shown(hasher),
            user_agent: pass.user_agent.as_ref().map(|it| user_agent(it.as_bytes(), hasher)),
        }
    }
}
