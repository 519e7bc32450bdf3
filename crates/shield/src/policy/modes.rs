//! How far each layer goes at one place: the one rule by which modes combine.
//!
//! A mode can be said for all sites, for a site or for a route, and there for all layers or for one
//! of them; in the file, by `--mode`, or on the running instance (overlay). What is said later and
//! more narrowly wins: default, then the file (site, layer of the site, route, layer of the route),
//! then `--mode`, then the overlay (all sites, a layer of all sites, site, and so on).
//!
//! One exception keeps a wide switch from undoing an exemption: `off` is left only by a word that
//! names all that the `off` named. `palisade enforce` does not start a layer that the file turned
//! off, `palisade enforce leak --site shop` does. Where there is one site, it need not be named.
//! A layer that the overlay kills is off everywhere.
//!
//! Everything is settled when a policy is compiled; a request reads one array.

use traffic::{Layer, Mode};

use crate::policy::setting::Provenance;

/// How many layers there are.
const LAYERS: usize = Layer::ALL.len();

/// The mode of each layer at one place, with its origin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Modes {
    modes: [Mode; LAYERS],
    from: [Provenance; LAYERS],
}

/// Modes as one document says them of one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// For all layers.
    pub(super) mode: Option<(Mode, Provenance)>,
    /// For one layer.
    pub(super) layers: Vec<(Layer, Mode, Provenance)>,
}

/// What a word on modes is about: the wider things are left out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Naming {
    site: bool,
    route: bool,
    layer: bool,
}

/// Gathers what is said about one place, in order, and settles it.
#[derive(Clone, Debug, Default)]
pub(super) struct Settling {
    /// Whether there is one site, which then is meant by what is said of all.
    has_one_site: bool,
    words: Vec<(Naming, Option<Layer>, Mode, Provenance)>,
    killed: Vec<(Layer, Provenance)>,
}

impl Modes {
    /// The mode of a layer.
    pub fn of(&self, layer: Layer) -> Mode {
        self.modes.get(layer.index()).copied().unwrap_or_default()
    }

    /// Where the mode of a layer comes from.
    pub fn origin(&self, layer: Layer) -> &Provenance {
        const NOBODY: &Provenance = &Provenance::Default;
        self.from.get(layer.index()).unwrap_or(NOBODY)
    }

    /// All modes, by [`Layer::index`].
    pub const fn array(&self) -> &[Mode; LAYERS] {
        &self.modes
    }
}

impl Settling {
    pub(super) fn new(has_one_site: bool) -> Self {
        Self { has_one_site, ..Self::default() }
    }

    /// Adds what is said of all sites. What is added later beats what was added before.
    pub(super) fn everywhere(&mut self, said: &Said) {
        self.add(said, Naming { site: self.has_one_site, ..Naming::default() });
    }

    /// Adds what is said of a site.
    pub(super) fn site(&mut self, said: &Said) {
        self.add(said, Naming { site: true, ..Naming::default() });
    }

    /// Adds what is said of a route.
    pub(super) fn route(&mut self, said: &Said) {
        self.add(said, Naming { site: true, route: true, layer: false });
    }

    /// Turns a layer off, whatever else is said.
    pub(super) fn kill(&mut self, layer: Layer, from: Provenance) {
        self.killed.push((layer, from));
    }

    /// The modes that result.
    pub(super) fn settle(&self) -> Modes {
        let settled = Layer::ALL.map(|layer| self.settle_layer(layer));
        Modes {
            modes: settled.each_ref().map(|(mode, _)| *mode),
            from: settled.map(|(_, from)| from),
        }
    }

    fn settle_layer(&self, layer: Layer) -> (Mode, Provenance) {
        if let Some((_, from)) = self.killed.iter().find(|(killed, _)| *killed == layer) {
            return (Mode::Off, from.clone());
        }
        let mut naming = Naming::default();
        let mut settled = (Mode::default(), Provenance::Default);
        for (names, about, mode, from) in &self.words {
            let is_meant = about.is_none_or(|about| about == layer);
            if is_meant && (settled.0 != Mode::Off || names.covers(naming)) {
                naming = *names;
                settled = (*mode, from.clone());
            }
        }
        settled
    }

    fn add(&mut self, said: &Said, naming: Naming) {
        if let Some((mode, from)) = &said.mode {
            self.words.push((naming, None, *mode, from.clone()));
        }
        for (layer, mode, from) in &said.layers {
            let naming = Naming { layer: true, ..naming };
            self.words.push((naming, Some(*layer), *mode, from.clone()));
        }
    }
}

impl Naming {
    /// Whether this names all that `other` names.
    const fn covers(self, other: Self) -> bool {
        (self.site || !other.site) && (self.route || !other.route) && (self.layer || !other.layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mode: Mode) -> Said {
        Said { mode: Some((mode, Provenance::Flag("all"))), layers: Vec::new() }
    }

    fn rate(mode: Mode) -> Said {
        Said { mode: None, layers: vec![(Layer::Rate, mode, Provenance::Flag("rate"))] }
    }

    #[test]
    fn the_narrower_word_wins() {
        let mut settling = Settling::default();
        settling.site(&all(Mode::Enforce));
        settling.site(&rate(Mode::Monitor));
        let modes = settling.settle();
        assert_eq!((modes.of(Layer::Rate), modes.of(Layer::Recon)), (Mode::Monitor, Mode::Enforce));
        assert_eq!(modes.origin(Layer::Rate), &Provenance::Flag("rate"));
        settling.route(&all(Mode::Enforce));
        assert_eq!(settling.settle().of(Layer::Rate), Mode::Enforce);
    }

    #[test]
    fn the_later_source_wins_however_wide() {
        let mut settling = Settling::default();
        settling.route(&rate(Mode::Monitor));
        settling.everywhere(&all(Mode::Enforce));
        assert_eq!(settling.settle().of(Layer::Rate), Mode::Enforce);
    }

    #[test]
    fn off_is_left_only_by_what_names_it() {
        let mut settling = Settling::default();
        settling.site(&rate(Mode::Off));
        settling.everywhere(&all(Mode::Enforce));
        settling.route(&all(Mode::Enforce));
        assert_eq!(settling.settle().of(Layer::Rate), Mode::Off);
        assert_eq!(settling.settle().of(Layer::Recon), Mode::Enforce);
        settling.everywhere(&rate(Mode::Enforce));
        assert_eq!(settling.settle().of(Layer::Rate), Mode::Off, "the site is not named");
        settling.site(&rate(Mode::Monitor));
        assert_eq!(settling.settle().of(Layer::Rate), Mode::Monitor);
    }

    #[test]
    fn the_only_site_need_not_be_named() {
        let mut settling = Settling::new(true);
        settling.site(&rate(Mode::Off));
        settling.everywhere(&all(Mode::Enforce));
        assert_eq!(settling.settle().of(Layer::Rate), Mode::Off);
        settling.everywhere(&rate(Mode::Enforce));
        assert_eq!(settling.settle().of(Layer::Rate), Mode::Enforce);
    }

    #[test]
    fn a_killed_layer_is_off_everywhere() {
        let mut settling = Settling::default();
        settling.kill(Layer::Rate, Provenance::Flag("kill"));
        settling.route(&rate(Mode::Enforce));
        assert_eq!(settling.settle().of(Layer::Rate), Mode::Off);
        assert_eq!(settling.settle().of(Layer::Recon), Mode::Monitor);
    }
}
