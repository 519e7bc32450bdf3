//! Decoys (E4): paths that nobody honest asks for, so that one touch is certain.
//!
//! Two kinds. A route that the user marks is one whatever it answers: a path that stands only in
//! `robots.txt`, behind a link that no person sees, or in a document that was planted. And there
//! are files that no page links to and no program asks for, wherever they lie: keys, passwords,
//! version control, what editors leave behind. Where an API has such a file in earnest, the user
//! says so.
//!
//! Nothing is remembered here: who touched a decoy is blocked, and the block is what remembers.

use traffic::{Detector, Path, Reason, Signal};

use crate::act::Act;
use crate::pardon::Pardons;

/// What one touch says: more than a block takes, and for long.
const DECOY_NATS: f32 = 12.0;

/// What makes a path a decoy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decoy {
    /// The user says so.
    Marked,
    /// It is one of the files that nobody honest asks for.
    Known,
}

/// Folders that are no part of an API, as the first segment of a path.
const FOLDERS: [&str; 10] =
    [".aws", ".azure", ".docker", ".git", ".hg", ".kube", ".ssh", ".svn", ".terraform", ".vscode"];

/// Names of files in any folder: sorted, in lower case.
const FILES: [&str; 40] = [
    ".bash_history",
    ".dockercfg",
    ".ds_store",
    ".env",
    ".env.backup",
    ".env.bak",
    ".env.dev",
    ".env.development",
    ".env.local",
    ".env.old",
    ".env.prod",
    ".env.production",
    ".env.save",
    ".env.staging",
    ".env.swp",
    ".env.test",
    ".git-credentials",
    ".htpasswd",
    ".my.cnf",
    ".mysql_history",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".s3cfg",
    ".wp-config.php.swp",
    "alfa.php",
    "c99.php",
    "config.php.bak",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
    "r57.php",
    "sftp-config.json",
    "webshell.php",
    "wp-config.php.bak",
    "wp-config.php.old",
    "wp-config.php~",
    "wso.php",
];

impl Decoy {
    /// Whether `path` is one that nobody honest asks for.
    pub fn is_known(path: &Path) -> bool {
        let mut segments = path.segments();
        let (Some(first), Some(last)) = (segments.next(), path.segments().next_back()) else {
            return false;
        };
        let is_folder = first.text.starts_with('.')
            && FOLDERS.iter().any(|name| first.text.eq_ignore_ascii_case(name));
        is_folder || is_file(last.text)
    }
}

fn is_file(name: &str) -> bool {
    const LONGEST: usize = 20;
    // Nearly every path ends here.
    name.len() <= LONGEST && FILES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Appends what a touch says against the sources of `act`.
pub(crate) fn assess(act: &Act, pardons: &Pardons, now_s: u32, signals: &mut Vec<Signal>) {
    let Some(decoy) = act.decoy else { return };
    for source in act.sources() {
        signals.push(Signal {
            detector: Detector::Decoy,
            entity: source.entity,
            nats: pardons.apply(source.key, DECOY_NATS, now_s),
            reason: Reason::Decoy { is_marked: decoy == Decoy::Marked },
        });
    }
}

#[cfg(test)]
mod tests {
    use traffic::{HashKey, Hasher};

    use super::*;
    use crate::scene::{Scene, time};

    fn is_known(path: &str) -> bool {
        Decoy::is_known(&Path::parse(path.as_bytes(), &Hasher::new(HashKey::new([3; 16]))))
    }

    #[test]
    fn what_nobody_honest_asks_for_is_known_however_it_is_written() {
        assert!(FILES.is_sorted() && FILES.iter().all(|name| name.len() <= 20));
        for path in [
            "/.env",
            "/api/v1/.ENV",
            "/%2eenv",
            "/shop/../.env.production",
            "/.git/config",
            "/.git/",
            "/.aws/credentials",
            "/home/.ssh/id_rsa",
            "/wp-config.php.bak",
        ] {
            assert!(is_known(path), "{path}");
        }
    }

    #[test]
    fn what_honest_callers_ask_for_is_none() {
        for path in [
            "/",
            "/.well-known/security.txt",
            "/.well-known/acme-challenge/x",
            "/robots.txt",
            "/wp-login.php",
            "/environment",
            "/api/env",
            "/git/config",
            "/users/id_rsa_keys",
            "/repos/shop/.github/workflows/test.yml",
            "/phpinfo.php",
            "/.gitignore/x",
        ] {
            assert!(!is_known(path), "{path}");
        }
    }

    #[test]
    fn one_touch_is_enough() {
        let mut scene = Scene::new();
        let mut act = scene.page(5, "/.env", None);
        act.decoy = Some(Decoy::Known);
        assert!(scene.nats(&act, Detector::Decoy, 1.0) >= 11.5);
        act.decoy = Some(Decoy::Marked);
        assert!(scene.nats(&act, Detector::Decoy, 1.0) >= 11.5);
        // An operator's undo holds, although the touch was one.
        scene.conduct.forgive(act.keys.address, time(2.0));
        assert!(scene.nats(&act, Detector::Decoy, 3.0) < 6.9);
    }
}
