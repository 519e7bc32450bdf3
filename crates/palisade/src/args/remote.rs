//! Flags that name an instance on another machine.

use std::path::PathBuf;

use clap::Args;

/// Where an instance is asked over the network.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Remote {
    /// Ask the instance at this URL instead of the one of the data folder
    #[arg(long, global = true, env = "PALISADE_SERVER", value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The file with the token that lets in there
    #[arg(long, global = true, env = "PALISADE_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Authorities (PEM) that vouch for the server, instead of the machine's
    #[arg(long, global = true, env = "PALISADE_CA_FILE", value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}
