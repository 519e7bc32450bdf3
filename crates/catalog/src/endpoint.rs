//! What is kept of one endpoint.

use serde::{Deserialize, Serialize};
use traffic::media::Media;
use traffic::{DataClass, DataClasses, Digest, EndpointId, Outcome, Role, ServiceId, Timestamp};

use crate::auth::Auth;
use crate::body::NameSketch;
use crate::exchange::{AnswerLesson, RequestLesson};
use crate::outcome::{Looks, Outcomes};
use crate::params::Params;
use crate::role::{AnswerClues, RoleBelief, RoleHint};
use crate::sketch::{Distinct, Durations};

/// One endpoint.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Endpoint {
    pub(crate) id: EndpointId,
    pub(crate) service: ServiceId,
    pub(crate) node: u32,
    pub(crate) belief: RoleBelief,
    pub(crate) outcomes: Outcomes,
    pub(crate) auth: Auth,
    pub(crate) params: Params,
    pub(crate) shape: Shape,
    pub(crate) callers: Distinct,
    pub(crate) durations: Durations,
    pub(crate) statuses: Vec<(u16, u32)>,
    pub(crate) classes: DataClasses,
    pub(crate) first_seen: Timestamp,
    pub(crate) last_seen: Timestamp,
    pub(crate) exchanges: u64,
    /// Whether it ever did what was asked: an endpoint that only ever refused may be none.
    pub(crate) is_proven: bool,
    answers_read: u8,
}

/// What the answers of an endpoint look like, to tell one resource from another.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) enum Shape {
    /// Nothing was seen that tells.
    #[default]
    Unknown,
    /// The names in a structured body.
    Names(NameSketch),
    /// The length of a body that has no names.
    Length(u64),
}

/// A comparison of two things.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Likeness {
    Alike,
    Unlike,
    Untold,
}

/// More distinct statuses are not counted apart.
const STATUSES_MAX: usize = 12;
/// So many answers of a young endpoint are worth reading.
const ANSWERS_READ_MIN: u8 = 3;
/// Resources have this much of their names in common when they are of one kind, …
const ALIKE_FROM: f32 = 0.7;
/// … and this little when they are not.
const UNLIKE_UP_TO: f32 = 0.5;

// === impl Endpoint ===

impl Endpoint {
    pub(crate) fn new(id: EndpointId, service: ServiceId, node: u32, now: Timestamp) -> Self {
        Self {
            id,
            service,
            node,
            belief: RoleBelief::default(),
            outcomes: Outcomes::default(),
            auth: Auth::default(),
            params: Params::default(),
            shape: Shape::default(),
            callers: Distinct::default(),
            durations: Durations::default(),
            statuses: Vec::new(),
            classes: DataClasses::default(),
            first_seen: now,
            last_seen: now,
            exchanges: 0,
            is_proven: false,
            answers_read: 0,
        }
    }

    /// For how many days nobody had used it; none where it never did what was asked.
    pub(crate) fn unused_days(&self, now: Timestamp) -> u32 {
        const DAY_S: u32 = 86_400;
        let unused_s = now.as_secs().saturating_sub(self.last_seen.as_secs());
        if self.is_proven { unused_s / DAY_S } else { 0 }
    }

    /// Takes in one exchange: its role, its outcome, and all that is counted. Whether the shape of
    /// its answers became known with it is told apart, since siblings can be compared from then on.
    pub(crate) fn learn(
        &mut self,
        hint: RoleHint,
        request: &RequestLesson<'_>,
        answer: &AnswerLesson<'_>,
        looks: Looks,
        now: Timestamp,
    ) -> (Role, Outcome) {
        self.exchanges = self.exchanges.saturating_add(1);
        self.last_seen = self.last_seen.max(now);
        self.count_status(answer.status);
        self.durations.insert(answer.took_us);
        self.callers.insert(request.caller);
        if !matches!(answer.status, 404 | 405) {
            self.belief.learn(hint, request.caller, self.answer_clues());
        }
        let role = self.belief.role_for(hint);
        if tells_outcomes(role) {
            self.outcomes.learn(looks);
        }
        let outcome = self.outcomes.judge(looks, role);
        let is_served = outcome == Outcome::Success;
        self.is_proven |= is_served;
        if answer.asks_for_credential() && request.credential.is_none() && !role.tries_a_secret() {
            self.auth.refused_without();
        } else if is_served {
            self.auth.served(request.credential);
        }
        if (is_served || (role.tries_a_secret() && outcome == Outcome::Failure))
            && self.params.wants()
        {
            self.params.learn(request.fields);
        }
        if is_served {
            self.classes.extend(answer.classes);
        }
        self.learn_shape(answer, is_served);
        (role, outcome)
    }

    pub(crate) fn wants_answer(&self) -> bool {
        self.answers_read < ANSWERS_READ_MIN
    }

    pub(crate) fn answer_clues(&self) -> AnswerClues {
        AnswerClues {
            issues_credentials: self.outcomes.issues_credentials(),
            refuses: self.outcomes.refuses(),
        }
    }

    /// Takes over what was learnt about another endpoint that turned out to be this one.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.belief.merge(&other.belief);
        self.outcomes.merge(&other.outcomes);
        self.auth.merge(&other.auth);
        self.params.merge(&other.params);
        self.callers.merge(&other.callers);
        self.durations.merge(&other.durations);
        for (status, count) in &other.statuses {
            self.add_status(*status, *count);
        }
        self.classes.extend(other.classes);
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.exchanges = self.exchanges.saturating_add(other.exchanges);
        self.is_proven |= other.is_proven;
        if self.shape == Shape::Unknown {
            self.shape = other.shape;
        }
        self.belief.settle(self.answer_clues());
    }

    pub(crate) fn classes(&self) -> Vec<DataClass> {
        self.classes.iter().collect()
    }

    fn learn_shape(&mut self, answer: &AnswerLesson<'_>, is_served: bool) {
        if !is_served || !answer.is_2xx() {
            return;
        }
        if answer.body.is_some() {
            self.answers_read = self.answers_read.saturating_add(1);
        }
        if self.shape != Shape::Unknown {
            return;
        }
        self.shape = match answer.body {
            Some(body) if !body.names.is_empty() => Shape::Names(body.names),
            // Equal lengths say nothing about short answers, nor about those that could be read.
            _ if !holds_fields(answer.media) && answer.length >= 64 => Shape::Length(answer.length),
            _ => Shape::Unknown,
        };
        if !holds_fields(answer.media) {
            self.answers_read = ANSWERS_READ_MIN;
        }
    }

    fn count_status(&mut self, status: u16) {
        self.add_status(status, 1);
    }

    fn add_status(&mut self, status: u16, count: u32) {
        let has_room = self.statuses.len() < STATUSES_MAX;
        match self.statuses.iter_mut().find(|(known, _)| *known == status) {
            Some((_, mine)) => *mine = mine.saturating_add(count),
            None if has_room => self.statuses.push((status, count)),
            None => {}
        }
    }
}

/// Endpoints whose answers are worth telling apart. Any POST may turn out to be a log-in.
const fn tells_outcomes(role: Role) -> bool {
    role.is_sensitive()
        || matches!(
            role,
            Role::Other | Role::ObjectWrite | Role::Refresh | Role::Admin | Role::Graphql
        )
}

// === impl Shape ===

impl Shape {
    pub(crate) fn compare(&self, other: &Self) -> Likeness {
        match (self, other) {
            (Self::Names(a), Self::Names(b)) => match a.likeness(b) {
                likeness if likeness >= ALIKE_FROM => Likeness::Alike,
                likeness if likeness <= UNLIKE_UP_TO => Likeness::Unlike,
                _ => Likeness::Untold,
            },
            (Self::Length(a), Self::Length(b)) if a == b => Likeness::Alike,
            (Self::Names(_), Self::Length(_)) | (Self::Length(_), Self::Names(_)) => {
                Likeness::Unlike
            }
            _ => Likeness::Untold,
        }
    }
}

/// The key under which something waits for a second source.
pub(crate) fn waiting_key(service: ServiceId, shape: Digest, verb: &str) -> Digest {
    let verb = verb.bytes().fold(Digest(u64::from(service.0)), |key, byte| key.tagged(byte));
    verb.then(shape)
}

/// Whether a body of this type has names that could have been read.
const fn holds_fields(media: Media) -> bool {
    matches!(media, Media::Json | Media::Form)
}
