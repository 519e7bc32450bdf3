//! One value after the other, looked at for all rules together.

use super::{bits::Bits, chains::Forms, part::Part, seen::Met, sieve::Sieve, view::Class};
use crate::{rule_set::Step, work::Work};

/// So many pairs of a test and a value are kept. Beyond, rules look for their values themselves.
const ROWS_MAX: usize = 16_384;

/// Of a test that holds for a value for which its rule cannot. There are fewer tests than that.
const ALONE: u16 = 1 << 15;

/// What it takes to make a byte of a form of a value, and to look for literals there.
const FORM_WORK: usize = 4;

/// What was found in the values of a phase so far, and room that is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The steps whose rules can hold.
    pub(crate) steps: Bits,
    /// Which test holds for which value; in order when all values were looked at.
    rows: Vec<Row>,
    is_overfull: bool,
    /// The tests that hold for the present value, and with `ALONE` those whose rules cannot.
    met: Vec<u16>,
    /// Of each form of the present value what was found of literals.
    hits: Vec<Hits>,
    possible: Bits,
}

/// The tests of which a literal is in a form of a value, if that was asked.
#[derive(Debug, Default)]
struct Hits {
    tests: Bits,
    is_known: bool,
}

/// A value for which a test holds: the test, the number of the part in which the value stands, and
/// its place there, from the highest bits on.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Row(u64);

impl Row {
    const fn new(test: u16, part: u8, place: u32) -> Self {
        Self((test as u64) << 40 | (part as u64) << 32 | place as u64)
    }

    const fn place(self) -> usize {
        (self.0 & u32::MAX as u64) as usize
    }
}

/// What is looked at, and by which means.
#[derive(Clone, Copy)]
pub(crate) struct Look<'s> {
    pub(crate) sieve: &'s Sieve,
    pub(crate) steps: &'s [Step],
}

impl Scan {
    /// About the bytes of memory that it keeps.
    pub(crate) const fn room(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
    }

    /// A phase begins.
    pub(crate) fn begin(&mut self, look: Look<'_>) {
        self.steps.reset(look.steps.len());
        self.rows.clear();
        self.is_overfull = false;
    }

    /// Looks at the value at `place` of `part` for the tests of `class`, as far as `work` allows.
    /// What was seen before counts as if it were looked at now: what an exchange costs shall not
    /// depend on what came before it.
    pub(crate) fn value(
        &mut self,
        look: Look<'_>,
        class: &Class,
        (part, place): (Part, usize),
        value: &[u8],
        work: &mut Work,
    ) {
        if class.tests.is_empty() {
            return;
        }
        self.met.clear();
        match look.sieve.seen.look(class.id, value) {
            Some(met) => {
                self.met.extend_from_slice(met.tests());
                work.spend(met.work());
            }
            None => {
                let before = work.done;
                self.ask(look, class, value, work);
                let known = Met::of(&self.met, work.done.saturating_sub(before));
                if let Some(met) = known.filter(|_| !work.is_over) {
                    look.sieve.seen.note(class.id, value, met);
                }
            }
        }
        for met in &self.met {
            let test = met & !ALONE;
            if let Some(found) = look.sieve.tests.get(usize::from(test))
                && *met == test
            {
                self.steps.insert(found.step);
            }
            match u32::try_from(place) {
                Ok(place) if self.rows.len() < ROWS_MAX => {
                    self.rows.push(Row::new(test, part.number(), place));
                }
                _ => self.is_overfull = true,
            }
        }
    }

    /// All values of the phase were looked at.
    pub(crate) fn finish(&mut self) {
        self.rows.sort_unstable();
    }

    /// The places of the values of a part for which a test holds; nothing when there were too many
    /// to keep.
    pub(crate) fn places(&self, test: u16, part: Part) -> Option<impl Iterator<Item = usize>> {
        let part = part.number();
        let (first, last) = (Row::new(test, part, 0), Row::new(test, part, u32::MAX));
        let start = self.rows.partition_point(|row| *row < first);
        let rows = self.rows.get(start..).unwrap_or_default().iter();
        let rows = rows.take_while(move |row| **row <= last);
        (!self.is_overfull).then(|| rows.map(|row| row.place()))
    }

    /// Asks every test of the value.
    fn ask(&mut self, look: Look<'_>, class: &Class, value: &[u8], work: &mut Work) {
        let forms = look.sieve.chains.forms(value, class.nodes);
        for at in 0..forms.len() {
            let bytes = forms.get(at).map_or(0, |form| form.bytes.len());
            work.spend(bytes.saturating_mul(FORM_WORK));
            self.find_literals(look.sieve, class, &forms, at);
            self.form(look, class, &forms, at, work);
        }
    }

    /// Notes of which tests a literal is in the form.
    fn find_literals(&mut self, sieve: &Sieve, class: &Class, forms: &Forms<'_>, at: usize) {
        if self.hits.len() <= at {
            self.hits.push(Hits::default());
        }
        let Some(form) = forms.get(at) else { return };
        let (before, rest) = self.hits.split_at_mut(at);
        let Some(hits) = rest.first_mut() else { return };
        let same = form.in_small_letters_of.and_then(|same| before.get(same));
        if let Some(same) = same.filter(|same| same.is_known) {
            hits.tests.copy(&same.tests);
            hits.is_known = true;
            return;
        }
        hits.tests.reset(sieve.tests.len());
        let asks = class.asks(form).map_or(&[][..], |asks| &asks.literal);
        hits.is_known = asks.iter().any(|demand| demand.is_met(form));
        if hits.is_known {
            sieve.lexicon.find(&form.bytes, form.present, &mut hits.tests);
        }
    }

    /// Asks of a form what is not ruled out.
    fn form(
        &mut self,
        look: Look<'_>,
        class: &Class,
        forms: &Forms<'_>,
        at: usize,
        work: &mut Work,
    ) {
        let (Some(form), Some(hits)) = (forms.get(at), self.hits.get(at)) else { return };
        self.possible.copy(&hits.tests);
        let mut sequences = None;
        for (set, tests) in class.asks(form).map_or(&[][..], |asks| &asks.others) {
            if set.is_none_or(|set| set.meets(form.present)) {
                self.possible.add_few(tests);
            }
        }
        for place in 0..class.tests.words() {
            let mut left = class.tests.word(place) & self.possible.word(place);
            while left != 0 {
                let number = place * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                let Some(test) = look.sieve.tests.get(number) else { continue };
                let Ok(name) = u16::try_from(number) else { continue };
                let is_known = self.met.iter().any(|met| met & !ALONE == name);
                let Some(ask) = test.ask(form).filter(|ask| !is_known && ask.demand.is_met(form))
                else {
                    continue;
                };
                if let Some(ends) = &ask.sequences {
                    let found = sequences.get_or_insert_with(|| {
                        work.spend(form.bytes.len());
                        look.sieve.sequences(form)
                    });
                    if !ends.meets(found) {
                        continue;
                    }
                }
                if !work.begin(form.bytes.len()) {
                    return;
                }
                if test.is_met(look.steps, form, work) {
                    let may_hold = test.may_go_on(look.steps, form, work);
                    self.met.push(if may_hold { name } else { name | ALONE });
                }
            }
        }
    }
}
