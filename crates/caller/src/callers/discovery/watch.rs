//! The record of one slot under watch, and the tests it must pass.

use serde::{Deserialize, Serialize};
use traffic::{Digest, Timestamp};

use super::{Presented, SlotView};
use crate::callers::count::Distinct;
use crate::credential::{Credential, Place, Slot, UNGUESSABLE_BITS};

/// Values that are followed one by one.
const SAMPLES: usize = 64;
/// Fewer requests prove nothing by their numbers.
const REQUESTS_MIN: u32 = 100;
/// Fewer requests on either side prove no difference.
const COMPARED_MIN: u32 = 20;
/// So many distinct values that were never handed out are somebody else's.
const FOREIGN_VALUES_MIN: u32 = 20;
/// Counts are halved after an hour in which there were enough to judge by.
const LIVES_MAX: u8 = 8;
const WINDOW_S: u32 = 3_600;
const WINDOW_REQUESTS: u32 = 1_000;

/// Successes and refusals of all exchanges.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Totals {
    success: u32,
    refused: u32,
}

/// One slot under watch.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Watch {
    pub(super) slot: Slot,
    pub(super) requests: u32,
    /// How often it must still be passed over before it gives way to another slot.
    lives: u8,
    /// What the tests added up to when they were last done.
    pub(super) centinats: i32,
    window_start_s: u32,
    success: u32,
    refused: u32,
    /// Uses of values that the API handed out.
    issued: u32,
    /// First uses of values that it handed out at a log-in.
    entered: u32,
    /// Values hard enough to guess.
    unguessable: u32,
    values: Distinct,
    samples: Vec<Sample>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Sample {
    value: u64,
    device: u64,
    uses: u16,
    uses_by_device: u16,
}

/// One test: what it is called, and what it adds when it applies.
struct Test {
    applies: bool,
    centinats: i32,
    phrase: &'static str,
}

// === impl Totals ===

impl Totals {
    pub(super) fn count(&mut self, success: bool, refused: bool) {
        self.success += u32::from(success);
        self.refused += u32::from(refused);
        if self.success.max(self.refused) > 1 << 20 {
            self.success /= 2;
            self.refused /= 2;
        }
    }
}

// === impl Watch ===

impl Watch {
    /// What one takes, about.
    pub(super) const BYTES: usize = size_of::<Self>() + SAMPLES * size_of::<Sample>();

    pub(super) fn new(slot: Slot, now: Timestamp) -> Self {
        // Kept in a table that is stored, so its name must be fit for that.
        let slot = Slot { name: slot.name.storable(), ..slot };
        Self {
            slot,
            requests: 0,
            lives: 0,
            centinats: 0,
            window_start_s: now.as_secs(),
            success: 0,
            refused: 0,
            issued: 0,
            entered: 0,
            unguessable: 0,
            values: Distinct::default(),
            samples: Vec::new(),
        }
    }

    pub(super) fn note(&mut self, credential: &Credential, seen: Presented) {
        self.requests += 1;
        self.lives = (self.lives + 1).min(LIVES_MAX);
        self.success += u32::from(seen.success);
        self.refused += u32::from(seen.refused);
        self.issued += u32::from(seen.issued);
        self.entered += u32::from(seen.entered);
        self.unguessable += u32::from(credential.bits >= UNGUESSABLE_BITS);
        self.values.note(credential.value);
        self.sample(credential.value, seen.device);
    }

    /// Whether nobody has used it for a while, as those see it who want its place.
    pub(super) fn gives_way(&mut self) -> bool {
        let is_last = self.lives == 0;
        self.lives = self.lives.saturating_sub(1);
        is_last
    }

    /// Halves the counts once the window is full, so that what an API stops doing is forgotten.
    pub(super) fn rotate(&mut self, now: Timestamp) {
        let is_old = now.as_secs().saturating_sub(self.window_start_s) >= WINDOW_S;
        if !is_old || self.requests < WINDOW_REQUESTS {
            return;
        }
        self.window_start_s = now.as_secs();
        let counts = [
            &mut self.requests,
            &mut self.success,
            &mut self.refused,
            &mut self.issued,
            &mut self.unguessable,
        ];
        for count in counts {
            *count /= 2;
        }
        self.values = Distinct::default();
        self.samples.clear();
    }

    pub(super) fn evaluate(&mut self, totals: &Totals) {
        if self.requests >= REQUESTS_MIN || self.entered > 0 {
            self.centinats = self
                .tests(totals)
                .iter()
                .filter(|test| test.applies)
                .map(|test| test.centinats)
                .sum();
        }
    }

    pub(super) fn view(&self, totals: &Totals, session_centinats: i32) -> SlotView {
        let is_key = self.slot.place != Place::Cookie;
        let tests = self.tests(totals);
        let applying = tests.iter().filter(|test| test.applies).map(|test| test.phrase);
        let by_place = is_key.then_some("made for keys");
        #[expect(clippy::cast_precision_loss, reason = "a few hundred centinats are exact in f32")]
        let nats = self.centinats as f32 / 100.0;
        SlotView {
            slot: self.slot.to_string(),
            nats,
            is_session: (is_key && self.unguessable > 0) || self.centinats >= session_centinats,
            requests: self.requests,
            values: self.values.estimate(),
            reasons: by_place.into_iter().chain(applying).collect(),
        }
    }

    /// The tests, with what each adds.
    fn tests(&self, totals: &Totals) -> [Test; 8] {
        let values = self.values.estimate();
        let known: Vec<&Sample> = self.samples.iter().filter(|sample| sample.uses > 0).collect();
        let reused = known.iter().filter(|sample| sample.uses >= 3).count();
        let uses: u32 = known.iter().map(|sample| u32::from(sample.uses)).sum();
        let by_one: u32 = known.iter().map(|sample| u32::from(sample.uses_by_device)).sum();
        let enough = self.requests >= REQUESTS_MIN;
        let is_issued = self.entered > 0 || (enough && self.issued * 10 >= self.requests);
        let guards = self.guards(totals);
        let is_foreign = self.issued == 0
            && self.slot.place == Place::Cookie
            && values >= FOREIGN_VALUES_MIN
            && !guards;
        let test = |applies, centinats, phrase| Test { applies, centinats, phrase };
        // One value in two thousand requests to one in two: neither a constant nor a nonce.
        let is_varied = enough && values * 2_000 >= self.requests && values * 2 <= self.requests;
        [
            test(is_varied, 100, "many values, each used more than once"),
            test(enough && reused * 2 >= known.len() && !known.is_empty(), 150, "values come back"),
            test(enough && by_one * 10 >= uses * 9 && uses > 0, 150, "each stays with one device"),
            test(self.unguessable * 10 >= self.requests * 9, 100, "too long to guess"),
            test(is_issued, 300, "handed out by the API"),
            test(self.entered > 0, 300, "handed out at a log-in and then used"),
            test(guards, 300, "without it requests are refused"),
            test(is_foreign, -400, "not handed out by the API"),
        ]
    }

    /// Whether requests with the slot succeed at least three times as often as those without.
    fn guards(&self, totals: &Totals) -> bool {
        let without_success = u64::from(totals.success.saturating_sub(self.success));
        let without = without_success + u64::from(totals.refused.saturating_sub(self.refused));
        let with = u64::from(self.success) + u64::from(self.refused);
        let compared_min = u64::from(COMPARED_MIN);
        with >= compared_min
            && without >= compared_min
            && u64::from(self.success) * without >= 3 * without_success * with
    }

    fn sample(&mut self, value: Digest, device: Digest) {
        if self.samples.is_empty() {
            self.samples = vec![Sample::default(); SAMPLES];
        }
        // The high bits choose the place: the low ones choose the bit of the bitmap.
        let at = usize::try_from(value.0 >> 58).unwrap_or(0);
        let Some(sample) = self.samples.get_mut(at) else {
            return;
        };
        if sample.uses == 0 {
            *sample = Sample { value: value.0, device: device.0, uses: 0, uses_by_device: 0 };
        }
        if sample.value == value.0 && sample.uses < u16::MAX {
            sample.uses += 1;
            sample.uses_by_device += u16::from(sample.device == device.0);
        }
    }
}
