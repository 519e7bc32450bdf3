//! Attackers and their innocent look-alikes over real sockets, against the real program in enforce
//! mode, with the sample API behind it and honest callers before them.
//!
//! The bars on many seeds are held in virtual time by `drill`; this shows that the same holds on
//! the wire, where answers take time and connections are real.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use drill::{
    live::{attack::Attack, browser::Target, look_alike, shoppers::Shoppers, tally::Tally},
    sample::SampleApi,
};
use tempfile::TempDir;

/// Distinct accounts that a single source may try before it is blocked.
const ACCOUNTS_MAX: u32 = 12;
/// Distinct misses of a scan, and the one call that may be in flight.
const MISSES_MAX: u32 = 10 + 1;

const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 66, 6, 6);

/// The sample API with the program before it; both end with the test.
struct Protected {
    program: Child,
    front: Target,
    _folders: [TempDir; 2],
}

impl Protected {
    async fn start() -> Self {
        let shop = tempfile::tempdir().expect("a folder");
        let data = tempfile::tempdir().expect("a folder");
        let api = SampleApi::open(shop.path()).expect("done");
        let behind = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let upstream = format!("http://{}", behind.local_addr().expect("an address"));
        tokio::spawn(api.serve(behind, std::future::pending()));
        let listen = free_address();
        let program = Command::new(env!("CARGO_BIN_EXE_palisade"))
            .args(["run", "--mode", "enforce", "--workers", "2", "--quiet"])
            .args(["--to", &upstream, "--listen", &listen.to_string(), "--data"])
            .arg(data.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("done");
        let front = Target::resolve(&format!("http://{listen}")).await.expect("done");
        let protected = Self { program, front, _folders: [shop, data] };
        let patience = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(listen).is_err() {
            assert!(Instant::now() < patience, "palisade does not listen on {listen}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        protected
    }

    /// Honest callers for a while; none of them may be refused.
    async fn honest_callers(&self, seed: u64) {
        let lasting = Duration::from_secs(4);
        let shoppers = Shoppers { count: 24, lasting, think_ms: 20, seed };
        let tally = shoppers.run(&self.front).await.expect("done");
        assert!(tally.answered_total() > 1_000, "{tally}");
        unrefused(&tally);
    }
}

impl Drop for Protected {
    fn drop(&mut self) {
        // The child is ours; an error means that it has ended already.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address")
}

fn unrefused(tally: &Tally) {
    assert_eq!((tally.refused_total(), tally.failed), (0, 0), "{tally}");
}

fn attack(calls: u32, per_second: u32) -> Attack {
    Attack { from: ATTACKER, calls, per_second }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuffing_is_stopped_cold_by_the_prior() {
    let protected = Protected::start().await;
    let tally = attack(40, 10).stuffing(&protected.front).await.expect("done");
    assert!(tally.answered_total() <= ACCOUNTS_MAX, "{tally}");
    assert!(tally.first_event.is_some(), "{tally}");
    protected.honest_callers(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuffing_is_stopped_among_honest_callers() {
    let protected = Protected::start().await;
    protected.honest_callers(1).await;
    let stuffing = attack(40, 10);
    let (tally, ()) =
        tokio::join!(stuffing.stuffing(&protected.front), protected.honest_callers(2));
    let tally = tally.expect("done");
    assert!(tally.answered_total() <= ACCOUNTS_MAX, "{tally}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuffing_is_stopped_also_where_failures_answer_200() {
    let protected = Protected::start().await;
    protected.honest_callers(6).await;
    let tally = attack(40, 10).form_stuffing(&protected.front).await.expect("done");
    assert!(tally.answered_total() <= ACCOUNTS_MAX, "{tally}");
    assert!(tally.first_event.is_some(), "{tally}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_is_stopped_among_honest_callers() {
    let protected = Protected::start().await;
    protected.honest_callers(3).await;
    let scan = attack(60, 20);
    let (tally, ()) = tokio::join!(scan.scan(&protected.front), protected.honest_callers(4));
    let tally = tally.expect("done");
    assert!(tally.answered_total() <= MISSES_MAX, "{tally}");
    assert!(tally.first_event.is_some(), "{tally}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn look_alikes_are_not_refused() {
    let protected = Protected::start().await;
    protected.honest_callers(5).await;
    unrefused(&look_alike::broken_link(&protected.front, 300).await.expect("done"));
    unrefused(&look_alike::dead_images(&protected.front, 100).await.expect("done"));
    let office = look_alike::office(&protected.front, Ipv4Addr::new(127, 30, 0, 1), 150);
    unrefused(&office.await.expect("done"));
}
