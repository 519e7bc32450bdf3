//! Rate limits: those that a policy sets, and a generous allowance for every source without one.
//!
//! A limit is taken from only when all limits of a request allow it, so that a refused request
//! costs nothing. The allowance of a source exists against floods and stays far above what people
//! and programs do; an office grows it with every established caller behind its address.

use serde::{Deserialize, Serialize};
use traffic::{CallerKind, Detector, Digest, Entity, Reason, Signal, Timestamp};

use crate::act::Act;
use crate::gcra::{Bucket, Rate};
use crate::table::Table;

/// What a request over a limit is worth: enough for the ladder to throttle, not to block.
pub(crate) const RATE_NATS: f32 = 6.0;
/// The limits of one request that are looked at; a policy's compiler refuses more.
const LIMITS_MAX: usize = 8;

/// A limit that a policy sets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limit {
    /// What tells this limit from all others: the same in every version of a policy in which the
    /// limit is the same, so that a reload does not refill allowances.
    pub id: Digest,
    /// Whose requests are counted together.
    pub per: Per,
    /// So many requests …
    pub amount: u32,
    /// … in so many seconds,
    pub window_s: u32,
    /// and so many of them at once.
    pub burst: u32,
    /// Whom it concerns, by what their programs say they are; without it, everybody.
    pub of: Option<CallerKind>,
}

/// Whose requests a limit counts together.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// The client address.
    Source,
    /// The session; without one, the address.
    Session,
    /// The account being entered, or the one that the session belongs to; without one, the address.
    Account,
    /// The principal; without one, the session; without that, the program whose key many callers
    /// share, as a quota is the program's; without that, the address.
    Principal,
}

/// Everybody's allowances.
#[derive(Clone, Debug)]
pub(crate) struct Allowances(Table<Bucket>);

impl Limit {
    /// What each source may do when nothing else is said: a limit per source, wherever a policy
    /// sets one, takes the place of this one.
    pub const PER_SOURCE: Self = Self {
        id: Digest(0x00f1_00d5),
        per: Per::Source,
        amount: 6_000,
        window_s: 60,
        burst: 2_000,
        of: None,
    };

    /// Each established caller behind an address adds its share to the allowance of the address.
    const NEIGHBOURS_PER_SHARE: u32 = 10;

    fn of_source(neighbours: u16) -> Self {
        let shares = 1 + u32::from(neighbours) / Self::NEIGHBOURS_PER_SHARE;
        let whole = Self::PER_SOURCE;
        Self {
            amount: whole.amount.saturating_mul(shares),
            burst: whole.burst.saturating_mul(shares),
            ..whole
        }
    }

    fn rate(&self) -> Rate {
        let window_us = u64::from(self.window_s.max(1)) * 1_000_000;
        Rate {
            cost_us: (window_us / u64::from(self.amount.max(1))).max(1),
            burst: u64::from(self.burst.max(1)),
        }
    }

    /// Whose allowances a request takes from: of the accounts that it names, every one's.
    fn each_entity(&self, act: &Act, mut take: impl FnMut(Entity, Digest)) {
        if self.per == Per::Account && act.identity.named.len() > 1 {
            let named = act.identity.named.iter().map(Entity::Account).zip(act.keys.named.iter());
            named.for_each(|(entity, key)| take(entity, key));
        } else {
            let (entity, key) = self.entity(act);
            take(entity, key);
        }
    }

    /// Whose allowance a request takes from that names one account, or none.
    fn entity(&self, act: &Act) -> (Entity, Digest) {
        let identity = &act.identity;
        let address = (identity.address_entity, act.keys.address);
        let session = || identity.session.map(Entity::Session).zip(act.keys.session);
        match self.per {
            Per::Source => address,
            Per::Session => session().unwrap_or(address),
            Per::Principal => {
                let principal = identity.principal.map(Entity::Principal).zip(act.keys.principal);
                let application =
                    || identity.application.map(Entity::Principal).zip(act.keys.application);
                principal.or_else(session).or_else(application).unwrap_or(address)
            }
            Per::Account => {
                let account = identity.attempted.or(identity.account).map(Entity::Account);
                account.zip(act.keys.account).unwrap_or(address)
            }
        }
    }

    fn refusal(&self, entity: Entity, wait_us: u64) -> Signal {
        let wait_s = u32::try_from(wait_us.div_ceil(1_000_000)).unwrap_or(u32::MAX);
        let per_minute = u64::from(self.amount) * 60 / u64::from(self.window_s.max(1));
        Signal {
            detector: Detector::RateLimit,
            entity,
            nats: RATE_NATS,
            reason: Reason::Rate {
                per_minute: u32::try_from(per_minute).unwrap_or(u32::MAX),
                burst: self.burst,
                retry_after_s: wait_s.max(1),
            },
        }
    }
}

impl Allowances {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Table::new(bytes))
    }

    /// Takes one request from every allowance, or says which of them are spent.
    pub(crate) fn assess(
        &mut self,
        act: &Act,
        limits: &[Limit],
        now: Timestamp,
        signals: &mut Vec<Signal>,
    ) {
        let before = signals.len();
        let mut taken = [None; LIMITS_MAX * 2];
        let mut places = taken.iter_mut();
        let mut take = |limit: &Limit, entity, key| {
            let Some(place) = places.next() else { return };
            let key = limit.id.then(key);
            match self.0.read(key).unwrap_or_default().take(limit.rate(), now) {
                Ok(bucket) => *place = Some((key, bucket)),
                Err(wait_us) => signals.push(limit.refusal(entity, wait_us)),
            }
        };
        let concerns = |limit: &&Limit| limit.of.is_none_or(|kind| kind == act.program.says);
        if !limits.iter().filter(concerns).any(|limit| limit.per == Per::Source) {
            let every_source = Limit::of_source(act.identity.neighbours);
            every_source.each_entity(act, |entity, key| take(&every_source, entity, key));
        }
        for limit in limits.iter().filter(concerns).take(LIMITS_MAX) {
            limit.each_entity(act, |entity, key| take(limit, entity, key));
        }
        if signals.len() == before {
            for (key, bucket) in taken.into_iter().flatten() {
                self.0.write(key, now.as_secs(), bucket);
            }
        }
    }

    pub(crate) const fn table(&self) -> &Table<Bucket> {
        &self.0
    }

    pub(crate) const fn table_mut(&mut self) -> &mut Table<Bucket> {
        &mut self.0
    }
}

#[cfg(test)]
mod tests;
