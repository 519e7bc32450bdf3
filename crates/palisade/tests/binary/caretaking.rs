//! What keeps an installation well: backups and the way back, the doctor, completions and manuals.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Palisade, command, program, shop, text};

#[test]
fn a_backup_of_a_running_instance_starts_as_another() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let [data, kept, again] = ["data", "kept", "again"].map(|name| folder.path().join(name));
    let palisade = Palisade::run(&upstream, &data, &[]);
    assert!(palisade.command(&["block", "ip:192.0.2.9", "--for", "ever"]).status.success());
    assert!(palisade.command(&["enforce", "recon"]).status.success());
    let named = kept.to_str().expect("a path");
    let backup = palisade.command(&["backup", named]);
    assert!(backup.status.success(), "{}", text(&backup.stderr));
    assert!(text(&backup.stdout).contains("the audit log is whole"), "{}", text(&backup.stdout));
    let over = palisade.command(&["backup", named]);
    assert_eq!(over.status.code(), Some(2), "never over another");
    assert!(palisade.command(&["block", "ip:192.0.2.10"]).status.success(), "it goes on");
    let onto = palisade.command(&["restore", named]);
    assert_eq!(onto.status.code(), Some(2), "never over a folder in use");
    palisade.end();
    let restored = command(&again, &["restore", named]);
    assert!(restored.status.success(), "{}", text(&restored.stderr));
    let palisade = Palisade::run(&upstream, &again, &[]);
    let decisions = palisade.json(&["decisions", "list"]);
    let decisions = decisions["decisions"].as_array().expect("decisions");
    assert_eq!(decisions.len(), 1, "{decisions:?}");
    assert!(text(&palisade.command(&["status"]).stdout).contains("enforce"));
    assert!(palisade.command(&["audit", "verify"]).status.success());
    palisade.end();
    let key = kept.join("key");
    fs::write(&key, "00").expect("changed");
    let damaged = command(&folder.path().join("third"), &["restore", named]);
    assert_eq!(damaged.status.code(), Some(1));
    assert!(text(&damaged.stderr).contains("key is not what was backed up"));
    assert!(!folder.path().join("third").exists());
}

#[test]
fn the_doctor_finds_what_is_wrong_and_says_what_to_do() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let data = folder.path().join("data");
    let palisade = Palisade::run(&upstream, &data, &[]);
    assert!(palisade.command(&["block", "ip:192.0.2.9"]).status.success(), "a line to log");
    let well = palisade.command(&["doctor"]);
    assert!(well.status.success(), "{}{}", text(&well.stdout), text(&well.stderr));
    assert!(text(&well.stdout).contains("audit log: whole"), "{}", text(&well.stdout));
    palisade.end();
    let stopped = command(&data, &["doctor"]);
    assert!(stopped.status.success(), "nothing has to run: {}", text(&stopped.stdout));
    let ill = |says: &str| {
        let said = command(&data, &["doctor"]);
        assert_eq!(said.status.code(), Some(3), "{says}: {}", text(&said.stdout));
        assert!(text(&said.stdout).contains(says), "{}", text(&said.stdout));
    };
    fs::set_permissions(data.join("key"), fs::Permissions::from_mode(0o644)).expect("set");
    ill("others may read");
    fs::set_permissions(data.join("key"), fs::Permissions::from_mode(0o600)).expect("set");
    let connection = rusqlite::Connection::open(data.join("palisade.db")).expect("opens");
    connection.execute_batch("UPDATE audit SET what = '' WHERE seq = 1").expect("tampered");
    drop(connection);
    ill("audit log: not what was written");
    let file = folder.path().join("palisade.toml");
    fs::write(&file, "version = 1\n[[site]]\nhosts = [\"*\"]\nupstraem = [\"http://a\"]\n")
        .expect("written");
    let said = command(&data, &["doctor", "-c", file.to_str().expect("a path")]);
    let said = text(&said.stdout);
    assert!(said.contains("did you mean"), "{said}");
    assert!(said.lines().any(|line| line.trim_start().starts_with("4 | upstraem")), "{said}");
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let run = |args: &[&str]| {
        let output = program().args(args).output().expect("the program runs");
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]);
        for command in ["incidents", "decisions", "checkpoint"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    let mut bash = std::process::Command::new("bash");
    let checked = bash.args(["-nc", &run(&["completions", "bash"])]).status();
    assert!(checked.expect("bash runs").success());
    assert!(run(&["man"]).contains(".TH PALISADE 1"));
    let folder = tempfile::tempdir().expect("a folder");
    run(&["man", folder.path().to_str().expect("a path")]);
    for page in ["palisade.1", "palisade-run.1", "palisade-audit-verify.1"] {
        let text = fs::read_to_string(folder.path().join(page)).expect(page);
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
}
