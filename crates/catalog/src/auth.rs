//! Whether an endpoint wants to know who is calling.
//!
//! Told from who was served with a credential and who without. A refusal counts for neither: what
//! strangers try does not show what the endpoint demands.

use serde::{Deserialize, Serialize};

use crate::exchange::Slot;
use crate::view::AuthSeen;

/// Who was served.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Auth {
    served_with: u32,
    served_without: u32,
    refused_without: u32,
    /// Where the credentials of those served stood.
    slots: Vec<(SlotName, u32)>,
}

/// Where a credential stood, as it is kept.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) enum SlotName {
    Bearer,
    Basic,
    Header(Box<str>),
    Cookie(Box<str>),
    Query(Box<str>),
}

/// More places than this are not remembered for one endpoint.
const SLOTS_MAX: usize = 6;
/// Names are cut here.
const NAME_BYTES_MAX: usize = 64;
/// Below one in so many, being served this way is an exception.
const RARE: u32 = 200;

impl Auth {
    pub(crate) fn served(&mut self, credential: Option<Slot<'_>>) {
        let Some(slot) = credential else {
            self.served_without = self.served_without.saturating_add(1);
            return;
        };
        self.served_with = self.served_with.saturating_add(1);
        let has_room = self.slots.len() < SLOTS_MAX;
        match self.slots.iter_mut().find(|(name, _)| name.is(slot)) {
            Some((_, count)) => *count = count.saturating_add(1),
            None if has_room => self.slots.push((SlotName::of(slot), 1)),
            None => {}
        }
    }

    pub(crate) fn refused_without(&mut self) {
        self.refused_without = self.refused_without.saturating_add(1);
    }

    /// Whether somebody was turned away here for want of a credential.
    pub(crate) const fn turns_away(&self) -> bool {
        self.refused_without > 0
    }

    pub(crate) fn seen(&self) -> AuthSeen {
        let (with, without) = (u64::from(self.served_with), u64::from(self.served_without));
        let rare = u64::from(RARE);
        if with + without == 0 {
            if self.refused_without > 0 { AuthSeen::Always } else { AuthSeen::None }
        } else if with == 0 || with * rare < without {
            AuthSeen::None
        } else if without == 0 || without * rare < with {
            AuthSeen::Always
        } else {
            AuthSeen::Mixed
        }
    }

    /// Where credentials stood, the most frequent first; seldom ones are left out.
    pub(crate) fn slots(&self) -> Vec<SlotName> {
        let mut slots: Vec<_> = self
            .slots
            .iter()
            .filter(|(_, count)| count.saturating_mul(RARE) >= self.served_with)
            .collect();
        slots.sort_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
        slots.into_iter().map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.served_with = self.served_with.saturating_add(other.served_with);
        self.served_without = self.served_without.saturating_add(other.served_without);
        self.refused_without = self.refused_without.saturating_add(other.refused_without);
        for (name, count) in &other.slots {
            let has_room = self.slots.len() < SLOTS_MAX;
            match self.slots.iter_mut().find(|(mine, _)| mine == name) {
                Some((_, mine)) => *mine = mine.saturating_add(*count),
                None if has_room => self.slots.push((name.clone(), *count)),
                None => {}
            }
        }
    }
}

impl SlotName {
    fn of(slot: Slot<'_>) -> Self {
        match slot {
            Slot::Bearer => Self::Bearer,
            Slot::Basic => Self::Basic,
            Slot::Header(name) => Self::Header(cut(name).into()),
            Slot::Cookie(name) => Self::Cookie(cut(name).into()),
            Slot::Query(name) => Self::Query(cut(name).into()),
        }
    }

    fn is(&self, slot: Slot<'_>) -> bool {
        match (self, slot) {
            (Self::Bearer, Slot::Bearer) | (Self::Basic, Slot::Basic) => true,
            (Self::Header(mine), Slot::Header(name))
            | (Self::Cookie(mine), Slot::Cookie(name))
            | (Self::Query(mine), Slot::Query(name)) => **mine == *cut(name),
            _ => false,
        }
    }

    /// As people read it: `bearer`, `cookie sid`.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Bearer => "bearer".to_owned(),
            Self::Basic => "basic".to_owned(),
            Self::Header(name) => format!("header {name}"),
            Self::Cookie(name) => format!("cookie {name}"),
            Self::Query(name) => format!("query {name}"),
        }
    }
}

pub(crate) fn cut(name: &str) -> &str {
    let mut end = name.len().min(NAME_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_try_does_not_count() {
        let mut auth = Auth::default();
        (0..50).for_each(|_| auth.served(Some(Slot::Bearer)));
        (0..500).for_each(|_| auth.refused_without());
        assert_eq!(auth.seen(), AuthSeen::Always);
        (0..50).for_each(|_| auth.served(None));
        assert_eq!(auth.seen(), AuthSeen::Mixed);
        (0..50_000).for_each(|_| auth.served(None));
        assert_eq!(auth.seen(), AuthSeen::None);
    }

    #[test]
    fn places_are_bounded() {
        let mut auth = Auth::default();
        let names: Vec<String> =
            (0..100).map(|number| format!("x-{number}-{}", "é".repeat(80))).collect();
        names.iter().for_each(|name| auth.served(Some(Slot::Header(name))));
        assert_eq!(auth.slots.len(), SLOTS_MAX);
    }
}
