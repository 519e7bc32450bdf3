//! Bodies, answers, limits, what lasts from one exchange to the next, and what must stay linear.

use std::sync::Arc;

use bytes::Bytes;

use super::{begun, check, get, loaded, post, run, sent, told};
use crate::{engine::Engine, rule::Phase};

#[test]
fn a_broken_body_is_told_and_read_as_far_as_it_goes() {
    let rules = r#"
        SecRule REQBODY_ERROR "!@eq 0" "id:1,phase:2,logdata:'%{reqbody_error_msg}'"
        SecRule ARGS "@rx attack" "id:2,phase:2,logdata:'%{MATCHED_VAR_NAME}'"
        SecRule REQUEST_BODY "@rx attack" "id:3,phase:2"
    "#;
    let broken = post("application/json", r#"{"a": "attack", "b" attack}"#);
    check(rules, &broken, &["1 JSON is malformed", "2 ARGS:json.a", "3"]);
    let repeated = post("application/problem+json", r#"{"a": "attack", "a": "b"}"#);
    check(rules, &repeated, &["2 ARGS:json.a"]);
}

#[test]
fn multipart_is_fields_files_and_headers() {
    let rules = r#"
        SecRule FILES "@rx \.php$" "id:1,phase:2,logdata:'%{MATCHED_VAR_NAME}'"
        SecRule FILES_NAMES "@streq up" "id:2,phase:2"
        SecRule ARGS:field "@streq x" "id:3,phase:2"
        SecRule MULTIPART_PART_HEADERS:up "@rx ^Content-Type: (.*)" "id:4,phase:2,capture,logdata:'%{tx.1}'"
        SecRule FILES_COMBINED_SIZE "@eq 4" "id:5,phase:2"
        SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:6,phase:2"
        SecRule REQUEST_BODY "@rx ." "id:7,phase:2"
    "#;
    let body = "--b\r\nContent-Disposition: form-data; name=\"field\"\r\n\r\nx\r\n--b\r\n\
        Content-Disposition: form-data; name=\"up\"; filename=\"a.php\"\r\n\
        Content-Type: text/x\r\n\r\nfile\r\n--b--\r\n";
    let request = |boundary: &str| post(&format!("multipart/form-data; boundary={boundary}"), body);
    check(rules, &request("b"), &["1 FILES:up", "2", "3", "4 text/x", "5"]);
    check(rules, &request("\"b\""), &["1 FILES:up", "2", "3", "4 text/x", "5", "6"]);
}

#[test]
fn an_answer_is_looked_at_where_its_media_type_says_so() {
    let rules = r#"
        SecResponseBodyAccess On
        SecResponseBodyMimeType text/html application/json
        SecRule RESPONSE_STATUS "@streq 200" "id:1,phase:3"
        SecRule RESPONSE_HEADERS:x-powered-by "@rx ." "id:2,phase:3"
        SecRule RESPONSE_BODY "@rx secret" "id:3,phase:4,deny"
        SecRule RESPONSE_CONTENT_TYPE "@rx (.+)" "id:4,phase:3,capture,logdata:'%{tx.1}'"
        SecRule REQUEST_HEADERS:Host "@rx ." "id:5,phase:4"
    "#;
    let html = "HTTP/1.1 200 OK\nContent-Type: Text/HTML; charset=utf-8\n\nthe secret";
    let transaction = run(rules, &get("/"), html);
    assert_eq!(told(&transaction), ["1", "4 Text/HTML", "3"]);
    assert_eq!(transaction.interruption().unwrap().phase, Phase::ResponseBody);
    let image = "HTTP/1.1 200 OK\nX-Powered-By: x\nContent-Type: image/png\n\nthe secret";
    assert_eq!(told(&run(rules, &get("/"), image)), ["1", "2", "4 image/png", "5"]);
}

#[test]
fn a_body_beyond_its_limit_is_cut_or_refused() {
    let rules = |action: &str| {
        format!(
            r#"
            SecRequestBodyLimit 4
            SecRequestBodyLimitAction {action}
            SecRule INBOUND_DATA_ERROR "@eq 1" "id:1,phase:2"
            SecRule ARGS:a "@rx (.*)" "id:2,phase:2,capture,logdata:'%{{tx.1}}'"
        "#
        )
    };
    let request = post("application/x-www-form-urlencoded", "a=12345");
    let cut = run(&rules("ProcessPartial"), &request, "");
    assert_eq!((told(&cut), cut.interruption()), (vec!["1".into(), "2 12".into()], None));
    let refused = run(&rules("Reject"), &request, "");
    let interruption = refused.interruption().unwrap();
    assert_eq!((interruption.status, interruption.rule_id), (413, 0));
}

#[test]
fn collections_last_and_end() {
    let rules = r#"
        SecAction "id:1,phase:1,nolog,initcol:ip=%{remote_addr},setvar:ip.count=+1"
        SecRule IP:count "@gt 2" "id:2,phase:1,logdata:'%{ip.count}',expirevar:ip.count=10"
        SecRule &IP:other "@eq 0" "id:3,phase:1,nolog,setvar:ip.other=x"
        SecRule IP:/^oth/ "@streq x" "id:4,phase:5,nolog,setvar:!ip.other"
        SecRule SESSION:a "@rx ." "id:5,phase:1"
    "#;
    let engine = Engine::new(loaded(rules));
    let counted: Vec<_> = (0..3).map(|_| told(&sent(&engine, &get("/"), ""))).collect();
    assert_eq!(counted, [vec![], vec![], vec!["2 3".to_owned()]]);
    // A reload keeps them; a time later they are gone.
    let reloaded = Engine::with_collections(loaded(rules), engine.collections());
    assert_eq!(told(&sent(&reloaded, &get("/"), "")), ["2 4"]);
    assert_eq!(Arc::strong_count(&reloaded.collections()), 3);
    let mut later = begun(&reloaded);
    later.set_now(super::NOW_US + 11_000_000);
    later.run(Phase::RequestHeaders);
    assert_eq!(told(&later), [""; 0]);
}

#[test]
fn scores_decide_as_the_core_rule_set_has_them_decide() {
    let rules = r#"
        SecDefaultAction "phase:2,log,auditlog,pass"
        SecAction "id:1,phase:1,nolog,setvar:tx.threshold=5,setvar:tx.critical=5,setvar:tx.pl=1"
        SecRule TX:pl "@lt 2" "id:2,phase:2,nolog,skipAfter:END"
        SecAction "id:3,phase:2,block,setvar:tx.score=+%{tx.critical}"
        SecMarker END
        SecRule ARGS "@rx <script" "id:4,phase:2,block,t:lowercase,setvar:tx.score=+%{tx.critical}"
        SecRule TX:score "@ge %{tx.threshold}" "id:5,phase:2,deny,msg:'Score %{tx.score}'"
    "#;
    let refused = run(rules, &get("/?q=%3CSCRIPT&r=%3Cscript"), "");
    assert_eq!(told(&refused), ["4", "5 Score 10"]);
    assert_eq!(refused.interruption().unwrap().status, 403);
    assert_eq!(run(rules, &get("/?q=ok"), "").interruption(), None);
}

#[test]
fn what_costs_too_much_is_stopped_and_marked() {
    let rules = r#"
        SecRule ARGS "@rx x" "id:1,phase:2,nolog"
        SecRule ARGS "@rx ^y" "id:2,phase:2,t:base64Decode"
        SecAction "id:3,phase:2"
    "#;
    let engine = Engine::plain(loaded(rules));
    let body: String = (0..1_000).map(|number| format!("a{number}=x&")).collect();
    let mut transaction = begun(&engine);
    transaction.set_work_max(5_000);
    transaction.request_header(b"Content-Type", b"application/x-www-form-urlencoded");
    transaction.run(Phase::RequestHeaders);
    transaction.request_body(Bytes::from(body), false);
    transaction.run(Phase::RequestBody);
    assert!(transaction.is_over_budget());
    assert!(transaction.work() < 10_000, "{}", transaction.work());
    assert_eq!(transaction.hits().count(), 0);
    // Allowed more, it goes on.
    transaction.set_work_max(u64::MAX);
    transaction.run(Phase::RequestBody);
    assert!(!transaction.is_over_budget());
    assert_eq!(told(&transaction), ["3"]);
}

#[test]
fn what_refused_an_exchange_can_be_overruled() {
    let rules = r#"
        SecAction "id:1,phase:2,deny"
        SecAction "id:2,phase:3"
        SecAction "id:3,phase:4,deny,status:500"
    "#;
    let mut transaction = sent(&Engine::new(loaded(rules)), &get("/"), "");
    transaction.run(Phase::ResponseHeaders);
    assert_eq!(told(&transaction), ["1"], "a refused exchange has no answer");
    transaction.overrule();
    transaction.run(Phase::ResponseHeaders);
    transaction.run(Phase::ResponseBody);
    assert_eq!(told(&transaction), ["1", "2", "3"]);
    assert_eq!(transaction.interruption().map(|it| it.rule_id), Some(3));
}

#[test]
fn what_macros_look_at_is_counted() {
    let rules = r#"SecRule ARGS "@rx ." "id:1,phase:2,nolog,setvar:'tx.n=%{args_combined_size}'""#;
    let engine = Engine::plain(loaded(rules));
    let work = |count: usize| {
        let body: String = (0..count).map(|number| format!("a{number}=x&")).collect();
        sent(&engine, &post("application/x-www-form-urlencoded", &body), "").work()
    };
    assert!(work(800) > 800 * 800, "{}", work(800));
    assert!(work(80) < 80 * 80 * 10, "{}", work(80));
}

#[test]
fn an_exchange_is_forgotten_when_its_memory_is_used_again() {
    let engine = Engine::new(loaded(
        r#"
        SecRule ARGS "@rx (.+)" "id:1,phase:1,capture,setvar:'tx.%{MATCHED_VAR}=1',setvar:tx.kept=1,deny"
        SecRule &TX:kept "@eq 0" "id:2,phase:1"
    "#,
    ));
    let mut transaction = sent(&engine, &get("/?a=secret"), "");
    assert!(transaction.interruption().is_some());
    transaction.reset(&engine, &super::context());
    transaction.request_line(b"GET / HTTP/1.1", b"GET", b"/", b"HTTP/1.1");
    assert_eq!(transaction.run(Phase::RequestHeaders), None);
    assert_eq!(told(&transaction), ["2"]);
    assert_eq!(transaction.tx_number(b"secret"), None);
}
