//! What is wrong, where, and what may have been meant.

use expect_test::{Expect, expect};

use super::load;

fn check(text: &str, expected: &Expect) {
    let error = load(&[("a.conf", text)]).expect_err("something is wrong");
    expected.assert_eq(&error.to_string());
}

#[test]
fn names_that_are_not_known() {
    check(
        r#"
SecRul ARGS "a" "id:1,pass"
SecRule ARG "a" "id:2,pass"
SecRule ARGS "@contians a" "id:3,pass"
SecRule ARGS "a" "id:4,pass,t:lowercas"
SecRule ARGS "a" "id:5,pas"
SecRule ARGS "a" "id:6,pass,ctl:ruleEngin=Off"
SecRule ARGS "a" "id:7,pass,msg:'%{MATCHED_VARR}'"
SecRule ARGS "a" "id:8,pass,setvar:txx.a=1"
SecRule ARGS "a" "id:9,pass,severity:HIGH"
SecRule ARGS "a" "id:10,pass,phase:6"
SecRule ARGS "a" "id:0,pass"
SecRule ARGS "a" "id:11,pass,initcol:up=1"
SecFoo
"#,
        &expect![[r#"
            a.conf:2: there is no directive SecRul; did you mean SecRule?
            a.conf:3: there is no variable ARG; did you mean ARGS?
            a.conf:4: there is no operator contians; did you mean @contains?
            a.conf:5: there is no transformation lowercas; did you mean lowercase?
            a.conf:6: there is no action pas; did you mean pass?
            a.conf:7: there is no setting of ctl: ruleEngin; did you mean ruleEngine?
            a.conf:8: there is no variable MATCHED_VARR; did you mean MATCHED_VAR?
            a.conf:9: there is no collection txx; did you mean TX?
            a.conf:10: severity:HIGH is not known: it takes 0 to 7, or EMERGENCY to DEBUG
            a.conf:11: phase:6 is not known: it takes 1 to 5, request, response or logging
            a.conf:12: id:0 is not known: it takes a number from 1 to 18446744073709551615
            a.conf:13: there is no persistent collection up
            a.conf:14: there is no directive SecFoo"#]],
    );
}

#[test]
fn what_others_have_and_we_do_not() {
    check(
        r#"
SecRuleScript /x.lua "id:1"
SecRule ARGS "@inspectFile /x" "id:2,pass"
SecRule ARGS "a" "id:3,exec:/x"
SecRule ARGS "a" "id:4,proxy:http://x"
SecRule ARGS "a" "id:5,append:'x'"
SecRule SCRIPT_UID "a" "id:6,pass"
SecRule XML:/a/b "a" "id:7,pass"
SecRule ARGS "!@rbl x.example" "id:8,pass"
SecRule ARGS "a" "id:9,pass,ctl:requestBodyLimit=1"
SecRule ARGS "@rx (?R)" "id:10,pass"
SecContentInjection On
<IfModule security2_module>
SecRemoteRules key https://x
"#,
        &expect![[r#"
            a.conf:2: SecRuleScript is not supported: programs are not run
            a.conf:3: @inspectFile is not supported: it runs a program for each request
            a.conf:4: exec is not supported: programs are not run
            a.conf:5: proxy is not supported: requests go where the configuration says
            a.conf:6: append is not supported: answers are not rewritten
            a.conf:7: there is no variable SCRIPT_UID here: there is no script behind a gateway
            a.conf:8: XML:/a/b: of XPath, only /* and //@* are supported
            a.conf:9: @rbl asks a service, which nobody does here, so that !@rbl would always hold
            a.conf:10: ctl:requestBodyLimit is not supported: a body's limit is known before rules run
            a.conf:11: the pattern cannot be used: groups like (?R) are not supported
            a.conf:12: SecContentInjection can only be Off: answers are not rewritten
            a.conf:13: <IfModule…: sections are Apache's; only what is in them can be read
            a.conf:14: SecRemoteRules is not supported: rules are read from files alone"#]],
    );
}

#[test]
fn malformed_rules() {
    check(
        r#"
SecRule ARGS
SecRule ARGS "a
SecRule ARGS "a" "id:1,msg:'x"
SecRule "" "a" "id:2,pass"
SecRule !ARGS "a" "id:3,pass"
SecRule ARGS|!&ARGS:a "a" "id:4,pass"
SecRule ARGS:/a "a" "id:5,pass"
SecRule REQUEST_METHOD:a "a" "id:6,pass"
SecRule ARGS: "a" "id:7,pass"
SecRule ARGS "@rx (a" "id:8,pass"
SecRule ARGS "a" "pass"
SecRule ARGS "a" "id:9,deny:403"
SecRule ARGS "a" "id:10,pass,skipAfter"
SecRule ARGS "@pmFromFile x.data" "id:11,pass"
SecRule ARGS "@eq 1" "id:12,pass,setvar:tx=1"
SecRule ARGS "@verifyCC %{tx.a}" "id:13,pass"
"#,
        &expect![[r#"
            a.conf:2: SecRule takes targets, an operator and actions, each in quotes when it holds blanks
            a.conf:3: a quotation that begins here has no end
            a.conf:4: the quotation behind msg: has no end
            a.conf:5: a variable is missing
            a.conf:6: the rule only says what it does not look at
            a.conf:7: !&ARGS:a: a count cannot be excluded
            a.conf:8: ARGS:/a: what begins with / has no end
            a.conf:9: REQUEST_METHOD is one value and has no parts to select
            a.conf:10: ARGS: there is no name behind the colon
            a.conf:11: the pattern cannot be used: a group is not closed
            a.conf:12: the rule has no id
            a.conf:13: deny takes no value
            a.conf:14: skipafter needs a value
            a.conf:15: file x.data: there is no such file
            a.conf:16: setvar:tx: it takes a collection and a name, as in tx.score
            a.conf:17: @verifyCC cannot take "%{tx.a}": its pattern cannot hold macros"#]],
    );
}

#[test]
fn chains_and_ids() {
    check(
        r#"
SecRule ARGS "a" "id:1,deny,chain"
    SecRule ARGS "b" "id:2"
SecRule ARGS "a" "id:3,deny,chain"
    SecRule ARGS "b" "deny"
SecRule ARGS "a" "id:4,deny,chain"
SecMarker X
SecAction "id:5,pass"
SecAction "id:5,pass"
SecRule ARG "a" "id:6,deny,chain"
    SecRule ARGS "b" "t:trim"
SecRule ARGS "a" "id:7,deny,chain"
"#,
        &expect![[r#"
            a.conf:3: id belongs to the first rule of a chain
            a.conf:5: a disruptive action belongs to the first rule of a chain
            a.conf:6: the chain of rule 4 has no end: its last rule says chain
            a.conf:9: the id 5 is taken by the rule at a.conf:8
            a.conf:10: there is no variable ARG; did you mean ARGS?
            a.conf:12: the chain of rule 7 has no end: its last rule says chain"#]],
    );
}

#[test]
fn directives_with_wrong_values() {
    check(
        r#"
SecRuleEngine Maybe
SecRequestBodyLimit -1
SecRequestBodyLimitAction Drop
SecArgumentSeparator ab
SecDefaultAction "log,pass"
SecDefaultAction "phase:2,log"
SecDefaultAction "phase:2,deny,id:1"
SecMarker
SecRuleRemoveById x
SecRuleRemoveById
SecRuleUpdateTargetById 1
SecRuleUpdateActionById 1 "id:2"
Include none/*.conf
SecWebAppId
"#,
        &expect![[r#"
            a.conf:2: the rule engine:Maybe is not known: it takes On, Off or DetectionOnly
            a.conf:3: SecRequestBodyLimit:-1 is not known: it takes a number that is not negative
            a.conf:4: SecRequestBodyLimitAction:Drop is not known: it takes ProcessPartial or Reject
            a.conf:5: SecArgumentSeparator:ab is not known: it takes one character
            a.conf:6: SecDefaultAction needs a phase
            a.conf:7: SecDefaultAction needs to say pass, deny, drop, redirect or allow
            a.conf:8: SecDefaultAction cannot say id
            a.conf:9: SecMarker takes one name
            a.conf:10: x is neither the number of a rule nor a range
            a.conf:11: it takes what the rules to remove are called
            a.conf:12: it takes what the rules are called, and targets
            a.conf:13: id, phase and chain of a rule cannot be changed
            a.conf:14: there is no file none/*.conf
            a.conf:15: SecWebAppId takes one value"#]],
    );
}

#[test]
fn a_file_that_includes_itself() {
    check("Include a.conf", &expect!["a.conf:1: files include each other more than 16 deep"]);
}

#[test]
fn a_file_that_is_not_there() {
    let error = crate::rule_set::RuleSet::load(&["x.conf"], &super::Texts::default());
    expect!["x.conf:0: x.conf: there is no such file"]
        .assert_eq(&error.expect_err("no such file").to_string());
}

#[test]
fn more_problems_than_are_told() {
    let text = "SecFoo\n".repeat(25);
    let error = load(&[("a.conf", &text)]).expect_err("something is wrong");
    assert_eq!((error.problems.len(), error.omitted), (20, 5));
    assert!(error.to_string().ends_with("\nand 5 more"), "{error}");
}
