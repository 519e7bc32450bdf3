//! What an operator does: look, block, allow, switch, silence, and take it all back.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{
    Answer, Palisade, Upstream, call, call_with, command, log_in_as, program, shop, text, until,
};

#[test]
fn a_block_in_monitor_mode_is_watched_and_says_so() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    let output = palisade.command(&["block", "ip:127.0.0.1"]);
    let said = text(&output.stderr);
    assert!(said.contains("palisade enforce rate"), "{said}");
    assert_eq!(call(palisade.address, "GET", "/api/v1/products", "").status, 200);
    assert!(palisade.command(&["enforce", "rate"]).status.success());
    assert_eq!(call(palisade.address, "GET", "/api/v1/products", "").status, 403);
}

#[test]
fn blocks_hold_and_are_taken_back() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let output = palisade.command(&["block", "ip:127.0.0.1", "--for", "10m", "--reason", "test"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let undo = text(&output.stderr);
    assert!(undo.contains("undo: palisade decisions rm d-1"), "{undo}");
    let refused = call(palisade.address, "GET", "/api/v1/products", "");
    assert_eq!(refused.status, 403);
    let id = refused.header("palisade-event").expect("an id").to_owned();
    let detail = palisade.json(&["why", &id]);
    assert_eq!(detail["decision"]["author"].as_str().map(|who| who.contains("tester")), Some(true));
    let removed = palisade.json(&["decisions", "rm", "d-1"]);
    assert_eq!(removed["id"], "d-1");
    assert_eq!(call(palisade.address, "GET", "/api/v1/products", "").status, 200);
    let lines = palisade.json(&["audit"]);
    assert!(lines["chain"].as_str().expect("a chain").starts_with("whole"), "{lines}");
    let said = lines["lines"].to_string();
    assert!(said.contains("block ip:127.0.0.1") && said.contains("removed d-1"), "{said}");
}

#[test]
fn an_allowed_caller_passes_whatever_the_evidence() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    assert!(palisade.command(&["allow", "ip:127.0.0.1"]).status.success());
    for number in 0..60 {
        let answer = log_in_as(palisade.address, &format!("u{number}@example.com"), "wrong");
        assert_eq!(answer.status, 401);
    }
}

#[test]
fn modes_are_switched_without_a_restart_and_back() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    let mode_of = |layer: &str| {
        let status = palisade.json(&["status"]);
        let layers = status["sites"][0]["layers"].as_array().expect("layers").clone();
        let found = layers.into_iter().find(|found| found["layer"] == layer).expect("the layer");
        (found["mode"].as_str().expect("a mode").to_owned(), found["origin"].to_string())
    };
    assert_eq!(mode_of("takeover").0, "monitor");
    let output = palisade.command(&["enforce", "takeover,recon"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("undo: palisade inherit takeover,recon"));
    let (mode, origin) = mode_of("takeover");
    assert_eq!(mode, "enforce");
    assert!(origin.contains("overlay.toml:"), "{origin}");
    assert_eq!(mode_of("rate").0, "monitor");
    let all = text(&palisade.command(&["monitor"]).stderr);
    let undo: Vec<&str> = all.lines().filter_map(|line| line.strip_prefix("undo: ")).collect();
    assert!(undo[0].starts_with("palisade inherit --data"), "{all}");
    assert!(undo[1].starts_with("palisade enforce recon,takeover --data"), "{all}");
    // Done as printed, everything is as before, the layers that were not named included.
    assert!(palisade.command(&["inherit"]).status.success());
    assert!(palisade.command(&["enforce", "recon,takeover"]).status.success());
    assert_eq!(mode_of("takeover").0, "enforce");
    assert!(!mode_of("rate").1.contains("overlay.toml"), "{}", mode_of("rate").1);
    assert!(palisade.command(&["inherit", "takeover,recon"]).status.success());
    assert_eq!(mode_of("takeover").0, "monitor");
    let wrong = palisade.command(&["enforce", "takeovr"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("takeover"), "{}", text(&wrong.stderr));
    assert_eq!(palisade.command(&["enforce", "--site", "nowhere"]).status.code(), Some(2));
}

#[test]
fn what_was_no_attack_is_silenced_narrowly() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let refused = (0..60)
        .map(|number| log_in_as(palisade.address, &format!("u{number}@example.com"), "wrong"))
        .find(|answer| answer.status != 401)
        .expect("a refusal");
    let id = refused.header("palisade-event").expect("an id").to_owned();
    let dry = palisade.json(&["silence", &id, "--dry-run"]);
    assert_eq!(dry["detector"], "credential-stuffing");
    assert!(
        palisade.json(&["exceptions", "list"])["exceptions"].as_array().expect("list").is_empty()
    );
    let made = palisade.json(&["silence", &id, "--scope", "endpoint", "--reason", "load test"]);
    assert_eq!(made["entity"], serde_json::Value::Null);
    let exception = made["id"].as_str().expect("an id").to_owned();
    let again = palisade.json(&["silence", &id, "--scope", "endpoint"]);
    assert_eq!((&again["id"], &again["already"]), (&made["id"], &true.into()));
    // A block that stands already is not evidence; it goes with its own command.
    for decision in palisade.json(&["decisions", "list"])["decisions"].as_array().expect("list") {
        let decision = decision["id"].as_str().expect("an id");
        assert!(palisade.command(&["decisions", "rm", decision]).status.success());
    }
    for number in 100..130 {
        let answer = log_in_as(palisade.address, &format!("u{number}@example.com"), "wrong");
        assert_eq!(answer.status, 401, "{}", answer.body);
    }
    assert!(palisade.command(&["exceptions", "rm", &exception]).status.success());
}

#[test]
fn a_bad_file_is_refused_at_start_and_by_check() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = data.path().join("palisade.toml");
    let text_of = |mode: &str| {
        format!(
            "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nname = \"shop\"\n\
             hosts = [\"*\"]\nupstream = [\"{}\"]\n{mode}\n",
            upstream.url()
        )
    };
    fs::write(&file, text_of("mode = \"enforced\"")).expect("written");
    let named = file.to_str().expect("a path");
    let folder = data.path().join("data");
    let checked = program().args(["check", "--config", named]).output().expect("runs");
    assert_eq!(checked.status.code(), Some(4));
    assert!(text(&checked.stderr).contains("palisade.toml:8:"), "{}", text(&checked.stderr));
    let asked = program().args(["check", "--config", named, "--output", "json"]).output();
    let told: serde_json::Value =
        serde_json::from_slice(&asked.expect("runs").stdout).expect("JSON");
    assert_eq!(told["valid"], false);
    assert!(told["faults"][0].as_str().is_some_and(|it| it.contains("palisade.toml:8:")), "{told}");
    let started = command(&folder, &["run", "--config", named]);
    assert_eq!(started.status.code(), Some(4));
    // What a file names has to be there, and usable.
    fs::write(&file, text_of("ca_file = \"nowhere.pem\"")).expect("written");
    let text = fs::read_to_string(&file).expect("read").replace("\"http://", "\"https://");
    fs::write(&file, text).expect("written");
    for checked in [
        program().args(["check", "--config", named]).output().expect("runs"),
        command(&folder, &["run", "--config", named]),
    ] {
        assert_eq!(checked.status.code(), Some(4));
        assert!(crate::support::text(&checked.stderr).contains("nowhere.pem"), "{checked:?}");
    }
    fs::write(&file, text_of("mode = \"enforce\"")).expect("written");
    assert_eq!(
        program().args(["check", "--config", named]).status().expect("runs").code(),
        Some(0)
    );
}

#[test]
fn a_reload_takes_the_new_policy_or_keeps_the_old() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = data.path().join("palisade.toml");
    let write = |mode: &str| {
        let text = format!(
            "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nname = \"shop\"\n\
             hosts = [\"*\"]\nupstream = [\"{}\"]\nmode = \"{mode}\"\n",
            upstream.url()
        );
        fs::write(&file, text).expect("written");
    };
    write("monitor");
    let named = file.to_str().expect("a path").to_owned();
    let palisade = Palisade::start(&data.path().join("data"), &["--config", &named]);
    let mode = || palisade.json(&["status"])["sites"][0]["layers"][0]["mode"].clone();
    assert_eq!(mode(), "monitor");
    write("enforce");
    palisade.signal("HUP");
    until("the new policy", || (mode() == "enforce").then_some(()));
    write("enforec");
    let refused = palisade.command(&["reload"]);
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused.stderr));
    assert_eq!(mode(), "enforce");
    let faults = palisade.json(&["status"])["policy_faults"].to_string();
    assert!(faults.contains("enforec"), "{faults}");
    assert_eq!(call(palisade.address, "GET", "/api/v1/products", "").status, 200);
    write("monitor");
    until("the file's change to be seen", || (mode() == "monitor").then_some(()));
}

#[test]
fn a_reload_holds_new_connections_to_new_limits_and_names_what_waits_for_a_restart() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = data.path().join("palisade.toml");
    let write = |server: &str, limits: &str| {
        let text = format!(
            "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n{server}\n[limits]\n{limits}\n\
             [[site]]\nupstream = \"{}\"\n",
            upstream.url()
        );
        fs::write(&file, text).expect("written");
    };
    write("", "");
    let named = file.to_str().expect("a path").to_owned();
    let palisade = Palisade::start(&data.path().join("data"), &["--config", &named]);
    let many: Vec<_> = (0..20).map(|n| format!("x-{n}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "1")).collect();
    let status = || call_with(palisade.address, "GET", "/api/v1/products", &many, "").status;
    assert_eq!(status(), 200);
    write("workers = 7", "header_count = 15");
    let reloaded = palisade.json(&["reload"]);
    let waits = "server.workers changed; it takes effect after a restart";
    assert_eq!(reloaded["warnings"], serde_json::json!([waits]));
    assert_eq!(status(), 431);
    // It goes on waiting, whatever else is changed, until it is taken back.
    let warnings = || palisade.json(&["status"])["policy_warnings"].clone();
    assert!(palisade.command(&["enforce"]).status.success());
    assert!(palisade.command(&["reload"]).status.success());
    assert_eq!(warnings(), serde_json::json!([waits]));
    write("", "header_count = 50");
    assert!(palisade.command(&["reload"]).status.success());
    assert_eq!((warnings(), status()), (serde_json::Value::Null, 200));
}

#[test]
fn a_switch_of_modes_does_not_depend_on_other_files() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let (file, authorities) = (data.path().join("palisade.toml"), data.path().join("ca.pem"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    fs::write(&authorities, made.cert.pem()).expect("written");
    let text_of = format!(
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nupstream = \"{}\"\n\
         [[site]]\nhosts = [\"other.test\"]\nupstream = \"https://localhost:9\"\nca_file = \"ca.pem\"\n",
        upstream.url()
    );
    fs::write(&file, text_of).expect("written");
    let named = file.to_str().expect("a path").to_owned();
    let palisade = Palisade::start(&data.path().join("data"), &["--config", &named]);
    fs::remove_file(&authorities).expect("removed");
    assert_eq!(palisade.command(&["reload"]).status.code(), Some(4), "a reload reads it again");
    let switched = palisade.command(&["off", "rate"]);
    assert!(switched.status.success(), "{}", text(&switched.stderr));
    assert_eq!(call(palisade.address, "GET", "/api/v1/products", "").status, 200);
}

#[test]
fn reloads_fail_no_request() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    let address = palisade.address;
    let is_over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || {
                let mut answered = 0;
                while !is_over.load(Ordering::Relaxed) {
                    assert_eq!(call(address, "GET", "/api/v1/products", "").status, 200);
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for round in 0..25 {
        palisade.signal("HUP");
        let word = if round % 2 == 0 { "enforce" } else { "monitor" };
        // Not `rate`: these callers are a flood, and would be told so.
        assert!(palisade.command(&[word, "recon"]).status.success());
    }
    is_over.store(true, Ordering::Relaxed);
    let answered: usize = callers.into_iter().map(|caller| caller.join().expect("200s")).sum();
    assert!(answered > 100, "{answered}");
    let version = palisade.json(&["status"])["policy_version"].as_u64().expect("a version");
    assert!(version >= 26, "{version}");
}

#[test]
fn an_upstream_that_is_down_is_told_with_an_id_and_comes_back() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = port.local_addr().expect("an address");
    drop(port);
    let file = data.path().join("palisade.toml");
    let write = |to: std::net::SocketAddr| {
        let text = format!(
            "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nname = \"shop\"\n\
             hosts = [\"*\"]\nupstream = [\"http://{to}\"]\n"
        );
        fs::write(&file, text).expect("written");
    };
    write(nobody);
    let named = file.to_str().expect("a path").to_owned();
    let palisade = Palisade::start(&data.path().join("data"), &["--config", &named]);
    let answer = call(palisade.address, "GET", "/api/v1/products", "");
    assert_eq!(answer.status, 502);
    let id = answer.header("palisade-event").expect("an id").to_owned();
    let words = text(&palisade.command(&["why", &id]).stdout);
    assert!(words.contains("the upstream gave no answer"), "{words}");
    write(upstream.address);
    assert!(palisade.command(&["reload"]).status.success());
    assert_eq!(call(palisade.address, "GET", "/api/v1/products", "").status, 200);
}

#[test]
fn switches_work_while_the_file_is_broken_and_the_disk_takes_nothing() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = data.path().join("palisade.toml");
    let text_of = |more: &str| {
        format!(
            "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nname = \"shop\"\n\
             hosts = [\"*\"]\nupstream = [\"{}\"]\n{more}",
            upstream.url()
        )
    };
    fs::write(&file, text_of("mode = \"enforce\"\n")).expect("written");
    let named = file.to_str().expect("a path").to_owned();
    let folder = data.path().join("data");
    let palisade = Palisade::start(&folder, &["--config", &named]);
    let mode = || palisade.json(&["status"])["sites"][0]["layers"][0]["mode"].clone();
    fs::write(&file, text_of("mode = \"half a wo")).expect("written");
    assert!(palisade.command(&["monitor"]).status.success());
    assert_eq!(mode(), "monitor");
    // A folder where the new overlay is prepared: no disk takes a file there.
    fs::remove_file(folder.join("overlay.toml")).expect("removed");
    fs::create_dir(folder.join("overlay.new")).expect("made");
    let switched = palisade.command(&["off", "rate"]);
    assert!(switched.status.success(), "{}", text(&switched.stderr));
    assert!(text(&switched.stdout).contains("a restart forgets it"), "{}", text(&switched.stdout));
    assert_eq!(mode(), "off");
}

#[test]
fn what_the_file_says_of_hosts_and_routes_holds() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = data.path().join("palisade.toml");
    let written = format!(
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nname = \"shop\"\n\
         hosts = [\"shop.test\"]\nupstream = [\"{}\"]\n[[site.route]]\n\
         match = \"GET /api/v1/products\"\nmode = \"enforce\"\n\
         rate = [{{ per = \"source\", limit = \"3/m\", burst = 3 }}]\n",
        upstream.url()
    );
    fs::write(&file, written).expect("written");
    let named = file.to_str().expect("a path").to_owned();
    let palisade = Palisade::start(&data.path().join("data"), &["--config", &named]);
    assert!(palisade.said().contains("enforced on 1 of the routes"), "{}", palisade.said());
    let host = [("host", "other.test")];
    let stranger = call_with(palisade.address, "GET", "/api/v1/products", &host, "");
    assert_eq!(stranger.status, 421);
    let id = stranger.header("palisade-event").expect("an id").to_owned();
    let event = palisade.json(&["why", &id])["event"].clone();
    assert_eq!((&event["action"], &event["count"]), (&"reject".into(), &1.into()), "{event}");
    let get = || call(palisade.address, "GET", "/api/v1/products", "");
    let statuses: Vec<u16> = (0..5).map(|_| get().status).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert!(get().header("retry-after").is_some());
    for other in ["/api/v1%2Fproducts", "/api%2fv1/products", "//API/v1/products;x=1"] {
        let answer = call(palisade.address, "GET", other, "");
        assert_eq!(answer.status, 429, "{other} escapes the route's limit");
    }
}

#[test]
fn requests_under_way_are_finished_before_the_end() {
    let upstream = Upstream::serve(|got| {
        if got.target == "/slow" {
            std::thread::sleep(Duration::from_millis(800));
        }
        Answer::json(200, r#"{"ok":true}"#)
    });
    let data = tempfile::tempdir().expect("a folder");
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    let address = palisade.address;
    let under_way = std::thread::spawn(move || call(address, "GET", "/slow", ""));
    until("the request to be under way", || {
        std::thread::sleep(Duration::from_millis(200));
        std::net::TcpStream::connect(address).ok()
    });
    assert_eq!(palisade.end(), 143);
    assert_eq!(under_way.join().expect("an answer").status, 200);
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn explain_tells_what_applies_and_who_said_so() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let explained = palisade.json(&["explain", "POST https://shop.test/api/v1/login"]);
    let settings = explained["settings"].as_array().expect("settings");
    let takeover = settings.iter().find(|found| found["key"] == "layer takeover").expect("it");
    assert_eq!(takeover["value"], "enforce");
    assert_eq!(takeover["origin"], "--mode");
}

#[test]
fn a_second_instance_cannot_take_the_folder() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    let second = palisade.command(&["run", "--to", &upstream.url(), "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("in use"), "{}", text(&second.stderr));
    assert!(palisade.command(&["status"]).status.success(), "the first one keeps its socket");
    let address = palisade.address.to_string();
    let other = data.path().join("other");
    let second = command(&other, &["run", "--to", &upstream.url(), "--listen", &address]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("another port"), "{}", text(&second.stderr));
}

#[test]
fn deep_data_folders_work() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let deep = data.path().join("d".repeat(80)).join("e".repeat(80));
    let palisade = Palisade::run(&upstream, &deep, &[]);
    assert!(palisade.command(&["status"]).status.success());
    let mode = |path: &std::path::Path| {
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).expect("there").permissions())
    };
    assert_eq!(mode(&deep) & 0o777, 0o700, "the folder is its owner's");
    assert_eq!(mode(&deep.join("palisade.sock")) & 0o777, 0o600, "and so is the socket");
    let agent = [("user-agent", "deep")];
    assert_eq!(call_with(palisade.address, "GET", "/api/v1/products", &agent, "").status, 200);
}
