//! The commands that ask or order a running instance, and those that need none.
//!
//! Each reads one document, prints it, and tells on stderr how to take back what it changed.

mod alerts;
mod api;
mod audit;
mod backup;
mod check;
mod doctor;
mod events;
mod explain;
mod incidents;
mod modes;
mod readiness;
mod replay;
mod report;
mod rules;
mod scan;
mod shell;
mod standing;
mod status;
mod token;
mod watch;

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use console::shell::quoted;
use console::wire::KindWord;

use crate::args::care::Care;
use crate::args::{Args, Command, Format, Global};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::Output;

/// The data folder when none is named.
pub(crate) const DATA_DEFAULT: &str = "palisade-data";

/// Carries a command out.
pub(crate) fn carry_out(args: Args) -> Result<(), Failure> {
    let Args { global, command } = args;
    match command {
        Command::Run(run) => return crate::run::run(&global, &run),
        Command::Check(check) => return check::check(&global, &check),
        Command::Replay(replay) => return replay::replay(&global, &replay),
        Command::Scan(scan) => return scan::scan(&global, &scan),
        Command::Report(report) => return report::report(&global, &report),
        Command::Watch(watch) => return watch::watch(&global, &watch),
        Command::Explain(explain) => return explain::explain(&global, &explain),
        Command::Rules(rules) => return rules::rules(&global, &rules),
        Command::Care(care) => return take_care(&global, &care),
        _ => {}
    }
    let desk = &mut Desk::open(&global)?;
    match command {
        Command::Status => status::status(desk),
        Command::Tail(filter) => events::tail(desk, &filter),
        Command::Why { id } => events::why(desk, &id),
        Command::Events(events) => events::list(desk, &events),
        Command::Silence(silence) => standing::silence(desk, &silence),
        Command::Exceptions(exceptions) => standing::exceptions(desk, &exceptions),
        Command::Block(stand) => standing::stand(desk, KindWord::Block, &stand),
        Command::Allow(stand) => standing::stand(desk, KindWord::Allow, &stand),
        Command::Decisions(decisions) => standing::decisions(desk, &decisions),
        Command::Readiness(asked) => readiness::show(desk, &asked),
        Command::Enforce(enforce) => modes::enforce(desk, &enforce),
        Command::Monitor(modes) => modes::set(desk, Some("monitor"), &modes, false),
        Command::Off(modes) => modes::set(desk, Some("off"), &modes, false),
        Command::Inherit(modes) => modes::set(desk, None, &modes, false),
        Command::Api(api) => api::api(desk, &api),
        Command::Incidents(incidents) => incidents::incidents(desk, &incidents),
        Command::Alerts(alerts) => alerts::alerts(desk, &alerts),
        Command::Reload => modes::reload(desk),
        Command::Audit(audit) => audit::audit(&global, desk, &audit),
        Command::Token(tokens) => token::token(&global, desk, &tokens),
        // Carried out above: they need no instance.
        _ => Ok(()),
    }
}

fn take_care(global: &Global, care: &Care) -> Result<(), Failure> {
    match care {
        Care::Doctor(doctor) => doctor::doctor(global, doctor),
        Care::Backup { folder } => backup::backup(global, folder),
        Care::Restore { folder } => backup::restore(global, folder),
        Care::Completions { shell } => shell::completions(global, *shell),
        Care::Man { folder } => shell::man(global, folder.as_deref()),
    }
}

/// Where a command works: an instance to ask, and a place to print to.
pub(crate) struct Desk {
    /// The instance.
    pub(crate) client: Client,
    /// The place.
    pub(crate) output: Output,
    global: Global,
}

impl Desk {
    /// Whether more is asked for than most want to see.
    pub(crate) const fn says_more(&self) -> bool {
        self.global.verbose > 0
    }

    /// As the flags say.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        let client = Client::new(global)?;
        let output = Output::open(global, Format::Table)?;
        Ok(Self { client, output, global: global.clone() })
    }

    /// `command` as it has to be typed to reach the same instance.
    pub(crate) fn command(&self, command: &str) -> String {
        let Global { data, remote, .. } = &self.global;
        let mut command = format!("palisade {command}");
        let mut add = |flag: &str, value: Option<Cow<'_, str>>| {
            if let Some(value) = value {
                command.push_str(&format!(" {flag} {}", quoted(&value)));
            }
        };
        if remote.server.is_none() {
            add("--data", data.as_ref().map(|data| data.to_string_lossy()));
        }
        add("--server", remote.server.as_deref().map(Cow::Borrowed));
        add("--token-file", remote.token_file.as_ref().map(|file| file.to_string_lossy()));
        add("--ca-file", remote.ca_file.as_ref().map(|file| file.to_string_lossy()));
        command
    }
}

/// The data folder that the flags name, or the customary one.
pub(crate) fn data_folder(global: &Global) -> PathBuf {
    global.data.clone().unwrap_or_else(|| PathBuf::from(DATA_DEFAULT))
}

/// So many upstreams are tried before it is said that nobody answers.
const REACHED_MAX: usize = 4;

/// Whether somebody listens where a site's requests go. Asked once, for the banner, so it must not
/// keep anybody waiting.
pub(crate) fn reaches(site: &shield::policy::Site) -> bool {
    let answers = |upstream: &shield::policy::Upstream| {
        check::connect(&upstream.host, upstream.port, Duration::from_millis(100)).is_ok()
    };
    site.upstreams.value.iter().take(REACHED_MAX).any(answers)
}

/// Who is typing, as far as the shell tells; the instance adds the user id it sees.
pub(crate) fn author() -> String {
    ["USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_default()
}
