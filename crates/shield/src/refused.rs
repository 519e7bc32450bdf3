//! Requests that the gateway refuses for their form: for what is wrong with it, in every mode.
//!
//! Rules look at them all the same, as far as they came, so that the event tells what it was that
//! could be read in two ways. What they find decides nothing here and stands against nobody.

use traffic::{Event, EventId, Layer, Mode, Peer, Timestamp};

use crate::engine::Engine;
use crate::inspection::{Circumstances, Inspection};
use crate::pass::{End, Pass};
use crate::policy::Policy;
use crate::report;
use crate::tally;

/// A request head that the gateway refused.
#[derive(Clone, Copy, Debug)]
pub struct RefusedHead<'a> {
    /// The event's identity, which the caller gets.
    pub id: EventId,
    /// What is wrong, in a few words.
    pub fault: &'static str,
    /// 400, 414 or 431.
    pub status: u16,
    /// The bytes of the head as they came, and of the body as far as they came with it.
    pub raw: &'a [u8],
}

/// A refusal as it is told.
#[derive(Debug)]
pub struct ToldRefusal {
    /// The event.
    pub event: Event,
    /// The numbers of the rules that matched, for a caller that is told.
    pub rules: Option<String>,
}

impl Engine {
    /// The event of a request that is turned away unseen: there is no time to look at it.
    pub fn turn_away(&self, refused: &RefusedHead<'_>, peer: &Peer, now: Timestamp) -> Event {
        self.memory().tallies.count(now, tally::malformed());
        report::framing_event(refused, peer.address, self.policy_version(), now, self.hasher())
    }

    /// The event of a request that is refused for its form, with what rules say of it. `pass` is
    /// what it has become so far; it ends here.
    pub fn refuse_form(
        &self,
        refused: &RefusedHead<'_>,
        peer: &Peer,
        pass: Option<Box<Pass>>,
        now: Timestamp,
    ) -> ToldRefusal {
        let mut event = self.turn_away(refused, peer, now);
        let policy = pass.as_ref().map_or_else(|| self.policy(), |pass| pass.policy().clone());
        let inspection = match pass {
            Some(mut pass) => {
                let inspection = pass.inspection.take();
                // Its own event would tell of a request that was let pass, under the ID of the one
                // that says what is wrong with it.
                drop(self.abandon(pass, End::Dropped(refused.status), now));
                inspection
            }
            None => self.inspection_of(refused, peer, &policy),
        };
        let Some(mut inspection) = inspection else { return ToldRefusal { event, rules: None } };
        let looked = self.guard().run(Layer::Rules, now, || {
            inspection.run(now, self.hasher());
            inspection.end();
        });
        if looked.is_err() {
            event.notes.push("the rules failed on this request".to_owned());
            return ToldRefusal { event, rules: None };
        }
        self.memory().rule_hits.add(inspection.all_found());
        event.rules = inspection.all_found().map(|found| found.told.clone()).collect();
        let is_told = policy.debug.rule_header.value && peer.address.is_loopback();
        ToldRefusal { event, rules: is_told.then(|| inspection.numbers()) }
    }

    fn inspection_of(
        &self,
        refused: &RefusedHead<'_>,
        peer: &Peer,
        policy: &Policy,
    ) -> Option<Box<Inspection>> {
        let looks = policy.sites.iter().any(|site| site.modes.of(Layer::Rules) != Mode::Off);
        let rulebook = policy.rulebook().filter(|_| looks && !refused.raw.is_empty())?;
        let of = Circumstances { id: refused.id, client: peer.address };
        let taken = self.guard().run(Layer::Rules, Timestamp::EPOCH, || {
            Box::new(Inspection::of_refused(rulebook, refused.raw, of))
        });
        taken.ok()
    }
}
