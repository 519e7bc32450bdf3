//! The built-in rules, as the gateway has them, for a town in which somebody sends attacks.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use rules::builtin::FILES;
use rules::engine::Engine;
use rules::operator::DataFileError;
use rules::rule_set::RuleSet;
use rules::seclang::Files;
use shield::Rulebook;
use shield::policy::Blocking;

/// More than any request here takes: what rules find must not depend on the machine's pace.
const CPU_BUDGET: Duration = Duration::from_secs(1);

/// The files of the built-in set, by name.
struct Builtin;

impl Files for Builtin {
    fn read(&self, path: &str) -> Result<Vec<u8>, DataFileError> {
        let found = FILES.iter().find(|(name, _)| *name == path);
        let text = found.map(|(_, text)| text.as_bytes().to_vec());
        text.ok_or_else(|| DataFileError(format!("there is no file {path}")))
    }

    fn expand(&self, pattern: &str) -> Result<Vec<String>, DataFileError> {
        Ok(vec![pattern.to_owned()])
    }
}

/// The built-in rules. They are compiled once, for all seeds.
pub(super) fn rulebook() -> anyhow::Result<Arc<Rulebook>> {
    static COMPILED: OnceLock<Arc<Rulebook>> = OnceLock::new();
    if let Some(rulebook) = COMPILED.get() {
        return Ok(Arc::clone(rulebook));
    }
    let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    let set = RuleSet::load(&names, &Builtin)
        .map_err(|error| anyhow::anyhow!("{error}"))
        .context("the built-in rules")?;
    let rulebook = Rulebook::new(Engine::new(set), Blocking::Evidence, None, CPU_BUDGET);
    Ok(Arc::clone(COMPILED.get_or_init(|| Arc::new(rulebook))))
}
