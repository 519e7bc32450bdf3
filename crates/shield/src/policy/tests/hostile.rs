//! No text and no request makes the reading of a policy panic, endless, or tell a secret.

use proptest::prelude::*;
use traffic::{HashKey, Hasher};

use super::*;
use crate::policy::overlay::{ModeScope, set_mode};

/// Pieces that policies are made of, and such as break parsers.
const PIECES: [&str; 40] = [
    "version = 1\n",
    "[server]\n",
    "[[site]]\n",
    "[site.protect]\n",
    "[[site.route]]\n",
    "[tls.a]\n",
    "[limits]\n",
    "[layers]\n",
    "listen = ",
    "upstream = ",
    "hosts = ",
    "match = ",
    "rate = ",
    "mode = ",
    "off = ",
    "protect = ",
    "route = ",
    "site = ",
    "per = ",
    "limit = ",
    "\"http://a\"",
    "\"POST /{id}/*\"",
    "\"10/m\"",
    "\"enforce\"",
    "\"*.a\"",
    "\"10.0.0.0/8\"",
    "\"\"",
    "1",
    "-1",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "\n",
    "'",
    "\"",
    "é\u{202e}",
    "\u{0}",
    "= ",
];

proptest! {
    #[test]
    fn no_text_makes_it_panic(picks in prop::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = picks.iter().map(|at| PIECES[*at]).collect();
        for sources in [
            of_file(&text),
            Sources { overlay: Some(("overlay.toml", &text)), ..of_file(SITE) },
        ] {
            if let Err(errors) = load(&sources) {
                prop_assert!(!errors.is_empty());
                let shown = shown(errors);
                let is_clean = !shown.contains(['\u{202e}', '\u{0}']);
                prop_assert!(is_clean, "{}", shown);
            }
        }
        let scope = ModeScope { site: Some("a".to_owned()), ..ModeScope::default() };
        if let Ok(edited) = set_mode(&text, &scope, Some(Mode::Enforce)) {
            prop_assert_eq!(set_mode(&edited, &scope, Some(Mode::Enforce)).expect("again"), edited);
        }
    }

    #[test]
    fn any_bytes_are_refused_or_read(text in "\\PC{0,200}") {
        let _ = load(&of_file(&text));
    }

    #[test]
    fn no_request_makes_it_panic(host in "\\PC{0,300}", target in prop::collection::vec(any::<u8>(), 0..300)) {
        let policy = loaded(&format!("{SITE}[[site.route]]\nmatch = \"/a/*\"\n"));
        let path = Path::parse(&target, &Hasher::new(HashKey::new([0; 16])));
        let found = policy.route(&host, &Method::GET, &path);
        prop_assert!(policy.site(&found).is_some());
    }
}

#[test]
fn depth_is_bounded() {
    for (open, close) in [("[", "]"), ("{ a = ", " }")] {
        let text = format!("a = {}{}", open.repeat(100_000), close.repeat(100_000));
        assert!(load(&of_file(&text)).is_err());
    }
    let dotted = format!("{} = 1", vec!["a"; 100_000].join("."));
    assert!(load(&of_file(&dotted)).is_err());
}

#[test]
fn size_is_bounded() {
    let text = format!("{SITE}# {}", "x".repeat(5 << 20));
    let errors = load(&of_file(&text)).expect_err("too long");
    assert!(errors[0].to_string().contains("longer than 4 MiB"));
}

#[test]
fn many_routes_are_read_and_found_quickly() {
    let routes: String =
        (0..5_000).map(|n| format!("[[site.route]]\nmatch = \"GET /r{n}/{{id}}\"\n")).collect();
    let policy = loaded(&format!("{SITE}{routes}"));
    let path = Path::parse(b"/r4999/7", &Hasher::new(HashKey::new([0; 16])));
    let found = policy.route("a", &Method::GET, &path);
    let route = policy.named_route(&found).expect("the route");
    assert_eq!(route.pattern.to_string(), "GET /r4999/{id}");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_shown() {
    const CANARY: &str = "c4n4ryS3cretValue";
    let site = SITE;
    let texts = [
        format!("{site}password = \"{CANARY}\"\n"),
        format!("{site}[server]\ntoken = \"{CANARY}\"\n"),
        format!("{site}[tls.a]\ncert = \"c\"\nkey = \"-----BEGIN KEY-----{CANARY}\"\n"),
        format!("{site}[tls.a]\ncert = \"c\"\nkey = \"\"\"-----BEGIN KEY-----\n{CANARY}\n\"\"\"\n"),
        format!("{site}[tls.a]\ncert = \"c\"\nkey = \"-----BEGIN KEY-----\n{CANARY}\n\"\n"),
        format!("version = 1\n[[site]]\nupstream = \"http://ada:{CANARY}@a\"\n"),
        format!("version = 1\n[[site]]\nupstream = [\"http://ada:{CANARY}@a\"]\n"),
    ];
    for text in texts {
        let errors = load(&of_file(&text)).expect_err("a mistake");
        let shown = shown(errors);
        assert!(!shown.contains(CANARY), "{shown}");
    }
}
