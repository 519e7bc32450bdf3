//! One value after the other, looked at for all rules together.

use super::{bits::Bits, chains::Forms, part::Part, seen::Met, sieve::Sieve, view::Class};
use crate::rule_set::Step;

/// So many pairs of a test and a value are kept. Beyond, rules look for their values themselves.
const ROWS_MAX: usize = 16_384;

/// What was found in the values of a phase so far, and room that is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The steps whose rules can hold.
    pub(crate) steps: Bits,
    /// Which test holds for which value; in order when all values were looked at.
    rows: Vec<Row>,
    is_overfull: bool,
    /// The tests that hold for the present value.
    met: Vec<u16>,
    /// Of each form of the present value the tests of which a literal is in it.
    hits: Vec<Bits>,
    possible: Bits,
}

/// A value for which a test holds: the test, the number of the part in which the value stands, and
/// its place there.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Row {
    test: u16,
    part: u8,
    place: u32,
}

/// What is looked at, and by which means.
#[derive(Clone, Copy)]
pub(crate) struct Look<'s> {
    pub(crate) sieve: &'s Sieve,
    pub(crate) steps: &'s [Step],
}

impl Scan {
    /// A phase begins.
    pub(crate) fn begin(&mut self, look: Look<'_>) {
        self.steps.reset(look.steps.len());
        self.rows.clear();
        self.is_overfull = false;
    }

    /// Looks at the value at `place` of `part` for the tests of `class`. Says how many bytes were
    /// looked at.
    pub(crate) fn value(
        &mut self,
        look: Look<'_>,
        class: &Class,
        (part, place): (Part, usize),
        value: &[u8],
    ) -> usize {
        if class.tests.is_empty() {
            return 0;
        }
        let mut bytes = 0;
        self.met.clear();
        match look.sieve.seen.look(class.id, value) {
            Some(met) => self.met.extend_from_slice(met.tests()),
            None => {
                bytes = self.ask(look, class, value);
                if let Some(met) = Met::of(&self.met) {
                    look.sieve.seen.note(class.id, value, met);
                }
            }
        }
        for test in &self.met {
            if let Some(found) = look.sieve.tests.get(usize::from(*test)) {
                self.steps.insert(found.step);
            }
            match u32::try_from(place) {
                Ok(place) if self.rows.len() < ROWS_MAX => {
                    self.rows.push(Row { test: *test, part: part.number(), place });
                }
                _ => self.is_overfull = true,
            }
        }
        bytes
    }

    /// All values of the phase were looked at.
    pub(crate) fn finish(&mut self) {
        self.rows.sort_unstable();
    }

    /// The places of the values of a part for which a test holds; nothing when there were too many
    /// to keep.
    pub(crate) fn places(&self, test: u16, part: Part) -> Option<impl Iterator<Item = usize>> {
        let part = part.number();
        let first = self.rows.partition_point(|row| (row.test, row.part) < (test, part));
        let rows = self.rows.get(first..).unwrap_or_default().iter();
        let rows = rows.take_while(move |row| (row.test, row.part) == (test, part));
        (!self.is_overfull).then(|| rows.map(|row| row.place as usize))
    }

    /// Asks every test of the value, and says how many bytes that took.
    fn ask(&mut self, look: Look<'_>, class: &Class, value: &[u8]) -> usize {
        let forms = look.sieve.chains.forms(value, class.nodes);
        let mut bytes = 0;
        for at in 0..forms.len() {
            bytes += self.find_literals(look.sieve, &forms, at);
            bytes += self.form(look, class, &forms, at);
        }
        bytes
    }

    /// Notes of which tests a literal is in the form.
    fn find_literals(&mut self, sieve: &Sieve, forms: &Forms<'_>, at: usize) -> usize {
        if self.hits.len() <= at {
            self.hits.push(Bits::default());
        }
        let Some(form) = forms.get(at) else { return 0 };
        let (before, rest) = self.hits.split_at_mut(at);
        let Some(hits) = rest.first_mut() else { return 0 };
        if let Some(same) = form.in_small_letters_of.and_then(|same| before.get(same)) {
            hits.copy(same);
            return 0;
        }
        hits.reset(sieve.tests.len());
        sieve.lexicon.find(&form.bytes, form.present, hits);
        form.bytes.len()
    }

    /// Asks of a form what is not ruled out, and says how many bytes that took.
    fn form(&mut self, look: Look<'_>, class: &Class, forms: &Forms<'_>, at: usize) -> usize {
        let (Some(form), Some(hits)) = (forms.get(at), self.hits.get(at)) else { return 0 };
        self.possible.copy(hits);
        for (set, tests) in &look.sieve.others {
            if set.is_none_or(|set| set.meets(form.present)) {
                self.possible.add(tests);
            }
        }
        let mut bytes = 0;
        for place in 0..class.tests.words() {
            let mut left = class.tests.word(place) & self.possible.word(place);
            while left != 0 {
                let number = place * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                let Some(test) = look.sieve.tests.get(number) else { continue };
                let Ok(name) = u16::try_from(number) else { continue };
                if !test.is_possible(form) || self.met.contains(&name) {
                    continue;
                }
                bytes += form.bytes.len();
                if test.is_met(look.steps, form) {
                    self.met.push(name);
                }
            }
        }
        bytes
    }
}
