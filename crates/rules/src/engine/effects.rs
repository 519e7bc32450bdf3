//! What a match does: variables are written, settings change, rules and targets are taken away.

use super::{
    act::{Act, Amend, Amount, TxName},
    fields::Field,
    lasting::Write,
    link::Present,
    narrowing::ActPlace,
    run::Run,
    tx::Place,
};
use crate::{template::Template, variable::Variable};

/// Room for what most templates become.
const TEXT_BYTES: usize = 64;

impl Run<'_> {
    /// Does what the present link says for a match.
    pub(super) fn acts(&mut self, present: Present<'_>) {
        for (at, act) in present.plan.acts.iter().enumerate() {
            self.act(act, present.number, ActPlace { act: at, ..present.place });
        }
    }

    fn act(&mut self, act: &Act, number: u32, place: ActPlace) {
        match act {
            Act::SetTx { name, change } => self.set_tx(name, change, number),
            Act::SetLasting { collection, key, change } => {
                self.set_lasting(*collection, key, change, number);
            }
            Act::Expire { collection, key, seconds } => {
                let seconds = self.state.expand_number(self.program, seconds, number);
                let after_s = u64::try_from(seconds).unwrap_or(0);
                let key = self.small(key, number);
                self.state.write_lasting(*collection, &key, Write::Expire { after_s });
            }
            Act::Open { collection, key } => {
                let mut name = Vec::new();
                self.state.expand(self.program, key, number, &mut name);
                self.state.open_lasting(self.program, self.collections, *collection, &name);
            }
            Act::SetEnvironment { name, value } => {
                let mut text = Vec::new();
                self.state.expand(self.program, value, number, &mut text);
                let store = &mut self.state.store;
                let field = Field { name: store.keep(name), value: store.keep(&text) };
                self.state.set_environment(field);
            }
            Act::Audit(audit) => self.state.modes.audit = *audit,
            Act::ForceRequestBody(on) => self.state.modes.forces_request_body = *on,
            Act::RequestBodyAccess(on) => self.state.modes.request_body_access = *on,
            Act::ResponseBodyAccess(on) => self.state.modes.response_body_access = *on,
            Act::Processor(processor) => self.state.set_processor(*processor),
            Act::Engine(mode) => self.state.modes.engine = *mode,
            Act::RemoveRules(rules) => {
                self.state.narrowing.remove_rules(rules, self.program.rules);
            }
            Act::RemoveTarget { rules, .. } => {
                self.state.narrowing.narrow(rules, self.program.rules, place);
            }
        }
    }

    /// The template expanded, in small letters, in room that is to be given back.
    fn small(&mut self, template: &Template, number: u32) -> Vec<u8> {
        let mut name = std::mem::take(&mut self.state.name);
        name.clear();
        self.state.expand(self.program, template, number, &mut name);
        name.make_ascii_lowercase();
        name
    }

    fn set_tx(&mut self, name: &TxName, change: &Amend, number: u32) {
        let place = match name {
            TxName::Slot(slot) => Some(Place::Slot(*slot)),
            TxName::Made { name, may_have_slot } => {
                let name = self.small(name, number);
                let names = &self.program.names;
                let state = &mut *self.state;
                let place = match may_have_slot.then(|| names.slot(&name)).flatten() {
                    Some(slot) => Some(Place::Slot(slot)),
                    None => state.tx.name(&name, &mut state.store),
                };
                state.name = name;
                place
            }
        };
        let Some(place) = place else { return };
        match change {
            Amend::Number(value) => self.state.tx.set_number(place, *value),
            Amend::Text(template) => {
                let mut text = Vec::with_capacity(TEXT_BYTES);
                self.state.expand(self.program, template, number, &mut text);
                let state = &mut *self.state;
                let value = state.store.sketch(&text);
                state.tx.set_text(place, value, &mut state.store);
            }
            Amend::Add(amount) => {
                let by = self.amount(amount, number);
                self.add_tx(place, by);
            }
            Amend::Subtract(amount) => {
                let by = self.amount(amount, number);
                self.add_tx(place, by.saturating_neg());
            }
            Amend::Unset => self.state.tx.unset(place),
        }
    }

    /// What has no value, or none that is a number, counts as 0.
    fn add_tx(&mut self, place: Place, by: i64) {
        let state = &mut *self.state;
        let value = state.tx.number(place, &state.store).unwrap_or(0);
        state.tx.set_number(place, value.saturating_add(by));
    }

    fn amount(&mut self, amount: &Amount, number: u32) -> i64 {
        let state = &mut *self.state;
        match amount {
            Amount::Fixed(value) => *value,
            Amount::Slot(slot) => state.tx.number(Place::Slot(*slot), &state.store).unwrap_or(0),
            Amount::Made(template) => state.expand_number(self.program, template, number),
        }
    }

    fn set_lasting(&mut self, collection: Variable, key: &Template, change: &Amend, number: u32) {
        let key = self.small(key, number);
        let write = match change {
            Amend::Number(value) => Write::Set(value.to_string().into_bytes()),
            Amend::Text(template) => {
                let mut text = Vec::new();
                self.state.expand(self.program, template, number, &mut text);
                Write::Set(text)
            }
            Amend::Add(amount) => Write::Add(self.amount(amount, number)),
            Amend::Subtract(amount) => Write::Add(self.amount(amount, number).saturating_neg()),
            Amend::Unset => Write::Unset,
        };
        self.state.write_lasting(collection, &key, write);
    }
}
