//! The known callers that were refused, as far as they are told apart.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use traffic::{Detector, Event};

/// More callers than this need not be told apart.
const CALLERS_MAX: usize = 1_000;

/// Known callers, each with the place it came from first.
#[derive(Debug, Default)]
pub(super) struct Callers {
    place_of: BTreeMap<String, String>,
    /// Those who did what nobody honest does.
    attackers: BTreeSet<String>,
}

impl Callers {
    /// Takes in that the caller of `event` was refused, or would have been.
    pub(super) fn note(&mut self, event: &Event) {
        self.add(person(event), &event.client, is_beyond_doubt(event));
    }

    fn add(&mut self, person: &str, client: &str, is_beyond_doubt: bool) {
        if is_beyond_doubt && self.attackers.len() < CALLERS_MAX {
            self.attackers.insert(person.to_owned());
        }
        if self.place_of.len() < CALLERS_MAX && !self.place_of.contains_key(person) {
            self.place_of.insert(person.to_owned(), place(client));
        }
    }

    /// How many they count for: of one place its root, so that one machine with a few accounts is
    /// no crowd, and an office full of people is one.
    pub(super) fn heads(&self) -> u64 {
        let honest = self.place_of.iter().filter(|(person, _)| !self.attackers.contains(*person));
        let mut by_place: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, place) in honest {
            *by_place.entry(place).or_default() += 1;
        }
        by_place.values().map(|callers| callers.isqrt()).sum()
    }
}

/// Who it is, whatever sessions they have.
fn person(event: &Event) -> &str {
    let named = |kind: &str| event.entities.iter().find(|entity| entity.starts_with(kind));
    let person = named("principal:").or_else(|| named("account:"));
    person.map_or_else(|| event.caller(), String::as_str)
}

/// Whether nobody does that by mistake.
fn is_beyond_doubt(event: &Event) -> bool {
    let foremost = event.signals.first().and_then(|signal| Detector::named(&signal.detector));
    matches!(foremost, Some(Detector::Decoy | Detector::CveProbing))
}

/// The place that an address stands for: of IPv6 a /48, as a household or a server has it.
fn place(client: &str) -> String {
    match client.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}")
        }
        Ok(address) => address.to_string(),
        Err(_) => client.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(refused: &[(&str, &str, bool)]) -> u64 {
        let mut callers = Callers::default();
        for (person, client, is_beyond_doubt) in refused {
            callers.add(person, client, *is_beyond_doubt);
        }
        callers.heads()
    }

    #[test]
    fn people_of_several_places_count_and_one_machine_with_some_accounts_is_one() {
        let (here, there) = ("192.0.2.1", "198.51.100.1");
        assert_eq!(
            heads(&[("a", here, false), ("b", there, false), ("c", "2001:db8::1", false)]),
            3
        );
        assert_eq!(heads(&[("a", here, false), ("b", here, false), ("c", here, false)]), 1);
        let one_server = [("a", "2001:db8::1", false), ("b", "2001:db8:0:9::1", false)];
        assert_eq!(heads(&one_server), 1);
        assert_eq!(heads(&[("a", here, false), ("a", there, false), ("a", "192.0.2.9", false)]), 1);
        let names: Vec<String> = (0..30).map(|n| n.to_string()).collect();
        let office: Vec<_> = names.iter().map(|name| (name.as_str(), here, false)).collect();
        assert_eq!(heads(&office), 5, "an office is a crowd");
    }

    #[test]
    fn who_does_what_nobody_honest_does_counts_as_nobody() {
        let here = "192.0.2.1";
        assert_eq!(heads(&[("a", here, false), ("a", here, true), ("a", here, false)]), 0);
        assert_eq!(heads(&[("a", here, true), ("b", here, false)]), 1);
    }
}
