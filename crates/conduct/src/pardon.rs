//! What operators have forgiven: six nats less for a week.
//!
//! An undo must hold although the evidence is still there, and must not make anybody immune.

use std::collections::BTreeMap;

use traffic::Digest;
use traffic::slices::Sliced;

use crate::baseline::DAY_S;

const PARDON_S: u32 = 7 * DAY_S;
const PARDON_NATS: f32 = 6.0;
/// Operators undo by hand; who undoes more than this forgets the oldest first.
const PARDONS_MAX: usize = 1_024;

/// Until when each entity is pardoned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pardons(BTreeMap<Digest, u32>);

impl Pardons {
    /// What is kept over a restart.
    pub(crate) const fn part(&mut self) -> &mut dyn Sliced {
        &mut self.0
    }

    pub(crate) fn grant(&mut self, entity: Digest, now_s: u32) {
        self.0.retain(|_, until_s| now_s < *until_s);
        if self.0.len() >= PARDONS_MAX
            && let Some(oldest) = self.0.iter().min_by_key(|(_, until_s)| **until_s)
        {
            let oldest = *oldest.0;
            self.0.remove(&oldest);
        }
        self.0.insert(entity, now_s.saturating_add(PARDON_S));
    }

    /// Evidence against `entity`, less what was forgiven.
    pub(crate) fn apply(&self, entity: Digest, nats: f32, now_s: u32) -> f32 {
        if self.0.is_empty() {
            return nats;
        }
        match self.0.get(&entity) {
            Some(until_s) if now_s < *until_s => (nats - PARDON_NATS).max(0.0),
            _ => nats,
        }
    }
}
