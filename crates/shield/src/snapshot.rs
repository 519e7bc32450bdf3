//! Learnt state as bytes, in parts that are kept and restored one by one.

use serde::Serialize;
use serde::de::DeserializeOwned;

use traffic::Timestamp;

use crate::memory::Memory;

/// The parts in the order in which they are taken.
pub(crate) const PARTS: [&str; 5] = ["callers", "catalog", "conduct", "findings", "seq"];

/// The version of the format: state of another version is not read.
const VERSION: u8 = 1;

/// A part that could not be restored.
#[derive(Debug, thiserror::Error)]
#[error("learnt state {part:?} is not restored: {why}")]
pub struct NotRestored {
    part: String,
    why: &'static str,
}

/// The bytes of one part.
pub(crate) fn take(memory: &Memory, part: &str) -> Option<Vec<u8>> {
    match part {
        "callers" => encode(&memory.callers),
        "catalog" => encode(&memory.catalog),
        "conduct" => encode(&memory.conduct),
        "findings" => encode(&memory.findings),
        "seq" => encode(&memory.seq),
        _ => None,
    }
}

/// Puts one part back. Tables keep the capacity they were made with; what fits is kept.
pub(crate) fn put(
    memory: &mut Memory,
    part: &str,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(), NotRestored> {
    let not_restored = |why| NotRestored { part: part.chars().take(32).collect(), why };
    let bytes = match bytes.split_first() {
        Some((&VERSION, rest)) => rest,
        Some(_) => return Err(not_restored("it was written by another version")),
        None => return Err(not_restored("it is empty")),
    };
    let damaged = || not_restored("it is damaged");
    match part {
        "callers" => memory.callers.restore(decode(bytes).ok_or_else(damaged)?),
        "catalog" => memory.catalog.restore(decode(bytes).ok_or_else(damaged)?),
        "conduct" => memory.put_conduct(decode(bytes).ok_or_else(damaged)?, now),
        "findings" => memory.findings = decode(bytes).ok_or_else(damaged)?,
        "seq" => memory.seq = decode(bytes).ok_or_else(damaged)?,
        _ => return Err(not_restored("there is no such part")),
    }
    Ok(())
}

fn encode<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    postcard::to_extend(value, vec![VERSION]).ok()
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}
