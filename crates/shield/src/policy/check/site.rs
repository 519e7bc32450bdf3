//! Sites: each has a name, hosts nobody else has, and an upstream; modes are settled by route.

use std::ops::Range;
use std::path::PathBuf;

use conduct::Limit;
use http::HeaderName;
use traffic::{HashKey, Hasher, Role};

use crate::policy::check::{Check, SECOND, health, setting};
use crate::policy::document::{SaidRate, SaidRoute, SaidSite, shown_per};
use crate::policy::error::{Place, PolicyError, Remark};
use crate::policy::host::{HostIndex, HostPattern};
use crate::policy::modes::{Modes, Said, Settling};
use crate::policy::overlay::{OverlayDocument, OverlaySite};
use crate::policy::reader::Given;
use crate::policy::route::{RouteIndex, RoutePattern};
use crate::policy::setting::{Provenance, Setting};
use crate::policy::value::Wrong;
use crate::policy::{Limits, Listener, OnError, Route, Site, Upstream, UpstreamScheme};

/// A site without a name of its own, and without a host to be named by.
const NAMELESS: &str = "default";

/// What tells an upstream of a common password, unless the file says otherwise.
const COMMON_PASSWORD_HEADER: &str = "x-common-password";

/// All sites, and who answers for which host.
pub(super) struct Claims {
    pub(super) sites: Vec<Site>,
    pub(super) hosts: HostIndex,
    pub(super) unclaimed: Modes,
}

/// What was taken by the sites read so far, with the line, so that nothing is taken twice.
#[derive(Default)]
struct Taken {
    names: Vec<(String, Provenance)>,
    hosts: Vec<(HostPattern, u16, Provenance)>,
}

/// What is said of all sites, and by the overlay.
struct Wide<'o> {
    has_one_site: bool,
    flag: Said,
    overlay: &'o OverlayDocument,
}

/// What a site is checked against.
struct Around<'a> {
    to: Option<Setting<Vec<Upstream>>>,
    listen: &'a [Listener],
    limits: &'a Limits,
    wide: Wide<'a>,
    taken: Taken,
}

impl Check<'_, '_, '_> {
    pub(super) fn sites(
        &mut self,
        mut said: Vec<SaidSite>,
        listen: &[Listener],
        limits: &Limits,
        overlay: &OverlayDocument,
    ) -> Claims {
        let to = self.upstream_of_flag(said.len());
        if said.is_empty() && to.is_some() {
            said.push(SaidSite::default());
        } else if said.is_empty() && self.reader.errors.is_empty() {
            self.no_site();
        }
        let flag = self.sources.flags.mode.map(|mode| (mode, Provenance::Flag("--mode")));
        let flag = Said { mode: flag, layers: Vec::new() };
        let wide = Wide { has_one_site: said.len() <= 1, flag, overlay };
        let mut around = Around { to, listen, limits, wide, taken: Taken::default() };
        let sites =
            (0..).zip(said).map(|(number, said)| self.site(number, said, &mut around)).collect();
        let hosts = &around.taken.hosts;
        Claims {
            sites,
            hosts: HostIndex::new(hosts.iter().map(|(host, site, _)| (host, *site))),
            unclaimed: around.wide.settle(&Said::default(), None, None),
        }
    }

    fn no_site(&mut self) {
        let cause = "there is no site: nothing stands behind the gateway";
        let help = "write [[site]] with upstream = \"http://localhost:3000\", or use --to URL";
        let place = match self.sources.file {
            Some(_) => self.reader.place(&(0..0)),
            None => Place::Nowhere,
        };
        let (cause, help) = (cause.to_owned(), Some(help.to_owned()));
        self.reader.errors.push(PolicyError(Remark { place, cause, help }));
    }

    fn upstream_of_flag(&mut self, sites: usize) -> Option<Setting<Vec<Upstream>>> {
        let to = self.sources.flags.to.as_deref()?;
        if sites > 1 {
            let cause = format!("the file has {sites} sites, each with its own upstream");
            self.flag_error("--to", &cause, "leave the flag out, or use a file with one site");
        }
        match Upstream::parse(to) {
            Ok(value) => Some(Setting { value: vec![value], from: Provenance::Flag("--to") }),
            Err(wrong) => {
                self.flag_error("--to", &wrong.cause, &wrong.help);
                // The site is there all the same: that it were missing would not be true.
                Some(Setting { value: vec![nowhere()], from: Provenance::Flag("--to") })
            }
        }
    }

    /// A gateway before itself sends each request around until something gives.
    fn no_circle(&mut self, upstream: &Upstream, span: Option<Range<usize>>, listen: &[Listener]) {
        let is_itself = |listener: &&Listener| upstream.is_at(listener.address);
        let Some(listener) = listen.iter().find(is_itself) else { return };
        let cause = format!("the upstream {upstream} is this gateway itself");
        let help = format!(
            "it listens on {}: listen on another port, or write where your API is",
            listener.address
        );
        match span {
            Some(span) => self.reader.error(span, Wrong { cause, help }),
            None => self.flag_error("--to", &cause, &help),
        }
    }

    fn site(&mut self, number: u16, said: SaidSite, around: &mut Around<'_>) -> Site {
        let name = self.name(&said, &mut around.taken);
        let overlay = around.wide.overlay.site(&name);
        let upstreams = self.upstreams(&name, &said, around);
        let hosts = self.hosts(said.hosts, &said.span, number, &mut around.taken);
        let ca_file = self.ca_file(said.ca_file, &upstreams);
        let retries = self.retries(said.retries, &upstreams);
        let health = health::settle(self, said.health, &upstreams);
        let routes = self.routes(&name, said.routes, &said.modes, &around.wide);
        let index = RouteIndex::new(routes.iter().map(|route| &route.pattern));
        Site {
            name,
            hosts,
            upstreams,
            retries,
            health,
            ca_file,
            connect_timeout: setting(said.connect_timeout, SECOND * 5),
            first_byte_timeout: setting(said.first_byte_timeout, SECOND * 60),
            idle_timeout: setting(said.idle_timeout, SECOND * 300),
            body_bytes: match said.body_bytes {
                Some(given) => setting(Some(given), None),
                None => around.limits.body_bytes.clone(),
            },
            common_password_header: setting(
                said.common_password_header,
                Some(HeaderName::from_static(COMMON_PASSWORD_HEADER)),
            ),
            modes: around.wide.settle(&said.modes, overlay, None),
            routes,
            index,
        }
    }

    /// Where the site's requests go: by the flag, or by the file.
    fn upstreams(
        &mut self,
        name: &str,
        said: &SaidSite,
        around: &Around<'_>,
    ) -> Setting<Vec<Upstream>> {
        if let Some(to) = &around.to {
            for upstream in &to.value {
                self.no_circle(upstream, None, around.listen);
            }
            return to.clone();
        }
        let Some(given) = &said.upstreams else {
            if !said.names_upstream {
                let cause = format!("the site `{name}` has no `upstream`");
                let help = "write upstream = \"http://localhost:3000\", or use --to URL".to_owned();
                self.reader.error(said.span.clone(), Wrong { cause, help });
            }
            return Setting::default(vec![nowhere()]);
        };
        for upstream in &given.value {
            self.no_circle(&upstream.value, Some(upstream.span.clone()), around.listen);
        }
        let value = given.value.iter().map(|upstream| upstream.value.clone()).collect();
        Setting { value, from: given.from.clone() }
    }

    /// With one upstream there is none to try instead.
    fn retries(
        &mut self,
        said: Option<Given<u32>>,
        upstreams: &Setting<Vec<Upstream>>,
    ) -> Setting<u32> {
        if let Some(given) = &said
            && given.value > 0
            && upstreams.value.len() == 1
        {
            let cause = "`retries` has no effect: there is one upstream".to_owned();
            self.reader.warn(&given.span, cause, "name the others in `upstream`");
        }
        setting(said, 1)
    }

    /// The name that was given, or the first host: something that commands can name.
    fn name(&mut self, said: &SaidSite, taken: &mut Taken) -> String {
        let given = said.name.as_ref();
        let hosts = said.hosts.as_ref().map(|given| given.value.as_slice()).unwrap_or_default();
        let name = match (given, hosts) {
            (Some(given), _) => given.value.clone(),
            (None, [Given { value: HostPattern::Exact(host), .. }, ..])
            | (None, [Given { value: HostPattern::Below(host), .. }, ..]) => host.clone(),
            (None, _) => NAMELESS.to_owned(),
        };
        let span = given.map_or(&said.span, |given| &given.span);
        let from = self.reader.provenance(span.start);
        match taken.names.iter().find(|(other, _)| *other == name) {
            Some((_, first)) => {
                let cause = format!("there are two sites named {name:?}");
                let help = format!("the first is at {first}; give this one its own `name`");
                self.reader.error(span.clone(), Wrong { cause, help });
            }
            None => taken.names.push((name.clone(), from)),
        }
        name
    }

    fn hosts(
        &mut self,
        said: Option<Given<Vec<Given<HostPattern>>>>,
        site_span: &Range<usize>,
        number: u16,
        taken: &mut Taken,
    ) -> Setting<Vec<String>> {
        let (hosts, from) = match said {
            Some(given) => (given.value, given.from),
            None => {
                let from = Provenance::Default;
                let all = Given { value: HostPattern::All, span: site_span.clone(), from };
                (vec![all], Provenance::Default)
            }
        };
        let shown = hosts.iter().map(|host| host.value.to_string()).collect();
        for host in hosts {
            let at = self.reader.provenance(host.span.start);
            match taken.hosts.iter().find(|(other, ..)| *other == host.value) {
                Some((_, owner, first)) => {
                    let cause = match host.value {
                        HostPattern::All => "two sites take all hosts that no other takes".into(),
                        _ => format!("the host {} is taken", host.value),
                    };
                    let help = match *owner == number {
                        true => format!("it stands in this site already, at {first}"),
                        false => format!("the other is at {first}; give each site its own `hosts`"),
                    };
                    self.reader.error(host.span, Wrong { cause, help });
                }
                None => taken.hosts.push((host.value, number, at)),
            }
        }
        Setting { value: shown, from }
    }

    fn ca_file(
        &mut self,
        said: Option<Given<PathBuf>>,
        upstreams: &Setting<Vec<Upstream>>,
    ) -> Setting<Option<PathBuf>> {
        let Some(given) = said else {
            return Setting::default(None);
        };
        if upstreams.value.iter().all(|upstream| upstream.scheme != UpstreamScheme::Https) {
            let cause = "`ca_file` has no effect: the upstream is not spoken to over TLS";
            self.reader.warn(&given.span, cause.to_owned(), "write https:// in `upstream`");
        }
        let Setting { value, from } = self.path(given);
        Setting { value: Some(value), from }
    }

    fn routes(
        &mut self,
        site_name: &str,
        mut said: Vec<SaidRoute>,
        site: &Said,
        wide: &Wide<'_>,
    ) -> Vec<Route> {
        let overlay = wide.overlay.site(site_name);
        let mut taken: Vec<(RoutePattern, Provenance)> = Vec::new();
        let mut routes = Vec::new();
        said.sort_by_key(|route| route.pattern.span.start);
        for route in said {
            let pattern = route.pattern.value;
            match taken.binary_search_by(|(other, _)| other.cmp(&pattern)) {
                Ok(at) => {
                    let first = taken.get(at).map(|(_, from)| from.clone()).unwrap_or_default();
                    let cause = format!("two routes match `{pattern}`");
                    let help = format!("the other is at {first}; make them one");
                    self.reader.error(route.pattern.span, Wrong { cause, help });
                    continue;
                }
                Err(at) => taken.insert(at, (pattern.clone(), route.pattern.from.clone())),
            }
            self.twice_the_same_rate(&route.rates);
            let named = format!("{site_name} {pattern}");
            routes.push(Route {
                modes: wide.settle(site, overlay, Some((&pattern, &route.modes))),
                pattern,
                from: route.pattern.from,
                label: route.label.map(|given| setting(Some(given), Role::Other)),
                decoy: route.decoy.map(|given| setting(Some(given), false)),
                limits: route.rates.iter().map(|rate| limit(&named, &rate.value)).collect(),
                limits_from: route.rates.into_iter().map(|rate| rate.from).collect(),
                on_error: setting(route.on_error, OnError::Open),
            });
        }
        routes
    }

    fn twice_the_same_rate(&mut self, rates: &[Given<SaidRate>]) {
        for (at, rate) in rates.iter().enumerate() {
            let what = |rate: &SaidRate| (rate.per, rate.rate.window, rate.of);
            let (per, ..) = what(&rate.value);
            let same = |other: &Given<SaidRate>| what(&other.value) == what(&rate.value);
            if rates.iter().take(at).any(same) {
                let cause = format!("two limits per {} and the same time", shown_per(per));
                let help = "leave one out: the smaller one is what counts".to_owned();
                self.reader.error(rate.span.clone(), Wrong { cause, help });
            }
        }
    }
}

impl Wide<'_> {
    /// Settles the modes of a site, or with `route` of a route in it.
    fn settle(
        &self,
        site: &Said,
        overlay: Option<&OverlaySite>,
        route: Option<(&RoutePattern, &Said)>,
    ) -> Modes {
        let mut settling = Settling::new(self.has_one_site);
        settling.site(site);
        if let Some((_, said)) = route {
            settling.route(said);
        }
        settling.everywhere(&self.flag);
        settling.everywhere(&self.overlay.said);
        if let Some(overlay) = overlay {
            settling.site(&overlay.said);
            if let Some(said) = route.and_then(|(pattern, _)| overlay.route(pattern)) {
                settling.route(said);
            }
        }
        for (layer, from) in &self.overlay.killed {
            settling.kill(*layer, from.clone());
        }
        settling.settle()
    }
}

/// A limit as conduct counts it. It keeps its identity, and with it what was used up, as long as
/// nothing about it changes.
fn limit(route: &str, said: &SaidRate) -> Limit {
    let hasher = Hasher::new(HashKey::new([0; 16]));
    let mut named = format!("{route} {} {} {}", shown_per(said.per), said.rate, said.burst);
    if let Some(of) = said.of {
        named = format!("{named} {}", of.key());
    }
    Limit {
        id: hasher.hash(named.as_bytes()),
        per: said.per,
        amount: said.rate.amount,
        window_s: u32::try_from(said.rate.window.as_secs()).unwrap_or(u32::MAX),
        burst: said.burst,
        of: said.of,
    }
}

/// Stands in for an upstream that could not be read, in a policy that is not handed out.
fn nowhere() -> Upstream {
    Upstream { scheme: UpstreamScheme::Http, host: "0.0.0.0".to_owned(), port: 9 }
}
