//! Which values a rule looks at.

use super::{check, get, post};

#[test]
fn each_value_that_matches_counts() {
    let rules = r#"
        SecRule ARGS "@rx x" "id:1,phase:2,nolog,setvar:tx.n=+2"
        SecRule TX:n "@eq 6" "id:2,phase:2,logdata:'%{tx.n}'"
        SecRule ARGS "@streq x" "id:3,phase:2,logdata:'%{MATCHED_VAR_NAME}'"
    "#;
    check(rules, &get("/?a=x&b=y&a=x&c=x"), &["2 6", "3 ARGS:c"]);
}

#[test]
fn what_is_absent_satisfies_nothing_but_can_be_counted() {
    let rules = r#"
        SecRule REQUEST_HEADERS:X-A "!@rx ." "id:1,phase:1"
        SecRule &REQUEST_HEADERS:X-A "@eq 0" "id:2,phase:1"
        SecRule &TX:unset "@eq 0" "id:3,phase:1"
        SecRule TX:unset "@lt 5" "id:4,phase:1"
        SecRule TX:unset "!@eq 5" "id:5,phase:1"
        SecRule &REQUEST_HEADERS "@eq 2" "id:6,phase:1"
        SecRule &REQUEST_HEADERS|!REQUEST_HEADERS:x-b "@eq 1" "id:7,phase:1"
        SecRule REQBODY_PROCESSOR "!@rx (?:JSON|XML)" "id:8,phase:1"
    "#;
    check(rules, "GET / HTTP/1.1\nHost: a\nX-B: 1\n\n", &["2", "3", "6", "7", "8"]);
    // Empty is not absent.
    check(rules, "GET / HTTP/1.1\nX-A:\n\n", &["1", "3", "7", "8"]);
}

#[test]
fn exclusions_are_of_names_in_the_case_that_the_collection_has() {
    let rules = r#"
        SecRule ARGS|!ARGS:safe|!ARGS:/^json\.html/ "@rx x" "id:1,phase:2,logdata:'%{MATCHED_VAR_NAME}'"
        SecRule REQUEST_HEADERS|!REQUEST_HEADERS:COOKIE "@rx =x" "id:2,phase:1"
        SecRule REQUEST_COOKIES|!REQUEST_COOKIES:Safe "@rx x" "id:3,phase:1,logdata:'%{MATCHED_VAR_NAME}'"
        SecRule REQUEST_COOKIES_NAMES "@streq Safe" "id:4,phase:1"
        SecRule ARGS_NAMES|!ARGS_NAMES:/^SAFE$/ "@rx ^s" "id:5,phase:2,logdata:'%{MATCHED_VAR_NAME}'"
    "#;
    check(rules, &get("/?SAFE=x&safe=x"), &[]);
    check(rules, &get("/?SAFE=x&safer=y"), &["5 ARGS_NAMES:safer"]);
    check(rules, &get("/?other=x"), &["1 ARGS:other"]);
    let cookies = "GET / HTTP/1.1\nCookie: Safe=x; safe=x\n\n";
    check(rules, cookies, &["3 REQUEST_COOKIES:safe", "4"]);
    let json = post("application/json", r#"{"html": ["x"], "safe": 1, "b": "x"}"#);
    check(rules, &json, &["1 ARGS:json.b"]);
}

#[test]
fn patterns_select_names_that_the_same_phase_made() {
    let rules = r#"
        SecRule ARGS_NAMES "@rx ." "id:1,phase:2,nolog,setvar:'tx.count_%{MATCHED_VAR_NAME}=+1'"
        SecRule TX:/^count_/ "@gt 1" "id:2,phase:2,logdata:'%{MATCHED_VAR_NAME} %{MATCHED_VAR}'"
        SecAction "id:3,phase:2,nolog,setvar:tx.count_fixed=9"
        SecRule TX:/^count_f/ "@gt 1" "id:4,phase:2,logdata:'%{MATCHED_VAR_NAME}'"
    "#;
    check(rules, &get("/?a=1&b=2&A=3&a=4"), &["2 TX:count_args_names:a 3", "4 TX:count_fixed"]);
}

#[test]
fn phase_one_knows_the_query_alone() {
    let rules = r#"
        SecRule ARGS "@rx ." "id:1,phase:1,nolog,setvar:tx.first=+1"
        SecRule ARGS "@rx ." "id:2,phase:2,nolog,setvar:tx.second=+1"
        SecRule ARGS_POST "@rx ." "id:3,phase:2,nolog,setvar:tx.posted=+1"
        SecRule ARGS_COMBINED_SIZE "@eq 6" "id:4,phase:2,logdata:'%{tx.first} %{tx.second} %{tx.posted}'"
    "#;
    let request = "POST /?a=1&a=2 HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\nb=3";
    check(rules, request, &["4 2 3 1"]);
}

#[test]
fn the_request_line_is_shown_as_it_was_sent() {
    let rules = r#"
        SecRule REQUEST_LINE "@rx (.+)" "id:1,phase:1,capture,logdata:'%{tx.1}'"
        SecRule REQUEST_URI_RAW "@contains #" "id:2,phase:1"
        SecRule REQUEST_URI "@rx (.+)" "id:3,phase:1,capture,logdata:'%{tx.1}'"
        SecRule REQUEST_FILENAME "@rx (.+)" "id:4,phase:1,capture,logdata:'%{tx.1}'"
        SecRule REQUEST_BASENAME "@rx (.+)" "id:5,phase:1,capture,logdata:'%{tx.1}'"
        SecRule QUERY_STRING "@rx (.+)" "id:6,phase:1,capture,logdata:'%{tx.1}'"
        SecRule REQUEST_PROTOCOL "@streq HTTP/0.9" "id:7,phase:1"
        SecRule SERVER_NAME "@streq b.example" "id:8,phase:1"
    "#;
    check(
        rules,
        "GET http://b.example:81/a%2f+b/c%00?q=%41#f HTTP/1.1\nHost: a.example\n\n",
        &[
            "1 GET http://b.example:81/a%2f+b/c%00?q=%41#f HTTP/1.1",
            "2",
            r"3 /a%2f+b/c%00?q=%41",
            r"4 /a/+b/c\x00",
            r"5 c\x00",
            "6 q=%41",
            "8",
        ],
    );
    check(rules, "GET /\n\n", &["1 GET /", "3 /", "4 /", "7"]);
}

#[test]
fn cookies_and_headers_stay_apart() {
    let rules = r#"
        SecRule &REQUEST_HEADERS:content-type "@eq 2" "id:1,phase:1"
        SecRule REQUEST_COOKIES:/\x22?\x24Version/ "@streq 1" "id:2,phase:1"
        SecRule &REQUEST_COOKIES "@eq 3" "id:3,phase:1"
        SecRule REQUEST_HEADERS_NAMES "@streq X_Filename" "id:4,phase:1"
        SecRule REQBODY_PROCESSOR "@streq JSON" "id:5,phase:1"
    "#;
    let request = "GET / HTTP/1.1\nContent-Type: application/json\nContent-Type: text/xml\n\
        Cookie: \"$Version\"=1; a=%31;=lost\nCookie: a=2\nX_Filename: b\n\n";
    check(rules, request, &["1", "2", "3", "4", "5"]);
}

#[test]
fn xml_is_its_texts_and_its_attributes() {
    let rules = r#"
        SecRule XML:/* "@streq t1" "id:1,phase:2"
        SecRule XML://@* "@streq v" "id:2,phase:2,logdata:'%{MATCHED_VAR_NAME}'"
        SecRule XML:/*|XML://@* "@rx ." "id:3,phase:2,nolog,setvar:tx.n=+1"
        SecRule TX:n "@eq 3" "id:4,phase:2"
        SecRule REQUEST_BODY "@rx ." "id:5,phase:2"
    "#;
    let request = post("application/xml", r#"<r a="v"><x> t1 </x><y>t2</y></r>"#);
    check(rules, &request, &["1", "2 XML", "4"]);
}

#[test]
fn multi_match_asks_of_each_form_of_a_value() {
    let rules = r#"
        SecRule ARGS "@rx ^%41" "id:1,phase:2,t:urlDecodeUni,multiMatch"
        SecRule ARGS "@rx ^%41" "id:2,phase:2,t:urlDecodeUni"
        SecRule ARGS "@rx ." "id:3,phase:2,nolog,multiMatch,t:lowercase,t:urlDecodeUni,t:removeNulls,setvar:tx.n=+1"
        SecRule TX:n "@eq 2" "id:4,phase:2"
    "#;
    check(rules, &get("/?a=%2541"), &["1", "4"]);
}
