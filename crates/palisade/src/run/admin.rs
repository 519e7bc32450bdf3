//! The admin API over the network, as far as the configuration asks for it.
//!
//! What other machines can reach is not opened before somebody could use it: without a token that
//! counts nobody could, and an open port that refuses everyone is most likely a mistake.

use console::{Keyring, Network};
use gateway::Certificates;
use ledger::Ledger;
use shield::policy::Policy;

use super::instance::now;
use crate::failure::Failure;

/// The way in over the network, and who may take it.
pub(crate) struct Admin {
    keyring: Keyring,
    network: Option<Network>,
    url: Option<String>,
}

impl Admin {
    /// Opens what the policy names.
    pub(crate) fn open(
        policy: &Policy,
        certificates: &mut Certificates,
        ledger: &Ledger,
    ) -> Result<Self, Failure> {
        let tokens =
            ledger.tokens().map_err(|error| Failure::of("the tokens cannot be read", error))?;
        let has_token = tokens.iter().any(|token| token.is_valid(now()));
        let keyring = Keyring::of(tokens);
        let Some(listen) = policy.admin.listen.value else {
            return Ok(Self { keyring, network: None, url: None });
        };
        if !listen.ip().is_loopback() && !has_token {
            return Err(Failure::Configuration(vec![format!(
                "admin.listen = \"{listen}\" can be reached from other machines, and no token \
                 counts\nhelp: make one first: palisade token create NAME --scope admin --data {}",
                console::shell::quoted(&ledger.folder().to_string_lossy())
            )]));
        }
        let tls = gateway::admin_tls(policy, certificates)
            .map_err(|error| Failure::Configuration(vec![error.to_string()]))?;
        let unopened = |error| Failure::of(format!("cannot listen on {listen} (admin)"), error);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let network = Network::over(gateway::bind(listen).map_err(unopened)?, tls);
        let url = format!("{scheme}://{}", network.address().map_err(unopened)?);
        Ok(Self { keyring, network: Some(network), url: Some(url) })
    }

    /// Who may come in.
    pub(crate) fn keyring(&self) -> Keyring {
        self.keyring.clone()
    }

    /// Where it is reached over the network.
    pub(crate) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The socket, to be served.
    pub(crate) fn take_network(&mut self) -> Option<Network> {
        self.network.take()
    }
}
