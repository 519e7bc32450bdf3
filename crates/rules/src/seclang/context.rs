//! What the parts of a loader share: the names and patterns of the set, and what is to be told.

use std::collections::HashMap;

use crate::{
    pattern::Pattern,
    rule::Source,
    rule_set::{Note, TxNames},
    variable::Variable,
};

use super::{error::Reason, files::Files};

/// More notes than this say nothing more.
const NOTES_MAX: usize = 10_000;

/// What the directive that is read may use.
pub(super) struct Context<'f> {
    pub(super) files: &'f dyn Files,
    /// Where the directive stands.
    pub(super) source: Source,
    pub(super) tx_names: TxNames,
    pub(super) notes: Vec<Note>,
    /// Each pattern that was compiled: rule sets repeat them, and compiling is most of the load.
    patterns: HashMap<Vec<u8>, Pattern>,
}

impl<'f> Context<'f> {
    pub(super) fn new(files: &'f dyn Files) -> Self {
        let mut tx_names = TxNames::default();
        // What operators capture is in TX.0 to TX.9: their places are their numbers.
        for digit in b'0'..=b'9' {
            let _ = tx_names.intern(&[digit]);
        }
        let source = Source { file: "".into(), line: 0 };
        Self { files, source, tx_names, notes: Vec::new(), patterns: HashMap::new() }
    }

    /// Says that what stands here was understood, and why it has no effect.
    pub(super) fn note(&mut self, text: impl Into<String>) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push(Note { source: self.source.clone(), text: text.into() });
        }
    }

    pub(super) fn pattern(&mut self, text: &[u8]) -> Result<Pattern, Reason> {
        if let Some(known) = self.patterns.get(text) {
            return Ok(known.clone());
        }
        let pattern = Pattern::parse(text).map_err(|error| Reason::new(error.to_string()))?;
        self.patterns.insert(text.to_vec(), pattern.clone());
        Ok(pattern)
    }

    /// A name within a collection as it is kept, and for `TX` its place.
    pub(super) fn key(&mut self, variable: Variable, name: &[u8]) -> (Box<[u8]>, Option<u16>) {
        let key = variable.key(name);
        let slot = if variable == Variable::Tx { self.tx_names.intern(&key) } else { None };
        (key, slot)
    }
}
