//! What is remembered of one credential, principal or account: its standing, and the account that
//! a credential was handed out to.

use serde::{Deserialize, Serialize};
use traffic::Digest;

use super::count::DistinctFew;
use crate::table::Worth;

/// Good standing takes at least this long.
const ESTABLISHED_S: u32 = 3_600;
/// A credential of unknown origin needs this many successes besides.
const WEAK_SUCCESSES: u16 = 20;
/// At so many neighbours an address is shared; weak standing alone never makes it so.
const SHARED_MIN: u32 = 5;
const DAY_S: u32 = 86_400;
/// Tells the places of bits from other uses of the same digest.
const PLACE: u8 = 0x2b;

/// A credential without an account that comes from more addresses than this within a day is no
/// person's: people have a home, a telephone and a place of work.
const SOURCES_OF_ONE: u32 = 5;
/// One through which more accounts than this were entered is no person's, whoever it belonged to.
const ACCOUNTS_OF_ONE: u32 = 3;

/// The standing of a credential, a principal or an account.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Holder {
    /// The account it was handed out to; zero: none.
    account: Digest,
    first_success_s: u32,
    /// The addresses that presented it on `day`: one bit each, at most.
    sources: u32,
    successes: u16,
    day: u16,
    /// The accounts that were entered through it: one bit each, at most.
    accounts: u16,
    marks: u8,
}

/// How good a standing is.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Standing {
    /// Nothing earned, or not for long.
    #[default]
    New,
    /// Many successes over a while, on endpoints that may be open to everybody.
    Weak,
    /// The API let it in where it does not let everybody in.
    Strong,
}

/// The API handed it out.
const ISSUED: u8 = 1;
/// The account it was handed out to is certain: it was used with success afterwards.
const CONFIRMED: u8 = 2;
/// It opened what is closed to callers without credentials.
const CHECKED: u8 = 4;
/// Many callers use it: it stands for a program, and for none of them.
const SHARED: u8 = 8;

impl Holder {
    pub(super) fn issued(account: Option<Digest>, confirmed: bool) -> Self {
        let marks = if confirmed { ISSUED | CONFIRMED } else { ISSUED };
        Self { account: account.unwrap_or_default(), marks, ..Self::default() }
    }

    pub(super) fn is_issued(&self) -> bool {
        self.marks & ISSUED != 0
    }

    /// Whether many callers use it.
    pub(super) fn is_shared(&self) -> bool {
        self.marks & SHARED != 0
    }

    /// Notes that somebody at `source` presents it, whatever becomes of the request: a credential
    /// that is refused for what one of them did has to show that it is not that one's alone, too.
    pub(super) fn presented_from(&mut self, source: Digest, now_s: u32) {
        let day = u16::try_from(now_s / DAY_S).unwrap_or(u16::MAX);
        if self.day != day {
            self.day = day;
            self.sources = 0;
        }
        self.sources |= 1 << (source.tagged(PLACE).0 >> 59);
        // What was handed out to one account is that account's, wherever it travels.
        if self.account().is_none() && self.sources.count_ones() > SOURCES_OF_ONE {
            self.marks |= SHARED;
        }
    }

    /// Notes that `account` was entered by a request that presented it, or that gave it out.
    pub(super) fn entered(&mut self, account: Digest) {
        self.accounts |= 1 << (account.tagged(PLACE).0 >> 60);
        if self.accounts.count_ones() > ACCOUNTS_OF_ONE {
            self.marks |= SHARED;
        }
    }

    /// Whether it may stand for a caller: the API made it, or has honoured it.
    pub(super) fn is_believed(&self) -> bool {
        self.is_issued() || self.successes > 0
    }

    /// Whether it opened what is closed to callers without credentials.
    pub(super) fn is_checked(&self) -> bool {
        self.marks & CHECKED != 0
    }

    /// Whether it cannot have been made up by whoever presents it.
    pub(super) fn is_proven(&self) -> bool {
        self.marks & (ISSUED | CHECKED) != 0
    }

    /// Whether it is somebody's whom the API knows, not only one that anybody is handed.
    pub(super) fn is_certain(&self) -> bool {
        self.successes > 0 && (self.account().is_some() || self.marks & CHECKED != 0)
    }

    /// Whether one success is not all there is to it.
    pub(super) fn is_steady(&self, now_s: u32) -> bool {
        self.account().is_some()
            || (self.successes >= 3 && now_s.saturating_sub(self.first_success_s) >= 60)
    }

    /// The account it belongs to, once that is certain.
    pub(super) fn account(&self) -> Option<Digest> {
        let is_certain = self.account.0 != 0 && self.marks & CONFIRMED != 0;
        (is_certain && !self.is_shared()).then_some(self.account)
    }

    /// The account that it was handed out to and has not been used for yet.
    pub(super) fn pending(&self) -> Option<Digest> {
        let is_open = self.account.0 != 0 && self.marks & CONFIRMED == 0;
        (is_open && !self.is_shared()).then_some(self.account)
    }

    pub(super) fn confirm(&mut self) {
        self.marks |= CONFIRMED;
    }

    /// Hands it out anew; what it earned stays.
    pub(super) fn reissue(&mut self, account: Option<Digest>, confirmed: bool) {
        self.marks |= ISSUED;
        if let Some(account) = account
            && (account != self.account || self.marks & CONFIRMED == 0)
        {
            self.account = account;
            self.marks = if confirmed { self.marks | CONFIRMED } else { self.marks & !CONFIRMED };
        }
    }

    pub(super) fn succeed(&mut self, checked: bool, now_s: u32) {
        if self.successes == 0 {
            self.first_success_s = now_s;
        }
        self.successes = self.successes.saturating_add(1);
        if checked {
            self.marks |= CHECKED;
        }
    }

    /// The standing of a credential or principal.
    pub(super) fn standing(&self, now_s: u32) -> Standing {
        let is_aged = now_s.saturating_sub(self.first_success_s) >= ESTABLISHED_S;
        if self.successes == 0 || !is_aged {
            Standing::New
        } else if self.marks & (CHECKED | CONFIRMED) != 0 {
            Standing::Strong
        } else if self.successes >= WEAK_SUCCESSES {
            Standing::Weak
        } else {
            Standing::New
        }
    }
}

impl Worth for Holder {
    fn worth(&self) -> u8 {
        if self.marks & (CHECKED | CONFIRMED | SHARED) != 0 {
            3
        } else if self.account.0 != 0 {
            2
        } else {
            u8::from(self.successes >= 2)
        }
    }
}

/// That an account was entered from one device in one network.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct FamiliarPair;

impl Worth for FamiliarPair {
    fn worth(&self) -> u8 {
        1
    }
}

/// Who of good standing was seen behind one address, today and yesterday.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Neighbours {
    day: u16,
    today: DistinctFew,
    yesterday: DistinctFew,
}

impl Neighbours {
    pub(super) fn note(&mut self, who: Digest, standing: Standing, now_s: u32) {
        self.turn(now_s);
        let is_room_for_weak = self.today.with(self.yesterday).estimate() + 1 < SHARED_MIN;
        if standing == Standing::Strong || (standing == Standing::Weak && is_room_for_weak) {
            self.today.note(who);
        }
    }

    pub(super) fn count(mut self, now_s: u32) -> u16 {
        self.turn(now_s);
        u16::try_from(self.today.with(self.yesterday).estimate()).unwrap_or(u16::MAX)
    }

    fn turn(&mut self, now_s: u32) {
        let day = u16::try_from(now_s / DAY_S).unwrap_or(u16::MAX);
        match day.saturating_sub(self.day) {
            0 => return,
            1 => self.yesterday = self.today,
            _ => self.yesterday = DistinctFew::default(),
        }
        self.today = DistinctFew::default();
        self.day = day;
    }
}

impl Worth for Neighbours {
    fn worth(&self) -> u8 {
        u8::from(self.today.with(self.yesterday).estimate() >= SHARED_MIN)
    }
}
