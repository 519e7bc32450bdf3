//! How far a scan has come, on a terminal and nowhere else.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use intake::scan::Progress;

/// What takes less is over before it could be read.
const SILENT: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_millis(200);
const BAR: usize = 24;

/// Writes on stderr until it is ended.
pub(super) struct Meter {
    thread: Option<JoinHandle<()>>,
    is_over: Arc<AtomicBool>,
}

impl Meter {
    /// Begins, if stderr is a terminal.
    pub(super) fn start(progress: Arc<Progress>, is_quiet: bool) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let is_shown = !is_quiet && std::io::stderr().is_terminal();
        let over = Arc::clone(&is_over);
        let thread = is_shown.then(|| std::thread::spawn(move || show(&progress, &over)));
        Self { thread, is_over }
    }

    /// Takes the line away.
    pub(super) fn end(self) {
        self.is_over.store(true, Relaxed);
        if let Some(thread) = self.thread {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn show(progress: &Progress, is_over: &AtomicBool) {
    let begun = Instant::now();
    let mut is_there = false;
    while !is_over.load(Relaxed) {
        std::thread::park_timeout(EVERY);
        if begun.elapsed() >= SILENT && !is_over.load(Relaxed) {
            let line = line(
                progress.read.load(Relaxed),
                progress.bytes.load(Relaxed),
                progress.exchanges.load(Relaxed),
                begun.elapsed(),
            );
            let _ = write!(std::io::stderr(), "\r\x1b[K{line}");
            is_there = true;
        }
    }
    if is_there {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
}

/// `[######------]  41 %  312,000 requests  198,000/s  3 s left`.
fn line(read: u64, bytes: u64, exchanges: u64, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = exchanges.saturating_mul(1_000) / millis;
    let count = format!("{} requests  {}/s", grouped(exchanges), grouped(rate));
    if bytes == 0 {
        return count;
    }
    let percent = (read.min(bytes).saturating_mul(100)) / bytes;
    let full = usize::try_from(percent).unwrap_or(100) * BAR / 100;
    let bar = format!("[{}{}]", "#".repeat(full), "-".repeat(BAR - full));
    let left = match read {
        0 => String::new(),
        read => {
            let left_ms = millis.saturating_mul(bytes.saturating_sub(read)) / read;
            format!("  {} s left", left_ms.div_ceil(1_000))
        }
    };
    format!("{bar} {percent:>3} %  {count}{left}")
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_rate_and_time_left() {
        let text = line(50, 200, 1_000_000, Duration::from_secs(4));
        assert_eq!(
            text,
            "[######------------------]  25 %  1,000,000 requests  250,000/s  12 s left"
        );
        assert_eq!(line(7, 0, 9, Duration::from_secs(3)), "9 requests  3/s");
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
