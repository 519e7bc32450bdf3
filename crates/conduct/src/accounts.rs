//! Since when an account is known to work, which decides what entering it is worth.
//!
//! Entering accounts speaks against stuffing, so an attacker enters accounts of its own in between.
//! Whoever owns an account for long is no help to it, hence three rules: an account counts once in
//! twelve hours for all sources together, one made before our eyes not at all for a week, and a
//! young one only within a source's allowance.

use serde::{Deserialize, Serialize};
use traffic::Digest;

use crate::baseline::DAY_S;
use crate::table::{Line, Table};

/// An account that was first entered this long ago is established.
const ESTABLISHED_S: u32 = 12 * 3_600;
/// One that signed up under our eyes takes longer.
const MINTED_S: u32 = 7 * DAY_S;
/// How often an account speaks for the source that enters it.
const CREDIT_EVERY_S: u32 = 12 * 3_600;

/// Accounts by their digest.
#[derive(Clone, Debug)]
pub(crate) struct Accounts(Table<Account>);

/// What is known of one account.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Account {
    first_s: u32,
    credited_s: u32,
    is_minted: bool,
}

/// What entering an account says for whoever entered it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Credit {
    /// The account is established: an attacker would have to own it.
    Full,
    /// It is young: as much as the source's allowance gives.
    Young,
    /// Nothing: made under our eyes, or counted already.
    Nothing,
}

impl Accounts {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Table::new(bytes))
    }

    /// Notes that `account` was entered, and says what that is worth.
    pub(crate) fn entered(&mut self, account: Digest, now_s: u32) -> Credit {
        let Some(known) = self.0.read(account) else {
            let fresh = Account { first_s: now_s, credited_s: now_s, is_minted: false };
            self.0.write(account, now_s, fresh);
            return Credit::Young;
        };
        let age_s = now_s.saturating_sub(known.first_s);
        let is_due = now_s.saturating_sub(known.credited_s) >= CREDIT_EVERY_S;
        let (credit, needed_s) = match known.is_minted {
            true => (Credit::Nothing, MINTED_S),
            false => (Credit::Young, ESTABLISHED_S),
        };
        if !is_due {
            return Credit::Nothing;
        }
        self.0.write(account, now_s, Account { credited_s: now_s, ..known });
        if age_s >= needed_s { Credit::Full } else { credit }
    }

    /// Notes that `account` was made just now.
    pub(crate) fn minted(&mut self, account: Digest, now_s: u32) {
        if self.0.read(account).is_none() {
            let fresh = Account { first_s: now_s, credited_s: 0, is_minted: true };
            self.0.write(account, now_s, fresh);
        }
    }

    pub(crate) const fn table(&self) -> &Table<Account> {
        &self.0
    }

    pub(crate) const fn table_mut(&mut self) -> &mut Table<Account> {
        &mut self.0
    }
}

impl Line for Account {
    /// An old account that was entered lately is worth most; made accounts go first.
    fn worth(&self, now_s: u32) -> f32 {
        let days = |since_s: u32| now_s.saturating_sub(since_s) as f32 / DAY_S as f32;
        let age = days(self.first_s).min(7.0) - if self.is_minted { 8.0 } else { 0.0 };
        age - days(self.credited_s.max(self.first_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_S: u32 = 3_600;

    #[test]
    fn an_account_speaks_for_a_source_once_in_twelve_hours() {
        let mut accounts = Accounts::new(1 << 16);
        let account = Digest(7);
        let at = |hour: u32| 1_000_000 + hour * HOUR_S;
        assert_eq!(accounts.entered(account, at(0)), Credit::Young);
        assert_eq!(accounts.entered(account, at(1)), Credit::Nothing);
        assert_eq!(accounts.entered(account, at(12)), Credit::Full);
        assert_eq!(accounts.entered(account, at(13)), Credit::Nothing);
        assert_eq!(accounts.entered(account, at(30)), Credit::Full);
    }

    #[test]
    fn an_account_made_for_the_purpose_speaks_for_nobody() {
        let mut accounts = Accounts::new(1 << 16);
        let (made, old) = (Digest(7), Digest(8));
        assert_eq!(accounts.entered(old, 1_000_000), Credit::Young);
        accounts.minted(made, 1_000_000);
        accounts.minted(old, 1_000_000);
        assert_eq!(accounts.entered(made, 1_000_010), Credit::Nothing);
        assert_eq!(accounts.entered(made, 1_000_000 + 2 * DAY_S), Credit::Nothing);
        assert_eq!(accounts.entered(made, 1_000_000 + 8 * DAY_S), Credit::Full);
        assert_eq!(accounts.entered(old, 1_000_000 + DAY_S), Credit::Full);
    }
}
