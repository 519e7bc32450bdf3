//! A disk that takes nothing more, under load: traffic does not notice, `status` does, and it
//! passes.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use drill::load::{Load, Till};

use crate::past;
use crate::support::{Palisade, call_raw, shop, until};

const RATE: f64 = 200.0;
const LOAD_FOR: Duration = Duration::from_secs(10);

/// A disk that can be made full and empty again.
enum Disk<'a> {
    /// A small file system of its own, and the file that fills it.
    Mounted { ballast: &'a Path },
    /// No file may grow beyond a limit on the process.
    Limited { pid: u32 },
}

impl Disk<'_> {
    fn fill(&self) {
        match self {
            Self::Mounted { ballast } => {
                let mut file = File::create(ballast).expect("made");
                for size in [1 << 16, 1 << 12, 512, 1] {
                    while file.write_all(&vec![0; size]).is_ok() {}
                }
            }
            Self::Limited { pid } => limit_files(*pid, "400000"),
        }
    }

    fn free(&self) {
        match self {
            Self::Mounted { ballast } => fs::remove_file(ballast).expect("removed"),
            Self::Limited { pid } => limit_files(*pid, "unlimited"),
        }
    }
}

/// Lets no file of a process grow beyond so many bytes.
fn limit_files(pid: u32, bytes: &str) {
    let mut limit = Command::new("prlimit");
    limit.args(["--pid", &pid.to_string(), &format!("--fsize={bytes}:")]);
    assert!(limit.status().expect("prlimit runs").success());
}

#[test]
fn a_full_disk_is_counted_and_no_request_notices() {
    let folder = tempfile::tempdir().expect("a folder");
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"])
        .arg(folder.path())
        .output();
    let is_mounted = mount.is_ok_and(|mount| mount.status.success());
    let outcome = std::panic::catch_unwind(|| fill_and_free(folder.path(), is_mounted));
    if is_mounted {
        let unmounted = Command::new("umount").arg(folder.path()).status().expect("umount runs");
        assert!(unmounted.success());
    }
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure);
    }
}

#[test]
fn files_that_may_not_grow_are_a_full_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    fill_and_free(folder.path(), false);
}

fn fill_and_free(folder: &Path, is_mounted: bool) {
    let till = Till::open(None).expect("an upstream");
    let (data, ballast) = (folder.join("data"), folder.join("ballast"));
    let to = till.url();
    let args = ["--to", &to, "--listen", "127.0.0.1:0"];
    let (palisade, disk);
    if is_mounted {
        palisade = Palisade::start(&data, &args);
        disk = Disk::Mounted { ballast: &ballast };
    } else {
        palisade = Palisade::start_after("trap '' XFSZ;", &data, &args);
        disk = Disk::Limited { pid: palisade.pid() };
    }
    let address = palisade.address;
    let load = Load::gets(address, 256);
    let load = std::thread::spawn(move || load.at_rate(RATE, LOAD_FOR));
    let is_over = Arc::new(AtomicBool::new(false));
    let refused: Vec<_> = (0..2)
        .map(|_| {
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    be_refused(address);
                }
            })
        })
        .collect();
    until("events on disk", || (palisade.counter("events written") > 100).then_some(()));
    disk.fill();
    let alarms = || palisade.json(&["status"])["alarms"].to_string();
    until("the alarm", || alarms().contains("the ledger cannot write").then_some(()));
    until("events to be dropped", || (palisade.counter("dropped, disk") > 0).then_some(()));
    // At their pace the freed disk would be full again before anybody has looked at it.
    is_over.store(true, Ordering::Relaxed);
    for caller in refused {
        caller.join().expect("every refusal has its event");
    }
    disk.free();
    until("the alarm to end", || (!alarms().contains("cannot write")).then_some(()));
    let written = palisade.counter("events written");
    until("events on disk again", || {
        be_refused(address);
        (palisade.counter("events written") > written).then_some(())
    });
    let dropped = palisade.counter("dropped, disk");
    let counts = load.join().expect("the load").expect("a load");
    println!(
        "disk full ({}): {counts}; {dropped} events dropped",
        if is_mounted { "tmpfs" } else { "limit" }
    );
    assert_eq!(counts.right, counts.sent(), "{counts}");
    assert_eq!(palisade.end(), 143);
}

/// Makes one event.
fn be_refused(by: SocketAddr) {
    let answer = call_raw(by, b"GET /no-host HTTP/1.1\r\n\r\n");
    assert!(answer.header("palisade-event").is_some(), "{answer:?}");
}

/// A ledger that holds more than it may: the oldest days go, of the last one the oldest events, and
/// what is left is within the budget and answers.
#[test]
fn more_than_the_disk_budget_goes_oldest_first() {
    const BUDGET: u64 = 64 << 20;
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let data = folder.path().join("data");
    past::events(&data, 3, 3_000);
    past::events(&data, 0, 30_000);
    assert!(past::used_bytes(&data) > BUDGET + (8 << 20), "{}", past::used_bytes(&data));
    let file = folder.path().join("palisade.toml");
    let text = format!(
        "version = 1\n[server]\nlisten = \"127.0.0.1:0\"\n[store]\nmax_disk = \"64MiB\"\n\
         [[site]]\nupstream = \"{}\"\n",
        upstream.url()
    );
    fs::write(&file, text).expect("written");
    let palisade = Palisade::start(&data, &["-c", file.to_str().expect("a path")]);
    until("room", || {
        // The writer looks at its budget when it has something to write.
        call_raw(palisade.address, b"GET / HTTP/1.0\r\n\r\n");
        (past::used_bytes(&data) <= BUDGET).then_some(())
    });
    assert!(past::used_bytes(&data) > BUDGET / 2, "no more went than had to");
    let shown = palisade.json(&["events", "--since", "90h", "-n", "10000"]).to_string();
    assert!(shown.contains("days-ago-0-29999"), "the newest event is there");
    let days = fs::read_dir(data.join("events")).expect("a folder").flatten();
    let days = days.filter(|day| day.path().extension().is_some_and(|it| it == "db"));
    assert_eq!(days.count(), 1, "the old day went whole");
    assert_eq!(palisade.json(&["status"])["alarms"], serde_json::Value::Null);
}
