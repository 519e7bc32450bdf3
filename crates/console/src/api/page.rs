//! Long lists, part by part.
//!
//! A cursor names the last entry that was shown, by what the list is sorted by. So it stays good
//! when entries come and go meanwhile: none is shown twice, and none that was there all along is
//! left out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::limited;
use crate::refused::Refused;

/// Which part of a list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// Go on there: the `next` of the part before.
    cursor: Option<String>,
    /// At most so many; 100 without.
    #[schemars(range(min = 1, max = 10_000))]
    limit: Option<usize>,
}

/// Where a part begins, and how long it may be.
#[derive(Debug)]
pub(crate) struct Part<K> {
    pub(crate) after: Option<K>,
    pub(crate) limit: usize,
}

impl PageQuery {
    /// What is meant by it, in a list that is sorted by `K`.
    pub(crate) fn read<K: DeserializeOwned>(&self) -> Result<Part<K>, Refused> {
        part(self.cursor.as_deref(), self.limit)
    }
}

/// The same, of a query that asks for more besides.
pub(crate) fn part<K: DeserializeOwned>(
    cursor: Option<&str>,
    limit: Option<usize>,
) -> Result<Part<K>, Refused> {
    Ok(Part { after: cursor.map(read).transpose()?, limit: limited(limit)? })
}

impl<K: Ord + Serialize> Part<K> {
    /// This part of a list that is sorted by `key`, and the cursor of the next one.
    pub(crate) fn of<T>(
        &self,
        mut sorted: Vec<T>,
        key: impl Fn(&T) -> K,
    ) -> (Vec<T>, Option<String>) {
        if let Some(after) = &self.after {
            let shown = sorted.partition_point(|entry| key(entry) <= *after);
            sorted.drain(..shown);
        }
        let has_more = sorted.len() > self.limit;
        sorted.truncate(self.limit);
        let last = sorted.last().filter(|_| has_more);
        let next = last.map(|last| cursor(&key(last)));
        (sorted, next)
    }
}

/// A place in a list as it is handed out.
pub(crate) fn cursor<K: Serialize>(key: &K) -> String {
    // Keys are numbers and texts, which always can be written.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

/// The place that a cursor names.
fn read<K: DeserializeOwned>(cursor: &str) -> Result<K, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let key = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    // Like a page that is not there.
    key.ok_or_else(|| Refused::missing("the cursor names no place in this list"))
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use super::*;

    /// Walks a whole list in parts; `between` happens to it after each.
    fn walk(mut list: Vec<u32>, limit: usize, mut between: impl FnMut(&mut Vec<u32>)) -> Vec<u32> {
        let (mut seen, mut query) = (Vec::new(), PageQuery { cursor: None, limit: Some(limit) });
        loop {
            let part: Part<Reverse<u32>> = query.read().expect("a part");
            let (shown, next) = part.of(list.clone(), |entry| Reverse(*entry));
            assert!(shown.len() <= limit);
            seen.extend(shown);
            let Some(next) = next else { return seen };
            query.cursor = Some(next);
            between(&mut list);
        }
    }

    #[test]
    fn parts_make_up_the_whole_even_while_it_changes() {
        let list: Vec<u32> = (0..25).rev().collect();
        for limit in [1, 2, 7, 24, 25, 26] {
            assert_eq!(walk(list.clone(), limit, |_| {}), list, "{limit}");
        }
        // New entries come at the top, and the one that was shown last goes.
        let mut newest = 100;
        let seen = walk(list.clone(), 5, |list| {
            list.insert(0, newest);
            newest += 1;
            list.retain(|entry| *entry != 20);
        });
        assert_eq!(seen, list);
    }

    #[test]
    fn what_is_no_cursor_is_told_so() {
        for wrong in ["", "x", "!", "eyJhIjoxfQ"] {
            let query = PageQuery { cursor: Some(wrong.to_owned()), limit: None };
            assert!(query.read::<Reverse<u32>>().is_err(), "{wrong}");
        }
    }
}
