//! Whether an answer creates an endpoint.
//!
//! Only what shows that there is something: success at once, "not found" never. A refusal says
//! little of the path, since many an API asks for a credential before it looks at it: what is only
//! ever refused is an endpoint once a second source asks for the same. What tries a secret and
//! fails is one on the word of a single source, for to fail is what most first tries at a log-in
//! do, and whoever guesses there should not find a place without a name. Yet anybody can send a
//! password to any path, so that only the first few are believed. And what only ever refuses is
//! held to an eighth of the room, so that an API that answers 401 to every path cannot be made to
//! fill the catalog.

use std::time::Duration;

use traffic::{EndpointId, ServiceId, Timestamp};

use super::Catalog;
use crate::endpoint::{Endpoint, waiting_key};
use crate::exchange::{AnswerLesson, Place, Query, RequestLesson};
use crate::hosts::{GROUPS_MAX, TRUSTED_MAX, normal};
use crate::role::RoleHint;
use crate::tree::Verb;

/// When the catalog is full, endpoints that nobody asked for in so long make room.
const RETIRED_AFTER: Duration = Duration::from_secs(30 * 24 * 3_600);

/// So many endpoints that never did what was asked are there when a failed attempt at a secret is
/// no longer taken at its word.
const ON_THEIR_WORD_MAX: u32 = 8;

/// What an answer says about there being an endpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Proof {
    /// There is one.
    Certain,
    /// A secret was tried, and refused: there is one, unless everything is refused here.
    Attempt,
    /// There may be one.
    Possible,
    /// There is none.
    None,
}

impl Catalog {
    /// Creates the endpoint that this exchange shows, if it shows one. Its number.
    pub(super) fn admit(
        &mut self,
        place: &Place,
        query: &Query<'_>,
        hint: &RoleHint,
        request: &RequestLesson<'_>,
        answer: &AnswerLesson<'_>,
        now: Timestamp,
    ) -> Option<EndpointId> {
        let verb = Verb::of(query.method)?;
        let proof = proof_of(query, &verb, hint, answer);
        if proof == Proof::None || query.path.anomalies().control {
            return None;
        }
        let host = normal(query.host)?;
        let key = match place.service {
            Some(service) => waiting_key(service, query.path.shape(), verb.text()),
            // A host of its own waits as a whole.
            None => waiting_key(ServiceId(u32::MAX), traffic::Digest(0), &host),
        };
        let is_doubtful = match proof {
            Proof::Certain => false,
            Proof::Attempt => self.unproven >= ON_THEIR_WORD_MAX,
            Proof::Possible | Proof::None => true,
        };
        let needs_second = is_doubtful && !place.is_known
            || place.service.is_none() && self.hosts.len() >= TRUSTED_MAX;
        if needs_second && !self.waiting.is_second(key, request.source) {
            return None;
        }
        if !self.make_room(proof, now) {
            self.refused_for_room = self.refused_for_room.saturating_add(1);
            return None;
        }
        let service = match place.service {
            Some(service) => service,
            None => self.admit_host(&host)?,
        };
        let root = self.hosts.group(service)?.root;
        let Some(node) = self.tree.insert(root, query.path, &verb, self.capacity.nodes) else {
            self.refused_for_room = self.refused_for_room.saturating_add(1);
            return None;
        };
        if let Some(known) = self.tree.node(node)?.endpoint(&verb) {
            return Some(known);
        }
        let id = EndpointId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        self.tree.add_endpoint(node, verb, id);
        self.endpoints.insert(id, Box::new(Endpoint::new(id, service, node, now)));
        self.unproven = self.unproven.saturating_add(1);
        self.revision = self.revision.wrapping_add(1);
        Some(id)
    }

    fn admit_host(&mut self, host: &str) -> Option<ServiceId> {
        if self.hosts.len() >= GROUPS_MAX {
            return None;
        }
        let root = self.tree.add_root();
        self.hosts.add(host, root)
    }

    /// Makes sure that there is room for one more endpoint, at the expense of one that only ever
    /// refused, or of one that nobody asked for in a month.
    fn make_room(&mut self, proof: Proof, now: Timestamp) -> bool {
        let is_full = self.endpoints.len() >= self.capacity.endpoints;
        let unproven_full = self.unproven as usize >= self.capacity.unproven();
        if !is_full && (proof == Proof::Certain || !unproven_full) {
            return true;
        }
        let oldest_unproven = || {
            let unproven = self.endpoints.values().filter(|endpoint| !endpoint.is_proven);
            unproven
                .min_by_key(|endpoint| (endpoint.last_seen, endpoint.id))
                .map(|endpoint| endpoint.id)
        };
        let retired = || {
            let retired = self
                .endpoints
                .values()
                .filter(|endpoint| now.since(endpoint.last_seen) >= RETIRED_AFTER);
            retired
                .min_by_key(|endpoint| (endpoint.last_seen, endpoint.id))
                .map(|endpoint| endpoint.id)
        };
        let Some(victim) = oldest_unproven().or_else(retired) else { return false };
        self.forget(victim);
        true
    }

    /// Forgets an endpoint.
    pub(super) fn forget(&mut self, id: EndpointId) {
        let Some(endpoint) = self.endpoints.remove(&id) else { return };
        if !endpoint.is_proven {
            self.unproven = self.unproven.saturating_sub(1);
        }
        if let Some(node) = self.tree.node_mut(endpoint.node) {
            node.endpoints.retain(|(_, known)| *known != id);
        }
        self.tree.prune(endpoint.node);
        self.revision = self.revision.wrapping_add(1);
    }
}

fn proof_of(query: &Query<'_>, verb: &Verb, hint: &RoleHint, answer: &AnswerLesson<'_>) -> Proof {
    let is_plain = !matches!(verb, Verb::Other(_)) && *query.method != http::Method::HEAD;
    let tries_a_secret = is_plain && hint.role().tries_a_secret();
    let says_error = answer.body.is_some_and(|body| body.says_error());
    match answer.status {
        // What a server does with methods it does not know is no proof, and HEAD shows no body.
        200..=299 if !is_plain => Proof::Possible,
        // A success that says it is an error is what some APIs answer to any path.
        200..=299 if says_error && tries_a_secret => Proof::Attempt,
        200..=299 if says_error && !hint.role().is_sensitive() => Proof::Possible,
        // Nobody changes the protocol for what is not there.
        101 | 200..=299 | 304 => Proof::Certain,
        // A form that was taken sends on; a page that sends on may do so for any path.
        301..=303 | 307 | 308
            if is_plain && *verb != Verb::Get && !answer.asks_for_credential() =>
        {
            Proof::Certain
        }
        301..=303 | 307 | 308 => Proof::Possible,
        404 | 405 | 410 | 501 => Proof::None,
        400 | 401 | 403 | 422 if tries_a_secret => Proof::Attempt,
        400..=599 => Proof::Possible,
        _ => Proof::None,
    }
}
