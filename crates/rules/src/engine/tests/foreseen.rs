//! What is certain before there is an exchange, and what only looks so.

use super::{Engine, get, loaded, sent};
use crate::{rule::Phase, rule_set::Step};

/// Rules, which of them never run, and what asks them otherwise.
const ROWS: &[(&str, &[u64], &[&str])] = &[
    // What the settings say is done once, and what they leave out never runs.
    (
        r#"
        SecAction "id:1,phase:1,nolog,pass,setvar:tx.level=1"
        SecRule &TX:level "@eq 0" "id:2,phase:1,nolog,pass,setvar:tx.level=4"
        SecRule &TX:score "@eq 0" "id:3,phase:1,nolog,pass,setvar:'tx.score=%{tx.level}'"
        SecRule TX:level "@lt 2" "id:4,phase:2,nolog,pass,skipAfter:END"
        SecRule ARGS "@rx x" "id:5,phase:2,log,pass"
        SecMarker END
        SecRule ARGS "@rx x" "id:6,phase:2,log,pass,logdata:'%{tx.level} %{tx.score}'"
        "#,
        &[1, 2, 3, 4, 5],
        &["/", "/?a=x"],
    ),
    // A rule before it reads what it writes.
    (
        r#"
        SecRule ARGS "@rx x" "id:1,phase:1,log,pass,logdata:'%{tx.a}'"
        SecAction "id:2,phase:1,nolog,pass,setvar:tx.a=1"
        SecAction "id:3,phase:1,nolog,pass,setvar:tx.b=1"
        "#,
        &[3],
        &["/", "/?a=x"],
    ),
    // A rule before it may end the phase, or jump over it, or take it away.
    (
        r#"
        SecRule ARGS:a "@rx x" "id:1,phase:1,log,deny"
        SecAction "id:2,phase:1,nolog,pass,setvar:tx.a=1"
        SecAction "id:3,phase:5,log,pass,logdata:'%{tx.a}'"
        "#,
        &[],
        &["/", "/?a=x"],
    ),
    (
        r#"
        SecRule ARGS:a "@rx x" "id:1,phase:1,nolog,pass,skipAfter:END"
        SecAction "id:2,phase:1,nolog,pass,setvar:tx.a=1"
        SecMarker END
        SecRule TX:a "@eq 1" "id:3,phase:2,log,pass"
        "#,
        &[],
        &["/", "/?a=x"],
    ),
    (
        r#"
        SecRule ARGS:a "@rx x" "id:1,phase:1,nolog,pass,ctl:ruleRemoveById=2"
        SecAction "id:2,phase:1,nolog,pass,setvar:tx.a=1"
        SecRule TX:a "@eq 1" "id:3,phase:2,log,pass"
        "#,
        &[],
        &["/", "/?a=x"],
    ),
    // A jump that is certain, into whose range another one lands.
    (
        r#"
        SecRule ARGS:a "@rx x" "id:1,phase:2,nolog,pass,skipAfter:MIDDLE"
        SecAction "id:2,phase:2,nolog,pass,skipAfter:END"
        SecAction "id:3,phase:2,log,pass"
        SecMarker MIDDLE
        SecAction "id:4,phase:2,log,pass"
        SecMarker END
        SecAction "id:5,phase:2,log,pass"
        "#,
        &[3],
        &["/", "/?a=x"],
    ),
    // Taken away alone, a jump jumps over nothing; together with all that it jumps over, it may.
    (
        r#"
        SecRule ARGS:a "@rx x" "id:1,phase:1,nolog,pass,ctl:ruleRemoveById=2"
        SecRule ARGS:a "@rx y" "id:9,phase:1,nolog,pass,ctl:ruleRemoveById=4-5"
        SecAction "id:2,phase:2,nolog,pass,skipAfter:END"
        SecAction "id:3,phase:2,log,pass"
        SecMarker END
        SecAction "id:4,phase:2,nolog,pass,skipAfter:LAST"
        SecAction "id:5,phase:2,log,pass"
        SecMarker LAST
        "#,
        &[4, 5],
        &["/", "/?a=x", "/?a=y"],
    ),
    // What is written later is not certain, however it is written.
    (
        r#"
        SecAction "id:1,phase:1,nolog,pass,setvar:tx.a_1=1,setvar:tx.0=1,setvar:tx.b=1"
        SecRule ARGS:a "@rx x" "id:2,phase:2,nolog,pass,capture,setvar:'tx.a_%{MATCHED_VAR}=0'"
        SecRule ARGS:a "@rx 1" "id:3,phase:2,nolog,pass,setvar:'tx.a_%{MATCHED_VAR}=0'"
        SecRule TX:a_1 "@eq 1" "id:4,phase:2,nolog,pass,skipAfter:END"
        SecAction "id:5,phase:2,log,pass"
        SecMarker END
        SecRule TX:0 "@eq 1" "id:6,phase:2,nolog,pass,skipAfter:LAST"
        SecAction "id:7,phase:2,log,pass"
        SecMarker LAST
        SecRule TX:b "@eq 1" "id:8,phase:2,nolog,pass,skipAfter:NEVER"
        "#,
        &[1, 8],
        &["/", "/?a=x", "/?a=1"],
    ),
    // What a rule takes away for certain never runs, but what stood before it does.
    (
        r#"
        SecAction "id:1,phase:1,log,pass"
        SecAction "id:2,phase:1,nolog,pass,ctl:ruleRemoveById=3"
        SecAction "id:3,phase:1,log,pass"
        SecAction "id:4,phase:1,nolog,pass,ctl:ruleRemoveById=1"
        SecAction "id:5,phase:2,log,pass"
        "#,
        &[2, 3],
        &["/"],
    ),
    // An argument whose macros are certain is one without macros.
    (
        r#"
        SecAction "id:1,phase:1,nolog,pass,setvar:'tx.methods=GET HEAD',setvar:tx.rx=^x"
        SecRule REQUEST_METHOD "!@within %{tx.methods}" "id:2,phase:1,log,pass"
        SecRule ARGS:a "@rx %{tx.rx}$" "id:3,phase:2,log,pass,logdata:'%{MATCHED_VAR}'"
        SecRule ARGS:a "@beginsWith %{tx.none}" "id:4,phase:2,log,pass"
        "#,
        &[1],
        &["/", "/?a=x", "/?a=xx"],
    ),
];

#[test]
fn what_is_certain_never_runs_and_all_is_as_if_it_had() {
    for (rules, idle, targets) in ROWS {
        let set = loaded(rules);
        let (foreseeing, plain) = (Engine::new(set.clone()), Engine::plain(set));
        assert_eq!(never_run(&foreseeing), *idle, "{rules}");
        assert_eq!(never_run(&plain), [0; 0]);
        for target in *targets {
            let seen = |engine: &Engine| {
                let mut transaction = sent(engine, &get(target), "");
                let hits = transaction.hits();
                let hits = hits.map(|hit| (hit.rule.id, hit.data().map(<[u8]>::to_vec)));
                let hits: Vec<_> = hits.collect();
                (hits, transaction.tx_variables(), transaction.interruption().cloned())
            };
            assert_eq!(seen(&foreseeing), seen(&plain), "{target} {rules}");
        }
    }
}

fn never_run(engine: &Engine) -> Vec<u64> {
    let phases = [Phase::RequestHeaders, Phase::RequestBody, Phase::Logging];
    let idle = phases.into_iter().flat_map(|phase| {
        let steps = engine.rules().steps(phase).iter().enumerate();
        steps.filter_map(move |(at, step)| match step {
            Step::Rule(rule) if engine.program.foreseen.idle(phase as usize).contains(at) => {
                Some(rule.id)
            }
            _ => None,
        })
    });
    let mut idle: Vec<u64> = idle.collect();
    idle.sort_unstable();
    idle
}
