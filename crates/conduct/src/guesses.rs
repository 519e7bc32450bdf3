//! Guesses at one account's password (A5) and at one code (A8), from however many sources.
//!
//! What is limited is how many guesses reach the API, whoever makes them: each account has an
//! allowance for all strangers together, taken from before the answer is known, so that neither
//! sending many at once nor hanging up before the answer gets any further. What turned out right,
//! or was not judged, is given back; the same wrong password again is no guess at all, which is
//! what a client does that somebody forgot to tell of the new one.
//!
//! Nobody is locked out: whoever is familiar to the account guesses passwords outside of it, and
//! codes from an allowance of their own, since whoever knows the password is familiar and has still
//! to show the code. Nothing of this is evidence against a source.
//!
//! Whoever names several accounts or transactions guesses at each of them, because nobody here
//! knows which one the API reads. What many accounts are entered beside (the name of their company)
//! has the allowances of as many. What cannot be read may be a guess at anything: it has an
//! allowance with all else at that endpoint that cannot be read. That comes on top of an account's,
//! so it is small where callers get in with what can be read and nobody did with anything else.
//!
//! It does not see codes that are guessed without naming account, session or transaction, from
//! addresses that change with each guess; of one address it does.

use serde::{Deserialize, Serialize};
use traffic::slices::Sliced;
use traffic::{
    AnswerFacts, Detector, Digest, Entity, Few, Outcome, Reason, Role, Signal, Timestamp,
};

use crate::act::Act;
use crate::gcra::{Bucket, Rate};
use crate::nats;
use crate::table::{Line, Table};
use crate::view::TableView;

/// Passwords of one account that strangers may try at once, and one more each six minutes: 18 in
/// an hour, which is more than people try who have forgotten theirs.
const PASSWORDS: Rate = Rate { cost_us: 360_000_000, burst: 8 };
/// After so many wrong ones in a row (NIST SP 800-63B allows no more) there is one an hour.
const WRONG_MAX: u16 = 100;
const PASSWORDS_SLOW: Rate = Rate { cost_us: 3_600_000_000, burst: 1 };
/// Codes that may be tried at once, and one more each quarter of an hour: about a hundred a day,
/// one in ten thousand codes of six digits.
const CODES: Rate = Rate { cost_us: 900_000_000, burst: 6 };

/// From so many wrong guesses on they are worth a line in an explanation.
const SHOWN_FROM: u16 = 6;
/// What is said of them: as much as makes an account entered afterwards a finding.
const SHOWN_NATS: f32 = 6.0;
/// Wrong passwords that are known again, by eight bits each: too few to tell anything of them. So
/// one guess in sixty is taken for one of them; it costs nothing, and it waits like all others once
/// the allowance is spent.
const KNOWN: usize = 4;
/// Where requests that cannot be read succeeded from this many addresses (of sixteen bits), they
/// are the custom of the endpoint, and only their sources are held to account for them.
const UNREAD_CUSTOM: u32 = 12;
/// What cannot be read, where it is not known that the API can, and all get in with what is read:
/// with an account's own allowance it makes 20 in an hour.
const STRANGE: Rate = Rate { cost_us: 3_600_000_000, burst: 1 };
/// The place of what cannot be read among the sorts of targets.
const UNREAD: u8 = 4;
/// The place where it is noted that callers get in with what can be read.
const READ: u8 = 5;
/// How often that is noted anew.
const NOTED_EVERY_S: u32 = 3_600;
/// What nobody tried for so long is forgotten.
const MEMORY_S: u32 = 30 * 86_400;

/// Guesses by what they are at.
#[derive(Clone, Debug)]
pub(crate) struct Guesses(Table<Tries>);

/// Guesses at one secret: 40 bytes with its key.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Tries {
    bucket: Bucket,
    last_s: u32,
    /// Wrong ones since somebody got in.
    wrong: u16,
    /// What else was named when somebody got in, or for what cannot be read: from where. One bit
    /// each, at most.
    beside: u16,
    /// The latest wrong passwords; zero is none.
    known: [u8; KNOWN],
}

/// What kind of secret is guessed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// A password, on the way in.
    Password,
    /// The password of the account that one is in.
    Own,
    /// A code or token that was sent to somebody.
    Code,
}

/// What is guessed at.
#[derive(Clone, Copy, Debug)]
struct Target {
    kind: Kind,
    key: Digest,
    entity: Entity,
    /// By what it is told from the others that are named.
    of: Digest,
    /// It is whatever could not be read.
    is_unread: bool,
    /// And that is not how anybody gets in there.
    is_strange: bool,
}

impl Guesses {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Table::new(bytes))
    }

    /// What is kept over a restart.
    pub(crate) const fn part(&mut self) -> &mut dyn Sliced {
        &mut self.0
    }

    /// Appends what stands against this guess: that it has to wait, or how many came before it.
    pub(crate) fn assess(&self, act: &Act, now: Timestamp, signals: &mut Vec<Signal>) {
        let found = self.targets(act, now).into_iter().filter_map(|target| {
            let tries = self.0.read(target.key).unwrap_or_default().at(now);
            let wait_us = tries.spent(&target, act, now).err().unwrap_or(0);
            let is_shown = wait_us > 0 || tries.wrong >= SHOWN_FROM;
            is_shown.then_some((wait_us, tries.wrong, target))
        });
        let Some((wait_us, wrong, target)) =
            found.max_by_key(|(wait_us, wrong, _)| (*wait_us, *wrong))
        else {
            return;
        };
        let wait_s = u32::try_from(wait_us.div_ceil(1_000_000)).unwrap_or(u32::MAX);
        signals.push(Signal {
            detector: target.kind.detector(),
            entity: target.entity,
            nats: SHOWN_NATS,
            reason: Reason::Guesses { wrong: u32::from(wrong), retry_after_s: wait_s },
        });
    }

    /// Takes a guess that goes upstream from the allowances.
    pub(crate) fn forwarded(&mut self, act: &Act, now: Timestamp) {
        for target in self.targets(act, now) {
            let tries = self.0.read(target.key).unwrap_or_default().at(now);
            if tries.knows(act) {
                continue;
            }
            let bucket = tries.spent(&target, act, now).unwrap_or(tries.bucket);
            let wrong = tries.wrong.saturating_add(count(act));
            let last_s = now.as_secs();
            let mut next = Tries { bucket, wrong, last_s, ..tries };
            if act.guess.is_basic {
                // Its other requests of this moment are no further guesses.
                next.note(act);
            }
            self.0.write(target.key, last_s, next);
        }
    }

    /// Learns what became of a guess.
    pub(crate) fn learn(&mut self, act: &Act, answer: &AnswerFacts, now: Timestamp) {
        let is_right = answer.outcome == Outcome::Success;
        let targets = self.targets(act, now);
        for target in &targets {
            let Some(tries) = self.0.read(target.key) else { continue };
            let is_unjudged = answer.status == 429
                || (answer.outcome == Outcome::Unknown && target.kind != Kind::Code);
            let mut next = tries;
            // What came with others of its moment was taken from the allowance once.
            let was_taken = tries.knows(act) == act.guess.is_basic;
            if (is_right || is_unjudged) && was_taken {
                next.bucket = tries.bucket.give_back(tries.rate(target), count(act));
                next.wrong = tries.wrong.saturating_sub(count(act));
                if act.guess.is_basic {
                    next.forget(act);
                }
            }
            // Of several accounts nobody knows which was entered: that ends no row of wrong ones.
            if is_right && act.identity.named.len() <= 1 && !act.guess.is_unread {
                next.wrong = 0;
            } else if !is_right && !is_unjudged {
                next.note(act);
            }
            if is_right {
                let others = targets.iter().filter(|it| it.key != target.key && !it.is_unread);
                let from = target.is_unread.then_some(act.keys.address);
                next.entered_beside(others.map(|it| it.of).chain(from));
            }
            if next != tries {
                self.0.write(target.key, now.as_secs(), next);
            }
        }
        if is_right {
            self.note_read(act, now);
        }
        if is_right && act.identity.familiar {
            // The owner is in: what strangers guessed wrong is no row any longer.
            for account in accounts(act).iter() {
                let key = Kind::Password.key(account.tagged(0), false);
                if let Some(tries) = self.0.read(key).filter(|tries| tries.wrong > 0) {
                    self.0.write(key, now.as_secs(), Tries { wrong: 0, ..tries });
                }
            }
        }
    }

    pub(crate) fn view(&self) -> TableView {
        TableView::of("secrets guessed at", &self.0)
    }

    fn targets(&self, act: &Act, now: Timestamp) -> Vec<Target> {
        let mut targets = targets(act);
        for target in targets.iter_mut().filter(|target| target.is_unread) {
            let read = self.0.read(read_key(target.kind, act)).unwrap_or_default().at(now);
            target.is_strange = read.beside.count_ones() >= UNREAD_CUSTOM;
        }
        targets
    }

    /// Notes that somebody got in with what can be read, and from where.
    fn note_read(&mut self, act: &Act, now: Timestamp) {
        let Some(kind) = Kind::of(act.role).filter(|_| !act.guess.is_unread) else { return };
        let key = read_key(kind, act);
        let known = self.0.read(key).unwrap_or_default().at(now);
        let mut next = Tries { last_s: now.as_secs(), ..known };
        if known.beside.count_ones() < UNREAD_CUSTOM {
            next.entered_beside(std::iter::once(act.keys.address));
        }
        if next.beside != known.beside || next.last_s.saturating_sub(known.last_s) >= NOTED_EVERY_S
        {
            self.0.write(key, now.as_secs(), next);
        }
    }
}

impl Tries {
    /// As they count now.
    fn at(self, now: Timestamp) -> Self {
        let is_old = now.as_secs().saturating_sub(self.last_s) >= MEMORY_S;
        if is_old { Self::default() } else { self }
    }

    /// The allowance after one more request, or the microseconds until there may be one.
    fn spent(&self, target: &Target, act: &Act, now: Timestamp) -> Result<Bucket, u64> {
        if target.is_unread && self.beside.count_ones() >= UNREAD_CUSTOM {
            return Ok(self.bucket);
        }
        self.bucket.take_many(self.rate(target), count(act), now)
    }

    const fn rate(&self, target: &Target) -> Rate {
        let many = self.beside.count_ones() as u64;
        let one = match target.kind {
            _ if target.is_strange && many == 0 => STRANGE,
            Kind::Code => CODES,
            Kind::Password | Kind::Own if self.wrong >= WRONG_MAX && many < 2 => PASSWORDS_SLOW,
            Kind::Password | Kind::Own => PASSWORDS,
        };
        if many < 2 {
            return one;
        }
        Rate { cost_us: one.cost_us / many, burst: one.burst * many }
    }

    fn entered_beside(&mut self, others: impl Iterator<Item = Digest>) {
        for other in others {
            self.beside |= 1 << (other.tagged(0x79).0 >> 60);
        }
    }

    /// Whether this very password was wrong before.
    fn knows(&self, act: &Act) -> bool {
        count(act) == 1
            && tries_password(act.role)
            && mark(act).is_some_and(|mark| self.known.contains(&mark))
    }

    fn forget(&mut self, act: &Act) {
        let mark = mark(act);
        self.known.iter_mut().filter(|known| Some(**known) == mark).for_each(|known| *known = 0);
    }

    /// Notes a wrong password.
    fn note(&mut self, act: &Act) {
        if let Some(mark) = mark(act).filter(|mark| !self.known.contains(mark)) {
            self.known.rotate_right(1);
            if let Some(latest) = self.known.first_mut() {
                *latest = mark;
            }
        }
    }
}

impl Kind {
    const fn of(role: Role) -> Option<Self> {
        match role {
            Role::Login => Some(Self::Password),
            Role::PasswordChange => Some(Self::Own),
            Role::OtpVerify | Role::ResetConfirm => Some(Self::Code),
            _ => None,
        }
    }

    const fn detector(self) -> Detector {
        match self {
            Self::Password | Self::Own => Detector::PasswordGuessing,
            Self::Code => Detector::CodeGuessing,
        }
    }

    const fn key(self, of: Digest, is_familiar: bool) -> Digest {
        of.tagged(0x60 + 2 * self as u8 + is_familiar as u8)
    }
}

/// What is guessed at by this request.
fn targets(act: &Act) -> Vec<Target> {
    let identity = &act.identity;
    let is_familiar = identity.familiar;
    let kind = Kind::of(act.role).filter(|kind| *kind != Kind::Password || !is_familiar);
    let Some(kind) = kind else { return Vec::new() };
    let target = |place: u8, of: Digest, entity| {
        let of = of.tagged(place);
        let (key, is_unread) = (kind.key(of, is_familiar), place == UNREAD);
        Target { kind, key, entity, of, is_unread, is_strange: false }
    };
    let accounts = accounts(act);
    let of_accounts = accounts.iter().map(|it| target(0, it, Entity::Account(it)));
    let mut targets: Vec<Target> = of_accounts.collect();
    let source = identity.address_entity;
    if kind == Kind::Code {
        let transactions = &act.guess.transactions;
        targets.extend(identity.session.map(|it| target(1, it, Entity::Session(it))));
        targets.extend(transactions.iter().map(|it| target(2, it, source)));
        // An address stands for its guesses where nothing else does, and no longer.
        if accounts.is_empty() && transactions.is_empty() && !identity.established {
            targets.push(target(3, act.keys.address, source));
        }
    }
    if act.guess.is_unread {
        targets.push(target(UNREAD, endpoint(act), source));
    }
    targets
}

/// Where it is noted that callers get in with what can be read.
fn read_key(kind: Kind, act: &Act) -> Digest {
    kind.key(endpoint(act).tagged(READ), false)
}

fn endpoint(act: &Act) -> Digest {
    act.endpoint.map_or(act.path_shape, |id| Digest(u64::from(id.0)))
}

/// The accounts that the request names; else the one that the caller is in.
fn accounts(act: &Act) -> Few {
    match &act.identity.named {
        none if none.is_empty() => act.identity.account.into(),
        some => some.clone(),
    }
}

const fn tries_password(role: Role) -> bool {
    matches!(role, Role::Login | Role::PasswordChange)
}

/// How many secrets the request tries.
fn count(act: &Act) -> u16 {
    act.guess.count.max(1)
}

/// Eight bits of the password's hash.
fn mark(act: &Act) -> Option<u8> {
    act.guess.password.map(|it| u8::try_from(it.tagged(0x77).0 >> 56).unwrap_or(0).max(1))
}

impl Line for Tries {
    /// The more was guessed, the longer it is kept.
    fn worth(&self, now_s: u32) -> f32 {
        let idle_s = now_s.saturating_sub(self.last_s);
        nats::decayed(f32::from(self.wrong), idle_s, 86_400) - nats::number(idle_s) / 86_400.0
    }
}

#[cfg(test)]
mod tests;
