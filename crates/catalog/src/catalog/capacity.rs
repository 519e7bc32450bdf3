//! How large the tables of a catalog may become, from the memory that it is given.

use crate::{issued, waiting};

/// The capacities.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Capacity {
    pub(super) endpoints: usize,
    pub(super) nodes: usize,
    pub(super) issued: usize,
    pub(super) waiting: usize,
}

/// An endpoint at its largest: all its parameters with long names, all clusters, all sketches.
const ENDPOINT_BYTES: usize = 14 * 1024;
/// A node with its text and its places in lists.
const NODE_BYTES: usize = 320;
/// Nodes a template needs beyond those that it shares with others, with room for deep paths.
const NODES_AN_ENDPOINT: usize = 4;
/// No API has more that a person could look at, and a look-up stays short.
const ENDPOINTS_MAX: usize = 2_000;
const ENDPOINTS_MIN: usize = 32;

impl Capacity {
    /// A fifth of the memory is for credentials and what waits, the rest for endpoints.
    pub(super) fn of(bytes_max: usize) -> Self {
        let endpoint_bytes = ENDPOINT_BYTES + NODES_AN_ENDPOINT * NODE_BYTES;
        let endpoints = (bytes_max / 5 * 4 / endpoint_bytes).clamp(ENDPOINTS_MIN, ENDPOINTS_MAX);
        let issued = (bytes_max / 8 / issued::ENTRY_BYTES).clamp(256, 65_536);
        let waiting = (bytes_max / 16 / waiting::ENTRY_BYTES).clamp(64, 4_096);
        Self { endpoints, nodes: endpoints * NODES_AN_ENDPOINT, issued, waiting }
    }

    /// Of the endpoints, how many may be there that only ever refused.
    pub(super) const fn unproven(&self) -> usize {
        self.endpoints / 8
    }
}
