//! Values with units as people write them: durations, sizes, rates.
//!
//! A number without a unit is refused: `30` has been seconds to one reader and milliseconds to the
//! next. Each refusal says what is wrong and how to write it instead. Nothing here knows keys,
//! bounds or places in a file.

use std::fmt;
use std::time::Duration;

/// Why a text is not the value it should be, and what to write instead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Wrong {
    pub(super) cause: String,
    pub(super) help: String,
}

/// So many in a window of time, such as `10/m`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rate {
    /// How many.
    pub(super) amount: u32,
    /// In which time.
    pub(super) window: Duration,
}

/// Units of time, from the longest; the first that divides a duration is the one to print it in.
const TIME_UNITS_MS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Units of size. The binary ones come first, because sizes are printed in those.
const SIZE_UNITS_BYTES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads a duration such as `500ms`, `10s`, `5m` or `14d`.
pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    let wrong = |cause: String, help: &str| Err(Wrong { cause, help: help.to_owned() });
    let (number, unit) = split_unit(text);
    let Some(factor_ms) = unit_of(&TIME_UNITS_MS, unit) else {
        let help = match unit.to_ascii_lowercase().as_str() {
            "" => format!("write the unit, for example \"{number}s\" for seconds"),
            "sec" | "secs" | "second" | "seconds" | "s" => format!("write \"{number}s\""),
            "min" | "mins" | "minute" | "minutes" | "m" => format!("write \"{number}m\""),
            "hr" | "hrs" | "hour" | "hours" | "h" => format!("write \"{number}h\""),
            "day" | "days" | "d" => format!("write \"{number}d\""),
            _ => "units of time are ms, s, m, h and d, as in \"10s\" or \"14d\"".to_owned(),
        };
        let cause = match unit {
            "" => format!("{text:?} has no unit of time"),
            _ => format!("{text:?} is not a duration: unknown unit {unit:?}"),
        };
        return Err(Wrong { cause, help });
    };
    let Ok(number) = number.parse::<u64>() else {
        let help = "write a whole number and a unit, as in \"10s\"; \"1500ms\" for one and a half";
        return wrong(format!("{text:?} is not a duration"), help);
    };
    match number.checked_mul(factor_ms) {
        Some(ms) => Ok(Duration::from_millis(ms)),
        None => wrong(format!("{text:?} is too long to count"), "durations end at some years"),
    }
}

/// Reads a size such as `16KiB`, `1GiB` or `500B`, in bytes.
pub(super) fn bytes(text: &str) -> Result<u64, Wrong> {
    let (number, unit) = split_unit(text);
    let Some(factor) = unit_of(&SIZE_UNITS_BYTES, unit) else {
        let help = match unit.to_ascii_lowercase().as_str() {
            "" => match number.parse() {
                Ok(bytes) => format!("write \"{}\", if bytes were meant", show_bytes(bytes)),
                Err(_) => "write a size such as \"16KiB\"".to_owned(),
            },
            "k" | "kb" | "kib" => format!("write \"{number}KiB\""),
            "m" | "mb" | "mib" => format!("write \"{number}MiB\""),
            "g" | "gb" | "gib" => format!("write \"{number}GiB\""),
            "t" | "tb" | "tib" => format!("write \"{number}TiB\""),
            _ => "units of size are B, KiB, MiB, GiB and TiB, as in \"16KiB\"".to_owned(),
        };
        let cause = match unit {
            "" => format!("{text:?} has no unit of size"),
            _ => format!("{text:?} is not a size: unknown unit {unit:?}"),
        };
        return Err(Wrong { cause, help });
    };
    let wrong = |cause: String| Wrong { cause, help: "write a size such as \"16KiB\"".to_owned() };
    let number: u64 = number.parse().map_err(|_| wrong(format!("{text:?} is not a size")))?;
    number.checked_mul(factor).ok_or_else(|| wrong(format!("{text:?} is too large to count")))
}

/// Reads bytes per second such as `500B/s`.
pub(super) fn bytes_per_second(text: &str) -> Result<u64, Wrong> {
    match text.split_once('/') {
        Some((size, "s")) => bytes(size.trim_end()),
        Some((size, "sec" | "second")) => Err(Wrong {
            cause: format!("{text:?} is not a rate of bytes"),
            help: format!("write \"{size}/s\""),
        }),
        _ => Err(Wrong {
            cause: format!("{text:?} is not a rate of bytes"),
            help: "write bytes per second, as in \"500B/s\"".to_owned(),
        }),
    }
}

/// Reads a rate such as `10/m` or `100/s`.
pub(super) fn rate(text: &str) -> Result<Rate, Wrong> {
    let wrong =
        |help: &str| Wrong { cause: format!("{text:?} is not a rate"), help: help.to_owned() };
    let Some((amount, unit)) = text.split_once('/') else {
        return Err(wrong("write how many in which time, as in \"10/m\" or \"100/s\""));
    };
    let (amount, unit) = (amount.trim(), unit.trim());
    let window_s = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => {
            let letter = match unit.to_ascii_lowercase().as_str() {
                "sec" | "second" => "s",
                "min" | "minute" => "m",
                "hr" | "hour" => "h",
                "day" => "d",
                _ => return Err(wrong("the time is one of s, m, h and d, as in \"10/m\"")),
            };
            return Err(wrong(&format!("write \"{amount}/{letter}\"")));
        }
    };
    match amount.parse() {
        Ok(0) => Err(wrong("a limit of nothing refuses everybody; use `palisade block` for that")),
        Ok(amount) => Ok(Rate { amount, window: Duration::from_secs(window_s) }),
        Err(_) => Err(wrong("write a whole number before the slash, as in \"10/m\"")),
    }
}

/// A duration in the form that [`duration`] reads.
pub fn show_duration(duration: Duration) -> String {
    show(&TIME_UNITS_MS, u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), "0s")
}

/// A size in the form that [`bytes`] reads.
pub fn show_bytes(bytes: u64) -> String {
    show(SIZE_UNITS_BYTES.get(..4).unwrap_or_default(), bytes, "0B").replace(' ', "B")
}

fn show(units: &[(&str, u64)], value: u64, zero: &str) -> String {
    if value == 0 {
        return zero.to_owned();
    }
    match units.iter().find(|(_, factor)| value.is_multiple_of(*factor)) {
        Some((unit, factor)) => format!("{}{unit}", value / factor),
        None => format!("{value} "),
    }
}

/// A number and the letters behind it.
fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let letters = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(letters).unwrap_or((text, ""));
    (number.trim_end(), unit)
}

fn unit_of(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.window.as_secs() {
            1 => "s",
            60 => "m",
            3_600 => "h",
            _ => "d",
        };
        write!(f, "{}/{unit}", self.amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_they_read() {
        for text in ["0s", "1ms", "1500ms", "10s", "90s", "5m", "36h", "14d", "13d"] {
            assert_eq!(show_duration(duration(text).expect(text)), text);
        }
        assert_eq!(duration("10 s"), duration("10s"));
    }

    #[test]
    fn sizes_print_as_they_read() {
        for text in ["0B", "1B", "500B", "16KiB", "1GiB", "3TiB"] {
            assert_eq!(show_bytes(bytes(text).expect(text)), text);
        }
        assert_eq!(bytes("1MB"), Ok(1_000_000));
        assert_eq!(show_bytes(1_000_000), "1000000B");
        assert_eq!(bytes_per_second("500B/s"), Ok(500));
    }

    #[test]
    fn rates_print_as_they_read() {
        for text in ["10/m", "100/s", "5/h", "50/d"] {
            assert_eq!(rate(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn a_refusal_says_what_to_write() {
        let help = |wrong: Result<Duration, Wrong>| wrong.expect_err("wrong").help;
        assert_eq!(help(duration("30")), "write the unit, for example \"30s\" for seconds");
        assert_eq!(help(duration("5min")), "write \"5m\"");
        assert_eq!(bytes("16K").expect_err("wrong").help, "write \"16KiB\"");
        assert_eq!(rate("10/min").expect_err("wrong").help, "write \"10/m\"");
        for text in ["", "-1s", "1.5h", "s", "99999999999999999999s", "99999999999999w", "9é"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "-1B", "1.5MiB", "99999999TiB", "é"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        for text in ["", "/", "0/s", "-1/s", "10", "10/", "1/1", "4294967296/s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
