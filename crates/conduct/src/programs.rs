//! Which programs call (E1): whether one is what it says it is, and who calls each endpoint.
//!
//! A program says what it is in its `User-Agent`, and shows it in how it writes its headers and its
//! TLS hello. Nothing has to be known beforehand: libraries that say so teach what their heads look
//! like, and a browser that has the head of one of them, though established callers with browsers
//! have other heads, is none. What an established caller's browser sends is a browser's for good.
//!
//! Being a program is no attack. A disguise is evidence only where people are expected, or where
//! somebody borrows a crawler's name; with all else of its family it stays below a block.

use serde::{Deserialize, Serialize};
use traffic::slices::Sliced;
use traffic::{CallerKind, Detector, Digest, Disguise, EndpointId, Reason, Signal};

use crate::act::Act;
use crate::linear_count::LinearCount;
use crate::nats;
use crate::pardon::Pardons;
use crate::table::{Line, Table};
use crate::view::TableView;

/// So many established callers make a head a browser's, whoever else has it.
const BROWSERS: f32 = 8.0;
/// What nobody showed for so long is forgotten.
const MEMORY_S: u32 = 30 * 86_400;
/// How often it is written down that a tool was there.
const NOTED_EVERY_S: u32 = 3_600;

/// What a program says of itself, and what it shows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Program {
    /// What it says it is.
    pub says: CallerKind,
    /// It says that it is a browser.
    pub is_browser: bool,
    /// It says that it is a tool or library that sends heads of its own: not one that drives a
    /// browser.
    pub is_library: bool,
    /// Its headers, by their names and order.
    pub head: Digest,
    /// Its TLS hello, where that is seen.
    pub hello: Option<Digest>,
    /// What gives it away by itself.
    pub oddity: Option<Disguise>,
}

/// What was learnt of programs.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    prints: Table<Print>,
    mixes: Table<Mix>,
}

/// A head or a hello.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Print {
    /// Established callers who say that it is their browser's.
    browsers: LinearCount,
    /// When a library last said that it is its own; 0 for never.
    library_s: u32,
    last_s: u32,
}

/// Who calls an endpoint.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Mix {
    counts: [u32; CallerKind::ALL.len()],
    last_s: u32,
}

impl Programs {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { prints: Table::new(bytes / 2), mixes: Table::new(bytes / 2) }
    }

    /// What is kept over a restart: heads and hellos, and who calls endpoints.
    pub(crate) fn parts(&mut self) -> [&mut dyn Sliced; 2] {
        [&mut self.prints, &mut self.mixes]
    }

    /// Appends how the program of `act` gives itself away.
    pub(crate) fn assess(
        &self,
        act: &Act,
        pardons: &Pardons,
        now_s: u32,
        signals: &mut Vec<Signal>,
    ) {
        let Some(disguise) = self.disguise(act, now_s) else { return };
        for source in act.sources() {
            signals.push(Signal {
                detector: Detector::Disguise,
                entity: source.entity,
                nats: pardons.apply(source.key, weight(disguise), now_s),
                reason: Reason::Disguise(disguise),
            });
        }
    }

    /// Learns from an exchange that nothing speaks against.
    pub(crate) fn learn(&mut self, act: &Act, now_s: u32) {
        if let Some(endpoint) = act.endpoint {
            let key = mix_key(endpoint);
            let mut mix = self.mixes.read(key).unwrap_or_default();
            mix.last_s = now_s;
            if let Some(count) = mix.counts.get_mut(act.program.says as usize) {
                *count = count.saturating_add(1);
            }
            self.mixes.write(key, now_s, mix);
        }
        let is_known_browser = act.program.is_browser && act.identity.established;
        if act.program.is_library || is_known_browser {
            for key in prints(&act.program) {
                self.teach(key, act, now_s);
            }
        }
    }

    /// How often each kind of caller called `endpoint`.
    pub(crate) fn callers_of(&self, endpoint: EndpointId) -> [(CallerKind, u32); 4] {
        let counts = self.mixes.read(mix_key(endpoint)).unwrap_or_default().counts;
        let mut counts = counts.into_iter();
        CallerKind::ALL.map(|kind| (kind, counts.next().unwrap_or_default()))
    }

    pub(crate) fn tables(&self) -> [TableView; 2] {
        [
            TableView::of("heads of programs", &self.prints),
            TableView::of("callers of endpoints", &self.mixes),
        ]
    }

    /// Where it says anything: people log in with browsers, and a crawler's name opens doors
    /// everywhere.
    fn disguise(&self, act: &Act, now_s: u32) -> Option<Disguise> {
        let program = &act.program;
        if program.oddity == Some(Disguise::NotItsNetwork) {
            return program.oddity;
        }
        if !program.is_browser || !act.role.is_sensitive() {
            return None;
        }
        let is_library = |key| self.prints.read(key).is_some_and(|it| it.is_a_library(now_s));
        if prints(program).any(is_library) {
            return Some(Disguise::HeadOfATool);
        }
        program.oddity
    }

    fn teach(&mut self, key: Digest, act: &Act, now_s: u32) {
        let known = self.prints.read(key);
        let mut print = known.unwrap_or_default();
        if act.program.is_library {
            if now_s.saturating_sub(print.library_s) < NOTED_EVERY_S {
                return;
            }
            print.library_s = now_s;
        } else {
            print.browsers.insert(act.caller());
        }
        if known.is_none_or(|known| known.browsers != print.browsers) || act.program.is_library {
            print.last_s = now_s;
            self.prints.write(key, now_s, print);
        }
    }
}

impl Print {
    fn is_a_library(&self, now_s: u32) -> bool {
        self.library_s > 0
            && now_s.saturating_sub(self.library_s) < MEMORY_S
            && self.browsers.estimate() < BROWSERS
    }
}

const fn weight(disguise: Disguise) -> f32 {
    match disguise {
        Disguise::NoLanguage => 2.0,
        Disguise::HeadOfATool => 3.0,
        Disguise::NotItsNetwork => 4.0,
    }
}

/// The keys of a program's head and hello.
fn prints(program: &Program) -> impl Iterator<Item = Digest> + use<> {
    let hello = program.hello.map(|hello| hello.tagged(2));
    std::iter::once(program.head.tagged(1)).chain(hello)
}

const fn mix_key(endpoint: EndpointId) -> Digest {
    Digest(endpoint.0 as u64).tagged(3)
}

impl Line for Print {
    fn worth(&self, now_s: u32) -> f32 {
        let idle_s = now_s.saturating_sub(self.last_s);
        nats::number(self.browsers.marks()).min(BROWSERS) - nats::number(idle_s) / 86_400.0
    }
}

impl Line for Mix {
    fn worth(&self, now_s: u32) -> f32 {
        let idle_s = now_s.saturating_sub(self.last_s);
        let all = self.counts.iter().fold(0_u32, |sum, count| sum.saturating_add(*count));
        nats::ln(1.0 + nats::number(all)) - nats::number(idle_s) / 86_400.0
    }
}

#[cfg(test)]
mod tests {
    use traffic::Role;

    use super::*;
    use crate::scene::{LOGIN, Scene, answer, login_answer};

    fn program(says: CallerKind, head: u64) -> Program {
        Program {
            says,
            is_browser: says == CallerKind::Human,
            is_library: says == CallerKind::Automated,
            head: Digest(head),
            ..Program::default()
        }
    }

    fn by(scene: &Scene, address: u32, program: Program) -> Act {
        Act { program, ..scene.login(address, address) }
    }

    fn nats(scene: &mut Scene, act: &Act, at_s: f64) -> f32 {
        scene.nats(act, Detector::Disguise, at_s)
    }

    #[test]
    fn a_browser_with_the_head_of_a_tool_is_none() {
        let mut scene = Scene::new();
        let tool = by(&scene, 5, program(CallerKind::Automated, 9));
        let posing = by(&scene, 6, program(CallerKind::Human, 9));
        assert_eq!(nats(&mut scene, &posing, 0.0), 0.0, "nothing is known yet");
        scene.learn(&tool, &login_answer(false), false, 1.0);
        assert_eq!(nats(&mut scene, &tool, 2.0), 0.0, "being a tool is none");
        assert_eq!(nats(&mut scene, &posing, 2.0), 3.0);
        let honest = by(&scene, 7, program(CallerKind::Human, 10));
        assert_eq!(nats(&mut scene, &honest, 2.0), 0.0);
        let reading = Act { role: Role::Search, ..posing };
        assert_eq!(nats(&mut scene, &reading, 2.0), 0.0, "programs may read");
    }

    #[test]
    fn the_hello_gives_away_what_the_headers_hide() {
        let mut scene = Scene::new();
        let hello = Some(Digest(77));
        let tool = Program { hello, ..program(CallerKind::Automated, 9) };
        let tool = by(&scene, 5, tool);
        scene.learn(&tool, &login_answer(false), false, 1.0);
        let posing = by(&scene, 6, Program { hello, ..program(CallerKind::Human, 11) });
        assert_eq!(nats(&mut scene, &posing, 2.0), 3.0);
    }

    #[test]
    fn nobody_can_take_its_head_from_a_browser() {
        let mut scene = Scene::new();
        for n in 0..12 {
            let mut act = by(&scene, 100 + n, program(CallerKind::Human, 9));
            act.identity.established = true;
            scene.learn(&act, &login_answer(true), false, f64::from(n));
        }
        let tool = by(&scene, 5, program(CallerKind::Automated, 9));
        scene.learn(&tool, &login_answer(false), false, 20.0);
        let honest = by(&scene, 6, program(CallerKind::Human, 9));
        assert_eq!(nats(&mut scene, &honest, 21.0), 0.0);
    }

    #[test]
    fn a_borrowed_name_counts_everywhere() {
        let mut scene = Scene::new();
        let mut act = scene.page(5, "/products", Some(3));
        act.program = program(CallerKind::DeclaredBot, 9);
        assert_eq!(nats(&mut scene, &act, 1.0), 0.0);
        act.program.oddity = Some(Disguise::NotItsNetwork);
        assert_eq!(nats(&mut scene, &act, 1.0), 4.0);
    }

    #[test]
    fn who_calls_an_endpoint_is_counted() {
        let mut scene = Scene::new();
        for n in 0..7 {
            let says = if n < 5 { CallerKind::Human } else { CallerKind::Automated };
            let act = by(&scene, n, program(says, 9));
            scene.learn(&act, &answer(200, Role::Login), false, 1.0);
        }
        let counts = scene.conduct.callers_of(LOGIN).map(|(_, count)| count);
        assert_eq!(counts, [5, 0, 2, 0]);
    }
}
