//! One endpoint under other spellings: to servers that decode before they split, or that take no
//! notice of the case of letters.

use super::*;

const LOG_IN: &str = r#"{"email":"ada@example.com","password":"right-horse"}"#;

fn shop() -> World {
    let mut world = World::new();
    for _ in 0..8 {
        world.learn(&Call::post("/v1/login", LOG_IN).answer(r#"{"ok":true}"#).issues("t"));
        world.learn(&Call::get("/v1/orders/7"));
        world.learn(&Call::get("/v1/orders/8"));
    }
    world
}

#[test]
fn another_spelling_of_what_is_known_is_the_same_endpoint() {
    let mut world = shop();
    let known = world.locate(&Method::POST, "/v1/login");
    assert!(known.endpoint.is_some());
    let before = world.labels();
    for spelling in
        ["/v1%2Flogin", "/v1%2flogin", "/v1%5Clogin", "/x%2F..%2Fv1%2Flogin", "/V1/Login"]
    {
        let place = world.locate(&Method::POST, spelling);
        assert_eq!((place.endpoint, place.role), (known.endpoint, Role::Login), "{spelling}");
        let call = Call::post(spelling, LOG_IN).answer(r#"{"ok":true}"#);
        assert_eq!(world.learn(&call).endpoint, known.endpoint, "{spelling}");
    }
    let order = world.locate(&Method::GET, "/v1/orders/7").endpoint;
    assert_eq!(world.locate(&Method::GET, "/v1%2Forders%2F9").endpoint, order);
    assert_eq!(world.locate(&Method::GET, "/v1/login").endpoint, None, "another method");
    assert_eq!(world.labels(), before);
}

#[test]
fn a_server_that_knows_no_such_spelling_teaches_nothing_by_saying_so() {
    let mut world = shop();
    let known = world.locate(&Method::POST, "/v1/login").endpoint.expect("known");
    let statuses = |world: &World| world.catalog.endpoint(known).expect("there").statuses;
    let before = statuses(&world);
    for _ in 0..20 {
        let lesson = world.learn(&Call::post("/v1%2Flogin", LOG_IN).status(404));
        assert_eq!((lesson.endpoint, lesson.outcome), (None, Outcome::NotFound));
    }
    assert_eq!(statuses(&world), before);
}

#[test]
fn a_slash_in_an_identifier_stays_in_it() {
    let mut world = World::new();
    for project in ["group%2Fshop", "group%2Ftill", "team%2Fsite", "team%2Fdocs", "a%2Fb%2Fc"] {
        for source in 1..4 {
            let (one, issues) =
                (format!("/api/projects/{project}"), format!("/api/projects/{project}/issues"));
            world.learn(&Call::get(&one).from(source));
            world.learn(&Call::get(&issues).from(source));
        }
    }
    let templates = world.templates();
    assert!(
        templates.iter().all(|template| !template.contains("/shop") && template.len() < 40),
        "{templates:?}"
    );
    let at = |target: &str| world.locate(&Method::GET, target).endpoint;
    assert!(at("/api/projects/new%2Fone").is_some(), "{templates:?}");
    assert_ne!(at("/api/projects/new%2Fissues"), at("/api/projects/new/issues"));
}
