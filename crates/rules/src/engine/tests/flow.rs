//! In which order rules run, and which do not.

use super::{check, get, run};
use crate::engine::Refusal;

#[test]
fn a_chain_asks_its_next_link_only_when_one_held() {
    let rules = r#"
        SecRule ARGS:a "@rx (.)=(.)" "id:1,phase:2,capture,setvar:tx.head=+1,chain"
            SecRule TX:1 "@streq %{tx.2}" "setvar:tx.tail=+1"
        SecRule TX:head "@ge 1" "id:2,phase:2"
        SecRule TX:tail "@ge 1" "id:3,phase:2"
    "#;
    check(rules, &get("/?a=1%3d1"), &["1", "2", "3"]);
    // What the head did stays done.
    check(rules, &get("/?a=1%3d2"), &["2"]);
    check(rules, &get("/?a=1"), &[]);
}

#[test]
fn a_link_sees_what_the_one_before_it_matched() {
    let rules = r#"
        SecRule ARGS "@rx x" "id:1,phase:2,chain"
            SecRule MATCHED_VARS "@rx y" "setvar:'tx.seen=%{MATCHED_VAR_NAME}',chain"
                SecRule MATCHED_VARS "!@rx z" "chain"
                    SecRule MATCHED_VARS_NAMES "@rx b" "logdata:'%{tx.seen}'"
    "#;
    check(rules, &get("/?a=x&b=xy&c=xyz"), &["1 MATCHED_VARS:ARGS:c"]);
    check(rules, &get("/?a=x&c=xyz"), &[]);
}

#[test]
fn jumps_go_forward_within_the_phase() {
    let rules = r#"
        SecMarker BEFORE
        SecRule ARGS:a "@streq after" "id:1,phase:2,nolog,skipAfter:END"
        SecRule ARGS:a "@streq skip" "id:2,phase:2,nolog,skip:2"
        SecAction "id:3,phase:1"
        SecAction "id:4,phase:2"
        SecMarker MIDDLE
        SecAction "id:5,phase:2"
        SecMarker END
        SecRule ARGS:a "@streq back" "id:6,phase:2,nolog,skipAfter:BEFORE"
        SecRule ARGS:a "@rx ^ch" "id:7,phase:2,nolog,skipAfter:LAST,chain"
            SecRule ARGS:a "@rx ain$" ""
        SecAction "id:8,phase:2"
        SecMarker LAST
        SecAction "id:9,phase:5"
    "#;
    check(rules, &get("/?a=after"), &["3", "8", "9"]);
    check(rules, &get("/?a=skip"), &["3", "8", "9"]);
    check(rules, &get("/?a=back"), &["3", "4", "5", "9"]);
    check(rules, &get("/?a=chain"), &["3", "4", "5", "9"]);
    check(rules, &get("/?a=chaos"), &["3", "4", "5", "8", "9"]);
}

#[test]
fn what_refuses_ends_all_but_the_log() {
    let rules = r#"
        SecRule ARGS:a "@rx ." "id:1,phase:1,deny,status:406,chain"
            SecRule ARGS:a "@streq stop" ""
        SecAction "id:2,phase:1"
        SecAction "id:3,phase:2"
        SecAction "id:4,phase:3"
        SecAction "id:5,phase:5,deny"
    "#;
    let refused = run(rules, &get("/?a=stop"), "HTTP/1.1 200 OK\n\n");
    let ids: Vec<u64> = refused.hits().map(|hit| hit.rule.id).collect();
    assert_eq!(ids, [1, 5]);
    let interruption = refused.interruption().unwrap();
    assert_eq!((interruption.status, interruption.rule_id), (406, 1));
    let passed = run(rules, &get("/?a=go"), "HTTP/1.1 200 OK\n\n");
    let ids: Vec<u64> = passed.hits().map(|hit| hit.rule.id).collect();
    assert_eq!((ids.as_slice(), passed.interruption()), (&[2, 3, 4, 5][..], None));
}

#[test]
fn detection_only_refuses_nothing_and_says_what_it_would() {
    let rules = r#"
        SecRuleEngine DetectionOnly
        SecRule ARGS:a "@rx ." "id:1,phase:1,redirect:'https://b.example/%{unique_id}'"
        SecAction "id:2,phase:2,deny,nolog"
        SecAction "id:3,phase:2"
    "#;
    let transaction = run(rules, &get("/?a=b"), "");
    assert_eq!(transaction.interruption(), None);
    let would = transaction.would_interrupt().unwrap();
    assert_eq!((would.rule_id, would.status), (1, 302));
    assert_eq!(would.refusal, Refusal::Redirect(b"https://b.example/exchange-1".to_vec()));
    let ids: Vec<u64> = transaction.hits().map(|hit| hit.rule.id).collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn a_default_decides_what_block_means() {
    let scoring = r#"SecAction "id:1,phase:2,block,severity:ERROR,log""#;
    let blocking = format!("SecDefaultAction \"phase:2,log,auditlog,deny,status:403\"\n{scoring}");
    assert_eq!(run(scoring, &get("/"), "").interruption(), None);
    assert_eq!(run(&blocking, &get("/"), "").interruption().unwrap().status, 403);
}

#[test]
fn allow_reaches_as_far_as_it_says() {
    for (scope, expected) in [
        ("allow", &["1", "5"][..]),
        ("allow:request", &["1", "4", "5"]),
        ("allow:phase", &["1", "3", "4", "5"]),
    ] {
        let rules = format!(
            r#"
            SecAction "id:1,phase:1,{scope}"
            SecAction "id:2,phase:1"
            SecAction "id:3,phase:2"
            SecAction "id:4,phase:3"
            SecAction "id:5,phase:5"
        "#
        );
        let transaction = run(&rules, &get("/"), "HTTP/1.1 200 OK\n\n");
        assert_eq!(super::told(&transaction), expected, "{scope}");
    }
}

#[test]
fn being_told_and_being_audited_are_apart() {
    let rules = r#"
        SecAction "id:1,phase:1,log,noauditlog"
        SecAction "id:2,phase:1,nolog"
    "#;
    let transaction = run(rules, &get("/"), "");
    assert_eq!(
        (super::told(&transaction), transaction.is_audited()),
        (vec!["1".to_owned()], false)
    );
    let audited = run(r#"SecAction "id:1,phase:1,nolog,auditlog""#, &get("/"), "");
    assert_eq!((super::told(&audited).len(), audited.is_audited()), (0, true));
}
