//! Which upstreams each site of the policy has. A reload puts another table in place; connections
//! of sites that stay the same stay open, and what is known of an upstream is kept in any case.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::upstream::{Care, Health, Row, Upstream, UpstreamDeadlines, UpstreamStanding};

/// Where the requests of one site go.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The upstreams: at least one, and at most 32.
    pub upstreams: Vec<Upstream>,
    /// Their deadlines and bounds.
    pub deadlines: UpstreamDeadlines,
    /// How they are looked after.
    pub care: Care,
}

/// A site that is in the table, with what is known of its upstreams.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) site: Site,
    pub(crate) row: Arc<Row>,
}

type Table = BTreeMap<String, Arc<Placed>>;

/// The sites by the name that the policy gives them, shared with all workers.
#[derive(Clone, Debug, Default)]
pub struct Sites(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    version: AtomicU64,
    table: Mutex<Arc<Table>>,
}

impl Site {
    /// With one upstream, and the defaults around it.
    #[must_use]
    pub fn before(upstream: Upstream) -> Self {
        let deadlines = UpstreamDeadlines::default();
        Self { upstreams: vec![upstream], deadlines, care: Care::default() }
    }
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
        let mut placed = self.0.table.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |(name, site): (String, Site)| {
            let before = placed.get(&name);
            let new = match before {
                Some(before) if before.site == site => Arc::clone(before),
                _ => Arc::new(Placed::new(&name, site, before.map(Arc::as_ref))),
            };
            (name, new)
        };
        *placed = Arc::new(table.into_iter().map(place).collect());
        self.0.version.fetch_add(1, Ordering::Release);
    }

    /// How the upstreams of each site stand.
    #[must_use]
    pub fn standings(&self) -> BTreeMap<String, Vec<UpstreamStanding>> {
        let table = self.table();
        table.iter().map(|(name, placed)| (name.clone(), placed.row.standings())).collect()
    }

    /// Changes whenever the table does.
    pub(crate) fn version(&self) -> u64 {
        self.0.version.load(Ordering::Acquire)
    }

    pub(crate) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.0.table.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Placed {
    /// What was known `before` of an upstream that stays is kept.
    fn new(name: &str, site: Site, before: Option<&Self>) -> Self {
        let health = |upstream: &Upstream| {
            let known = before.map(|before| before.row.members.as_slice()).unwrap_or_default();
            let same = known.iter().find(|health| health.upstream() == upstream);
            same.map_or_else(|| Arc::new(Health::new(upstream.clone())), Arc::clone)
        };
        let members = site.upstreams.iter().map(health).collect();
        let row = Arc::new(Row::new(name, site.care.clone(), members));
        Self { site, row }
    }
}
