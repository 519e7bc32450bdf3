//! The figures of traffic, attacks and protection, each with the words that define it.
//!
//! The definitions are part of the product: docs/report.md and the page print them, and a script of
//! its own in the tests recomputes every figure from a recording by what they say.

use traffic::{AttackKind, CallerKind, Cve, Surface};

use super::sums::{Sums, Target, at};
use super::{age, year_of};
use crate::figure::{Earlier, Figure, Unit, value};
use crate::material::Material;
use crate::outcome::Section;

/// Makes figures of one period and, where there is one, the period before.
struct Maker<'s> {
    now: &'s Sums,
    before: Option<&'s Sums>,
}

/// All sections, in the order of the page.
pub(super) fn sections(
    material: &Material,
    now: &Sums,
    before: Option<&Sums>,
    inventory: Vec<Figure>,
) -> Vec<Section> {
    let make = Maker { now, before };
    let section = |id: &str, title: &str, note: &str, figures: Vec<Figure>| Section {
        id: id.to_owned(),
        title: title.to_owned(),
        note: note.to_owned(),
        figures,
    };
    vec![
        section("traffic", "Traffic", "Who calls, and what for.", traffic(&make, material)),
        section(
            "attacks",
            "Attack mix",
            "An attack is a request that the evidence was enough to refuse, carried out or not. \
             Each is of exactly one kind, so that the shares add up to all of them.",
            attacks(&make),
        ),
        section(
            "takeover",
            "Account takeover",
            "Where log-ins are attacked: at endpoints for programs, or at pages for people.",
            takeover(&make),
        ),
        section("targets", "Targets", "What the attacked endpoints are for.", targets(&make)),
        section(
            "inventory",
            "The API itself",
            "Endpoints as they were learnt from traffic.",
            inventory,
        ),
        section(
            "probes",
            "Probes for published vulnerabilities",
            "Requests that fit a rule for a vulnerability with a CVE number. A request that fits \
             several counts once for each.",
            probes(&make, material),
        ),
        section(
            "protection",
            "Protection, and what it costs",
            "What was stopped, what would have been, and who was hit that should not have been.",
            protection(&make),
        ),
    ]
}

impl Maker<'_> {
    fn figure(
        &self,
        (id, label, definition): (&str, &str, &str),
        unit: Unit,
        count: impl Fn(&Sums) -> (u64, Option<u64>),
    ) -> Figure {
        let (numerator, denominator) = count(self.now);
        let now = value(unit, numerator, denominator);
        let before = self.before.map(|before| {
            let (numerator, denominator) = count(before);
            Earlier { value: value(unit, numerator, denominator).ok(), numerator, denominator }
        });
        Figure {
            id: id.to_owned(),
            label: label.to_owned(),
            unit,
            value: now.ok(),
            numerator,
            denominator,
            definition: definition.to_owned(),
            absent: now.err().map(str::to_owned),
            before,
        }
    }

    fn count(&self, named: (&str, &str, &str), count: impl Fn(&Sums) -> u64) -> Figure {
        self.figure(named, Unit::Count, |sums| (count(sums), None))
    }

    fn share(&self, named: (&str, &str, &str), count: impl Fn(&Sums) -> (u64, u64)) -> Figure {
        self.figure(named, Unit::Share, |sums| {
            let (numerator, denominator) = count(sums);
            (numerator, Some(denominator))
        })
    }
}

fn traffic(make: &Maker<'_>, material: &Material) -> Vec<Figure> {
    let api = "An API call carries or is answered with JSON, XML, protobuf, gRPC or GraphQL, or \
               its path says so (api, graphql, rest, rpc, a version such as v2). Where nothing is \
               told of media types, as in most access logs, the path and its ending decide.";
    let surfaces = [
        ("api-share", "API calls", Surface::Api, api),
        (
            "page-share",
            "Pages",
            Surface::Page,
            "HTML, and forms that pages send, of all exchanges.",
        ),
        (
            "asset-share",
            "Files of pages",
            Surface::Asset,
            "Style sheets, scripts, images, fonts and media, of all exchanges.",
        ),
        (
            "untold-share",
            "Cannot be told",
            Surface::Untold,
            "Neither media type, path nor what the caller accepts says what it was.",
        ),
    ];
    let callers = [
        (
            "human-share",
            "People",
            CallerKind::Human,
            "The program says it is a browser or an application, and its conduct does not \
             contradict it. A claim, not a proof.",
        ),
        (
            "declared-bot-share",
            "Bots that say so",
            CallerKind::DeclaredBot,
            "The program names itself as a crawler, monitor or similar.",
        ),
        (
            "automated-share",
            "Automated",
            CallerKind::Automated,
            "The program is a tool or a library for scripts, or the request would be refused for \
             conduct that only machines show: credential stuffing, search for paths, floods.",
        ),
        (
            "unknown-caller-share",
            "Does not say",
            CallerKind::Unknown,
            "No program is named, or one that is not known.",
        ),
    ];
    let seconds = material.period.counted_to.since(material.period.counted_from).as_secs();
    let mut figures = vec![
        make.count(
            ("calls", "Exchanges", "Requests with their answers, of every kind, refused ones too."),
            |sums| sums.calls,
        ),
        per_year(make, material, seconds),
    ];
    figures.extend(surfaces.map(|(id, label, surface, definition)| {
        make.share((id, label, definition), |sums| (at(&sums.by_surface, &surface), sums.calls))
    }));
    figures.extend(callers.map(|(id, label, caller, definition)| {
        make.share((id, label, definition), |sums| (at(&sums.by_caller, &caller), sums.calls))
    }));
    figures
}

/// API calls over the seconds in which they were counted. The period before may have been counted
/// for another while, so each is divided by its own.
fn per_year(make: &Maker<'_>, material: &Material, seconds: u64) -> Figure {
    let named = (
        "api-calls-a-year",
        "API calls a year",
        "API calls, divided by the seconds from the first to the last moment that was counted, \
         times the seconds of a year. Extrapolated: seasons and growth are not in it.",
    );
    let count = |sums: &Sums| (at(&sums.by_surface, &Surface::Api), Some(seconds));
    let mut figure = make.figure(named, Unit::PerYear, count);
    if let (Some(earlier), Ok(before)) = (&mut figure.before, &material.before) {
        earlier.denominator = Some(before.to.since(before.from).as_secs());
        earlier.value = value(Unit::PerYear, earlier.numerator, earlier.denominator).ok();
    }
    figure
}

fn attacks(make: &Maker<'_>) -> Vec<Figure> {
    let kinds = AttackKind::ALL.map(|kind| {
        let (label, definition) = words(kind);
        (format!("attack-{}-share", kind.key()), label, definition, kind)
    });
    let mut figures = vec![
        make.count(
            (
                "attacks",
                "Attacks",
                "Requests that the evidence was enough to refuse, whether they were or not.",
            ),
            |sums| sums.attacks,
        ),
        make.share(
            ("attack-share", "Attacks of all exchanges", "Attacks of all exchanges."),
            |s| (s.attacks, s.calls),
        ),
        make.share(
            (
                "attack-automated-share",
                "Attacks by machines",
                "Attacks whose caller counts as automated. Cuts across the kinds of attack.",
            ),
            |sums| (at(&sums.attacks_by_caller, &CallerKind::Automated), sums.attacks),
        ),
    ];
    figures.extend(kinds.iter().map(|(id, label, definition, kind)| {
        make.share((id, label, definition), |sums| (at(&sums.by_attack, kind), sums.attacks))
    }));
    figures.push(make.count(
        (
            "incidents",
            "Incidents",
            "Campaigns: findings about one caller or one place, close together.",
        ),
        |sums| sums.incidents,
    ));
    figures.extend(kinds.iter().map(|(_, label, _, kind)| {
        let (id, label) = (format!("incidents-{}", kind.key()), format!("Incidents: {label}"));
        let definition = "Incidents whose gravest finding is of this kind.";
        make.count((&id, &label, definition), |sums| at(&sums.incidents_by_attack, kind))
    }));
    figures
}

/// What a kind of attack is called, and what it is.
const fn words(kind: AttackKind) -> (&'static str, &'static str) {
    match kind {
        AttackKind::BusinessLogic => (
            "Business logic",
            "What the API offers, used against its purpose: guessing at vouchers, flooding \
             check-outs. Of all attacks.",
        ),
        AttackKind::Takeover => {
            ("Account takeover", "Log-ins tried with many accounts or passwords. Of all attacks.")
        }
        AttackKind::Flood => ("Floods", "More requests than the limits allow. Of all attacks."),
        AttackKind::Injection => (
            "Injection and known attacks",
            "Values meant to be taken for code, paths or addresses, found by rules. Of all attacks.",
        ),
        AttackKind::Exposure => (
            "Search for exposed paths",
            "Looking for what should not be reachable: hidden paths, backups, old versions. Of all \
             attacks.",
        ),
        AttackKind::Other => {
            ("Other", "Malformed requests, and what an operator blocked. Of all attacks.")
        }
    }
}

fn takeover(make: &Maker<'_>) -> Vec<Figure> {
    let of = |counts: fn(&Sums) -> &std::collections::BTreeMap<Surface, u64>, surface: Surface| {
        move |sums: &Sums| (at(counts(sums), &surface), counts(sums).values().sum())
    };
    vec![
        make.count(("logins", "Log-in attempts", "Exchanges with log-in endpoints."), |s| s.logins),
        make.share(
            ("login-api-share", "Log-ins at the API", "Log-in attempts that are API calls, of all."),
            of(|sums| &sums.logins_by_surface, Surface::Api),
        ),
        make.share(
            ("login-page-share", "Log-ins at pages", "Log-in attempts at pages, of all."),
            of(|sums| &sums.logins_by_surface, Surface::Page),
        ),
        make.share(
            (
                "login-attacked-share",
                "Log-ins that are attacks",
                "Log-in attempts that count as attacks by takeover, of all log-in attempts.",
            ),
            |sums| (sums.logins_attacked, sums.logins),
        ),
        make.share(
            ("takeover-api-share", "Takeover at the API", "Takeover attacks on API calls, of all."),
            of(|sums| &sums.takeover_by_surface, Surface::Api),
        ),
        make.share(
            ("takeover-page-share", "Takeover at pages", "Takeover attacks on pages, of all."),
            of(|sums| &sums.takeover_by_surface, Surface::Page),
        ),
        make.count(
            (
                "accounts-entered",
                "Accounts entered",
                "Accounts that were entered by a guess while it was under suspicion; of one finding \
                 at most 32.",
            ),
            |sums| sums.victims,
        ),
    ]
}

fn targets(make: &Maker<'_>) -> Vec<Figure> {
    let definition = |target| match target {
        Target::DataAccess => {
            "Attacks on search, reading and writing of objects, export, upload, GraphQL."
        }
        Target::Payment => "Attacks on check-out and vouchers.",
        Target::Authentication => "Attacks on log-in, sign-up, codes, resets and tokens.",
        Target::Other => "Attacks on everything else, and on paths that do not exist.",
    };
    let figure = |target: Target| {
        let id = format!("target-{}-share", target.key());
        make.share((&id, target.label(), definition(target)), |sums| {
            (at(&sums.by_target, &target), sums.attacks)
        })
    };
    Target::ALL.map(figure).into()
}

fn probes(make: &Maker<'_>, material: &Material) -> Vec<Figure> {
    let year = year_of(material.period.counted_to);
    let ages = [
        ("probes-age-0-1-share", "Published this year or last", 0, 1),
        ("probes-age-2-4-share", "Two to four years old", 2, 4),
        ("probes-age-5-9-share", "Five to nine years old", 5, 9),
        ("probes-age-10-share", "Ten years and older", 10, u16::MAX),
    ];
    let all = |sums: &Sums| sums.probes.values().map(|(requests, _)| *requests).sum::<u64>();
    let mut figures = vec![
        make.count(("probes", "Probes", "Requests that fit a rule for a CVE."), all),
        make.count(
            ("probed-cves", "Distinct vulnerabilities", "CVE numbers that were tried."),
            |sums| u64::try_from(sums.probes.len()).unwrap_or(u64::MAX),
        ),
        make.count(
            (
                "probes-answered",
                "Probes answered with success",
                "Probes whose answer was 2xx: look at each of them.",
            ),
            |sums| sums.probes.values().map(|(_, answered)| *answered).sum(),
        ),
    ];
    figures.extend(ages.map(|(id, label, from, to)| {
        let definition = "Probes by the age of the vulnerability: the year at the end of the period \
                          less the year in the CVE number. Of all probes.";
        make.share((id, label, definition), |sums| {
            let fits = |cve: Cve| (from..=to).contains(&age(cve, year));
            let fitting = sums.probes.iter().filter(|(cve, _)| fits(**cve));
            (fitting.map(|(_, (requests, _))| *requests).sum(), all(sums))
        })
    }));
    figures
}

fn protection(make: &Maker<'_>) -> Vec<Figure> {
    vec![
        make.share(
            ("refused-share", "Attacks refused", "Attacks that were refused, of all."),
            |s| (s.refused, s.attacks),
        ),
        make.share(
            (
                "would-refuse-share",
                "Attacks let pass",
                "Attacks that passed and would have been refused if the layer enforced, of all.",
            ),
            |sums| (sums.would_refuse, sums.attacks),
        ),
        make.share(
            (
                "excepted-share",
                "Silenced by exceptions",
                "Exchanges in which an operator’s exception silenced evidence, of all exchanges.",
            ),
            |sums| (sums.excepted, sums.calls),
        ),
        make.share(
            (
                "established-share",
                "Attacks of known callers",
                "Attacks whose caller was in good standing: each may be a false alarm. Of all \
                 attacks.",
            ),
            |sums| (sums.attacks_of_established, sums.attacks),
        ),
        make.share(
            (
                "false-positive-share",
                "False alarms, as labelled",
                "Findings that an operator’s exception covers, of all findings. Findings that \
                 nobody looked at count as right: see how many were labelled.",
            ),
            |sums| (sums.findings_excepted, sums.findings),
        ),
        make.share(
            (
                "closed-share",
                "Incidents dealt with",
                "Incidents that somebody closed, of all incidents.",
            ),
            |sums| (sums.incidents_closed, sums.incidents),
        ),
    ]
}
