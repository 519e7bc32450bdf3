//! What an operator found, for `TX.0` to `TX.9`.

use std::ops::Range;

use crate::pattern::Pattern;

use crate::injection::Fingerprint;

/// ModSecurity's `capture` knows the whole match and nine groups.
pub(crate) const GROUPS: usize = 10;

/// Ranges of the value: 0 is the whole match, 1 to 9 are the groups of a pattern.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Captures {
    groups: [Option<Range<usize>>; GROUPS],
    /// What stands for group 0 though the value does not have it.
    fingerprint: Option<Fingerprint>,
}

impl Captures {
    /// Where group `index` was found; nothing when it took no part or there is no such group.
    #[must_use]
    pub fn group(&self, index: usize) -> Option<Range<usize>> {
        self.groups.get(index).cloned().flatten()
    }

    /// What `TX` with that index is: what group `index` is of `value`, in which it was found, or
    /// the fingerprint of SQL injection.
    #[must_use]
    pub fn text<'a>(&'a self, index: usize, value: &'a [u8]) -> Option<&'a [u8]> {
        match &self.fingerprint {
            Some(fingerprint) if index == 0 => Some(fingerprint.as_bytes()),
            _ => value.get(self.group(index)?),
        }
    }

    /// Forgets every group.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn set(&mut self, index: usize, range: Option<Range<usize>>) {
        if let Some(group) = self.groups.get_mut(index) {
            *group = range;
        }
    }

    pub(super) fn set_fingerprint(&mut self, fingerprint: Option<Fingerprint>) {
        self.fingerprint = fingerprint;
    }

    /// The first `count` groups of the first match of `pattern` in `value`; says whether there is
    /// one.
    pub(super) fn read(&mut self, pattern: &Pattern, value: &[u8], count: usize) -> bool {
        pattern.captures(value, self.groups.get_mut(..count).unwrap_or_default())
    }
}
