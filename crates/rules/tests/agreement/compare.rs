//! Two engines with the same rules, one that sieves them and one that asks each rule of each of its
//! values, on the same exchanges: with the rules as they are, and with rules that all tell what
//! they found. Rules that tell are never foreseen, so that each way shows what the other does not.

use rules::{
    engine::{Engine, Transaction},
    rule_set::RuleSet,
};

use super::told::{difference, telling, told};

/// How many times requests are drawn: a tenth of `PALISADE_SEEDS`, at least once.
pub(crate) fn seeds() -> u64 {
    let seeds = std::env::var("PALISADE_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    (seeds.unwrap_or(0_u64) / 10).max(1)
}

/// The two engines, in each of the two ways.
pub(crate) struct Pair {
    telling: Engines,
    silent: Engines,
}

struct Engines {
    sieved: Engine,
    plain: Engine,
}

impl Engines {
    fn new(set: RuleSet) -> Self {
        Self { sieved: Engine::new(set.clone()), plain: Engine::plain(set) }
    }
}

impl Pair {
    pub(crate) fn new(set: RuleSet) -> Self {
        Self { silent: Engines::new(set.clone()), telling: Engines::new(telling(set)) }
    }

    /// What they tell of each exchange must be the same. Of `run` it is asked how a request runs.
    pub(crate) fn agree(
        &self,
        what: &str,
        requests: &[Vec<u8>],
        run: impl Fn(&Engine, Option<Transaction>, &[u8]) -> Transaction + Sync,
    ) {
        let half = requests.len().div_ceil(2).max(1);
        let complaints = std::thread::scope(|scope| {
            let halves = requests.chunks(half);
            let threads: Vec<_> =
                halves.map(|half| scope.spawn(|| self.complaints(half, &run))).collect();
            let joined = threads.into_iter().map(|thread| thread.join().expect("no panic"));
            joined.collect::<Vec<_>>()
        });
        let held: usize = complaints.iter().map(|(held, _)| held).sum();
        let wrong: Vec<String> = complaints.into_iter().flat_map(|(_, wrong)| wrong).collect();
        println!("{what}: {} requests, {held} hits, {} differ", requests.len(), wrong.len());
        let first: Vec<&str> = wrong.iter().take(5).map(String::as_str).collect();
        assert!(wrong.is_empty(), "{what}: {} differ\n{}", wrong.len(), first.join("\n"));
        assert!(held > requests.len(), "{what}: {held} hits: nothing was compared");
    }

    /// How often rules held, and where the two differ.
    fn complaints(
        &self,
        requests: &[Vec<u8>],
        run: &impl Fn(&Engine, Option<Transaction>, &[u8]) -> Transaction,
    ) -> (usize, Vec<String>) {
        let (mut held, mut wrong) = (0, Vec::new());
        let mut spares = [None, None];
        for request in requests {
            for (engines, spare) in [&self.telling, &self.silent].into_iter().zip(&mut spares) {
                let mut plain = run(&engines.plain, None, request);
                held += plain.hits().len();
                let plain = told(&mut plain);
                // Twice, since the second time what was clean is remembered, and in the memory of
                // the exchange before.
                for turn in ["first", "second"] {
                    let mut transaction = run(&engines.sieved, spare.take(), request);
                    let sieved = told(&mut transaction);
                    *spare = Some(transaction);
                    if sieved != plain {
                        let difference = difference(&sieved, &plain);
                        let request = request.escape_ascii();
                        wrong.push(format!("the {turn} time: {request}\n{difference}"));
                    }
                }
            }
        }
        (held, wrong)
    }
}
