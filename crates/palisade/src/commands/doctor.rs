//! `doctor`: what is wrong with an installation, and what to do about it.
//!
//! It asks the instance when one answers, and reads the folder and the machine in any case, so that
//! it helps most where nothing starts. Nothing is changed.

mod folder;
mod machine;

use std::path::Path;

use console::wire::Status;
use serde::Serialize;
use shield::policy::Flags;
use traffic::counted;

use super::{check, data_folder};
use crate::args::care::Doctor;
use crate::args::{Format, Global};
use crate::client::Client;
use crate::configuration::{Configuration, OVERLAY_NAME};
use crate::failure::Failure;
use crate::output::{Output, Paint};

/// How it stands with one thing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Good,
    Warning,
    Bad,
}

/// What was looked at, and what was found.
#[derive(Debug, Serialize)]
struct Looked {
    what: &'static str,
    state: State,
    says: String,
    /// What to do about it.
    help: Option<String>,
}

#[derive(Serialize)]
struct Examined {
    schema: &'static str,
    looked: Vec<Looked>,
}

impl Looked {
    fn good(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, state: State::Good, says: says.into(), help: None }
    }

    fn warning(what: &'static str, says: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what, state: State::Warning, says: says.into(), help: Some(help.into()) }
    }

    fn bad(what: &'static str, says: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what, state: State::Bad, says: says.into(), help: Some(help.into()) }
    }
}

/// Looks at everything, and tells.
pub(crate) fn doctor(global: &Global, args: &Doctor) -> Result<(), Failure> {
    let data = data_folder(global);
    let mut looked = vec![instance(global)];
    looked.push(configuration(global, args.config.as_deref(), &data));
    looked.extend(upstreams(global, args.config.as_deref()));
    if global.remote.server.is_none() {
        looked.extend(folder::look(&data));
        looked.extend(machine::look(&data));
    }
    let examined = Examined { schema: "palisade.v1.doctor", looked };
    let mut output = Output::open(global, Format::Table)?;
    output.list(&examined, &examined.looked, |page| {
        for looked in &examined.looked {
            let (word, paint) = match looked.state {
                State::Good => ("✓ good   ", Paint::Good),
                State::Warning => ("! warning", Paint::Warn),
                State::Bad => ("✗ bad    ", Paint::Bad),
            };
            let mut said = looked.says.lines();
            let first = said.next().unwrap_or_default();
            page.painted(paint, &format!("{word}  {}: {first}", looked.what));
            for line in said.chain(looked.help.iter().flat_map(|help| help.lines())) {
                page.line(&format!("           {line}"));
            }
        }
    })?;
    let bad = examined.looked.iter().filter(|looked| looked.state == State::Bad).count();
    match bad {
        0 => Ok(()),
        1 => Err(Failure::Findings("1 of these needs attention".to_owned())),
        count => Err(Failure::Findings(format!("{count} of these need attention"))),
    }
}

/// Does an instance answer, and what does it say of itself?
fn instance(global: &Global) -> Looked {
    const WHAT: &str = "instance";
    let status: Result<Status, Failure> = Client::new(global).and_then(|it| it.get("/status"));
    let status = match status {
        Ok(status) => status,
        // Nothing has to run for the rest to be of use.
        Err(Failure::Unreachable(why)) => {
            let why = why.lines().next().unwrap_or_default().to_owned();
            return Looked::warning(WHAT, why, "start one with `palisade run`");
        }
        Err(failure) => return Looked::bad(WHAT, failure.to_string(), "see `palisade status`"),
    };
    let said: Vec<String> = status.alarms.iter().chain(&status.policy_faults).cloned().collect();
    if !said.is_empty() {
        return Looked::bad(WHAT, said.join("; "), "see `palisade status`");
    }
    if status.version != env!("CARGO_PKG_VERSION") {
        let says = format!("it runs {}, this is {}", status.version, env!("CARGO_PKG_VERSION"));
        return Looked::warning(WHAT, says, "restart it after an update");
    }
    Looked::good(WHAT, format!("process {} answers, no alarms", status.pid))
}

/// Would it start with this file, and with what commands switched?
fn configuration(global: &Global, file: Option<&Path>, data: &Path) -> Looked {
    const WHAT: &str = "configuration";
    let overlay = Some(data.join(OVERLAY_NAME)).filter(|overlay| overlay.is_file());
    let configuration = compiled(global, file, overlay);
    match configuration {
        Err(faults) => {
            Looked::bad(WHAT, faults.join("\n"), "`palisade check` looks at a file alone")
        }
        Ok((_, faults)) if !faults.is_empty() => {
            Looked::bad(WHAT, faults.join("; "), "mend what it names, or the file")
        }
        Ok((compiled, _)) if !compiled.warnings.is_empty() => {
            Looked::warning(WHAT, compiled.warnings.join("\n"), "nothing fails for it")
        }
        Ok((compiled, _)) => Looked::good(
            WHAT,
            format!("valid, {}", counted(compiled.policy.sites.len() as u64, "site")),
        ),
    }
}

/// Does somebody listen where requests go? Only what a file names can be asked.
fn upstreams(global: &Global, file: Option<&Path>) -> Vec<Looked> {
    const WHAT: &str = "upstream";
    let Some(file) = file else { return Vec::new() };
    let Ok((compiled, _)) = compiled(global, Some(file), None) else { return Vec::new() };
    let look = |reached: check::Reached| match reached.fault {
        None => Looked::good(WHAT, format!("{} answers", reached.upstream)),
        Some(fault) => {
            let says = format!("{}: {fault}", reached.upstream);
            Looked::bad(WHAT, says, "start it, or mend `upstream` in the file")
        }
    };
    check::reach(&compiled.policy).into_iter().map(look).collect()
}

/// What a file says, and what is wrong with the files that it names.
fn compiled(
    global: &Global,
    file: Option<&Path>,
    overlay: Option<std::path::PathBuf>,
) -> Result<(crate::configuration::Compiled, Vec<String>), Vec<String>> {
    // Without a file any upstream will do: what counts is the rest.
    let to = file.is_none().then(|| "http://127.0.0.1:1".to_owned());
    let flags = Flags { data: global.data.clone(), to, ..Flags::default() };
    let file = file.map(Path::to_owned);
    let configuration = Configuration { file, flags, overlay, ..Configuration::default() };
    let compiled = configuration.compile()?;
    let faults = gateway::file_faults(&compiled.policy);
    Ok((compiled, faults.iter().map(ToString::to_string).collect()))
}
