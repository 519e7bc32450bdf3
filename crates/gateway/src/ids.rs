//! Identifiers that the gateway hands out: event and request IDs, trace contexts.
//!
//! An operating-system call per identifier would show in the cost of a request, so each worker
//! draws from a keyed hash over a counter; the key is random and never leaves the process.

use std::{
    cell::Cell,
    hash::{BuildHasher, RandomState},
};

use http::HeaderValue;
use traffic::{EventId, Timestamp};

pub(crate) struct Ids {
    key: RandomState,
    drawn: Cell<u64>,
}

impl Ids {
    pub(crate) fn new() -> Self {
        Self { key: RandomState::new(), drawn: Cell::new(0) }
    }

    /// A UUID of version 7 (RFC 9562): sorts by time, and cannot be guessed.
    pub(crate) fn event(&self, now: Timestamp) -> EventId {
        let millis = u128::from(now.as_micros() / 1000) & 0xffff_ffff_ffff;
        let random = u128::from(self.draw()) << 64 | u128::from(self.draw());
        let random = random & 0x0fff_3fff_ffff_ffff_ffff;
        EventId(millis << 80 | 0x7000_8000_0000_0000_0000 | random)
    }

    /// A fresh W3C trace context. It is marked as sampled, as a root without a parent would be by
    /// default: marked otherwise it would silence the tracing of everything behind the gateway.
    pub(crate) fn traceparent(&self) -> HeaderValue {
        let (high, low, span) = (self.draw(), self.draw() | 1, self.draw() | 1);
        let mut text = [b'0'; 55];
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            for &byte in bytes {
                if let Some(place) = text.get_mut(at) {
                    *place = byte;
                }
                at += 1;
            }
        };
        put(b"00-");
        put(&hex(high));
        put(&hex(low));
        put(b"-");
        put(&hex(span));
        put(b"-01");
        HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// A number that nobody can guess.
    pub(crate) fn draw(&self) -> u64 {
        let drawn = self.drawn.get();
        self.drawn.set(drawn.wrapping_add(1));
        self.key.hash_one(drawn)
    }
}

/// The two digits of each byte.
const DIGITS: [[u8; 2]; 256] = {
    let (mut pairs, mut at) = ([[0; 2]; 256], 0);
    while at < 256 {
        pairs[at] = [b"0123456789abcdef"[at >> 4], b"0123456789abcdef"[at & 15]];
        at += 1;
    }
    pairs
};

fn hex(value: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (byte, place) in value.to_be_bytes().into_iter().zip(digits.as_chunks_mut::<2>().0) {
        *place = DIGITS[usize::from(byte)];
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_7_in_order_of_time() {
        let ids = Ids::new();
        let early = ids.event(Timestamp::from_micros(1_700_000_000_000_000));
        let late = ids.event(Timestamp::from_micros(1_700_000_000_001_000));
        assert!(early < late);
        let text = early.to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(text.as_bytes()[14], b'7');
        assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        assert_ne!(ids.event(Timestamp::EPOCH), ids.event(Timestamp::EPOCH));
    }

    #[test]
    fn trace_contexts_are_well_formed() {
        let context = Ids::new().traceparent();
        let text = context.to_str().expect("ascii");
        let parts: Vec<_> = text.split('-').map(str::len).collect();
        assert_eq!(parts, [2, 32, 16, 2]);
        assert!(text.starts_with("00-") && text.ends_with("-01"));
    }
}
