//! `htmlEntityDecode`: the character references of HTML that matter to a rule.
//!
//! Numeric references, and the names that stand for an ASCII character (HTML, 13.5): a browser
//! turns `java&Tab;script&colon;` into a script. ModSecurity knows five names, in any case and
//! without their semicolon: here, too. Code points below 256 become that one byte, NUL and the
//! no-break space 0xA0 as in ModSecurity; those above become UTF-8, where ModSecurity keeps the low
//! byte and sees `<` in `&#x13c;`. Names of other letters stay as they are: no pattern asks for
//! them.

use super::hex;
use super::rewrite::rewrite;
use super::utf8;

/// The names that need no semicolon and come in any case.
const LENIENT: [(&[u8], u8); 5] =
    [(b"amp", b'&'), (b"gt", b'>'), (b"lt", b'<'), (b"nbsp", 0xa0), (b"quot", b'"')];

/// The names that are read only as they are written here and with a semicolon.
const STRICT: [(&[u8], u8); 38] = [
    (b"DiacriticalGrave", b'`'),
    (b"Hat", b'^'),
    (b"NewLine", b'\n'),
    (b"NonBreakingSpace", 0xa0),
    (b"Tab", b'\t'),
    (b"UnderBar", b'_'),
    (b"VerticalLine", b'|'),
    (b"apos", b'\''),
    (b"ast", b'*'),
    (b"bsol", b'\\'),
    (b"colon", b':'),
    (b"comma", b','),
    (b"commat", b'@'),
    (b"dollar", b'$'),
    (b"equals", b'='),
    (b"excl", b'!'),
    (b"grave", b'`'),
    (b"lbrace", b'{'),
    (b"lbrack", b'['),
    (b"lcub", b'{'),
    (b"lowbar", b'_'),
    (b"lpar", b'('),
    (b"lsqb", b'['),
    (b"midast", b'*'),
    (b"num", b'#'),
    (b"percnt", b'%'),
    (b"period", b'.'),
    (b"plus", b'+'),
    (b"quest", b'?'),
    (b"rbrace", b'}'),
    (b"rbrack", b']'),
    (b"rcub", b'}'),
    (b"rpar", b')'),
    (b"rsqb", b']'),
    (b"semi", b';'),
    (b"sol", b'/'),
    (b"verbar", b'|'),
    (b"vert", b'|'),
];

/// The longest name above has 16 letters; one more is read to see that a name is longer.
const NAME_BYTES_MAX: usize = 17;

/// `htmlEntityDecode`.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(
        value,
        |rest| memchr::memchr(b'&', rest),
        |rest, out| {
            let text = rest.get(1..).unwrap_or_default();
            let taken = match text {
                [b'#', b'x' | b'X', digits @ ..] => numeric(digits, 16, out).map(|len| 3 + len),
                [b'#', digits @ ..] => numeric(digits, 10, out).map(|len| 2 + len),
                _ => named(text, out).map(|len| 1 + len),
            };
            taken.unwrap_or_else(|| {
                out.push(b'&');
                1
            })
        },
    )
}

/// Any number of digits and a semicolon, if there is one.
fn numeric(text: &[u8], radix: u8, out: &mut Vec<u8>) -> Option<usize> {
    let mut code = 0_u32;
    let mut count = 0;
    for digit in text.iter().map_while(|byte| hex::digit(*byte).filter(|digit| *digit < radix)) {
        code = code.saturating_mul(u32::from(radix)).saturating_add(u32::from(digit));
        count += 1;
    }
    match u8::try_from(code) {
        _ if count == 0 => return None,
        Ok(byte) => out.push(byte),
        Err(_) => utf8::push(code, out),
    }
    Some(count + semicolon(text, count))
}

fn named(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let letters = text.iter().take(NAME_BYTES_MAX).take_while(|byte| byte.is_ascii_alphanumeric());
    let name = text.get(..letters.count())?;
    let semicolon = semicolon(text, name.len());
    let lenient = LENIENT.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let strict = || STRICT.iter().find(|(known, _)| semicolon == 1 && *known == name);
    let (_, byte) = lenient.or_else(strict)?;
    out.push(*byte);
    Some(name.len() + semicolon)
}

fn semicolon(text: &[u8], at: usize) -> usize {
    usize::from(text.get(at) == Some(&b';'))
}
