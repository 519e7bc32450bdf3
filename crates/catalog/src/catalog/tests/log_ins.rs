//! Roles and outcomes of APIs that each say it in their own way.

use super::*;

const LOGIN: &str = r#"{"email":"ada@example.com","password":"x"}"#;

/// Lets honest callers log in and use what they got, with a failure now and then.
fn warm(world: &mut World, success: &Call<'_>, failure: &Call<'_>) {
    for number in 0..30_u64 {
        let token = format!("issued-{number}");
        if number % 4 == 3 {
            world.learn(&failure.clone().from(number));
            continue;
        }
        world.learn(&success.clone().from(number).issues(&token));
        world.learn(&Call::get("/account").status(401).answer(r#"{"error":"who?"}"#).from(number));
        world.learn(
            &Call::get("/account").answer(r#"{"iban":"x","owner":"y"}"#).token(&token).from(number),
        );
    }
}

/// After honest traffic, successes and failures are told apart, and the role is known.
fn check(name: &str, success: Call<'_>, failure: Call<'_>) {
    let mut world = World::new();
    warm(&mut world, &success, &failure);
    let good = world.learn(&success.clone().from(900).issues("fresh"));
    assert_eq!(good.outcome, Outcome::Success, "{name}");
    for source in 0..50 {
        let bad = world.learn(&failure.clone().from(1_000 + source));
        assert_eq!(bad.outcome, Outcome::Failure, "{name}");
        assert_eq!(bad.role, Role::Login, "{name}");
    }
    let good = world.learn(&success.clone().from(901).issues("fresher"));
    assert_eq!(good.outcome, Outcome::Success, "{name}: however many fail");
}

#[test]
fn log_ins_are_understood_however_they_answer() {
    let token = r#"{"token":"t","expires_in":3600}"#;
    let form = "username=ada&password=x";
    let login = |answer| Call::post("/api/login", LOGIN).answer(answer);
    check("401", login(token), login(r#"{"message":"no"}"#).status(401));
    check(
        "200 and success: false",
        login(token),
        login(r#"{"success":false,"message":"Wrong password"}"#),
    );
    check("200 and error", login(token), login(r#"{"error":"bad credentials"}"#));
    check("200 and an error object", login(token), login(r#"{"error":{"code":17}}"#));
    check("200 and a message only", login(token), login(r#"{"message":"Wrong password"}"#));
    check("200 and status", login(token), login(r#"{"status":"fail","data":{"title":"x"}}"#));
    check(
        "one shape for both",
        login(r#"{"error":null,"token":"t"}"#),
        login(r#"{"error":"no","token":null}"#),
    );
    check(
        "nested",
        login(r#"{"data":{"session":{"access_token":"t"}}}"#),
        login(r#"{"data":null,"errors":[{"message":"x"}]}"#),
    );
    check(
        "404 for unknown accounts",
        login(token),
        login(r#"{"detail":"no such account"}"#).status(404),
    );
    check(
        "302 on success, the page again on failure",
        Call::post("/signin", form).status(302).location("/home"),
        Call::post("/signin", form).html("<form>wrong</form>"),
    );
    check(
        "302 on success, 302 back on failure",
        Call::post("/session/new", form).status(302).location("/users/17"),
        Call::post("/session/new", form).status(302).location("/session/new?error=1"),
    );
    check(
        "302 both ways, told apart by the credential alone",
        Call::post("/do_login", form).status(302).location("/home"),
        Call::post("/do_login", form).status(302).location("/welcome"),
    );
    check(
        "words that nobody foresaw",
        Call::post("/eintreten", r#"{"kennung":"ada","pass":"x","email":"a"}"#)
            .answer(r#"{"zugang":"t"}"#),
        Call::post("/eintreten", r#"{"kennung":"ada","pass":"x","email":"a"}"#)
            .answer(r#"{"hinweis":"falsch"}"#),
    );
}

#[test]
fn forms_that_renew_the_cookie_with_every_answer_are_understood() {
    let form = "username=ada&password=x";
    let mut world = World::new();
    let success = Call::post("/login", form).status(302).location("/home");
    let failure =
        Call::post("/login", form).html("<form>wrong user or password, please try again</form>");
    for number in 0..30_u64 {
        let (good, bad) = (format!("good-{number}"), format!("bad-{number}"));
        world.learn(&failure.clone().from(number).issues(&bad));
        // The anonymous cookie is accepted where none is needed, and only there.
        world.learn(&Call::get("/").html("<html>").token(&bad).from(number));
        world.learn(&Call::get("/home").status(302).location("/login").from(number));
        world.learn(&success.clone().from(number).issues(&good));
        world.learn(&Call::get("/home").html("<html>hello</html>").token(&good).from(number));
    }
    assert_eq!(world.outcome(&failure.clone().issues("again")), Outcome::Failure);
    assert_eq!(world.outcome(&success.clone().issues("once more")), Outcome::Success);
}

#[test]
fn a_failure_that_says_so_is_one_from_the_first_answer() {
    let mut world = World::new();
    let (place, lesson) = world.call(&Call::post("/login", LOGIN).answer(r#"{"error":"no"}"#));
    assert_eq!((place.role, place.endpoint), (Role::Login, None));
    assert_eq!(lesson.outcome, Outcome::Failure);
    assert_eq!(world.outcome(&Call::post("/login", LOGIN).status(401)), Outcome::Failure);
    assert_eq!(world.outcome(&Call::post("/login", LOGIN).status(500)), Outcome::Unknown);
    assert_eq!(world.outcome(&Call::post("/login", LOGIN).status(429)), Outcome::Unknown);
}

#[test]
fn a_second_factor_is_asked_of_those_who_knew_the_password() {
    let mut world = World::new();
    let success = Call::post("/login", LOGIN).answer(r#"{"token":"t"}"#);
    warm(&mut world, &success, &Call::post("/login", LOGIN).status(401));
    let asks = Call::post("/login", LOGIN).answer(r#"{"mfa_required":true,"mfa_token":"m"}"#);
    assert_eq!(world.outcome(&asks), Outcome::Success);
    assert_eq!(world.outcome(&asks.status(403)), Outcome::Success);
}

#[test]
fn a_credential_without_use_settles_nothing() {
    let mut world = World::new();
    // Tokens are handed out with every answer, and none is ever used.
    for number in 0..40 {
        let token = format!("t{number}");
        world.learn(
            &Call::post("/login", LOGIN).answer(r#"{"csrf":"t"}"#).issues(&token).from(number),
        );
    }
    assert_eq!(
        world.outcome(&Call::post("/login", LOGIN).answer(r#"{"csrf":"t"}"#).issues("z")),
        Outcome::Success
    );
    assert_eq!(world.outcome(&Call::post("/login", LOGIN).status(401)), Outcome::Failure);
}

#[test]
fn a_log_in_by_no_known_name_is_learnt_from_what_it_hands_out() {
    let mut world = World::new();
    let body = r#"{"kennung":"ada","wort":"x"}"#;
    let success = Call::post("/eintreten", body).answer(r#"{"zugang":"t"}"#);
    let failure = Call::post("/eintreten", body).status(401).answer(r#"{"hinweis":"falsch"}"#);
    warm(&mut world, &success, &failure);
    assert_eq!(world.role("POST api.example.com /eintreten"), Role::Login);
}

#[test]
fn operations_behind_one_path_are_judged_by_what_they_try() {
    let mut world = World::new();
    let list = Call::post("/rpc", r#"{"method":"orders.list","params":{"page":1}}"#)
        .answer(r#"{"result":[1]}"#);
    let login = r#"{"method":"auth.login","params":{"user":"ada","password":"x"}}"#;
    for number in 0..60 {
        world.learn(&list.clone().from(number));
    }
    let failed = world.learn(&Call::post("/rpc", login).answer(r#"{"error":{"code":-32000}}"#));
    assert_eq!((failed.role, failed.outcome), (Role::Login, Outcome::Failure));
    let other = world.learn(&list);
    assert!(!other.role.tries_a_secret());
    assert_eq!(other.outcome, Outcome::Success);
}
