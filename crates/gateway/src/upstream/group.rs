//! The upstreams of one site as a worker sees them: which of them a request goes to, and to which
//! other when that one gives no answer.
//!
//! Of two that are drawn at random the less busy one takes the request (Mitzenmacher, "The power of
//! two choices in randomized load balancing", 2001): as good as knowing all, without a herd running
//! to whoever looks idle. How busy they are each worker knows of its own requests, so nothing is
//! shared on the way.
//!
//! A request goes on to another upstream when nothing of it was sent, or when it changes nothing.
//! One that may have acted is never sent again. Retries have a budget, so that they cannot become
//! the load that keeps everything down.

use std::{cell::Cell, rc::Rc, sync::Arc};

use super::{
    Answered, Lease, Outbound, Pool, UpstreamFault, ping,
    pool::{Blame, Failed},
};
use crate::{sites::Placed, ticker::Ticker, upload::CallerFault};

/// A request earns a fifth of a retry, in hundredths.
const EARNED: u32 = 20;
const RETRY: u32 = 100;
/// Ten retries a second are there in any case, given with each tick.
const GIVEN: u32 = 250;
const SAVED_MAX: u32 = 100 * RETRY;
/// An upstream that has not been heard of for so long, though it was asked, is pinged,
const QUIET_MS: u64 = 500;
/// if the others have given so many answers meanwhile: what makes all of them slow is no fault of
/// one.
const OTHERS_HEARD: u64 = 8;

pub(crate) struct Group {
    pub(crate) placed: Arc<Placed>,
    members: Vec<Rc<Pool>>,
    /// Answers of all of them.
    heard: Cell<u64>,
    /// What is left for retries.
    budget: Cell<u32>,
    random: Cell<u64>,
    ticker: Rc<Ticker>,
}

impl Group {
    pub(crate) fn new(placed: Arc<Placed>, ticker: &Rc<Ticker>, seed: u64) -> Self {
        let (row, deadlines) = (&placed.row, placed.site.deadlines);
        let pool = |health| Pool::new(Arc::clone(row), health, deadlines, Rc::clone(ticker));
        let members = row.members.iter().map(|health| Rc::new(pool(Arc::clone(health)))).collect();
        Self {
            placed,
            members,
            heard: Cell::new(0),
            budget: Cell::new(SAVED_MAX),
            random: Cell::new(seed | 1),
            ticker: Rc::clone(ticker),
        }
    }

    /// Sends a request and waits for the head of its answer, from whichever upstream gives one.
    pub(crate) async fn send(
        &self,
        outbound: &mut Outbound,
        fault: &CallerFault,
    ) -> Result<(Answered, Lease), UpstreamFault> {
        let Some(lease) = self.lease(0) else { return Err(UpstreamFault::Unreachable) };
        match lease.send(outbound).await {
            Ok(answered) => {
                self.hears(&lease);
                Ok((answered, lease))
            }
            Err(failed) => Box::pin(self.go_on(lease, failed, outbound, fault)).await,
        }
    }

    /// Tries the others, as far as the request, its retries and the budget allow.
    async fn go_on(
        &self,
        mut lease: Lease,
        mut failed: Failed,
        outbound: &mut Outbound,
        fault: &CallerFault,
    ) -> Result<(Answered, Lease), UpstreamFault> {
        let mut tried = 0;
        for _ in 0..=self.placed.row.care().retries {
            if fault.get().is_some() {
                failed.blame = Blame::Caller;
            }
            if let Blame::Upstream(fault) = failed.blame {
                lease.row.note_fault(&lease.health, fault);
            }
            tried |= self.bit_of(&lease);
            let may_go_on = failed.blame != Blame::Caller && (failed.unsent || outbound.repeatable);
            if !may_go_on || tried.count_ones() > self.placed.row.care().retries {
                break;
            }
            let Some(other) = self.lease(tried).filter(|_| self.spend_a_retry()) else { break };
            lease = other;
            match lease.send(outbound).await {
                Ok(answered) => {
                    self.hears(&lease);
                    return Ok((answered, lease));
                }
                Err(next) => failed = next,
            }
        }
        Err(failed.fault)
    }

    /// The less busy one of two upstreams that serve and were not tried.
    fn lease(&self, tried: u32) -> Option<Lease> {
        if let [only] = self.members.as_slice() {
            return (tried == 0).then(|| Lease::new(only));
        }
        let (mut serving, mut all) = (0_u32, 0_u32);
        for (bit, pool) in self.bits() {
            all |= bit;
            if pool.health.serves() {
                serving |= bit;
            }
        }
        // When none is known to serve, whoever is left may still do.
        let left = if serving & !tried == 0 { all & !tried } else { serving & !tried };
        let chosen = self.less_busy(left)?;
        self.budget.set((self.budget.get() + EARNED).min(SAVED_MAX));
        let now_ms = self.ticker.now_ms();
        let quiet = &chosen.hearing.quiet_since;
        if quiet.get().is_none() {
            quiet.set(Some((now_ms, self.heard.get())));
        }
        Some(Lease::new(chosen))
    }

    fn less_busy(&self, among: u32) -> Option<&Rc<Pool>> {
        let count = among.count_ones();
        if count == 0 {
            return None;
        }
        let drawn = self.draw();
        let first = low(drawn) % count;
        let one = self.nth(among, first)?;
        if count == 1 {
            return Some(one);
        }
        let other = self.nth(among, (first + 1 + low(drawn >> 32) % (count - 1)) % count)?;
        let lets_go_by = |pool: &Pool| pool.row.lets_go_by(&pool.health, low(drawn >> 16));
        Some(match (lets_go_by(one), lets_go_by(other)) {
            (true, false) => other,
            (false, true) => one,
            _ if other.load.get() < one.load.get() => other,
            _ => one,
        })
    }

    fn nth(&self, among: u32, number: u32) -> Option<&Rc<Pool>> {
        let set = self.bits().filter(|(bit, _)| among & bit != 0);
        let number = usize::try_from(number).ok()?;
        set.map(|(_, pool)| pool).nth(number)
    }

    /// The upstreams by a bit each; a policy names no more than there are bits.
    fn bits(&self) -> impl Iterator<Item = (u32, &Rc<Pool>)> {
        (0..u32::BITS).map(|at| 1 << at).zip(&self.members)
    }

    fn bit_of(&self, lease: &Lease) -> u32 {
        let is_it = |(_, pool): &(u32, &Rc<Pool>)| Arc::ptr_eq(&pool.health, &lease.health);
        self.bits().find(is_it).map_or(0, |(bit, _)| bit)
    }

    fn spend_a_retry(&self) -> bool {
        let left = self.budget.get().checked_sub(RETRY);
        if let Some(left) = left {
            self.budget.set(left);
        }
        left.is_some()
    }

    /// Marsaglia's xorshift: which upstream is drawn is no secret.
    fn draw(&self) -> u64 {
        let mut drawn = self.random.get();
        drawn ^= drawn << 13;
        drawn ^= drawn >> 7;
        drawn ^= drawn << 17;
        self.random.set(drawn);
        drawn
    }

    fn hears(&self, lease: &Lease) {
        self.heard.set(self.heard.get().wrapping_add(1));
        lease.hearing.quiet_since.set(None);
    }

    /// What the worker's clock brings about: idle connections go, upstreams that fell silent are
    /// pinged.
    pub(crate) fn sweep(&self) {
        for pool in &self.members {
            pool.sweep();
        }
        if self.members.len() <= 1 {
            return;
        }
        self.budget.set((self.budget.get() + GIVEN).min(SAVED_MAX));
        let is_quiet = |pool: &&Rc<Pool>| {
            pool.health.serves()
                && pool.hearing.quiet_since.get().is_some_and(|(since_ms, heard)| {
                    self.ticker.now_ms().saturating_sub(since_ms) >= QUIET_MS
                        && self.heard.get().wrapping_sub(heard) >= OTHERS_HEARD
                })
        };
        for pool in self.members.iter().filter(is_quiet) {
            if !pool.hearing.pinging.replace(true) {
                let pinged = ping::sound(Rc::clone(pool), Rc::clone(&self.ticker));
                tokio::task::spawn_local(pinged);
            }
        }
    }
}

/// The low half of a number.
const fn low(number: u64) -> u32 {
    (number & u32::MAX as u64) as u32
}
