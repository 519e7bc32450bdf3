//! Who looks at which values, when some rules are jumped over.

use std::collections::BTreeMap;

use crate::byte_set::ByteSet;

use super::{
    bits::{Bits, FewBits},
    chains::{Form, Nodes},
    demand::{Demand, least},
    literal::ByAlphabet,
    part::Part,
    seen::Seen,
    sieve::Sieve,
};

/// Which conditions hold that let rules be jumped over, a bit for each.
pub(crate) type Outcomes = u64;

/// What is looked at, when some rules are jumped over.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) lookouts: Vec<Lookout>,
}

/// Values, and the tests that look at them.
#[derive(Debug)]
pub(crate) struct Lookout {
    pub(crate) part: Part,
    /// For any value.
    pub(crate) any: Class,
    /// For values of these names, those for any value included.
    named: BTreeMap<Box<[u8]>, Class>,
    /// For values whose names have a byte of `marks`, those for any value included.
    marked: Class,
    marks: ByteSet,
    /// How long these names are, a bit for each length; the last one for all that are longer.
    lengths: u64,
    is_exact: bool,
}

/// Tests that look at the same values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Class {
    /// Unlike that of any other class.
    pub(super) id: u32,
    pub(super) tests: Bits,
    asks: ByAlphabet<Asks>,
    /// The nodes on the way to where their chains end.
    pub(super) nodes: Nodes,
}

/// When the tests of a class are asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Asks {
    /// What a form must have for one of them that needs a literal.
    pub(super) literal: Vec<Demand>,
    /// The others, by the bytes of which a value must have one for them, if any.
    pub(super) others: Vec<(Option<ByteSet>, FewBits)>,
}

/// Who looks at a part: tests, by their numbers.
#[derive(Debug, Default)]
pub(super) struct LooksAt {
    pub(super) any: Vec<usize>,
    pub(super) named: BTreeMap<Box<[u8]>, Vec<usize>>,
    /// For values whose names a pattern chooses: those names have a byte of `marks`.
    pub(super) marked: Vec<usize>,
    pub(super) marks: ByteSet,
    /// Are names compared byte by byte?
    pub(super) is_exact: bool,
}

impl View {
    /// What is left to look at, when these steps are jumped over.
    pub(super) fn new(sieve: &Sieve, jumped_over: &Bits, seen: &Seen) -> Self {
        let stays = |test: &usize| {
            sieve.tests.get(*test).is_some_and(|test| !jumped_over.contains(test.step))
        };
        let class = |tests: &[&[usize]]| {
            let tests = tests.iter().copied().flatten().copied().filter(stays);
            Class::new(sieve, seen.new_class(), tests)
        };
        let marks = |looks: &LooksAt| {
            if looks.marked.iter().any(stays) { looks.marks } else { ByteSet::NONE }
        };
        let lookout = |(part, looks): (&Part, &LooksAt)| {
            let named = looks.named.iter();
            // Whether a pattern chooses the name besides is the engine's concern.
            let named = named
                .map(|(name, tests)| (name.clone(), class(&[&looks.any, &looks.marked, tests])));
            let named: BTreeMap<_, _> = named.filter(|(_, class)| !class.is_empty()).collect();
            Lookout {
                part: *part,
                any: class(&[&looks.any]),
                marked: class(&[&looks.any, &looks.marked]),
                marks: marks(looks),
                lengths: named.keys().fold(0, |all, name| all | length_bit(name)),
                named,
                is_exact: looks.is_exact,
            }
        };
        let lookouts = sieve.looks.iter().map(lookout);
        Self { lookouts: lookouts.filter(|it| !it.is_idle()).collect() }
    }
}

impl Class {
    fn new(sieve: &Sieve, id: u32, tests: impl Iterator<Item = usize>) -> Self {
        let numbers: Vec<usize> = tests.collect();
        let mut all = Bits::with_room(sieve.tests.len());
        let mut ends: Nodes = 0;
        for number in &numbers {
            let Some(test) = sieve.tests.get(*number) else { continue };
            ends |= test.asks.iter().fold(0, |all, ask| all | ask.demand.ends);
            all.insert(*number);
        }
        let asks = std::array::from_fn(|alphabet| Asks::new(sieve, alphabet, &numbers));
        Self { id, tests: all, asks, nodes: sieve.chains.ways_to(ends) }
    }

    fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// When its tests are asked of a form.
    pub(super) fn asks(&self, form: &Form<'_>) -> Option<&Asks> {
        self.asks.get(form.alphabet)
    }
}

impl Asks {
    fn new(sieve: &Sieve, alphabet: usize, tests: &[usize]) -> Self {
        let (mut literal, mut others) = (Vec::new(), Vec::<(_, FewBits)>::new());
        for number in tests {
            let Some(test) = sieve.tests.get(*number) else { continue };
            let Some(ask) = test.asks.get(alphabet).filter(|ask| ask.is_possible()) else {
                continue;
            };
            if ask.needs_literal {
                // To look for literals costs little: nothing is counted before.
                literal.push(Demand { count: None, ..ask.demand.clone() });
                continue;
            }
            let rarest = ask.rarest();
            let place = others.iter().position(|(known, _)| *known == rarest);
            let place = place.unwrap_or_else(|| {
                others.push((rarest, FewBits::default()));
                others.len() - 1
            });
            if let Some((_, tests)) = others.get_mut(place) {
                tests.insert(*number);
            }
        }
        Self { literal: least(literal), others }
    }
}

impl Lookout {
    /// Does nobody look?
    fn is_idle(&self) -> bool {
        self.any.is_empty() && self.marked.is_empty() && self.named.is_empty()
    }

    /// The tests that look at the value of that name; `room` is for the name in small letters.
    pub(crate) fn class(&self, name: &[u8], room: &mut Vec<u8>) -> &Class {
        let is_marked = !self.marks.is_empty() && self.marks.meets(ByteSet::present(name));
        let others = if is_marked { &self.marked } else { &self.any };
        if self.lengths & length_bit(name) == 0 {
            return others;
        }
        if self.is_exact {
            return self.named.get(name).unwrap_or(others);
        }
        room.clear();
        room.extend(name.iter().map(u8::to_ascii_lowercase));
        self.named.get(room.as_slice()).unwrap_or(others)
    }
}

const fn length_bit(name: &[u8]) -> u64 {
    1 << if name.len() < 63 { name.len() } else { 63 }
}
