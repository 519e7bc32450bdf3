//! Decoys (E4): paths that nobody honest asks for, so that one touch is certain.
//!
//! Two kinds. A route that the user marks is one whatever it answers: a path that stands only in
//! `robots.txt`, behind a link that no person sees, or in a document that was planted. And there
//! are files that no page links to and no program asks for, wherever they lie: keys, passwords,
//! version control, what editors leave behind. Where an API has such a file in earnest, the user
//! says so.
//!
//! Nothing is remembered here: who touched a decoy is blocked, and the block is what remembers.

use traffic::initials::Initials;
use traffic::{Detector, Path, Reason, Signal};

use crate::act::Act;
use crate::pardon::Pardons;

/// What one touch says: more than a block takes, and for long.
const DECOY_NATS: f32 = 12.0;
/// What it says when the page of another site may have asked for it: the request is refused all
/// the same, and many distinct ones gather as attacks do.
const PROVOKED_NATS: f32 = 0.5;

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
    const INITIALS: Initials = Initials::of(&FILES);
    // Nearly every path ends here.
    name.len() <= LONGEST
        && INITIALS.may_begin(name.as_bytes())
        && FILES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Appends what a touch says against the sources of `act`.
pub(crate) fn assess(act: &Act, pardons: &Pardons, now_s: u32, signals: &mut Vec<Signal>) {
    let Some(decoy) = act.decoy else { return };
    let nats = if act.is_provoked { PROVOKED_NATS } else { DECOY_NATS };
    for source in act.sources() {
        signals.push(Signal {
            detector: Detector::Decoy,
            entity: source.entity,
            nats: pardons.apply(source.key, nats, now_s),
            reason: Reason::Decoy { is_marked: decoy == Decoy::Marked },
        });
    }
}

#[cfg(test)]
mod tests {
    use traffic::{Cve, Digest, HashKey, Hasher};

    use super::*;
    use crate::probing::Certainty;
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
    fn a_picture_on_another_sites_page_locks_nobody_out() {
        let mut scene = Scene::new();
        let touch = |scene: &Scene, path: &str| {
            let mut act = scene.page(5, path, None);
            (act.decoy, act.is_provoked) = (Some(Decoy::Known), true);
            act
        };
        let against = |scene: &mut Scene, act: &Act| {
            let mut signals = Vec::new();
            let now_s = time(30.0).as_secs();
            scene.conduct.probing.assess(act, &Pardons::default(), now_s, &mut signals);
            signals.iter().map(|it| it.nats).sum::<f32>() + scene.nats(act, Detector::Decoy, 30.0)
        };
        for number in 0..30_u32 {
            let act = touch(&scene, &format!("/{}/.env", "x".repeat(number as usize)));
            if number == 8 {
                assert!(against(&mut scene, &act) < 6.9, "a page has some pictures");
            }
            scene.conduct.attacked(&act, Digest(1), Certainty::Certain, time(f64::from(number)));
            scene.conduct.probed(&act, Cve { year: 2021, number }, Certainty::Certain, time(1.0));
        }
        let act = touch(&scene, "/.env");
        assert!(against(&mut scene, &act) >= 9.2, "a scanner has many");
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
