//! A suspicious set, and one that is as it should be.

use expect_test::{Expect, expect};

use super::lint;
use crate::{rule_set::RuleSet, seclang::Texts};

fn check(text: &str, expected: &Expect) {
    let files: Texts = [("a.conf", text)].into_iter().collect();
    let set = RuleSet::load(&["a.conf"], &files).unwrap_or_else(|error| panic!("{error}"));
    let warnings: Vec<String> = lint(&set).iter().map(ToString::to_string).collect();
    expected.assert_eq(&warnings.join("\n"));
}

#[test]
fn what_is_suspicious_is_told() {
    check(
        r#"
SecMarker EARLY
SecMarker UNUSED
SecRule ARGS "@eq 1" "id:1,pass,skipAfter:EARLY"
SecRule ARGS "@eq 1" "id:2,pass,skipAfter:NOWHERE"
SecAction "id:3,pass,skipAfter:LATE"
SecRule ARGS "x" "id:4,deny"
SecMarker LATE
SecRule ARGS "x" "id:5,deny,multiMatch"
SecAction "id:6,pass,skip:1"
SecRule ARGS "@noMatch" "id:7,deny"
SecRule TX:unset|ARGS|!FILES:a "@ge %{tx.unknown}" "id:8,pass,setvar:tx.a=%{tx.unset}"
SecRule ARGS "@contains SELECT" "id:9,deny,t:lowercase"
SecRule ARGS "a(?!b)" "id:10,deny"
SecRule ARGS "(?:[a-z]{1,100}[0-9]{1,100}){1,100}" "id:11,deny"
SecRule REMOTE_ADDR "@geoLookup" "id:12,pass"
SecAction "id:13,deny"
SecRule ARGS "x" "id:14,deny"
SecAction "id:15,phase:5,deny"
"#,
        &expect![[r#"
            a.conf:4: rule 1 goes to the marker EARLY, which does not stand behind it, and so to the end of its phase
            a.conf:5: rule 2 goes to the marker NOWHERE, which does not stand behind it, and so to the end of its phase
            a.conf:7: rule 4 never runs: rule 3 before it always goes past it
            a.conf:11: rule 7 never runs: rule 6 before it always goes past it
            a.conf:18: rule 14 never runs: rule 13 before it always goes past it
            a.conf:19: rule 15 refuses in phase 5, when all is done
            a.conf:9: rule 5 says multiMatch, but transforms nothing
            a.conf:11: rule 7 can never match
            a.conf:12: rule 8 does not look at FILES, of which it leaves a part out
            a.conf:13: rule 9 compares capitals with what it has made small letters
            a.conf:14: rule 10 has a pattern that looks around, which takes ten times as long
            a.conf:15: rule 11 has a pattern with 39904 states, which takes long
            a.conf:16: rule 12 asks @geoLookup, which never holds here
            a.conf:12: rule 8 reads TX.unset, which no rule writes
            a.conf:12: rule 8 reads TX.unknown, which no rule writes
            no rule goes to the marker UNUSED"#]],
    );
}

#[test]
fn what_is_as_it_should_be_is_not() {
    check(
        r#"
SecAction "id:1,phase:1,pass,nolog,setvar:tx.level=1,setvar:tx.count_%{matched_var_name}=1"
SecRule TX:level "@lt 2" "id:2,phase:2,pass,nolog,skipAfter:END"
SecRule &TX:configured "@eq 0" "id:3,phase:2,pass"
SecRule ARGS|!ARGS:a "@rx (a)" "id:4,phase:2,deny,capture,t:lowercase,multiMatch,logdata:'%{tx.1} %{tx.count_a}'"
SecMarker END
SecAction "id:5,phase:5,pass"
"#,
        &expect![[""]],
    );
}
