//! The program itself, started as `palisade run` in front of the tests' backend, on loopback and in
//! a folder of its own; both end with the command.

use std::fs;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use console::wire::EventDetail;

use crate::client::Client;
use crate::failure::Failure;

/// A gateway under test.
pub(super) struct Gateway {
    child: Child,
    folder: PathBuf,
    address: SocketAddr,
}

impl Gateway {
    /// Starts one with the rules in `crs`, as the tests want them.
    pub(super) fn start(crs: &Path) -> Result<Self, Failure> {
        let crs = crs.canonicalize().map_err(|error| Failure::of(crs.display(), error))?;
        let backend = conformance::live::serve_backend()
            .map_err(|error| Failure::of("the backend cannot be served", error))?;
        let folder = std::env::temp_dir().join(format!("palisade-{}", std::process::id()));
        let failed = |error: std::io::Error| Failure::of(folder.display(), error);
        fs::create_dir(&folder).map_err(failed)?;
        let setup = folder.join("setup.conf");
        fs::write(&setup, conformance::SETUP).map_err(failed)?;
        let file = folder.join("palisade.toml");
        fs::write(&file, policy(&crs, &setup, backend)).map_err(failed)?;
        let program = std::env::current_exe().map_err(failed)?;
        let mut child = Command::new(program)
            .args(["run", "--config"])
            .arg(&file)
            .arg("--data")
            .arg(folder.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let said = child.stderr.take();
        // From here on it is ended, and its folder removed, however this goes on.
        let mut gateway = Self { child, folder, address: backend };
        gateway.address = said
            .and_then(|said| listener(BufReader::new(said)))
            .ok_or_else(|| Failure::Failed("the gateway did not start".to_owned()))?;
        Ok(gateway)
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the gateway tells of an exchange, as lines of a log.
    pub(super) fn explain(&self, id: &str) -> Vec<String> {
        let client = Client::of_folder(&self.folder.join("data"));
        let detail = client.and_then(|client| client.get::<EventDetail>(&format!("/events/{id}")));
        let rules = detail.map(|detail| detail.event.rules).unwrap_or_default();
        let line = |rule: &console::wire::EventRule| {
            let (id, message, found, field) = (rule.id, &rule.message, &rule.found, &rule.field);
            let data = format!("Matched Data: {found} found within {field}: {found}");
            format!("[id \"{id}\"] [msg \"{message}\"] [data \"{data}\"]")
        };
        rules.iter().map(line).collect()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Everything is looked at, nothing is refused but what no gateway lets pass.
fn policy(crs: &Path, setup: &Path, backend: SocketAddr) -> String {
    let quoted = |path: &Path| toml_text(&path.to_string_lossy());
    format!(
        "version = 1\n[server]\nlisten = \"127.0.0.1:0\"\n[debug]\nrule_header = true\n\
         [rules]\ncrs = {}\nsetup = {}\npreset = \"none\"\nbuiltin = false\n\
         cpu_budget = \"1s\"\n[[site]]\nupstream = \"http://{backend}\"\nmode = \"monitor\"\n",
        quoted(crs),
        quoted(setup),
    )
}

/// As a string of TOML.
fn toml_text(text: &str) -> String {
    let escaped: String = text.chars().flat_map(char::escape_default).collect();
    format!("\"{escaped}\"")
}

/// Where it listens, as soon as it says so; what it says after that goes nowhere.
fn listener(mut said: impl std::io::BufRead + Send + 'static) -> Option<SocketAddr> {
    let mut line = String::new();
    loop {
        line.clear();
        if said.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let url = line.split_once("http://").filter(|(before, _)| before.contains("proxy"));
        let address = url.and_then(|(_, rest)| rest.split_whitespace().next());
        if let Some(address) = address.and_then(|address| address.parse().ok()) {
            std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
            return Some(address);
        }
    }
}
