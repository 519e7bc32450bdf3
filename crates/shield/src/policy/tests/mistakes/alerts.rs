//! What is wrong with who is to be told, and that no secret is shown for it.

use expect_test::expect;

use super::super::{SITE, loaded, of_file};
use super::{check_site, load};

#[test]
fn nobody_is_named() {
    check_site(
        r#"[alerts]
webhook = [{ format = "slack" }]
[export]
ocsf = {}
"#,
        expect![[""]],
    );
}

#[test]
fn a_secret_is_never_quoted() {
    check_site(
        r#"[alerts]
webhook = [{ format = "slak", url = "https://hooks.test/services/T0/B0/s3cret" }]
syslog  = [{ to = "https://siem.test/s3cret", min = "hgih" }]
[export]
ocsf = { dest = "https://s3cret.test", to = "syslog+tls://s3cret@siem.test", classes = "findings" }
"#,
        expect![[""]],
    );
}

#[test]
fn metadata_services_are_told_nothing() {
    check_site(
        r#"[alerts]
webhook = [
  { url = "http://169.254.169.254/latest/meta-data/" },
  { url = "http://[fe80::1]/" },
  { url = "http://169.254.169.254/", link_local = true },
]
"#,
        expect![[""]],
    );
}

#[test]
fn secrets_stand_elsewhere() {
    check_site(
        r#"[alerts]
webhook = { url = "env:MY-WEBHOOK", authorization = "Bearer s3cret" }
syslog = { to = "file:", dedup = "1s", name = "../etc" }
"#,
        expect![[""]],
    );
}

#[test]
fn names_are_told_apart() {
    check_site(
        r#"[alerts]
webhook = [{ url = "env:A", name = "soc" }, { url = "env:B", name = "soc" }]
spool = "10KiB"
"#,
        expect![[""]],
    );
}

#[test]
fn what_is_shown_of_a_sink_is_no_secret() {
    let lines = "[alerts]\nwebhook = [{ url = \"https://hooks.test/services/s3cret\" },\n\
                 { url = \"https://hooks.test/other/s3cret\", authorization = \"file:/run/s\" }]\n\
                 [export]\nocsf = { to = \"syslog+tls://siem.test\" }\n";
    let policy = loaded(&format!("{SITE}{lines}"));
    let shown: Vec<String> = policy
        .settings()
        .into_iter()
        .filter(|view| view.key.starts_with("alerts.") || view.key.starts_with("export."))
        .map(|view| format!("{} = {} ({})", view.key, view.value, view.from))
        .collect();
    expect![[""]].assert_eq(&shown.join("\n"));
    assert!(!format!("{:?}", policy.alerts).contains("s3cret"));
}

#[test]
fn a_recording_does_not_carry_who_is_told() {
    let lines = "[alerts]\nwebhook = { url = \"https://hooks.test/s3cret\" }\n";
    let text = format!("{SITE}{lines}");
    let (file, _) = crate::policy::recorded(&of_file(&text)).expect("texts");
    assert!(!file.contains("s3cret") && file.contains("localhost:3000"), "{file}");
}

#[test]
fn what_is_not_encrypted_is_remarked_upon() {
    let warned = |to: &str| {
        let text = format!("{SITE}[export]\nocsf = {{ to = \"{to}\" }}\n");
        load(&of_file(&text)).expect("a policy").1.len()
    };
    assert_eq!(warned("syslog+tcp://siem.test"), 1);
    assert_eq!(warned("http://siem.test/in"), 1);
    assert_eq!(warned("syslog+tcp://127.0.0.1:514"), 0);
    assert_eq!(warned("syslog+tls://siem.test"), 0);
}
