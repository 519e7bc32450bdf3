//! Probes for published vulnerabilities (D3), one after the other from one source.
//!
//! What rules find of them is refused by itself. Here counts how many distinct vulnerabilities one
//! source tries: a request that happens to look like one exploit happens to nobody twice with
//! another, while a scanner has a list. So two are enough, and it does not matter how slowly they
//! come, nor at which paths. A path that nobody was seen to use and that answers such a probe with
//! success is worth a look by itself, whoever asked.

use serde::{Deserialize, Serialize};
use traffic::slices::Sliced;
use traffic::{Cve, Detector, Digest, Reason, Signal};

use crate::act::Act;
use crate::pardon::Pardons;
use crate::probing::Certainty;
use crate::suspicion::{self, Suspect, Suspicion};
use crate::table::{Line, Table};
use crate::view::TableView;

/// Slow scanners take a day for their list.
const HALF_LIFE_S: u32 = 86_400;
/// Two certain ones are more than a block takes (9.2), also when the other came hours ago.
const CERTAIN_NATS: f32 = 5.2;
/// Where the rule is not certain, four are.
const LIKELY_NATS: f32 = 2.4;
/// Any that the page of another site may have sent.
const PROVOKED_NATS: f32 = 0.5;
/// The latest that one source tried; an earlier one counts again when it comes back.
const KNOWN: usize = 6;

/// Sources by what they tried.
#[derive(Clone, Debug)]
pub(crate) struct Cves(Table<Prober>);

/// One source.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Prober {
    suspicion: Suspicion,
    known: [Option<Cve>; KNOWN],
    last_s: u32,
}

impl Cves {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Table::new(bytes))
    }

    /// What is kept over a restart.
    pub(crate) const fn part(&mut self) -> &mut dyn Sliced {
        &mut self.0
    }

    /// Appends what stands against the sources of `act`.
    pub(crate) fn assess(
        &self,
        act: &Act,
        pardons: &Pardons,
        now_s: u32,
        signals: &mut Vec<Signal>,
    ) {
        for (source, prober, nats) in suspicion::against(&self.0, act, pardons, now_s) {
            let Some(latest) = prober.known.first().copied().flatten() else { continue };
            signals.push(Signal {
                detector: Detector::CveProbing,
                entity: source.entity,
                nats,
                reason: Reason::Cves { distinct: prober.things(now_s), latest },
            });
        }
    }

    /// Notes that `act` probes for `cve`.
    pub(crate) fn probed(&mut self, act: &Act, cve: Cve, certainty: Certainty, now_s: u32) {
        let nats = match certainty {
            Certainty::Odd => return,
            _ if act.is_provoked => PROVOKED_NATS,
            Certainty::Likely => LIKELY_NATS,
            Certainty::Certain => CERTAIN_NATS,
        };
        for source in act.sources() {
            let mut prober = self.0.read(source.key).unwrap_or_default();
            if prober.known.contains(&Some(cve)) {
                continue;
            }
            prober.known.rotate_right(1);
            if let Some(latest) = prober.known.first_mut() {
                *latest = Some(cve);
            }
            prober.suspicion.add(nats, now_s, HALF_LIFE_S);
            prober.last_s = now_s;
            self.0.write(source.key, now_s, prober);
        }
    }

    /// How suspected `address` is.
    pub(crate) fn suspicion(&self, address: Digest, now_s: u32) -> f32 {
        suspicion::of(&self.0, address, now_s)
    }

    pub(crate) fn view(&self) -> TableView {
        TableView::of("probers for CVEs", &self.0)
    }
}

impl Line for Prober {
    fn worth(&self, now_s: u32) -> f32 {
        self.worth_since(self.last_s, now_s)
    }
}

impl Suspect for Prober {
    const HALF_LIFE_S: u32 = HALF_LIFE_S;

    fn suspicion(&self) -> Suspicion {
        self.suspicion
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{HOUR_S, Scene, time};

    fn cve(number: u32) -> Cve {
        Cve { year: 2021, number }
    }

    fn probe(scene: &mut Scene, act: &Act, number: u32, at_s: f64) {
        scene.conduct.probed(act, cve(number), Certainty::Certain, time(at_s));
    }

    fn nats(scene: &Scene, act: &Act, at_s: f64) -> f32 {
        let mut signals = Vec::new();
        let now_s = time(at_s).as_secs();
        scene.conduct.cves.assess(act, &Pardons::default(), now_s, &mut signals);
        signals.iter().map(|signal| signal.nats).fold(0.0, f32::max)
    }

    #[test]
    fn two_distinct_ones_are_enough_wherever_and_however_slowly_they_come() {
        let mut scene = Scene::new();
        let (here, there) = (scene.page(5, "/a", None), scene.page(5, "/b", Some(3)));
        probe(&mut scene, &here, 1, 0.0);
        assert!(nats(&scene, &here, 0.0) < 6.9);
        probe(&mut scene, &there, 2, 2.0 * HOUR_S);
        assert!(nats(&scene, &here, 2.0 * HOUR_S) >= 9.2);
    }

    #[test]
    fn the_same_one_a_thousand_times_is_one() {
        let mut scene = Scene::new();
        for second in 0..1_000 {
            let act = scene.page(5, &format!("/{second}"), None);
            probe(&mut scene, &act, 1, f64::from(second));
        }
        let act = scene.page(5, "/a", None);
        assert!(nats(&scene, &act, 1_000.0) < 6.9);
    }

    #[test]
    fn what_only_looks_like_one_counts_less_or_not_at_all() {
        let mut scene = Scene::new();
        let act = scene.page(5, "/a", None);
        for number in 0..20 {
            scene.conduct.probed(&act, cve(number), Certainty::Odd, time(1.0));
        }
        assert_eq!(nats(&scene, &act, 1.0), 0.0);
        for number in 0..3 {
            scene.conduct.probed(&act, cve(number), Certainty::Likely, time(1.0));
        }
        assert!((6.9..9.2).contains(&nats(&scene, &act, 1.0)));
    }
}
