//! Numbers that prove themselves: payment cards and bank accounts, by length, prefix and check
//! digits.

/// Whether `bytes` is a payment card number: 13 to 19 digits, single spaces or hyphens between
/// them, an issuer's prefix at its length, and the Luhn digit (ISO/IEC 7812-1).
pub fn is_card(bytes: &[u8]) -> bool {
    let mut digits = [0_u8; 19];
    let mut count = 0;
    let mut gap = true;
    for &byte in bytes {
        match byte {
            b'0'..=b'9' => {
                let Some(place) = digits.get_mut(count) else { return false };
                *place = byte - b'0';
                count += 1;
                gap = false;
            }
            b' ' | b'-' if !gap => gap = true,
            _ => return false,
        }
    }
    let Some(digits) = digits.get(..count) else { return false };
    !gap && is_issued(digits) && passes_luhn(digits)
}

fn is_issued(digits: &[u8]) -> bool {
    let prefix = digits.iter().take(4).fold(0_u16, |sum, digit| sum * 10 + u16::from(*digit));
    matches!(
        (prefix, digits.len()),
        (4000..=4999, 13 | 16 | 19)
            | (5100..=5599 | 2221..=2720, 16)
            | (3400..=3499 | 3700..=3799, 15)
            | (3000..=3059 | 3600..=3699 | 3800..=3999, 14..=19)
            | (3528..=3589, 16..=19)
            | (6011 | 6440..=6599 | 6200..=6299 | 8100..=8171, 16..=19)
            | (5000..=5099 | 5600..=5899 | 6300..=6399 | 6700..=6799, 16 | 18 | 19)
    )
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let doubled = u32::from(*digit) << (at & 1);
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// ISO 13616: two letters, two check digits, the country's length, and 97 as the check's modulus.
pub fn is_iban(bytes: &[u8]) -> bool {
    let [a, b, c, d, ..] = bytes else { return false };
    if !(a.is_ascii_uppercase()
        && b.is_ascii_uppercase()
        && c.is_ascii_digit()
        && d.is_ascii_digit())
    {
        return false;
    }
    let mut compact = [0_u8; 34];
    let mut count = 0;
    for &byte in bytes {
        if byte == b' ' {
            continue;
        }
        let Some(place) = compact.get_mut(count) else { return false };
        if !(byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
            return false;
        }
        *place = byte;
        count += 1;
    }
    let Some(compact) = compact.get(..count) else { return false };
    if iban_length(*a, *b).is_none_or(|length| length != count) {
        return false;
    }
    let (head, tail) = compact.split_at(4);
    let remainder = tail.iter().chain(head).fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    remainder == 1
}

const fn iban_length(a: u8, b: u8) -> Option<usize> {
    Some(match &[a, b] {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FI" | b"FO" | b"GL" | b"NL" | b"SD" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"XK" | b"MN" => 20,
        b"CH" | b"HR" | b"LI" | b"LV" => 21,
        b"BG" | b"BH" | b"CR" | b"DE" | b"GB" | b"GE" | b"IE" | b"ME" | b"RS" | b"VA" => 22,
        b"AE" | b"GI" | b"IL" | b"IQ" | b"OM" | b"SO" | b"TL" => 23,
        b"AD" | b"CZ" | b"ES" | b"MD" | b"PK" | b"RO" | b"SA" | b"SE" | b"SK" | b"TN" | b"VG" => 24,
        b"LY" | b"PT" | b"ST" => 25,
        b"IS" | b"TR" => 26,
        b"BI" | b"DJ" | b"FR" | b"GR" | b"IT" | b"MC" | b"MR" | b"SM" => 27,
        b"AL" | b"AZ" | b"BY" | b"CY" | b"DO" | b"GT" | b"HU" | b"LB" | b"NI" | b"PL" | b"SV" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" => 29,
        b"JO" | b"KW" | b"MU" | b"YE" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        b"RU" => 33,
        _ => return None,
    })
}
