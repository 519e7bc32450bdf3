//! Which segments become parameters, and which stay.

use super::*;

fn user(number: usize) -> String {
    format!(r#"{{"id":{number},"username":"u{number}","bio":"b","followers":{number}}}"#)
}

#[test]
fn identifiers_are_parameters_at_once_and_names_stay() {
    let mut world = World::new();
    for target in [
        "/users/17",
        "/users/me",
        "/users/17/orders/6f1c2f0e-8f1c-4a9b-9d3e-3f6d1f0a7b21",
        "/reports/2026-11-23",
        "/blobs/507f1f77bcf86cd799439011",
        "/orders/ORD-12345/items/3",
        "/v1/things",
        "/v2/things",
        "/users/17/friends/18",
        "/",
    ] {
        world.learn(&Call::get(target));
    }
    expect_test::expect![[r#"
        [
            "GET /",
            "GET /blobs/{hash}",
            "GET /orders/{id}/items/{id2}",
            "GET /reports/{date}",
            "GET /users/me",
            "GET /users/{id}",
            "GET /users/{id}/friends/{id2}",
            "GET /users/{id}/orders/{uuid}",
            "GET /v1/things",
            "GET /v2/things",
        ]
    "#]]
    .assert_debug_eq(&world.templates());
    assert_eq!(world.labels().last().map(String::as_str), Some("GET api.example.com /v2/things"));
}

#[test]
fn names_that_answer_alike_become_a_parameter() {
    let mut world = World::new();
    for number in 0..30 {
        let name =
            ["ada", "bob", "cleo", "dan", "eve", "finn", "gus", "hal", "ida", "jon"][number % 10];
        let target = format!("/users/{name}{}", "x".repeat(number / 10));
        world.learn(&Call::get(&target).answer(&user(number)));
    }
    assert_eq!(world.templates(), ["GET /users/{name}"]);
    assert!(world.locate(&Method::GET, "/users/somebody-new").is_known);
    let view = world.catalog.endpoints().remove(0);
    assert_eq!(view.exchanges, 30);
    assert_eq!(view.id.0, 1, "the first number stays");
}

#[test]
fn numbers_of_those_that_were_folded_still_lead_there() {
    let mut world = World::new();
    let ids: Vec<_> = (0..12)
        .map(|number| {
            let target = format!("/files/{}", char::from(b'a' + number).to_string().repeat(4));
            world
                .learn(&Call::get(&target).answer(r#"{"bytes":1,"owner":"o","mime":"m"}"#))
                .endpoint
                .expect("one")
        })
        .collect();
    for id in ids {
        assert_eq!(world.catalog.label(id), "GET api.example.com /files/{name}");
    }
}

#[test]
fn resources_never_collapse() {
    let mut world = World::new();
    let resources = [
        ("users", r#"[{"id":1,"name":"a","email":"a@example.com","role":"x"}]"#),
        ("orders", r#"[{"id":1,"total":"a","placed_at":"x","lines":[]}]"#),
        ("products", r#"[{"id":1,"name":"a","price":1,"stock":2}]"#),
        ("carts", r#"[{"id":1,"entries":3,"currency":"EUR"}]"#),
        ("reviews", r#"[{"id":1,"stars":3,"text":"EUR","author":1}]"#),
        ("invoices", r#"[{"id":1,"due":"x","net":3,"gross":1}]"#),
        ("shipments", r#"[{"id":1,"carrier":"x","tracking":3}]"#),
        ("refunds", r#"[{"id":1,"reason":"x","cents":3}]"#),
        ("coupons", r#"[{"id":1,"code":"x","percent":3}]"#),
        ("warehouses", r#"[{"id":1,"city":"x","capacity":3}]"#),
        ("suppliers", r#"[{"id":1,"vat":"x","contact":3}]"#),
        ("categories", r#"[{"id":1,"slug":"x","parent":3}]"#),
        ("brands", r#"[{"id":1,"logo":"x","country":3}]"#),
        ("tags", r#"[{"id":1,"label":"x","colour":3}]"#),
    ];
    for round in 0..20 {
        for (name, answer) in resources {
            world.learn(&Call::get(&format!("/api/{name}")).answer(answer).from(round));
            let one = answer.trim_matches(['[', ']']);
            world.learn(&Call::get(&format!("/api/{name}/{round}")).answer(one).from(round));
            world.learn(&Call::post(&format!("/api/{name}"), "{}").status(201).from(round));
        }
    }
    assert_eq!(world.catalog.len(), 3 * resources.len(), "{:#?}", world.templates());
}

#[test]
fn resources_whose_answers_were_never_read_stay_apart() {
    let mut world = World::new();
    let names = [
        "users",
        "orders",
        "products",
        "carts",
        "reviews",
        "invoices",
        "shipments",
        "refunds",
        "brands",
        "tags",
        "teams",
        "roles",
        "plans",
        "notes",
    ];
    for name in names {
        world.learn(&Call { is_read: false, ..Call::get(&format!("/api/{name}")).answer("[1,2]") });
    }
    assert_eq!(world.catalog.len(), names.len());
}

#[test]
fn remote_procedures_stay_apart() {
    let mut world = World::new();
    let verbs = [
        "create", "delete", "update", "archive", "share", "copy", "move", "rename", "lock",
        "unlock", "list", "find",
    ];
    for verb in verbs {
        let body = format!(r#"{{"{verb}_id":1,"by_{verb}":2}}"#);
        for _ in 0..3 {
            world.learn(
                &Call::post(&format!("/rpc/{verb}Note"), &body)
                    .answer(r#"{"ok":true,"note":{"text":1,"tags":[]}}"#),
            );
        }
    }
    assert_eq!(world.catalog.len(), verbs.len(), "{:#?}", world.templates());
}

#[test]
fn slugs_are_values_after_a_few() {
    let mut world = World::new();
    for slug in ["how-to-cook-an-egg", "ten-best-knives", "why-salt-your-pasta", "oven-or-pan"] {
        world.learn(
            &Call::get(&format!("/articles/{slug}"))
                .answer(r#"{"headline":"x","paragraphs":[],"author":1}"#),
        );
    }
    assert_eq!(world.templates(), ["GET /articles/{slug}"]);
    assert!(
        world.locate(&Method::GET, "/articles/short-title").is_known,
        "titles have two words or ten"
    );
    assert!(!world.locate(&Method::GET, "/articles/drafts").is_known);
}

#[test]
fn hyphenated_routes_are_no_slugs() {
    let mut world = World::new();
    for route in [
        "sign-in-with-google",
        "forgot-my-password",
        "two-factor-auth-setup",
        "resend-the-email",
        "log-me-out",
        "x-y-z-w",
    ] {
        world.learn(&Call::post(&format!("/auth/{route}"), "{}").answer(r#"{"ok":true}"#));
    }
    assert_eq!(world.catalog.len(), 6);
}

#[test]
fn files_of_one_kind_are_a_parameter() {
    let mut world = World::new();
    for number in 0..14 {
        let name = char::from(b'a' + number).to_string().repeat(3);
        world.learn(&Call {
            media: Media::Opaque,
            is_read: false,
            ..Call::get(&format!("/images/{name}.png"))
                .answer(&"x".repeat(100 + usize::from(number)))
        });
    }
    world.learn(&Call { media: Media::Text, is_read: false, ..Call::get("/images/style.css") });
    assert_eq!(world.templates(), ["GET /images/style.css", "GET /images/{file}"]);
}

#[test]
fn tenants_in_the_path_are_a_parameter_and_what_hangs_below_is_merged() {
    let mut world = World::new();
    let tenants = [
        "acme",
        "globex",
        "initech",
        "umbrella",
        "hooli",
        "wayne",
        "stark",
        "tyrell",
        "cyberdyne",
        "wonka",
        "oscorp",
    ];
    for tenant in tenants {
        world.learn(
            &Call::get(&format!("/{tenant}/projects"))
                .answer(r#"[{"id":1,"budget":1,"deadline":"x"}]"#),
        );
        world.learn(
            &Call::get(&format!("/{tenant}/members/7")).answer(r#"{"id":1,"nick":1,"joined":"x"}"#),
        );
    }
    world.learn(&Call::get("/health").answer(r#"{"status":"ok","uptime":1}"#));
    assert_eq!(
        world.templates(),
        ["GET /health", "GET /{name}/members/{id}", "GET /{name}/projects"]
    );
}

#[test]
fn words_beside_a_parameter_that_answer_like_it_are_values_of_it() {
    let mut world = World::new();
    for number in 1..5 {
        world.learn(&Call::get(&format!("/users/{number}")).answer(&user(number)));
    }
    for (at, name) in ["ada", "bob", "cleo", "dan"].into_iter().enumerate() {
        world.learn(&Call::get(&format!("/users/{name}")).answer(&user(at)));
    }
    assert_eq!(world.templates(), ["GET /users/{id}"]);
    let mut world = World::new();
    world.learn(&Call::get("/users/1").answer(&user(1)));
    world.learn(&Call::get("/users/me").answer(&user(1)));
    assert_eq!(world.templates(), ["GET /users/me", "GET /users/{id}"]);
}

#[test]
fn a_path_is_found_through_a_parameter_when_the_literal_leads_nowhere() {
    let mut world = World::new();
    for number in 0..12 {
        let name = char::from(b'a' + number).to_string().repeat(4);
        world.learn(
            &Call::get(&format!("/shops/{name}/items")).answer(r#"{"price":1,"stock":2,"sku":3}"#),
        );
    }
    world.learn(&Call::post("/shops/search", r#"{"term":"x"}"#));
    assert!(world.locate(&Method::GET, "/shops/search/items").is_known);
    assert!(world.locate(&Method::POST, "/shops/search").endpoint.is_some());
    assert!(!world.locate(&Method::GET, "/shops/search/nothing").is_known);
}

#[test]
fn head_is_get_and_what_only_asks_makes_nothing() {
    let mut world = World::new();
    world.learn(&Call::new(Method::OPTIONS, "/a"));
    world.learn(&Call::new(Method::TRACE, "/a"));
    assert!(world.catalog.is_empty());
    let get = world.learn(&Call::get("/a")).endpoint;
    assert_eq!(world.learn(&Call::new(Method::HEAD, "/a")).endpoint, get);
    assert!(world.locate(&Method::OPTIONS, "/a").is_known);
    assert_eq!(world.locate(&Method::OPTIONS, "/a").endpoint, None);
}

#[test]
fn an_action_beside_values_is_an_endpoint_of_its_own() {
    let mut world = World::new();
    for number in 0..12 {
        let name = char::from(b'a' + number).to_string().repeat(4);
        world
            .learn(&Call::get(&format!("/flags/{name}")).answer(r#"{"enabled":true,"rollout":2}"#));
    }
    world.learn(&Call::post("/flags/evaluate", r#"{"user":"x"}"#).answer(r#"{"flags":[]}"#));
    world.learn(&Call::new(Method::DELETE, "/flags/somewhat").status(204));
    world.learn(&Call::new(Method::DELETE, "/flags/other").status(204));
    assert_eq!(
        world.templates(),
        ["POST /flags/evaluate", "DELETE /flags/{name}", "GET /flags/{name}"]
    );
}

#[test]
fn a_new_resource_of_a_tenant_that_is_known_is_a_resource_of_all() {
    let mut world = World::new();
    let tenants = [
        "acme",
        "globex",
        "initech",
        "umbrella",
        "hooli",
        "wayne",
        "stark",
        "tyrell",
        "cyberdyne",
        "wonka",
    ];
    for tenant in tenants {
        world.learn(
            &Call::get(&format!("/{tenant}/projects"))
                .answer(r#"[{"id":1,"budget":1,"deadline":"x"}]"#),
        );
    }
    world.learn(&Call::get("/hooli/invoices").answer(r#"[{"net":1,"gross":2}]"#));
    world.learn(&Call::get("/about/imprint").html("<html>who we are</html>"));
    assert_eq!(
        world.templates(),
        ["GET /about/imprint", "GET /{name}/invoices", "GET /{name}/projects"]
    );
}

#[test]
fn parameters_of_one_template_have_names_of_their_own_even_when_it_grew_together() {
    let mut world = World::new();
    for number in 0..12 {
        let name = char::from(b'a' + number).to_string().repeat(4);
        let target = format!("/shops/{name}/owners/{name}");
        world.learn(&Call::get(&target).answer(r#"{"vat":1,"since":2,"city":3}"#));
    }
    assert_eq!(world.templates(), ["GET /shops/{name}/owners/{name2}"]);
    let names: Vec<String> =
        world.catalog.endpoints()[0].params.iter().map(|p| p.name.clone()).collect();
    assert_eq!(names, ["name", "name2"]);
}

#[test]
fn a_switch_of_protocols_shows_an_endpoint() {
    let mut world = World::new();
    assert_eq!(world.outcome(&Call::get("/chat").status(101)), Outcome::Success);
    world.learn(&Call::get("/room/7").status(100));
    assert_eq!(world.templates(), ["GET /chat"]);
}
