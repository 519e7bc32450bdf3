//! Tests of identity over time: what an API shows about its callers, and what callers pretend.

mod basic;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use traffic::{HashKey, Hasher, Head, Peer};

use super::*;
use crate::readings::Readings;
use crate::sighting::{Trust, sight};

const KEY: HashKey = HashKey::new([8; 16]);
const OFFICE: &str = "198.51.100.7";
const ELSEWHERE: &str = "203.0.113.80";

const CLOSED: &str = "/orders";

struct World {
    callers: Callers,
    now_s: u64,
}

/// One request and what came of it.
#[derive(Clone)]
struct Call<'a> {
    from: &'a str,
    agent: &'a str,
    headers: Vec<(&'a str, String)>,
    attempted: Option<&'a str>,
    role: Role,
    status: u16,
    issued: Vec<&'a str>,
    target: &'a str,
}

impl<'a> Call<'a> {
    fn get() -> Self {
        Self {
            from: OFFICE,
            agent: "Mozilla/5.0 Firefox/127.0",
            headers: vec![],
            attempted: None,
            role: Role::Other,
            status: 200,
            issued: vec![],
            target: "/",
        }
    }

    fn login(account: &'a str, issued: &'a str) -> Self {
        let call = Self { attempted: Some(account), role: Role::Login, ..Self::get() };
        if issued.is_empty() { Self { status: 401, ..call } } else { call.issues(issued) }
    }

    fn issues(mut self, value: &'a str) -> Self {
        self.issued.push(value);
        self
    }

    fn with(mut self, name: &'a str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    fn from(self, from: &'a str) -> Self {
        Self { from, ..self }
    }

    fn agent(self, agent: &'a str) -> Self {
        Self { agent, ..self }
    }

    /// At a path that the API keeps closed to callers without credentials.
    fn closed(self) -> Self {
        Self { target: CLOSED, ..self }
    }

    fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

fn hash(value: &str) -> Digest {
    Hasher::new(KEY).hash(value.as_bytes())
}

fn token(number: usize) -> String {
    format!("x7Kq2vN9pLm4Rt8Yw3Zb{number:06}")
}

/// A token for `claims`; `number` makes one differ from the next.
fn jwt(claims: &str, number: usize) -> String {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2ln{number:04}", encode(r#"{"alg":"HS256"}"#), encode(claims))
}

impl World {
    fn new() -> Self {
        Self { callers: Callers::new(4 << 20), now_s: 1_700_000_000 }
    }

    /// A world whose [`CLOSED`] path has been knocked at in vain.
    fn with_closed_door() -> Self {
        let mut world = Self::new();
        for _ in 0..5 {
            world.call(Call::get().closed().status(401));
        }
        world
    }

    fn wait(&mut self, seconds: u64) {
        self.now_s += seconds;
    }

    fn sight(call: &Call<'_>) -> Sighting {
        let mut headers = HeaderMap::new();
        headers.insert("user-agent", HeaderValue::from_str(call.agent).unwrap());
        for (name, value) in &call.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let head = Head {
            method: &Method::GET,
            target: call.target.as_bytes(),
            version: Version::HTTP_11,
            authority: "api.example.com",
            headers: &headers,
            raw: None,
        };
        let peer = Peer::plain(call.from.parse().unwrap());
        sight(&head, &peer, &Trust::default(), &Hasher::new(KEY), None, &Readings::default())
    }

    fn see(&mut self, call: &Call<'_>) -> Identity {
        self.now_s += 1;
        let now = Timestamp::from_micros(self.now_s * 1_000_000);
        let account = call.attempted.map(hash);
        let attempted = Attempted { account, named: account.into(), is_list: false };
        self.callers.identify(&Self::sight(call), &attempted, now)
    }

    /// Identifies, then learns from the answer.
    fn call(&mut self, call: Call<'_>) -> Identity {
        let identity = self.see(&call);
        let outcome = match call.status {
            200..300 => Outcome::Success,
            404 => Outcome::NotFound,
            400..500 => Outcome::Failure,
            _ => Outcome::Unknown,
        };
        let answer = AnswerFacts {
            status: call.status,
            outcome,
            role: call.role,
            issued: call.issued.iter().map(|value| hash(value)).collect(),
            ..AnswerFacts::default()
        };
        let now = Timestamp::from_micros(self.now_s * 1_000_000);
        self.callers.learn(&Self::sight(&call), &identity, &answer, now);
        identity
    }
}

#[test]
fn a_token_from_a_log_in_is_the_session_at_once_and_the_account_from_its_first_use() {
    let mut world = World::new();
    let token = token(1);
    world.call(Call::login("ada", &token));
    let first = world.see(&Call::get().bearer(&token));
    assert_eq!(first.session, Some(hash(&token)));
    assert_eq!(world.callers.entering(&first), Some(hash("ada")));
    world.call(Call::get().bearer(&token));
    let next = world.call(Call::get().bearer(&token));
    assert_eq!(next.account, Some(hash("ada")));
    assert!(!first.proven && next.proven && !next.established);
    assert_eq!(next.principal, Some(hash("ada")));
    assert_eq!(world.callers.entering(&next), None);
}

#[test]
fn a_key_nobody_saw_handed_out_counts_once_it_was_honoured() {
    let mut world = World::new();
    let call = Call::get().with("x-api-key", &token(1));
    assert_eq!(world.call(call.clone().status(401)).session, None);
    assert_eq!(world.call(call.clone()).session, None);
    let identity = world.call(call);
    assert_eq!(identity.session, Some(hash(&token(1))));
    assert_eq!(identity.principal, Some(hash(&token(1))));
}

#[test]
fn a_key_that_many_callers_share_is_the_programs_and_no_sessions() {
    let key = token(1);
    let headers = [
        ("x-api-key", key.clone()),
        ("authorization", format!("Bearer {key}")),
        ("authorization", "Basic bW9iaWxlYXBwOng3S3Eydk45cExtNFJ0OFl3M1pi".to_owned()),
    ];
    for (name, value) in headers {
        let mut world = World::new();
        let from: Vec<String> = (0..9).map(|number| format!("10.{number}.0.1")).collect();
        let call = Call::get().with(name, &value);
        world.call(call.clone().from(&from[0]));
        let alone = world.see(&call.clone().from(&from[0]));
        assert!(alone.session.is_some() && alone.principal.is_some(), "{name}");
        assert_eq!(alone.application, None);
        // Requests that are refused count as well: they are how it comes to light after a block.
        for address in &from {
            world.see(&call.clone().from(address));
        }
        world.wait(7 * 86_400);
        let shared = world.see(&call.from(&from[0]));
        assert_eq!((shared.session, shared.principal), (None, None), "{name}");
        assert_eq!(shared.application, alone.principal);
        assert!(!shared.established, "who has the key of a program is nobody known for it");
        // Beside it stands whoever calls.
        world.call(Call::login("ada", &token(2)));
        let both = Call::get().with("cookie", &format!("sid={}", token(2))).with(name, &value);
        world.call(both.clone());
        assert_eq!(world.see(&both).account, Some(hash("ada")), "{name}");
    }
}

#[test]
fn a_key_through_which_many_accounts_are_entered_behind_one_address_is_shared() {
    let mut world = World::new();
    let (key, accounts) = (token(1), ["ada", "bob", "cyd", "dan", "eve", "fay", "gus"]);
    for (number, account) in accounts.into_iter().enumerate() {
        world.call(Call::login(account, &token(10 + number)).with("x-api-key", &key));
    }
    let identity = world.see(&Call::get().with("x-api-key", &key));
    assert_eq!((identity.session, identity.application), (None, Some(hash(&key))));
}

#[test]
fn what_was_handed_out_to_one_account_is_that_accounts_wherever_it_travels() {
    let mut world = World::new();
    let token = token(1);
    world.call(Call::login("ada", &token));
    let from: Vec<String> = (0..30).map(|number| format!("10.{number}.0.1")).collect();
    for address in &from {
        world.call(Call::get().bearer(&token).from(address));
    }
    let identity = world.see(&Call::get().bearer(&token));
    assert_eq!((identity.session, identity.account), (Some(hash(&token)), Some(hash("ada"))));
    // And a key that nobody handed out is one caller's while it comes from a few addresses a day.
    let mut world = World::new();
    for address in from.iter().step_by(2) {
        world.call(Call::get().bearer(&token).from(address));
        world.wait(40_000);
    }
    assert!(world.see(&Call::get().bearer(&token)).session.is_some());
}

#[test]
fn making_up_a_token_for_each_request_leads_nowhere() {
    let mut world = World::new();
    for number in 0..500 {
        let identity = world.call(Call::get().bearer(&token(number)));
        assert_eq!((identity.session, identity.principal), (None, None));
    }
}

#[test]
fn a_session_cookie_is_found_at_the_first_log_in() {
    let mut world = World::new();
    let sid = token(1);
    world.call(Call::login("ada", &sid));
    let cookies = format!("theme=dark; sid={sid}; visitor={}", token(900));
    world.call(Call::get().with("cookie", &cookies));
    let identity = world.call(Call::get().with("cookie", &cookies));
    assert_eq!(identity.session, Some(hash(&sid)));
    assert_eq!(identity.account, Some(hash("ada")));
    let slots = world.callers.session_slots();
    assert!(slots[0].slot == "cookie sid" && slots[0].is_session, "{slots:#?}");
    assert!(slots[1..].iter().all(|slot| !slot.is_session), "{slots:#?}");
}

#[test]
fn sessions_older_than_the_gateway_are_found_by_what_they_open() {
    let mut world = World::new();
    for round in 0..12 {
        for number in 0..30 {
            let cookie = format!("shop={}; seen={}", token(number), token(7_000 + number));
            let agent = format!("Mozilla/5.0 Firefox/{number}");
            world.call(Call::get().with("cookie", &cookie).agent(&agent));
            let visitor = format!("seen={}", token(8_000 + number));
            world.call(Call::get().with("cookie", &visitor).agent(&agent).status(401));
        }
        world.wait(60 * round);
    }
    let slots = world.callers.session_slots();
    let session = |name: &str| slots.iter().find(|slot| slot.slot == name).unwrap().is_session;
    assert!(session("cookie shop"), "{slots:#?}");
    assert!(!session("cookie seen"), "{slots:#?}");
    let cookie = format!("shop={}; seen={}", token(3), token(7_003));
    let identity = world.see(&Call::get().with("cookie", &cookie).agent("Mozilla/5.0 Firefox/3"));
    assert_eq!(identity.session, Some(hash(&token(3))));
}

#[test]
fn a_visitor_cookie_that_scripts_set_is_no_session() {
    let mut world = World::new();
    for round in 0..20 {
        for number in 0..40 {
            let agent = format!("Mozilla/5.0 Firefox/{number}");
            let cookie = format!("visitor={}", token(number));
            let identity = world.call(Call::get().with("cookie", &cookie).agent(&agent));
            assert_eq!(identity.session, None, "round {round}");
        }
    }
}

#[test]
fn familiar_takes_device_and_network_or_the_accounts_own_credential() {
    let mut world = World::new();
    let token = token(1);
    world.call(Call::login("ada", &token));
    let again = Call::login("ada", "");
    assert!(!world.see(&again).familiar, "an answer like success is not yet one");
    world.call(Call::get().bearer(&token));
    assert!(world.see(&again).familiar);
    assert!(!world.see(&again.clone().from(ELSEWHERE)).familiar, "the device alone");
    assert!(!world.see(&again.clone().agent("curl/8")).familiar, "the network alone");
    assert!(world.see(&again.clone().from(ELSEWHERE).bearer(&token)).familiar);
    assert!(!world.see(&Call::login("bob", "")).familiar);
    let neighbour = again.from("198.51.100.99");
    assert!(world.see(&neighbour).familiar, "the same network");
}

#[test]
fn failing_answers_that_hand_out_anonymous_sessions_make_nobody_familiar() {
    let mut world = World::new();
    for number in 0..50 {
        let account = format!("victim{number}");
        let sid = token(number);
        // The API answers a failed log-in with 200, so it looks like a success; the tool keeps
        // its cookies from one attempt to the next.
        let mut call = Call::login(&account, &sid);
        let before = format!("sid={}", token(number.saturating_sub(1)));
        call = call.with("cookie", &before);
        assert!(!world.call(call.clone()).familiar);
        assert!(!world.see(&call).familiar);
    }
}

#[test]
fn a_refreshed_token_stays_with_its_account() {
    let mut world = World::new();
    let (old, new) = (token(1), token(2));
    world.call(Call::login("ada", &old));
    world.call(Call::get().bearer(&old));
    world.call(Call { role: Role::Refresh, ..Call::get().bearer(&old).issues(&new) });
    assert_eq!(world.see(&Call::get().bearer(&new)).account, Some(hash("ada")));
}

#[test]
fn showing_somebodys_key_does_not_take_it_over() {
    let mut world = World::new();
    for (account, number) in [("ada", 1), ("admin", 2)] {
        world.call(Call::login(account, &token(number)));
        world.call(Call::get().bearer(&token(number)));
    }
    let shown = token(1);
    world.call(Call::get().bearer(&token(2)).issues(&shown));
    assert_eq!(world.see(&Call::get().bearer(&token(1))).account, Some(hash("ada")));
}

#[test]
fn a_claim_names_the_principal_through_all_its_tokens() {
    let mut world = World::with_closed_door();
    for number in 0..5 {
        let token = jwt(r#"{"sub":"42","iat":1}"#, number);
        world.call(Call::get().bearer(&token).closed());
        let identity = world.call(Call::get().bearer(&token).closed());
        assert_eq!(identity.principal, Some(hash("42")));
        assert_eq!(identity.session, Some(hash(&token)));
    }
}

#[test]
fn a_forged_token_does_not_speak_for_the_one_it_names() {
    let mut world = World::new();
    let forged = jwt(r#"{"sub":"42","email":"ada@example.com"}"#, 1);
    for _ in 0..5 {
        let identity = world.call(Call::get().bearer(&forged));
        assert_ne!(identity.principal, Some(hash("42")));
        assert_eq!(identity.account, None);
    }
}

#[test]
fn a_forged_token_is_not_proven_by_the_cookie_beside_it() {
    let mut world = World::with_closed_door();
    let sid = token(1);
    world.call(Call::login("mallory", &sid));
    let forged = jwt(r#"{"sub":"42"}"#, 1);
    let cookie = format!("sid={sid}");
    for _ in 0..5 {
        let call = Call::get().closed().with("cookie", &cookie).bearer(&forged);
        assert_ne!(world.call(call).principal, Some(hash("42")));
    }
    let alone = world.see(&Call::get().closed().bearer(&forged));
    assert_ne!(alone.principal, Some(hash("42")));
}

#[test]
fn a_forged_token_is_not_proven_where_everybody_is_served() {
    let mut world = World::new();
    let forged = jwt(r#"{"sub":"42"}"#, 1);
    for number in 0..60 {
        // Visitors with their cookies are served; some lack their token against forgery.
        let cookie = format!("visitor={}", token(number));
        world.call(Call::get().closed().with("cookie", &cookie));
        if number % 2 == 0 {
            world.call(Call::get().closed().with("cookie", &cookie).status(403));
        }
    }
    for _ in 0..5 {
        world.call(Call::get().closed().bearer(&forged));
    }
    assert_ne!(world.see(&Call::get().bearer(&forged)).principal, Some(hash("42")));
}

#[test]
fn a_forged_token_is_not_proven_by_a_log_in_it_was_sent_with() {
    let mut world = World::with_closed_door();
    for _ in 0..20 {
        world.call(Call { target: "/login", ..Call::login("mallory", "") });
    }
    let forged = jwt(r#"{"sub":"42"}"#, 1);
    let (first, second) = (token(1), token(2));
    for token in [&first, &second] {
        let call = Call { target: "/login", ..Call::login("mallory", token) };
        world.call(call.bearer(&forged));
    }
    assert_ne!(world.see(&Call::get().bearer(&forged)).principal, Some(hash("42")));
}

#[test]
fn a_claim_that_is_always_the_same_names_no_principal() {
    let mut world = World::with_closed_door();
    for number in 0..40 {
        let claims = format!(r#"{{"sub":"shop-app","uid":{number}}}"#);
        world.call(Call::get().bearer(&jwt(&claims, number)).closed());
    }
    let token = jwt(r#"{"sub":"shop-app","uid":7}"#, 7);
    assert_eq!(world.see(&Call::get().bearer(&token)).principal, Some(hash("7")));
}

#[test]
fn good_standing_takes_an_hour_and_makes_neighbours() {
    let mut world = World::new();
    let accounts: Vec<String> = (0..12).map(|number| format!("user{number}")).collect();
    for (number, account) in accounts.iter().enumerate() {
        world.call(Call::login(account, &token(number)));
        world.call(Call::get().bearer(&token(number)));
        let identity = world.call(Call::get().bearer(&token(number)));
        assert!(!identity.established);
    }
    assert_eq!(world.see(&Call::get()).neighbours, 0);
    world.wait(3_700);
    for number in 0..accounts.len() {
        assert!(world.call(Call::get().bearer(&token(number))).established);
    }
    let neighbours = world.see(&Call::get()).neighbours;
    assert!((10..=14).contains(&neighbours), "{neighbours}");
    assert_eq!(world.see(&Call::get().from(ELSEWHERE)).neighbours, 0);
    // A new session of an old account starts with the account's standing.
    world.call(Call::login("user3", &token(77)));
    world.call(Call::get().bearer(&token(77)));
    assert!(world.call(Call::get().bearer(&token(77))).established);
    world.wait(3 * 86_400);
    assert_eq!(world.see(&Call::get()).neighbours, 0);
}

#[test]
fn a_shared_address_cannot_be_made_up_with_keys_of_ones_own() {
    let mut world = World::new();
    for _ in 0..40 {
        for number in 0..60 {
            world.call(Call::get().bearer(&token(number)));
        }
        world.wait(300);
    }
    assert!(world.see(&Call::get()).neighbours < 5);
}

#[test]
fn a_flood_of_keys_displaces_nobody_of_good_standing() {
    let mut world = World::new();
    world.callers = Callers::new(1 << 20);
    world.call(Call::login("ada", &token(1)));
    world.call(Call::get().bearer(&token(1)));
    let fill = world.callers.fill();
    for number in 0..60_000 {
        world.call(Call::get().bearer(&token(1_000 + number)));
    }
    assert_eq!(world.see(&Call::get().bearer(&token(1))).account, Some(hash("ada")));
    let filled = world.callers.fill();
    assert_eq!(filled.holders_max, fill.holders_max);
    assert!(filled.holders <= filled.holders_max);
}

#[test]
fn a_flood_of_cookie_names_displaces_no_session_slot() {
    let mut world = World::new();
    let cookie = format!("sid={}", token(1));
    world.call(Call::login("ada", &token(1)));
    world.call(Call::get().with("cookie", &cookie));
    for number in 0..3_000 {
        let cookie = format!("n{number}={}", token(number));
        world.call(Call::get().with("cookie", &cookie));
    }
    let slots = world.callers.session_slots();
    assert!(slots.len() <= 200 && slots[0].slot == "cookie sid", "{}", slots.len());
}

/// All slices, with the names of their parts.
fn slices(callers: &mut Callers) -> Vec<(&'static str, Vec<u8>)> {
    let mut slices = Vec::new();
    for (name, part) in callers.parts() {
        let mut from = Some(0);
        while let Some(place) = from {
            let mut slice = SliceWriter::default();
            from = part.write_slice(place, &mut slice);
            slices.push((name, slice.into_bytes()));
        }
    }
    slices
}

fn restore(callers: &mut Callers, slices: &[(&'static str, Vec<u8>)]) {
    for (name, bytes) in slices {
        let mut parts = callers.parts().into_iter();
        let (_, part) = parts.find(|(known, _)| known == name).expect("a part");
        part.read_slice(&mut SliceReader::new(bytes), Timestamp::EPOCH).expect("whole");
    }
}

#[test]
fn what_was_learnt_survives_being_stored_and_moved() {
    let mut world = World::new();
    for number in 0..300 {
        let account = format!("user{number}");
        world.call(Call::login(&account, &token(number)));
        world.call(Call::get().bearer(&token(number)));
    }
    let stored = slices(&mut world.callers);
    let mut again = World::new().callers;
    restore(&mut again, &stored);
    assert_eq!(slices(&mut again), stored);
    let mut restored = World { callers: Callers::new(64 << 20), now_s: world.now_s };
    restore(&mut restored.callers, &stored);
    for number in 0..300 {
        let identity = restored.see(&Call::get().bearer(&token(number)));
        assert_eq!(identity.account, Some(hash(&format!("user{number}"))));
    }
    assert!(restored.see(&Call::login("user7", "")).familiar);
    let mut small = Callers::new(0);
    restore(&mut small, &stored);
    assert!(small.fill().holders > 0 && small.fill().holders <= small.fill().holders_max);
}

#[test]
fn the_same_sequence_leaves_the_same_memory_to_the_byte() {
    let run = || {
        let mut world = World::with_closed_door();
        for number in 0..2_000_usize {
            let account = format!("user{}", number % 70);
            let cookie = format!("sid={}; n{}={}", token(number % 90), number % 300, token(number));
            world.call(Call::login(&account, &token(number % 90)).with("cookie", &cookie));
            world.call(Call::get().closed().with("cookie", &cookie));
            world.call(Call::get().bearer(&token(number % 130)));
            world.wait(17);
        }
        slices(&mut world.callers)
    };
    assert_eq!(run(), run());
}
