//! Several rules together: chains, defaults, includes, and changes to rules that stand before.

use expect_test::{Expect, expect};

use super::{load, set, show::shown};
use crate::{
    action::{Audit, EngineMode},
    rule_set::OverLimit,
};

fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&shown(&set(text)));
}

#[test]
fn a_chain_is_one_rule() {
    check(
        r#"
SecRule ARGS "a" "id:1,phase:1,deny,status:400,t:trim,msg:'m',chain,setvar:tx.a=1"
    SecRule TX:1 "!@streq %{TX.2}" "capture,chain,logdata:'%{tx.1}'"
        SecAction "setvar:tx.b=2"
SecRule ARGS "b" "id:2,phase:1,pass"
"#,
        &expect![[r##"
            a.conf:2 1 RequestHeaders: Deny(400), log, auditlog
              ARGS > trim is rx /a/
                set TX "a"#10 = "1"
                msg "m"
              TX:1#1 is not Equals None with TX.2#2 capture
                logdata TX.1#1
              always
                set TX "b"#11 = "2"
            a.conf:5 2 RequestHeaders: Pass, log, auditlog
              ARGS is rx /b/
        "##]],
    );
}

#[test]
fn defaults_hold_for_the_rules_behind_them() {
    check(
        r#"
SecRule ARGS "a" "id:1,block"
SecDefaultAction "phase:2,nolog,auditlog,deny,status:418,tag:'t'"
SecRule ARGS "a" "id:2,block"
SecRule ARGS "a" "id:3"
SecRule ARGS "a" "id:4,pass,log,chain"
    SecRule ARGS "b"
SecRule ARGS "a" "id:5,block,status:429"
SecRule ARGS "a" "id:6,phase:1,block"
SecDefaultAction "phase:2,log,redirect:'https://x/%{unique_id}',status:307"
SecRule ARGS "a" "id:7,block"
SecRule ARGS "a" "id:8,allow:phase"
SecRule ARGS "a" "id:9,drop"
"#,
        &expect![[r#"
            a.conf:9 6 RequestHeaders: Pass, log, auditlog
              ARGS is rx /a/
            a.conf:2 1 RequestBody: Pass, log, auditlog
              ARGS is rx /a/
            a.conf:4 2 RequestBody: Deny(418), tag "t", nolog, auditlog
              ARGS is rx /a/
            a.conf:5 3 RequestBody: Deny(418), tag "t", nolog, auditlog
              ARGS is rx /a/
            a.conf:6 4 RequestBody: Pass, tag "t", log, auditlog
              ARGS is rx /a/
              ARGS is rx /b/
            a.conf:8 5 RequestBody: Deny(429), tag "t", nolog, auditlog
              ARGS is rx /a/
            a.conf:11 7 RequestBody: Redirect { status: 307, location: Template { pieces: [Text([104, 116, 116, 112, 115, 58, 47, 47, 120, 47]), Macro(Macro { variable: UniqueId, key: None, slot: None })] } }, log, auditlog
              ARGS is rx /a/
            a.conf:12 8 RequestBody: Allow(Phase), log, auditlog
              ARGS is rx /a/
            a.conf:13 9 RequestBody: Drop, log, auditlog
              ARGS is rx /a/
        "#]],
    );
}

#[test]
fn markers_stand_in_every_phase() {
    check(
        r#"
SecRule TX:LEVEL "@lt 2" "id:1,phase:1,pass,nolog,skipAfter:END-A"
SecAction "id:2,phase:2,pass,nolog,skip:2"
SecMarker "END-A"
"#,
        &expect![[r#"
            a.conf:2 1 RequestHeaders: Pass, SkipAfter("END-A"), nolog, noauditlog
              TX:level#10 is Lt Some(2)
            phase 1: marker END-A
            a.conf:3 2 RequestBody: Pass, Skip(2), nolog, noauditlog
              always
            phase 2: marker END-A
            phase 3: marker END-A
            phase 4: marker END-A
            phase 5: marker END-A
        "#]],
    );
}

#[test]
fn files_are_included_in_order_and_name_others_beside_them() {
    let set = load(&[
        ("etc/main.conf", "Include rules/*.conf\nIncludeOptional none/*.conf\nSecAction id:9,pass"),
        ("etc/rules/b.conf", "SecRule ARGS \"@pmFromFile b.data\" id:2,pass"),
        ("etc/rules/a.conf", "Include ../rules/sub.inc\nSecAction id:1,pass"),
        ("etc/rules/../rules/sub.inc", "SecAction id:3,pass"),
        ("etc/rules/b.data", "# words\nx y\n\nz\n"),
    ]);
    expect![[r#"
        etc/rules/../rules/sub.inc:1 3 RequestBody: Pass, log, auditlog
          always
        etc/rules/a.conf:2 1 RequestBody: Pass, log, auditlog
          always
        etc/rules/b.conf:1 2 RequestBody: Pass, log, auditlog
          ARGS is pm x y, z
        etc/main.conf:3 9 RequestBody: Pass, log, auditlog
          always
    "#]]
    .assert_eq(&shown(&set.unwrap_or_else(|error| panic!("{error}"))));
}

#[test]
fn targets_of_rules_before_are_updated() {
    check(
        r#"
SecRule ARGS|REQUEST_HEADERS "a" "id:1,pass,tag:'attack-x',msg:'one',chain"
    SecRule MATCHED_VARS "b"
SecRule ARGS "a" "id:2,pass,tag:'attack-y',msg:'two'"
SecRuleUpdateTargetById 1-2 "!ARGS:/^_ga/"
SecRuleUpdateTargetByTag "attack-y" "REQUEST_COOKIES,!ARGS:b"
SecRuleUpdateTargetByMsg "^one$" "REQUEST_BODY" "ARGS"
SecRuleUpdateTargetById 1:1 "!MATCHED_VARS:c"
SecRuleUpdateTargetById 77 "!ARGS:a"
"#,
        &expect![[r#"
            a.conf:2 1 RequestBody: Pass, tag "attack-x", log, auditlog
              REQUEST_HEADERS | REQUEST_BODY | !ARGS:/(?is-m)^_ga/ is rx /a/
                msg "one"
              MATCHED_VARS | !ARGS:/(?is-m)^_ga/ | !MATCHED_VARS:c is rx /b/
            a.conf:4 2 RequestBody: Pass, tag "attack-y", log, auditlog
              ARGS | REQUEST_COOKIES | !ARGS:/(?is-m)^_ga/ | !ARGS:b is rx /a/
                msg "two"
            note a.conf:9: no rule before this line is meant, so no targets were changed
        "#]],
    );
}

#[test]
fn actions_of_rules_before_are_updated() {
    check(
        r#"
SecRule ARGS "a" "id:1,deny,t:trim,msg:'one',severity:3,chain"
    SecRule ARGS "b" "setvar:tx.a=1"
SecRuleUpdateActionById 1 "pass,t:none,t:lowercase,msg:'two',tag:'t',nolog,severity:2,setvar:tx.b=1"
SecRuleUpdateActionById 1:1 "setvar:tx.c=1,t:trim"
SecAction "id:2,deny"
SecRuleUpdateActionById 2 "status:404"
SecRuleUpdateActionById 88 "pass"
"#,
        &expect![[r##"
            a.conf:2 1 RequestBody: Pass, Critical, tag "t", nolog, noauditlog
              ARGS > lowercase is rx /a/
                set TX "b"#11 = "1"
                msg "two"
              ARGS > trim is rx /b/
                set TX "a"#10 = "1"
                set TX "c"#12 = "1"
            a.conf:6 2 RequestBody: Deny(404), log, auditlog
              always
            note a.conf:8: no rule before this line is meant, so no actions were changed
        "##]],
    );
}

#[test]
fn rules_before_are_removed_and_their_ids_are_free() {
    check(
        r#"
SecAction "id:1,pass"
SecAction "id:2,pass,tag:'attack-x'"
SecAction "id:3,pass,msg:'three'"
SecAction "id:4,pass"
SecAction "id:15,pass"
SecRuleRemoveById 1 10-20
SecRuleRemoveByTag "^attack-"
SecRuleRemoveByMsg three
SecAction "id:1,phase:1,pass"
SecRuleRemoveById 99
"#,
        &expect![[r#"
            a.conf:10 1 RequestHeaders: Pass, log, auditlog
              always
            a.conf:5 4 RequestBody: Pass, log, auditlog
              always
            note a.conf:11: no rule before this line is meant, so none was removed
        "#]],
    );
}

#[test]
fn settings_are_read() {
    let set = set(r#"
SecRuleEngine DetectionOnly
SecRequestBodyAccess Off
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecRequestBodyLimitAction ProcessPartial
SecRequestBodyJsonDepthLimit 64
SecArgumentsLimit 77
SecUploadFileLimit 9
SecArgumentSeparator ";"
SecResponseBodyAccess On
SecResponseBodyLimit 99
SecResponseBodyLimitAction ProcessPartial
SecResponseBodyMimeType text/XML
SecResponseBodyMimeType application/json;charset=x text/xml
SecAuditEngine On
SecCollectionTimeout 60
SecComponentSignature "OWASP_CRS/4.25.0"
SecWebAppId shop
"#);
    let settings = &set.settings;
    assert_eq!(settings.engine, EngineMode::DetectionOnly);
    assert!(!settings.request_body_access && settings.response_body_access);
    assert_eq!(settings.request_body_bytes_max, 13_107_200);
    assert_eq!(settings.request_body_no_files_bytes_max, 131_072);
    assert_eq!(settings.request_body_over_limit, OverLimit::ProcessPartial);
    assert_eq!(settings.json_depth_max, 64);
    assert_eq!((settings.arguments_max, settings.files_max), (77, 9));
    assert_eq!(settings.argument_separator, b';');
    assert_eq!(settings.response_body_bytes_max, 99);
    assert_eq!(settings.response_body_over_limit, OverLimit::ProcessPartial);
    assert_eq!(settings.audit, Audit::On);
    assert_eq!(settings.collection_timeout_s, 60);
    assert_eq!(settings.response_media_types, ["text/xml".into(), "application/json".into()]);
    assert_eq!(settings.signatures, ["OWASP_CRS/4.25.0".into()]);
    assert_eq!(settings.web_app_id.as_deref(), Some("shop"));
}

#[test]
fn what_operators_capture_has_the_first_places_of_tx() {
    let set = set(r#"SecRule TX:1 "@streq %{TX.2}" "id:1,pass,setvar:tx.A=%{tx.0}""#);
    for digit in 0..=9 {
        assert_eq!(set.tx_names.name(digit), Some(digit.to_string().as_bytes()));
    }
    assert_eq!(set.tx_names.slot(b"a"), Some(10));
    assert_eq!(set.tx_names.len(), 11);
}
