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
        expect![[r#"
            palisade.toml:5:12: `url` is missing: nobody is told
            5 | webhook = [{ format = "slack" }]
              |            ^^^^^^^^^^^^^^^^^^^^
            help: write url = "env:SLACK_WEBHOOK"

            palisade.toml:7:8: `to` is missing: nobody is told
            7 | ocsf = {}
              |        ^^
            help: write to = "syslog+tls://siem.example.com:6514""#]],
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
        expect![[r#"
            palisade.toml:5:23: `format`: unknown value "slak"
            5 | webhook = [{ format = "slak", url = ****************************************** }]
              |                       ^^^^^^
            help: did you mean "slack"?

            palisade.toml:6:19: `to`: the URL has a scheme that is not known here
            6 | syslog  = [{ to = **************************, min = "hgih" }]
              |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^
            help: it begins with syslog+tls:// or syslog+tcp://

            palisade.toml:6:53: `min`: unknown value "hgih"
            6 | syslog  = [{ to = **************************, min = "hgih" }]
              |                                                     ^^^^^^
            help: did you mean "high"?

            palisade.toml:8:10: unknown key `dest` in `ocsf` of [export]
            8 | ocsf = { dest …
              |          ^^^^
            help: the keys of `ocsf` of [export] are to, classes, min, dedup, authorization, name, ca_file, link_local

            palisade.toml:8:45: `to`: the URL carries credentials
            8 | ocsf = { dest = *********************, to = *******************************, classes = "findings" }
              |                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            help: leave out what stands before the @; `authorization` names such a secret

            palisade.toml:8:88: `classes`: unknown value "findings"
            8 | ocsf = { dest = *********************, to = *******************************, classes = "findings" }
              |                                                                                        ^^^^^^^^^^
            help: one of detection_finding, http_activity"#]],
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
        expect![[r#"
            palisade.toml:6:11: 169.254.169.254 is a link-local address, or one of a metadata service
            6 |   { url = ****************************************** },
              |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            help: `link_local = true` allows it, if it is really meant

            palisade.toml:7:11: fe80::1 is a link-local address, or one of a metadata service
            7 |   { url = ******************* },
              |           ^^^^^^^^^^^^^^^^^^^
            help: `link_local = true` allows it, if it is really meant"#]],
    );
}

#[test]
fn secrets_stand_elsewhere() {
    check_site(
        r#"[alerts]
webhook = { url = "env:MY-WEBHOOK", authorization = "Bearer s3cret" }
syslog = { to = "file:", dedup = "1s", name = "../etc" }
"#,
        expect![[r#"
            palisade.toml:5:19: `url`: no variable has this name
            5 | webhook = { url = "env:MY-WEBHOOK", authorization = *************** }
              |                   ^^^^^^^^^^^^^^^^
            help: write one as in "env:SLACK_WEBHOOK"

            palisade.toml:5:53: `authorization`: the secret itself stands in the file
            5 | webhook = { url = "env:MY-WEBHOOK", authorization = *************** }
              |                                                     ^^^^^^^^^^^^^^^
            help: keep it elsewhere, and write "env:NAME" or "file:PATH"

            palisade.toml:6:17: `to`: the path is empty
            6 | syslog = { to = "file:", dedup = "1s", name = "../etc" }
              |                 ^^^^^^^
            help: write the path of a file

            palisade.toml:6:34: `dedup`: "1s" is out of bounds
            6 | syslog = { to = "file:", dedup = "1s", name = "../etc" }
              |                                  ^^^^
            help: from 1m to 7d

            palisade.toml:6:47: `name`: "../etc" is not a name
            6 | syslog = { to = "file:", dedup = "1s", name = "../etc" }
              |                                               ^^^^^^^^
            help: letters, digits, `-`, `_` and `.`, at most 64, as in "soc""#]],
    );
}

#[test]
fn names_are_told_apart() {
    check_site(
        r#"[alerts]
webhook = [{ url = "env:A", name = "soc" }, { url = "env:B", name = "soc" }]
spool = "10KiB"
"#,
        expect![[r#"
            palisade.toml:5:69: another is called "soc", too
            5 | webhook = [{ url = "env:A", name = "soc" }, { url = "env:B", name = "soc" }]
              |                                                                     ^^^^^
            help: give each its own `name`

            palisade.toml:6:9: `spool`: "10KiB" is out of bounds
            6 | spool = "10KiB"
              |         ^^^^^^^
            help: from 1MiB to 16GiB"#]],
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
    expect![[r#"
        alerts.spool = 64MiB (default)
        alerts.json-hooks.test.to = https://hooks.test/… (palisade.toml:5)
        alerts.json-hooks.test.min = medium (default)
        alerts.json-hooks.test.dedup = 15m (default)
        alerts.json-hooks.test.ca_file = the machine's (default)
        alerts.json-hooks.test.link_local = false (default)
        alerts.json-hooks.test-2.to = https://hooks.test/… (palisade.toml:6)
        alerts.json-hooks.test-2.min = medium (default)
        alerts.json-hooks.test-2.dedup = 15m (default)
        alerts.json-hooks.test-2.authorization = file:/run/s (palisade.toml:6)
        alerts.json-hooks.test-2.ca_file = the machine's (default)
        alerts.json-hooks.test-2.link_local = false (default)
        export.ocsf-siem.test.to = syslog+tls://siem.test (palisade.toml:8)
        export.ocsf-siem.test.min = info (default)
        export.ocsf-siem.test.dedup = 15m (default)
        export.ocsf-siem.test.classes = detection_finding (default)
        export.ocsf-siem.test.ca_file = the machine's (default)
        export.ocsf-siem.test.link_local = false (default)"#]]
    .assert_eq(&shown.join("\n"));
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
