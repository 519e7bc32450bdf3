//! What was learnt survives a restart, and the same lessons give the same catalog.

use super::*;

fn shop(world: &mut World, rounds: u64) {
    for round in 0..rounds {
        let token = format!("token-{}", round % 7);
        world.learn(&Call::get("/health").answer(r#"{"status":"ok"}"#).from(round));
        let body = format!(r#"{{"email":"u{round}@example.com","password":"p"}}"#);
        let login = Call::post("/login", &body).from(round);
        if round % 4 == 0 {
            world.learn(&login.status(401).answer(r#"{"error":"no"}"#));
        } else {
            world.learn(&login.answer(r#"{"token":"t","expires_in":1}"#).issues(&token));
        }
        world.learn(&Call::get("/orders").from(round).status(401));
        world.learn(
            &Call::get("/orders?page=2")
                .token(&token)
                .answer(r#"[{"total":1,"iban":"DE89370400440532013000"}]"#),
        );
        world.learn(
            &Call::get(&format!("/orders/{round}"))
                .token(&token)
                .answer(r#"{"total":1,"lines":[{"sku":"x"}]}"#),
        );
        world.learn(
            &Call::post("/orders", r#"{"items":[{"sku":"a","count":2}],"cart_id":7}"#)
                .token(&token)
                .status(201),
        );
    }
}

fn bytes(catalog: &Catalog) -> Vec<u8> {
    postcard::to_stdvec(catalog).expect("bytes")
}

#[test]
fn a_snapshot_gives_the_same_catalog() {
    let mut world = World::new();
    shop(&mut world, 40);
    let snapshot = bytes(&world.catalog);
    let mut restored = World::new();
    restored.now = world.now;
    restored.catalog.restore(postcard::from_bytes(&snapshot).expect("a catalog"));
    assert_eq!(restored.catalog.endpoints(), world.catalog.endpoints());
    shop(&mut world, 40);
    shop(&mut restored, 40);
    assert_eq!(bytes(&restored.catalog), bytes(&world.catalog));
}

#[test]
fn the_same_lessons_give_the_same_catalog() {
    let run = || {
        let mut world = World::new();
        shop(&mut world, 60);
        bytes(&world.catalog)
    };
    assert_eq!(run(), run());
}

#[test]
fn a_snapshot_fits_into_less_room() {
    let mut world = World::with_memory(16 << 20);
    let names: Vec<String> = (b'a'..=b'z')
        .flat_map(|a| (b'a'..=b'f').map(move |b| format!("{}{}", char::from(a), char::from(b))))
        .collect();
    for name in &names {
        let answer = format!(r#"{{"{name}{name}":1,"{name}x":2}}"#);
        world.learn(&Call::get(&format!("/{name}/list")).answer(&answer));
    }
    assert_eq!(world.catalog.len(), names.len());
    let mut small = World::with_memory(1);
    small.catalog.restore(postcard::from_bytes(&bytes(&world.catalog)).expect("a catalog"));
    assert_eq!(small.catalog.len(), small.catalog.room().0);
    let kept = small.labels();
    assert!(
        kept.contains(&"GET api.example.com /zf/list".to_owned()),
        "the latest are kept: {kept:?}"
    );
}

#[test]
fn a_damaged_snapshot_does_not_panic() {
    let mut world = World::new();
    shop(&mut world, 10);
    let good = bytes(&world.catalog);
    for at in (0..good.len()).step_by(3) {
        let mut bad = good.clone();
        bad[at] = bad[at].wrapping_add(1 + (at % 250) as u8);
        let Ok(catalog) = postcard::from_bytes::<Catalog>(&bad) else { continue };
        let mut other = World::new();
        other.catalog.restore(catalog);
        shop(&mut other, 2);
        let _ = (other.catalog.endpoints(), other.catalog.openapi(None));
    }
}

#[test]
fn a_view_tells_all_that_was_seen() {
    let mut world = World::new();
    shop(&mut world, 40);
    let views = world.catalog.endpoints();
    let summary: Vec<String> = views.iter().map(in_short).collect();
    expect_test::expect![[r#"
        [
            "GET api.example.com /health | health | none [], 43 callers |  | ",
            "POST api.example.com /login | login | none [], 42 callers | json:email:email json:password:secret | ",
            "GET api.example.com /orders | other | always [\"bearer\"], 48 callers | query:page:integer | iban",
            "POST api.example.com /orders | checkout | always [\"bearer\"], 7 callers | json:cart_id:integer json:items.*.count:integer json:items.*.sku:word | ",
            "GET api.example.com /orders/{id} | object-read | always [\"bearer\"], 7 callers | path:id:integer | ",
        ]
    "#]].assert_debug_eq(&summary);
}

fn in_short(view: &crate::EndpointView) -> String {
    let shown =
        |param: &crate::ParamView| format!("{}:{}:{}", param.place.key(), param.name, param.kind);
    let params: Vec<String> = view.params.iter().map(shown).collect();
    let classes: Vec<&str> = view.classes.iter().map(|class| class.key()).collect();
    let who = format!("{} {:?}, {} callers", view.auth.key(), view.credentials, view.callers);
    format!(
        "{} | {} | {who} | {} | {}",
        view.label(),
        view.role,
        params.join(" "),
        classes.join(" ")
    )
}
