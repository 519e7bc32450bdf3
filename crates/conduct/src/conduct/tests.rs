//! The whole memory: storage, sizes, determinism, and what a flood does to it.

use proptest::prelude::*;
use traffic::slices::{SliceReader, SliceWriter};
use traffic::{Detector, Digest, Layer, Outcome, Role, Timestamp};

use super::*;
use crate::scene::{DAY_S, Dice, Fate, Scene, answer, login_answer, time};

/// Traffic of many kinds, drawn by dice.
fn mixed(scene: &mut Scene, dice: &mut Dice, exchanges: u32) -> Vec<(usize, u32)> {
    let mut told = Vec::new();
    for number in 0..exchanges {
        let at_s = DAY_S + f64::from(number) * 0.7;
        let caller = (dice.part() * 300.0) as u32;
        let act = match (dice.part() * 3.0) as u32 {
            0 => scene.login(caller, (dice.part() * 900.0) as u32),
            1 => scene.page(caller, &format!("/word{number}x"), None),
            _ => scene.page(caller, "/page", Some(caller % 9)),
        };
        let signals = scene.signals(&act, at_s);
        let nats: f32 = signals.iter().map(|signal| signal.nats).sum();
        told.push((signals.len(), nats.to_bits()));
        let status = if dice.happens(0.4) { 200 } else { 404 };
        scene.learn(&act, &answer(status, act.role), false, at_s);
    }
    told
}

/// All slices, with the names of their parts.
fn slices(conduct: &mut Conduct) -> Vec<(&'static str, Vec<u8>)> {
    let mut slices = Vec::new();
    for (name, part) in conduct.parts() {
        let mut from = Some(0);
        while let Some(place) = from {
            let mut slice = SliceWriter::default();
            from = part.write_slice(place, &mut slice);
            slices.push((name, slice.into_bytes()));
        }
    }
    slices
}

fn restore(conduct: &mut Conduct, slices: &[(&'static str, Vec<u8>)], now: Timestamp) {
    for (name, bytes) in slices {
        let mut parts = conduct.parts().into_iter();
        let (_, part) = parts.find(|(known, _)| known == name).expect("a part");
        part.read_slice(&mut SliceReader::new(bytes), now).expect("whole");
    }
}

#[test]
fn what_was_stored_goes_on_as_if_nothing_had_happened() {
    let (mut scene, mut restored) = (Scene::new(), Scene::new());
    mixed(&mut scene, &mut Dice::new(4), 20_000);
    let stored = slices(&mut scene.conduct);
    restore(&mut restored.conduct, &stored, time(2.0 * DAY_S));
    assert!(slices(&mut restored.conduct) == stored);
    let (mut one, mut other) = (Dice::new(5), Dice::new(5));
    assert_eq!(mixed(&mut scene, &mut one, 5_000), mixed(&mut restored, &mut other, 5_000));
}

#[test]
fn the_same_calls_give_the_same_evidence() {
    let told = || mixed(&mut Scene::new(), &mut Dice::new(6), 10_000);
    assert_eq!(told(), told());
}

#[test]
fn a_smaller_memory_keeps_the_suspects() {
    let mut scene = Scene::new();
    for account in 0..12 {
        let act = scene.login(900_000, account);
        scene.learn(&act, &login_answer(false), false, DAY_S);
    }
    mixed(&mut scene, &mut Dice::new(4), 5_000);
    let stored = slices(&mut scene.conduct);
    scene.conduct = Conduct::new(256 << 10);
    restore(&mut scene.conduct, &stored, time(DAY_S + 3_500.0));
    let act = scene.login(900_000, 77);
    assert!(scene.nats(&act, Detector::CredentialStuffing, DAY_S + 3_500.0) > 9.2);
}

#[test]
fn millions_of_keys_take_no_more_memory_and_hide_no_suspect() {
    let mut scene = Scene::new();
    for account in 0..12 {
        let act = scene.login(900_000, account);
        scene.learn(&act, &login_answer(false), false, DAY_S);
    }
    let capacities = |scene: &Scene| -> Vec<usize> {
        scene.conduct.tables().iter().map(|table| table.capacity).collect()
    };
    let before = capacities(&scene);
    for number in 0..400_000 {
        let at_s = DAY_S + f64::from(number) / 1_000.0;
        let miss = scene.page(1_000_000 + number, &format!("/w{number}x"), None);
        scene.learn(&miss, &answer(404, Role::Other), false, at_s);
        let login = scene.login(1_000_000 + number, 1_000_000 + number);
        scene.learn(&login, &login_answer(number % 2 == 0), false, at_s);
    }
    assert_eq!(capacities(&scene), before);
    assert!(scene.conduct.tables().iter().any(|table| table.evicted > 300_000));
    let act = scene.login(900_000, 77);
    assert_eq!(scene.fate(&act, DAY_S + 500.0), Fate::Refused);
}

#[test]
fn the_tables_take_what_they_were_given() {
    let bytes_max = 4 << 20;
    let tables = Conduct::new(bytes_max).tables();
    let lines: usize = tables.iter().map(|table| table.capacity).sum();
    assert!(lines * 24 < bytes_max && lines * 128 > bytes_max, "{tables:?}");
    assert!(tables.iter().all(|table| table.used == 0 && table.capacity >= 900), "{tables:?}");
}

#[test]
fn what_is_suspected_teaches_no_pace() {
    let mut scene = Scene::new();
    for word in 0..5 {
        let act = scene.page(1, &format!("/word{word}x"), None);
        scene.learn(&act, &answer(404, Role::Other), false, DAY_S);
    }
    for second in 0..300 {
        let act = scene.page(1, "/page", Some(3));
        scene.learn(&act, &answer(200, Role::Other), false, DAY_S + f64::from(second));
    }
    let used = |scene: &Scene| {
        let tables = scene.conduct.tables();
        tables.iter().find(|table| table.name == "paces").map(|table| table.used)
    };
    assert_eq!(used(&scene), Some(0));
    let act = scene.page(2, "/page", Some(3));
    scene.learn(&act, &answer(200, Role::Other), false, DAY_S);
    assert_eq!(used(&scene), Some(1));
    assert_eq!(scene.conduct.suggestions(time(DAY_S)), []);
    assert_ne!(act.keys.address, Digest(0));
}

/// When, who, in which role, with which outcome and status, and the rest.
fn step() -> impl Strategy<Value = (u64, u32, usize, Outcome, u16, bool)> {
    let outcomes = vec![Outcome::Success, Outcome::Failure, Outcome::NotFound, Outcome::Unknown];
    let outcome = prop::sample::select(outcomes);
    let role = 0..Role::ALL.len();
    (any::<u64>(), 0_u32..9, role, outcome, any::<u16>(), any::<bool>())
}

proptest! {
    #[test]
    fn no_sequence_of_times_and_answers_upsets_it(
        steps in prop::collection::vec(
            step(),
            1..60,
        ),
    ) {
        let mut scene = Scene::new();
        scene.conduct = Conduct::new(64 << 10);
        let mut places = Vec::new();
        for (micros, who, role, outcome, status, flag) in steps {
            let now = Timestamp::from_micros(micros);
            let mut act = scene.login(who, who + u32::from(flag));
            act.role = Role::ALL[role];
            act.endpoint_known = flag;
            act.identity.neighbours = status;
            let mut facts = answer(status, act.role);
            facts.outcome = outcome;
            if let Admission::Taken(place) = scene.conduct.admit(&act, now) {
                places.push(place);
            }
            let mut signals = Vec::new();
            for layer in Layer::ALL {
                scene.conduct.assess(layer, &act, &[], now, &mut signals);
                scene.conduct.learn(layer, &act, &facts, flag, now);
            }
            prop_assert!(signals.iter().all(|signal| (0.0..=32.0).contains(&signal.nats)));
            scene.conduct.suggestions(now);
            scene.conduct.baselines();
            if flag && let Some(place) = places.pop() {
                scene.conduct.release(place);
                scene.conduct.forgive(act.keys.address, now);
            }
        }
    }
}
