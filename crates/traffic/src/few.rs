//! A few digests, each once: what one request names of a kind.
//!
//! Fixed in size and copied like a number. A request that names more is not read as if it named
//! fewer: that it was cut is kept, because what does not fit may be what counts.

use crate::hash::Digest;

/// No honest request names more of one kind.
const FEW: usize = 8;

/// See the module.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Few {
    digests: [Digest; FEW],
    count: u8,
    is_cut: bool,
}

impl Few {
    /// Notes one more, unless it is there.
    pub fn note(&mut self, digest: Digest) {
        if self.iter().any(|known| known == digest) {
            return;
        }
        match self.digests.get_mut(usize::from(self.count)) {
            Some(place) => {
                *place = digest;
                self.count += 1;
            }
            None => self.is_cut = true,
        }
    }

    /// All of them, in the order in which they were noted.
    pub fn iter(&self) -> impl Iterator<Item = Digest> + use<> {
        self.digests.into_iter().take(usize::from(self.count))
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether there were more.
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }
}

impl From<Option<Digest>> for Few {
    fn from(one: Option<Digest>) -> Self {
        one.into_iter().collect()
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
