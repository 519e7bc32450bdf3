//! Somebody who is to be told of attacks is gone, for as long as the trial lasts, while attacks go
//! on: traffic must not notice, and once they are back they are told of each, once and in order.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Program, Trial, program};
use crate::load::{Counts, Load, Till};

/// Requests a second. One connection may carry them all, and a single source may not send as many
/// as a hundred for long.
const RATE: f64 = 90.0;
/// As long as this share of the time the sink is alive before, to compare with.
const ALIVE_SHARE: u32 = 5;
/// So many attacks are to be told while it is dead.
const ATTACKS: u32 = 60;
/// What a dead sink may add to the 99th percentile.
const ADDED_P99_US_MAX: u32 = 1_000;
/// A pause before the next try is a minute at most.
const TOLD_WITHIN: Duration = Duration::from_secs(90);

/// A sink that takes everything. It ends with the trial's process.
struct Sink {
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Trial {
    /// A sink that is alive, then dead, then alive again.
    ///
    /// # Errors
    /// When something does not start, or a bar is missed.
    pub fn dead_sink(&self) -> Result<()> {
        let till = Till::open(None)?;
        let folder = program::folder("dead-sink")?;
        let (alive, dead) = (program::free_address()?, program::free_address()?);
        let _kept = Sink::open(alive)?;
        let file = folder.path().join("palisade.toml");
        let text = |sink: SocketAddr| {
            format!(
                "version = 1\n[server]\nlisten = [\"LISTEN\"]\ntrusted_proxies = [\"127.0.0.1/32\"]\n\
                 [alerts]\nwebhook = [{{ url = \"http://{sink}/in\", name = \"soc\" }}]\n\
                 [[site]]\nname = \"load\"\nhosts = [\"*\"]\nupstream = [\"{}\"]\nmode = \"enforce\"\n",
                till.url()
            )
        };
        let program = Program::palisade_with(&self.program, &file, &text(alive))?;
        let before = under_load(&program, self.lasting / ALIVE_SHARE, 0)?;
        println!("a sink that is alive: {before}");
        std::fs::write(&file, program.at_its_address(&text(dead)))?;
        program.reload()?;
        let during = under_load(&program, self.lasting, ATTACKS)?;
        let waiting = figure(&program, "waiting")?;
        println!(
            "a sink that is dead for {} s: {during}; {waiting} alerts wait, {} tries failed, {} dropped",
            self.lasting.as_secs(),
            figure(&program, "failed")?,
            figure(&program, "dropped")?,
        );
        ensure!(before.right == before.sent() && during.right == during.sent(), "requests failed");
        ensure!(waiting == u64::from(ATTACKS), "{waiting} alerts wait, of {ATTACKS} attacks");
        let back = Instant::now();
        let sink = Sink::open(dead)?;
        while figure(&program, "waiting")? > 0 {
            ensure!(
                back.elapsed() < TOLD_WITHIN,
                "not all was told in {} s",
                TOLD_WITHIN.as_secs()
            );
            sleep(Duration::from_millis(200));
        }
        let told = sink.attackers()?;
        println!(
            "the sink is back: {} alerts within {:.1} s",
            told.len(),
            back.elapsed().as_secs_f64()
        );
        let expected: Vec<String> = (0..ATTACKS).map(attacker).collect();
        ensure!(told == expected, "not each attack was told once and in order: {told:?}");
        ensure!(figure(&program, "dropped")? == 0, "alerts were dropped");
        let (was, is) = (before.latency().p99_us, during.latency().p99_us);
        ensure!(is <= was + ADDED_P99_US_MAX, "p99 rose from {was} us to {is} us");
        Ok(())
    }
}

/// A steady load, with so many attacks meanwhile, each by a caller of its own.
fn under_load(program: &Program, lasting: Duration, attacks: u32) -> Result<Counts> {
    let load = Load::gets(program.address, 64);
    let caller = std::thread::spawn(move || load.at_rate(RATE, lasting));
    for number in 0..attacks {
        touch_decoy(program.address, number)?;
        sleep(lasting / (attacks + 1));
    }
    caller.join().ok().context("the load panicked")?
}

fn attacker(number: u32) -> String {
    format!("ip:203.0.{}.{}", number / 200, number % 200 + 1)
}

/// A caller that nobody has seen asks for a file that no page links to.
fn touch_decoy(to: SocketAddr, number: u32) -> Result<()> {
    let mut stream = TcpStream::connect(to)?;
    let attacker = attacker(number);
    let from = attacker.trim_start_matches("ip:");
    write!(
        stream,
        "GET /.env HTTP/1.1\r\nhost: load.test\r\nx-forwarded-for: {from}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 403"), "not refused: {answer}");
    Ok(())
}

/// A figure of the only sink.
fn figure(program: &Program, name: &str) -> Result<u64> {
    let status = program.status()?;
    status["sinks"][0][name].as_u64().with_context(|| format!("no {name} in {status}"))
}

impl Sink {
    fn open(at: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(at)?;
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bodies);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // One caller at a time: messages come one after the other.
                let _ = serve(stream, &kept);
            }
        });
        Ok(Self { bodies })
    }

    /// Who attacked, in the order in which it was told.
    fn attackers(&self) -> Result<Vec<String>> {
        let bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        let attacker = |body: &String| {
            let told: Value = serde_json::from_str(body)?;
            let entity = told["incident"]["evidence"][0]["entity"].as_str();
            Ok(entity.context("an alert without an attacker")?.to_owned())
        };
        bodies.iter().map(attacker).collect()
    }
}

/// Takes the messages of one connection.
fn serve(mut stream: TcpStream, bodies: &Mutex<Vec<String>>) -> Result<()> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        while let Some((body, end)) = message(&bytes) {
            bodies.lock().unwrap_or_else(PoisonError::into_inner).push(body);
            bytes.drain(..end);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        }
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => bytes.extend(buffer.iter().take(count)),
        }
    }
}

/// The body of the first message in `bytes`, and where it ends, once all of it is there.
fn message(bytes: &[u8]) -> Option<(String, usize)> {
    let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(bytes.get(..head_end)?).to_ascii_lowercase();
    let (_, rest) = head.split_once("content-length:")?;
    let length: usize = rest.lines().next()?.trim().parse().ok()?;
    let body = bytes.get(head_end..head_end + length)?;
    Some((String::from_utf8_lossy(body).into_owned(), head_end + length))
}
