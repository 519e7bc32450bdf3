//! Which tokens count, and how often somebody may try.
//!
//! A token that was proven once is recognised by a quick hash from then on, so that argon2 is paid
//! for once per token and process. Whoever fails too often from one address is told to wait before
//! anything is computed for them; a token that was proven before is not affected by that.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ledger::Token;
use traffic::Timestamp;

use crate::scope::Scope;
use crate::secret::Secret;

/// What the failures of an address may weigh at once; a second takes one from it.
const WEIGHT_MAX: u32 = 60;
/// What may be a guess at a token: ten of them come at once, one is forgotten every six seconds.
const GUESS: u32 = 6;
/// What does not even look like a token can be no guess, and costs nothing to refuse.
const NOISE: u32 = 1;
/// Addresses whose failures are remembered.
const ADDRESSES_MAX: usize = 4_096;

/// All tokens, as the running instance knows them. Clones are the same keyring.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    inner: Arc<Mutex<Inner>>,
    /// One proof at a time: each takes memory and time, and strangers may ask for it.
    proving: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct Inner {
    tokens: HashMap<String, Token>,
    /// Hashes of tokens that were proven, with their ids.
    proven: HashMap<[u8; 32], String>,
    failures: HashMap<IpAddr, Failures>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    weight: u32,
    since: Instant,
}

/// A token that counts, as far as handlers care.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Bearer {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) scope: Scope,
}

/// Why a token does not open anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Denied {
    /// It is none of ours.
    Unknown,
    /// It was one of ours.
    Ended,
    /// Too many were tried from there.
    TryLater(Duration),
}

impl Keyring {
    /// The keyring with these tokens.
    pub fn of(tokens: Vec<Token>) -> Self {
        let keyring = Self::default();
        keyring.inner().tokens =
            tokens.into_iter().map(|token| (token.id.clone(), token)).collect();
        keyring
    }

    /// Takes a token up, or its newer state.
    pub(crate) fn put(&self, token: Token) {
        let mut inner = self.inner();
        inner.proven.retain(|_, id| *id != token.id);
        inner.tokens.insert(token.id.clone(), token);
    }

    /// All tokens, the newest first.
    pub(crate) fn all(&self) -> Vec<Token> {
        let mut all: Vec<Token> = self.inner().tokens.values().cloned().collect();
        all.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        all
    }

    /// The token of that id.
    pub(crate) fn one(&self, id: &str) -> Option<Token> {
        self.inner().tokens.get(id).cloned()
    }

    /// Whose token `text` is, tried from `peer`.
    pub(crate) async fn prove(
        &self,
        peer: IpAddr,
        text: &str,
        now: Timestamp,
    ) -> Result<Bearer, Denied> {
        let place = neighbourhood(peer);
        let Some(secret) = Secret::parse(text) else {
            self.may_try(place, NOISE)?;
            return Err(self.failed(place, NOISE));
        };
        // Let go of before it is asked again: within `if let` it would be held.
        let proven = self.inner().proven.get(&secret.digest()).cloned();
        if let Some(id) = proven {
            return self.bearer(&id, now);
        }
        let _turn = self.proving.lock().await;
        // Looked at when it is one's turn: others from there may have failed meanwhile.
        self.may_try(place, GUESS)?;
        let stored = self.one(secret.id()).map(|token| token.hash).unwrap_or_default();
        let tried = secret.clone();
        let proof = tokio::task::spawn_blocking(move || tried.matches(&stored)).await;
        if !matches!(proof, Ok(true)) {
            return Err(self.failed(place, GUESS));
        }
        // Also when it has ended: whoever still uses it does not guess, and is told so cheaply.
        self.inner().proven.insert(secret.digest(), secret.id().to_owned());
        self.bearer(secret.id(), now)
    }

    /// The token of that id, if it counts at `now`.
    pub(crate) fn bearer(&self, id: &str, now: Timestamp) -> Result<Bearer, Denied> {
        let token = self.one(id).ok_or(Denied::Unknown)?;
        if !token.is_valid(now) {
            return Err(Denied::Ended);
        }
        let scope = token.scope.parse().map_err(|_| Denied::Unknown)?;
        Ok(Bearer { id: token.id, name: token.name, scope })
    }

    /// Whether there is room for a failure of that weight.
    fn may_try(&self, place: IpAddr, weight: u32) -> Result<(), Denied> {
        let mut inner = self.inner();
        let Some(failures) = inner.failures.get_mut(&place) else { return Ok(()) };
        failures.settle(Instant::now());
        match failures.weight.saturating_add(weight).saturating_sub(WEIGHT_MAX) {
            0 => Ok(()),
            over => Err(Denied::TryLater(Duration::from_secs(over.into()))),
        }
    }

    /// Counts a failure.
    fn failed(&self, place: IpAddr, weight: u32) -> Denied {
        let now = Instant::now();
        let mut inner = self.inner();
        if inner.failures.len() >= ADDRESSES_MAX && !inner.failures.contains_key(&place) {
            inner.failures.retain(|_, failures| {
                failures.settle(now);
                failures.weight > 0
            });
            // Whoever failed least is forgotten first.
            let least = inner.failures.iter().min_by_key(|(_, failures)| failures.weight);
            if let Some(place) = least.map(|(place, _)| *place)
                && inner.failures.len() >= ADDRESSES_MAX
            {
                inner.failures.remove(&place);
            }
        }
        let failures = inner.failures.entry(place).or_insert(Failures { weight: 0, since: now });
        failures.settle(now);
        failures.weight = failures.weight.saturating_add(weight).min(WEIGHT_MAX);
        Denied::Unknown
    }

    /// Nothing here is left half changed.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failures {
    /// Forgets what is long ago.
    fn settle(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since).as_secs();
        if passed > 0 {
            self.weight = self.weight.saturating_sub(u32::try_from(passed).unwrap_or(u32::MAX));
            self.since = now;
        }
    }
}

/// An address of IPv6 costs nothing; its network does.
fn neighbourhood(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => IpAddr::V4(address),
            None => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn token(secret: &Secret, expires: Option<u64>) -> Token {
        Token {
            id: secret.id().to_owned(),
            name: "ci".to_owned(),
            scope: "tune".to_owned(),
            hash: secret.hash().expect("hashed"),
            created: Timestamp::EPOCH,
            created_by: "ada".to_owned(),
            expires: expires.map(Timestamp::from_micros),
            revoked: None,
        }
    }

    #[tokio::test]
    async fn a_token_opens_until_it_ends() {
        let secret = Secret::random().expect("made");
        let keyring = Keyring::of(vec![token(&secret, Some(100))]);
        let at = |micros| keyring.prove(PEER, secret.reveal(), Timestamp::from_micros(micros));
        for _ in 0..2 {
            let bearer = at(99).await.expect("it counts");
            assert_eq!((bearer.name.as_str(), bearer.scope), ("ci", Scope::Tune));
        }
        assert_eq!(at(100).await, Err(Denied::Ended), "though it was proven before");
        let revoked = Token { revoked: Some(Timestamp::EPOCH), ..token(&secret, None) };
        keyring.put(revoked);
        assert_eq!(at(1).await, Err(Denied::Ended));
    }

    #[tokio::test]
    async fn who_guesses_is_told_to_wait_and_who_was_proven_is_not() {
        let (secret, now) = (Secret::random().expect("made"), Timestamp::EPOCH);
        let keyring = Keyring::of(vec![token(&secret, None)]);
        keyring.prove(PEER, secret.reveal(), now).await.expect("it counts");
        let mut guess = secret.reveal().to_owned();
        guess.replace_range(20..21, if &guess[20..21] == "A" { "B" } else { "A" });
        let mut refused = Vec::new();
        for _ in 0..16 {
            refused.push(keyring.prove(PEER, &guess, now).await);
        }
        assert!(refused.iter().take(10).all(|it| *it == Err(Denied::Unknown)), "{refused:?}");
        let is_late = |it: &Result<_, _>| match it {
            Err(Denied::TryLater(wait)) => *wait <= Duration::from_secs(6),
            _ => false,
        };
        assert!(is_late(&refused[15]), "{refused:?}");
        keyring.prove(PEER, secret.reveal(), now).await.expect("it still counts");
        let other: IpAddr = "192.0.2.2".parse().expect("an address");
        assert_eq!(keyring.prove(other, &guess, now).await, Err(Denied::Unknown));
    }

    #[tokio::test]
    async fn what_cannot_be_a_token_is_refused_often_before_it_has_to_wait() {
        let keyring = Keyring::default();
        for _ in 0..30 {
            let denied = keyring.prove(PEER, "what is this", Timestamp::EPOCH).await;
            assert_eq!(denied, Err(Denied::Unknown));
        }
        for _ in 0..60 {
            let _ = keyring.prove(PEER, "what is this", Timestamp::EPOCH).await;
        }
        let denied = keyring.prove(PEER, "what is this", Timestamp::EPOCH).await;
        assert!(matches!(denied, Err(Denied::TryLater(_))));
    }

    #[test]
    fn many_addresses_do_not_take_memory_and_a_network_is_one() {
        let keyring = Keyring::default();
        for number in 0..20_000_u32 {
            keyring.failed(IpAddr::V4(number.into()), GUESS);
        }
        // On a slow machine some were forgotten meanwhile.
        let remembered = keyring.inner().failures.len();
        assert!((1..=ADDRESSES_MAX).contains(&remembered), "{remembered}");
        let place = |text: &str| neighbourhood(text.parse().expect("an address"));
        assert_eq!(place("2001:db8::1"), place("2001:db8::2:3"));
        assert_eq!(place("::ffff:192.0.2.1"), PEER);
    }
}
