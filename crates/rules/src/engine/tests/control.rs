//! `ctl`: what a rule changes for the rest of an exchange.

use super::{check, get, loaded, post, run, sent, told};
use crate::engine::Engine;

#[test]
fn rules_are_taken_away_for_this_exchange_alone() {
    let rules = r#"
        SecRule ARGS:a "@streq id" "id:1,phase:1,nolog,ctl:ruleRemoveById=11-12"
        SecRule ARGS:a "@streq tag" "id:2,phase:1,nolog,ctl:ruleRemoveByTag=^odd$"
        SecAction "id:11,phase:1"
        SecAction "id:12,phase:2,tag:odd"
        SecAction "id:13,phase:2,tag:even"
    "#;
    let engine = Engine::new(loaded(rules));
    for (target, expected) in
        [("/?a=id", &["13"][..]), ("/?a=tag", &["11", "13"]), ("/", &["11", "12", "13"])]
    {
        assert_eq!(told(&sent(&engine, &get(target), "")), expected, "{target}");
    }
}

#[test]
fn targets_are_taken_away_from_every_link() {
    let rules = r#"
        SecRule ARGS:mode "@streq key" "id:1,phase:1,nolog,ctl:ruleRemoveTargetById=11;ARGS:a"
        SecRule ARGS:mode "@streq tag" "id:2,phase:1,nolog,ctl:ruleRemoveTargetByTag=odd;ARGS"
        SecRule ARGS:mode "@streq rx" "id:3,phase:1,nolog,ctl:ruleRemoveTargetById=10-12;ARGS:/^A$/"
        SecRule ARGS|ARGS_NAMES "@rx x" "id:11,phase:2,tag:odd,logdata:'%{MATCHED_VAR_NAME}'"
        SecRule ARGS_NAMES "@rx ^a$" "id:12,phase:2,chain,tag:odd"
            SecRule ARGS "@rx x" ""
    "#;
    check(rules, &get("/?a=x"), &["11 ARGS:a", "12"]);
    check(rules, &get("/?a=x&mode=key"), &["12"]);
    check(rules, &get("/?a=x&mode=tag"), &[]);
    check(rules, &get("/?ax=x&a=x&mode=tag"), &["11 ARGS_NAMES:ax"]);
}

#[test]
fn the_engine_stops_where_it_is_told_to() {
    let rules = r#"
        SecAction "id:1,phase:1"
        SecRule ARGS:a "@streq off" "id:2,phase:1,ctl:ruleEngine=Off"
        SecRule ARGS:a "@streq watch" "id:3,phase:1,ctl:ruleEngine=DetectionOnly"
        SecAction "id:4,phase:1,deny"
        SecAction "id:5,phase:5"
    "#;
    check(rules, &get("/?a=off"), &["1", "2"]);
    check(rules, &get("/?a=watch"), &["1", "3", "4", "5"]);
    assert_eq!(run(rules, &get("/?a=watch"), "").interruption(), None);
    assert!(run(rules, &get("/"), "").interruption().is_some());
}

#[test]
fn a_body_is_read_as_phase_one_says() {
    let rules = r#"
        SecRule ARGS:m "@streq json" "id:1,phase:1,nolog,ctl:requestBodyProcessor=JSON"
        SecRule ARGS:m "@streq force" "id:2,phase:1,nolog,ctl:forceRequestBodyVariable=On"
        SecRule ARGS:m "@streq off" "id:3,phase:1,nolog,ctl:requestBodyAccess=Off"
        SecRule ARGS:json.a "@rx ." "id:4,phase:2"
        SecRule REQUEST_BODY "@rx a" "id:5,phase:2"
        SecRule REQBODY_PROCESSOR "@rx (.+)" "id:6,phase:2,capture,logdata:'%{tx.1}'"
        SecRule REQUEST_BODY_LENGTH "@gt 0" "id:7,phase:2"
    "#;
    let body =
        |mode: &str| format!("POST /?m={mode} HTTP/1.1\nContent-Type: text/plain\n\n{{\"a\": 1}}");
    check(rules, &body("json"), &["4", "6 JSON", "7"]);
    check(rules, &body("force"), &["5", "7"]);
    check(rules, &body("off"), &[]);
    check(rules, &body("none"), &["7"]);
    check(rules, &post("application/x-www-form-urlencoded", "a"), &["5", "6 URLENCODED", "7"]);
}

#[test]
fn environment_and_audit_can_be_set() {
    let rules = r#"
        SecAction "id:1,phase:1,nolog,setenv:kind=%{request_method},ctl:auditEngine=On"
        SecRule ENV:kind "@streq GET" "id:2,phase:1,noauditlog"
    "#;
    let transaction = run(rules, &get("/"), "");
    assert_eq!((told(&transaction), transaction.is_audited()), (vec!["2".to_owned()], true));
}
