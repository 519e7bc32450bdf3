//! What the matches of a part of a pattern begin and end with, and what stands where parts meet.

use super::Strings;

/// So much of a beginning or an end is kept.
const BYTES_MAX: usize = 3;
/// More beginnings or ends are none: one of them is in every value.
const STRINGS_MAX: usize = 64;
/// So many literals may stand where two parts meet.
const MEETING_MAX: usize = 512;

/// The beginnings and ends of whatever a part matches.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    /// A match that is not empty begins with one of these, none of them empty; nothing is known
    /// where there is no set.
    first: Option<Strings>,
    /// The same of its end.
    last: Option<Strings>,
    /// May it match nothing at all?
    may_be_empty: bool,
}

impl Ends {
    /// Of a part that matches exactly these.
    pub(super) fn of(exact: &Strings) -> Self {
        let cut = |side: Side| {
            let strings = exact.iter().filter(|it| !it.is_empty());
            side.bounded(strings.map(|it| side.cut(it, BYTES_MAX)).collect())
        };
        let may_be_empty = exact.iter().any(Vec::is_empty);
        Self { first: cut(Side::First), last: cut(Side::Last), may_be_empty }
    }

    /// Of the same part, when it may be left out.
    pub(super) fn or_empty(self) -> Self {
        Self { may_be_empty: true, ..self }
    }

    /// Of a part that is one of these.
    pub(super) fn either<'e>(branches: impl Iterator<Item = &'e Self>) -> Self {
        let (first, last) = (Some(Strings::new()), Some(Strings::new()));
        let none = Self { first, last, may_be_empty: false };
        branches.fold(none, |all, branch| Self {
            first: Side::First.united(all.first, branch.first.as_ref()),
            last: Side::Last.united(all.last, branch.last.as_ref()),
            may_be_empty: all.may_be_empty || branch.may_be_empty,
        })
    }

    /// Of this part and another one behind it.
    fn followed_by(&self, next: &Self) -> Self {
        let first = if self.may_be_empty {
            Side::First.united(self.first.clone(), next.first.as_ref())
        } else {
            self.first.clone()
        };
        let last = if next.may_be_empty {
            Side::Last.united(next.last.clone(), self.last.as_ref())
        } else {
            next.last.clone()
        };
        Self { first, last, may_be_empty: self.may_be_empty && next.may_be_empty }
    }
}

/// The ends of parts that stand side by side, and the sets of literals of which one each stands
/// where they meet.
pub(super) fn joined(parts: &[Ends]) -> (Ends, Vec<Strings>) {
    let empty = Ends::of(&Strings::from([Vec::new()]));
    // What follows each part, from the last one on.
    let mut behind = vec![empty.clone()];
    for part in parts.iter().rev() {
        let next = behind.last().map_or_else(|| empty.clone(), |next| part.followed_by(next));
        behind.push(next);
    }
    behind.pop();
    let mut before = empty;
    let mut meeting = Vec::new();
    for part in parts {
        before = before.followed_by(part);
        if let Some(next) = behind.pop() {
            meeting.extend(met(&before, &next));
        }
    }
    (before, meeting)
}

/// What stands where something that ends so meets something that begins so.
fn met(before: &Ends, next: &Ends) -> Option<Strings> {
    let (last, first) = (before.last.as_ref()?, next.first.as_ref()?);
    if before.may_be_empty || next.may_be_empty || last.len() * first.len() > MEETING_MAX {
        return None;
    }
    let pairs = last.iter().flat_map(|last| first.iter().map(|first| [&last[..], first].concat()));
    Some(pairs.collect())
}

/// An end of a string.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Side {
    First,
    Last,
}

impl Side {
    /// So many bytes of the string at this end.
    fn cut(self, string: &[u8], bytes: usize) -> Vec<u8> {
        let rest = string.len().saturating_sub(bytes);
        let part = if self == Self::First { string.get(..bytes) } else { string.get(rest..) };
        part.unwrap_or(string).to_vec()
    }

    fn united(self, all: Option<Strings>, more: Option<&Strings>) -> Option<Strings> {
        let mut all = all?;
        all.extend(more?.iter().cloned());
        self.bounded(all)
    }

    /// The strings if they are few, or the bytes at their ends if these are.
    fn bounded(self, strings: Strings) -> Option<Strings> {
        if strings.len() <= STRINGS_MAX {
            return Some(strings);
        }
        let bytes: Strings = strings.iter().map(|it| self.cut(it, 1)).collect();
        (bytes.len() <= STRINGS_MAX).then_some(bytes)
    }
}
