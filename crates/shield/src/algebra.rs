//! How evidence adds up: within a family it overlaps, across families it sums.
//!
//! Detectors of one family see the same behaviour, so the strongest counts whole and the rest a
//! quarter. Being automated or being listed is not an attack: those two families are capped so that
//! together they never reach a block.

use traffic::{Detector, Entity, Family, Identity, Role, Signal};

/// The prior: one caller in a thousand is hostile, ln(1/1000).
const PRIOR_NATS: f32 = -6.9;

/// The most that one family contributes.
const FAMILY_MAX: f32 = 12.0;

/// The most that automation and reputation contribute, each: 8 in all, below the 9.2 of a block.
const WEAK_FAMILY_MAX: f32 = 4.0;

/// The most that good standing takes off.
const GOOD_MAX: f32 = 3.0;

/// Families in which evidence is summed.
const FAMILIES: [Family; 9] = [
    Family::Auth,
    Family::Object,
    Family::Flow,
    Family::Input,
    Family::Volume,
    Family::Automation,
    Family::Reputation,
    Family::Deception,
    Family::Recon,
];

/// The sum of evidence and where most of it lies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    /// The sum in nats, at least 0.
    pub(crate) nats: f32,
    /// The strongest signal: its detector's layer decides.
    pub(crate) strongest: Option<Signal>,
    /// The narrowest entity that carries at least [`NARROW_SHARE`] of the sum.
    pub(crate) narrowest: Option<Entity>,
}

/// A block falls on the narrowest entity that carries this share of the evidence.
const NARROW_SHARE: f32 = 0.7;

impl Sum {
    /// The risk that the caller is hostile, 0 to 100.
    pub(crate) fn risk(&self) -> u8 {
        risk(self.nats)
    }
}

/// The posterior probability of an attack as a number from 0 to 100.
pub(crate) fn risk(nats: f32) -> u8 {
    let share = 1.0 / (1.0 + exp(-(PRIOR_NATS + nats)));
    // A share between 0 and 1: 0 to 100 after rounding.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 100 by construction"
    )]
    let percent = (share * 100.0).round() as u8;
    percent
}

/// e to the `power`, by multiplications alone: the same on every machine, which a library's is not.
fn exp(power: f32) -> f32 {
    const SQUARINGS: i32 = 20;
    let mut value = 1.0 + f64::from(power.clamp(-60.0, 60.0)) / f64::from(1 << SQUARINGS);
    for _ in 0..SQUARINGS {
        value *= value;
    }
    // Between e^-60 and e^60: within what a single precision number holds.
    #[allow(clippy::cast_possible_truncation, reason = "clamped above")]
    let value = value as f32;
    value
}

/// Whether evidence of `detector` speaks about a request to an endpoint of `role`. Guessed
/// passwords say nothing about somebody who reads a product page from the same office.
pub(crate) const fn concerns(detector: Detector, role: Role) -> bool {
    match detector {
        Detector::CredentialStuffing | Detector::InFlight | Detector::CommonPassword => {
            role.tries_a_secret()
        }
        _ => true,
    }
}

/// Adds up what `signals` say about one request of `identity`.
pub(crate) fn sum(
    signals: &[Signal],
    identity: &Identity,
    role: Role,
    is_counted: impl Fn(&Signal) -> bool,
) -> Sum {
    if signals.is_empty() {
        return Sum::default();
    }
    let counted = || {
        signals.iter().filter(|signal| {
            is_evidence(signal.detector) && concerns(signal.detector, role) && is_counted(signal)
        })
    };
    // Nearly always there are one or two signals for nine families of detectors.
    let present = counted().fold(0_u32, |seen, signal| seen | 1 << signal.detector.family() as u32);
    let mut total = Sum::default();
    let mut good = 0.0_f32;
    for family in FAMILIES.into_iter().filter(|family| present & 1 << *family as u32 != 0) {
        let mut best = 0.0_f32;
        let mut all = 0.0_f32;
        for detector in Detector::ALL.into_iter().filter(|detector| detector.family() == family) {
            // The same behaviour shows on several entities of one caller: the heaviest counts.
            let mut heaviest = 0.0_f32;
            for signal in counted().filter(|signal| signal.detector == detector) {
                let nats = signal.nats * weight(signal, identity);
                if nats < 0.0 {
                    good = good.min(nats);
                } else if nats > heaviest {
                    heaviest = nats;
                    if total.strongest.is_none_or(|strongest| nats > strongest.nats) {
                        total.strongest = Some(Signal { nats, ..*signal });
                    }
                }
            }
            best = best.max(heaviest);
            all += heaviest;
        }
        let most = if matches!(family, Family::Automation | Family::Reputation) {
            WEAK_FAMILY_MAX
        } else {
            FAMILY_MAX
        };
        total.nats += (best + 0.25 * (all - best)).min(most);
    }
    total.nats = (total.nats + good.max(-GOOD_MAX)).max(0.0);
    let enough = total.nats * NARROW_SHARE;
    total.narrowest = counted()
        .filter(|signal| signal.nats > 0.0 && signal.nats * weight(signal, identity) >= enough)
        .map(|signal| signal.entity)
        .max_by_key(narrowness);
    total
}

/// Limits, known attacks, standing decisions and framing act by themselves; only the rest is
/// weighed.
pub(crate) const fn is_evidence(detector: Detector) -> bool {
    matches!(
        detector,
        Detector::CredentialStuffing
            | Detector::CommonPassword
            | Detector::ForcedBrowsing
            | Detector::VersionWalk
            | Detector::Disguise
            | Detector::AttackProbing
            | Detector::CveProbing
            | Detector::Decoy
            | Detector::GoodStanding
    )
}

/// How much of an entity's evidence falls on one request of it. Ratios of success and failure are
/// safe behind a shared address, since its honest users pull them down; anything else is discounted
/// by the number of established principals there.
fn weight(signal: &Signal, identity: &Identity) -> f32 {
    let is_ratio = matches!(
        signal.detector,
        Detector::CredentialStuffing | Detector::CommonPassword | Detector::ForcedBrowsing
    );
    let shared =
        if is_ratio { 1.0 } else { 1.0 / (1.0 + f32::from(identity.neighbours.max(1)).ln()) };
    match signal.entity {
        Entity::Session(_) | Entity::Principal(_) | Entity::Account(_) => 1.0,
        Entity::Device(_) => 0.8,
        Entity::Address(_) => shared,
        // One host may own a whole IPv6 network: guessing from all of it is guessing by one.
        Entity::Net(_) if signal.detector == Detector::CredentialStuffing => 1.0,
        Entity::Net(_) | Entity::Ja4(_) => 0.3 * shared,
    }
}

const fn narrowness(entity: &Entity) -> u8 {
    match entity {
        Entity::Net(_) => 0,
        Entity::Ja4(_) => 1,
        Entity::Address(_) => 2,
        Entity::Device(_) => 3,
        Entity::Account(_) => 4,
        Entity::Principal(_) => 5,
        Entity::Session(_) => 6,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use traffic::{Digest, Reason};

    use super::*;

    fn identity() -> Identity {
        let address: IpAddr = [192, 0, 2, 1].into();
        Identity {
            address,
            address_entity: Entity::address(address),
            net_entity: Entity::net(address),
            ja4: None,
            device: Digest(1),
            session: None,
            principal: None,
            application: None,
            account: None,
            attempted: None,
            named: Default::default(),
            familiar: false,
            established: false,
            proven: false,
            neighbours: 0,
        }
    }

    fn signal(detector: Detector, entity: Entity, nats: f32) -> Signal {
        Signal { detector, entity, nats, reason: Reason::Established }
    }

    #[test]
    fn risk_matches_the_published_bands() {
        for (nats, expected) in [(0.0, 0), (4.0, 5), (5.2, 15), (6.9, 50), (9.2, 91), (11.5, 99)] {
            assert_eq!(risk(nats), expected, "{nats}");
        }
    }

    #[test]
    fn one_behaviour_seen_on_two_entities_counts_once() {
        let who = identity();
        let session = Entity::Session(Digest(9));
        let signals = [
            signal(Detector::ForcedBrowsing, who.address_entity, 8.0),
            signal(Detector::ForcedBrowsing, session, 8.0),
        ];
        let sum = sum(&signals, &who, Role::Other, |_| true);
        assert!((sum.nats - 8.0).abs() < 0.01);
        assert_eq!(sum.narrowest, Some(session));
    }

    #[test]
    fn guessed_passwords_say_nothing_about_other_pages() {
        let who = identity();
        let signals = [signal(Detector::CredentialStuffing, who.address_entity, 12.0)];
        assert!(sum(&signals, &who, Role::Search, |_| true).nats < 0.01);
        assert!(sum(&signals, &who, Role::Login, |_| true).nats > 11.0);
    }

    #[test]
    fn good_standing_takes_off_a_little_and_no_more() {
        let who = identity();
        let signals = [
            signal(Detector::ForcedBrowsing, who.address_entity, 12.0),
            signal(Detector::GoodStanding, who.address_entity, -50.0),
        ];
        assert!((sum(&signals, &who, Role::Other, |_| true).nats - 9.0).abs() < 0.01);
    }
}
