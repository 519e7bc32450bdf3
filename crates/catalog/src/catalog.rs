//! The catalog itself: locating a request, learning from an answer.
//!
//! [`Catalog::locate`] and [`Catalog::learn`] run under the one lock of the decision core, so both
//! are short: a walk down the tree, and a few counters of one endpoint. What is rare has files of
//! its own: whether an answer creates an endpoint (`admission.rs`), and when siblings turn out to
//! be values of one parameter (`vary.rs`).

mod admission;
mod capacity;
mod merge;
mod slices;
mod vary;

use std::collections::BTreeMap;

use serde_json::Value;
use traffic::{Digest, EndpointId, Outcome, ParamKind, Path, Role, ServiceId, Timestamp};

use self::capacity::Capacity;
use crate::endpoint::{Endpoint, Shape};
use crate::exchange::{AnswerLesson, Lesson, Place, Query, RequestLesson};
use crate::hosts::Hosts;
use crate::issued::{Issued, Proof};
use crate::openapi;
use crate::outcome::{Looks, Outcomes};
use crate::params::is_of;
use crate::role::RoleHint;
use crate::tree::{Parameter, Tree, Verb};
use crate::view::{EndpointView, ParamPlace, ParamView};
use crate::waiting::Waiting;

/// What the API consists of.
#[derive(Clone, Debug)]
pub struct Catalog {
    capacity: Capacity,
    hosts: Hosts,
    tree: Tree,
    endpoints: BTreeMap<EndpointId, Box<Endpoint>>,
    /// Endpoints that became part of another, for those who still know them by their number.
    moved: BTreeMap<EndpointId, EndpointId>,
    issued: Issued,
    waiting: Waiting,
    next_id: u32,
    /// Endpoints that never did what was asked.
    unproven: u32,
    /// Counts changes of the tree: places found before are stale then.
    revision: u32,
    /// Endpoints that were not created for want of room.
    refused_for_room: u64,
}

impl Catalog {
    /// An empty catalog that takes at most `bytes_max` of memory.
    pub fn new(bytes_max: usize) -> Self {
        let capacity = Capacity::of(bytes_max);
        Self {
            hosts: Hosts::default(),
            tree: Tree::default(),
            endpoints: BTreeMap::new(),
            moved: BTreeMap::new(),
            issued: Issued::new(capacity.issued),
            waiting: Waiting::new(capacity.waiting),
            next_id: 1,
            unproven: 0,
            revision: 0,
            refused_for_room: 0,
            capacity,
        }
    }

    /// Where a request belongs. `hint` stands in for the role as long as nothing was learnt.
    pub fn locate(&self, query: &Query<'_>, hint: &RoleHint) -> Place {
        let asked_shape = query.path.shape();
        let unknown = Place {
            service: None,
            endpoint: None,
            role: hint.role(),
            path_shape: asked_shape,
            asked_shape,
            is_known: false,
            is_respelt: false,
            unused_days: 0,
            wants_answer: true,
            revision: self.revision,
        };
        let Some(service) = self.hosts.find(query.host) else { return unknown };
        let unknown = Place { service: Some(service), ..unknown };
        let Some(root) = self.hosts.group(service).map(|group| group.root) else {
            return unknown;
        };
        let found = self.tree.find(root, query.path);
        let known = |node: u32| Place {
            path_shape: Digest(u64::from(node)).tagged(1),
            is_known: true,
            ..unknown
        };
        let verb = Verb::of(query.method);
        let at = |node: u32| {
            let id = self.tree.node(node)?.endpoint(verb.as_ref()?)?;
            self.endpoints.get(&id).map(|endpoint| (node, endpoint))
        };
        let other = || self.respelt(root, query.path, verb.as_ref()?).and_then(at);
        let (node, endpoint, is_respelt) = match (found.and_then(at), found) {
            (Some((node, endpoint)), _) => (node, endpoint, false),
            (None, found) => match other() {
                Some((node, endpoint)) => (node, endpoint, true),
                None => return found.map_or(unknown, known),
            },
        };
        Place {
            endpoint: Some(endpoint.id),
            role: endpoint.belief.role_for(*hint),
            wants_answer: endpoint.wants_answer(),
            unused_days: endpoint.unused_days(query.now),
            is_respelt,
            ..known(node)
        }
    }

    /// Where a path leads that is not known as it is written, to a server that takes `/V1/Login` or
    /// `/v1%2Flogin` for `/v1/login`: or else any log-in would have as many names nobody knows.
    fn respelt(&self, root: u32, path: &Path, verb: &Verb) -> Option<u32> {
        let split = path.as_split().and_then(|split| self.tree.find_alike(root, split, verb));
        split.or_else(|| self.tree.find_alike(root, path, verb))
    }

    /// Takes in one exchange that was neither refused nor would have been.
    pub fn learn(
        &mut self,
        place: &Place,
        query: &Query<'_>,
        hint: &RoleHint,
        request: &RequestLesson<'_>,
        answer: &AnswerLesson<'_>,
        now: Timestamp,
    ) -> Lesson {
        let mut place = self.fresh(place, query, hint);
        if place.is_respelt && matches!(answer.status, 404 | 405) {
            // To this server it is another path after all.
            place.endpoint = None;
        }
        if answer.is_2xx() {
            self.prove(request.carried, &place);
        }
        let (id, created) = match place.endpoint {
            Some(id) => (Some(id), false),
            None => {
                let id = self.admit(&place, query, hint, request, answer, now);
                (id, id.is_some())
            }
        };
        let looks = Looks::of(answer, place.asked_shape);
        let Some(endpoint) = id.and_then(|id| self.endpoints.get_mut(&id)) else {
            let outcome = Outcomes::default().judge(looks, place.role);
            return Lesson {
                service: place.service,
                endpoint: None,
                created: false,
                role: place.role,
                outcome,
            };
        };
        let (was_proven, had_shape) = (endpoint.is_proven, endpoint.shape != Shape::Unknown);
        let (role, outcome) = endpoint.learn(*hint, request, answer, looks, now);
        let (id, service, node) = (endpoint.id, endpoint.service, endpoint.node);
        let is_shaped_now = !had_shape && endpoint.shape != Shape::Unknown;
        if !was_proven && endpoint.is_proven {
            self.unproven = self.unproven.saturating_sub(1);
        }
        self.note_issued(id, role, looks, answer);
        if created || is_shaped_now {
            self.find_values(node);
            self.find_tenants(service);
        }
        let id = self.current(id);
        let service = self.endpoints.get(&id).map(|endpoint| endpoint.service);
        Lesson { service, endpoint: Some(id), created, role, outcome }
    }

    /// How an exchange ended, without learning from it.
    pub fn judge(&self, place: &Place, answer: &AnswerLesson<'_>) -> Outcome {
        let looks = Looks::of(answer, place.asked_shape);
        match place.endpoint.and_then(|id| self.endpoints.get(&self.current(id))) {
            Some(endpoint) => endpoint.outcomes.judge(looks, place.role),
            None => Outcomes::default().judge(looks, place.role),
        }
    }

    /// Is the value of a parameter, which is of this kind, what every value of it is there? True
    /// for numbers, identifiers, dates and truths alone: nothing else can be told from an attack
    /// by its kind.
    pub fn is_typed(&self, id: EndpointId, name: &str, kind: ParamKind) -> bool {
        let tells = matches!(
            kind,
            ParamKind::Integer
                | ParamKind::Decimal
                | ParamKind::Uuid
                | ParamKind::Date
                | ParamKind::DateTime
                | ParamKind::Bool
        );
        let endpoint = self.endpoints.get(&self.current(id)).filter(|_| tells);
        let settled = endpoint.and_then(|endpoint| endpoint.params.settled(name));
        settled.is_some_and(|settled| is_of(kind, settled))
    }

    /// `METHOD host-group /template`; empty for a number that was never given.
    pub fn label(&self, id: EndpointId) -> String {
        self.endpoints
            .get(&self.current(id))
            .map_or_else(String::new, |endpoint| self.label_of(endpoint))
    }

    /// The number under which an endpoint is known now: itself, unless it became part of another.
    pub fn current(&self, id: EndpointId) -> EndpointId {
        // Each step leads to a younger merge, so that the chain ends; it is bounded all the same.
        std::iter::successors(Some(id), |id| self.moved.get(id).copied())
            .take(64)
            .last()
            .unwrap_or(id)
    }

    /// The endpoint of that number.
    pub fn endpoint(&self, id: EndpointId) -> Option<EndpointView> {
        self.endpoints.get(&self.current(id)).map(|endpoint| self.view(endpoint))
    }

    /// The endpoint of that label.
    pub fn endpoint_labelled(&self, label: &str) -> Option<EndpointId> {
        self.endpoints
            .values()
            .find(|endpoint| self.label_of(endpoint) == label)
            .map(|endpoint| endpoint.id)
    }

    /// All endpoints, by host group, template and method.
    pub fn endpoints(&self) -> Vec<EndpointView> {
        let mut views: Vec<EndpointView> =
            self.endpoints.values().map(|endpoint| self.view(endpoint)).collect();
        views.sort_by(|a, b| {
            (&a.host, &a.template, &a.method).cmp(&(&b.host, &b.template, &b.method))
        });
        views
    }

    /// How many endpoints there are.
    pub fn len(&self) -> usize {
        self.endpoints.len()
    }

    /// Whether there are none yet.
    pub fn is_empty(&self) -> bool {
        self.endpoints.is_empty()
    }

    /// How many there can be, and how often one was not created because that many were there.
    pub const fn room(&self) -> (usize, u64) {
        (self.capacity.endpoints, self.refused_for_room)
    }

    /// The role of an endpoint as learnt so far.
    pub fn role(&self, id: EndpointId) -> Option<Role> {
        self.endpoints.get(&self.current(id)).map(|endpoint| endpoint.belief.role())
    }

    /// The name of a host group.
    pub fn service_name(&self, id: ServiceId) -> Option<&str> {
        self.hosts.group(id).map(|group| &*group.name)
    }

    /// An OpenAPI 3.1 document of what was learnt: of one host group by its name, or of all.
    pub fn openapi(&self, host: Option<&str>) -> Value {
        let mut views = self.endpoints();
        views.retain(|view| host.is_none_or(|host| view.host.eq_ignore_ascii_case(host)));
        openapi::document(&views)
    }

    /// `place`, or where the request belongs by now if the tree has changed since it was found.
    fn fresh(&self, place: &Place, query: &Query<'_>, hint: &RoleHint) -> Place {
        if place.revision == self.revision { *place } else { self.locate(query, hint) }
    }

    /// Credentials that opened a door here prove the answers that handed them out.
    fn prove(&mut self, carried: &[Digest], place: &Place) {
        if carried.is_empty() || place.role.tries_a_secret() {
            return;
        }
        let is_needed = place
            .endpoint
            .and_then(|id| self.endpoints.get(&id))
            .is_some_and(|endpoint| endpoint.auth.turns_away());
        for credential in carried {
            let Some((proof, is_first_use)) = self.issued.used(*credential, is_needed) else {
                continue;
            };
            let endpoint = self.current(proof.endpoint);
            if let Some(issuer) = self.endpoints.get_mut(&endpoint) {
                issuer.outcomes.prove(proof.cluster, is_first_use, is_needed);
            }
        }
    }

    fn note_issued(&mut self, id: EndpointId, role: Role, looks: Looks, answer: &AnswerLesson<'_>) {
        if role.is_sensitive() || matches!(role, Role::Other | Role::ObjectWrite) {
            let proof = Proof { endpoint: id, cluster: looks.number() };
            answer
                .issued
                .iter()
                .take(8)
                .for_each(|credential| self.issued.insert(*credential, proof));
        }
    }

    fn label_of(&self, endpoint: &Endpoint) -> String {
        let host = self.service_name(endpoint.service).unwrap_or_default();
        format!("{} {host} {}", self.verb_of(endpoint), self.tree.template(endpoint.node))
    }

    fn verb_of(&self, endpoint: &Endpoint) -> &str {
        self.tree
            .node(endpoint.node)
            .and_then(|node| node.endpoints.iter().find(|(_, id)| *id == endpoint.id))
            .map_or("", |(verb, _)| verb.text())
    }

    fn view(&self, endpoint: &Endpoint) -> EndpointView {
        let role = endpoint.belief.role();
        let mut statuses = endpoint.statuses.clone();
        statuses.sort_unstable();
        EndpointView {
            id: endpoint.id,
            service: endpoint.service,
            method: self.verb_of(endpoint).to_owned(),
            host: self.service_name(endpoint.service).unwrap_or_default().to_owned(),
            template: self.tree.template(endpoint.node),
            role,
            evidence: endpoint.belief.evidence(endpoint.answer_clues()),
            auth: endpoint.auth.seen(),
            credentials: endpoint.auth.slots().iter().map(crate::auth::SlotName::shown).collect(),
            params: self
                .path_params(endpoint.node)
                .into_iter()
                .chain(endpoint.params.view())
                .collect(),
            classes: endpoint.classes(),
            first_seen: endpoint.first_seen,
            last_seen: endpoint.last_seen,
            exchanges: endpoint.exchanges,
            callers: endpoint.callers.estimate(),
            statuses,
            latency_p50_us: endpoint.durations.percentile(50),
            latency_p95_us: endpoint.durations.percentile(95),
            outcomes: endpoint.outcomes.view(role),
        }
    }

    fn path_params(&self, node: u32) -> Vec<ParamView> {
        let parameters = self.tree.parameters(node).into_iter();
        let view = |(name, part): (String, &Parameter)| ParamView {
            place: ParamPlace::Path,
            name,
            kind: crate::template::kind_covering(part.kinds),
            share: 1.0,
            is_required: true,
        };
        parameters.map(view).collect()
    }
}

#[cfg(test)]
mod tests;
