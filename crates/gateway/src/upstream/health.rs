//! What is known of the upstreams of a site, shared by all workers and kept across reloads.
//!
//! An upstream is out when checks say so, or for a while when one request after the other got no
//! answer from it. Only what an upstream does by itself counts against it: a refused connection, an
//! answer that is none, silence after a whole request. A status does not, because callers can
//! provoke one, and a caller that hangs up leaves no trace at all. However bad it looks, a share
//! stays in, and when all are out, all are used.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use http::StatusCode;

use super::Upstream;

/// How the upstreams of a site are looked after.
#[derive(Clone, Debug, PartialEq)]
pub struct Care {
    /// To how many others a request may go when one gives no answer.
    pub retries: u32,
    /// Asked of each upstream every `interval`.
    pub path: Option<String>,
    /// The name under which it is asked; none takes the upstream's own.
    pub host: Option<String>,
    /// How often.
    pub interval: Duration,
    /// An answer to a check must be there by then.
    pub timeout: Duration,
    /// Lowest and highest statuses of an upstream that serves.
    pub statuses: Vec<(u16, u16)>,
    /// So many failed checks in a row put an upstream out.
    pub unhealthy_after: u32,
    /// So many good ones in a row bring it back.
    pub healthy_after: u32,
    /// So many faults in a row put an upstream out; 0 never does.
    pub eject_after: u32,
    /// For so long the first time.
    pub eject_for: Duration,
    /// At most so many in a hundred are out for faults.
    pub eject_percent_max: u32,
    /// Who comes back gets its full share after this time.
    pub slow_start: Duration,
}

impl Default for Care {
    fn default() -> Self {
        Self {
            retries: 1,
            path: None,
            host: None,
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            statuses: vec![(200, 299)],
            unhealthy_after: 3,
            healthy_after: 2,
            eject_after: 5,
            eject_for: Duration::from_secs(10),
            eject_percent_max: 50,
            slow_start: Duration::from_secs(10),
        }
    }
}

impl Care {
    /// Whether this is a status of an upstream that serves; without a path to ask for, any is.
    pub(super) fn accepts(&self, status: StatusCode) -> Result<(), String> {
        let status = status.as_u16();
        let is_good = |(first, last): &(u16, u16)| *first <= status && status <= *last;
        match self.path.is_none() || self.statuses.iter().any(is_good) {
            true => Ok(()),
            false => Err(format!("the answer was {status}")),
        }
    }

    /// How many of so many upstreams may be out for faults at one time.
    fn ejected_max(&self, upstreams: usize) -> usize {
        let percent = self.eject_percent_max.min(100) as usize;
        (upstreams * percent).div_ceil(100).min(upstreams.saturating_sub(1))
    }
}

/// It is out at most so many times as long as the first time.
const DOUBLED_MAX: u32 = 5;

/// The upstreams of one site.
#[derive(Debug)]
pub(crate) struct Row {
    site: String,
    care: Care,
    pub(crate) members: Vec<Arc<Health>>,
    /// Held by whoever puts one of them out, so that no two count the same share.
    ejecting: Mutex<()>,
}

/// What is known of one upstream.
pub(crate) struct Health {
    upstream: Upstream,
    began: Instant,
    /// Faults since the last answer.
    faults_in_row: AtomicU32,
    /// Faults ever.
    faults: AtomicU64,
    /// Until when it is out for faults at the least; 0 when it is not.
    ejected_until_ms: AtomicU64,
    /// How often it was put out without serving for a while in between.
    ejections_in_row: AtomicU32,
    ejections: AtomicU64,
    /// It is out because it did not answer at all.
    silent: AtomicBool,
    /// Checks say that it does not serve.
    failing: AtomicBool,
    /// Since when it is back; 0 when it was never out.
    back_since_ms: AtomicU64,
    /// The last fault, and when it came.
    last: Mutex<Option<(Fault, Instant)>>,
}

/// Why a request got no answer, where the upstream is to blame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    Unreachable,
    Broken,
    CutOff,
    TimedOut,
    Silent,
}

impl Fault {
    const fn told(self) -> &'static str {
        match self {
            Self::Unreachable => "no connection can be made",
            Self::Broken => "it closed, or sent what is no answer",
            Self::CutOff => "it broke off an answer",
            Self::TimedOut => "no answer came in time",
            Self::Silent => "it does not answer while others do",
        }
    }
}

/// How an upstream stands, for whoever looks after the gateway.
#[derive(Clone, Debug)]
pub struct UpstreamStanding {
    /// The upstream, as the policy writes it.
    pub upstream: String,
    /// Whether requests go there.
    pub serves: bool,
    /// Why not, or what was wrong last and how long ago.
    pub note: Option<String>,
    /// Requests that got no answer, since the start.
    pub faults: u64,
    /// How often it was put out for them.
    pub ejections: u64,
}

impl Row {
    pub(crate) fn new(site: &str, care: Care, members: Vec<Arc<Health>>) -> Self {
        Self { site: site.to_owned(), care, members, ejecting: Mutex::new(()) }
    }

    pub(crate) const fn care(&self) -> &Care {
        &self.care
    }

    /// A request got no answer.
    pub(crate) fn note_fault(&self, of: &Health, fault: Fault) {
        of.faults.fetch_add(1, Relaxed);
        *of.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((fault, Instant::now()));
        let in_row = of.faults_in_row.fetch_add(1, Relaxed).saturating_add(1);
        if self.care.eject_after > 0 && in_row >= self.care.eject_after {
            self.eject(of, fault);
        }
    }

    /// It does not answer, and it was asked by us and not by a caller.
    pub(crate) fn note_silence(&self, of: &Health) {
        if self.care.eject_after > 0 {
            *of.last.lock().unwrap_or_else(PoisonError::into_inner) =
                Some((Fault::Silent, Instant::now()));
            self.eject(of, Fault::Silent);
        }
    }

    /// Puts an upstream out, if enough others stay in.
    fn eject(&self, of: &Health, fault: Fault) {
        let _turn = self.ejecting.lock().unwrap_or_else(PoisonError::into_inner);
        of.faults_in_row.store(0, Relaxed);
        if of.is_ejected() {
            return;
        }
        let ejected = self.members.iter().filter(|member| member.is_ejected()).count();
        let most = self.care.ejected_max(self.members.len());
        if ejected >= most {
            if most > 0 {
                tracing::warn!(site = %self.site, upstream = %of.upstream,
                    "upstream stays in: {}, but {ejected} others are out already", fault.told());
            }
            return;
        }
        let now_ms = of.now_ms();
        let back_ms = of.back_since_ms.load(Relaxed);
        let is_relapse =
            back_ms > 0 && now_ms.saturating_sub(back_ms) < millis(self.care.eject_for);
        let times =
            if is_relapse { of.ejections_in_row.load(Relaxed).saturating_add(1) } else { 0 };
        of.ejections_in_row.store(times, Relaxed);
        of.ejections.fetch_add(1, Relaxed);
        of.silent.store(fault == Fault::Silent, Relaxed);
        let lasting_ms = self.out_for_ms(times);
        of.ejected_until_ms.store(now_ms.saturating_add(lasting_ms).max(1), Relaxed);
        tracing::warn!(site = %self.site, upstream = %of.upstream,
            "upstream is out for {} s: {}", lasting_ms / 1000, fault.told());
    }

    fn out_for_ms(&self, times: u32) -> u64 {
        millis(self.care.eject_for).saturating_mul(1 << times.min(DOUBLED_MAX))
    }

    /// It was asked whether it serves again.
    pub(crate) fn note_return(&self, of: &Health, serves: bool) {
        if !serves {
            let times = of.ejections_in_row.fetch_add(1, Relaxed).saturating_add(1);
            let until_ms = of.now_ms().saturating_add(self.out_for_ms(times));
            of.ejected_until_ms.store(until_ms, Relaxed);
            return;
        }
        of.faults_in_row.store(0, Relaxed);
        of.silent.store(false, Relaxed);
        of.ejected_until_ms.store(0, Relaxed);
        of.comes_back();
        tracing::warn!(site = %self.site, upstream = %of.upstream, "upstream answers again");
    }

    /// So many checks in a row had the same outcome.
    pub(crate) fn note_checks(&self, of: &Health, passed: bool, in_row: u32, told: &str) {
        if !passed && in_row >= self.care.unhealthy_after && !of.failing.swap(true, Relaxed) {
            tracing::warn!(site = %self.site, upstream = %of.upstream,
                "upstream is out: {in_row} checks failed, the last because {told}");
        }
        if passed && in_row >= self.care.healthy_after && of.failing.swap(false, Relaxed) {
            of.comes_back();
            tracing::warn!(site = %self.site, upstream = %of.upstream, "upstream passes its checks again");
        }
    }

    /// Whether an upstream that has just come back lets this request go by: it takes a tenth of its
    /// share at first, and more with the time. `drawn` is a number at random.
    pub(crate) fn lets_go_by(&self, of: &Health, drawn: u32) -> bool {
        let back_ms = of.back_since_ms.load(Relaxed);
        if back_ms == 0 {
            return false;
        }
        let slow_ms = millis(self.care.slow_start);
        let since_ms = of.now_ms().saturating_sub(back_ms);
        since_ms < slow_ms && since_ms.max(slow_ms / 10) <= u64::from(drawn) % slow_ms
    }

    pub(crate) fn standings(&self) -> Vec<UpstreamStanding> {
        self.members.iter().map(|member| member.standing()).collect()
    }
}

impl Health {
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self {
            upstream,
            began: Instant::now(),
            faults_in_row: AtomicU32::new(0),
            faults: AtomicU64::new(0),
            ejected_until_ms: AtomicU64::new(0),
            ejections_in_row: AtomicU32::new(0),
            ejections: AtomicU64::new(0),
            silent: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            back_since_ms: AtomicU64::new(0),
            last: Mutex::new(None),
        }
    }

    pub(crate) const fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Whether requests go there, as long as there are others.
    pub(crate) fn serves(&self) -> bool {
        !self.is_ejected() && !self.failing.load(Relaxed)
    }

    /// Whether it was found not to answer at all, so that waiting for it is in vain.
    pub(super) fn is_silent(&self) -> bool {
        self.silent.load(Relaxed)
    }

    /// A request was answered to its end.
    pub(crate) fn note_answer(&self) {
        if self.faults_in_row.load(Relaxed) != 0 {
            self.faults_in_row.store(0, Relaxed);
        }
    }

    fn is_ejected(&self) -> bool {
        self.ejected_until_ms.load(Relaxed) != 0
    }

    /// Whether its time out is over, so that it is to be asked.
    pub(crate) fn may_return(&self) -> bool {
        let until_ms = self.ejected_until_ms.load(Relaxed);
        until_ms != 0 && self.now_ms() >= until_ms
    }

    fn comes_back(&self) {
        self.back_since_ms.store(self.now_ms().max(1), Relaxed);
    }

    fn now_ms(&self) -> u64 {
        millis(self.began.elapsed())
    }

    fn standing(&self) -> UpstreamStanding {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last =
            last.map(|(fault, at)| format!("{} ({} s ago)", fault.told(), at.elapsed().as_secs()));
        let note = match self.failing.load(Relaxed) {
            true => Some("its checks fail".to_owned()),
            false => last,
        };
        UpstreamStanding {
            upstream: self.upstream.to_string(),
            serves: self.serves(),
            note,
            faults: self.faults.load(Relaxed),
            ejections: self.ejections.load(Relaxed),
        }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Health({})", self.upstream)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
