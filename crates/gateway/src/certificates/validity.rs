//! Until when a certificate is valid, read off its bytes (RFC 5280 §4.1). Nothing else of it is
//! looked at here: whether callers trust it is theirs to say.

use std::time::Duration;

use traffic::Timestamp;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of a certificate in DER; none when it is not where it belongs.
pub(super) fn ends(certificate: &[u8]) -> Option<Timestamp> {
    let (_, whole, _) = element(certificate)?;
    let (SEQUENCE, mut fields, _) = element(whole)? else { return None };
    if let (VERSION, _, rest) = element(fields)? {
        fields = rest;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        (_, _, fields) = element(fields)?;
    }
    let (SEQUENCE, validity, _) = element(fields)? else { return None };
    let (_, _, rest) = element(validity)?;
    let (tag, text, _) = element(rest)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// Tag and content of the first element, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        // Four bytes of length are more than a certificate has.
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let year: u64 = digits.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, digits.get(2..)?)
        }
        GENERALIZED_TIME => (digits.get(..4)?.parse().ok()?, digits.get(4..)?),
        _ => return None,
    };
    let part = |at: usize| -> Option<u64> { rest.get(at..at + 2)?.parse().ok() };
    let (month, day) = (part(0)?, part(2)?);
    let seconds = (part(4)? * 60 + part(6)?) * 60 + part(8)?;
    let is_date = year >= 1970 && (1..=12).contains(&month) && (1..=31).contains(&day);
    let days = is_date.then(|| days_before(year, month) + day - 1)?;
    Some(Timestamp::EPOCH.after(Duration::from_secs(days * 86_400 + seconds)))
}

/// Days from 1970 to the first of a month.
fn days_before(year: u64, month: u64) -> u64 {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let past = year - 1;
    let leap_days = past / 4 - past / 100 + past / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    let of_month = |month: u64| match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (year - 1970) * 365 + leap_days + (1..month).map(of_month).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let key = rcgen::KeyPair::generate().expect("a key");
        for (year, month, day) in [(2027, 2, 28), (2028, 2, 29), (2049, 12, 31), (2060, 3, 1)] {
            let mut params =
                rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
            params.not_after = rcgen::date_time_ymd(year, month, day);
            let made = params.self_signed(&key).expect("made");
            let ends = ends(made.der()).expect("an end");
            assert_eq!(ends.to_string(), format!("{year}-{month:02}-{day:02}T00:00:00.000000Z"));
            for cut in 0..made.der().len() {
                let _ = super::ends(&made.der()[..cut]);
            }
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        for bytes in [&b""[..], b"0", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", &[0x30; 64]] {
            assert_eq!(ends(bytes), None);
        }
        assert_eq!(time(UTC_TIME, "991231235959Z").map(|it| it.as_secs()), Some(946_684_799));
        for wrong in ["", "Z", "20271301000000Z", "20270100000000Z", "2027é1010000Z"] {
            assert_eq!(time(GENERALIZED_TIME, wrong), None, "{wrong}");
        }
    }
}
