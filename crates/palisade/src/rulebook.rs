//! Rule files to rules in force: which files there are, in which order they are read, and what the
//! policy says to them.
//!
//! The order is that of the Core Rule Set's own instructions: what an engine must know, the set's
//! setup, what the policy says beside it, the set, and last the built-in rules. Nothing but the
//! policy's own keys sets a variable of the Core Rule Set.
//!
//! Compiling takes a few hundred milliseconds, so that what was loaded is kept until a key or a
//! file changes.

mod compiler;
mod disk;
mod layout;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rules::engine::{Collections, Engine};
use rules::rule::Rule;
use rules::rule_set::RuleSet;
use rules::seclang::Files as _;
use shield::Rulebook;
use shield::policy::{Policy, Preset, Rules};

use compiler::Compiler;
use disk::Disk;
use layout::CoreRuleSet;

/// What an engine must know before the first rule.
const BASE: &str = include_str!("rulebook/base.conf");
/// What programs do and browsers do not, for the Core Rule Set: before its rules.
const PRESET_API: &str = include_str!("rulebook/preset-api.conf");

/// Rules that were loaded, for as long as nothing that they were loaded from changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf(Arc<Mutex<Shelved>>);

#[derive(Debug, Default)]
struct Shelved {
    kept: Option<Kept>,
    /// The files that were read last, whether or not anything came of it.
    watched: Stamps,
    compiler: Compiler,
}

#[derive(Debug)]
struct Kept {
    key: String,
    files: Stamps,
    rulebook: Arc<Rulebook>,
}

/// Files, and what they looked like when they were read.
pub(crate) type Stamps = Vec<(String, Option<(SystemTime, u64)>)>;

impl Shelf {
    /// The rules that `policy` names; nothing when it names none.
    ///
    /// # Errors
    /// Everything that is wrong with the files, with file and line.
    pub(crate) fn load(&self, policy: &Policy) -> Result<Option<Arc<Rulebook>>, Vec<String>> {
        let rules = &policy.rules;
        if rules.crs.value.is_none() && !rules.builtin.value {
            return Ok(None);
        }
        let key = format!("{rules:?}");
        let mut shelved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = shelved.kept.as_ref().filter(|kept| kept.key == key)
            && disk::are_as_they_were(&kept.files)
        {
            return Ok(Some(Arc::clone(&kept.rulebook)));
        }
        let collections = shelved.kept.as_ref().map(|kept| kept.rulebook.engine().collections());
        let rules = rules.clone();
        let (compiled, files) = shelved.compiler.run(move || {
            let disk = Disk::default();
            let compiled = compile(&rules, disk.clone(), collections);
            // Also of rules that are refused: whoever mends them changes a file that was read.
            (compiled, disk.stamps())
        });
        shelved.watched.clone_from(&files);
        let rulebook = Arc::new(compiled?);
        shelved.kept = Some(Kept { key, files, rulebook: Arc::clone(&rulebook) });
        Ok(Some(rulebook))
    }

    /// What the files look like now that the rules were read from.
    pub(crate) fn stamps(&self) -> Stamps {
        disk::stamps(&self.stamps_when_read())
    }

    /// What they looked like when they were read.
    pub(crate) fn stamps_when_read(&self) -> Stamps {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).watched.clone()
    }
}

fn compile(
    rules: &Rules,
    disk: Disk,
    collections: Option<Arc<Collections>>,
) -> Result<Rulebook, Vec<String>> {
    let set = read_from(rules, disk)?.set;
    let engine = match collections {
        Some(collections) => Engine::with_collections(set, collections),
        None => Engine::new(set),
    };
    let (blocking, budget) = (rules.blocking.value, rules.cpu_budget.value);
    Ok(Rulebook::new(engine, blocking, rules.threshold.value, budget))
}

/// A set as it was read.
pub(crate) struct Read {
    pub(crate) set: RuleSet,
    disk: Disk,
}

impl Read {
    /// The text of a rule: from where it begins to the next empty line, or the next rule.
    pub(crate) fn text_of(&self, rule: &Rule) -> String {
        let text = self.disk.read(&rule.source.file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let line = usize::try_from(rule.source.line).unwrap_or(1).max(1);
        let mut lines = text.lines().skip(line - 1);
        let mut shown: Vec<&str> = lines.next().into_iter().collect();
        let ends = |line: &&str| !line.trim().is_empty() && !line.starts_with("SecRule ");
        shown.extend(lines.take_while(ends).filter(|line| !line.starts_with('#')));
        shown.join("\n")
    }
}

/// Reads the rules that `policy` names.
pub(crate) fn read(policy: &Policy) -> Result<Read, Vec<String>> {
    read_from(&policy.rules, Disk::default())
}

/// Reads them, and notes in `disk` which files there were to read.
fn read_from(rules: &Rules, mut disk: Disk) -> Result<Read, Vec<String>> {
    let crs = match &rules.crs.value {
        Some(folder) => Some(CoreRuleSet::find(folder, rules.setup.value.as_deref())?),
        None => None,
    };
    disk.hold("palisade", entry(rules, crs.as_ref()));
    if rules.builtin.value {
        for (name, text) in rules::builtin::FILES {
            disk.hold(&format!("builtin/{name}"), (*text).to_owned());
        }
    }
    let set = RuleSet::load(&["palisade"], &disk)
        .map_err(|error| error.to_string().lines().map(str::to_owned).collect::<Vec<_>>())?;
    Ok(Read { set, disk })
}

/// The text that everything is read from.
fn entry(rules: &Rules, crs: Option<&CoreRuleSet>) -> String {
    let mut text = BASE.to_owned();
    if let Some(crs) = crs {
        include(&mut text, &crs.setup);
        if rules.preset.value == Preset::Api {
            text.push_str(PRESET_API);
        }
        if let Some(level) = rules.paranoia.value {
            set(
                &mut text,
                9_599_901,
                &[
                    // The names of 4.x, and that of 3.x.
                    ("blocking_paranoia_level", u32::from(level)),
                    ("detection_paranoia_level", u32::from(level)),
                    ("paranoia_level", u32::from(level)),
                ],
            );
        }
        if let Some(score) = rules.threshold.value {
            set(&mut text, 9_599_902, &[("inbound_anomaly_score_threshold", score)]);
        }
        include(&mut text, &crs.rules);
    }
    if rules.builtin.value {
        for (name, _) in rules::builtin::FILES {
            include(&mut text, Path::new(&format!("builtin/{name}")));
        }
    }
    text
}

fn include(text: &mut String, path: &Path) {
    text.push_str(&format!("Include \"{}\"\n", path.display()));
}

fn set(text: &mut String, id: u64, variables: &[(&str, u32)]) {
    text.push_str(&format!("SecAction \"id:{id},phase:1,pass,t:none,nolog"));
    for (name, value) in variables {
        text.push_str(&format!(",setvar:'tx.{name}={value}'"));
    }
    text.push_str("\"\n");
}
