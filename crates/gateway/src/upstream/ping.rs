//! Requests of the gateway's own to upstreams: checks, and questions whether one is still there.
//!
//! Where a policy names a path, a GET for it is what is asked; else `OPTIONS *`, which does nothing
//! (RFC 9110 §9.3.7) and to which any answer will do. Each goes over a connection of its own, so
//! that an upstream that takes no more connections is found out, too.

use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::{
    Outbound, Pool, Upstream, connect,
    health::{Care, Health, Row},
    link::{Counted, Link},
    patience::Patience,
    pool,
};
use crate::{
    sites::{Placed, Sites},
    ticker::Ticker,
    upload::Upload,
};

/// How often it is looked what is due.
const STEP: Duration = Duration::from_millis(250);
/// Whoever answers nobody else gets so long for a ping.
const SOUNDING: Duration = Duration::from_secs(1);
/// Pings at one time; what is due beyond that waits for the next look.
const AT_ONCE_MAX: usize = 64;
const AGENT: HeaderValue = HeaderValue::from_static("palisade-health");

/// Why a question has no answer.
struct Unanswered {
    told: String,
    /// It was not even asked: this machine has run out of something.
    by_us: bool,
}

impl Unanswered {
    fn by_it(told: impl ToString) -> Self {
        Self { told: told.to_string(), by_us: false }
    }
}

/// An upstream under watch.
struct Watched {
    placed: Arc<Placed>,
    health: Arc<Health>,
    next_ms: Cell<u64>,
    busy: Cell<bool>,
    /// The outcome of the last checks, and how many had it in a row.
    outcome: Cell<(bool, u32)>,
}

/// Checks the upstreams of all sites for as long as the program runs. One worker does it for all.
pub(crate) async fn watch(sites: Sites, ticker: Rc<Ticker>) {
    let mut version = 0;
    let mut watched: Vec<Rc<Watched>> = Vec::new();
    let under_way = Rc::new(Cell::new(0));
    loop {
        tokio::time::sleep(STEP).await;
        if version != sites.version() {
            version = sites.version();
            watched = taken_up(&sites, &watched);
        }
        for one in &watched {
            if one.busy.get() || under_way.get() >= AT_ONCE_MAX || !one.is_due(ticker.now_ms()) {
                continue;
            }
            one.busy.set(true);
            under_way.set(under_way.get() + 1);
            let (one, ticker) = (Rc::clone(one), Rc::clone(&ticker));
            let under_way = Rc::clone(&under_way);
            tokio::task::spawn_local(async move {
                one.look(&ticker).await;
                one.busy.set(false);
                under_way.set(under_way.get() - 1);
            });
        }
    }
}

/// The upstreams of the sites as they are now; what is known of those that stay is kept.
fn taken_up(sites: &Sites, before: &[Rc<Watched>]) -> Vec<Rc<Watched>> {
    let mut watched = Vec::new();
    for placed in sites.table().values() {
        for health in &placed.row.members {
            let same = |one: &&Rc<Watched>| Arc::ptr_eq(&one.health, health);
            let (outcome, next_ms) = before
                .iter()
                .find(same)
                .map_or(((true, 0), 0), |one| (one.outcome.get(), one.next_ms.get()));
            watched.push(Rc::new(Watched {
                placed: Arc::clone(placed),
                health: Arc::clone(health),
                next_ms: Cell::new(next_ms),
                busy: Cell::new(false),
                outcome: Cell::new(outcome),
            }));
        }
    }
    watched
}

impl Watched {
    fn row(&self) -> &Row {
        &self.placed.row
    }

    fn is_due(&self, now_ms: u64) -> bool {
        let is_checked = self.row().care().path.is_some() && now_ms >= self.next_ms.get();
        is_checked || self.health.may_return()
    }

    /// Asks once, and draws what conclusions there are.
    async fn look(&self, ticker: &Rc<Ticker>) {
        let care = self.row().care();
        let interval_ms = u64::try_from(care.interval.as_millis()).unwrap_or(u64::MAX);
        self.next_ms.set(ticker.now_ms().saturating_add(interval_ms));
        let may_return = self.health.may_return();
        let passed = match ask(self.health.upstream(), care, care.timeout, ticker).await {
            Ok(status) => care.accepts(status),
            Err(unanswered) if unanswered.by_us => return,
            Err(unanswered) => Err(unanswered.told),
        };
        let told = passed.as_ref().err().map_or("", String::as_str);
        if care.path.is_some() {
            let (last, in_row) = self.outcome.get();
            let in_row = if last == passed.is_ok() { in_row.saturating_add(1) } else { 1 };
            self.outcome.set((passed.is_ok(), in_row));
            self.row().note_checks(&self.health, passed.is_ok(), in_row, told);
        }
        if may_return {
            self.row().note_return(&self.health, passed.is_ok());
        }
    }
}

/// Asks an upstream of which nothing is heard whether it is there. Any answer will do.
pub(super) async fn sound(pool: Rc<Pool>, ticker: Rc<Ticker>) {
    let care = pool.row.care();
    match ask(pool.health.upstream(), care, SOUNDING, &ticker).await {
        Ok(_) => pool.hearing.quiet_since.set(None),
        Err(Unanswered { told, by_us }) => {
            tracing::debug!(upstream = %pool.health.upstream(), %told, "a ping failed");
            // It may have answered somebody else meanwhile.
            if !by_us && pool.hearing.quiet_since.get().is_some() {
                pool.row.note_silence(&pool.health);
            }
        }
    }
    pool.hearing.pinging.set(false);
}

/// The status of an answer to a request of our own, or why there is none.
async fn ask(
    upstream: &Upstream,
    care: &Care,
    within: Duration,
    ticker: &Rc<Ticker>,
) -> Result<StatusCode, Unanswered> {
    match tokio::time::timeout(within, answer(upstream, care, within, ticker)).await {
        Ok(answer) => answer,
        Err(_) => Err(Unanswered::by_it("no answer came in time")),
    }
}

async fn answer(
    upstream: &Upstream,
    care: &Care,
    within: Duration,
    ticker: &Rc<Ticker>,
) -> Result<StatusCode, Unanswered> {
    let mut outbound = question(upstream, care);
    let (transport, http2) = connect::connect(upstream).await.map_err(|error| Unanswered {
        told: error.to_string(),
        by_us: !pool::is_the_upstreams(&error),
    })?;
    if !http2 {
        let patience = Patience::new(ticker.deadline(within), within * 2, None);
        let link = Link::new(transport, Counted::one_more(&Rc::default()));
        let answered = link.send(&mut outbound, upstream, patience).await;
        return answered
            .map(|answered| answered.status)
            .map_err(|_| Unanswered::by_it("it closed, or sent what is no answer"));
    }
    let sender = pool::open_http2(transport, within).await;
    let mut sender = sender.map_err(Unanswered::by_it)?;
    let request = outbound.take_for_http2(upstream);
    let request = request.ok_or_else(|| Unanswered::by_it("the path is none of http/2"))?;
    let answered = sender.send_request(request).await;
    answered.map(|answered| answered.status()).map_err(Unanswered::by_it)
}

fn question(upstream: &Upstream, care: &Care) -> Outbound {
    let mut headers = HeaderMap::new();
    let host = care.host.clone().unwrap_or_else(|| upstream.authority());
    if let Ok(host) = HeaderValue::try_from(host) {
        headers.insert(header::HOST, host);
    }
    headers.insert(header::USER_AGENT, AGENT);
    let (method, target) = match &care.path {
        Some(path) => (Method::GET, path.clone().into()),
        None => (Method::OPTIONS, "*".into()),
    };
    Outbound {
        method,
        target,
        headers,
        own: Vec::new(),
        body: Upload::Empty,
        repeatable: true,
        upgrades: false,
    }
}
