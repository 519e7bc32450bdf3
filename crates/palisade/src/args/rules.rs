//! `palisade rules`: the rules themselves, without a running instance.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// The rules that a configuration puts in force
    List(List),
    /// One rule: its text, and what it says about itself
    Show {
        /// Its number
        id: u64,
        /// Which rules
        #[command(flatten)]
        of: Of,
    },
    /// What is suspicious about rule files that load, and what has no effect here
    Lint(Of),
    /// Which rules match a request, where, and what that leads to
    Why(Why),
    /// How many attacks of a file are refused, and how many honest requests pass
    Measure(Measure),
    /// Run the Core Rule Set's own regression tests against this engine
    Conformance {
        /// The folder of the Core Rule Set
        #[arg(long, env = "PALISADE_CRS", value_name = "DIR")]
        crs: PathBuf,
        /// The folder of its tests (tests/regression/tests of a checkout)
        #[arg(long, value_name = "DIR")]
        tests: PathBuf,
        /// Send them over sockets, through a gateway that is started for it
        #[arg(long)]
        through_gateway: bool,
    },
}

/// Which rules are meant.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Of {
    /// Those of this configuration file [default: the built-in rules]
    #[arg(short, long, env = "PALISADE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// And those of the Core Rule Set in this folder
    #[arg(long, env = "PALISADE_CRS", value_name = "DIR")]
    pub(crate) crs: Option<PathBuf>,
}

/// Arguments of `rules list`.
#[derive(Debug, ClapArgs)]
pub(crate) struct List {
    /// Only those whose number, message or tags contain this
    pub(crate) word: Option<String>,
    /// Which rules
    #[command(flatten)]
    pub(crate) of: Of,
}

/// Arguments of `rules why`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Why {
    /// The request, such as "GET /search?q=1'--"
    pub(crate) request: String,
    /// A header, such as 'Content-Type: application/json'
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// The body
    #[arg(short = 'd', long, value_name = "TEXT")]
    pub(crate) body: Option<String>,
    /// Which rules
    #[command(flatten)]
    pub(crate) of: Of,
}

/// Arguments of `rules measure`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Measure {
    /// Requests, a JSON object a line: method, url, headers, body, attack (true or false), class
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Show each request that is decided wrongly, and the rules that matched it
    #[arg(long)]
    pub(crate) wrong: bool,
    /// Which rules
    #[command(flatten)]
    pub(crate) of: Of,
}
