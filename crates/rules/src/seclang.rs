//! SecLang: from the text of rule files to a [`RuleSet`].
//!
//! What ModSecurity 2 and 3 and Coraza understand, where the Core Rule Set and their recommended
//! configurations use it. Where they differ, the file that decides says how and why. Nothing is
//! passed over: what is not understood is a [`Problem`] and the set is not loaded; what is
//! understood but has no effect here is a note of the set.
//!
//! A [`Loader`] reads [`lexer`]'s directives and hands each to its file; targets, operators and
//! actions are small languages of their own. No file is opened here: [`Files`] gives them.

mod action;
mod context;
mod control;
mod defaults;
mod effect;
mod error;
mod files;
mod filter;
mod lexer;
mod loader;
mod macros;
mod operator;
mod rule;
mod setting;
mod spec;
mod suggest;
mod target;
mod update;

use loader::Loader;

pub use error::{LoadError, Problem, Reason};
pub use files::{Files, Texts};

use crate::{rule::Source, rule_set::RuleSet};

impl RuleSet {
    /// Reads rule files, one after the other, and what they include.
    ///
    /// # Errors
    /// When anything in them is not understood: all that is wrong with them, up to a bound.
    pub fn load(paths: &[&str], files: &dyn Files) -> Result<Self, LoadError> {
        let mut loader = Loader::new(files);
        for path in paths {
            if let Err(reason) = loader.file(path, 0) {
                loader.problem_at(Source { file: (*path).into(), line: 0 }, reason);
            }
        }
        loader.finish()
    }
}

#[cfg(test)]
mod tests;
