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
//! It does not see codes that are guessed without naming account, session or transaction, from
//! addresses that change with each guess; of one address it does.

use serde::{Deserialize, Serialize};
use traffic::slices::Sliced;
use traffic::{AnswerFacts, Detector, Digest, Entity, Outcome, Reason, Role, Signal, Timestamp};

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
/// What nobody tried for so long is forgotten.
const MEMORY_S: u32 = 30 * 86_400;

/// Guesses by what they are at.
#[derive(Clone, Debug)]
pub(crate) struct Guesses(Table<Tries>);

/// Guesses at one secret: 32 bytes with its key.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Tries {
    bucket: Bucket,
    last_s: u32,
    /// Wrong ones since somebody got in.
    wrong: u16,
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
}

impl Guesses {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Table::new(bytes))
    }

    /// What is kept over a restart.
    pub(crate) const fn part(&self) -> &dyn Sliced {
        &self.0
    }

    /// The same, for what was kept.
    pub(crate) const fn part_mut(&mut self) -> &mut dyn Sliced {
        &mut self.0
    }

    /// Appends what stands against this guess: that it has to wait, or how many came before it.
    pub(crate) fn assess(&self, act: &Act, now: Timestamp, signals: &mut Vec<Signal>) {
        let found = targets(act).filter_map(|target| {
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
        for target in targets(act) {
            let tries = self.0.read(target.key).unwrap_or_default().at(now);
            if tries.knows(act) {
                continue;
            }
            let bucket = tries.spent(&target, act, now).unwrap_or(tries.bucket);
            let wrong = tries.wrong.saturating_add(count(act));
            let last_s = now.as_secs();
            self.0.write(target.key, last_s, Tries { bucket, wrong, last_s, ..tries });
        }
    }

    /// Learns what became of a guess.
    pub(crate) fn learn(&mut self, act: &Act, answer: &AnswerFacts, now: Timestamp) {
        let is_right = answer.outcome == Outcome::Success;
        for target in targets(act) {
            let Some(tries) = self.0.read(target.key) else { continue };
            let is_unjudged = answer.status == 429
                || (answer.outcome == Outcome::Unknown && target.kind != Kind::Code);
            let mut next = tries;
            if (is_right || is_unjudged) && !tries.knows(act) {
                next.bucket = tries.bucket.give_back(tries.rate(target.kind), count(act));
                next.wrong = tries.wrong.saturating_sub(count(act));
            }
            if is_right {
                next.wrong = 0;
            } else if !is_unjudged {
                next.note(act);
            }
            if next != tries {
                self.0.write(target.key, now.as_secs(), next);
            }
        }
        if is_right
            && act.identity.familiar
            && let Some(account) = account(act)
        {
            // The owner is in: what strangers guessed wrong is no row any longer.
            let key = Kind::Password.key(account.tagged(0), false);
            if let Some(tries) = self.0.read(key).filter(|tries| tries.wrong > 0) {
                self.0.write(key, now.as_secs(), Tries { wrong: 0, ..tries });
            }
        }
    }

    pub(crate) fn view(&self) -> TableView {
        TableView::of("secrets guessed at", &self.0)
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
        self.bucket.take_many(self.rate(target.kind), count(act), now)
    }

    const fn rate(&self, kind: Kind) -> Rate {
        match kind {
            Kind::Code => CODES,
            Kind::Password | Kind::Own if self.wrong >= WRONG_MAX => PASSWORDS_SLOW,
            Kind::Password | Kind::Own => PASSWORDS,
        }
    }

    /// Whether this very password was wrong before.
    fn knows(&self, act: &Act) -> bool {
        count(act) == 1
            && tries_password(act.role)
            && mark(act).is_some_and(|mark| self.known.contains(&mark))
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
fn targets(act: &Act) -> impl Iterator<Item = Target> + use<> {
    let identity = &act.identity;
    let kind = Kind::of(act.role);
    let account = account(act).map(|account| (Entity::Account(account), account));
    let is_code = kind == Some(Kind::Code);
    let session = identity.session.filter(|_| is_code).map(|it| (Entity::Session(it), it));
    let transaction = act.guess.transaction.filter(|_| is_code);
    let transaction = transaction.map(|it| (identity.address_entity, it));
    // An address stands for its guesses where nothing else does, and no longer.
    let is_nameless = account.is_none() && transaction.is_none() && !identity.established;
    let address = (is_code && is_nameless).then_some((identity.address_entity, act.keys.address));
    let is_familiar = identity.familiar;
    let kind = kind.filter(|kind| *kind != Kind::Password || !is_familiar);
    let all = [account, session, transaction, address].into_iter().enumerate();
    all.filter_map(move |(place, found)| {
        let ((entity, of), kind) = found.zip(kind)?;
        let of = of.tagged(u8::try_from(place).unwrap_or(u8::MAX));
        Some(Target { kind, key: kind.key(of, is_familiar), entity })
    })
}

/// The account that is entered; else the one that the caller is in.
fn account(act: &Act) -> Option<Digest> {
    act.identity.attempted.or(act.identity.account)
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
