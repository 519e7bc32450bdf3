//! What a replay begins with: policy, hashes, memory, and what was known.

use std::fs;

use shield::policy::overlay::{ModeScope, set_mode};
use shield::policy::{Flags, Policy, Sources};
use shield::{Budget, Engine, Settings};
use traffic::recording::HeaderLine;
use traffic::{HashKey, Hasher};

use crate::args::{Global, Replay};
use crate::commands::data_folder;
use crate::failure::Failure;
use crate::output::say;
use crate::rulebook::Shelf;
use crate::run::instance::now;
use crate::run::record::state;

/// The upstream of a replay without a policy: nobody is asked, but a site must lead somewhere.
const NOWHERE: &str = "http://replay.invalid";

/// Tables are as large as the recording says, or it would forget at other times; but recordings
/// come from anywhere.
const BUDGET_MAX: u64 = 16 << 30;

/// An engine as the recording began with one, or as the flags say.
pub(crate) fn engine(
    global: &Global,
    replay: &Replay,
    header: Option<&HeaderLine>,
) -> Result<Engine, Failure> {
    let policy = policy(replay, header)?;
    let budget = header.and_then(|header| header.memory_budget);
    let budget = budget.unwrap_or(policy.server.memory_budget.value);
    if budget > BUDGET_MAX {
        let gib = BUDGET_MAX >> 30;
        let why = format!("memory_budget is {budget} bytes; a replay takes at most {gib} GiB");
        return Err(Failure::Failed(why));
    }
    let key = key(global, header)?;
    let holds_secrets = header.is_some_and(|header| header.hash_key.is_some());
    let table_bytes = Budget::of(budget, &policy.rules).tables();
    let engine = Engine::new(Settings {
        policy,
        key,
        reads_redacted: !holds_secrets,
        table_bytes,
        recorder: None,
    });
    if let Some(state) = header.and_then(|header| header.state.as_deref()) {
        let lost = state::put_back(state, &engine, now()).map_err(|error| {
            Failure::of("what was known when the recording began cannot be read", error)
        })?;
        lost.iter().for_each(|lost| say(&format!("warning: {lost}")));
    }
    Ok(engine)
}

fn policy(replay: &Replay, header: Option<&HeaderLine>) -> Result<Policy, Failure> {
    let file = match &replay.config {
        Some(path) => Some(
            fs::read_to_string(path)
                .map_err(|error| Failure::of(format!("cannot read {}", path.display()), error))?,
        ),
        None => header.and_then(|header| header.policy.clone()),
    };
    let name = match &replay.config {
        Some(path) => path.display().to_string(),
        None => "the recording's policy".to_owned(),
    };
    let recorded = header.filter(|_| replay.config.is_none());
    let mut overlay = recorded.and_then(|header| header.overlay.clone()).unwrap_or_default();
    if let Some(word) = replay.mode {
        overlay = set_mode(&overlay, &ModeScope::default(), Some(word.mode()))
            .map_err(|error| Failure::Failed(error.to_string()))?;
    }
    let to = file.is_none().then(|| NOWHERE.to_owned());
    let sources = Sources {
        file: file.as_deref().map(|text| (name.as_str(), text)),
        overlay: Some(("the recording's overlay", overlay.as_str())),
        flags: Flags { to, ..Flags::default() },
    };
    let (mut policy, _) = shield::policy::load(&sources).map_err(|faults| {
        Failure::Configuration(faults.iter().map(ToString::to_string).collect())
    })?;
    if let Some(rulebook) = Shelf::default().load(&policy).map_err(Failure::Configuration)? {
        policy.arm(rulebook);
    }
    Ok(policy)
}

/// The key that makes hashes of raw values meet those of the recording.
fn key(global: &Global, header: Option<&HeaderLine>) -> Result<HashKey, Failure> {
    if let Some(digits) = header.and_then(|header| header.hash_key.as_deref()) {
        let wrong = || Failure::Failed("the recording's hash_key is no key".to_owned());
        return parse_key(digits).ok_or_else(wrong);
    }
    let Some(wanted) = header.and_then(|header| header.hash_key_id.as_deref()) else {
        return Ok(HashKey::new([0; 16]));
    };
    let own = fs::read_to_string(data_folder(global).join("key")).ok();
    let own = own.as_deref().and_then(parse_key);
    match own.filter(|key| Hasher::new(*key).key_id().to_string() == wanted) {
        Some(key) => Ok(key),
        None => {
            say("note: the data folder holds another hash key than this recording was made with; \
                 callers are told apart within the recording, and hashes are its own");
            Ok(HashKey::new([0; 16]))
        }
    }
}

fn parse_key(digits: &str) -> Option<HashKey> {
    let digits = digits.trim();
    let is_key = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(digits, 16).ok().filter(|_| is_key)?;
    Some(HashKey::new(number.to_be_bytes()))
}
