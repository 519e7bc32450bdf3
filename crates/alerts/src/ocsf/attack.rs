//! Techniques of MITRE ATT&CK that detectors see.

use serde_json::{Value, json};
use traffic::Detector;

/// A technique, what it is part of, and the tactic that it serves.
struct Technique {
    tactic: (&'static str, &'static str),
    technique: (&'static str, &'static str),
    sub: Option<(&'static str, &'static str)>,
}

const RECONNAISSANCE: (&str, &str) = ("TA0043", "Reconnaissance");
const INITIAL_ACCESS: (&str, &str) = ("TA0001", "Initial Access");
const CREDENTIAL_ACCESS: (&str, &str) = ("TA0006", "Credential Access");
const IMPACT: (&str, &str) = ("TA0040", "Impact");
const BRUTE_FORCE: (&str, &str) = ("T1110", "Brute Force");
const ACTIVE_SCANNING: (&str, &str) = ("T1595", "Active Scanning");

/// What the detector of this name sees, as an object `attack`; none where there is no such
/// technique.
pub(super) fn of(detector: &str) -> Option<Value> {
    let Technique { tactic, technique, sub } = technique(Detector::named(detector)?)?;
    let named = |(uid, name): (&str, &str)| json!({ "uid": uid, "name": name });
    let mut attack = json!({ "tactic": named(tactic), "technique": named(technique) });
    if let (Some(sub), Some(attack)) = (sub, attack.as_object_mut()) {
        attack.insert("sub_technique".to_owned(), named(sub));
    }
    Some(attack)
}

const fn technique(detector: Detector) -> Option<Technique> {
    let (tactic, technique, sub) = match detector {
        Detector::CredentialStuffing | Detector::InFlight => {
            (CREDENTIAL_ACCESS, BRUTE_FORCE, Some(("T1110.004", "Credential Stuffing")))
        }
        Detector::PasswordGuessing => {
            (CREDENTIAL_ACCESS, BRUTE_FORCE, Some(("T1110.001", "Password Guessing")))
        }
        Detector::CodeGuessing => (CREDENTIAL_ACCESS, BRUTE_FORCE, None),
        Detector::ForcedBrowsing | Detector::Decoy => {
            (RECONNAISSANCE, ACTIVE_SCANNING, Some(("T1595.003", "Wordlist Scanning")))
        }
        Detector::CveProbing => {
            (RECONNAISSANCE, ACTIVE_SCANNING, Some(("T1595.002", "Vulnerability Scanning")))
        }
        Detector::KnownAttack | Detector::AttackProbing => {
            (INITIAL_ACCESS, ("T1190", "Exploit Public-Facing Application"), None)
        }
        Detector::RateLimit => (IMPACT, ("T1499", "Endpoint Denial of Service"), None),
        _ => return None,
    };
    Some(Technique { tactic, technique, sub })
}
