//! What engines get wrong that no other file here asks: chains with captures, order and place.

use super::{check, get, post, run};

#[test]
fn a_chain_that_fails_tells_nothing_of_its_head() {
    let rules = r#"
        SecRule ARGS "@rx (\d)\s*!=\s*(\d)" "id:1,phase:2,capture,multiMatch,t:urlDecodeUni,t:lowercase,\
            logdata:'%{tx.0}',chain"
            SecRule TX:1 "!@streq %{TX.2}" ""
    "#;
    check(rules, &get("/?a=1!%3d2"), &["1 1!=2"]);
    check(rules, &get("/?a=1!%3d1"), &[]);
    // Of several values the last one's captures stand when the next link looks.
    check(rules, &get("/?a=1!%3d2&b=3!%3d3"), &[]);
    check(rules, &get("/?a=3!%3d3&b=1!%3d2"), &["1 1!=2"]);
}

#[test]
fn groups_of_an_earlier_match_do_not_shine_through() {
    let rules = r#"
        SecRule ARGS:a "@rx ^(b)(c)$" "id:1,phase:2,capture,nolog"
        SecRule ARGS:a "@rx ^b(?:(x)|c)$" "id:2,phase:2,capture,chain,logdata:'%{tx.0}|%{tx.1}|%{tx.2}'"
            SecRule &TX:2 "@eq 0" ""
        SecRule ARGS:a "@rx (nothing)" "id:3,phase:2,capture"
        SecRule TX:0 "@streq bc" "id:4,phase:2"
    "#;
    check(rules, &get("/?a=bc"), &["2 bc||", "4"]);
}

#[test]
fn a_jump_does_not_reach_into_the_next_phase() {
    let rules = r#"
        SecAction "id:1,phase:1,nolog,skipAfter:END"
        SecAction "id:2,phase:1"
        SecAction "id:3,phase:2"
        SecMarker END
        SecAction "id:4,phase:1,nolog,skip:5"
        SecAction "id:5,phase:1"
        SecAction "id:6,phase:2"
    "#;
    check(rules, &get("/"), &["3", "6"]);
}

#[test]
fn equal_names_stay_and_keep_their_order() {
    let rules = r#"
        SecAction "id:1,phase:1,nolog,setvar:tx.seen="
        SecRule ARGS:a "@rx ." "id:2,phase:2,nolog,setvar:'tx.seen=%{tx.seen}%{MATCHED_VAR}'"
        SecRule &ARGS:a "@eq 4" "id:3,phase:2,logdata:'%{tx.seen}'"
    "#;
    let form =
        "POST /?a=1&a=2 HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\na=3&A=4";
    check(rules, form, &["3 1234"]);
    let json = r#"{"a": "1", "a": "2"}"#;
    let rules = r#"SecRule &ARGS:json.a "@eq 2" "id:1,phase:2""#;
    check(rules, &post("application/json", json), &["1"]);
}

#[test]
fn a_name_without_a_value_is_an_argument() {
    let rules = r#"
        SecRule ARGS_NAMES "@streq attack" "id:1,phase:2"
        SecRule ARGS:attack "@rx ^$" "id:2,phase:2"
        SecRule &ARGS "@eq 1" "id:3,phase:2"
        SecRule REQUEST_BODY "@streq attack" "id:4,phase:2"
    "#;
    let expected = ["1", "2", "3", "4"];
    check(rules, &post("application/x-www-form-urlencoded", "attack"), &expected);
    check(rules, &get("/?attack"), &expected[..3]);
}

#[test]
fn detecting_only_scores_as_refusing_does() {
    let rules = |engine: &str| {
        format!(
            r#"
            SecRuleEngine {engine}
            SecDefaultAction "phase:2,log,auditlog,deny"
            SecRule ARGS "@rx x" "id:1,phase:2,block,setvar:tx.score=+5"
            SecRule TX:score "@ge 5" "id:2,phase:5,logdata:'%{{tx.score}}'"
        "#
        )
    };
    let detecting = run(&rules("DetectionOnly"), &get("/?a=x&b=x"), "");
    assert_eq!(super::told(&detecting), ["1", "2 10"]);
    assert_eq!(detecting.interruption(), None);
    let refusing = run(&rules("On"), &get("/?a=x&b=x"), "");
    assert_eq!(super::told(&refusing), ["1", "2 10"]);
    assert_eq!(refusing.interruption().unwrap().rule_id, 1);
    assert_eq!(super::told(&run(&rules("Off"), &get("/?a=x&b=x"), "")), [""; 0]);
}
