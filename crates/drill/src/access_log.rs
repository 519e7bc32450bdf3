//! An access log as a busy API's server writes it, in combined format: dates rising, fifty thousand
//! addresses, honest callers and the odd miss. The same seed gives the same lines.

use std::io::{self, Write};

use crate::dice::Dice;

/// Distinct client addresses.
const ADDRESSES: u32 = 50_000;
/// 2026-01-01T00:00:00Z is the first second; about twenty lines share one.
const LINES_A_SECOND: u64 = 20;
const MONTH_DAYS: u64 = 28;

/// Writes `lines` lines.
///
/// # Errors
/// When writing fails.
pub fn write(lines: u64, seed: u64, into: &mut impl Write) -> io::Result<()> {
    let mut dice = Dice::new(seed, 0);
    for line in 0..lines {
        let address = dice.below(ADDRESSES);
        let [_, high, middle, low] = address.to_be_bytes();
        write!(into, "10.{high}.{middle}.{low} - - [{}] \"", Moment(line / LINES_A_SECOND))?;
        target(&mut dice, into)?;
        let status = match dice.below(100) {
            0 => 404,
            1 => 304,
            2 => 401,
            _ => 200,
        };
        let bytes = 100 + dice.below(50_000);
        write!(into, " HTTP/1.1\" {status} {bytes} \"-\" \"")?;
        agent(address, into)?;
        into.write_all(b"\"\n")?;
    }
    Ok(())
}

/// Seconds since the log began, as the format writes them. Months have 28 days here: any of those
/// is a day, and they rise.
struct Moment(u64);

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (day, second) = (self.0 / 86_400, self.0 % 86_400);
        let (month, year) = (day / MONTH_DAYS, 2026 + day / MONTH_DAYS / 12);
        let name = usize::try_from(month % 12).ok().and_then(|month| MONTHS.get(month));
        let day = day % MONTH_DAYS + 1;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let name = name.unwrap_or(&"Jan");
        write!(f, "{day:02}/{name}/{year}:{hour:02}:{minute:02}:{second:02} +0000")
    }
}

fn target(dice: &mut Dice, into: &mut impl Write) -> io::Result<()> {
    match dice.below(7) {
        0 => write!(into, "GET /api/v1/products/{}", dice.below(5_000)),
        1 => write!(into, "GET /api/v1/orders/{}", dice.below(100_000)),
        2 => write!(into, "GET /api/v1/products?page={}", dice.below(50)),
        3 => write!(into, "GET /assets/app.{}.js", dice.below(3)),
        4 => into.write_all(b"GET /"),
        5 => into.write_all(b"POST /api/v1/cart"),
        _ => write!(into, "GET /images/{}.png", dice.below(800)),
    }
}

/// Each address keeps its browser.
fn agent(address: u32, into: &mut impl Write) -> io::Result<()> {
    match address % 40 {
        0 => into.write_all(b"curl/8.5.0"),
        1 => into.write_all(b"okhttp/4.12.0"),
        kind => write!(
            into,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/{}.0.0.0 Safari/537.36",
            100 + kind
        ),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_same_seed_gives_the_same_lines() {
        let lines = |seed| {
            let mut text = Vec::new();
            super::write(3, seed, &mut text).expect("written");
            String::from_utf8(text).expect("text")
        };
        assert_eq!(lines(7), lines(7));
        assert_ne!(lines(7), lines(8));
        assert_eq!(lines(7).lines().count(), 3);
        assert!(lines(7).contains("[01/Jan/2026:00:00:00 +0000] \""));
    }
}
