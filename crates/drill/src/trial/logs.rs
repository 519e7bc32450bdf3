//! A million lines of an access log, beside GoAccess in the same run, and four million of them.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Trial, program::folder};
use crate::access_log;

const LINES: u64 = 1_000_000;
/// How many times more lines show that time grows with them and memory does not.
const TIMES: u32 = 4;
/// The bars for a million lines.
const TIME_MAX: Duration = Duration::from_secs(5);
const MEMORY_MB_MAX: u64 = 300;
/// What the larger log may take beyond its share.
const GROWTH_MAX: f64 = 1.25;

/// What a program took.
struct Took {
    time: Duration,
    /// Resident memory at its highest.
    memory_mb: u64,
}

impl Trial {
    /// A million lines within five seconds and 300 MB; four times as many in four times the time.
    ///
    /// # Errors
    /// When a program does not run, or a bar is missed.
    pub fn logs(&self) -> Result<()> {
        let folder = folder("logs")?;
        let log = |lines: u64| -> Result<_> {
            let path = folder.path().join(format!("{lines}.log"));
            let mut file = BufWriter::new(File::create(&path)?);
            access_log::write(lines, 7, &mut file)?;
            file.flush()?;
            Ok(path)
        };
        let small = log(LINES)?;
        let ours = run(&self.program, &["scan", "--quiet", "--output", "json"], &small)?;
        println!("logs: {LINES} lines: palisade {ours}");
        match run(&self.goaccess, &["--log-format=COMBINED", "--no-progress", "-o", "json"], &small)
        {
            Ok(theirs) => println!("logs: {LINES} lines: goaccess {theirs}"),
            Err(error) => println!("logs: goaccess did not run: {error:#}"),
        }
        fs::remove_file(&small)?;
        let large = log(LINES * u64::from(TIMES))?;
        let more = run(&self.program, &["scan", "--quiet", "--output", "json"], &large)?;
        println!("logs: {} lines: palisade {more}", LINES * u64::from(TIMES));
        ensure!(ours.time <= TIME_MAX, "a million lines took longer than {TIME_MAX:?}");
        let memory_mb = ours.memory_mb.max(more.memory_mb);
        ensure!(memory_mb <= MEMORY_MB_MAX, "{memory_mb} MB are more than {MEMORY_MB_MAX}");
        let share = more.time.as_secs_f64() / (ours.time * TIMES).as_secs_f64();
        ensure!(share <= GROWTH_MAX, "{TIMES} times the lines took {share:.2} of their share");
        Ok(())
    }
}

/// Runs a program on a log to its end.
fn run(program: &str, flags: &[&str], log: &Path) -> Result<Took> {
    let mut words = program.split_whitespace();
    let first = words.next().context("no program is named")?;
    let begun = Instant::now();
    let mut child = Command::new(first)
        .args(words)
        .args(flags)
        .arg(log)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {first}"))?;
    let status = format!("/proc/{}/status", child.id());
    let mut memory_mb = 0;
    loop {
        if let Some(ended) = child.try_wait()? {
            ensure!(ended.success(), "{first} failed");
            return Ok(Took { time: begun.elapsed(), memory_mb });
        }
        let peak = fs::read_to_string(&status).unwrap_or_default();
        let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kb = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.trim().parse().ok());
        memory_mb = memory_mb.max(kb.unwrap_or(0_u64) / 1_024);
        sleep(Duration::from_millis(10));
    }
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} s, {} MB", self.time.as_secs_f64(), self.memory_mb)
    }
}
