//! Which slot of an API carries its sessions, found from traffic alone.
//!
//! Each slot that requests present is watched: whether its values come back, whether each stays
//! with one device, whether the API itself hands them out, whether requests without it are
//! refused. The tests add up in nats, as evidence does everywhere. Slots that are made for keys
//! (Bearer, `X-Api-Key`) need no discovery; they are watched for display.
//!
//! Callers choose names, so slots are bounded, and one that proved itself is never displaced.

use traffic::slices::{SliceReader, SliceWriter, Sliced};
use traffic::{Digest, Timestamp};

use crate::credential::{Credential, Place, Slot, UNGUESSABLE_BITS};

mod watch;

use watch::{Totals, Watch};

/// At this much evidence a slot carries sessions.
const SESSION_CENTINATS: i32 = 500;
/// A slot's evidence is added up again after so many requests that present it.
const EVALUATE_EVERY: u32 = 32;

/// What an exchange said about one credential it presented.
#[derive(Clone, Copy, Debug)]
pub(super) struct Presented {
    pub(super) device: Digest,
    pub(super) success: bool,
    pub(super) refused: bool,
    /// The API handed this value out.
    pub(super) issued: bool,
    /// It was handed out at a log-in, and this is its first use.
    pub(super) entered: bool,
}

/// One slot, for display.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotView {
    /// The slot, as text: `cookie sid`.
    pub slot: String,
    /// Evidence that it carries sessions, in nats.
    pub nats: f32,
    /// Whether it counts as a session.
    pub is_session: bool,
    /// Requests that presented it lately.
    pub requests: u32,
    /// Distinct values among them, estimated.
    pub values: u32,
    /// The tests that applied, each as a phrase.
    pub reasons: Vec<&'static str>,
}

/// All slots under watch.
#[derive(Clone, Debug)]
pub(super) struct Discovery {
    /// The keys of the slots in their order: what a search reads.
    keys: Vec<Digest>,
    slots: Vec<Watch>,
    slots_max: u16,
    /// The slot that a newcomer looks at next for room.
    hand: u16,
    totals: Totals,
}

impl Discovery {
    pub(super) fn new(bytes_max: usize) -> Self {
        let slots_max = u16::try_from(bytes_max / Watch::BYTES).unwrap_or(u16::MAX).clamp(16, 200);
        Self { keys: Vec::new(), slots: Vec::new(), slots_max, hand: 0, totals: Totals::default() }
    }

    /// How much a credential's slot speaks for it carrying the session; `None`: not enough.
    pub(super) fn session_rank(&self, credential: &Credential) -> Option<i32> {
        match credential.slot.place {
            Place::Cookie => {}
            // A name and a password: easy to guess, but it names its account by itself.
            Place::Basic => return Some(i32::MAX - 1),
            _ => return credential.speaks_for_itself().then_some(i32::MAX),
        }
        let watch = self.find(&credential.slot)?;
        (watch.centinats >= SESSION_CENTINATS && credential.bits >= UNGUESSABLE_BITS)
            .then_some(watch.centinats)
    }

    /// One exchange, whatever it presented.
    pub(super) fn count(&mut self, success: bool, refused: bool) {
        self.totals.count(success, refused);
    }

    /// One credential of it.
    pub(super) fn note(&mut self, credential: &Credential, seen: Presented, now: Timestamp) {
        let Some(at) = self.place(&credential.slot, now) else {
            return;
        };
        let totals = self.totals;
        let Some(watch) = self.slots.get_mut(at) else {
            return;
        };
        watch.note(credential, seen);
        if seen.entered || watch.requests.is_multiple_of(EVALUATE_EVERY) {
            watch.evaluate(&totals);
        }
        watch.rotate(now);
    }

    /// All slots, the most telling first.
    pub(super) fn views(&self) -> Vec<SlotView> {
        let mut views: Vec<SlotView> =
            self.slots.iter().map(|watch| watch.view(&self.totals, SESSION_CENTINATS)).collect();
        views.sort_by(|a, b| b.nats.total_cmp(&a.nats).then_with(|| a.slot.cmp(&b.slot)));
        views
    }

    /// Takes in a slot that was watched before; when there is no room, the least proven goes.
    fn admit(&mut self, moved: Watch) {
        if self.keys.contains(&moved.slot.key) {
            return;
        }
        if self.slots.len() < usize::from(self.slots_max) {
            self.keys.push(moved.slot.key);
            self.slots.push(moved);
            return;
        }
        let least = self.slots.iter_mut().zip(&mut self.keys).min_by_key(|(watch, key)| {
            let key = **key;
            (watch.centinats, std::cmp::Reverse(key))
        });
        if let Some((watch, key)) = least.filter(|(watch, _)| watch.centinats < moved.centinats) {
            *key = moved.slot.key;
            *watch = moved;
        }
    }

    fn find(&self, slot: &Slot) -> Option<&Watch> {
        let at = self.keys.iter().position(|key| *key == slot.key)?;
        self.slots.get(at)
    }

    /// The place of a slot, making room for it if something less proven can go.
    fn place(&mut self, slot: &Slot, now: Timestamp) -> Option<usize> {
        if let Some(at) = self.keys.iter().position(|key| *key == slot.key) {
            return Some(at);
        }
        if self.slots.len() < usize::from(self.slots_max) {
            self.keys.push(slot.key);
            self.slots.push(Watch::new(*slot, now));
            return Some(self.slots.len() - 1);
        }
        let at = usize::from(self.hand);
        self.hand = (self.hand + 1) % self.slots_max;
        let victim = self.slots.get_mut(at)?;
        // A slot in use gives way only bit by bit, or a flood of names would empty the watch.
        if victim.centinats >= SESSION_CENTINATS || !victim.gives_way() {
            return None;
        }
        *victim = Watch::new(*slot, now);
        *self.keys.get_mut(at)? = slot.key;
        Some(at)
    }
}

// === slices: the totals and whose turn it is, and some slots in their order ===

impl Sliced for Discovery {
    fn write_slice(&self, from: u64, slice: &mut SliceWriter) -> Option<u64> {
        slice.push(&(self.totals, self.hand));
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        for (at, watch) in self.slots.iter().enumerate().skip(from) {
            if slice.is_full() {
                return u64::try_from(at).ok();
            }
            slice.push(watch);
        }
        None
    }

    fn read_slice(&mut self, slice: &mut SliceReader<'_>, _: Timestamp) -> Option<()> {
        let hand: u16;
        (self.totals, hand) = slice.pull()?;
        self.hand = hand % self.slots_max;
        while !slice.is_empty() {
            self.admit(slice.pull()?);
        }
        Some(())
    }
}
