//! The programs of a trial: started on free ports, asked, and ended by whoever started them.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::memory::Resident;

const PATIENCE: Duration = Duration::from_secs(20);
/// The kernel counts processor time in hundredths of a second (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// A folder that goes with the trial.
pub(super) struct Folder(PathBuf);

/// A running program. Ended when dropped, and its folder with it.
pub struct Program {
    /// Where it listens.
    pub address: SocketAddr,
    command: Vec<String>,
    arguments: Vec<String>,
    child: Child,
    folder: Folder,
}

/// A new folder for a trial's files.
pub(super) fn folder(name: &str) -> Result<Folder> {
    let number = std::time::UNIX_EPOCH.elapsed()?.as_nanos();
    let path = std::env::temp_dir().join(format!("drill-{name}-{}-{number}", std::process::id()));
    fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
    Ok(Folder(path))
}

impl Folder {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind at worst; it is in the system's folder for such.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Program {
    /// The program before an upstream: one worker, monitor mode, all layers on.
    pub(super) fn palisade(program: &str, to: &str) -> Result<Self> {
        let address = free_address()?;
        let listen = address.to_string();
        let flags = ["--to", to, "--listen", &listen, "--mode", "monitor", "--workers", "1"];
        Self::run(program, &flags, address)
    }

    /// The program with a file of policy, in whose text `LISTEN` stands for its address.
    pub(super) fn palisade_with(program: &str, file: &Path, text: &str) -> Result<Self> {
        let address = free_address()?;
        fs::write(file, text.replace("LISTEN", &address.to_string()))?;
        let file = file.to_str().context("a path that is no text")?;
        Self::run(program, &["--config", file, "--workers", "1"], address)
    }

    fn run(program: &str, flags: &[&str], address: SocketAddr) -> Result<Self> {
        let folder = folder("palisade")?;
        let data = folder.path().join("data");
        let data = data.to_str().context("a path that is no text")?;
        let arguments = ["run", "--quiet", "--data", data];
        let arguments = arguments.iter().chain(flags).map(|word| (*word).to_owned()).collect();
        let program = Self::start(program, arguments, address, folder)?;
        program.wait_until_it_can_be_asked()?;
        Ok(program)
    }

    fn start(
        program: &str,
        arguments: Vec<String>,
        address: SocketAddr,
        folder: Folder,
    ) -> Result<Self> {
        let command: Vec<String> = program.split_whitespace().map(str::to_owned).collect();
        let child = spawn(&command, &arguments)?;
        Self { address, command, arguments, child, folder }.once_it_listens()
    }

    /// Ends it as a power cut would, and starts it again on the same folder.
    pub(super) fn kill_and_start_again(&mut self) -> Result<()> {
        self.signal("KILL")?;
        self.child.wait()?;
        self.child = spawn(&self.command, &self.arguments)?;
        self.wait_until_it_listens()
    }

    /// nginx as a plain proxy before an upstream.
    pub(super) fn nginx(program: &str, to: SocketAddr) -> Result<Self> {
        let folder = folder("nginx")?;
        let address = free_address()?;
        let at = folder.path().display();
        let text = format!(
            "daemon off; worker_processes 1; pid {at}/pid; error_log {at}/error.log error;\n\
             events {{ worker_connections 4096; }}\n\
             http {{ access_log off; keepalive_requests 1000000; tcp_nodelay on;\n\
             client_body_temp_path {at}/b; proxy_temp_path {at}/p; fastcgi_temp_path {at}/f;\n\
             uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;\n\
             upstream up {{ server {to}; keepalive 256; keepalive_requests 1000000; }}\n\
             server {{ listen {address}; location / {{ proxy_pass http://up;\n\
             proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
             proxy_set_header Host $host; }} }} }}\n"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, text)?;
        let file = file.to_str().context("a path that is no text")?;
        // Until it has read the file it would complain elsewhere.
        let log = format!("{at}/error.log");
        let arguments = ["-e", &log, "-c", file].map(str::to_owned).to_vec();
        Self::start(program, arguments, address, folder)
    }

    fn once_it_listens(mut self) -> Result<Self> {
        self.wait_until_it_listens()?;
        Ok(self)
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address).is_err() {
            ensure!(Instant::now() < until, "nothing listens on {}", self.address);
            if let Some(status) = self.child.try_wait()? {
                bail!("{}: ended with {status}", self.command.join(" "));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// It listens before it has read its rules; until then it can be told nothing.
    fn wait_until_it_can_be_asked(&self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while self.status().is_err() {
            ensure!(Instant::now() < until, "it listens on {} and does not answer", self.address);
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// What it has in memory.
    pub(super) fn resident(&self) -> Result<Resident> {
        Resident::of(self.child.id())
    }

    /// A text of policy in which `LISTEN` has become the program's address.
    pub(super) fn at_its_address(&self, text: &str) -> String {
        text.replace("LISTEN", &self.address.to_string())
    }

    /// How many policies have been in force, once they are more than `most`, or after a while.
    pub(super) fn policy_version_above(&self, most: u64) -> Result<u64> {
        let until = Instant::now() + PATIENCE;
        loop {
            let version = self.policy_version()?;
            if version > most || Instant::now() > until {
                return Ok(version);
            }
            sleep(Duration::from_millis(100));
        }
    }

    /// Has it read its file again; returns when that is in force.
    pub(super) fn reload(&self) -> Result<()> {
        let output = self.asked(&["reload"])?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the reload was refused: {told}");
        Ok(())
    }

    fn asked(&self, words: &[&str]) -> Result<std::process::Output> {
        let (first, rest) = self.command.split_first().context("no program is named")?;
        let mut command = Command::new(first);
        command.args(rest).args(words).arg("--data").arg(self.folder.path().join("data"));
        Ok(command.output()?)
    }

    /// How the upstreams of its only site stand, a line each.
    pub(super) fn upstreams(&self) -> Result<Vec<String>> {
        let status = self.status()?;
        let all = status["sites"][0]["upstreams"].as_array().context("no upstreams")?;
        let line = |one: &Value| {
            let state = if one["serves"] == true { "serves" } else { "is out" };
            let url = one["url"].as_str().unwrap_or_default();
            format!("{url} {state}, {} faults, out {} times", one["faults"], one["ejections"])
        };
        Ok(all.iter().map(line).collect())
    }

    pub(super) fn status(&self) -> Result<Value> {
        let output = self.asked(&["status", "--output", "json"])?;
        serde_json::from_slice(&output.stdout).context("no status")
    }

    /// How many policies have been in force, by `status`.
    fn policy_version(&self) -> Result<u64> {
        let status = self.status()?;
        status["policy_version"].as_u64().context("a status without a version")
    }

    pub(super) fn signal(&self, name: &str) -> Result<()> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status()?;
        ensure!(sent.success(), "cannot signal process {pid}");
        Ok(())
    }

    /// Processor time until now.
    pub(super) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.unwrap_or_default();
        // The name, in brackets, may hold anything; after it, user and system time stand 12th and
        // 13th.
        let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
        let ticks = after.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok());
        TICK * ticks.sum::<u32>()
    }

    /// The same since `before`, as text, for each of so many requests.
    pub(super) fn cpu_each(&self, before: Duration, requests: u64) -> String {
        let spent = self.cpu().saturating_sub(before);
        format!("cpu {:.1} us each", spent.as_secs_f64() * 1e6 / requests.max(1) as f64)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Asked to end, so that it ends its own children; an error means that it has ended already.
        let _ = self.signal("TERM");
        let _ = self.child.wait();
    }
}

fn spawn(command: &[String], arguments: &[String]) -> Result<Child> {
    let (first, rest) = command.split_first().context("no program is named")?;
    Command::new(first)
        .args(rest)
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("{first} does not start"))
}

pub(super) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
