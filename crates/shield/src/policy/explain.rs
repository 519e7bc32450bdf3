//! What would apply to a request, what is in force, and who set it: for people who ask.

mod settings;
mod sinks;

use std::fmt;

use http::Method;
use traffic::{HashKey, Hasher, Layer, Mode, Path, Role};

use crate::policy::nearest::nearest;
use crate::policy::overlay::ModeScope;
use crate::policy::route::RoutePattern;
use crate::policy::setting::{Provenance, Setting};
use crate::policy::{OnError, Policy, Route, RouteRef, Site};

pub use settings::{SetUp, SettingView};

/// What would apply to a request.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The site, when one names the host.
    pub site: Option<String>,
    /// Where its requests go.
    pub upstream: Option<Setting<String>>,
    /// The route, when the file has one.
    pub route: Option<Setting<String>>,
    /// The role that the file gives it.
    pub label: Option<Setting<Role>>,
    /// Whether the file says that it is a decoy.
    pub decoy: Option<Setting<bool>>,
    /// The mode of each layer.
    pub layers: Vec<LayerMode>,
    /// Limits, such as `10/m per source, burst 10`.
    pub limits: Vec<Setting<String>>,
    /// Whether a request passes when a layer fails on it.
    pub on_error: Setting<OnError>,
    /// The longest body, in bytes.
    pub body_bytes: Setting<Option<u64>>,
}

/// The mode of a layer and who set it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LayerMode {
    /// The layer.
    pub layer: Layer,
    /// Its mode.
    pub mode: Mode,
    /// Who set it.
    pub from: Provenance,
}

/// A place whose mode is not what was asked for by a wider switch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unswitched {
    /// The site.
    pub site: String,
    /// The route, when it is one.
    pub route: Option<String>,
    /// The layer, its mode, and who set it.
    pub layer: LayerMode,
    /// Whether the layer is killed: off everywhere, whatever is said of a site or route.
    pub is_killed: bool,
}

/// A scope that the policy does not have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{cause}; {help}")]
pub struct NoSuchScope {
    /// What is missing.
    pub cause: String,
    /// What there is instead.
    pub help: String,
}

impl Policy {
    /// What would apply to a request. `host` is without its port; `target` may have a query.
    pub fn explain(&self, method: &Method, host: &str, target: &str) -> Explanation {
        // Routes are found by text; no hash made here meets another.
        let hasher = Hasher::new(HashKey::new([0; 16]));
        let (path, _) = traffic::path::split_target(target.as_bytes());
        let found = &self.route(host, method, &Path::parse(path, &hasher));
        let (site, route) = (self.site(found), self.named_route(found));
        let limits = route.map(|route| {
            let shown = route.limits.iter().map(settings::show_limit);
            let sources = route.limits_from.iter().cloned();
            shown.zip(sources).map(|(value, from)| Setting { value, from }).collect()
        });
        Explanation {
            site: site.map(|site| site.name.clone()),
            upstream: site.map(|site| Setting {
                value: site.upstreams_shown(),
                from: site.upstreams.from.clone(),
            }),
            route: route.map(|route| Setting {
                value: route.pattern.to_string(),
                from: route.from.clone(),
            }),
            label: route.and_then(|route| route.label.clone()),
            decoy: route.and_then(|route| route.decoy.clone()),
            layers: self.layer_modes(found),
            limits: limits.unwrap_or_default(),
            on_error: match route {
                Some(route) => route.on_error.clone(),
                None => Setting::default(OnError::Open),
            },
            body_bytes: site.map_or(&self.limits.body_bytes, |site| &site.body_bytes).clone(),
        }
    }

    /// The scope that a person named, as the policy knows it.
    ///
    /// # Errors
    /// When there is no such site or route, with the nearest one.
    pub fn scope(
        &self,
        site: Option<&str>,
        route: Option<&str>,
        layers: &[Layer],
    ) -> Result<ModeScope, NoSuchScope> {
        let mut scope = ModeScope { layers: layers.to_vec(), ..ModeScope::default() };
        let names = || self.sites.iter().map(|site| site.name.as_str());
        if let Some(name) = site {
            if !names().any(|known| known == name) {
                return Err(no_such("site", name, nearest(name, names()), names()));
            }
            scope.site = Some(name.to_owned());
        }
        let Some(text) = route else { return Ok(scope) };
        let pattern = RoutePattern::parse(text)
            .map_err(|wrong| NoSuchScope { cause: wrong.cause, help: wrong.help })?;
        let among = self.sites.iter().filter(|known| site.is_none_or(|name| known.name == name));
        let found: Vec<(&str, String)> = among
            .flat_map(|site| site.routes.iter().map(move |route| (site.name.as_str(), route)))
            .filter(|(_, route)| route.pattern == pattern)
            .map(|(site, route)| (site, route.pattern.to_string()))
            .collect();
        match found.as_slice() {
            [(site, route)] => {
                scope.site = Some((*site).to_owned());
                scope.route = Some(route.clone());
                Ok(scope)
            }
            [] => {
                let known: Vec<String> = self.patterns().collect();
                let list = || known.iter().map(String::as_str);
                Err(no_such("route", text, nearest(text, list()), list()))
            }
            several => {
                let sites: Vec<&str> = several.iter().map(|(site, _)| *site).collect();
                let cause = format!("{} sites have a route `{pattern}`", sites.len());
                Err(NoSuchScope { cause, help: format!("add --site: {}", sites.join(", ")) })
            }
        }
    }

    /// Where, within `scope`, layers are not in `mode`, though a switch said so: each such place
    /// was exempted by a word that names it.
    pub fn unswitched(&self, scope: &ModeScope, mode: Mode) -> Vec<Unswitched> {
        let named = |name: &Option<String>, own: &str| name.as_ref().is_none_or(|it| it == own);
        let mut left = Vec::new();
        for site in self.sites.iter().filter(|site| named(&scope.site, &site.name)) {
            if scope.route.is_none() {
                self.left_at(site, None, scope, mode, &mut left);
            }
            for route in &site.routes {
                if named(&scope.route, &route.pattern.to_string()) {
                    self.left_at(site, Some(route), scope, mode, &mut left);
                }
            }
        }
        left
    }

    fn left_at(
        &self,
        site: &Site,
        route: Option<&Route>,
        scope: &ModeScope,
        mode: Mode,
        left: &mut Vec<Unswitched>,
    ) {
        let layers = if scope.layers.is_empty() { &Layer::ALL[..] } else { &scope.layers[..] };
        let modes = route.map_or(&site.modes, |route| &route.modes);
        for layer in layers.iter().copied().filter(|layer| modes.of(*layer) != mode) {
            // A route that has it from its site says nothing new, unless it was asked for.
            let is_inherited = route.is_some()
                && scope.route.is_none()
                && site.modes.of(layer) == modes.of(layer)
                && site.modes.origin(layer) == modes.origin(layer);
            if is_inherited {
                continue;
            }
            let from = modes.origin(layer).clone();
            left.push(Unswitched {
                site: site.name.clone(),
                route: route.map(|route| route.pattern.to_string()),
                is_killed: self.killed.contains(&layer),
                layer: LayerMode { layer, mode: modes.of(layer), from },
            });
        }
    }

    fn layer_modes(&self, found: &RouteRef) -> Vec<LayerMode> {
        let modes = self.modes_in_full(found);
        let of =
            |layer| LayerMode { layer, mode: modes.of(layer), from: modes.origin(layer).clone() };
        Layer::ALL.into_iter().map(of).collect()
    }

    fn patterns(&self) -> impl Iterator<Item = String> {
        let routes = self.sites.iter().flat_map(|site| &site.routes);
        routes.map(|route| route.pattern.to_string())
    }
}

impl fmt::Display for Unswitched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LayerMode { layer, mode, from } = &self.layer;
        write!(f, "{layer} stays {mode} on ")?;
        if let Some(route) = &self.route {
            write!(f, "`{route}` of ")?;
        }
        write!(f, "site {} ({from}); ", self.site)?;
        match self.is_killed {
            true => write!(f, "it is off everywhere: switch `{layer}` without a site"),
            false => f.write_str("name it to switch it"),
        }
    }
}

fn no_such<'n>(
    what: &str,
    name: &str,
    near: Option<&str>,
    all: impl Iterator<Item = &'n str>,
) -> NoSuchScope {
    /// More names are not a help any more.
    const LISTED_MAX: usize = 8;
    let all: Vec<&str> = all.take(LISTED_MAX).collect();
    let help = match (near, all.is_empty()) {
        (Some(near), _) => format!("did you mean {near:?}?"),
        (None, true) => format!("the file has no {what}"),
        (None, false) => format!("there is {}", all.join(", ")),
    };
    NoSuchScope { cause: format!("there is no {what} {name:?}"), help }
}
