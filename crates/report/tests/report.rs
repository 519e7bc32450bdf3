//! A report made of material by hand: every figure is what was put in, small bases have none, and
//! nothing that came out of traffic acts on the page.

use report::{Before, Endpoint, Incident, Layer, Material, Method, Origin, Period, Report, html};
use shield::AuthSeen;
use traffic::{
    Action, AttackKind, CallerKind, Cve, Detector, Digest, Entity, ExchangeKind, Fate, Finding,
    Mode, Role, Severity, Surface, Tally, TallyKey, Timestamp,
};

/// What an attacker would have a browser take for mark-up, and a reader for something else.
const HOSTILE: &str = "\"><script>window.harmed=1</script><img src=x onerror=\"window.harmed=1\">'\
                       &lt;\u{202e}\u{0}</style></title><svg onload=window.harmed=1>";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn exchange(hour: u32, kind: ExchangeKind, count: u64) -> Tally {
    let at = Timestamp::from_micros(
        at("2026-11-20T00:00:00Z").as_micros() + u64::from(hour) * 3_600_000_000,
    );
    Tally { at, key: TallyKey::Exchange(kind), count }
}

fn attack(kind: AttackKind, role: Role, fate: Fate) -> ExchangeKind {
    ExchangeKind {
        surface: Surface::Api,
        caller: CallerKind::Automated,
        role,
        fate,
        attack: Some(kind),
        established: false,
    }
}

fn tallies(honest: u64) -> Vec<Tally> {
    let calls = ExchangeKind {
        surface: Surface::Api,
        caller: CallerKind::Human,
        role: Role::ObjectRead,
        ..ExchangeKind::default()
    };
    let pages = ExchangeKind { surface: Surface::Page, ..calls };
    let logins = ExchangeKind { role: Role::Login, ..calls };
    let known = ExchangeKind {
        established: true,
        ..attack(AttackKind::Injection, Role::Search, Fate::WouldRefuse)
    };
    let probe = |year, number, answered| TallyKey::Probe { cve: Cve { year, number }, answered };
    let hour = at("2026-11-20T05:00:00Z");
    vec![
        exchange(0, calls, honest),
        exchange(1, pages, 100),
        exchange(2, logins, 60),
        exchange(3, attack(AttackKind::Takeover, Role::Login, Fate::Refused), 40),
        exchange(3, attack(AttackKind::Exposure, Role::Other, Fate::WouldRefuse), 15),
        exchange(4, known, 5),
        Tally { at: hour, key: probe(2014, 6_271, false), count: 30 },
        Tally { at: hour, key: probe(2026, 1, true), count: 10 },
    ]
}

fn finding(detector: Detector, endpoint: Option<&str>, victims: usize) -> Finding {
    Finding {
        key: Digest(7),
        detector,
        severity: Severity::High,
        entity: Entity::address("192.0.2.7".parse().expect("an address")),
        endpoint: endpoint.map(str::to_owned),
        title: HOSTILE.to_owned(),
        first: at("2026-11-20T03:00:00Z"),
        last: at("2026-11-20T03:10:00Z"),
        requests: 40,
        refused: 40,
        succeeded: victims > 0,
        victims: (0..victims as u64).map(Digest).collect(),
        action: Action::Deny,
        mode: Mode::Enforce,
        risk: 99,
        event: None,
    }
}

fn incident(title: &str) -> Incident {
    Incident {
        id: Some("i-1".to_owned()),
        title: title.to_owned(),
        severity: Severity::Critical,
        detector: "credential-stuffing".to_owned(),
        endpoint: Some("POST shop /v1/login".to_owned()),
        first: at("2026-11-20T03:00:00Z"),
        last: at("2026-11-20T03:10:00Z"),
        requests: 40,
        refused: 40,
        succeeded: true,
        is_closed: false,
        evidence: Some(title.to_owned()),
    }
}

fn endpoint(method: &str, template: &str, role: Role, classes: &[&str]) -> Endpoint {
    Endpoint {
        label: format!("{method} shop {template}"),
        host: "shop".to_owned(),
        method: method.to_owned(),
        template: template.to_owned(),
        role,
        auth: AuthSeen::None,
        classes: classes.iter().map(|&class| class.to_owned()).collect(),
        first_seen: at("2026-11-01T00:00:00Z"),
        last_seen: at("2026-11-20T04:00:00Z"),
        calls: 50,
        served: 50,
    }
}

fn material() -> Material {
    let day = at("2026-11-20T00:00:00Z");
    let next = at("2026-11-21T00:00:00Z");
    Material {
        origin: Origin { kind: "gateway".to_owned(), names: vec!["shop".to_owned()] },
        period: Period { from: day, to: next, counted_from: day, counted_to: next, grain_s: 3_600 },
        tallies: tallies(700),
        findings: vec![finding(Detector::CredentialStuffing, Some("POST shop /v1/login"), 2)],
        incidents: vec![incident("Credential stuffing")],
        forgotten: vec![finding(Detector::ForgottenEndpoint, Some("GET shop /v1/old/{id}"), 0)],
        endpoints: vec![
            endpoint("POST", "/v1/login", Role::Login, &[]),
            endpoint("GET", "/v1/orders/{id}", Role::ObjectRead, &["email"]),
            endpoint("GET", "/v2/orders/{id}", Role::ObjectRead, &[]),
            endpoint("GET", "/v1/old/{id}", Role::ObjectRead, &[]),
        ],
        exceptions: Vec::new(),
        before: Ok(Before {
            from: at("2026-11-19T00:00:00Z"),
            to: day,
            tallies: tallies(1_700),
            findings: Vec::new(),
            incidents: Vec::new(),
        }),
        method: Method {
            version: "0.1.0".to_owned(),
            layers: vec![Layer { layer: "takeover".to_owned(), mode: "enforce".to_owned() }],
            blind: Vec::new(),
            shows_credentials: true,
            shows_answers: true,
        },
    }
}

#[test]
fn figures_are_what_was_counted() {
    let report = Report::of(&material());
    let told = |id: &str| {
        let figure = report.figure(id).expect(id);
        (figure.numerator, figure.denominator)
    };
    for (id, counted) in [
        ("calls", (920, None)),
        ("api-share", (820, Some(920))),
        ("page-share", (100, Some(920))),
        ("human-share", (860, Some(920))),
        ("automated-share", (60, Some(920))),
        ("api-calls-a-year", (820, Some(86_400))),
        ("attacks", (60, None)),
        ("attack-takeover-share", (40, Some(60))),
        ("attack-exposure-share", (15, Some(60))),
        ("attack-injection-share", (5, Some(60))),
        ("attack-business-logic-share", (0, Some(60))),
        ("incidents-takeover", (1, None)),
        ("logins", (100, None)),
        ("login-attacked-share", (40, Some(100))),
        ("takeover-api-share", (40, Some(40))),
        ("accounts-entered", (2, None)),
        ("target-authentication-share", (40, Some(60))),
        ("target-data-access-share", (5, Some(60))),
        ("probes", (40, None)),
        ("probes-answered", (10, None)),
        ("probes-age-0-1-share", (10, Some(40))),
        ("probes-age-10-share", (30, Some(40))),
        ("refused-share", (40, Some(60))),
        ("would-refuse-share", (20, Some(60))),
        ("established-share", (5, Some(60))),
        ("endpoints", (4, None)),
        ("endpoints-forgotten", (2, None)),
        ("endpoints-open-sensitive", (1, None)),
    ] {
        assert_eq!(told(id), counted, "{id}");
    }
    let mix: u64 =
        AttackKind::ALL.iter().map(|it| told(&format!("attack-{}-share", it.key())).0).sum();
    assert_eq!(mix, told("attacks").0, "each attack is of exactly one kind");
    let share = report.figure("api-share").expect("a figure");
    assert_eq!(share.value, Some(820.0 / 920.0));
    assert_eq!(share.change().map(f64::round), Some(-6.0), "820 of 920, before 1820 of 1920");
    let forgotten = report.endpoints.iter().find(|list| list.id == "forgotten").expect("a list");
    let rows: Vec<_> = forgotten.rows.iter().map(|row| (&*row.endpoint, &*row.says)).collect();
    let expected = [
        ("GET shop /v1/old/{id}", "nobody was seen to use it before · 50 calls"),
        ("GET shop /v1/orders/{id}", "v2 exists · 50 calls"),
    ];
    assert_eq!(rows, expected);
    assert_eq!(report.actions[0].title, "Reset the passwords of 2 accounts");
    assert_eq!(report.probes[0].cve, "CVE-2026-0001", "what was answered comes first");
}

#[test]
fn every_figure_says_how_it_is_counted_and_has_no_share_of_a_small_base() {
    let report = Report::of(&material());
    let figures: Vec<_> = report.sections.iter().flat_map(|section| &section.figures).collect();
    let names: std::collections::BTreeSet<_> = figures.iter().map(|it| &it.id).collect();
    assert_eq!(names.len(), figures.len(), "names are names");
    for figure in figures {
        assert!(figure.definition.ends_with('.'), "{}", figure.id);
        let is_small = figure.denominator.is_some_and(|base| base < 30);
        assert!(!is_small || figure.value.is_none(), "{}", figure.id);
        assert_eq!(figure.value.is_none(), figure.absent.is_some(), "{}", figure.id);
    }
    let small = report.figure("false-positive-share").expect("a figure");
    assert_eq!((small.value, small.denominator), (None, Some(1)));
}

#[test]
fn what_operators_said_is_no_attack_counts_as_a_false_alarm() {
    let mut material = material();
    material.findings = (0..40).map(|_| material.findings[0].clone()).collect();
    for finding in material.findings.iter_mut().skip(30) {
        finding.entity = Entity::address("192.0.2.8".parse().expect("an address"));
    }
    material.exceptions.push(traffic::Exception {
        id: traffic::ExceptionId(1),
        detector: Some(Detector::CredentialStuffing),
        layer: traffic::Layer::Takeover,
        rules: Vec::new(),
        endpoint: Some("POST shop /v1/login".to_owned()),
        entity: Some(Entity::address("192.0.2.8".parse().expect("an address"))),
        reason: String::new(),
        author: "ada".to_owned(),
        evidence: None,
        since: at("2026-11-20T06:00:00Z"),
        until: None,
        hits: 0,
        last_hit: None,
    });
    let report = Report::of(&material);
    assert_eq!(report.figure("false-positive-share").and_then(|it| it.value), Some(0.25));
}

#[test]
fn the_page_holds_everything_and_asks_for_nothing() {
    let mut material = material();
    material.origin.names = vec![HOSTILE.to_owned()];
    material.incidents = vec![Incident {
        endpoint: Some(HOSTILE.to_owned()),
        id: Some(HOSTILE.to_owned()),
        ..incident(HOSTILE)
    }];
    material.endpoints.push(endpoint("GET", HOSTILE, Role::Other, &[HOSTILE]));
    material.findings[0].endpoint = Some(HOSTILE.to_owned());
    material.before = Err(HOSTILE.to_owned());
    material.method.version = HOSTILE.to_owned();
    material.method.layers[0].mode = HOSTILE.to_owned();
    material.method.blind = vec![HOSTILE.to_owned()];
    let report = Report::of(&material);
    let page = html::page(&report);
    assert!(page.contains("&lt;script&gt;"), "it is told as text");
    for harm in ["<script", "<img", "<svg onload", "\u{202e}", "\u{0}", "</style></title>"] {
        assert!(!page.contains(harm), "{harm:?}");
    }
    assert_eq!(page.matches("</style>").count(), 1);
    for asks in ["http://", "https://", "url(", "@import", "<link", " href="] {
        assert!(!page.contains(asks), "{asks:?}");
    }
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
}

#[test]
fn the_same_material_gives_the_same_bytes_and_reads_back() {
    let report = Report::of(&material());
    assert_eq!(html::page(&report), html::page(&Report::of(&material())));
    let json = serde_json::to_string(&report).expect("JSON");
    let read: Report = serde_json::from_str(&json).expect("a report");
    assert_eq!(read, report);
    assert_eq!(html::page(&read), html::page(&report), "the page is made of the figures alone");
}

#[test]
fn nothing_to_report_on_is_said_plainly() {
    let mut material = material();
    material.tallies.clear();
    material.findings.clear();
    material.incidents.clear();
    material.endpoints.clear();
    material.before = Err("nothing was counted then".to_owned());
    let page = html::page(&Report::of(&material));
    assert!(page.contains("There was no traffic in this period."));
    assert!(page.contains("There is nothing that has to be done now."));
    assert!(!page.contains("NaN") && !page.contains("inf"), "nothing is divided by nothing");
}
