//! What a newcomer reads first: where it listens, where it leads, and that nothing is blocked.

use std::io::IsTerminal as _;

use shield::policy::Route;
use traffic::{Layer, Mode};

use crate::args::Global;
use crate::output::say;

/// What the banner tells.
pub(crate) struct Banner<'a> {
    /// The policy in force.
    pub(crate) policy: &'a shield::policy::Policy,
    /// Where it listens, as URLs.
    pub(crate) listeners: &'a [String],
    /// Where the admin API is reached over the network.
    pub(crate) admin: Option<&'a str>,
    /// The data folder.
    pub(crate) data: &'a str,
    /// Commands need `--data` to find it.
    pub(crate) names_data: bool,
}

/// Tells it, on stderr, unless `--quiet`.
pub(crate) fn show(global: &Global, banner: &Banner<'_>) {
    if global.quiet {
        return;
    }
    let mut lines = vec![format!("palisade {}   {}", env!("CARGO_PKG_VERSION"), mode(banner))];
    for listener in banner.listeners {
        for site in &banner.policy.sites {
            let answers = match crate::commands::reaches(site) {
                true => "upstream answers",
                false => "nothing answers there yet",
            };
            lines.push(format!(
                "▸ proxy     {listener}  →  {}   ({answers})",
                site.upstreams_shown()
            ));
        }
    }
    if let Some(admin) = banner.admin {
        lines.push(format!("▸ admin     {admin}/api/v1   (tokens: palisade token create)"));
    }
    let kept = shield::policy::show_duration(banner.policy.store.events.value);
    lines.push(format!("▸ data      {}   (events are kept {kept})", banner.data));
    let at = match banner.names_data {
        true => format!(" --data {}", console::shell::quoted(banner.data)),
        false => String::new(),
    };
    if let Some(first) = banner.listeners.first() {
        lines.push(format!("▸ try it    curl -i {first}/"));
    }
    lines.push(format!("▸ look      palisade api list{at}   ·   palisade tail{at}"));
    for line in lines {
        say(&format!("  {line}"));
    }
    if std::io::stderr().is_terminal() {
        say("");
    }
}

/// The modes in one phrase.
fn mode(banner: &Banner<'_>) -> String {
    let enforced: Vec<&str> = Layer::ALL
        .into_iter()
        .filter(|layer| {
            banner.policy.sites.iter().any(|site| site.modes.of(*layer) == Mode::Enforce)
        })
        .map(Layer::key)
        .collect();
    let enforces =
        |route: &Route| Layer::ALL.into_iter().any(|layer| route.modes.of(layer) == Mode::Enforce);
    let routes = banner.policy.sites.iter().flat_map(|site| &site.routes);
    let routes = routes.filter(|route| enforces(route)).count();
    match enforced.len() {
        0 if routes > 0 => format!("monitor mode; enforced on {routes} of the routes"),
        0 => format!("monitor mode: nothing is blocked, {}", leaves(banner)),
        11 => format!("enforce mode: attacks are stopped; {}", leaves(banner)),
        _ => format!("enforced: {}; the rest only watches", enforced.join(", ")),
    }
}

/// Who else learns of what happens here.
fn leaves(banner: &Banner<'_>) -> String {
    let sinks = &banner.policy.alerts.sinks;
    let names: Vec<&str> = sinks.iter().map(|sink| sink.name.as_str()).collect();
    match names.as_slice() {
        [] => "nothing leaves this machine".to_owned(),
        names => format!("attacks are told to {}", names.join(", ")),
    }
}
