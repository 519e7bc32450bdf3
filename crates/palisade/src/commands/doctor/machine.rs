//! The machine: room on the disk, files that may be open, memory, and the clock.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::process::{Resource, getrlimit};

use super::Looked;

/// With less room than this, events of a busy day may not fit.
const ROOM_MIN: u64 = 1 << 30;
/// Each caller and each connection to the API takes one.
const FILES_MIN: u64 = 4_096;
/// What the program takes when nobody says otherwise.
const MEMORY_MIN: u64 = 512 << 20;
/// A clock that is before the last version of this program is wrong: 2026.
const YEAR_MIN_S: u64 = 1_767_225_600;
/// How far a file's time may lie ahead.
const AHEAD_MAX: Duration = Duration::from_secs(300);

/// Looks at the machine.
pub(super) fn look(data: &Path) -> Vec<Looked> {
    [disk(data), Some(files()), memory(), Some(clock(data))].into_iter().flatten().collect()
}

fn disk(data: &Path) -> Option<Looked> {
    const WHAT: &str = "disk";
    // A folder that is not there yet will lie where its parent is.
    let there = data.ancestors().find(|path| path.is_dir()).filter(|it| !it.as_os_str().is_empty());
    let stat = rustix::fs::statvfs(there.unwrap_or_else(|| Path::new("."))).ok()?;
    let room = stat.f_bavail.saturating_mul(stat.f_frsize);
    let says = format!("{} MiB are free", room >> 20);
    Some(match room {
        ROOM_MIN.. => Looked::good(WHAT, says),
        1.. => Looked::warning(WHAT, says, "set `max_disk` of [store], or make room"),
        0 => Looked::bad(WHAT, says, "make room: events are dropped, traffic is not affected"),
    })
}

fn files() -> Looked {
    const WHAT: &str = "open files";
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let says = match limit {
        u64::MAX => "no limit".to_owned(),
        limit => format!("at most {limit}"),
    };
    match limit {
        FILES_MIN.. => Looked::good(WHAT, says),
        _ => Looked::warning(WHAT, says, "ulimit -n 65536, or LimitNOFILE= of the systemd unit"),
    }
}

fn memory() -> Option<Looked> {
    const WHAT: &str = "memory";
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    let says = format!("{} MiB are available", kib >> 10);
    Some(match kib.saturating_mul(1_024) {
        MEMORY_MIN.. => Looked::good(WHAT, says),
        _ => Looked::warning(WHAT, says, "set `memory_budget` of [server] to what it may take"),
    })
}

fn clock(data: &Path) -> Looked {
    const WHAT: &str = "clock";
    let now = SystemTime::now();
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    if since.as_secs() < YEAR_MIN_S {
        let says = "it is years behind";
        return Looked::bad(WHAT, says, "set it: bans, tokens and certificates go by it");
    }
    let written = fs::metadata(data.join("palisade.db")).and_then(|it| it.modified());
    let ahead = written.ok().and_then(|written| written.duration_since(now).ok());
    match ahead.filter(|ahead| *ahead > AHEAD_MAX) {
        Some(ahead) => {
            let says = format!("the data folder was written {} s from now", ahead.as_secs());
            Looked::bad(WHAT, says, "set it: bans, tokens and certificates go by it")
        }
        None => Looked::good(WHAT, "it does not run behind what was written"),
    }
}
