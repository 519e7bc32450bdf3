//! Times as logs write them, read by hand: each line has one, and no allocation is made for it.

use traffic::Timestamp;

use super::field::Unit;
use super::{Fault, Zone};

/// A point in time, and whether it is finer than a second.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Point {
    pub(crate) at: Timestamp,
    pub(crate) is_fine: bool,
}

/// `17/May/2015:10:05:03 +0000`, with or without a fraction; RFC 3339 and what resembles it;
/// seconds since the epoch. A time without a zone is in `zone`.
pub(crate) fn any(text: &[u8], zone: Zone) -> Result<Point, Fault> {
    let text = text.strip_prefix(b"[").unwrap_or(text);
    let text = text.strip_suffix(b"]").unwrap_or(text);
    match (text.get(2), text.get(4)) {
        (Some(b'/'), _) => common(text, zone),
        (_, Some(b'-' | b'/')) => iso(text, zone),
        (Some(b'0'..=b'9'), _) => epoch_by_size(text),
        _ => None,
    }
    .ok_or(Fault::Time)
}

/// A number since the epoch.
pub(crate) fn epoch(text: &[u8], unit: Unit) -> Result<Point, Fault> {
    let nanos = decimal_nanos(text, unit).ok_or(Fault::Time)?;
    let is_fine = unit != Unit::Seconds || text.contains(&b'.');
    Ok(Point { at: Timestamp::from_micros(nanos / 1_000), is_fine })
}

/// A decimal number of `unit` in nanoseconds; more digits than those do not count.
pub(crate) fn decimal_nanos(text: &[u8], unit: Unit) -> Option<u64> {
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let (whole, fraction) = (parts.next()?, parts.next().unwrap_or_default());
    if whole.is_empty() {
        return None;
    }
    let mut nanos = digits(whole)?.checked_mul(unit.nanos())?;
    let mut worth = unit.nanos();
    for byte in fraction {
        byte.is_ascii_digit().then_some(())?;
        worth /= 10;
        nanos = nanos.checked_add(u64::from(byte - b'0') * worth)?;
    }
    Some(nanos)
}

/// A number since the epoch whose unit shows by how large it is.
fn epoch_by_size(text: &[u8]) -> Option<Point> {
    let whole = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unit = match whole {
        0..=11 => Unit::Seconds,
        12..=14 => Unit::Millis,
        15..=17 => Unit::Micros,
        _ => Unit::Nanos,
    };
    epoch(text, unit).ok()
}

/// `17/May/2015:10:05:03 +0000`, HAProxy's `14/Jan/2015:12:48:57.127`.
fn common(text: &[u8], zone: Zone) -> Option<Point> {
    let day = digits(text.get(..2)?)?;
    let month = month(text.get(3..6)?)?;
    let year = digits(text.get(7..11)?)?;
    let separators = [text.get(6)?, text.get(11)?];
    (separators == [&b'/', &b':']).then_some(())?;
    clock(Day { year, month, day }, text.get(12..)?, zone)
}

/// `2026-11-23T12:00:00.123Z`, with a space, `/` between the numbers, or a comma.
fn iso(text: &[u8], zone: Zone) -> Option<Point> {
    let year = digits(text.get(..4)?)?;
    let month = digits(text.get(5..7)?)?;
    let day = digits(text.get(8..10)?)?;
    matches!(text.get(10)?, b'T' | b't' | b' ' | b':').then_some(())?;
    clock(Day { year, month, day }, text.get(11..)?, zone)
}

struct Day {
    year: u64,
    month: u64,
    day: u64,
}

/// `12:00:00.123 +0100` on that day.
fn clock(day: Day, text: &[u8], zone: Zone) -> Option<Point> {
    let hour = digits(text.get(..2)?)?;
    let minute = digits(text.get(3..5)?)?;
    let second = digits(text.get(6..8)?)?;
    (text.get(2) == Some(&b':') && text.get(5) == Some(&b':')).then_some(())?;
    // A leap second is the last second of its minute twice.
    (hour < 24 && minute < 60 && second <= 60).then_some(())?;
    let mut rest = text.get(8..)?;
    let mut micros = 0;
    let is_fine = matches!(rest.first(), Some(b'.' | b','));
    if is_fine {
        let fraction = rest.get(1..)?;
        let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut worth = 100_000;
        for byte in fraction.get(..length)? {
            micros += u64::from(byte - b'0') * worth;
            worth /= 10;
        }
        rest = fraction.get(length..)?;
    }
    let east_s = offset(rest.trim_ascii_start(), zone)?;
    let seconds = days(&day)? * 86_400 + hour * 3_600 + minute * 60 + second.min(59);
    let utc = i64::try_from(seconds).ok()?.checked_sub(east_s)?;
    let utc = u64::try_from(utc).ok()?;
    Some(Point { at: Timestamp::from_micros(utc * 1_000_000 + micros), is_fine })
}

/// Seconds east of Greenwich: `Z`, `+0100`, `+01:00`, nothing.
fn offset(text: &[u8], zone: Zone) -> Option<i64> {
    let (sign, rest) = match text.split_first() {
        None => return Some(zone.east_s),
        Some((b'Z' | b'z', [])) => return Some(0),
        Some((b'+', rest)) => (1, rest),
        Some((b'-', rest)) => (-1, rest),
        Some(_) => return None,
    };
    let hours = digits(rest.get(..2)?)?;
    let minutes = match rest.get(2) {
        None => 0,
        Some(b':') => digits(rest.get(3..5)?)?,
        Some(_) => digits(rest.get(2..4)?)?,
    };
    (hours <= 18 && minutes < 60).then_some(())?;
    Some(sign * i64::try_from(hours * 3_600 + minutes * 60).ok()?)
}

/// Days since the epoch, by the Gregorian calendar.
fn days(day: &Day) -> Option<u64> {
    let Day { year, month, day } = *day;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    };
    ((1970..=9999).contains(&year) && (1..=length).contains(&day)).then_some(())?;
    // Years begin in March here, so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let month = if month <= 2 { month + 9 } else { month - 3 };
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(365 * year + year / 4 - year / 100 + year / 400 + of_year - 719_468)
}

fn month(name: &[u8]) -> Option<u64> {
    const NAMES: &[u8; 36] = b"janfebmaraprmayjunjulaugsepoctnovdec";
    let lower: [u8; 3] = name.to_ascii_lowercase().try_into().ok()?;
    let at = NAMES.chunks_exact(3).position(|known| known == lower)?;
    u64::try_from(at + 1).ok()
}

fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |sum, byte| {
        byte.is_ascii_digit().then_some(())?;
        sum.checked_mul(10)?.checked_add(u64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let point = any(text.as_bytes(), Zone::UTC).expect(text);
        assert_eq!(point.at.to_string(), expected, "{text}");
    }

    #[test]
    fn the_usual_forms_are_read() {
        check("17/May/2015:10:05:03 +0000", "2015-05-17T10:05:03.000000Z");
        check("[12/Jul/2022:11:45:00 -0400]", "2022-07-12T15:45:00.000000Z");
        check("14/Jan/2015:12:48:57.127", "2015-01-14T12:48:57.127000Z");
        check("2021-12-08T14:02:43.587782192Z", "2021-12-08T14:02:43.587782Z");
        check("2025-10-07T01:02:03+05:30", "2025-10-06T19:32:03.000000Z");
        check("2023-05-25 22:24:19,357", "2023-05-25T22:24:19.357000Z");
        check("2024/02/29 23:59:60", "2024-02-29T23:59:59.000000Z");
        check("1693840791.7564995", "2023-09-04T15:19:51.756499Z");
        check("1693840791756", "2023-09-04T15:19:51.756000Z");
        check("01/Jan/1970:00:00:00 +0000", "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn a_time_without_zone_is_in_the_one_named() {
        let zone = Zone { east_s: 7_200 };
        let point = any(b"2024-06-01 12:00:00", zone).expect("a time");
        assert_eq!(point.at.to_string(), "2024-06-01T10:00:00.000000Z");
        let point = any(b"2024-06-01T12:00:00Z", zone).expect("a time");
        assert_eq!(point.at.to_string(), "2024-06-01T12:00:00.000000Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in [
            "",
            "-",
            "yesterday",
            "31/Feb/2024:00:00:00 +0000",
            "17/May/2015",
            "2024-13-01T00:00:00",
            "2024-01-01T25:00:00Z",
            "01/Jan/1969:00:00:00 +0000",
            "2024-01-01T00:00:00 CEST",
            "99999999999999999999999",
        ] {
            assert!(any(wrong.as_bytes(), Zone::UTC).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_is_where_the_calendar_has_it() {
        let mut at = "1970-01-01T00:00:00Z".parse::<Timestamp>().expect("a time");
        for _ in 0..146_097 {
            let text = at.to_string();
            assert_eq!(any(text.as_bytes(), Zone::UTC).expect(&text).at, at);
            at = at.after(std::time::Duration::from_secs(86_400));
        }
    }
}
