//! What is known about callers: which credential is a session, whom it speaks for, which account
//! it entered, and who has been in good standing for how long.
//!
//! A credential counts only once the API has shown that it does: by handing it out, or by
//! honouring it. Until then a request belongs to its address and device, so that making up a new
//! token for each request leads nowhere. The link from a credential to an account is made at the
//! log-in that handed it out and is certain from its first successful use on, because an answer
//! that looks like success may not be one.
//!
//! Invariant: content depends on the sequence of calls and their arguments alone.
//! Invariant: refused exchanges never reach `learn`, so what is denied teaches nothing, but for one
//! thing that `identify` notes: from how many addresses a credential comes. A key that is built
//! into an application must not lock out all who use it for what one of them did.

mod count;
mod discovery;
mod door;
mod holder;

use serde::{Deserialize, Serialize};
use traffic::slices::{SliceReader, SliceWriter, Sliced};
use traffic::{AnswerFacts, Digest, Entity, Identity, Outcome, Role, Timestamp};

use crate::attempt::Attempted;
use crate::credential::claims::Claim;
use crate::credential::{Credential, Place};
use crate::sighting::Sighting;
use crate::table::Table;
use count::DistinctFew;
pub use discovery::SlotView;
use discovery::{Discovery, Presented};
use door::Door;
use holder::{FamiliarPair, Holder, Neighbours, Standing};

/// With so many tokens of so few subjects a claim names the program and not the caller.
const TOKENS_OF_CONSTANT_CLAIM: u32 = 30;
const VALUES_OF_CONSTANT_CLAIM: u32 = 2;
const VALUES_OF_TELLING_CLAIM: u32 = 8;

// The holders' table keeps three sorts of keys apart by these tags.
const CREDENTIAL: u8 = 1;
const PRINCIPAL: u8 = 2;
const ACCOUNT: u8 = 3;

/// All that is remembered about callers.
#[derive(Clone, Debug)]
pub struct Callers {
    holders: Table<Holder>,
    pairs: Table<FamiliarPair>,
    sources: Table<Neighbours>,
    doors: Table<Door>,
    discovery: Discovery,
    claims: ClaimUses,
}

/// How each claim is used.
#[derive(Clone, Debug, Default)]
struct ClaimUses([ClaimUse; Claim::ALL.len()]);

/// How a claim is used: whether it tells callers apart.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct ClaimUse {
    tokens: u32,
    values: DistinctFew,
}

/// How full the tables are, for display.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fill {
    /// Credentials, principals and accounts remembered.
    pub holders: usize,
    /// Room for them.
    pub holders_max: usize,
    /// Accounts with a device and network they were entered from.
    pub pairs: usize,
    /// Room for them.
    pub pairs_max: usize,
    /// Addresses with callers in good standing.
    pub sources: usize,
    /// Room for them.
    pub sources_max: usize,
}

/// A request's credential that counts, and what is remembered of it.
#[derive(Clone, Copy)]
struct Session {
    credential: Credential,
    holder: Holder,
}

/// How an exchange ended, as far as credentials are concerned.
#[derive(Clone, Copy)]
struct End {
    success: bool,
    refused: bool,
    /// The API must have checked the credential.
    checked: bool,
    role: Role,
}

impl Sliced for ClaimUses {
    fn write_slice(&self, _: u64, slice: &mut SliceWriter) -> Option<u64> {
        slice.push(&self.0);
        None
    }

    fn read_slice(&mut self, slice: &mut SliceReader<'_>, _: Timestamp) -> Option<()> {
        self.0 = slice.pull()?;
        Some(())
    }
}

impl Session {
    /// Whether what its token claims is believed: anyone can write a token that names somebody
    /// else, but not one that the API handed out or let in where it does not let everybody in.
    fn may_claim(&self) -> bool {
        self.credential.is_jwt && self.holder.is_proven()
    }
}

impl Callers {
    /// Nothing known yet, and never more than about `bytes_max` of memory.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        let [holders, pairs, sources, doors, discovery] = Self::shares(bytes_max);
        Self {
            holders: Table::new(holders),
            pairs: Table::new(pairs),
            sources: Table::new(sources),
            doors: Table::new(doors),
            discovery: Discovery::new(discovery),
            claims: ClaimUses::default(),
        }
    }

    /// All that is kept over a restart, by name, to be written and to be read.
    #[must_use]
    pub fn parts(&mut self) -> [(&'static str, &mut dyn Sliced); 6] {
        [
            ("callers.holders", &mut self.holders),
            ("callers.pairs", &mut self.pairs),
            ("callers.sources", &mut self.sources),
            ("callers.doors", &mut self.doors),
            ("callers.slots", &mut self.discovery),
            ("callers.claims", &mut self.claims),
        ]
    }

    fn shares(bytes_max: usize) -> [usize; 5] {
        let sixteenth = bytes_max / 16;
        [sixteenth * 8, sixteenth * 4, sixteenth * 2, sixteenth, sixteenth]
    }

    /// Who calls, from what the request tells and what is remembered.
    pub fn identify(
        &mut self,
        sighting: &Sighting,
        attempted: &Attempted,
        now: Timestamp,
    ) -> Identity {
        let now_s = now.as_secs();
        let (session, application) = self.session(sighting, now_s);
        let account = session.and_then(|session| {
            session.holder.account().or(sighting.claims.account().filter(|_| session.may_claim()))
        });
        let principal = session.and_then(|session| self.principal(sighting, &session, account));
        let standing = self.standing(session.as_ref(), principal, account, now_s);
        // Nobody is familiar to all of a list, and one of them must not hide the others.
        let one = attempted.account.filter(|_| !attempted.is_list && !attempted.named.is_cut());
        let familiar = one.is_some_and(|account| self.is_familiar(sighting, account));
        let neighbours = self.sources.find(sighting.source).map_or(0, |known| known.count(now_s));
        Identity {
            address: sighting.address,
            address_entity: Entity::address(sighting.address),
            net_entity: Entity::net(sighting.address),
            ja4: sighting.ja4,
            device: sighting.device,
            session: session.map(|session| session.credential.value),
            principal,
            application,
            account,
            attempted: attempted.account,
            named: attempted.named.clone(),
            familiar,
            established: standing > Standing::New,
            proven: session.is_some_and(|session| session.holder.is_certain()),
            neighbours,
        }
    }

    /// Whether the request tries a name and a password in its head (HTTP Basic), at an endpoint of
    /// `role`. What the API is known to honour is no try; and a pair that once passed is none where
    /// nobody is turned away, or where callers come with the key of their program to be let in.
    #[must_use]
    pub fn tries_basic(&self, sighting: &Sighting, role: Role) -> bool {
        let Some(basic) = sighting.basic() else { return false };
        let Some(holder) = self.holders.find(basic.value.tagged(CREDENTIAL)) else { return true };
        let passes = || is_entrance(role) || !self.is_closed(sighting);
        !(holder.is_shared() || holder.is_checked() || (holder.is_believed() && passes()))
    }

    /// Whether callers without credentials are turned away where the request goes.
    #[must_use]
    pub fn is_closed(&self, sighting: &Sighting) -> bool {
        self.doors.find(sighting.door).is_some_and(Door::is_closed)
    }

    /// The account that a session was handed out to and is being used for the first time; whom it
    /// speaks for once that has succeeded. None if it speaks for somebody already.
    #[must_use]
    pub fn entering(&self, identity: &Identity) -> Option<Digest> {
        let speaks_for_itself =
            identity.principal.is_none() || identity.principal == identity.session;
        let session = identity.session.filter(|_| speaks_for_itself)?;
        self.holders.find(session.tagged(CREDENTIAL)).and_then(Holder::pending)
    }

    /// Takes in how an exchange ended that was not refused by us.
    pub fn learn(
        &mut self,
        sighting: &Sighting,
        identity: &Identity,
        answer: &AnswerFacts,
        now: Timestamp,
    ) {
        let now_s = now.as_secs();
        let success = match answer.outcome {
            Outcome::Success => true,
            Outcome::Failure | Outcome::NotFound => false,
            Outcome::Unknown => answer.is_2xx(),
        };
        let end = End {
            success,
            refused: matches!(answer.status, 401 | 403),
            checked: success && self.is_checked(sighting, answer.role),
            role: answer.role,
        };
        self.learn_door(sighting, &end, now_s);
        self.discovery.count(success, end.refused);
        for credential in &sighting.credentials {
            self.learn_credential(sighting, credential, &end, now);
        }
        if success {
            self.learn_issued(sighting, identity, answer, now_s);
            self.learn_standing(sighting, identity, end.checked, now_s);
        }
    }

    /// The slots under watch, the most telling first.
    #[must_use]
    pub fn session_slots(&self) -> Vec<SlotView> {
        self.discovery.views()
    }

    /// How full the tables are.
    #[must_use]
    pub fn fill(&self) -> Fill {
        Fill {
            holders: self.holders.len(),
            holders_max: self.holders.capacity(),
            pairs: self.pairs.len(),
            pairs_max: self.pairs.capacity(),
            sources: self.sources.len(),
            sources_max: self.sources.capacity(),
        }
    }

    /// The credential that stands for the session: one that entered an account before all
    /// others, then the one whose slot speaks most for it. One that many callers share is nobody's
    /// session: for whom that stands is given beside it.
    fn session(&mut self, sighting: &Sighting, now_s: u32) -> (Option<Session>, Option<Digest>) {
        let mut best: Option<((bool, i32), Session)> = None;
        let mut application = None;
        for credential in &sighting.credentials {
            let key = credential.value.tagged(CREDENTIAL);
            let Some(holder) = self.holders.touch(key, now_s) else { continue };
            holder.presented_from(sighting.source, now_s);
            let holder = *holder;
            if holder.is_shared() {
                application = application.or_else(|| Self::by_itself(sighting, credential));
                continue;
            }
            let entered = holder.account().is_some();
            let rank = self.discovery.session_rank(credential);
            let counts = match credential.slot.place {
                Place::Cookie => entered || (rank.is_some() && holder.is_steady(now_s)),
                _ => rank.is_some() && holder.is_believed(),
            };
            let rank = (entered, rank.unwrap_or(0));
            if counts && best.is_none_or(|(least, _)| rank > least) {
                best = Some((rank, Session { credential: *credential, holder }));
            }
        }
        (best.map(|(_, session)| session), application)
    }

    /// Whom the session's credential speaks for: the claim that tells callers apart, the account
    /// it entered, or itself where it is a key.
    fn principal(
        &self,
        sighting: &Sighting,
        session: &Session,
        account: Option<Digest>,
    ) -> Option<Digest> {
        let claims = &sighting.claims;
        let credential = &session.credential;
        let claimed = Claim::ALL
            .into_iter()
            .filter(|_| session.may_claim())
            .find_map(|claim| claims.value(claim).filter(|_| !self.is_constant(claim)));
        claimed.or(account).or_else(|| Self::by_itself(sighting, credential))
    }

    /// Whom a key speaks for by itself; a cookie for nobody.
    fn by_itself(sighting: &Sighting, credential: &Credential) -> Option<Digest> {
        let by_basic = || sighting.claims.basic_user();
        match credential.slot.place {
            Place::Cookie => None,
            Place::Basic => by_basic().or(Some(credential.value)),
            _ => Some(credential.value),
        }
    }

    /// Whether a claim is the same in token after token while another one differs.
    fn is_constant(&self, claim: Claim) -> bool {
        let uses = |claim: Claim| self.claims.0.get(claim as usize).copied().unwrap_or_default();
        let of = uses(claim);
        of.tokens >= TOKENS_OF_CONSTANT_CLAIM
            && of.values.estimate() <= VALUES_OF_CONSTANT_CLAIM
            && Claim::ALL
                .into_iter()
                .any(|other| uses(other).values.estimate() >= VALUES_OF_TELLING_CLAIM)
    }

    fn standing(
        &self,
        session: Option<&Session>,
        principal: Option<Digest>,
        account: Option<Digest>,
        now_s: u32,
    ) -> Standing {
        let of = |key: Digest| self.holders.find(key).map(|holder| holder.standing(now_s));
        let by_account = account.and_then(|account| of(account.tagged(ACCOUNT)));
        let by_principal = principal.and_then(|principal| of(principal.tagged(PRINCIPAL)));
        let by_session = session.map(|session| session.holder.standing(now_s));
        by_account.max(by_principal).max(by_session).unwrap_or_default()
    }

    fn is_familiar(&self, sighting: &Sighting, account: Digest) -> bool {
        let owns = |value: Digest| {
            let holder = self.holders.find(value.tagged(CREDENTIAL));
            holder.and_then(Holder::account) == Some(account)
        };
        self.pairs.find(pair(account, sighting)).is_some()
            || sighting.credentials.iter().any(|credential| owns(credential.value))
    }

    /// The credentials of a request that may have opened a door: all but cookies nobody handed out.
    fn counting<'a>(&'a self, sighting: &'a Sighting) -> impl Iterator<Item = &'a Credential> {
        sighting.credentials.iter().filter(|credential| {
            credential.slot.place != Place::Cookie
                || self.holders.find(credential.value.tagged(CREDENTIAL)).is_some()
                || self.discovery.session_rank(credential).is_some()
        })
    }

    /// Whether the API must have checked the one credential of a request that it served: at a
    /// door that is closed to others. With two of them nobody could tell which opened it, and
    /// where secrets are tried it was the secret.
    fn is_checked(&self, sighting: &Sighting, role: Role) -> bool {
        !is_entrance(role) && self.is_closed(sighting) && self.counting(sighting).count() == 1
    }

    fn learn_door(&mut self, sighting: &Sighting, end: &End, now_s: u32) {
        if is_entrance(end.role) || !(end.success || end.refused) {
            return;
        }
        let (mut keys, mut cookies) = (0, 0);
        for credential in self.counting(sighting) {
            *(if credential.slot.place == Place::Cookie { &mut cookies } else { &mut keys }) += 1;
        }
        // A session that is refused says something about the session: it may not do this, or it
        // lacks its token against forgery.
        let turned_away = end.refused && (keys > 0 || cookies == 0);
        if let Some(door) = self.doors.enter(sighting.door, Door::default(), now_s) {
            door.note(turned_away, end.success, keys + cookies > 0);
        }
    }

    fn learn_credential(
        &mut self,
        sighting: &Sighting,
        credential: &Credential,
        end: &End,
        now: Timestamp,
    ) {
        let now_s = now.as_secs();
        let key = credential.value.tagged(CREDENTIAL);
        let rank = self.discovery.session_rank(credential);
        let is_new = self.holders.find(key).is_none();
        if end.success && is_new && rank.is_some() {
            self.holders.enter(key, Holder::default(), now_s);
            self.learn_claims(sighting, credential);
        }
        let mut seen = Presented {
            device: sighting.device,
            success: end.success,
            refused: end.refused,
            issued: false,
            entered: false,
        };
        let mut entered = None;
        if let Some(holder) = self.holders.touch(key, now_s) {
            seen.issued = holder.is_issued();
            if end.success {
                holder.succeed(end.checked, now_s);
                // Another try at a log-in is no use of what the last one handed out.
                entered = holder.pending().filter(|_| !is_entrance(end.role));
                if entered.is_some() {
                    holder.confirm();
                }
            }
        }
        if let Some(account) = entered {
            seen.entered = true;
            self.pairs.enter(pair(account, sighting), FamiliarPair, now_s);
        }
        self.discovery.note(credential, seen, now);
    }

    fn learn_claims(&mut self, sighting: &Sighting, credential: &Credential) {
        if !credential.is_jwt {
            return;
        }
        for claim in Claim::ALL {
            if let Some(value) = sighting.claims.value(claim)
                && let Some(uses) = self.claims.0.get_mut(claim as usize)
            {
                uses.tokens = uses.tokens.saturating_add(1);
                uses.values.note(value);
            }
        }
    }

    /// Remembers what an answer handed out, and to which account: the one just entered, or the
    /// one that the caller was in already when the API renews a credential.
    fn learn_issued(
        &mut self,
        sighting: &Sighting,
        identity: &Identity,
        answer: &AnswerFacts,
        now_s: u32,
    ) {
        let enters = matches!(answer.role, Role::Login | Role::OtpVerify | Role::Signup)
            && answer.outcome == Outcome::Success;
        let entered = identity.attempted.filter(|_| enters);
        let (account, confirmed) = match entered {
            Some(account) => (Some(account), false),
            None => (identity.account, identity.account.is_some()),
        };
        if let Some(account) = entered {
            for value in sighting.carried().iter().chain(&answer.issued) {
                if let Some(holder) = self.holders.touch(value.tagged(CREDENTIAL), now_s) {
                    holder.entered(account);
                }
            }
        }
        for value in &answer.issued {
            let key = value.tagged(CREDENTIAL);
            match self.holders.touch(key, now_s) {
                // What belongs to one account does not pass to another by being shown again.
                Some(holder) if !enters && holder.account().is_some() => {}
                Some(holder) => holder.reissue(account, confirmed),
                None => {
                    self.holders.enter(key, Holder::issued(account, confirmed), now_s);
                }
            }
        }
        if answer.issued.is_empty() && entered.is_some() {
            // The session that was there before the log-in goes on as the account's.
            for credential in &sighting.credentials {
                let key = credential.value.tagged(CREDENTIAL);
                let holder = self.holders.touch(key, now_s);
                if let Some(holder) = holder.filter(|holder| holder.is_issued()) {
                    holder.reissue(account, false);
                }
            }
        }
    }

    /// Lets principal and account share in the success, and the address in who they are.
    fn learn_standing(
        &mut self,
        sighting: &Sighting,
        identity: &Identity,
        checked: bool,
        now_s: u32,
    ) {
        if let Some(principal) = identity.principal {
            let key = principal.tagged(PRINCIPAL);
            if let Some(holder) = self.holders.enter(key, Holder::default(), now_s) {
                holder.succeed(checked, now_s);
            }
        }
        if let Some(account) = identity.account {
            let key = account.tagged(ACCOUNT);
            // An account is never handed out: being in it is what confirms it.
            let newcomer = Holder::issued(None, true);
            if let Some(holder) = self.holders.enter(key, newcomer, now_s) {
                holder.succeed(checked, now_s);
            }
        }
        let who = identity.account.or(identity.principal).or(identity.session);
        if let Some(who) = who
            && identity.established
        {
            let key = identity.session.map(|session| session.tagged(CREDENTIAL));
            let holder = key.and_then(|key| self.holders.find(key)).copied();
            let session = holder.zip(identity.session).map(|(holder, _)| holder.standing(now_s));
            let by_others = self.standing(None, identity.principal, identity.account, now_s);
            let standing = session.unwrap_or_default().max(by_others);
            if let Some(neighbours) =
                self.sources.enter(sighting.source, Neighbours::default(), now_s)
            {
                neighbours.note(who, standing, now_s);
            }
        }
    }
}

/// Whether callers come here to be let in, whatever credential they carry already.
fn is_entrance(role: Role) -> bool {
    role.tries_a_secret() || matches!(role, Role::Signup | Role::Refresh | Role::ResetRequest)
}

/// The key of an account with the device and network it was entered from.
fn pair(account: Digest, sighting: &Sighting) -> Digest {
    account.then(sighting.device).then(sighting.net)
}

#[cfg(test)]
mod tests;
