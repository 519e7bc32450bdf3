//! One of three upstreams is killed, hung, slow, or answers with garbage while a thousand requests
//! a second come, half of which change something; and callers that hang up, which changes nothing.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::{
    Program, Trial,
    program::{self, Folder},
};
use crate::load::{Counts, Load};

/// Requests a second, GET and POST together.
const RATE: f64 = 1_000.0;
const CALM: Duration = Duration::from_secs(3);
/// What the blow costs must be over by then,
const OVER_AFTER: Duration = Duration::from_secs(2);
/// and be no more of the requests of that time.
const WRONG_MAX: usize = 20;
/// Still under load afterwards.
const AFTERWARDS: Duration = Duration::from_secs(5);
const HANG_UPS: usize = 1_000;

/// What happens to one of three.
const BLOWS: [(&str, &str); 4] =
    [("killed", "KILL"), ("hung", "STOP"), ("slow", "USR1"), ("garbage", "USR2")];

/// An upstream in a process of its own.
struct Upstream {
    address: SocketAddr,
    taken: PathBuf,
    child: Child,
}

impl Trial {
    /// One of three upstreams fails in each way that there is: at most one request in a hundred
    /// fails, for at most two seconds, and none that changes something is sent twice.
    ///
    /// # Errors
    /// When something does not start, or a bar is missed.
    pub fn upstreams(&self) -> Result<()> {
        for (name, signal) in BLOWS {
            self.one_of_three(name, signal)?;
        }
        self.hang_ups()
    }

    fn one_of_three(&self, name: &str, signal: &str) -> Result<()> {
        let folder = program::folder("upstreams")?;
        let upstreams = Upstream::three(&folder)?;
        let program = self.before(&upstreams, &folder)?;
        let load = |body: Option<&str>| {
            let body = body.map(str::to_owned);
            Load { body, sources: 4, ..Load::gets(program.address, 256) }
        };
        let lasting = CALM + OVER_AFTER + AFTERWARDS;
        let (gets, posts) = (load(None), load(Some("{}")));
        let gets = std::thread::spawn(move || gets.at_rate(RATE / 2.0, lasting));
        let posts = std::thread::spawn(move || posts.at_rate(RATE / 2.0, lasting));
        sleep(CALM);
        upstreams[0].signal(signal)?;
        let gets = gets.join().ok().context("the load panicked")??;
        let posts = posts.join().ok().context("the load panicked")??;
        let standing = program.upstreams()?;
        println!("one of three {name}, GET: {gets}");
        println!("one of three {name}, POST: {posts}");
        for line in standing {
            println!("one of three {name}: {line}");
        }
        let both =
            |span: std::ops::Range<Duration>| gets.wrong_in(span.clone()) + posts.wrong_in(span);
        // The signal was sent a little later than the load began, and a request that was due right
        // before it may have been with the upstream.
        let over = CALM + OVER_AFTER;
        let (before, during, after) =
            (both(Duration::ZERO..CALM / 2), both(CALM / 2..over), both(over..Duration::MAX));
        let twice = twice(&upstreams)?;
        println!(
            "one of three {name}: without a right answer {before} before, {during} within \
             {} s, {after} after; sent twice {twice}",
            OVER_AFTER.as_secs()
        );
        ensure!(
            before == 0 && after == 0,
            "{name}: {before} requests failed before, {after} after"
        );
        ensure!(during <= WRONG_MAX, "{name}: {during} requests failed");
        ensure!(twice == 0, "{name}: {twice} requests that change something came twice");
        ensure!(due(&gets) && due(&posts), "{name}: the load fell behind");
        Ok(())
    }

    /// A thousand callers ask and are gone.
    fn hang_ups(&self) -> Result<()> {
        let folder = program::folder("hang-ups")?;
        let upstreams = Upstream::three(&folder)?;
        let program = self.before(&upstreams, &folder)?;
        for upstream in &upstreams {
            upstream.signal("USR1")?;
        }
        sleep(Duration::from_millis(200));
        for number in 0..HANG_UPS {
            let mut caller = TcpStream::connect(program.address)?;
            let request = match number % 2 {
                0 => "GET / HTTP/1.1\r\nhost: load.test\r\n\r\n",
                _ => "POST / HTTP/1.1\r\nhost: load.test\r\ncontent-length: 99\r\n\r\nhalf",
            };
            caller.write_all(request.as_bytes())?;
        }
        sleep(Duration::from_secs(3));
        let standing = program.upstreams()?;
        println!("{HANG_UPS} callers hung up: {}", standing.join("; "));
        let untouched = |line: &String| line.ends_with("serves, 0 faults, out 0 times");
        ensure!(standing.len() == 3 && standing.iter().all(untouched), "it left a trace");
        Ok(())
    }

    fn before(&self, upstreams: &[Upstream], folder: &Folder) -> Result<Program> {
        let urls: Vec<String> =
            upstreams.iter().map(|one| format!("\"http://{}\"", one.address)).collect();
        let text = format!(
            "version = 1\n[server]\nlisten = [\"LISTEN\"]\n[[site]]\nname = \"load\"\n\
             upstream = [{}]\nfirst_byte_timeout = \"5s\"\n",
            urls.join(", ")
        );
        let file = folder.path().join("palisade.toml");
        Program::palisade_with(&self.program, &file, &text)
    }
}

/// Whether the load was as heavy as it was meant to be.
fn due(counts: &Counts) -> bool {
    counts.due_per_s() > 0.95 * RATE / 2.0
}

/// How many requests that change something came to upstreams more than once.
fn twice(upstreams: &[Upstream]) -> Result<usize> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for upstream in upstreams {
        for number in fs::read_to_string(&upstream.taken)?.lines() {
            *seen.entry(number.to_owned()).or_default() += 1;
        }
    }
    ensure!(!seen.is_empty(), "no request that changes something came");
    Ok(seen.values().filter(|count| **count > 1).count())
}

impl Upstream {
    fn three(folder: &Folder) -> Result<Vec<Self>> {
        (0..3).map(|number| Self::start(folder.path().join(format!("taken-{number}")))).collect()
    }

    fn start(taken: PathBuf) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("moody")
            .arg("--taken")
            .arg(&taken)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().context("no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim().parse().context("the upstream does not start")?;
        Ok(Self { address, taken, child })
    }

    fn signal(&self, name: &str) -> Result<()> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status()?;
        ensure!(sent.success(), "cannot signal process {pid}");
        Ok(())
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // Also ends one that is stopped; an error means that it is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
