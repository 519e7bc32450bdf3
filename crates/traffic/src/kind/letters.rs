//! Letters alone: words, or drawn at random.
//!
//! A random string has no digits or change of case to give it away when its alphabet is that of
//! words. What it lacks is their habit of which letter follows which: of 676 pairs words keep to
//! about half, whatever the language, and a random string to half of its pairs. Below a third of
//! unusual pairs it is words, run together or not; a random string of twenty letters is taken for
//! words about once in twenty-five, one of forty hardly ever.

/// For each letter those that commonly follow it in European languages written in Latin letters.
const FOLLOWERS: [&[u8]; 26] = [
    b"bcdefgiklmnprstuvyz",
    b"aeilorsu",
    b"aehikloqrstuz",
    b"adeilorstuz",
    b"abcdefgiklmnopqrstuvwxyz",
    b"aefilortu",
    b"aeghilnorsu",
    b"aeilmnortuw",
    b"abcdefgjklmnopqrstvxz",
    b"aeou",
    b"aeilnorstu",
    b"abdefgiklmostuyz",
    b"abeimnopsu",
    b"acdefgikjnostuz",
    b"abcdfgijklmnoprstuvwxz",
    b"aefhilnoprstu",
    b"u",
    b"abcdegiklmnoprstuvwyz",
    b"aceghiklmnopqstuwz",
    b"acehilorstuwyz",
    b"abcdefgilmnoprstz",
    b"aeior",
    b"aehinors",
    b"aeipt",
    b"aelmnops",
    b"aeiotuz",
];

/// The same, a bit for each follower.
const USUAL: [u32; 26] = {
    let mut usual = [0; 26];
    let mut row = 0;
    while row < 26 {
        let mut at = 0;
        while at < FOLLOWERS[row].len() {
            usual[row] |= 1 << (FOLLOWERS[row][at] - b'a');
            at += 1;
        }
        row += 1;
    }
    usual
};

/// Whether the letters in `bytes` follow each other as in no words. Pairs that something else parts
/// are none.
pub(super) fn are_random(bytes: &[u8]) -> bool {
    let (mut pairs, mut unusual) = (0, 0);
    for pair in bytes.windows(2) {
        let &[first, second] = pair else { continue };
        if !first.is_ascii_alphabetic() || !second.is_ascii_alphabetic() {
            continue;
        }
        let place = |letter: u8| letter.to_ascii_lowercase() - b'a';
        let usual = USUAL
            .get(usize::from(place(first)))
            .is_some_and(|followers| followers & (1 << place(second)) != 0);
        pairs += 1;
        unusual += usize::from(!usual);
    }
    pairs > 0 && unusual * 10 >= pairs * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_languages_are_words() {
        for words in [
            "internationalization",
            "passwordresetrequested",
            "xmlhttprequesthandler",
            "rhythmandbluesrecords",
            "keyboardswitchesandcaps",
            "hochgeschwindigkeitszug",
            "kraftfahrzeughaftpflichtversicherung",
            "anticonstitutionnellement",
            "electroencefalografista",
            "verantwoordelijkheid",
            "bezpieczenstwopubliczne",
            "kansainvalinenyhteistyo",
            "nihongonokyoukashoten",
            "the-quick-brown-fox-jumps",
            "NEWYORKJAZZQUARTERLY",
        ] {
            assert!(!are_random(words.as_bytes()), "{words}");
        }
    }

    #[test]
    fn letters_drawn_at_random_are_not() {
        let mut state = 7_u64;
        let mut draw = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            b'a' + u8::try_from((state >> 33) % 26).expect("a letter")
        };
        for (length, least) in [(20, 940), (32, 970), (64, 995)] {
            let found = (0..1_000)
                .filter(|_| are_random(&(0..length).map(|_| draw()).collect::<Vec<u8>>()))
                .count();
            assert!(found >= least, "{found} of 1000 strings of {length} letters");
        }
    }
}
