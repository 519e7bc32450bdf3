//! The memory budget, and who may have how much of it.
//!
//! Everything in the program that grows with what callers do has a bound, and all bounds that are
//! measured in bytes come from here: a newcomer who wants to know where memory goes, or who adds
//! something that takes some, need look nowhere else. The shares add up to the budget.
//!
//! Two things are bounded by number. What is small (findings, lanes, attempts under way) belongs to
//! the program's own part, and so do some hundred connections. Those beyond come on top while they
//! are open, some 40 KiB each: to turn them away would be to fail callers who ask for an answer.
//!
//! A replay sizes its tables by the same rule as the recording's instance did, or it would forget
//! at other times. For that reason the part of rules is what kind of rules there are, not how many.

use crate::policy::Rules;

const MIB: u64 = 1 << 20;

/// What the program takes that no share stands for: its code, stacks, runtime and certificates,
/// what is bounded by number, the pages of SQLite, and what allocators hold back.
const PROGRAM: u64 = 24 * MIB;
/// What the built-in rules take at most. Their texts, their plans and what tells whether a pattern
/// matches are 8 MiB, and values in which nothing was found 4 MiB. What tells where it matches is
/// compiled when that has to be told: a caller who sends every attack there is makes it 12 MiB
/// more. Running patterns takes 8 MiB for each of two workers; more workers come on top.
const RULES: u64 = 40 * MIB;
/// The same of the Core Rule Set, at any paranoia level, beside the built-in rules or without.
const CORE_RULE_SET: u64 = 28 * MIB;
/// However small the budget, so much of it is divided, in percent: a budget below twice the
/// program's part is not kept, but the program does its work in it.
const DIVIDED_PERCENT_MIN: u64 = 40;

/// A memory budget.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Budget {
    /// All of it but the part of the program and its rules.
    divided: u64,
}

/// How the engine's tables share their bytes, by what they hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TableShares {
    /// Credentials, principals, accounts and their devices and addresses.
    pub(crate) callers: usize,
    /// Endpoints and their parameters.
    pub(crate) catalog: usize,
    /// Who did what lately.
    pub(crate) conduct: usize,
    /// Decisions that detectors made.
    pub(crate) standing: usize,
}

impl Budget {
    /// The budget of `server.memory_budget` where these rules are loaded.
    #[must_use]
    pub fn of(memory_budget: u64, rules: &Rules) -> Self {
        let builtin = if rules.builtin.value { RULES } else { 0 };
        let crs = if rules.crs.value.is_some() { CORE_RULE_SET } else { 0 };
        Self::beside(memory_budget, builtin + crs)
    }

    const fn beside(memory_budget: u64, rules: u64) -> Self {
        let least = memory_budget / 100 * DIVIDED_PERCENT_MIN;
        let rest = memory_budget.saturating_sub(PROGRAM + rules);
        Self { divided: if rest > least { rest } else { least } }
    }

    /// The tables of what is learnt.
    #[must_use]
    pub fn tables(self) -> usize {
        self.percent(70)
    }

    /// Bodies that are held while they are looked at, all workers together.
    #[must_use]
    pub fn held_bodies(self) -> usize {
        self.percent(14)
    }

    /// The latest events, for `why` and `tail`.
    #[must_use]
    pub fn recent_events(self) -> usize {
        self.percent(4)
    }

    /// Events that wait for the disk; as many again are held back while it fails.
    #[must_use]
    pub fn waiting_events(self) -> usize {
        self.percent(3)
    }

    /// Findings, counts and changes that wait for the disk; as many again are held back while it
    /// fails.
    #[must_use]
    pub fn waiting_rows(self) -> usize {
        self.percent(3)
    }

    fn percent(self, percent: u64) -> usize {
        usize::try_from(self.divided / 100 * percent).unwrap_or(usize::MAX)
    }
}

impl TableShares {
    pub(crate) const fn of(bytes: usize) -> Self {
        let part = bytes / 100;
        Self { callers: part * 29, catalog: part * 23, conduct: part * 42, standing: part * 6 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_budget_and_not_to_more() {
        for (budget, rules) in
            [(64 * MIB, 0), (128 * MIB, RULES), (256 * MIB, RULES + CORE_RULE_SET), (4096 * MIB, 0)]
        {
            let shares = Budget::beside(budget, rules);
            let all = [
                shares.tables(),
                shares.held_bodies(),
                shares.recent_events(),
                2 * shares.waiting_events(),
                2 * shares.waiting_rows(),
            ];
            let sum = all.iter().sum::<usize>() as u64 + PROGRAM + rules;
            assert!(sum <= budget && sum > budget - MIB, "{sum} of {budget}");
        }
        let tables = TableShares::of(1_000_000);
        let all = [tables.callers, tables.catalog, tables.conduct, tables.standing];
        assert_eq!(all.iter().sum::<usize>(), 1_000_000);
    }

    #[test]
    fn the_smallest_budget_still_has_tables() {
        assert!(Budget::beside(16 * MIB, RULES).tables() as u64 > 4 * MIB);
    }
}
