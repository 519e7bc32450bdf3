//! What rules write, and what templates become.

use super::{check, get, run};
use crate::variable::Variable;

#[test]
fn variables_are_set_counted_and_unset() {
    let rules = r#"
        SecAction "id:1,phase:1,nolog,setvar:tx.A,setvar:tx.b=+5,setvar:tx.b=-7,setvar:tx.c=text,\
            setvar:tx.c=+3,setvar:tx.d=007,setvar:tx.e=1,setvar:!tx.e,setvar:'tx.f=%{tx.b}|%{TX.C}|%{tx.none}',\
            setvar:'tx.g=9223372036854775807',setvar:tx.g=+1,setvar:tx.h=+%{tx.a}"
        SecRule TX:a "@streq 1" "id:2,phase:1"
        SecRule TX:B "@eq -2" "id:3,phase:1"
        SecRule TX:d "@streq 007" "id:4,phase:1"
        SecRule &TX:e "@eq 0" "id:5,phase:1"
        SecRule TX:f "@rx (.*)" "id:6,phase:1,capture,logdata:'%{tx.1}'"
        SecRule TX:g "@eq 9223372036854775807" "id:7,phase:1"
        SecRule TX:h "@eq 1" "id:8,phase:1"
    "#;
    check(rules, &get("/"), &["2", "3", "4", "5", "6 -2|3|", "7", "8"]);
}

#[test]
fn operators_expand_their_arguments() {
    let rules = r#"
        SecAction "id:1,phase:1,nolog,setvar:'tx.methods=GET POST',setvar:tx.limit=3,setvar:tx.text=3x"
        SecRule REQUEST_METHOD "!@within %{tx.methods}" "id:2,phase:1"
        SecRule REQUEST_FILENAME "@endsWith %{request_headers.host}" "id:3,phase:1"
        SecRule &ARGS "@ge %{tx.limit}" "id:4,phase:1"
        SecRule &ARGS "@ge %{tx.text}" "id:5,phase:1"
        SecRule &ARGS "@gt %{tx.none}" "id:6,phase:1"
        SecRule TX:limit "@eq %{tx.text}" "id:7,phase:1"
    "#;
    check(
        rules,
        "PUT /a.example?a&b&c HTTP/1.1\nHost: a.example\n\n",
        &["2", "3", "4", "5", "6", "7"],
    );
    check(rules, &get("/?a"), &["6", "7"]);
}

#[test]
fn captures_are_of_the_last_match_that_captures() {
    let rules = r#"
        SecRule ARGS:a "@rx (x)(q)?(y)?(z)?" "id:1,phase:1,capture,logdata:'%{tx.0}|%{tx.1}|%{tx.2}|%{tx.3}|%{tx.4}'"
        SecRule &TX:2 "@eq 1" "id:2,phase:1"
        SecRule &TX:4 "@eq 0" "id:3,phase:1"
        SecRule ARGS:a "@rx (y)" "id:4,phase:1,logdata:'%{tx.1}'"
        SecRule ARGS:a "@rx y" "id:5,phase:1,capture,logdata:'%{tx.0}|%{tx.1}'"
        SecRule ARGS:a "@pm foo xy" "id:6,phase:1,capture,logdata:'%{tx.0}'"
    "#;
    check(rules, &get("/?a=xy"), &["1 xy|x||y|", "2", "3", "4 x", "5 y|", "6 xy"]);
}

#[test]
fn captures_of_each_value_are_seen_by_whatever_looks_at_them() {
    let rules = r#"
        SecRule ARGS "@rx (x)(q)?." "id:1,phase:1,capture,logdata:'%{tx.0}|%{tx.1}|%{tx.2}',setvar:tx.held=+1"
        SecRule ARGS "@rx x(.)" "id:2,phase:1,capture,logdata:'%{tx.all}',setvar:'tx.all=%{tx.all}%{tx.1}'"
        SecRule ARGS|TX:1 "@rx ^(\w)\w*$" "id:3,phase:1,capture,logdata:'%{tx.1}',setvar:'tx.last=%{MATCHED_VAR}'"
        SecRule TX:last "@streq x" "id:4,phase:1"
        SecRule ARGS "@rx x(.)" "id:5,phase:1,capture,msg:'%{tx.1}',logdata:'%{tx.own}',setvar:'tx.own=%{tx.own}%{rule.msg}'"
        SecRule ARGS "@rx (.)$" "id:6,phase:1,capture,logdata:'%{tx.1}',setvar:'tx.1=z'"
        SecRule ARGS:a "@rx (x)" "id:7,phase:1,capture,chain"
            SecRule ARGS:b "@rx (q)" "logdata:'%{tx.1}'"
    "#;
    let held = ["1 xr|x|", "2 yqr", "3 x", "4", "5 yqr", "6 z", "7 x"];
    check(rules, &get("/?a=xy&b=xqb&c=xr"), &held);
}

#[test]
fn a_message_is_expanded_when_its_chain_holds() {
    let rules = r#"
        SecRule ARGS:a "@rx (.+)" "id:1,phase:1,capture,t:uppercase,severity:CRITICAL,tag:'is/%{tx.kind}',\
            msg:'%{rule.id} of %{rule.severity}',logdata:'%{tx.0} in %{MATCHED_VAR_NAME}: %{MATCHED_VAR}',\
            setvar:tx.kind=odd,chain"
            SecRule ARGS:b "@rx b" "setvar:tx.second=+1"
    "#;
    let transaction = run(rules, &get("/?a=x&b=bb"), "");
    let hit = transaction.hits().next().unwrap();
    assert_eq!(hit.message(), Some(&b"1 of 2"[..]));
    assert_eq!(hit.data(), Some(&b"X in ARGS:b: bb"[..]));
    assert_eq!(hit.tags().collect::<Vec<_>>(), [b"is/odd"]);
    let found: Vec<_> = hit.matches().map(|it| (it.name, it.value, it.found)).collect();
    assert_eq!(found, [(&b"a"[..], &b"X"[..], Some(0..1)), (&b"b"[..], &b"bb"[..], Some(0..1))]);
    assert_eq!(transaction.tx_number(b"SECOND"), Some(1));
}

#[test]
fn long_values_are_kept_around_what_was_found() {
    let rules = r#"SecRule ARGS "@rx needle" "id:1,phase:2""#;
    let target = format!("/?a={}needle{}", "x".repeat(1_000), "y".repeat(1_000));
    let transaction = run(rules, &get(&target), "");
    let matched = transaction.hits().next().unwrap().matches().next().unwrap();
    assert_eq!(&matched.value[matched.found.unwrap()], b"needle");
    assert_eq!(matched.value.len(), 256);
    let many: String = (0..100).map(|number| format!("a{number}=needle&")).collect();
    let transaction = run(rules, &get(&format!("/?{many}")), "");
    let hit = transaction.hits().next().unwrap();
    assert_eq!((hit.matched(), hit.matches().count()), (100, 16));
}

#[test]
fn a_chain_tells_of_the_value_that_led_to_its_end() {
    let rules = r#"
        SecRule ARGS "@rx x" "id:1,phase:2,chain"
            SecRule MATCHED_VARS "@rx y" "chain"
                SecRule MATCHED_VARS "!@rx z" "t:none"
    "#;
    let transaction = run(rules, &get("/?a=x&b=xyz&c=xy&d=y"), "");
    let hit = transaction.hits().next().unwrap();
    let found: Vec<_> = hit.matches().map(|it| (it.variable, it.name)).collect();
    let expected = [
        (Variable::Args, &b"c"[..]),
        (Variable::MatchedVars, b"ARGS:c"),
        (Variable::MatchedVars, b"MATCHED_VARS:ARGS:c"),
    ];
    assert_eq!(found, expected);
    // A number of them, or a link that looks elsewhere, leaves none out.
    let rules = r#"
        SecRule ARGS "@rx x" "id:1,phase:2,chain"
            SecRule &MATCHED_VARS "@ge 2" "chain"
                SecRule REQUEST_METHOD "@streq GET" "t:none"
    "#;
    let transaction = run(rules, &get("/?a=x&b=xyz"), "");
    let hit = transaction.hits().next().unwrap();
    let args = hit.matches().filter(|it| it.variable == Variable::Args).count();
    assert_eq!(args, 2);
}
