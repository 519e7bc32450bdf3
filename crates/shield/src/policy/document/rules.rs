//! `[rules]` and `[debug]`: which rules for known attacks there are, and what they tell.

use std::path::PathBuf;
use std::time::Duration;

use crate::policy::document::{file_path, shape};
use crate::policy::reader::{Given, Reader, Section};
use crate::policy::{Blocking, Preset};

/// A request is never worth more: an attacker would send such.
const BUDGET_MAX: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(in crate::policy) struct SaidRules {
    pub(in crate::policy) crs: Option<Given<PathBuf>>,
    pub(in crate::policy) setup: Option<Given<PathBuf>>,
    pub(in crate::policy) preset: Option<Given<Preset>>,
    pub(in crate::policy) builtin: Option<Given<bool>>,
    pub(in crate::policy) blocking: Option<Given<Blocking>>,
    pub(in crate::policy) paranoia: Option<Given<u32>>,
    pub(in crate::policy) threshold: Option<Given<u32>>,
    pub(in crate::policy) cpu_budget: Option<Given<Duration>>,
}

#[derive(Debug, Default)]
pub(in crate::policy) struct SaidDebug {
    pub(in crate::policy) rule_header: Option<Given<bool>>,
}

impl SaidRules {
    pub(super) fn read<'t>(mut keys: Section<'t>, reader: &mut Reader<'t>) -> Self {
        let example = "\"/etc/palisade/coreruleset\"";
        let said = Self {
            crs: keys.take("crs").and_then(|e| e.text(reader, example, file_path)),
            setup: keys
                .take("setup")
                .and_then(|e| e.text(reader, "\"/etc/palisade/crs-setup.conf\"", file_path)),
            preset: keys.take("preset").and_then(|e| e.word(reader, &shape::PRESET)),
            builtin: keys.take("builtin").and_then(|e| e.truth(reader)),
            blocking: keys.take("blocking").and_then(|e| e.word(reader, &shape::BLOCKING)),
            paranoia: keys.take("paranoia").and_then(|e| e.integer(reader, 1..=4)),
            threshold: keys.take("threshold").and_then(|e| e.integer(reader, 1..=10_000)),
            cpu_budget: keys
                .take("cpu_budget")
                .and_then(|e| e.duration(reader, Duration::from_millis(1)..=BUDGET_MAX)),
        };
        reader.finish(keys);
        said
    }
}

impl SaidDebug {
    pub(super) fn read<'t>(mut keys: Section<'t>, reader: &mut Reader<'t>) -> Self {
        let said = Self { rule_header: keys.take("rule_header").and_then(|e| e.truth(reader)) };
        reader.finish(keys);
        said
    }
}
