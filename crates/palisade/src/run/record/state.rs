//! What was known and stood when a recording began: written into its first line, and read back.
//!
//! It may be as large as all tables together, so neither the program that writes it nor the replay
//! that puts it back ever holds it in a second form: slices go from the engine to the file and from
//! the line to the engine.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use base64::Engine as _;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Serialize, Serializer};
use shield::{Engine, NotRestored};
use traffic::recording::HeaderLine;
use traffic::{Decision, Exception, Timestamp};

use crate::run::instance::now;

/// How decisions and exceptions are called among the parts.
const DECISIONS: &str = "decisions";
const EXCEPTIONS: &str = "exceptions";
/// And the last number that one of them was given: orders name them by number.
const LAST_NUMBER: &str = "last-number";

/// A state that is none.
#[derive(Debug, thiserror::Error)]
#[error("{0} is damaged")]
pub(crate) struct Damaged(String);

/// The first line.
#[derive(Serialize)]
struct Begin<'e> {
    #[serde(flatten)]
    header: HeaderLine,
    state: State<'e>,
}

/// As `name:base64` words: a slice each, then decisions and exceptions as JSON.
struct State<'e> {
    engine: &'e Arc<Engine>,
    decisions: Vec<u8>,
    exceptions: Vec<u8>,
    last_number: Vec<u8>,
}

/// Writes the first line of a recording that begins now.
pub(super) fn write_begin(
    out: &mut impl Write,
    mut header: HeaderLine,
    engine: &Arc<Engine>,
    keeps_secrets: bool,
) -> std::io::Result<()> {
    let hasher = engine.hasher();
    header.palisade_recording = 1;
    header.hash_key_id = Some(hasher.key_id().to_string());
    if keeps_secrets {
        let digits = hasher.key().bytes().iter().map(|byte| format!("{byte:02x}"));
        header.hash_key = Some(digits.collect());
    }
    header.memory_budget = Some(engine.policy().server.memory_budget.value);
    let decisions = serde_json::to_vec(&engine.decisions(now()))?;
    let exceptions = serde_json::to_vec(&engine.exceptions())?;
    let last_number = serde_json::to_vec(&engine.last_number())?;
    let state = State { engine, decisions, exceptions, last_number };
    serde_json::to_writer(&mut *out, &Begin { header, state })?;
    out.write_all(b"\n")
}

/// Puts back what [`write_begin`] wrote as the state. Gives the parts that could not be read.
pub(crate) fn put_back(
    text: &str,
    engine: &Engine,
    now: Timestamp,
) -> Result<Vec<NotRestored>, Damaged> {
    let (mut decisions, mut exceptions): (Vec<Decision>, Vec<Exception>) = Default::default();
    let mut last_number = 0;
    let mut restoring = engine.restore(now);
    for word in text.split_whitespace() {
        let damaged = || Damaged(word.chars().take(32).collect());
        let (name, base64) = word.split_once(':').ok_or_else(damaged)?;
        let bytes = BASE64.decode(base64).map_err(|_| damaged())?;
        match name {
            DECISIONS => decisions = serde_json::from_slice(&bytes).map_err(|_| damaged())?,
            EXCEPTIONS => exceptions = serde_json::from_slice(&bytes).map_err(|_| damaged())?,
            LAST_NUMBER => last_number = serde_json::from_slice(&bytes).map_err(|_| damaged())?,
            _ => restoring.put(name, &bytes),
        }
    }
    let lost = restoring.lost();
    engine.reinstate(decisions, exceptions);
    engine.number_after(last_number);
    Ok(lost)
}

impl Serialize for State<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for State<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, bytes) in self.engine.snapshot() {
            write!(f, "{name}:{} ", Base64Display::new(&bytes, &BASE64))?;
        }
        let decisions = Base64Display::new(&self.decisions, &BASE64);
        let exceptions = Base64Display::new(&self.exceptions, &BASE64);
        let last_number = Base64Display::new(&self.last_number, &BASE64);
        write!(f, "{DECISIONS}:{decisions} {EXCEPTIONS}:{exceptions} {LAST_NUMBER}:{last_number}")
    }
}
