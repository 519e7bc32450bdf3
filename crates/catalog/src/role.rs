//! What an endpoint is for: guessed from one request, learnt from many.
//!
//! Evidence is a set of clues (`clue.rs`), each worth some nats for some roles (`weight.rs`). A
//! request alone gives a [`RoleHint`], so that a log-in is protected before it was ever seen; an
//! endpoint gathers a [`RoleBelief`] over its exchanges, answers included, that one odd request
//! cannot turn.

pub(crate) mod clue;
mod lexicon;
mod weight;

use http::Method;
use serde::{Deserialize, Serialize};
use traffic::{Digest, Fields, Path, Role};

pub(crate) use self::clue::{Clue, Clues};

/// A role is taken for granted from here, in nats.
const ASSIGNED_FROM: f32 = 5.0;

/// What one request suggests about the role of its endpoint.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RoleHint {
    clues: Clues,
    role: Role,
}

/// Why an endpoint has its role.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoleEvidence {
    /// What was seen.
    pub clue: &'static str,
    /// How strongly it speaks for the role; negative speaks against it.
    pub nats: f32,
}

/// What the exchanges of one endpoint say about its role.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct RoleBelief {
    /// How often each clue was seen, by its number.
    seen: Vec<(u8, u16)>,
    exchanges: u16,
    last_caller: Digest,
    role: Role,
}

/// What only the answers of many exchanges tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerClues {
    /// Credentials that it hands out open doors elsewhere.
    pub(crate) issues_credentials: bool,
    /// It refuses now and then for want of the right secret.
    pub(crate) refuses: bool,
}

/// Reads from a request alone what its endpoint could be for. Its body counts as far as `fields`
/// goes.
pub fn role_hint(method: &Method, path: &Path, fields: &Fields) -> RoleHint {
    let mut clues = clue::of_method(method);
    clues.add(clue::of_path(path));
    clues.add(clue::of_fields(fields));
    RoleHint { clues, role: weight::best(clues).0 }
}

// === impl RoleHint ===

impl RoleHint {
    /// The role that the request alone suggests.
    pub const fn role(&self) -> Role {
        self.role
    }
}

// === impl RoleBelief ===

impl RoleBelief {
    pub(crate) const fn role(&self) -> Role {
        self.role
    }

    /// The role for one exchange: as learnt, unless that is of no interest to protection and this
    /// very request tries a secret, as on endpoints that serve many operations.
    pub(crate) fn role_for(&self, hint: RoleHint) -> Role {
        if !self.role.is_sensitive() && hint.role.is_sensitive() { hint.role } else { self.role }
    }

    /// Adds what one exchange tells. The same caller twice in a row counts once: who repeats itself
    /// shall not say what an endpoint is for.
    pub(crate) fn learn(&mut self, hint: RoleHint, caller: Digest, answers: AnswerClues) {
        let is_repeat = self.exchanges > 0 && caller == self.last_caller;
        self.last_caller = caller;
        if is_repeat {
            return;
        }
        for number in hint.clues.numbers() {
            match self.seen.binary_search_by_key(&number, |(clue, _)| *clue) {
                Ok(at) => {
                    if let Some((_, count)) = self.seen.get_mut(at) {
                        *count = count.saturating_add(1);
                    }
                }
                Err(at) => self.seen.insert(at, (number, 1)),
            }
        }
        self.exchanges = self.exchanges.saturating_add(1);
        if self.exchanges >= REMEMBERED_MAX {
            self.halve();
        }
        if self.exchanges.is_power_of_two() || self.exchanges.is_multiple_of(32) {
            self.settle(answers);
        }
    }

    /// Decides the role anew.
    pub(crate) fn settle(&mut self, answers: AnswerClues) {
        self.role = weight::best(self.clues(answers)).0;
    }

    /// Takes over what another endpoint learnt that turned out to be this one.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (number, count) in &other.seen {
            match self.seen.binary_search_by_key(number, |(clue, _)| *clue) {
                Ok(at) => {
                    if let Some((_, mine)) = self.seen.get_mut(at) {
                        *mine = mine.saturating_add(*count);
                    }
                }
                Err(at) => self.seen.insert(at, (*number, *count)),
            }
        }
        self.exchanges = self.exchanges.saturating_add(other.exchanges);
        while self.exchanges >= REMEMBERED_MAX {
            self.halve();
        }
    }

    /// What speaks for the role that was learnt, and against it.
    pub(crate) fn evidence(&self, answers: AnswerClues) -> Vec<RoleEvidence> {
        weight::evidence(self.clues(answers), self.role)
    }

    fn clues(&self, answers: AnswerClues) -> Clues {
        let mut clues = Clues::default();
        for (number, count) in &self.seen {
            // A fifth of the exchanges is enough: log-ins also get empty and broken bodies.
            if u32::from(*count) * 5 >= u32::from(self.exchanges) {
                clues.insert_number(*number);
            }
        }
        clues.insert_if(Clue::IssuesCredentials, answers.issues_credentials);
        clues.insert_if(Clue::Refuses, answers.refuses);
        clues
    }

    fn halve(&mut self) {
        self.exchanges /= 2;
        self.seen.retain_mut(|(_, count)| {
            *count /= 2;
            *count > 0
        });
    }
}

/// So many exchanges are remembered before older ones lose half their weight.
const REMEMBERED_MAX: u16 = 1_024;

#[cfg(test)]
mod tests;
