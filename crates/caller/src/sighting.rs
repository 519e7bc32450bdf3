//! What one request tells about its caller before anything learnt is consulted.
//!
//! Built outside any lock and without borrowing from the request, so that it can be carried
//! along; all that needs memory (which credential is the session, whom it speaks for) is
//! [`crate::Callers`]' to add.

use std::collections::BTreeMap;
use std::net::IpAddr;

use http::header::{ACCEPT_LANGUAGE, USER_AGENT};
use traffic::{Digest, Entity, Hasher, Head, Net, Peer};

use crate::address::{AddressSource, ClientAddress, ForwardingAnomaly};
use crate::credential::claims::Claims;
use crate::credential::{self, Credential, Place};
use crate::header_print::header_print;
use crate::readings::{AgentReading, Readings};
use crate::user_agent::{ClientClass, UserAgent};

/// Languages are told by their first tag; longer ones are made up.
const LANGUAGE_BYTES_MAX: usize = 12;

/// Deeper paths are told by their beginning.
const DOOR_SEGMENTS_MAX: usize = 12;
/// Words of routes with a digit in them are shorter, and whatever a recording leaves out of a path
/// is not.
const IDENTIFIER_BYTES_MIN: usize = 16;

/// Whose word on the caller's address is believed.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The proxies in front of the gateway.
    pub proxies: Vec<Net>,
    /// The header in which they write.
    pub source: AddressSource,
}

/// The program that says it is calling.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Agent {
    /// The family by its table name; empty where it is not known.
    pub family: &'static str,
    /// The major version; zero where there is none.
    pub major: u32,
    /// What kind of program that is.
    pub class: ClientClass,
}

/// One request's caller, as far as the request itself tells.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// The client address.
    pub address: IpAddr,
    /// Why the forwarding header was not read to its end, if so.
    pub forwarding: Option<ForwardingAnomaly>,
    /// The TLS fingerprint.
    pub ja4: Option<Digest>,
    /// The header fingerprint.
    pub print: Digest,
    /// TLS and header fingerprint, program and language together.
    pub device: Digest,
    /// The source that the address belongs to, as a key.
    pub source: Digest,
    /// The network around the address, as a key.
    pub net: Digest,
    /// The program that says it is calling.
    pub agent: Agent,
    /// The credentials presented, the most telling places first.
    pub credentials: Vec<Credential>,
    /// Hashes of what a token among them claims.
    pub claims: Claims,
    /// Method and shape of the path: what has the same shape is open or closed to callers alike.
    pub door: Digest,
}

impl Sighting {
    /// The name and password of HTTP Basic, where it presents one.
    #[must_use]
    pub fn basic(&self) -> Option<&Credential> {
        self.credentials.iter().find(|credential| credential.slot.place == Place::Basic)
    }

    /// The values of all credentials presented.
    #[must_use]
    pub fn carried(&self) -> Vec<Digest> {
        self.credentials.iter().map(|credential| credential.value).collect()
    }
}

/// Looks at a request. `recorded_claims` stand in for the tokens that a recording leaves out, and
/// `readings` spare what was read before.
#[must_use]
pub fn sight(
    head: &Head<'_>,
    peer: &Peer,
    trust: &Trust,
    hasher: &Hasher,
    recorded_claims: Option<&BTreeMap<String, String>>,
    readings: &Readings,
) -> Sighting {
    let client = ClientAddress::find(peer.address, head.headers, &trust.proxies, &trust.source);
    let ja4 = peer.ja4.as_deref().map(|print| hasher.hash(print.as_bytes()));
    let print = header_print(head.version, head.headers, peer.h2_settings.as_deref(), hasher);
    let user_agent = head.headers.get(USER_AGENT).map(http::HeaderValue::as_bytes);
    let AgentReading { agent, name } = program(user_agent.unwrap_or_default(), hasher, readings);
    let (credentials, read) = credential::presented(head, hasher, readings);
    let recorded = recorded_claims.filter(|_| hasher.reads_redacted());
    let claims = recorded.filter(|claims| !claims.is_empty()).map_or(read, Claims::of_recording);
    Sighting {
        address: client.ip,
        forwarding: client.anomaly,
        ja4,
        print,
        device: device(ja4, print, name, agent.major, hasher.hash(language(head))),
        source: Entity::address(client.ip).digest(hasher),
        net: Entity::net(client.ip).digest(hasher),
        agent,
        credentials,
        claims,
        door: door(head, hasher),
    }
}

/// The program that a `User-Agent` names.
fn program(user_agent: &[u8], hasher: &Hasher, readings: &Readings) -> AgentReading {
    let read = || {
        let UserAgent { family, first_word, major, class } = UserAgent::read(user_agent);
        let name = if family.is_empty() { first_word } else { family };
        AgentReading { agent: Agent { family, major, class }, name: hasher.hash(name.as_bytes()) }
    };
    readings.agents.recall(hasher.hash(user_agent), read)
}

fn device(
    ja4: Option<Digest>,
    print: Digest,
    program: Digest,
    major: u32,
    language: Digest,
) -> Digest {
    let stack = ja4.unwrap_or_default().then(print);
    stack.then(program).then(Digest(u64::from(major))).then(language)
}

/// Method and path, with its numbers and long identifiers left out. Only what cannot be part of a
/// route is: two paths of one shape must not differ in who may use them.
fn door(head: &Head<'_>, hasher: &Hasher) -> Digest {
    let method = hasher.hash(head.method.as_str().as_bytes());
    let (path, _) = traffic::path::split_target(head.target);
    path.split(|&byte| byte == b'/').take(DOOR_SEGMENTS_MAX).fold(method, |door, segment| {
        let has_digit = segment.iter().any(u8::is_ascii_digit);
        let is_number = !segment.is_empty() && segment.iter().all(u8::is_ascii_digit);
        if is_number || (has_digit && segment.len() >= IDENTIFIER_BYTES_MIN) {
            door.tagged(2)
        } else {
            door.then(hasher.hash(segment))
        }
    })
}

/// The first language tag: the rest of the list changes with a browser's settings only, but it
/// would not stay what it is in a recording.
fn language<'a>(head: &Head<'a>) -> &'a [u8] {
    let value = head.headers.get(ACCEPT_LANGUAGE).map(http::HeaderValue::as_bytes);
    let value = value.unwrap_or_default();
    let end = value.iter().position(|byte| matches!(byte, b',' | b';')).unwrap_or(value.len());
    value.get(..end.min(LANGUAGE_BYTES_MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
