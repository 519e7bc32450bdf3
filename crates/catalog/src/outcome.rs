//! How the answers of one endpoint tell success from failure, learnt from the answers themselves.
//!
//! Answers that look alike form a cluster. The strongest label needs nobody's help: a cluster is a
//! success when credentials that it handed out are later accepted elsewhere. That settles the log-
//! ins that answer failures with 200 and an error, or with the form once more. Until then the
//! status decides, and what a body says plainly.

use serde::{Deserialize, Serialize};
use traffic::{Digest, Outcome, Role};

use crate::body::Speech;
use crate::exchange::AnswerLesson;
use crate::view::OutcomeView;

/// The clusters of one endpoint.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Outcomes {
    clusters: Vec<Cluster>,
}

/// What an answer looks like.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Looks {
    status: u16,
    issues: bool,
    speech: Speech,
    redirect: Option<RedirectLooks>,
    /// The names in the body; none when it was not read or has none.
    key_set: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct RedirectLooks {
    shape: Digest,
    /// Back to where the request was made, to a log-in, or with an error along.
    is_refusal: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Cluster {
    looks: Looks,
    count: u32,
    /// Credentials of these answers that were used in requests answered with 2xx.
    used: u32,
    /// Of those, where callers without one are turned away.
    used_where_needed: u32,
}

const CLUSTERS_MAX: usize = 8;

// === impl Looks ===

impl Looks {
    pub(crate) fn of(answer: &AnswerLesson<'_>, path_shape: Digest) -> Self {
        let redirect = answer.redirect.filter(|_| matches!(answer.status, 300..=399)).map(|to| {
            RedirectLooks {
                shape: to.shape,
                is_refusal: to.asks_login || to.says_error || to.shape == path_shape,
            }
        });
        Self {
            status: answer.status,
            issues: !answer.issued.is_empty(),
            speech: answer.body.map_or(Speech::Silent, |body| body.speech),
            redirect,
            key_set: answer.body.map(|body| body.key_set).filter(|set| *set != 0),
        }
    }

    /// A number for these looks, for the table of credentials issued.
    pub(crate) fn number(&self) -> u64 {
        let redirect =
            self.redirect.map_or(Digest(0), |to| to.shape.tagged(u8::from(to.is_refusal)));
        Digest(u64::from(self.status))
            .tagged(u8::from(self.issues))
            .tagged(self.speech as u8)
            .then(redirect)
            .then(Digest(self.key_set.unwrap_or(0)))
            .0
    }

    /// What the answer means by itself, before anything was learnt.
    fn at_face_value(&self, role: Role) -> f32 {
        let by_status = match self.status {
            400..=499 => -6.0,
            _ => 1.0,
        };
        let by_speech = match self.speech {
            Speech::Silent | Speech::AsksMore => 0.0,
            Speech::Error => -6.0,
            // Where a secret is tried, there is nothing else that an error could be about.
            Speech::MentionsError => {
                if role.is_sensitive() {
                    -6.0
                } else {
                    0.0
                }
            }
        };
        let by_redirect = if self.redirect.is_some_and(|to| to.is_refusal) { -4.0 } else { 0.0 };
        by_status + by_speech + by_redirect
    }
}

// === impl Outcomes ===

impl Outcomes {
    /// Counts an answer.
    pub(crate) fn learn(&mut self, looks: Looks) {
        if let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.looks == looks) {
            cluster.count = cluster.count.saturating_add(1);
            return;
        }
        let fresh = Cluster { looks, count: 1, used: 0, used_where_needed: 0 };
        if self.clusters.len() < CLUSTERS_MAX {
            self.clusters.push(fresh);
            return;
        }
        // A proof is worth more than any count: what proved itself goes last.
        let rarest = self.clusters.iter_mut().min_by_key(|cluster| (cluster.used, cluster.count));
        if let Some(rarest) = rarest.filter(|cluster| cluster.used == 0) {
            *rarest = fresh;
        }
    }

    /// Notes that a credential of such an answer opened a door.
    pub(crate) fn prove(&mut self, number: u64, is_first_use: bool, is_needed_there: bool) {
        if let Some(cluster) =
            self.clusters.iter_mut().find(|cluster| cluster.looks.number() == number)
        {
            cluster.used = cluster.used.saturating_add(u32::from(is_first_use));
            cluster.used_where_needed =
                cluster.used_where_needed.saturating_add(u32::from(is_needed_there));
        }
    }

    /// Whether credentials handed out here were used elsewhere.
    pub(crate) fn issues_credentials(&self) -> bool {
        self.clusters.iter().any(|cluster| cluster.used_where_needed > 0 || cluster.used >= 3)
    }

    /// Whether some answers refuse for want of the right secret.
    pub(crate) fn refuses(&self) -> bool {
        let total: u32 = self.clusters.iter().map(|cluster| cluster.count).sum();
        let refused: u32 = self
            .clusters
            .iter()
            .filter(|cluster| matches!(cluster.looks.status, 401 | 403))
            .map(|cluster| cluster.count)
            .sum();
        refused > 0 && refused.saturating_mul(50) >= total
    }

    /// How an exchange ended that was answered like this.
    pub(crate) fn judge(&self, looks: Looks, role: Role) -> Outcome {
        match looks.status {
            // On an endpoint that is known to be there, "not found" is about the account or the
            // code.
            404 if role.tries_a_secret() && self.has_success(role) => Outcome::Failure,
            404 | 405 | 410 => Outcome::NotFound,
            101 => Outcome::Success,
            0..200 | 408 | 429 | 500.. => Outcome::Unknown,
            // Only who knew the password is asked for more.
            _ if looks.speech == Speech::AsksMore => Outcome::Success,
            _ if self.weigh(looks, role) > 0.0 => Outcome::Success,
            _ => Outcome::Failure,
        }
    }

    /// The clusters, the most frequent first.
    pub(crate) fn view(&self, role: Role) -> Vec<OutcomeView> {
        let mut views: Vec<OutcomeView> = self
            .clusters
            .iter()
            .map(|cluster| OutcomeView {
                looks: cluster.looks.shown(),
                outcome: self.judge(cluster.looks, role),
                count: cluster.count,
                used: cluster.used,
            })
            .collect();
        views.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.looks.cmp(&b.looks)));
        views
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for theirs in &other.clusters {
            let has_room = self.clusters.len() < CLUSTERS_MAX;
            match self.clusters.iter_mut().find(|mine| mine.looks == theirs.looks) {
                Some(mine) => {
                    mine.count = mine.count.saturating_add(theirs.count);
                    mine.used = mine.used.saturating_add(theirs.used);
                    mine.used_where_needed =
                        mine.used_where_needed.saturating_add(theirs.used_where_needed);
                }
                None if has_room => self.clusters.push(*theirs),
                None => {}
            }
        }
    }

    fn has_success(&self, role: Role) -> bool {
        self.clusters.iter().any(|cluster| cluster.looks.at_face_value(role) > 0.0)
    }

    /// Positive for success.
    fn weigh(&self, looks: Looks, role: Role) -> f32 {
        let face = looks.at_face_value(role);
        if !hands_out_credentials(role) {
            return face;
        }
        let own = self.clusters.iter().find(|cluster| cluster.looks == looks);
        let best = self.best_rival(looks, role);
        let proof = match own {
            Some(own) if own.used_where_needed > 0 => 6.0,
            Some(own) if own.used > 0 => 1.0,
            _ => 0.0,
        };
        let issued = if looks.issues { 2.0 } else { 0.0 };
        let rivalled = match best {
            Some(best) if !looks.issues && (best.used > 0 || best.count >= 2) => -6.0,
            // Both hand out credentials, as forms do that renew the cookie with every answer: only
            // one leads on, or only one's credential is accepted where one is needed.
            Some(best) if best.looks.leads_on() && !looks.leads_on() && proof < 6.0 => -6.0,
            Some(best)
                if best.used_where_needed >= 2
                    && proof < 6.0
                    && own.is_some_and(|own| own.count >= 20) =>
            {
                -6.0
            }
            _ => 0.0,
        };
        face + proof + issued + rivalled
    }

    /// The other cluster that looks most like the success.
    fn best_rival(&self, looks: Looks, role: Role) -> Option<&Cluster> {
        self.clusters
            .iter()
            .filter(|cluster| {
                cluster.looks != looks
                    && cluster.looks.issues
                    && cluster.looks.at_face_value(role) > 0.0
            })
            .max_by_key(|cluster| {
                (cluster.used_where_needed, cluster.looks.leads_on(), cluster.used, cluster.count)
            })
    }
}

impl Looks {
    /// Whether it redirects to somewhere new.
    fn leads_on(&self) -> bool {
        self.redirect.is_some_and(|to| !to.is_refusal)
    }

    fn shown(&self) -> String {
        let mut words = self.status.to_string();
        if self.issues {
            words.push_str(", hands out a credential");
        }
        match self.speech {
            Speech::Silent => {}
            Speech::Error | Speech::MentionsError => words.push_str(", says error"),
            Speech::AsksMore => words.push_str(", asks for a second factor"),
        }
        match self.redirect {
            Some(to) if to.is_refusal => words.push_str(", sends back"),
            Some(_) => words.push_str(", leads on"),
            None => {}
        }
        words
    }
}

/// Whether a success of this role shows by a credential.
const fn hands_out_credentials(role: Role) -> bool {
    matches!(role, Role::Login | Role::OtpVerify)
}

#[cfg(test)]
mod tests;
