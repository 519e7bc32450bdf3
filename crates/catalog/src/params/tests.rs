//! Names, kinds and shares, and their bounds.

use super::*;

fn fields(query: &str, body: &str) -> Fields {
    let mut fields = Fields::default();
    fields.read_pairs(query.as_bytes(), Location::Query);
    if !body.is_empty() {
        traffic::json::read(body.as_bytes(), &mut fields);
    }
    fields
}

fn shown(params: &Params) -> Vec<String> {
    params
        .view()
        .iter()
        .map(|view| {
            format!(
                "{} {} {} {:.2}{}",
                view.place.key(),
                view.name,
                view.kind,
                view.share,
                if view.is_required { "!" } else { "" }
            )
        })
        .collect()
}

#[test]
fn names_kinds_and_shares_are_learnt() {
    let mut params = Params::default();
    for number in 0..10 {
        let query =
            if number % 2 == 0 { format!("page={number}&q=a b") } else { format!("page={number}") };
        let body = format!(
            r#"{{"items":[{{"sku":"a","price":{number}.5}},{{"sku":"b","price":1}}],"a.b":true,"password":"hunter2"}}"#
        );
        params.learn(&fields(&query, &body));
    }
    expect_test::expect![[r#"
        [
            "query page integer 1.00!",
            "query q text 0.50",
            "json a\\.b bool 1.00!",
            "json items.*.price decimal 1.00!",
            "json items.*.sku word 1.00!",
            "json password secret 1.00!",
        ]
    "#]]
    .assert_debug_eq(&shown(&params));
}

#[test]
fn maps_by_identifier_are_one_name() {
    let mut params = Params::default();
    for number in 0..50 {
        params.learn(&fields(
            "",
            &format!(
                r#"{{"prices":{{"{number}":1,"6f1c2f0e-8f1c-4a9b-9d3e-3f6d1f0a7b{number:02}":2}}}}"#
            ),
        ));
    }
    assert_eq!(shown(&params), ["json prices.{key} integer 1.00!"]);
}

#[test]
fn what_is_mixed_is_text() {
    let mut params = Params::default();
    (0..20).for_each(|number| {
        params.learn(&fields(&format!("id={}", if number % 2 == 0 { "17" } else { "abc" }), ""))
    });
    assert_eq!(shown(&params), ["query id text 1.00!"]);
}

#[test]
fn seldom_names_are_not_shown_and_none_are_too_long() {
    let mut params = Params::default();
    (0..1_000).for_each(|_| params.learn(&fields("page=1", "")));
    params.learn(&fields(&format!("typo=1&{}=1", "x".repeat(10_000)), ""));
    assert_eq!(shown(&params), ["query page integer 1.00"], "one request did without");
    assert!(params.known.iter().all(|param| param.name.len() <= 64));
}

#[test]
fn after_a_while_a_sample_is_enough() {
    let mut params = Params::default();
    let looked_at = (0..1_664).filter(|_| {
        let wants = params.wants();
        if wants {
            params.learn(&fields("a=1", ""));
        }
        wants
    });
    assert_eq!(looked_at.count(), 64 + 100);
}

#[test]
fn a_kind_is_settled_when_every_value_had_it() {
    let mut params = Params::default();
    for number in 0..SETTLED_AFTER {
        let (day, mixed) = (number % 28 + 1, if number == 7 { "x" } else { "1" });
        let query = format!("page={number}&day=2026-01-{day:02}&mixed={mixed}");
        let body = format!(r#"{{"items":[{{"price":{number}.5}},{{"price":2}}]}}"#);
        assert_eq!(params.settled("page"), None, "not before");
        params.learn(&fields(&query, &body));
    }
    for (name, kind) in [
        ("page", Some(ParamKind::Integer)),
        ("day", Some(ParamKind::Date)),
        ("items.1.price", Some(ParamKind::Decimal)),
        ("items.x.price", None),
        ("mixed", None),
        ("unknown", None),
    ] {
        assert_eq!(params.settled(name), kind, "{name}");
    }
    assert!(is_of(ParamKind::Integer, ParamKind::Decimal));
    assert!(!is_of(ParamKind::Decimal, ParamKind::Integer));
}
