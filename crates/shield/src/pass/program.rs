//! What a request's program says it is, and what gives it away before anything learnt is consulted.

use caller::{ClientClass, Sighting};
use conduct::Program;
use http::header::{ACCEPT, ACCEPT_LANGUAGE};
use traffic::{CallerKind, Disguise, Head};

use crate::policy::Policy;

/// Libraries that drive a browser: their heads and hellos are a browser's.
const DRIVERS: [&str; 8] = [
    "cypress",
    "headlesschrome",
    "htmlunit",
    "httpunit",
    "phantomjs",
    "playwright",
    "puppeteer",
    "selenium",
];

/// The program behind a request.
pub(super) fn of(head: &Head<'_>, sighting: &Sighting, policy: &Policy) -> Program {
    let class = sighting.agent.class;
    let is_driver = DRIVERS.contains(&sighting.agent.family);
    Program {
        says: match class {
            ClientClass::Crawler => CallerKind::DeclaredBot,
            ClientClass::Tool => CallerKind::Automated,
            ClientClass::App | ClientClass::Browser => CallerKind::Human,
            ClientClass::Unknown => CallerKind::Unknown,
        },
        is_browser: class == ClientClass::Browser,
        is_library: class == ClientClass::Tool && !is_driver,
        head: sighting.print,
        hello: sighting.ja4,
        oddity: match class {
            ClientClass::Browser if names_no_language(head) => Some(Disguise::NoLanguage),
            ClientClass::Crawler if is_elsewhere(sighting, policy) => Some(Disguise::NotItsNetwork),
            _ => None,
        },
    }
}

/// Every browser sends both headers with all that it asks for. Logs show neither, and tell nothing.
fn names_no_language(head: &Head<'_>) -> bool {
    head.headers.contains_key(ACCEPT) && !head.headers.contains_key(ACCEPT_LANGUAGE)
}

fn is_elsewhere(sighting: &Sighting, policy: &Policy) -> bool {
    policy.is_its_network(sighting.agent.family, sighting.address) == Some(false)
}
