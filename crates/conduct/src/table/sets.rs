//! The memory of a table: sets of places, taken a page at a time when something first lands there.
//!
//! A site with a hundred callers thus does not pay for the million that its table is bounded by.

/// Places of a set.
pub(super) const WAYS: usize = 8;
/// Sets that are taken together have about this much.
const PAGE_BYTES: usize = 4_096;

/// A place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot<V> {
    /// Zero is an empty place.
    pub(super) key: u64,
    pub(super) value: V,
}

/// The places that a key may have.
pub(super) type Set<V> = [Slot<V>; WAYS];

/// A fixed number of sets.
#[derive(Clone, Debug)]
pub(super) struct Sets<V> {
    /// Empty until something lands there.
    pages: Vec<Vec<Set<V>>>,
    count: usize,
}

impl<V: Copy + Default> Sets<V> {
    const PER_PAGE: usize = {
        let fitting = PAGE_BYTES / size_of::<Set<V>>();
        if fitting == 0 { 1 } else { fitting }
    };

    pub(super) fn new(count: usize) -> Self {
        Self { pages: vec![Vec::new(); count.div_ceil(Self::PER_PAGE)], count }
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// A set, where something landed in its page.
    pub(super) fn get(&self, at: usize) -> Option<&Set<V>> {
        self.pages.get(at / Self::PER_PAGE)?.get(at % Self::PER_PAGE)
    }

    /// A set, to put something there.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Set<V>> {
        let page = self.pages.get_mut(at / Self::PER_PAGE)?;
        if page.is_empty() {
            *page = vec![[Slot::default(); WAYS]; Self::PER_PAGE];
        }
        page.get_mut(at % Self::PER_PAGE)
    }

    /// The first set at or after `at` whose page is taken.
    pub(super) fn next_taken(&self, at: usize) -> Option<usize> {
        let page = at / Self::PER_PAGE;
        let beyond = self.pages.get(page..)?.iter().position(|page| !page.is_empty())?;
        let next = at.max((page + beyond) * Self::PER_PAGE);
        (next < self.count).then_some(next)
    }
}
