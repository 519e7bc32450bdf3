//! The values that a target of a rule names, gathered before the rule looks at them, so that what
//! the rule writes meanwhile does not move them.

use super::{
    act::Act,
    fields::{Field, Side},
    matches::Match,
    narrowing::ActPlace,
    program::{Program, Selection, TargetPlan},
    state::{Key, Row, State},
    tx::Place,
};
use crate::{prefilter::Part, variable::Variable};
use Variable as V;

impl State {
    /// Gathers into `rows` what `target` of the rule of that number names; when its test is
    /// `sieved`, only the values for which it holds, if these are known. Says whether they are.
    pub(super) fn gather(
        &mut self,
        program: &Program,
        target: &TargetPlan,
        number: u32,
        sieved: Option<u16>,
    ) -> bool {
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        let are_met = sieved.is_some_and(|test| self.sieved_rows(program, target, test, &mut rows));
        if !are_met {
            self.all_rows(program, target, number, &mut rows);
        }
        self.exclude(program, target, number, &mut rows);
        if target.is_count {
            let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            rows.clear();
            let value = self.written(count);
            rows.push(Row { key: self.counted_key(target), value });
        }
        self.rows = rows;
        are_met
    }

    /// The values for which the test holds, if that is known.
    fn sieved_rows(
        &mut self,
        program: &Program,
        target: &TargetPlan,
        test: u16,
        rows: &mut Vec<Row>,
    ) -> bool {
        let mut candidates = std::mem::take(&mut self.candidates);
        let mut is_known = candidates.is_known();
        for part in target.parts {
            let Some(places) = candidates.scan().places(test, *part) else {
                is_known = false;
                break;
            };
            for place in places {
                if let Part::Single(variable) = part {
                    let value = self.single(program, *variable);
                    rows.extend(value.map(|value| Row { key: Key::None, value }));
                } else if let Some(value) = self.fields.xml(*part).and_then(|it| it.get(place)) {
                    rows.push(Row { key: Key::None, value: *value });
                } else if let Some((fields, side)) = self.fields.part(*part)
                    && let Some(field) = fields.get(place)
                    && target.selection.takes(self.store.bytes(field.name), target.is_exact)
                {
                    rows.push(row(field, side));
                }
            }
        }
        std::mem::swap(&mut self.candidates, &mut candidates);
        is_known
    }

    /// All values that the target names.
    fn all_rows(
        &mut self,
        program: &Program,
        target: &TargetPlan,
        number: u32,
        rows: &mut Vec<Row>,
    ) {
        rows.clear();
        match target.variable {
            Variable::Tx => self.tx_rows(program, target, rows),
            Variable::MatchedVars | Variable::MatchedVarsNames => {
                self.matched_rows(program, target.variable, rows);
            }
            Variable::Xml => self.xml_rows(target, rows),
            Variable::Rule => self.rule_rows(program, target, number, rows),
            Variable::FilesSizes | Variable::FilesTmpContent | Variable::FilesTmpNames => {
                self.file_rows(target.variable, rows);
            }
            variable if is_lasting(variable) => self.lasting_rows(variable, rows),
            variable => match self.fields.list(variable) {
                Some((first, second, side)) => {
                    self.work.spend(first.len() + second.len());
                    let fields = first.iter().chain(second).filter(|field| {
                        let name = self.store.bytes(field.name);
                        target.selection.takes(name, target.is_exact)
                    });
                    rows.extend(fields.map(|field| row(field, side)));
                }
                None => {
                    let value = self.single(program, variable);
                    rows.extend(value.map(|value| Row { key: Key::None, value }));
                }
            },
        }
    }

    /// Takes out what the rule, or `ctl`, does not look at, and what the lists that are gathered
    /// whole hold besides.
    fn exclude(&self, program: &Program, target: &TargetPlan, number: u32, rows: &mut Vec<Row>) {
        let is_gathered_whole = is_lasting(target.variable)
            || matches!(target.variable, V::MatchedVars | V::FilesSizes);
        if is_gathered_whole && !matches!(target.selection, Selection::All) {
            rows.retain(|row| target.selection.takes(self.key(program, row.key), target.is_exact));
        }
        let acts = self.narrowing.acts_on(number);
        if target.exclusions.is_empty() && acts.is_empty() {
            return;
        }
        let narrowed = acts.iter().filter_map(|place| narrows(program, *place, target, number));
        let exclusions: Vec<&Selection> = target.exclusions.iter().chain(narrowed).collect();
        rows.retain(|row| {
            let name = self.key(program, row.key);
            !exclusions.iter().any(|it| match it {
                Selection::Slot(slot) => row.key == Key::Slot(*slot),
                // An exclusion of the same XPath.
                Selection::XmlTexts | Selection::XmlAttributes => {
                    it.is_same_path(&target.selection)
                }
                it => it.takes(name, target.is_exact),
            })
        });
    }

    /// The bytes of a name.
    pub(super) fn key<'s>(&'s self, program: &'s Program, key: Key) -> &'s [u8] {
        match key {
            Key::None => b"",
            Key::Text(span) => self.store.bytes(span),
            Key::Slot(slot) => program.names.name(slot),
        }
    }

    fn counted_key(&mut self, target: &TargetPlan) -> Key {
        match &target.selection {
            Selection::Key(key) => Key::Text(self.store.sketch(key)),
            Selection::Slot(slot) => Key::Slot(*slot),
            _ => Key::None,
        }
    }

    fn tx_rows(&mut self, program: &Program, target: &TargetPlan, rows: &mut Vec<Row>) {
        let slot_row = |state: &mut Self, slot: u16| {
            let value = state.tx.text(Place::Slot(slot), &mut state.store)?;
            Some(Row { key: Key::Slot(slot), value })
        };
        match &target.selection {
            Selection::Slot(slot) => rows.extend(slot_row(self, *slot)),
            Selection::Slots(slots, _) => {
                rows.extend(slots.iter().filter_map(|slot| slot_row(self, *slot)));
            }
            Selection::All => {
                let slots = 0..u16::try_from(program.names.len()).unwrap_or(u16::MAX);
                rows.extend(slots.filter_map(|slot| slot_row(self, slot)));
            }
            _ => {}
        }
        if matches!(target.selection, Selection::Slot(_)) {
            return;
        }
        for at in 0..self.tx.named_count() {
            let Some((place, name)) = self.tx.name_at(at) else { continue };
            if let Some(limit) = target.limit
                && !self.tx.number(place, &self.store).is_some_and(|number| limit.admits(number))
            {
                continue;
            }
            if !target.selection.takes(self.store.bytes(name), false) {
                continue;
            }
            let value = self.tx.text(place, &mut self.store);
            rows.extend(value.map(|value| Row { key: Key::Text(name), value }));
        }
    }

    fn matched_rows(&mut self, program: &Program, variable: Variable, rows: &mut Vec<Row>) {
        let matches: Vec<Match> = self.matches.before().to_vec();
        for it in &matches {
            let name = self.match_name(program, it);
            let value = if variable == Variable::MatchedVars { it.value } else { name };
            rows.push(Row { key: Key::Text(name), value });
        }
    }

    fn xml_rows(&self, target: &TargetPlan, rows: &mut Vec<Row>) {
        let list = match target.selection {
            Selection::XmlAttributes => &self.fields.xml_attributes,
            _ => &self.fields.xml_texts,
        };
        rows.extend(list.iter().map(|value| Row { key: Key::None, value: *value }));
    }

    fn file_rows(&mut self, variable: Variable, rows: &mut Vec<Row>) {
        for at in 0..self.fields.files.len() {
            let Some(file) = self.fields.files.get(at).copied() else { break };
            let value = match variable {
                Variable::FilesSizes => self.written(i64::from(file.content.length)),
                Variable::FilesTmpContent => file.content,
                // Files are not written to disk, so they have no name there.
                _ => continue,
            };
            rows.push(Row { key: Key::Text(file.name), value });
        }
    }

    fn rule_rows(
        &mut self,
        program: &Program,
        target: &TargetPlan,
        number: u32,
        rows: &mut Vec<Row>,
    ) {
        let Selection::Key(key) = &target.selection else { return };
        let value = self.rule_value(program, number, key);
        let key = Key::Text(self.store.sketch(key));
        rows.extend(value.map(|value| Row { key, value }));
    }

    /// `ARGS:name` of a match, for as long as the present rule runs.
    pub(super) fn match_name(&mut self, program: &Program, it: &Match) -> super::store::Span {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        self.write_match_name(program, it, &mut text);
        let span = self.store.sketch(&text);
        self.text = text;
        span
    }

    /// Appends that.
    pub(super) fn write_match_name(&self, program: &Program, it: &Match, out: &mut Vec<u8>) {
        out.extend_from_slice(it.variable.name().as_bytes());
        if it.key != Key::None {
            out.push(b':');
            out.extend_from_slice(self.key(program, it.key));
        }
    }
}

fn row(field: &Field, side: Side) -> Row {
    let value = if side == Side::Value { field.value } else { field.name };
    Row { key: Key::Text(field.name), value }
}

/// Is it one of the persistent collections?
pub(super) const fn is_lasting(variable: Variable) -> bool {
    matches!(variable, V::Global | V::Ip | V::Resource | V::Session | V::User)
}

/// What the `ctl` at `place` takes out of a target of the rule of that number.
fn narrows<'p>(
    program: &'p Program,
    place: ActPlace,
    target: &TargetPlan,
    number: u32,
) -> Option<&'p Selection> {
    match program.act(place)? {
        Act::RemoveTarget { rules, variable, selection }
            if *variable == target.variable && rules.binary_search(&number).is_ok() =>
        {
            Some(selection)
        }
        _ => None,
    }
}

impl Selection {
    /// Does it select the value of that name? Names are compared byte by byte if `is_exact`.
    pub(super) fn takes(&self, name: &[u8], is_exact: bool) -> bool {
        match self {
            Self::All | Self::XmlTexts | Self::XmlAttributes => true,
            Self::Key(key) if is_exact => **key == *name,
            Self::Key(key) => key.eq_ignore_ascii_case(name),
            Self::Slot(_) => false,
            Self::Pattern(pattern) | Self::Slots(_, pattern) => pattern.is_match(name),
        }
    }

    fn is_same_path(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::XmlTexts, Self::XmlTexts) | (Self::XmlAttributes, Self::XmlAttributes)
        )
    }
}
