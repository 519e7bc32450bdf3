//! Everything that an exchange under rules leaves behind, as lines to be compared.
//!
//! A rule set is first made to tell of every rule, whether its author wants that or not, and to
//! show with each what its captures were at that moment: what a rule found is seen even where a
//! later one overwrites it.

use rules::{
    engine::{Hit, Transaction},
    rule_set::{RuleSet, Step},
    template::{Macro, Piece, Template},
    variable::Variable,
};

/// The same rules, each of which tells that it held, and of `TX.0` to `TX.9` when it did.
pub(crate) fn telling(mut set: RuleSet) -> RuleSet {
    let first = macros(&[(Variable::Tx, Some("0"))]);
    let groups = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let mut rest = vec![(Variable::MatchedVarName, None)];
    rest.extend(groups.map(|group| (Variable::Tx, Some(group))));
    let rest = macros(&rest);
    for step in set.phases.iter_mut().flatten() {
        let Step::Rule(rule) = step else { continue };
        rule.about.is_logged = true;
        if let Some(head) = rule.links.first_mut() {
            head.message = Some(first.clone());
            head.log_data = Some(rest.clone());
        }
    }
    set
}

fn macros(of: &[(Variable, Option<&str>)]) -> Template {
    let mut pieces = Vec::new();
    for (variable, key) in of {
        let key = key.map(|key| key.as_bytes().into());
        pieces.push(Piece::Macro(Macro { variable: *variable, key, slot: None }));
        pieces.push(Piece::Text(b" | ".as_slice().into()));
    }
    Template { pieces }
}

/// The hits with what they found, `TX` at the end, and the decision.
pub(crate) fn told(transaction: &mut Transaction) -> Vec<String> {
    let mut lines = Vec::new();
    for hit in transaction.hits() {
        lines.push(hit_line(&hit));
        for found in hit.matches() {
            let (name, value) = (found.name.escape_ascii(), found.value.escape_ascii());
            let count = if found.is_count { "&" } else { "" };
            let place = found.found.map_or_else(String::new, |at| format!(" at {at:?}"));
            lines.push(format!("    {count}{}:{name} = {value}{place}", found.variable.name()));
        }
    }
    // Groups that no rule looks at need not be there.
    let is_group = |name: &[u8]| matches!(name, [b'1'..=b'9']);
    for (name, value) in transaction.tx_variables().into_iter().filter(|it| !is_group(&it.0)) {
        lines.push(format!("tx.{} = {}", name.escape_ascii(), value.escape_ascii()));
    }
    lines.push(format!("refused: {:?}", transaction.interruption()));
    lines.push(format!("would be refused: {:?}", transaction.would_interrupt()));
    lines.push(format!("audited: {}", transaction.is_audited()));
    lines
}

fn hit_line(hit: &Hit<'_>) -> String {
    let tags: Vec<String> = hit.tags().map(|tag| tag.escape_ascii().to_string()).collect();
    format!(
        "{} held for {}: {} {} {tags:?}",
        hit.rule.id,
        hit.matched(),
        hit.message().unwrap_or_default().escape_ascii(),
        hit.data().unwrap_or_default().escape_ascii(),
    )
}

/// The first lines that differ, for people.
pub(crate) fn difference(sieved: &[String], plain: &[String]) -> String {
    let both = sieved.iter().zip(plain);
    let at = both.take_while(|(sieved, plain)| sieved == plain).count();
    let shown = |lines: &[String]| {
        let lines = lines.iter().skip(at).take(3).map(String::as_str);
        lines.collect::<Vec<_>>().join("\n          ")
    };
    format!("  sieved: {}\n  plain:  {}", shown(sieved), shown(plain))
}
