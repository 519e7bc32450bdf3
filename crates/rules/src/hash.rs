//! Hashes of short texts, for tables in memory.

/// A hash that begins with `start`: eight bytes at a time, each mixed in by a multiplication. Where
/// callers choose the texts and a collision costs something, start and factor are to be unknown.
pub(crate) fn hash(start: u64, factor: u64, text: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * u128::from(factor);
        // Both halves, so that no bit of the product is lost.
        #[allow(clippy::cast_possible_truncation, reason = "the low half is meant")]
        let low = product as u64;
        low ^ u64::try_from(product >> 64).unwrap_or_default()
    };
    let mut hash = mix(start, text.len() as u64);
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        hash = mix(hash, u64::from_be_bytes(*word));
    }
    let rest = rest.iter().fold(1, |word, byte| word << 8 | u64::from(*byte));
    mix(hash, rest)
}
