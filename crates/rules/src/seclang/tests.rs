//! From text to rules, and to what is wrong with it.

mod errors;
mod hostile;
mod rules;
mod sets;
mod show;

use super::*;

/// The set that these texts make, the first of them loaded.
fn load(texts: &[(&str, &str)]) -> Result<RuleSet, LoadError> {
    let files: Texts = texts.iter().map(|(path, text)| (*path, *text)).collect();
    RuleSet::load(&[texts[0].0], &files)
}

/// The set of one text.
fn set(text: &str) -> RuleSet {
    load(&[("a.conf", text)]).unwrap_or_else(|error| panic!("{error}"))
}
