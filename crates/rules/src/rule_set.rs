//! Rules in the order in which they run, and the settings that stand between them.
//!
//! Immutable once loaded: an exchange holds on to the set that it began with, and a reload swaps
//! in another.

use crate::{
    action::{Audit, EngineMode},
    body::json::ArrayNames,
    rule::{Phase, Rule, Source},
};

/// A loaded set of rules.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// What directives other than rules say.
    pub settings: Settings,
    /// The rules of each phase, in file order, phase 1 first.
    pub phases: [Vec<Step>; 5],
    /// The names of `TX` that rules name outright.
    pub tx_names: TxNames,
    /// What was understood and has no effect here, for people to read.
    pub notes: Vec<Note>,
}

/// One step of a phase.
#[derive(Clone, Debug)]
pub enum Step {
    /// A rule to evaluate.
    Rule(Box<Rule>),
    /// A place to which `skipAfter` jumps (`SecMarker`). It stands in every phase.
    Marker(Box<str>),
}

/// Something that was read and has no effect, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// Where it stands.
    pub source: Source,
    /// What, and why, in a sentence.
    pub text: String,
}

/// What directives say besides rules.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `SecRuleEngine`.
    pub engine: EngineMode,
    /// `SecRequestBodyAccess`.
    pub request_body_access: bool,
    /// `SecRequestBodyLimit`, in bytes.
    pub request_body_bytes_max: usize,
    /// `SecRequestBodyNoFilesLimit`, in bytes.
    pub request_body_no_files_bytes_max: usize,
    /// `SecRequestBodyLimitAction`.
    pub request_body_over_limit: OverLimit,
    /// `SecRequestBodyJsonDepthLimit`.
    pub json_depth_max: usize,
    /// How array elements are named; a setting of ours, there is no directive for it.
    pub json_array_names: ArrayNames,
    /// `SecArgumentsLimit`.
    pub arguments_max: usize,
    /// `SecUploadFileLimit`.
    pub files_max: usize,
    /// `SecArgumentSeparator`.
    pub argument_separator: u8,
    /// `SecResponseBodyAccess`.
    pub response_body_access: bool,
    /// `SecResponseBodyLimit`, in bytes.
    pub response_body_bytes_max: usize,
    /// `SecResponseBodyLimitAction`.
    pub response_body_over_limit: OverLimit,
    /// `SecResponseBodyMimeType`, in small letters, without parameters.
    pub response_media_types: Vec<Box<str>>,
    /// `SecAuditEngine`.
    pub audit: Audit,
    /// `SecCollectionTimeout`, in seconds.
    pub collection_timeout_s: u32,
    /// `SecComponentSignature`, in file order.
    pub signatures: Vec<Box<str>>,
    /// `SecWebAppId`.
    pub web_app_id: Option<Box<str>>,
}

/// What becomes of a body that is longer than its limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OverLimit {
    /// It is inspected up to the limit.
    ProcessPartial,
    /// The exchange is refused.
    Reject,
}

impl Default for Settings {
    /// The defaults of Coraza, which loads nothing else first.
    fn default() -> Self {
        Self {
            engine: EngineMode::On,
            request_body_access: true,
            request_body_bytes_max: 134_217_728,
            request_body_no_files_bytes_max: 1_048_576,
            request_body_over_limit: OverLimit::Reject,
            json_depth_max: 512,
            json_array_names: ArrayNames::default(),
            arguments_max: 1_000,
            files_max: 100,
            argument_separator: b'&',
            response_body_access: false,
            response_body_bytes_max: 524_288,
            response_body_over_limit: OverLimit::Reject,
            response_media_types: ["text/html", "text/plain"].map(Into::into).into(),
            audit: Audit::RelevantOnly,
            collection_timeout_s: 3_600,
            signatures: Vec::new(),
            web_app_id: None,
        }
    }
}

/// The names of `TX` that rules name outright, each with a place of its own, so that most reads and
/// writes of `TX` need no search. Names that macros make are not here.
#[derive(Clone, Debug, Default)]
pub struct TxNames {
    names: Vec<Box<[u8]>>,
}

impl TxNames {
    /// The place of the name, which is in small ASCII letters; a new one when there is none yet.
    /// Nothing when there are 65,536 already: such a name is searched for by each request.
    pub fn intern(&mut self, name: &[u8]) -> Option<u16> {
        if let Some(slot) = self.slot(name) {
            return Some(slot);
        }
        let slot = u16::try_from(self.names.len()).ok()?;
        self.names.push(name.into());
        Some(slot)
    }

    /// The place of the name, which is in small ASCII letters.
    #[must_use]
    pub fn slot(&self, name: &[u8]) -> Option<u16> {
        let place = self.names.iter().position(|known| **known == *name)?;
        u16::try_from(place).ok()
    }

    /// The name at a place.
    #[must_use]
    pub fn name(&self, slot: u16) -> Option<&[u8]> {
        self.names.get(usize::from(slot)).map(AsRef::as_ref)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.names.len()
    }

    /// Are there none?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl RuleSet {
    /// The steps of a phase, in order.
    #[must_use]
    pub fn steps(&self, phase: Phase) -> &[Step] {
        self.phases.get(phase as usize).map_or(&[], Vec::as_slice)
    }

    /// Every rule, phase by phase, in file order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.phases.iter().flatten().filter_map(|step| match step {
            Step::Rule(rule) => Some(&**rule),
            Step::Marker(_) => None,
        })
    }
}
