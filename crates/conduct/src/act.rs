//! What one request does, in the terms that behaviour is judged by.
//!
//! `shield` fills it in from what caller and catalog found; nothing here looks at the request.

use traffic::{Digest, EndpointId, Entity, Few, Hasher, Identity, Role, ServiceId};

use crate::decoy::Decoy;
use crate::programs::Program;
use crate::variant::Variant;
use crate::wanted::Wanted;

/// One request, as far as behaviour goes.
#[derive(Clone, Debug)]
pub struct Act {
    /// Who is calling.
    pub identity: Identity,
    /// The keys of the caller's entities.
    pub keys: Keys,
    /// The host group.
    pub service: Option<ServiceId>,
    /// The endpoint; before [`crate::Conduct::learn`], that of the catalog's lesson where the
    /// answer has just created it.
    pub endpoint: Option<EndpointId>,
    /// Whether the endpoint was known when the request was decided. It stays as it was then.
    pub endpoint_known: bool,
    /// The role, learnt or guessed.
    pub role: Role,
    /// For how many days nobody had used the endpoint.
    pub unused_days: u32,
    /// The path as another version or a copy of something, by [`Variant::of`].
    pub variant: Variant,
    /// The path's shape ([`traffic::Path::shape`]).
    pub path_shape: Digest,
    /// What kind of thing is asked for, by [`Wanted::of`].
    pub wanted: Wanted,
    /// What calls.
    pub program: Program,
    /// What it guesses with, where secrets are tried.
    pub guess: Guess,
    /// Whether another site may have made a browser send it: then whoever is at the browser, and
    /// at its address, is hardly to be held to account.
    pub is_provoked: bool,
    /// Whether nobody honest asks for this path.
    pub decoy: Option<Decoy>,
    /// Whether its address is that of a trusted proxy, so that nobody knows who is calling.
    pub is_proxy: bool,
}

/// The secrets that a request tries.
#[derive(Clone, Debug, Default)]
pub struct Guess {
    /// The hash of its password, by which the same one is known again.
    pub password: Option<Digest>,
    /// How many secrets it carries of the kind that is tried here.
    pub count: u16,
    /// Whether the password is one of the most common.
    pub is_common: bool,
    /// The hashes of what names the transaction that a code is for.
    pub transactions: Few,
    /// Part of the request could not be read, so that there may be more in it than is known.
    pub is_unread: bool,
    /// It is a name and a password in the head (HTTP Basic), at an endpoint that has another role.
    pub is_basic: bool,
}

/// Tells callers that hide behind a proxy from the proxy.
const HIDDEN: u8 = 0x41;

/// The table keys of a caller's entities, made where the hash key is at hand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Keys {
    /// Of the address.
    pub address: Digest,
    /// Of the network around it.
    pub net: Digest,
    /// Of the session.
    pub session: Option<Digest>,
    /// Of the principal.
    pub principal: Option<Digest>,
    /// Of the program whose key many callers share.
    pub application: Option<Digest>,
    /// Of each account that the request names.
    pub named: Few,
    /// Of the account being entered, else of the one that the session belongs to.
    pub account: Option<Digest>,
}

impl Keys {
    /// Those of a caller of which a proxy said what could not be read: whoever makes proxies say
    /// that is not the proxy, nor any of its other callers.
    pub fn hide(&mut self) {
        self.address = self.address.tagged(HIDDEN);
        self.net = self.net.tagged(HIDDEN);
    }

    /// The keys of `identity`.
    pub fn of(identity: &Identity, hasher: &Hasher) -> Self {
        Self {
            address: identity.address_entity.digest(hasher),
            net: identity.net_entity.digest(hasher),
            session: identity.session.map(|session| Entity::Session(session).digest(hasher)),
            principal: identity
                .principal
                .map(|principal| Entity::Principal(principal).digest(hasher)),
            application: identity
                .application
                .map(|application| Entity::Principal(application).digest(hasher)),
            named: identity
                .named
                .iter()
                .map(|account| Entity::Account(account).digest(hasher))
                .collect(),
            account: identity
                .attempted
                .or(identity.account)
                .map(|account| Entity::Account(account).digest(hasher)),
        }
    }
}

/// An entity that behaviour is kept for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) entity: Entity,
    pub(crate) key: Digest,
    /// Whether it stands for one client, whichever address it calls from.
    pub(crate) is_personal: bool,
}

impl Act {
    /// What evidence is gathered on: the address, and the session.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Source> + use<> {
        let address = Source {
            entity: self.identity.address_entity,
            key: self.keys.address,
            is_personal: false,
        };
        let session = self.identity.session.zip(self.keys.session).map(|(session, key)| Source {
            entity: Entity::Session(session),
            key,
            is_personal: true,
        });
        std::iter::once(address).chain(session)
    }

    /// The network of an IPv6 address: a single host may own as many /64s as it has. Only evidence
    /// that honest callers take back by themselves may gather on it, because it may as well be a
    /// carrier's.
    pub(crate) fn network(&self) -> Option<Source> {
        self.identity.address.to_canonical().is_ipv6().then_some(Source {
            entity: self.identity.net_entity,
            key: self.keys.net,
            is_personal: false,
        })
    }

    /// The caller itself, when it has a credential: its principal, else its session.
    pub(crate) fn person(&self) -> Option<Source> {
        let principal = self.identity.principal.map(Entity::Principal).zip(self.keys.principal);
        let session = self.identity.session.map(Entity::Session).zip(self.keys.session);
        let (entity, key) = principal.or(session)?;
        Some(Source { entity, key, is_personal: true })
    }

    /// Whoever calls, as narrowly as can be told: credential, else device at its address.
    pub fn caller(&self) -> Digest {
        let anonymous = || self.keys.address.then(self.identity.device);
        self.keys.principal.or(self.keys.session).unwrap_or_else(anonymous)
    }
}
