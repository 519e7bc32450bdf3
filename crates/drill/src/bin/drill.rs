//! The program of the drill: the sample API, and callers of all kinds over real sockets.
//!
//! Used by `make demo` and by whoever wants to see Palisade work by hand. Results go to stdout,
//! one sentence each; what is going on goes to stderr.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use drill::{
    live::{attack::Attack, browser::Target, look_alike, shoppers::Shoppers, tally::Tally},
    sample::SampleApi,
    trial::Trial,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

/// A sample API, and callers to try Palisade with
#[derive(Parser)]
#[command(name = "drill", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the sample API until SIGTERM or Ctrl-C
    SampleApi {
        /// Where to listen; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:3000")]
        listen: SocketAddr,
        /// Folder of its SQLite file
        #[arg(long)]
        data: PathBuf,
    },
    /// Honest callers, each from a loopback address of their own
    Callers {
        /// http://host:port
        #[arg(long)]
        to: String,
        /// How many people
        #[arg(long, default_value_t = 24)]
        count: u32,
        /// How long they keep coming back
        #[arg(long, default_value_t = 30)]
        secs: u64,
        /// Mean time between two clicks
        #[arg(long, default_value_t = 250)]
        think_ms: u32,
        /// What the dice begin with
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// An attacker at one address
    Attack {
        /// What the attacker does
        kind: AttackKind,
        /// http://host:port
        #[arg(long)]
        to: String,
        /// The attacker's loopback address
        #[arg(long, default_value = "127.66.6.6")]
        from: Ipv4Addr,
        /// Calls in all
        #[arg(long, default_value_t = 60)]
        calls: u32,
        /// Calls in a second
        #[arg(long, default_value_t = 5)]
        per_second: u32,
    },
    /// What the program must bear; fails when it does not
    Trial {
        /// What is tried
        kinds: Vec<TrialKind>,
        /// The program, with what comes before it
        #[arg(long, default_value = "target/release/palisade")]
        program: String,
        /// nginx, with what comes before it
        #[arg(long, default_value = "nginx")]
        nginx: String,
        /// GoAccess, with what comes before it
        #[arg(long, default_value = "goaccess")]
        goaccess: String,
        /// How long the load lasts
        #[arg(long, default_value_t = 30)]
        secs: u64,
        /// How many distinct addresses, tokens and paths `memory` sends
        #[arg(long, default_value_t = 5_000_000)]
        strangers: u64,
    },
    /// Write an access log in combined format, dates rising, of fifty thousand addresses
    AccessLog {
        /// How many lines
        #[arg(long, default_value_t = 1_000_000)]
        lines: u64,
        /// What the dice begin with
        #[arg(long, default_value_t = 7)]
        seed: u64,
    },
    /// A server for trials, whose mood signals change
    #[command(hide = true)]
    Moody {
        /// Where the numbers of POST requests go
        #[arg(long)]
        taken: PathBuf,
    },
    /// Honest callers that look like attackers
    LookAlike {
        /// Which of them
        kind: LookAlikeKind,
        /// http://host:port
        #[arg(long)]
        to: String,
        /// The office's one address
        #[arg(long, default_value = "127.30.0.1")]
        from: Ipv4Addr,
        /// How many people
        #[arg(long, default_value_t = 200)]
        count: u32,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum TrialKind {
    /// Three times as many requests as the upstream can answer
    SlowUpstream,
    /// Three times as many requests as the gateway can carry
    BusyGateway,
    /// Half of what the gateway can carry, beside nginx
    HalfLoad,
    /// A hundred new policies at 1,000 requests a second
    Reloads,
    /// One of three upstreams is killed, hung, slow, or answers with garbage; callers hang up
    Upstreams,
    /// Somebody who is to be told of attacks is gone while attacks go on
    DeadSink,
    /// A thousand new rule sets while requests are under way
    RuleReloads,
    /// A million lines of an access log, beside GoAccess
    Logs,
    /// More addresses, tokens and paths than fit, under several budgets
    Memory,
    /// An upload and a download of 5 GB
    LargeBodies,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum AttackKind {
    /// Stolen e-mail and password pairs at the log-in
    Stuffing,
    /// The same at the old form, which answers failures with 200
    FormStuffing,
    /// Paths of a word list
    Scan,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum LookAlikeKind {
    /// Many people behind one address, a quarter mistypes
    Office,
    /// A page whose twelve images are gone
    DeadImages,
    /// One broken link that everybody follows
    BrokenLink,
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::SampleApi { listen, data } => serve(listen, data).await,
        Command::Callers { to, count, secs, think_ms, seed } => {
            let lasting = Duration::from_secs(secs);
            let shoppers = Shoppers { count, lasting, think_ms, seed };
            let tally = shoppers.run(&Target::resolve(&to).await?).await?;
            report("honest callers", &tally)
        }
        Command::Attack { kind, to, from, calls, per_second } => {
            let target = Target::resolve(&to).await?;
            let attack = Attack { from, calls, per_second };
            let tally = match kind {
                AttackKind::Stuffing => attack.stuffing(&target).await?,
                AttackKind::FormStuffing => attack.form_stuffing(&target).await?,
                AttackKind::Scan => attack.scan(&target).await?,
            };
            report("attacker", &tally)
        }
        Command::AccessLog { lines, seed } => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            drill::access_log::write(lines, seed, &mut out)?;
            Ok(std::io::Write::flush(&mut out)?)
        }
        Command::Trial { kinds, program, nginx, goaccess, secs, strangers } => {
            let lasting = Duration::from_secs(secs);
            let trial = Trial { program, nginx, goaccess, lasting, strangers };
            // It brings threads of its own, and blocks.
            tokio::task::spawn_blocking(move || try_all(&trial, &kinds)).await?
        }
        Command::Moody { taken } => drill::load::moody::serve(&taken).await,
        Command::LookAlike { kind, to, from, count } => {
            let target = Target::resolve(&to).await?;
            let tally = match kind {
                LookAlikeKind::Office => look_alike::office(&target, from, count).await?,
                LookAlikeKind::DeadImages => look_alike::dead_images(&target, count).await?,
                LookAlikeKind::BrokenLink => look_alike::broken_link(&target, count).await?,
            };
            report("look-alikes", &tally)
        }
    }
}

async fn serve(listen: SocketAddr, data: PathBuf) -> Result<()> {
    let api = SampleApi::open(&data)?;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    println!("sample api: http://{}", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    api.serve(listener, async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
    .await
}

/// Tries one thing after the other; what fails does not keep the others from being tried.
fn try_all(trial: &Trial, kinds: &[TrialKind]) -> Result<()> {
    let mut failed = Vec::new();
    for kind in kinds {
        let tried = match kind {
            TrialKind::SlowUpstream => trial.slow_upstream(),
            TrialKind::BusyGateway => trial.busy_gateway(),
            TrialKind::HalfLoad => trial.half_load(),
            TrialKind::Reloads => trial.reloads(),
            TrialKind::Upstreams => trial.upstreams(),
            TrialKind::DeadSink => trial.dead_sink(),
            TrialKind::RuleReloads => trial.rule_reloads(),
            TrialKind::Logs => trial.logs(),
            TrialKind::Memory => trial.memory(),
            TrialKind::LargeBodies => trial.large_bodies(),
        };
        failed.extend(tried.err().map(|error| format!("{error:#}")));
    }
    anyhow::ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(())
}

/// Prints the tally; a drill in which nothing was answered has failed.
fn report(who: &str, tally: &Tally) -> Result<()> {
    println!("{who}: {tally}");
    let anything = tally.answered_total() + tally.refused_total();
    anyhow::ensure!(anything > 0, "nobody answered");
    Ok(())
}
