//! Whether an address runs a script.

/// Schemes that do. `java` stands for `javascript` and whatever else may follow.
const SCHEMES: [&[u8]; 4] = [b"DATA", b"VIEW-SOURCE", b"VBSCRIPT", b"JAVA"];
const SCHEME_MAX: usize = 11;
/// Beyond this, a reference stands for no character.
const CHARACTER_MAX: u32 = 0x10_00ff;

/// Would a browser run a script that goes there? What browsers pass over in front of a scheme and
/// within it is passed over, and references to characters are resolved.
pub(super) fn runs_script(address: &[u8]) -> bool {
    // Beyond ASCII there are other spaces.
    let begin = address.iter().position(|byte| (b'!'..=b'~').contains(byte));
    let mut rest = begin.and_then(|begin| address.get(begin..)).unwrap_or_default();
    let mut scheme = [0; SCHEME_MAX];
    let mut length = 0;
    while let (Some((character, behind)), Some(place)) =
        (next_character(rest), scheme.get_mut(length))
    {
        rest = behind;
        let is_space = length == 0 && character <= u32::from(b' ');
        if is_space || matches!(character, 0 | 10) {
            continue;
        }
        // Only the lowest byte counts; a letter is made a capital before.
        *place = match character {
            0x61..=0x7a => (character - 0x20) as u8,
            _ => (character & 0xff) as u8,
        };
        length += 1;
    }
    let scheme = scheme.get(..length).unwrap_or_default();
    SCHEMES.iter().any(|known| scheme.starts_with(known))
}

/// The first character and what is behind it. Named references are not resolved.
fn next_character(text: &[u8]) -> Option<(u32, &[u8])> {
    let (first, behind) = text.split_first()?;
    let reference = match text {
        [b'&', b'#', b'X' | b'x', digits @ ..] => number(digits, 16),
        [b'&', b'#', digits @ ..] => number(digits, 10),
        _ => None,
    };
    Some(reference.unwrap_or((u32::from(*first), behind)))
}

/// The number that the text begins with, and what is behind it and its semicolon.
fn number(text: &[u8], base: u32) -> Option<(u32, &[u8])> {
    let mut value = char::from(*text.first()?).to_digit(base)?;
    let mut rest = text.get(1..)?;
    while let Some((byte, behind)) = rest.split_first() {
        if *byte == b';' {
            return Some((value, behind));
        }
        let Some(digit) = char::from(*byte).to_digit(base) else { break };
        value = value * base + digit;
        if value > CHARACTER_MAX {
            return None;
        }
        rest = behind;
    }
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_browsers_read_it() {
        for attack in [
            "javascript:alert(1)",
            " \t\u{a0}JaVa",
            "j\na\0v\na:",
            "&#106;&#x61;va",
            "&#x6A;avascript",
            "&#0;&#32;data:",
            "&#0000106ava",
            "view-source:x",
            "vbscript:",
            // The lowest byte of 324 is a D.
            "&#324;ATA",
        ] {
            assert!(runs_script(attack.as_bytes()), "{attack}");
        }
        for harmless in [
            "",
            " ",
            "https://java/",
            "jav",
            "dat&#98",
            "&#;java",
            "&#x;java",
            "&#x6Aava",
            "&#",
            "&#1114112;",
        ] {
            assert!(!runs_script(harmless.as_bytes()), "{harmless}");
        }
    }

    #[test]
    fn a_number_ends_before_it_is_too_large() {
        assert_eq!(number(b"0041;b", 16), Some((0x41, &b"b"[..])));
        assert_eq!(number(b"65", 10), Some((65, &b""[..])));
        assert_eq!(number(b"1048832x", 10), None);
        assert_eq!(number(b"1048831x", 10), Some((CHARACTER_MAX, &b"x"[..])));
        assert_eq!(number(b"z", 16), None);
    }
}
