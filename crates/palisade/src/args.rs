//! The command line as it is typed: commands, flags, and how they are told apart.
//!
//! Only syntax is checked here. What a flag means is decided by whoever acts on it: the policy for
//! `run` and `check`, the running instance for the rest.

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod care;
pub(crate) mod readiness;
pub(crate) mod remote;
pub(crate) mod report;
pub(crate) mod rules;
mod span;
pub(crate) mod token;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(crate) use span::Span;
use span::{span, span_or_ever};

/// API security in front of your API: learns it, finds who calls, stops attacks, explains why.
#[derive(Debug, Parser)]
#[command(name = "palisade", version, disable_help_subcommand = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done · 1 failed · 2 wrong usage · 3 findings · \
    4 configuration invalid · 5 cannot reach the instance · 130/143 interrupted")]
pub(crate) struct Args {
    /// What holds for every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Global {
    /// The data folder; commands find the running instance by it
    #[arg(long, global = true, env = "PALISADE_DATA_DIR", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The instance that is asked, when it is not the one of the data folder.
    #[command(flatten)]
    pub(crate) remote: remote::Remote,
    /// The format of what is printed
    #[arg(long, global = true, env = "PALISADE_OUTPUT", value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
    /// Write there instead of to the terminal (.json and .jsonl choose the format)
    #[arg(short = 'o', global = true, value_name = "FILE", id = "output_file")]
    pub(crate) output_file: Option<PathBuf>,
    /// Say less on stderr
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more on stderr; twice for each decision
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to colour
    #[arg(
        long,
        global = true,
        env = "PALISADE_COLOR",
        default_value = "auto",
        value_name = "WHEN"
    )]
    pub(crate) color: Color,
    /// Print times in UTC instead of local time
    #[arg(long, global = true, env = "PALISADE_UTC")]
    pub(crate) utc: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// One document.
    Json,
    /// One object a line.
    Jsonl,
    /// SARIF 2.1.0, for code scanning (scan only).
    Sarif,
    /// JUnit XML, for build servers (scan only).
    Junit,
    /// The report as a page (scan and report only).
    Html,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
#[allow(missing_docs, reason = "the words say it")]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// A mode as a word of the command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
#[allow(missing_docs, reason = "the words say it")]
pub(crate) enum ModeWord {
    Monitor,
    Enforce,
}

/// All commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start in front of an API (in the foreground)
    Run(Run),
    /// Check a configuration file
    Check(Check),
    /// Which site, route, layers and limits apply to a request
    Explain(Explain),
    /// Health, modes per layer, and where each value comes from
    Status,
    /// Which layers may enforce: what they would refuse, whose requests, what to look at first
    Readiness(readiness::Readiness),
    /// Follow events as they happen
    Tail(Filter),
    /// The full decision behind an event or request id
    Why {
        /// The id, from the header palisade-event, the refusal's body, or x-request-id
        id: String,
    },
    /// Past events
    Events(Events),
    /// Not an attack: make a narrow, expiring exception from an event
    Silence(Silence),
    /// Exceptions in force
    #[command(subcommand)]
    Exceptions(Exceptions),
    /// Refuse a caller
    Block(Stand),
    /// Let a caller pass, whatever the evidence
    Allow(Stand),
    /// Standing blocks and allows
    #[command(subcommand)]
    Decisions(Decisions),
    /// Carry verdicts out
    Enforce(readiness::Enforce),
    /// Only watch and explain
    Monitor(Modes),
    /// Do not look at all: the switch for a layer that misbehaves
    Off(Modes),
    /// Take back what enforce, monitor or off set; the file and the flags count again
    Inherit(Modes),
    /// The API as it was learnt
    #[command(subcommand)]
    Api(Api),
    /// Attacks, one incident a campaign
    #[command(subcommand)]
    Incidents(Incidents),
    /// Who is told of attacks
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    /// Read the configuration again; a bad one changes nothing
    Reload,
    /// Who changed what
    Audit(audit::Audit),
    /// Who may use the admin API over the network
    #[command(subcommand)]
    Token(token::Tokens),
    /// Give recorded exchanges to the engine and print its verdicts
    Replay(Replay),
    /// The rules for known attacks
    #[command(subcommand)]
    Rules(rules::Rules),
    /// What access logs, recordings or HAR files show: the API, and who attacks it
    Scan(Scan),
    /// The state of your API's security, as a page (-o report.html) or as figures (-o report.json)
    Report(report::Report),
    /// Follow an access log, through rotation, and print findings as they come
    Watch(Watch),
    /// What keeps an installation well.
    #[command(flatten)]
    Care(care::Care),
}

/// Flags of `run`; they complete or override the file.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Run {
    /// The API to stand in front of, such as http://localhost:3000
    #[arg(long, env = "PALISADE_TO", value_name = "URL")]
    pub(crate) to: Option<String>,
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, env = "PALISADE_LISTEN", value_name = "ADDR")]
    pub(crate) listen: Vec<String>,
    /// What to do with verdicts [default: monitor]
    #[arg(long, env = "PALISADE_MODE", value_name = "MODE")]
    pub(crate) mode: Option<ModeWord>,
    /// Worker threads [default: one a core]
    #[arg(long, env = "PALISADE_WORKERS", value_name = "N")]
    pub(crate) workers: Option<u16>,
    /// The configuration file
    #[arg(short, long, env = "PALISADE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The folder of an OWASP Core Rule Set, to look for known attacks with, too
    #[arg(long, env = "PALISADE_CRS", value_name = "DIR")]
    pub(crate) crs: Option<PathBuf>,
    /// Record every exchange as JSON lines, secrets replaced by their keyed hashes
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Record secrets as they are (the file is readable by its owner only)
    #[arg(long, requires = "record")]
    pub(crate) record_secrets: bool,
}

/// Flags of `check`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Check {
    /// The configuration file
    #[arg(
        short,
        long,
        env = "PALISADE_CONFIG",
        default_value = "palisade.toml",
        value_name = "FILE"
    )]
    pub(crate) config: PathBuf,
    /// Also reach the upstreams
    #[arg(long)]
    pub(crate) connect: bool,
}

/// Arguments of `explain`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Explain {
    /// The request, such as 'POST /v1/login' or 'GET https://api.example.com/v1/orders/7'
    pub(crate) request: String,
    /// The host addressed, when the request does not name it
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// A configuration file; without, the running instance is asked
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Which events.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct Filter {
    /// Only this action (allow, throttle, challenge, deny, reject)
    #[arg(long)]
    pub(crate) action: Option<String>,
    /// Only decided by this layer
    #[arg(long)]
    pub(crate) layer: Option<String>,
    /// Only from this client address
    #[arg(long)]
    pub(crate) client: Option<String>,
    /// Only on endpoints that contain this text
    #[arg(long)]
    pub(crate) endpoint: Option<String>,
    /// Only refused in fact
    #[arg(long)]
    pub(crate) refused: bool,
    /// Only of callers with an established session
    #[arg(long)]
    pub(crate) known: bool,
    /// Also samples of honest traffic
    #[arg(long)]
    pub(crate) samples: bool,
}

/// Arguments of `events`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Events {
    /// Which.
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// Only this far back
    #[arg(long, value_parser = span, default_value = "24h", value_name = "SPAN")]
    pub(crate) since: Duration,
    /// At most this many, newest first
    #[arg(short = 'n', long, default_value_t = 50)]
    pub(crate) limit: u32,
}

/// Arguments of `silence`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Silence {
    /// The event or request id of what was no attack
    pub(crate) id: String,
    /// How wide
    #[arg(long, value_enum, default_value = "caller")]
    pub(crate) scope: SilenceScope,
    /// For how long
    #[arg(long = "for", value_parser = span, default_value = "90d", value_name = "SPAN")]
    pub(crate) span: Duration,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// Only tell what it would do
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// How wide an exception is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum SilenceScope {
    /// This detector, on this endpoint, for this caller.
    Caller,
    /// This detector, on this endpoint, for every caller.
    Endpoint,
    /// This detector, everywhere.
    Detector,
}

/// Commands over exceptions.
#[derive(Debug, Subcommand)]
pub(crate) enum Exceptions {
    /// All that hold
    List,
    /// One of them
    Show {
        /// Its id, such as x-3
        id: String,
    },
    /// End one
    Rm {
        /// Its id, such as x-3
        id: String,
    },
}

/// Arguments of `block` and `allow`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Stand {
    /// Whom: ip:… net:… ja4:… device:… account:… principal:… session:…
    pub(crate) selector: String,
    /// For how long, such as 30m, 12h, 7d, or `ever`
    #[arg(long = "for", value_parser = span_or_ever, default_value = "1h", value_name = "SPAN")]
    pub(crate) span: Span,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}

/// Commands over decisions.
#[derive(Debug, Subcommand)]
pub(crate) enum Decisions {
    /// All that stand
    List,
    /// End one
    Rm {
        /// Its id, such as d-7
        id: String,
    },
}

/// Arguments of `enforce`, `monitor`, `off` and `inherit`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Modes {
    /// Which layers, such as takeover,recon; none are all
    #[arg(value_delimiter = ',', value_name = "LAYER")]
    pub(crate) layers: Vec<String>,
    /// Only this site
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// Only this route, as it stands in the file: 'POST /v1/login'
    #[arg(long)]
    pub(crate) route: Option<String>,
}

/// Commands over the learnt API.
#[derive(Debug, Subcommand)]
pub(crate) enum Api {
    /// All endpoints
    List {
        /// Only those whose method, host or path contains this text
        filter: Option<String>,
    },
    /// One endpoint: parameters, role, callers, limits
    Show {
        /// Its number, or METHOD and path template
        endpoint: String,
    },
    /// Write it down as a document
    #[command(subcommand)]
    Export(Export),
}

/// What to export.
#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// An OpenAPI 3.1 document
    Openapi {
        /// Only this host
        #[arg(long)]
        host: Option<String>,
    },
}

/// Commands over incidents.
#[derive(Debug, Subcommand)]
pub(crate) enum Incidents {
    /// All, newest first
    List {
        /// Closed ones, too
        #[arg(long)]
        all: bool,
        /// Exit with 3 when an open one is at least this severe
        #[arg(long, value_name = "SEVERITY")]
        fail_on: Option<SeverityWord>,
    },
    /// One, with its findings
    Show {
        /// Its id
        id: String,
    },
    /// Done with it
    Close {
        /// Its id
        id: String,
        /// What it came down to
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Not done with it after all
    Reopen {
        /// Its id
        id: String,
    },
}

/// A severity as a word of the command line.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
#[allow(missing_docs, reason = "the words say it")]
pub(crate) enum SeverityWord {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// Arguments of `replay`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Replay {
    /// Recordings, as JSON lines
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Replay in this mode instead of the recording's
    #[arg(long, value_name = "MODE")]
    pub(crate) mode: Option<ModeWord>,
    /// Replay under this configuration instead of the recording's
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// How access logs are read.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct LogArgs {
    /// The logs' format instead of one that is recognised: combined, json, caddy, traefik, envoy,
    /// alb, haproxy, or a string such as nginx's log_format
    #[arg(long, env = "PALISADE_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// The zone of times that name none, such as +02:00
    #[arg(long, value_name = "OFFSET", default_value = "+00:00", value_parser = zone)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) zone: intake::Zone,
    /// The host of requests that name none
    #[arg(long, value_name = "NAME", default_value = "site")]
    pub(crate) host: String,
    /// Read under this configuration: trusted proxies, routes, limits
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Arguments of `scan`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Scan {
    /// Logs, recordings or HAR files, plain or packed; folders, patterns, - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How logs are read.
    #[command(flatten)]
    pub(crate) logs: LogArgs,
    /// Exit with 3 when something at least this severe was found
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<SeverityWord>,
    /// List all endpoints and findings, not only the foremost
    #[arg(long)]
    pub(crate) all: bool,
}

/// Arguments of `watch`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Watch {
    /// The logs to follow
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How logs are read.
    #[command(flatten)]
    pub(crate) logs: LogArgs,
    /// Also print findings from what is in the files already
    #[arg(long)]
    pub(crate) from_start: bool,
}

impl ModeWord {
    /// The mode it names.
    pub(crate) const fn mode(self) -> traffic::Mode {
        match self {
            Self::Monitor => traffic::Mode::Monitor,
            Self::Enforce => traffic::Mode::Enforce,
        }
    }
}

/// Reads an offset such as `+02:00`, `-0330` or `Z`.
fn zone(text: &str) -> Result<intake::Zone, String> {
    let wrong = || format!("{text:?} is no offset; write one such as +02:00");
    if matches!(text, "Z" | "z" | "UTC" | "utc") {
        return Ok(intake::Zone::UTC);
    }
    let sign = match text.chars().next() {
        Some('+') => 1,
        Some('-') => -1,
        _ => return Err(wrong()),
    };
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: i64 = digits.parse().map_err(|_| wrong())?;
    let (hours, minutes) = (number / 100, number % 100);
    if hours > 18 || minutes > 59 {
        return Err(wrong());
    }
    Ok(intake::Zone { east_s: sign * (hours * 3_600 + minutes * 60) })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn offsets_are_read() {
        let east_s = |text: &str| zone(text).map(|zone| zone.east_s);
        assert_eq!(east_s("+02:00"), Ok(7_200));
        assert_eq!(east_s("-0330"), Ok(-12_600));
        assert_eq!(east_s("Z"), Ok(0));
        for wrong in ["", "2", "+2", "+99:00", "+00:99", "CEST", "+é000"] {
            assert!(zone(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn layers_may_be_joined_by_commas() {
        let args = Args::parse_from(["palisade", "enforce", "takeover,recon", "--site", "shop"]);
        let Command::Enforce(modes) = args.command else { panic!("another command") };
        assert_eq!(modes.scope.layers, ["takeover", "recon"]);
    }
}
