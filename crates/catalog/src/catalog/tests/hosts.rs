//! Hosts that are one API, and hosts that are not.

use super::*;

#[test]
fn tenants_of_one_domain_become_a_group() {
    let mut world = World::new();
    let names = [
        "acme", "globex", "initech", "umbrella", "hooli", "wayne", "stark", "tyrell", "wonka",
        "oscorp", "nakatomi",
    ];
    for round in 0..3 {
        for name in names {
            let host = format!("{name}.shop.example");
            world.learn(
                &Call::get("/api/orders/7")
                    .host(&host)
                    .answer(r#"{"total":1,"lines":[]}"#)
                    .from(round),
            );
            world.learn(
                &Call::get("/api/cart")
                    .host(&host)
                    .answer(r#"{"entries":1,"currency":2}"#)
                    .from(round),
            );
        }
    }
    assert_eq!(
        world.labels(),
        ["GET *.shop.example /api/cart", "GET *.shop.example /api/orders/{id}"]
    );
    assert!(world.learn(&Call::get("/api/cart").host("brand-new.shop.example")).endpoint.is_some());
    // The very first hosts were taken at their word, and one more exchange each teaches the rest.
    let exchanges: u64 = world.catalog.endpoints().iter().map(|view| view.exchanges).sum();
    assert!(exchanges >= 60, "{exchanges}");
}

#[test]
fn services_of_one_domain_stay_apart() {
    let mut world = World::new();
    let services =
        ["api", "auth", "billing", "search", "images", "mail", "stats", "docs", "status", "admin"];
    for round in 0..4 {
        for name in services {
            let host = format!("{name}.example.com");
            let answer = format!(r#"{{"{name}_a":1,"{name}_b":2}}"#);
            world.learn(&Call::get("/v1/list").host(&host).answer(&answer).from(round));
        }
    }
    assert_eq!(world.catalog.len(), services.len());
}

#[test]
fn ports_and_spelling_do_not_part_hosts() {
    let mut world = World::new();
    world.learn(&Call::get("/a").host("API.example.com"));
    world.learn(&Call::get("/a").host("api.example.com."));
    assert_eq!(world.labels(), ["GET api.example.com /a"]);
}
