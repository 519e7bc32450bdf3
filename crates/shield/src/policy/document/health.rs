//! `[site.health]`: how upstreams that serve are told from those that do not.

use std::time::Duration;

use toml::de::DeValue;

use crate::policy::document::{HOUR, SECOND, shape};
use crate::policy::health::StatusRange;
use crate::policy::reader::{Entry, Given, Reader};
use crate::policy::value::Wrong;

const STATUSES_MAX: usize = 16;
const PATH_BYTES_MAX: usize = 1024;

#[derive(Debug, Default)]
pub(in crate::policy) struct SaidHealth {
    pub(in crate::policy) path: Option<Given<String>>,
    pub(in crate::policy) interval: Option<Given<Duration>>,
    pub(in crate::policy) timeout: Option<Given<Duration>>,
    pub(in crate::policy) status: Option<Given<Vec<StatusRange>>>,
    pub(in crate::policy) unhealthy_after: Option<Given<u32>>,
    pub(in crate::policy) healthy_after: Option<Given<u32>>,
    pub(in crate::policy) eject_after: Option<Given<u32>>,
    pub(in crate::policy) eject_for: Option<Given<Duration>>,
    pub(in crate::policy) eject_percent_max: Option<Given<u32>>,
    pub(in crate::policy) slow_start: Option<Given<Duration>>,
}

pub(super) fn read<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<SaidHealth> {
    let mut keys = entry.table(reader, &shape::HEALTH)?;
    let path = keys.take("path");
    let interval = keys.take("interval");
    let timeout = keys.take("timeout");
    let status = keys.take("status");
    let unhealthy_after = keys.take("unhealthy_after");
    let healthy_after = keys.take("healthy_after");
    let eject_after = keys.take("eject_after");
    let eject_for = keys.take("eject_for");
    let eject_percent_max = keys.take("eject_percent_max");
    let slow_start = keys.take("slow_start");
    reader.finish(keys);
    let tenth = SECOND / 10;
    Some(SaidHealth {
        path: path.and_then(|entry| entry.text(reader, "\"/healthz\"", check_path)),
        interval: interval.and_then(|e| e.duration(reader, SECOND / 4..=HOUR)),
        timeout: timeout.and_then(|entry| entry.duration(reader, tenth..=SECOND * 60)),
        status: status.and_then(|entry| statuses(entry, reader)),
        unhealthy_after: unhealthy_after.and_then(|entry| entry.integer(reader, 1..=100)),
        healthy_after: healthy_after.and_then(|entry| entry.integer(reader, 1..=100)),
        eject_after: eject_after.and_then(|entry| entry.integer(reader, 0..=1_000)),
        eject_for: eject_for.and_then(|entry| entry.duration(reader, SECOND..=HOUR)),
        eject_percent_max: eject_percent_max.and_then(|entry| entry.integer(reader, 1..=100)),
        slow_start: slow_start.and_then(|e| e.duration(reader, Duration::ZERO..=SECOND * 600)),
    })
}

/// What is asked of an upstream: it goes into a request line as it is.
fn check_path(text: &str) -> Result<String, Wrong> {
    let wrong = |cause: String, help: &str| Err(Wrong { cause, help: help.to_owned() });
    if text.contains("://") {
        let help = "leave scheme and host out: each upstream is asked itself";
        return wrong(format!("{text:?} is a URL, not a path"), help);
    }
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    if text.starts_with('/') && text.len() <= PATH_BYTES_MAX && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    wrong(format!("{text:?} is no path"), "write it as in \"/healthz\", without spaces")
}

fn statuses<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<Vec<StatusRange>>> {
    let mut given = entry.given(reader, Vec::new());
    let items = entry.items();
    if items.is_empty() || items.len() > STATUSES_MAX {
        let cause = format!("`status` has {} statuses", items.len());
        let help = format!("write 1 to {STATUSES_MAX}, as in \"200-299\" or [200, 204]");
        reader.error(given.span, Wrong { cause, help });
        return None;
    }
    let wanted = items.len();
    given.value = items.into_iter().filter_map(|item| status(item, reader)).collect();
    Some(given).filter(|given| given.value.len() == wanted)
}

/// A number, or a range in quotes.
fn status<'t>(item: Entry<'t>, reader: &mut Reader<'t>) -> Option<StatusRange> {
    if matches!(item.value, DeValue::Integer(_)) {
        let given = item.integer(reader, 200..=599)?;
        let status = u16::try_from(given.value).ok()?;
        return Some(StatusRange { first: status, last: status });
    }
    item.text(reader, "\"200-299\"", StatusRange::parse).map(|given| given.value)
}
