//! Patterns in use, by their texts.
//!
//! A rule set that takes another's place has most patterns in common with it, and some of its own
//! rules share theirs. Each text is compiled once for as long as anybody holds it: so a reload
//! compiles what has changed, and what running the others takes is still there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// What nobody holds any more is swept out when there are so many texts, and twice as many as were
/// in use then.
const TEXTS_MIN: usize = 1_024;

/// Things by the texts that they were made from.
pub(super) struct Shared<T>(Mutex<ByText<T>>);

struct ByText<T> {
    known: BTreeMap<Box<[u8]>, Weak<T>>,
    sweep_at: usize,
}

impl<T> Shared<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(ByText { known: BTreeMap::new(), sweep_at: TEXTS_MIN }))
    }

    /// What was made from that text, or is now.
    pub(super) fn get<E>(
        &self,
        text: &[u8],
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let locked = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = locked().known.get(text).and_then(Weak::upgrade) {
            return Ok(known);
        }
        // Nobody waits while it is made; two may make the same at once.
        let made = Arc::new(make()?);
        let mut by_text = locked();
        by_text.known.insert(text.into(), Arc::downgrade(&made));
        if by_text.known.len() >= by_text.sweep_at {
            by_text.known.retain(|_, known| known.strong_count() > 0);
            by_text.sweep_at = TEXTS_MIN.max(2 * by_text.known.len());
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_made_once_for_as_long_as_it_is_held() {
        let shared = Shared::<usize>::new();
        let get = |text: &str, value| shared.get(text.as_bytes(), || Ok::<_, ()>(value));
        let first = get("a", 1).expect("made");
        assert!(Arc::ptr_eq(&first, &get("a", 2).expect("known")));
        drop(first);
        assert_eq!(get("a", 3), Ok(Arc::new(3)));
        assert_eq!(shared.get(b"b", || Err(4)), Err(4));
        let held: Vec<_> = (0..2_000).map(|at| get(&at.to_string(), at).expect("made")).collect();
        for at in 0..20_000 {
            get(&format!("passing {at}"), at).expect("made");
        }
        let texts = shared.0.lock().expect("no panic").known.len();
        assert!((2_000..=4_096).contains(&texts), "{texts}");
        assert!(held.iter().enumerate().all(|(at, it)| **it == at));
    }
}
