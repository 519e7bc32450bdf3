//! Moving what hangs on one node of the tree to another, endpoints and all.

use std::collections::VecDeque;

use traffic::EndpointId;

use super::Catalog;

/// Endpoints whose former number is remembered.
const MOVED_MAX: usize = 4_096;

impl Catalog {
    /// Moves everything at and below `from` to `to`. Endpoints that meet become one, under the
    /// number of the one that is there. `from` is left without anything on it.
    pub(super) fn merge_nodes(&mut self, from: u32, to: u32) {
        let mut open = VecDeque::from([(from, to)]);
        while let Some((from, to)) = open.pop_front() {
            if from == to {
                continue;
            }
            self.move_endpoints(from, to);
            let Some(node) = self.tree.node_mut(from) else { continue };
            let literals = std::mem::take(&mut node.literals);
            let parameter = node.parameter.take();
            for (digest, child) in literals {
                let Some(there) = self.tree.node(to) else { continue };
                match there.literal(digest) {
                    Some(twin) => open.push_back((child, twin)),
                    None => {
                        if let Some(child) = self.tree.node_mut(child) {
                            child.parent = Some(to);
                        }
                        if let Some(there) = self.tree.node_mut(to) {
                            there.add_literal(digest, child);
                        }
                    }
                }
            }
            if let Some(child) = parameter {
                match self.tree.node(to).and_then(|there| there.parameter) {
                    Some(twin) => {
                        self.tree.widen_like(twin, child);
                        open.push_back((child, twin));
                    }
                    None => {
                        if let Some(child) = self.tree.node_mut(child) {
                            child.parent = Some(to);
                        }
                        if let Some(there) = self.tree.node_mut(to) {
                            there.parameter = Some(child);
                        }
                    }
                }
            }
            self.tree.remove(from);
        }
        self.revision = self.revision.wrapping_add(1);
    }

    fn move_endpoints(&mut self, from: u32, to: u32) {
        let Some(node) = self.tree.node_mut(from) else { return };
        for (verb, id) in std::mem::take(&mut node.endpoints) {
            match self.tree.node(to).and_then(|there| there.endpoint(&verb)) {
                Some(twin) => self.merge_endpoints(id, twin),
                None => {
                    if let Some(endpoint) = self.endpoints.get_mut(&id) {
                        endpoint.node = to;
                    }
                    self.tree.add_endpoint(to, verb, id);
                }
            }
        }
    }

    fn merge_endpoints(&mut self, from: EndpointId, to: EndpointId) {
        let Some(gone) = self.endpoints.remove(&from) else { return };
        if let Some(kept) = self.endpoints.get_mut(&to) {
            let unproven_before = u32::from(!gone.is_proven) + u32::from(!kept.is_proven);
            kept.merge(&gone);
            let unproven_after = u32::from(!kept.is_proven);
            self.unproven =
                self.unproven.saturating_sub(unproven_before.saturating_sub(unproven_after));
        }
        if self.moved.len() >= MOVED_MAX {
            self.moved.pop_first();
        }
        self.moved.insert(from, to);
    }
}
