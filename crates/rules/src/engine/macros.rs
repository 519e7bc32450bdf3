//! What templates become: their macros replaced by the values of the moment.

use super::{program::Program, state::State, store::Span, tx::Place, values::is_lasting};
use crate::{
    operator::number::atoi,
    template::{Macro, Piece, Template},
    variable::{Shape, Variable},
};

impl State {
    /// Appends the expanded template to `out`. `number` is that of the present rule.
    pub(super) fn expand(
        &mut self,
        program: &Program,
        template: &Template,
        number: u32,
        out: &mut Vec<u8>,
    ) {
        for piece in &template.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                // Written by rules for each of thousands of values.
                Piece::Macro(it) if it.variable == Variable::MatchedVarName => {
                    let before = out.len();
                    if let Some(last) = self.matches.last() {
                        self.write_match_name(program, last, out);
                    }
                    self.work.spend(out.len().saturating_sub(before));
                }
                Piece::Macro(it) => {
                    if let Some(value) = self.macro_value(program, it, number) {
                        out.extend_from_slice(self.store.bytes(value));
                        self.work.spend(value.length as usize);
                    }
                }
            }
        }
    }

    /// The expanded template as a number.
    pub(super) fn expand_number(
        &mut self,
        program: &Program,
        template: &Template,
        number: u32,
    ) -> i64 {
        let mut text = Vec::new();
        self.expand(program, template, number, &mut text);
        atoi(&text)
    }

    /// The value that a macro stands for.
    fn macro_value(&mut self, program: &Program, it: &Macro, number: u32) -> Option<Span> {
        // Finding one of many, or summing them up, takes as long as there are many.
        if !matches!(it.variable, Variable::Tx | Variable::MatchedVar | Variable::MatchedVarName) {
            self.work.spend(self.fields.arguments.len());
        }
        let Some(key) = it.key.as_deref() else {
            return self.single(program, it.variable);
        };
        match it.variable {
            Variable::Tx => {
                let place = self.tx_place(program, it.slot, key)?;
                self.tx.text(place, &mut self.store)
            }
            Variable::Rule => self.rule_value(program, number, key),
            variable if is_lasting(variable) => self.lasting_value(variable, key),
            variable => {
                let is_exact = variable.shape() == Shape::ExactCase;
                let (first, second, _) = self.fields.list(variable)?;
                let named = first.iter().chain(second).find(|field| {
                    let name = self.store.bytes(field.name);
                    if is_exact { name == key } else { name.eq_ignore_ascii_case(key) }
                });
                named.map(|field| field.value)
            }
        }
    }

    fn tx_place(&self, program: &Program, slot: Option<u16>, name: &[u8]) -> Option<Place> {
        let slot = slot.or_else(|| program.names.slot(name));
        slot.map(Place::Slot).or_else(|| self.tx.named(name, &self.store))
    }

    /// `RULE:id` and the like of the rule of that number.
    pub(super) fn rule_value(
        &mut self,
        program: &Program,
        number: u32,
        key: &[u8],
    ) -> Option<Span> {
        let rule = program.rule(number)?;
        match key.to_ascii_lowercase().as_slice() {
            b"id" => Some(self.store.sketch(rule.id.to_string().as_bytes())),
            b"rev" => {
                let revision = rule.about.revision.as_ref()?;
                Some(self.store.sketch(revision.as_bytes()))
            }
            b"severity" => {
                let severity = rule.about.severity?;
                Some(self.written(severity as i64))
            }
            name @ (b"msg" | b"logdata") => {
                let head = rule.links.first()?;
                let template = if name == b"msg" { &head.message } else { &head.log_data };
                // A message may not name itself: only its other macros are expanded.
                let mut template = template.clone()?;
                template.pieces.retain(
                    |piece| !matches!(piece, Piece::Macro(it) if it.variable == Variable::Rule),
                );
                let mut text = Vec::new();
                self.expand(program, &template, number, &mut text);
                Some(self.store.sketch(&text))
            }
            _ => None,
        }
    }

    /// The value of `TX` of that name, as text.
    pub(super) fn tx_text(&mut self, program: &Program, name: &[u8]) -> Option<Span> {
        let name = name.to_ascii_lowercase();
        let place = self.tx_place(program, None, &name)?;
        self.tx.text(place, &mut self.store)
    }

    /// The value of `TX` of that name, as a number.
    pub(super) fn tx_number(&self, program: &Program, name: &[u8]) -> Option<i64> {
        let name = name.to_ascii_lowercase();
        let place = self.tx_place(program, None, &name)?;
        self.tx.number(place, &self.store)
    }

    /// Every name of `TX` that has a value, and its text.
    pub(super) fn tx_texts(&mut self, program: &Program) -> Vec<(Vec<u8>, Vec<u8>)> {
        let slots = (0..program.names.len()).filter_map(|slot| u16::try_from(slot).ok());
        let slots = slots.map(|slot| (Place::Slot(slot), program.names.name(slot).to_vec()));
        let named = self.tx.names().map(|(place, name)| (place, self.store.bytes(name).to_vec()));
        let places: Vec<_> = slots.chain(named).collect();
        let texts = places.into_iter().filter_map(|(place, name)| {
            let text = self.tx.text(place, &mut self.store)?;
            Some((name, self.store.bytes(text).to_vec()))
        });
        let mut texts: Vec<_> = texts.collect();
        texts.sort();
        texts
    }
}
