//! How a site tells upstreams that serve from those that do not.

use std::fmt;
use std::time::Duration;

use crate::policy::setting::Setting;
use crate::policy::value::Wrong;

/// `[site.health]`: what is asked of each upstream, and what is made of its faults.
#[derive(Debug)]
pub struct Health {
    /// Asked of each upstream every `interval`; none asks nothing.
    pub path: Setting<Option<String>>,
    /// How often it is asked.
    pub interval: Setting<Duration>,
    /// An answer to it must be there by then.
    pub timeout: Setting<Duration>,
    /// The statuses of an upstream that serves.
    pub status: Setting<Vec<StatusRange>>,
    /// So many failed checks in a row put an upstream out.
    pub unhealthy_after: Setting<u32>,
    /// So many good ones in a row bring it back.
    pub healthy_after: Setting<u32>,
    /// So many requests in a row without an answer put an upstream out; 0 never does.
    pub eject_after: Setting<u32>,
    /// For so long the first time.
    pub eject_for: Setting<Duration>,
    /// At most so many in a hundred are out for such faults.
    pub eject_percent_max: Setting<u32>,
    /// Who comes back gets its full share after this time.
    pub slow_start: Setting<Duration>,
}

/// Statuses from one to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StatusRange {
    /// The lowest.
    pub first: u16,
    /// The highest.
    pub last: u16,
}

impl StatusRange {
    /// Whether a status is one of them.
    #[must_use]
    pub const fn holds(&self, status: u16) -> bool {
        self.first <= status && status <= self.last
    }

    /// Reads `200` or `200-299`.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let status = |text: &str| {
            let is_plain = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|status| is_plain && (200..=599).contains(status))
        };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (status(first.trim()), status(last.trim())) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            (Some(_), Some(_)) => Err(Wrong {
                cause: format!("{text:?} begins above its end"),
                help: format!("write \"{}-{}\"", last.trim(), first.trim()),
            }),
            _ => Err(Wrong {
                cause: format!("{text:?} is no status"),
                help: "write one from 200 to 599, or a range as in \"200-299\"".to_owned(),
            }),
        }
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}
