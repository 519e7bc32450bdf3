//! `check`: would this file start?

use std::net::ToSocketAddrs as _;
use std::time::Duration;

use serde::Serialize;
use shield::policy::{Flags, Policy, Site, Upstream};
use traffic::counted;

use crate::args::{Check, Format, Global};
use crate::configuration::{Compiled, Configuration};
use crate::failure::Failure;
use crate::output::{Output, Paint};

/// How long an upstream may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Serialize)]
struct Checked {
    schema: &'static str,
    file: String,
    valid: bool,
    /// What is wrong with it.
    faults: Vec<String>,
    sites: usize,
    warnings: Vec<String>,
    upstreams: Vec<Reached>,
}

/// Whether somebody listens where a site's requests go.
#[derive(Serialize)]
pub(super) struct Reached {
    pub(super) site: String,
    pub(super) upstream: String,
    pub(super) reached: bool,
    pub(super) fault: Option<String>,
}

/// Reads a file as `run` would, and says what is wrong with it: to programs in the form that they
/// asked for, too.
pub(crate) fn check(global: &Global, check: &Check) -> Result<(), Failure> {
    let mut output = Output::open(global, Format::Table)?;
    match read(global, check) {
        Ok(compiled) => tell(&mut output, check, compiled),
        Err(Failure::Configuration(faults)) if output.format() != Format::Table => {
            let checked = Checked { faults: faults.clone(), ..Checked::of(check) };
            output.document(&checked, |_| {})?;
            Err(Failure::Configuration(faults))
        }
        Err(failure) => Err(failure),
    }
}

impl Checked {
    /// Of a file of which nothing is known yet.
    fn of(check: &Check) -> Self {
        Self {
            schema: "palisade.v1.checked",
            file: check.config.display().to_string(),
            valid: false,
            faults: Vec::new(),
            sites: 0,
            warnings: Vec::new(),
            upstreams: Vec::new(),
        }
    }
}

fn read(global: &Global, check: &Check) -> Result<Compiled, Failure> {
    let configuration = Configuration {
        file: Some(check.config.clone()),
        flags: Flags { data: global.data.clone(), ..Flags::default() },
        ..Configuration::default()
    };
    let compiled = configuration.compile().map_err(Failure::Configuration)?;
    let faults = gateway::file_faults(&compiled.policy);
    if !faults.is_empty() {
        let told = |fault: gateway::SetupError| format!("{}: {fault}", check.config.display());
        return Err(Failure::Configuration(faults.into_iter().map(told).collect()));
    }
    alerts::ready(&compiled.policy.alerts).map_err(Failure::Configuration)?;
    Ok(compiled)
}

fn tell(output: &mut Output, check: &Check, compiled: Compiled) -> Result<(), Failure> {
    let upstreams = if check.connect { reach(&compiled.policy) } else { Vec::new() };
    let checked = Checked {
        valid: true,
        sites: compiled.policy.sites.len(),
        warnings: compiled.warnings,
        upstreams,
        ..Checked::of(check)
    };
    output.document(&checked, |page| {
        for warning in &checked.warnings {
            page.warning(warning);
        }
        for reached in &checked.upstreams {
            let fault = reached.fault.as_deref().unwrap_or("answers");
            let paint = if reached.reached { Paint::Good } else { Paint::Bad };
            page.painted(paint, &format!("{}: {} {fault}", reached.site, reached.upstream));
        }
        let sites = counted(checked.sites as u64, "site");
        page.line(&format!("{}: valid, {sites}", checked.file));
    })?;
    match checked.upstreams.iter().filter(|reached| !reached.reached).count() {
        0 => Ok(()),
        1 => Err(Failure::Failed("an upstream cannot be reached".to_owned())),
        count => Err(Failure::Failed(format!("{count} upstreams cannot be reached"))),
    }
}

pub(super) fn reach(policy: &Policy) -> Vec<Reached> {
    let reach_one = |(site, upstream): (&Site, &Upstream)| {
        let fault = connect(&upstream.host, upstream.port, CONNECT_TIMEOUT)
            .err()
            .map(|error| error.to_string());
        let (site, upstream) = (site.name.clone(), upstream.to_string());
        Reached { site, upstream, reached: fault.is_none(), fault }
    };
    let all =
        policy.sites.iter().flat_map(|site| site.upstreams.value.iter().map(move |to| (site, to)));
    all.map(reach_one).collect()
}

/// Opens a connection and closes it again.
pub(crate) fn connect(host: &str, port: u16, timeout: Duration) -> std::io::Result<()> {
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match std::net::TcpStream::connect_timeout(&address, timeout) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}
