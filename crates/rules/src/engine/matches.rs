//! The values for which the links of the present rule held: `MATCHED_VAR`, `MATCHED_VARS` and their
//! names.

use std::ops::Range;

use super::{state::Key, store::Span};
use crate::variable::Variable;

/// A value for which a link held.
#[derive(Clone, Debug)]
pub(super) struct Match {
    pub(super) variable: Variable,
    pub(super) is_count: bool,
    pub(super) key: Key,
    /// As the operator saw it.
    pub(super) value: Span,
    pub(super) found: Found,
}

/// What of a value the operator found.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// This, if it is anything in particular.
    Known(Option<Range<usize>>),
    /// The operator of the link of that number tells it, should anybody ask: most rules that hold
    /// for a value are chains, and end with another link.
    Asking(usize),
}

/// Those of the present rule.
#[derive(Debug, Default)]
pub(super) struct Matches {
    all: Vec<Match>,
    /// Where those of the link before the present one begin.
    before: usize,
    /// Where those of the present link begin.
    present: usize,
    /// Where those of each link begin.
    links: Vec<usize>,
}

impl Matches {
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.before = 0;
        self.present = 0;
        self.links.clear();
    }

    /// The next link begins.
    pub(super) fn next_link(&mut self) {
        self.before = self.present;
        self.present = self.all.len();
        self.links.push(self.present);
    }

    pub(super) fn push(&mut self, found: Match) {
        self.all.push(found);
    }

    pub(super) fn all(&self) -> &[Match] {
        &self.all
    }

    /// Those of each link, the last link first.
    pub(super) fn by_links(&self) -> impl Iterator<Item = &[Match]> {
        let mut end = self.all.len();
        self.links.iter().rev().map(move |start| {
            let own = self.all.get(*start..end).unwrap_or_default();
            end = *start;
            own
        })
    }

    /// `MATCHED_VAR`: the last of all.
    pub(super) fn last(&self) -> Option<&Match> {
        self.all.last()
    }

    /// `MATCHED_VARS`: those of the link before.
    pub(super) fn before(&self) -> &[Match] {
        self.all.get(self.before..self.present).unwrap_or_default()
    }
}
