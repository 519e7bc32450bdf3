//! What an input cannot show, detector by detector: a log without bodies and credentials hides
//! much of what the gateway sees, and whoever reads a scan has to know.

use crate::driver::Counts;
use crate::open::Shown;

/// Something that cannot be seen here, or only in part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Blind {
    /// Which detector, or which part of the inventory.
    pub what: &'static str,
    /// Whether it sees something all the same.
    pub in_part: bool,
    /// Why, and what that means.
    pub why: &'static str,
}

/// What is hidden where the formats that were read show no more than `shown`, each one of them.
/// What one shows and another does not is hidden in part.
pub(crate) fn of(shown: &[Shown], counts: &Counts) -> Vec<Blind> {
    let mut all = Vec::new();
    let mut blind = |hides: fn(&Shown) -> bool, what, in_part, why| {
        if shown.iter().any(hides) {
            let in_part = in_part || !shown.iter().all(hides);
            all.push(Blind { what, in_part, why });
        }
    };
    blind(
        |shown| !shown.users && !shown.request_bodies,
        "credential stuffing",
        true,
        "no accounts: a failed log-in counts a quarter of what it does where its account is known",
    );
    blind(
        |shown| !shown.answer_bodies,
        "log-ins that fail",
        true,
        "no answers' bodies: a log-in that answers failures with 200 looks like success",
    );
    blind(
        |shown| !shown.credentials,
        "known callers",
        false,
        "no sessions or tokens: evidence rests on addresses, and an office behind one is one caller",
    );
    blind(
        |shown| !shown.fine_times,
        "attempts at once",
        false,
        "times in whole seconds: what overlapped cannot be told, nor how long answers took",
    );
    blind(
        |shown| !shown.agents && !shown.ja4,
        "client programs",
        false,
        "no User-Agent and no TLS fingerprint",
    );
    blind(
        |shown| !shown.request_bodies,
        "parameters in bodies",
        false,
        "no requests' bodies: the inventory has those of path and query only",
    );
    blind(|shown| !shown.answer_bodies, "sensitive data in answers", false, "no answers' bodies");
    blind(
        |shown| !shown.hosts,
        "hosts",
        false,
        "no host is logged: all requests count as one site's (--host names it)",
    );
    let are_few = counts.clients().0 <= PROXIES_MAX && counts.exchanges > 100;
    blind(
        if are_few { |shown| shown.forwarded } else { |_| false },
        "clients",
        true,
        "all requests come from a few addresses and name others in X-Forwarded-For: trust those proxies in -c FILE (server.trusted_proxies)",
    );
    all
}

/// So few clients that they may all be proxies.
const PROXIES_MAX: u64 = 4;
