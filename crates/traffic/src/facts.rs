//! Facts that layers share: plain data that one layer finds out and others build on.
//!
//! The layers never see each other; `shield` fills these in step order (identity, endpoint, role,
//! outcome) and hands them on.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::entity::Entity;
use crate::few::Few;
use crate::hash::Digest;
use crate::kind::DataClasses;
use crate::role::Role;

/// An endpoint of the catalog. Numbers are given in order of discovery and never reused.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct EndpointId(pub u32);

/// A host group of the catalog.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ServiceId(pub u32);

/// Who is calling, as far as one request and what was learnt before it tell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The client address.
    pub address: IpAddr,
    /// [`Entity::Address`] of it: the key that evidence uses.
    pub address_entity: Entity,
    /// [`Entity::Net`] of it.
    pub net_entity: Entity,
    /// The TLS fingerprint, where TLS ends here.
    pub ja4: Option<Digest>,
    /// TLS and header fingerprint, browser family and language together.
    pub device: Digest,
    /// The session, by the credential that discovery chose.
    pub session: Option<Digest>,
    /// Whom a credential speaks for.
    pub principal: Option<Digest>,
    /// The program that its credential stands for, where many callers share one: a key that is
    /// built into an application. It says nothing of who is calling.
    pub application: Option<Digest>,
    /// The account that the session or principal was linked to at a log-in.
    pub account: Option<Digest>,
    /// The account that this request tries to enter, where it tries one. Several identifiers are
    /// an account together: by which of them the API goes is not known here.
    pub attempted: Option<Digest>,
    /// Each of the identifiers by itself.
    pub named: Few,
    /// Whether this caller is known to belong to the attempted account: it entered it before from
    /// this device and network, or carries a credential that the account was given.
    pub familiar: bool,
    /// Whether the principal (or session) has been in good standing for a while.
    pub established: bool,
    /// Whether its session is certainly somebody's: it entered an account and was used, or opened
    /// what is closed to others. It may be minutes old.
    pub proven: bool,
    /// How many established principals were seen behind this address: 5 or more is a shared
    /// address.
    pub neighbours: u16,
}

impl Identity {
    /// Whether what others do at the same address is none of this caller's business.
    pub const fn is_known(&self, role: Role) -> bool {
        self.familiar || ((self.established || self.proven) && !role.tries_a_secret())
    }
}

/// How an exchange ended, in the terms of its endpoint's role.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It did what was asked.
    Success,
    /// It was refused on its merits: wrong password, wrong code, not allowed.
    Failure,
    /// There is nothing at this path.
    NotFound,
    /// The API failed, or nobody can tell: no evidence either way.
    #[default]
    Unknown,
}

/// What an answer says, as far as others build on it.
#[derive(Clone, Debug, Default)]
pub struct AnswerFacts {
    /// The status code.
    pub status: u16,
    /// How the exchange ended.
    pub outcome: Outcome,
    /// The role of the endpoint, now that the answer is known.
    pub role: Role,
    /// Credentials that this answer hands out (cookies set, tokens in the body), at most eight.
    pub issued: Vec<Digest>,
    /// Classes of sensitive data found in the body.
    pub classes: DataClasses,
    /// From the head being forwarded to the answer's end, in microseconds.
    pub took_us: u64,
}

impl AnswerFacts {
    /// Whether the status is 2xx.
    pub const fn is_2xx(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}
