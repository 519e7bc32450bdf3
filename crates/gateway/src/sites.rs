//! Which upstream each site of the policy has. A reload puts another table in place; connections to
//! upstreams that stay the same stay open.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::upstream::{Upstream, UpstreamDeadlines};

/// Where the requests of one site go.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The upstream.
    pub upstream: Upstream,
    /// Its deadlines and bounds.
    pub deadlines: UpstreamDeadlines,
}

/// The sites by the name that the policy gives them, shared with all workers.
#[derive(Clone, Debug, Default)]
pub struct Sites(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    version: AtomicU64,
    table: Mutex<Arc<BTreeMap<String, Site>>>,
}

impl Sites {
    /// A table to start with.
    #[must_use]
    pub fn new(table: BTreeMap<String, Site>) -> Self {
        let sites = Self::default();
        sites.replace(table);
        sites
    }

    /// Puts another table in place. Requests under way stay where they are.
    pub fn replace(&self, table: BTreeMap<String, Site>) {
        *self.0.table.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        self.0.version.fetch_add(1, Ordering::Release);
    }

    /// Changes whenever the table does.
    pub(crate) fn version(&self) -> u64 {
        self.0.version.load(Ordering::Acquire)
    }

    pub(crate) fn table(&self) -> Arc<BTreeMap<String, Site>> {
        Arc::clone(&self.0.table.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
