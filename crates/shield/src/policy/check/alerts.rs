//! `[alerts]` and `[export]`: names, defaults, and addresses at which nobody is to be told.

use std::time::Duration;

use traffic::Severity;

use crate::policy::check::{Check, setting};
use crate::policy::document::{SaidAlerts, SaidSink};
use crate::policy::setting::Setting;
use crate::policy::sink::{
    Alerts, KeptSecret, OcsfClass, Sink, SinkAddress, SinkKind, SinkUrl, is_out_of_bounds,
};
use crate::policy::value::Wrong;

const SPOOL_BYTES: u64 = 64 << 20;
const DEDUP: Duration = Duration::from_secs(15 * 60);

impl Check<'_, '_, '_> {
    pub(super) fn alerts(&mut self, said: SaidAlerts) -> Alerts {
        let spool = setting(said.spool, SPOOL_BYTES);
        let mut sinks: Vec<Sink> = Vec::new();
        for said in said.sinks {
            let name = self.sink_name(&said, &sinks);
            let sink = self.sink(said, name);
            sinks.push(sink);
        }
        Alerts { sinks, spool }
    }

    fn sink(&mut self, said: SaidSink, name: String) -> Sink {
        let is_export = said.kind == SinkKind::Ocsf;
        let min = if is_export { Severity::Info } else { Severity::Medium };
        let link_local = setting(said.link_local, false);
        if let SinkAddress::Here(url) = &said.to.value {
            self.look_at(url, &said.to.span, link_local.value);
        }
        let resolved = |this: &Self, secret| match secret {
            KeptSecret::OnDisk(path) => KeptSecret::OnDisk(this.resolved(path)),
            variable @ KeptSecret::Variable(_) => variable,
        };
        let to = said.to.map(|to| match to {
            SinkAddress::Kept(secret) => SinkAddress::Kept(resolved(self, secret)),
            here @ SinkAddress::Here(_) => here,
        });
        let authorization =
            said.authorization.map(|given| given.map(|secret| resolved(self, secret)));
        Sink {
            name,
            kind: said.kind,
            to: Setting { value: to.value, from: to.from },
            authorization: authorization
                .map(|given| Setting { value: given.value, from: given.from }),
            min: setting(said.min, min),
            dedup: setting(said.dedup, DEDUP),
            classes: setting(said.classes, vec![OcsfClass::DetectionFinding]),
            ca_file: match said.ca_file {
                Some(given) => {
                    let path = self.path(given);
                    Setting { value: Some(path.value), from: path.from }
                }
                None => Setting::default(None),
            },
            link_local,
        }
    }

    /// What is told there would reach nobody, somebody else, or everybody on the way.
    fn look_at(&mut self, url: &SinkUrl, span: &std::ops::Range<usize>, link_local: bool) {
        if !link_local && url.ip().is_some_and(is_out_of_bounds) {
            let cause =
                format!("{} is a link-local address, or one of a metadata service", url.host);
            let help = "`link_local = true` allows it, if it is really meant".to_owned();
            self.reader.error(span.clone(), Wrong { cause, help });
        }
        if !url.scheme.is_encrypted() && !url.is_loopback() {
            let cause = format!("{url} is not encrypted: whoever is on the way reads along");
            let help = match url.scheme.is_http() {
                true => "write https://",
                false => "write syslog+tls://",
            };
            self.reader.warn(span, cause, help);
        }
    }

    /// The name that was given, or one that stays the same when a secret changes.
    fn sink_name(&mut self, said: &SaidSink, others: &[Sink]) -> String {
        let is_taken = |name: &str| others.iter().any(|other| other.name == name);
        if let Some(given) = &said.name {
            if is_taken(&given.value) {
                let cause = format!("another is called {:?}, too", given.value);
                let help = "give each its own `name`".to_owned();
                self.reader.error(given.span.clone(), Wrong { cause, help });
            }
            return given.value.clone();
        }
        let from = match &said.to.value {
            SinkAddress::Here(url) => url.host.clone(),
            SinkAddress::Kept(KeptSecret::Variable(name)) => name.clone(),
            SinkAddress::Kept(KeptSecret::OnDisk(path)) => {
                path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
            }
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let from: String =
            from.chars().take(64).map(|c| if is_plain(c) { c } else { '-' }).collect();
        let name = format!("{}-{from}", said.kind.key());
        let mut numbered = (2..).map(|number: u32| format!("{name}-{number}"));
        let other = numbered.find(|name| !is_taken(name));
        if is_taken(&name) { other.unwrap_or(name) } else { name }
    }
}
