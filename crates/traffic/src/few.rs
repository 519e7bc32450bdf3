//! A few digests, each once: what one request names of a kind.
//!
//! Bounded, and next to nothing as long as there is but one. A request that names more than fit is
//! not read as if it named fewer: that it was cut is kept, because what does not fit may be what
//! counts.

use crate::hash::Digest;

/// No honest request names more of one kind.
const FEW: usize = 8;

/// See the module.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Few {
    first: Option<Digest>,
    /// Next to no request has any.
    others: Option<Box<Others>>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Others {
    digests: Vec<Digest>,
    is_cut: bool,
}

impl Few {
    /// Notes one more, unless it is there.
    pub fn note(&mut self, digest: Digest) {
        if self.first.is_none() {
            self.first = Some(digest);
        } else if self.iter().all(|known| known != digest) {
            let is_full = self.len() == FEW;
            let others = self.others.get_or_insert_default();
            if is_full {
                others.is_cut = true;
            } else {
                others.digests.push(digest);
            }
        }
    }

    /// All of them, in the order in which they were noted.
    pub fn iter(&self) -> impl Iterator<Item = Digest> + use<'_> {
        let others = self.others.iter().flat_map(|others| others.digests.iter().copied());
        self.first.into_iter().chain(others)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        let others = self.others.as_ref().map_or(0, |others| others.digests.len());
        usize::from(self.first.is_some()) + others
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Whether there were more.
    pub fn is_cut(&self) -> bool {
        self.others.as_ref().is_some_and(|others| others.is_cut)
    }
}

impl From<Option<Digest>> for Few {
    fn from(one: Option<Digest>) -> Self {
        Self { first: one, others: None }
    }
}

impl FromIterator<Digest> for Few {
    fn from_iter<I: IntoIterator<Item = Digest>>(digests: I) -> Self {
        let mut few = Self::default();
        digests.into_iter().for_each(|digest| few.note(digest));
        few
    }
}

impl Extend<Digest> for Few {
    fn extend<I: IntoIterator<Item = Digest>>(&mut self, digests: I) {
        digests.into_iter().for_each(|digest| self.note(digest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_there_once_and_too_many_are_said_to_be() {
        let mut few: Few = [3, 1, 3, 2].into_iter().map(Digest).collect();
        assert_eq!(few.iter().map(|it| it.0).collect::<Vec<_>>(), [3, 1, 2]);
        (1..=8).for_each(|it| few.note(Digest(it)));
        assert!(few.len() == 8 && !few.is_cut());
        few.note(Digest(9));
        assert!(few.len() == 8 && few.is_cut());
    }
}
