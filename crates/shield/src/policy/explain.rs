//! What would apply to a request, what is in force, and who set it: for people who ask.

mod settings;

use std::fmt;

use http::Method;
use traffic::{HashKey, Hasher, Layer, Mode, Path, Role};

use crate::policy::nearest::nearest;
use crate::policy::overlay::ModeScope;
use crate::policy::route::RoutePattern;
use crate::policy::setting::{Provenance, Setting};
use crate::policy::{OnError, Policy, RouteRef};

pub use settings::SettingView;

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
        let found = self.route(host, method, &Path::parse(path, &hasher));
        self.explain_route(&found)
    }

    /// What applies at a route.
    pub fn explain_route(&self, found: &RouteRef) -> Explanation {
        let (site, route) = (self.site(found), self.named_route(found));
        let limits = route.map(|route| {
            let shown = route.limits.iter().map(settings::show_limit);
            let sources = route.limits_from.iter().cloned();
            shown.zip(sources).map(|(value, from)| Setting { value, from }).collect()
        });
        Explanation {
            site: site.map(|site| site.name.clone()),
            upstream: site.map(|site| Setting {
                value: site.upstream.value.to_string(),
                from: site.upstream.from.clone(),
            }),
            route: route.map(|route| Setting {
                value: route.pattern.to_string(),
                from: route.from.clone(),
            }),
            label: route.and_then(|route| route.label.clone()),
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

    /// Where, within `scope`, layers are not in `mode`, though a switch said so: each such place was
    /// exempted by a word that names it.
    pub fn unswitched(&self, scope: &ModeScope, mode: Mode) -> Vec<Unswitched> {
        let layers = if scope.layers.is_empty() { &Layer::ALL[..] } else { &scope.layers[..] };
        let mut left = Vec::new();
        let sites = self
            .sites
            .iter()
            .filter(|site| scope.site.as_ref().is_none_or(|name| *name == site.name));
        for site in sites {
            let whole = (scope.route.is_none()).then_some((None, &site.modes));
            let routes = site.routes.iter().map(|route| (Some(route.pattern.to_string()), route));
            let routes = routes
                .filter(|(shown, _)| scope.route.is_none() || *shown == scope.route)
                .map(|(shown, route)| (shown, &route.modes));
            for (route, modes) in whole.into_iter().chain(routes) {
                for layer in layers.iter().filter(|layer| modes.of(**layer) != mode) {
                    let from = modes.origin(*layer).clone();
                    let layer = LayerMode { layer: *layer, mode: modes.of(*layer), from };
                    // A route that has it from its site says nothing new.
                    let is_inherited = route.is_some()
                        && site.modes.of(layer.layer) == layer.mode
                        && *site.modes.origin(layer.layer) == layer.from
                        && scope.route.is_none();
                    if !is_inherited {
                        let (site, route) = (site.name.clone(), route.clone());
                        left.push(Unswitched { site, route, layer });
                    }
                }
            }
        }
        left
    }

    /// The mode of each layer at a route.
    pub fn layer_modes(&self, found: &RouteRef) -> Vec<LayerMode> {
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
        write!(f, "site {} ({from}); name it to switch it", self.site)
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
