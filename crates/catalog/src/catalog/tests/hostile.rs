//! What attackers ask for creates nothing, and floods stay within the room there is.

use super::*;

#[test]
fn misses_create_nothing() {
    let mut world = World::new();
    world.learn(&Call::get("/users/1"));
    for number in 0..2_000 {
        let target = format!("/backup-{number}/x.php");
        for status in [404, 405, 410, 501] {
            assert_eq!(world.learn(&Call::get(&target).status(status).from(number)).endpoint, None);
        }
    }
    assert_eq!(world.catalog.len(), 1);
    assert_eq!(world.outcome(&Call::get("/nothing").status(404)), Outcome::NotFound);
}

#[test]
fn a_miss_on_what_is_known_is_counted_there() {
    let mut world = World::new();
    let known = world.learn(&Call::get("/users/1")).endpoint;
    let missed = world.learn(&Call::get("/users/999").status(404));
    assert_eq!((missed.endpoint, missed.outcome), (known, Outcome::NotFound));
    assert_eq!(world.catalog.endpoints()[0].statuses, [(200, 1), (404, 1)]);
}

#[test]
fn a_scan_of_an_api_that_asks_for_a_credential_first_creates_nothing() {
    let mut world = World::new();
    for status in [401, 403, 400, 429, 500, 503] {
        for number in 0..3_000_u32 {
            let target =
                format!("/admin/w{}", "x".repeat(number as usize % 40) + &number.to_string());
            for method in [Method::GET, Method::POST] {
                world.learn(&Call::new(method, &target).status(status).from(9));
            }
        }
    }
    assert_eq!(world.catalog.len(), 0, "{:#?}", world.templates());
}

#[test]
fn a_log_in_that_always_fails_from_one_source_is_an_endpoint() {
    let body = r#"{"email":"a@example.com","password":"x"}"#;
    let wrong = r#"{"error":"wrong password"}"#;
    for status in [400, 401, 403, 422, 200] {
        let mut world = World::new();
        let first = world.learn(&Call::post("/v1/login", body).status(status).answer(wrong));
        assert!(first.created, "{status}");
        for target in ["/nothing", "/v1/enter"] {
            world.learn(&Call::post(target, body).status(404).answer(wrong));
            world.learn(&Call::post(target, body).status(405).answer(wrong));
        }
        // Other refusals are no attempts: another source has to ask, too.
        world.learn(&Call::get("/v1/orders").status(401));
        assert_eq!(world.templates(), ["POST /v1/login"], "{status}");
        assert_eq!(world.role("POST api.example.com /v1/login"), Role::Login);
    }
}

#[test]
fn a_scan_with_passwords_of_an_api_that_refuses_everything_creates_a_handful() {
    let body = r#"{"email":"a@example.com","password":"x"}"#;
    for (status, answer) in [(401, ""), (403, ""), (200, r#"{"error":"no"}"#)] {
        let mut world = World::new();
        for number in 0..3_000_u32 {
            let word: String =
                number.to_string().bytes().map(|digit| char::from(digit + 49)).collect();
            let target = format!("/{word}/{}", word.repeat(2));
            world.learn(&Call::post(&target, body).status(status).answer(answer));
        }
        assert!(world.catalog.len() <= 8, "{status}: {:#?}", world.templates());
        // Whoever is let in later is not in its shadow.
        let right = Call::post("/v1/login", body).answer(r#"{"token":"t"}"#).issues("t");
        assert!(world.learn(&right).created);
    }
}

#[test]
fn redirects_to_the_log_in_create_nothing_for_one_source() {
    let mut world = World::new();
    for word in ["a", "b", "c", "d"] {
        world.learn(&Call::get(&format!("/{word}")).status(302).location("/login?next=x"));
    }
    assert!(world.catalog.is_empty());
    world.learn(&Call::get("/a").status(302).location("/login?next=x").from(2));
    assert_eq!(world.templates(), ["GET /a"]);
}

#[test]
fn a_refused_request_of_two_sources_is_an_endpoint_and_has_its_limits() {
    let mut world = World::with_memory(1 << 20);
    let (room, _) = world.catalog.room();
    for number in 0..5_000_u64 {
        let target = format!(
            "/secret/{}",
            "ab".repeat(1 + number as usize % 20) + &"z".repeat(number as usize / 20 % 20)
        );
        world.learn(&Call::get(&target).status(401).from(number));
        world.learn(&Call::get(&target).status(401).from(number + 1));
        assert!(world.catalog.len() <= room / 8);
    }
    assert!(!world.catalog.is_empty());
    // Honest endpoints are not in their way.
    assert!(world.learn(&Call::get("/orders")).created);
}

#[test]
fn a_server_that_finds_everything_does_not_fill_the_catalog() {
    let mut world = World::new();
    let page =
        "<html>the same page for every path that there could ever be, as web apps serve it</html>";
    for number in 0..20_000_u32 {
        let word: String = number.to_string().bytes().map(|digit| char::from(digit + 49)).collect();
        world.learn(&Call::get(&format!("/{word}")).html(page).from(u64::from(number)));
        world.learn(&Call::get(&format!("/{word}/{word}")).html(page).from(u64::from(number)));
    }
    assert!(world.catalog.len() < 80, "{}", world.catalog.len());
}

#[test]
fn endless_distinct_paths_that_succeed_stay_within_the_room() {
    let mut world = World::with_memory(1 << 20);
    let (room, _) = world.catalog.room();
    for number in 0..100_000_u32 {
        let word: String = number.to_string().bytes().map(|digit| char::from(digit + 49)).collect();
        let method = if number % 2 == 0 { Method::POST } else { Method::PUT };
        let target = format!("/{word}/{}/{}", word.repeat(2), &word[..1]);
        let body = format!(r#"{{"f{word}":1}}"#);
        world.learn(&Call {
            body: &body,
            ..Call::new(method, &target).answer(&format!(r#"{{"k{word}":1}}"#))
        });
    }
    assert!(world.catalog.len() <= room);
    assert!(world.catalog.tree.len() <= world.catalog.capacity.nodes + 64);
    assert!(world.catalog.room().1 > 0, "what found no room is counted");
}

#[test]
fn endpoints_at_their_largest_fit_into_the_memory() {
    let bytes_max = 1 << 20;
    let mut world = World::with_memory(bytes_max);
    for round in 0..40 {
        for number in 0..100_u32 {
            let word: String =
                number.to_string().bytes().map(|digit| char::from(digit + 49)).collect();
            let fields: Vec<String> =
                (0..64).map(|at| format!(r#""{word}{at}{}":{round}"#, "n".repeat(50))).collect();
            let body = format!("{{{}}}", fields.join(","));
            let answer = format!(r#"{{"k{word}":1}}"#);
            let target = format!("/{word}/{}/{}", word.repeat(9), &word[..1]);
            let call = Call { body: &body, ..Call::new(Method::POST, &target).answer(&answer) };
            world.learn(&call.from(u64::from(number) * 100 + round).status(200 + round as u16));
        }
    }
    let kept: usize = state::slices(&world.catalog).iter().map(Vec::len).sum();
    // In memory a string has its length, its place and what the allocator adds.
    assert!(kept * 3 / 2 < bytes_max, "{kept}");
    assert!(kept > bytes_max / 8, "the test shall fill what there is: {kept}");
}

#[test]
fn an_attackers_hosts_do_not_become_groups() {
    let mut world = World::new();
    world.learn(&Call::get("/orders"));
    for number in 0..5_000_u64 {
        let host = format!("h{number}.evil{number}.test");
        world.learn(&Call::get("/orders").host(&host).from(7));
    }
    assert!(world.catalog.len() <= 8, "{:?}", world.labels());
    for host in ["", "a b", "../x", "é"] {
        assert_eq!(world.learn(&Call::get("/orders").host(host).from(8)).endpoint, None);
    }
}

#[test]
fn parameters_that_attackers_make_up_do_not_push_out_honest_ones() {
    let mut world = World::new();
    for page in 0..40 {
        world.learn(&Call::get(&format!("/orders?page={page}&sort=asc")).from(page));
    }
    for number in 0..5_000 {
        world.learn(&Call::get(&format!("/orders?a{number}=1&b{number}=2&page=1")).from(666));
    }
    let view = world.catalog.endpoints().remove(0);
    let names: Vec<_> = view.params.iter().map(|param| param.name.as_str()).collect();
    assert!(names.contains(&"page") && names.contains(&"sort"), "{names:?}");
    assert!(names.len() <= 64);
}

#[test]
fn one_caller_cannot_make_a_search_a_log_in() {
    let mut world = World::new();
    for number in 0..100 {
        world.learn(&Call::get(&format!("/products?q=x&page={number}")).from(number));
    }
    for _ in 0..2_000 {
        world.learn(&Call::get("/products?q=x&password=a&email=b").from(666));
    }
    assert_eq!(world.role("GET api.example.com /products"), Role::Search);
}

#[test]
fn one_caller_cannot_make_a_log_in_anything_else() {
    let mut world = World::new();
    let body = r#"{"email":"a@example.com","password":"x"}"#;
    for number in 0..100 {
        world
            .learn(&Call::post("/enter", body).from(number).answer(r#"{"token":"t"}"#).issues("t"));
    }
    for _ in 0..5_000 {
        world.learn(&Call::post("/enter", "{}").from(666).status(400).answer(r#"{"error":"x"}"#));
    }
    assert_eq!(world.role("POST api.example.com /enter"), Role::Login);
}

#[test]
fn values_are_not_kept() {
    let mut world = World::new();
    let secret = "x7Kq2vN9pLm4Rt8Yw3Zb";
    world.learn(&Call::post(
        &format!("/reset/{secret}?email=canary@example.com&{secret}=1"),
        &format!(r#"{{"password":"hunter2canary","by":{{"{secret}":1,"4111111111111111":2}}}}"#),
    ));
    let kept = format!("{:?}{}", world.catalog, world.catalog.openapi(None));
    for canary in [secret, "canary", "4111111111111111"] {
        assert!(!kept.contains(canary), "{canary} in {kept}");
    }
}
