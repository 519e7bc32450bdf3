//! One rule at a time: quoting, targets, operators, actions.

use expect_test::{Expect, expect};

use super::{set, show::shown};

fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&shown(&set(text)));
}

#[test]
fn a_rule_of_the_core_rule_set() {
    check(
        r#"
SecRule REQUEST_COOKIES|!REQUEST_COOKIES:/__utm/|ARGS_NAMES|ARGS|XML:/*|XML://@* "@rx (?i)\bsel\"ect\b" \
    "id:942999,\
    phase:2,\
    block,\
    capture,\
    t:none,t:urlDecodeUni,t:lowerCase,\
    msg:'SQL: it\'s found, here',\
    logdata:'Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}: %{MATCHED_VAR}',\
    tag:'attack-sqli',\
    tag:'paranoia-level/1',\
    ver:'OWASP_CRS/4.25.0',\
    severity:'CRITICAL',\
    multiMatch,\
    setvar:'tx.inbound_anomaly_score_pl1=+%{tx.critical_anomaly_score}'"
"#,
        &expect![[r##"
            a.conf:2 942999 RequestBody: Pass, Critical, ver OWASP_CRS/4.25.0, tag "attack-sqli", tag "paranoia-level/1", log, auditlog
              REQUEST_COOKIES | ARGS_NAMES | ARGS | XML:texts | XML:attributes | !REQUEST_COOKIES:/(?is-m)__utm/ > urlDecodeUni > lowercase is rx /(?i)\\bsel\"ect\\b/ capture multiMatch
                set TX "inbound_anomaly_score_pl1"#11 + TX.critical_anomaly_score#10
                msg "SQL: it's found, here"
                logdata "Matched Data: " TX.0#0 " found within " MATCHED_VAR_NAME ": " MATCHED_VAR
        "##]],
    );
}

#[test]
fn names_have_any_case_and_quotes_are_optional() {
    check(
        r#"
secRULE request_headers:X_Filename|Args:'a|b'|args_get:A "attack" "ID:'1',PHASE:REQUEST,Deny,T:normalisePath"
SecRule ARGS @contains id:2,pass,nolog
SecRule ARGS "@rx" "id:3 , phase:3 , log,noauditlog, msg:''"
SecAction "id:4,phase:5,pass,nolog,auditlog"
"#,
        &expect![[r#"
            a.conf:2 1 RequestBody: Deny(403), log, auditlog
              REQUEST_HEADERS:x_filename | ARGS:a|b | ARGS_GET:a > normalizePath is rx /attack/
            a.conf:3 2 RequestBody: Pass, nolog, noauditlog
              ARGS is Contains Some("")
            a.conf:4 3 ResponseHeaders: Pass, log, noauditlog
              ARGS is rx //
                msg nothing
            a.conf:5 4 Logging: Pass, nolog, auditlog
              always
        "#]],
    );
}

#[test]
fn targets_have_names_patterns_and_counts() {
    check(
        r#"
SecRule &ARGS|&REQUEST_HEADERS:Host|TX:/^a\/b|c/|TX:score|REQUEST_COOKIES:Sid,FILES "@eq 0" "id:1,pass"
SecRule ARGS|!ARGS_NAMES:/x_\d|y/|!ARGS:'it\'s' "x" "id:2,pass"
SecRule &TX:'/LEAKAGE\\\/ERRORS/'|&XML|XML://@* "@ge 1" "id:3,pass"
SecRule TX:1|tx:HEADER_NAME_%1|REQUEST_COOKIES:/\x22?\x24Version/ "x" "id:4,pass"
"#,
        &expect![[r#"
            a.conf:2 1 RequestBody: Pass, log, auditlog
              &ARGS | &REQUEST_HEADERS:host | TX:/(?is-m)^a/b|c/ | TX:score#10 | REQUEST_COOKIES:Sid | FILES is Eq Some(0)
            a.conf:3 2 RequestBody: Pass, log, auditlog
              ARGS | !ARGS_NAMES:/(?is-m)x_\d|y/ | !ARGS:it\'s is rx /x/
            a.conf:4 3 RequestBody: Pass, log, auditlog
              &TX:/(?is-m)LEAKAGE\\/ERRORS/ | &XML | XML:attributes is Ge Some(1)
            a.conf:5 4 RequestBody: Pass, log, auditlog
              TX:1#1 | TX:header_name_%1#11 | REQUEST_COOKIES:/(?is-m)"?\$Version/ is rx /x/
        "#]],
    );
}

#[test]
fn operators_are_negated_and_take_macros() {
    check(
        r#"
SecRule ARGS "!@rx ^a b $" "id:1,pass"
SecRule ARGS "! @within %{tx.allowed_methods} x" "id:2,pass"
SecRule ARGS "!attack" "id:3,pass"
SecRule ARGS "@GE %{TX:max}" "id:4,pass"
SecRule ARGS "@pm a b |63 64|" "id:5,pass"
SecRule TX:1 "!@rx ^%{tx.charsets}$" "id:6,pass"
SecRule ARGS "@rx 100%{3}" "id:7,pass"
SecRule ARGS "@endsWith %{request_headers.Host}" "id:8,pass"
SecRule REMOTE_ADDR "@geoLookup" "id:9,pass"
"#,
        &expect![[r#"
            a.conf:2 1 RequestBody: Pass, log, auditlog
              ARGS is not rx /^a b $/
            a.conf:3 2 RequestBody: Pass, log, auditlog
              ARGS is not Within None with TX.allowed_methods#10 " x"
            a.conf:4 3 RequestBody: Pass, log, auditlog
              ARGS is not rx /attack/
            a.conf:5 4 RequestBody: Pass, log, auditlog
              ARGS is Ge None with TX.max#11
            a.conf:6 5 RequestBody: Pass, log, auditlog
              ARGS is pm a, b, cd
            a.conf:7 6 RequestBody: Pass, log, auditlog
              TX:1#1 is not RxMacros(MacroPattern(^%{tx.charsets}$)) with "^" TX.charsets#12 "$"
            a.conf:8 7 RequestBody: Pass, log, auditlog
              ARGS is rx /100%{3}/
            a.conf:9 8 RequestBody: Pass, log, auditlog
              ARGS is EndsWith None with REQUEST_HEADERS.host
            a.conf:10 9 RequestBody: Pass, log, auditlog
              REMOTE_ADDR is Unanswered("geoLookup")
            note a.conf:10: @geoLookup asks a service, which nobody does here: it never holds
        "#]],
    );
}

#[test]
fn transformations_are_cleared_by_none() {
    check(
        r#"
SecRule ARGS "x" "id:1,pass,t:lowercase,t:none,t:trim"
SecDefaultAction "phase:2,pass,t:urlDecode"
SecRule ARGS "x" "id:2,pass,t:trim"
SecRule ARGS "x" "id:3,pass,t:none,t:trim,chain"
  SecRule ARGS "y" "t:lowercase"
SecRule ARGS "x" "id:4,pass,phase:1,t:trim"
"#,
        &expect![[r#"
            a.conf:7 4 RequestHeaders: Pass, log, auditlog
              ARGS > trim is rx /x/
            a.conf:2 1 RequestBody: Pass, log, auditlog
              ARGS > trim is rx /x/
            a.conf:4 2 RequestBody: Pass, log, auditlog
              ARGS > urlDecode > trim is rx /x/
            a.conf:5 3 RequestBody: Pass, log, auditlog
              ARGS > trim is rx /x/
              ARGS > urlDecode > lowercase is rx /y/
        "#]],
    );
}

#[test]
fn effects_write_variables() {
    check(
        r#"
SecAction "id:1,phase:1,pass,nolog,setvar:tx.A=1,setvar:tx.a=+%{tx.b},setvar:tx.c=-2,setvar:!tx.d,setvar:tx.e"
SecAction "id:2,phase:1,pass,nolog,setvar:'TX.paramcounter_%{MATCHED_VAR_NAME}=+1',setvar:'tx.list=|a| |b|, c=d'"
SecAction "id:3,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR}_%{tx.ua},setsid:%{request_cookies.SID},setuid:u,setrsc:r"
SecAction "id:4,phase:1,pass,nolog,setvar:ip.dos=+1,expirevar:IP.dos=%{tx.slice},expirevar:tx.a=5,setenv:Name=v %{tx.a}"
SecAction "id:5,phase:1,pass,nolog,setvar:tx.empty="
"#,
        &expect![[r##"
            a.conf:2 1 RequestHeaders: Pass, nolog, noauditlog
              always
                set TX "a"#10 = "1"
                set TX "a"#10 + TX.b#11
                set TX "c"#12 - "2"
                set TX "d"#13 unset
                set TX "e"#14 = "1"
            a.conf:3 2 RequestHeaders: Pass, nolog, noauditlog
              always
                set TX "paramcounter_" MATCHED_VAR_NAME + "1"
                set TX "list"#15 = "|a| |b|, c=d"
            a.conf:4 3 RequestHeaders: Pass, nolog, noauditlog
              always
                open IP REMOTE_ADDR "_" TX.ua#16
                open SESSION REQUEST_COOKIES.SID
                open USER "u"
                open RESOURCE "r"
            a.conf:5 4 RequestHeaders: Pass, nolog, noauditlog
              always
                set IP "dos" + "1"
                expire IP "dos" TX.slice#17
                expire TX "a" "5"
                env Name "v " TX.a#10
            a.conf:6 5 RequestHeaders: Pass, nolog, noauditlog
              always
                set TX "empty"#18 = nothing
            note a.conf:5: expirevar has no effect on TX, which ends with its exchange
        "##]],
    );
}

#[test]
fn controls_change_one_exchange() {
    check(
        r#"
SecAction "id:1,pass,ctl:ruleEngine=DetectionOnly,ctl:auditEngine=on,ctl:forceRequestBodyVariable=On,ctl:requestBodyAccess=Off"
SecAction "id:2,phase:1,pass,ctl:requestBodyProcessor=xml,ctl:responseBodyAccess=Off,ctl:auditLogParts=+E"
SecAction "id:3,pass,ctl:ruleRemoveById=942100,ctl:ruleRemoveById=1-999,ctl:ruleRemoveByTag=attack-.*,ctl:ruleRemoveByMsg=SQL"
SecAction "id:4,pass,ctl:ruleRemoveTargetById=942100;ARGS:/^json\.items\.\d+\.html$/,ctl:ruleRemoveTargetByTag=OWASP_CRS;ARGS"
SecAction "id:5,pass,ctl:ruleRemoveTargetByMsg=x;!ARGS:a|ARGS:b"
"#,
        &expect![[r#"
            a.conf:3 2 RequestHeaders: Pass, log, auditlog
              always
                RequestBodyProcessor(Xml)
                ResponseBodyAccess(false)
            a.conf:2 1 RequestBody: Pass, log, auditlog
              always
                RuleEngine(DetectionOnly)
                AuditEngine(On)
                ForceRequestBodyVariable(true)
                RequestBodyAccess(false)
            a.conf:4 3 RequestBody: Pass, log, auditlog
              always
                without ids [942100..=942100]
                without ids [1..=999]
                without tag /attack\-.*/
                without msg /SQL/
            a.conf:5 4 RequestBody: Pass, log, auditlog
              always
                without ARGS:/(?is-m)^json\.items\.\d+\.html$/ in ids [942100..=942100]
                without ARGS in tag /OWASP_CRS/
            a.conf:6 5 RequestBody: Pass, log, auditlog
              always
                without ARGS:b in msg /x/
                without ARGS:a in msg /x/
            note a.conf:3: ctl:auditLogParts has no effect: the events of the gateway have parts of their own
        "#]],
    );
}

#[test]
fn what_has_no_effect_is_noted() {
    check(
        r#"
SecPcreMatchLimit 1000
secauditlogparts ABIJ
SecCookieFormat 0
SecContentInjection Off
SecRule ARGS "x" "id:1,pass,sanitiseArg:password,maturity:9,accuracy:8"
"#,
        &expect![[r#"
            a.conf:6 1 RequestBody: Pass, log, auditlog
              ARGS is rx /x/
            note a.conf:2: SecPcreMatchLimit has no effect: patterns take linear time here and need no limit
            note a.conf:3: SecAuditLogParts has no effect: the gateway keeps events of its own
            note a.conf:4: SecCookieFormat has no effect: cookies are read as browsers send them, whatever their version
            note a.conf:6: sanitiseArg has no effect: every value is masked where it is told
            note a.conf:6: maturity has no effect: it says how old a rule is, and nobody asks
            note a.conf:6: accuracy has no effect: it says how sure a rule is, and nobody asks
        "#]],
    );
}
