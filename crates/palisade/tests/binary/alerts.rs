//! Others are told of attacks: by the real program, of a real attack, over sockets.

mod syslog;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Answer, Got, Palisade, Upstream, call_with, program, shop, text, until};
use syslog::Receiver;

/// A policy with these lines, in front of `upstream`. Callers say who they are.
fn policy(upstream: &Upstream, lines: &str) -> String {
    format!(
        "version = 1\n{lines}\n[server]\nlisten = \"127.0.0.1:0\"\n\
         trusted_proxies = [\"127.0.0.1/32\"]\n\
         [[site]]\nupstream = \"{}\"\nmode = \"enforce\"\n",
        upstream.url()
    )
}

fn start(folder: &Path, text: &str) -> Palisade {
    let file = folder.join("palisade.toml");
    fs::write(&file, text).expect("written");
    Palisade::start(&folder.join("data"), &["-c", file.to_str().expect("a path")])
}

/// Takes everything.
fn taking() -> Upstream {
    Upstream::serve(|_| Answer::json(200, "ok"))
}

/// A caller of its own touches a decoy: an incident of its own.
fn attack(palisade: &Palisade, caller: u8) {
    let address = format!("203.0.113.{caller}");
    let headers = [("X-Forwarded-For", address.as_str())];
    let answer = call_with(palisade.address, "GET", "/.env", &headers, "");
    assert_eq!(answer.status, 403, "{}", answer.body);
}

fn honest(palisade: &Palisade) -> u16 {
    let headers = [("X-Forwarded-For", "198.51.100.7")];
    call_with(palisade.address, "GET", "/api/v1/products", &headers, "").status
}

/// A figure of the only sink.
fn figure(palisade: &Palisade, name: &str) -> u64 {
    let status = palisade.json(&["status"]);
    status["sinks"][0][name].as_u64().unwrap_or_else(|| panic!("no {name}: {}", status["sinks"]))
}

fn bodies(sink: &Upstream) -> Vec<Value> {
    sink.got().iter().map(|got| serde_json::from_str(&got.body).expect("JSON")).collect()
}

fn arrived(sink: &Upstream, count: usize) -> Vec<Value> {
    until("messages", || Some(bodies(sink)).filter(|all| all.len() >= count))
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

#[test]
fn an_attack_is_told_to_everybody_once() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let (own, slack, siem) = (taking(), taking(), Receiver::start(folder.path()));
    let secret = folder.path().join("slack.url");
    fs::write(&secret, format!("{}/services/T0/B0/s3cret\n", slack.url())).expect("written");
    let lines = format!(
        "[alerts]\nwebhook = [{{ url = \"{}/hook?key=s3cret\" }},\n\
         {{ url = \"file:slack.url\", format = \"slack\" }}]\n\
         syslog = {{ to = \"syslog+tls://localhost:{port}\", ca_file = \"ca.pem\" }}\n\
         [export]\nocsf = {{ to = \"syslog+tls://localhost:{port}\", ca_file = \"ca.pem\", \
         classes = [\"detection_finding\", \"http_activity\"] }}\n",
        own.url(),
        port = siem.port,
    );
    let palisade = start(folder.path(), &policy(&upstream, &lines));
    let tested = palisade.command(&["alerts", "test"]);
    assert!(tested.status.success(), "{}{}", text(&tested.stdout), text(&tested.stderr));
    attack(&palisade, 9);
    let told = arrived(&own, 2);
    assert_eq!(told[0]["news"], "test");
    assert_eq!(told[1]["schema"], "palisade.v1.alert");
    assert_eq!(told[1]["news"], "opened");
    let incident = &told[1]["incident"];
    let title = incident["title"].as_str().expect("a title");
    assert!(title.contains("ip:203.0.113.9") && incident["severity"] == "high", "{incident}");
    assert_eq!(incident["evidence"][0]["entity"], "ip:203.0.113.9");
    let got = &own.got()[1];
    assert_eq!((got.method.as_str(), got.target.as_str()), ("POST", "/hook?key=s3cret"));
    let told = arrived(&slack, 2);
    assert!(told[1]["text"].as_str().is_some_and(|it| it.ends_with(title)), "{told:?}");
    assert_eq!(slack.got()[1].target, "/services/T0/B0/s3cret");
    check_lines(&siem);
    // Nothing more comes of it: it was told once.
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!((own.got().len(), slack.got().len()), (2, 2));
    let status = text(&palisade.command(&["status"]).stdout);
    let said = palisade.said();
    assert!(!status.contains("s3cret") && !said.contains("s3cret"), "{status}\n{said}");
    assert!(status.contains("json-127.0.0.1") && status.contains("slack-slack"), "{status}");
    let data = format!("{}", folder.path().join("data").display());
    let kept = std::process::Command::new("grep").args(["-rl", "s3cret", &data]).output();
    assert_eq!(text(&kept.expect("grep runs").stdout), "", "the data folder holds no secret");
}

fn check_lines(siem: &Receiver) {
    let find =
        |what: &str| until(what, || siem.frames().into_iter().find(|frame| frame.contains(what)));
    let line = find("palisade@32473 uid=");
    assert!(line.starts_with("<8"), "{line}");
    let line = until("an alert", || {
        siem.frames().into_iter().find(|frame| frame.contains("news=\"opened\""))
    });
    assert!(line.contains("entity=\"ip:203.0.113.9\""), "{line}");
    let json = |line: &str| -> Value {
        serde_json::from_str(line.get(line.find('{').expect("JSON")..).expect("JSON"))
            .expect("JSON")
    };
    let finding = until("a finding", || {
        siem.frames()
            .iter()
            .filter(|it| it.contains(" detection_finding "))
            .map(|it| json(it))
            .find(|finding| finding["is_alert"] == true)
    });
    assert_eq!(finding["type_uid"], 200_401);
    assert_eq!(finding["evidences"][0]["src_endpoint"]["ip"], "203.0.113.9");
    assert_eq!(finding["disposition"], "Blocked");
    let activity = json(&find(" http_activity "));
    assert_eq!(activity["type_uid"], 400_203);
    assert_eq!(activity["http_request"]["url"]["path"], "/.env");
    assert_eq!(activity["src_endpoint"]["ip"], "203.0.113.9");
    assert_eq!(activity["action"], "Denied");
}

#[test]
fn a_dead_sink_costs_traffic_nothing_and_loses_nothing() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let address = free_address();
    let lines = format!("[alerts]\nwebhook = {{ url = \"http://{address}/in\" }}\n");
    let palisade = start(folder.path(), &policy(&upstream, &lines));
    for caller in 1..=4 {
        attack(&palisade, caller);
        until("an alert", || (figure(&palisade, "waiting") == u64::from(caller)).then_some(()));
    }
    let began = Instant::now();
    assert_eq!((0..50).map(|_| honest(&palisade)).filter(|status| *status != 200).count(), 0);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    until("a try", || (figure(&palisade, "failed") > 0).then_some(()));
    let status = palisade.json(&["status"]);
    assert!(status["alarms"].to_string().contains("cannot be told"), "{}", status["alarms"]);
    // The program dies while they wait.
    palisade.signal("KILL");
    drop(palisade);
    let palisade = start(folder.path(), &policy(&upstream, &lines));
    assert_eq!(figure(&palisade, "waiting"), 4);
    attack(&palisade, 5);
    until("an alert", || (figure(&palisade, "waiting") == 5).then_some(()));
    let listener = TcpListener::bind(address).expect("the port is free");
    let sink = Upstream::serve_on(listener, |_| Answer::json(200, "ok"));
    let told = arrived(&sink, 5);
    let entity = |told: &Value| told["incident"]["evidence"][0]["entity"].to_string();
    let expected: Vec<String> = (1..=5).map(|it| format!("\"ip:203.0.113.{it}\"")).collect();
    assert_eq!(told.iter().map(entity).collect::<Vec<_>>(), expected, "in order, each once");
    until("the end", || (figure(&palisade, "waiting") == 0).then_some(()));
    assert_eq!(figure(&palisade, "dropped"), 0);
    assert_eq!(sink.got().len(), 5);
}

#[test]
fn what_waits_goes_to_where_the_sink_is_after_a_reload() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let sink = taking();
    let lines = |url: &str| format!("[alerts]\nwebhook = {{ url = \"{url}\", name = \"soc\" }}\n");
    let dead = format!("http://{}", free_address());
    let palisade = start(folder.path(), &policy(&upstream, &lines(&dead)));
    attack(&palisade, 1);
    until("an alert", || (figure(&palisade, "waiting") == 1).then_some(()));
    fs::write(folder.path().join("palisade.toml"), policy(&upstream, &lines(&sink.url())))
        .expect("written");
    palisade.signal("HUP");
    assert_eq!(arrived(&sink, 1)[0]["news"], "opened");
    // Without a sink nothing is lost either: it is told when one of that name is there again.
    let broken = format!("[alerts]\nwebhook = {{ url = \"{}\", min = \"hihg\" }}\n", sink.url());
    fs::write(folder.path().join("palisade.toml"), policy(&upstream, &broken)).expect("written");
    let refused = palisade.command(&["reload"]);
    assert_eq!(refused.status.code(), Some(4));
    let said = text(&refused.stderr);
    assert!(said.contains("did you mean \"high\"?"), "{said}");
    attack(&palisade, 2);
    assert_eq!(arrived(&sink, 2).len(), 2, "the old sinks stay in force");
}

#[test]
fn a_redirect_is_not_followed() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let elsewhere = taking();
    let to = elsewhere.url();
    let sink = Upstream::serve(move |_: &Got| {
        let mut answer = Answer::json(307, "");
        answer.headers.push(("location".to_owned(), to.clone()));
        answer
    });
    let lines = format!("[alerts]\nwebhook = {{ url = \"{}\" }}\n", sink.url());
    let palisade = start(folder.path(), &policy(&upstream, &lines));
    let tested = palisade.command(&["alerts", "test"]);
    let said = text(&tested.stdout);
    assert_eq!(tested.status.code(), Some(1), "{said}");
    assert!(said.contains("redirects are not followed"), "{said}");
    assert_eq!(elsewhere.got().len(), 0);
}

#[test]
fn metadata_services_are_never_asked() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("palisade.toml");
    let check = |lines: &str| {
        fs::write(&file, policy(&upstream, lines)).expect("written");
        let output = program().args(["check", "-c"]).arg(&file).output().expect("the program runs");
        (output.status.code(), text(&output.stderr))
    };
    let (code, said) =
        check("[alerts]\nwebhook = { url = \"http://169.254.169.254/latest/meta-data/s3cret\" }");
    assert_eq!(code, Some(4));
    assert!(said.contains("metadata service") && !said.contains("s3cret"), "{said}");
    let (code, said) = check("[alerts]\nwebhook = { url = \"env:NO_SUCH_VARIABLE\" }");
    assert_eq!(code, Some(4));
    assert!(said.contains("the environment has no NO_SUCH_VARIABLE"), "{said}");
    // Where the file does not show it, it is refused when it is used.
    fs::write(folder.path().join("url"), "http://169.254.169.254/s3cret").expect("written");
    let lines = "[alerts]\nwebhook = { url = \"file:url\" }";
    let palisade = start(folder.path(), &policy(&upstream, lines));
    let tested = palisade.command(&["alerts", "test"]);
    let said = text(&tested.stdout);
    assert_eq!(tested.status.code(), Some(1), "{said}");
    assert!(said.contains("not told") && !said.contains("s3cret"), "{said}");
}
