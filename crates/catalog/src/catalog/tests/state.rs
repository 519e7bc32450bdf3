//! What was learnt survives a restart, and the same lessons give the same catalog.

use traffic::slices::{SliceReader, SliceWriter, Sliced};

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

pub(super) fn slices(catalog: &Catalog) -> Vec<Vec<u8>> {
    let mut slices = Vec::new();
    let mut from = Some(0);
    while let Some(place) = from {
        let mut slice = SliceWriter::default();
        from = catalog.write_slice(place, &mut slice);
        slices.push(slice.into_bytes());
    }
    slices
}

fn restore(catalog: &mut Catalog, slices: &[Vec<u8>]) {
    for slice in slices {
        catalog.read_slice(&mut SliceReader::new(slice), Timestamp::EPOCH).expect("whole");
    }
}

#[test]
fn a_snapshot_gives_the_same_catalog() {
    let mut world = World::new();
    shop(&mut world, 40);
    let snapshot = slices(&world.catalog);
    let mut restored = World::new();
    restored.now = world.now;
    restore(&mut restored.catalog, &snapshot);
    assert_eq!(restored.catalog.endpoints(), world.catalog.endpoints());
    assert!(slices(&restored.catalog) == snapshot);
    shop(&mut world, 40);
    shop(&mut restored, 40);
    assert!(slices(&restored.catalog) == slices(&world.catalog));
}

#[test]
fn the_same_lessons_give_the_same_catalog() {
    let run = || {
        let mut world = World::new();
        shop(&mut world, 60);
        slices(&world.catalog)
    };
    assert!(run() == run());
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
    restore(&mut small.catalog, &slices(&world.catalog));
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
    let good = slices(&world.catalog);
    let lengths: Vec<usize> = good.iter().map(Vec::len).collect();
    for (number, length) in lengths.into_iter().enumerate() {
        for at in (0..length).step_by(3) {
            let mut bad = good.clone();
            bad[number][at] = bad[number][at].wrapping_add(1 + (at % 250) as u8);
            let mut other = World::new();
            for slice in &bad {
                // Whether it is found damaged is not the question.
                let _ = other.catalog.read_slice(&mut SliceReader::new(slice), Timestamp::EPOCH);
            }
            shop(&mut other, 2);
            let _ = (other.catalog.endpoints(), other.catalog.openapi(None));
        }
    }
}

#[test]
fn slices_of_different_moments_give_a_catalog_that_works() {
    // One slice after the other is taken while endpoints come, become one, and go.
    let mut world = World::with_memory(1 << 20);
    let mut restored = World::new();
    let mut from = Some(0);
    let mut names = (b'a'..=b'z').cycle().zip(0..).map(|(a, n)| format!("{}{n}", char::from(a)));
    while let Some(place) = from {
        for name in names.by_ref().take(15) {
            let answer = format!(r#"{{"{name}":1,"list":[2]}}"#);
            world.learn(&Call::get(&format!("/{name}/list")).answer(&answer));
            world.learn(&Call::get(&format!("/users/{name}")).answer(r#"{"email":1,"age":2}"#));
            let host = format!("{name}.tenants.example.com");
            world.learn(&Call::get("/start").host(&host).answer(r#"{"start":1}"#));
        }
        let mut slice = SliceWriter::default();
        from = world.catalog.write_slice(place, &mut slice);
        let slice = slice.into_bytes();
        restored
            .catalog
            .read_slice(&mut SliceReader::new(&slice), Timestamp::EPOCH)
            .expect("whole");
    }
    let labels = restored.labels();
    assert!(labels.len() > 10, "{labels:?}");
    let distinct: std::collections::BTreeSet<&String> = labels.iter().collect();
    assert_eq!(distinct.len(), labels.len(), "no two stand at one place");
    restored.now = world.now;
    shop(&mut restored, 20);
    assert!(restored.labels().iter().any(|label| label.ends_with("/orders/{id}")));
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
            "POST api.example.com /login | login | none [], 43 callers | json:email:email json:password:secret | ",
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
