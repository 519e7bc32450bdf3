//! A small world for tests: a clock, dice, callers, and the ladder that stands above the evidence.
//!
//! The ladder here is the part of `shield`'s that these detectors meet: from 6.9 nats on one
//! attempt in ten seconds passes, from 9.2 on none.

use std::net::{IpAddr, Ipv4Addr};

use traffic::{
    AnswerFacts, Detector, Digest, EndpointId, Entity, HashKey, Hasher, Identity, Layer, Outcome,
    Path, Role, ServiceId, Signal, Timestamp,
};

use crate::{Act, Admission, Conduct, Guess, Keys, Limit, Program, Variant, Wanted};

pub(crate) const LOGIN: EndpointId = EndpointId(1);
pub(crate) const HOUR_S: f64 = 3_600.0;
pub(crate) const DAY_S: f64 = 24.0 * HOUR_S;
const LAYERS: [Layer; 4] = [Layer::Rate, Layer::Takeover, Layer::Recon, Layer::Automation];
/// A Monday, 00:00.
const BEGIN_US: u64 = 1_790_553_600_000_000;

/// Dice with a seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From zero to one.
    pub(crate) fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn happens(&mut self, share: f64) -> bool {
        self.part() < share
    }

    pub(crate) fn between(&mut self, least: f64, most: f64) -> f64 {
        least + self.part() * (most - least)
    }
}

/// What became of an attempt or a visit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    Passed,
    Paced,
    Refused,
}

/// The world.
pub(crate) struct Scene {
    pub(crate) conduct: Conduct,
    /// The most that ever stood against anybody when it called.
    pub(crate) worst: f32,
    pub(crate) limits: Vec<Limit>,
    hasher: Hasher,
    last_paced_us: u64,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self {
            conduct: Conduct::new(4 << 20),
            worst: 0.0,
            limits: Vec::new(),
            hasher: Hasher::new(HashKey::new([5; 16])),
            last_paced_us: 0,
        }
    }

    /// Somebody without credentials at `address` asks for something.
    pub(crate) fn act(&self, address: u32) -> Act {
        let address = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + address));
        self.act_from(address)
    }

    pub(crate) fn act_from(&self, address: IpAddr) -> Act {
        let identity = Identity {
            address,
            address_entity: Entity::address(address),
            net_entity: Entity::net(address),
            ja4: None,
            device: Digest(77),
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
        };
        Act {
            keys: Keys::of(&identity, &self.hasher),
            identity,
            service: Some(ServiceId(1)),
            endpoint: None,
            endpoint_known: false,
            role: Role::Other,
            path_shape: Digest(0),
            unused_days: 0,
            variant: Variant::default(),
            wanted: Wanted::Resource,
            program: Program::default(),
            guess: Guess::default(),
            is_provoked: false,
            decoy: None,
            is_proxy: false,
        }
    }

    /// Somebody at `address` tries to enter `account`.
    pub(crate) fn login(&self, address: u32, account: u32) -> Act {
        let mut act = self.act(address);
        act.identity.attempted = Some(self.hasher.hash(&account.to_le_bytes()));
        act.identity.named = act.identity.attempted.into();
        act.endpoint = Some(LOGIN);
        act.endpoint_known = true;
        act.role = Role::Login;
        self.keyed(act)
    }

    /// Somebody at `address` asks for `path`, which the catalog knows as `endpoint` or not at all.
    pub(crate) fn page(&self, address: u32, path: &str, endpoint: Option<u32>) -> Act {
        let mut act = self.act(address);
        act.path_shape = Path::parse(path.as_bytes(), &self.hasher).shape();
        act.endpoint = endpoint.map(EndpointId);
        act.endpoint_known = endpoint.is_some();
        act
    }

    /// The act with the keys of its identity as it is now.
    pub(crate) fn keyed(&self, mut act: Act) -> Act {
        act.keys = Keys::of(&act.identity, &self.hasher);
        act
    }

    /// What stands against the act's entities.
    pub(crate) fn signals(&mut self, act: &Act, at_s: f64) -> Vec<Signal> {
        let mut signals = Vec::new();
        for layer in LAYERS {
            self.conduct.assess(layer, act, &self.limits, time(at_s), &mut signals);
        }
        signals
    }

    /// The evidence of one detector, at its strongest.
    pub(crate) fn nats(&mut self, act: &Act, detector: Detector, at_s: f64) -> f32 {
        let signals = self.signals(act, at_s);
        let mine = signals.iter().filter(|signal| signal.detector == detector);
        mine.map(|signal| signal.nats).fold(0.0, f32::max)
    }

    /// What the ladder says of the act.
    pub(crate) fn fate(&mut self, act: &Act, at_s: f64) -> Fate {
        let signals = self.signals(act, at_s);
        let nats = signals.iter().map(|signal| signal.nats).fold(0.0, f32::max);
        self.worst = self.worst.max(nats);
        if nats >= 9.2 {
            return Fate::Refused;
        }
        if nats >= 6.9 && act.role.is_sensitive() {
            let now_us = time(at_s).as_micros();
            if now_us < self.last_paced_us + 10_000_000 {
                return Fate::Paced;
            }
            self.last_paced_us = now_us;
        }
        Fate::Passed
    }

    /// An attempt that is answered at once.
    pub(crate) fn attempt(&mut self, act: &Act, is_right: bool, at_s: f64) -> Fate {
        let Admission::Taken(place) = self.conduct.admit(act, time(at_s)) else {
            return Fate::Paced;
        };
        let fate = self.fate(act, at_s);
        self.conduct.release(place);
        if fate == Fate::Passed {
            self.learn(act, &login_answer(is_right), false, at_s);
        }
        fate
    }

    /// A visit that is answered at once with `status`.
    pub(crate) fn visit(&mut self, act: &Act, status: u16, at_s: f64) -> Fate {
        let fate = self.fate(act, at_s);
        if fate == Fate::Passed {
            self.learn(act, &answer(status, act.role), false, at_s);
        }
        fate
    }

    pub(crate) fn learn(&mut self, act: &Act, answer: &AnswerFacts, is_new: bool, at_s: f64) {
        for layer in LAYERS {
            self.conduct.learn(layer, act, answer, is_new, time(at_s));
        }
    }
}

pub(crate) fn time(at_s: f64) -> Timestamp {
    Timestamp::from_micros(BEGIN_US + (at_s * 1e6) as u64)
}

pub(crate) fn login_answer(is_right: bool) -> AnswerFacts {
    answer(if is_right { 200 } else { 401 }, Role::Login)
}

pub(crate) fn answer(status: u16, role: Role) -> AnswerFacts {
    let outcome = match status {
        404 | 405 => Outcome::NotFound,
        400..500 => Outcome::Failure,
        500.. => Outcome::Unknown,
        _ => Outcome::Success,
    };
    AnswerFacts { status, outcome, role, ..AnswerFacts::default() }
}
