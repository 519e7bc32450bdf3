//! The byte that resembles a code point most, for `%uHHHH`.
//!
//! The table is the best-fit map of code page 20127 (US-ASCII), which IIS decodes with and which
//! ModSecurity's `SecUnicodeMapFile` selects by that number. What it does not name falls back to
//! the low byte, and of the full-width forms U+FF01 to U+FF5E to the ASCII character they show.

/// Runs of code points: the first, and for each from there the byte it resembles, `?` for none:
/// nothing resembles a question mark.
const RUNS: [(u16, &[u8]); 17] = [
    (
        0x00a0,
        b" !c?$Y|??Ca<?-R???23???.,1o>????AAAAAAACEEEEIIIIDNOOOOO?OUUUUY?\
          ?aaaaaaaceeeeiiii?nooooo?ouuuuy?yAaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhI\
          iIiIiIiIi??JjKk?LlLlLl??LlNnNnNn???OoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuU\
          uUuUuWwYyYZ?ZzZz?b",
    ),
    (0x0189, b"D"),
    (0x0191, b"Ff????I??l????OOo"),
    (0x01ab, b"t??TUu"),
    (0x01b6, b"z"),
    (0x01cd, b"AaIiOoUuUuUuUuUu?Aa????GgGgKkOoOo??j"),
    (0x0261, b"g"),
    (0x02b9, b"'\"?'"),
    (0x02c4, b"^?^?'??`?_"),
    (0x02dc, b"~"),
    (0x0300, b"`?^~"),
    (0x030e, b"\""),
    (0x0331, b"__"),
    (0x2000, b"       "),
    (0x2010, b"--?--???'',?\"\"\"???.???."),
    (0x2032, b"'??`???<>"),
    (0x2122, b"T"),
];

/// The byte for a code point of the basic plane.
pub(super) fn byte(code: u16) -> u8 {
    if let Some(byte) = resembling(code) {
        return byte;
    }
    let [high, low] = code.to_be_bytes();
    if high == 0xff && (0x01..=0x5e).contains(&low) { low + 0x20 } else { low }
}

fn resembling(code: u16) -> Option<u8> {
    let after = RUNS.partition_point(|(first, _)| *first <= code);
    let (first, bytes) = RUNS.get(after.checked_sub(1)?)?;
    let byte = bytes.get(usize::from(code - first))?;
    (*byte != b'?').then_some(*byte)
}
