//! `[alerts]` and `[export]`: who is told, and what.

use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;
use traffic::Severity;

use crate::policy::document::{DAY, MIB, file_path, shape};
use crate::policy::reader::{Entry, Given, Reader, Section, Shape, one_of};
use crate::policy::sink::{KeptSecret, OcsfClass, SinkAddress, SinkKind, SinkUrl};
use crate::policy::value::Wrong;

/// More than this nobody reads.
const SINKS_MAX: usize = 16;
/// An incident that goes on is news once a minute at most.
const DEDUP_MIN: Duration = Duration::from_secs(60);
/// Names become names of folders.
const NAME_CHARS_MAX: usize = 64;
/// Keys whose values are no secrets. Others are never shown.
const SHOWN: [&str; 8] =
    ["name", "format", "min", "dedup", "classes", "ca_file", "link_local", "spool"];

#[derive(Debug, Default)]
pub(in crate::policy) struct SaidAlerts {
    pub(in crate::policy) sinks: Vec<SaidSink>,
    pub(in crate::policy) spool: Option<Given<u64>>,
}

#[derive(Debug)]
pub(in crate::policy) struct SaidSink {
    pub(in crate::policy) kind: SinkKind,
    pub(in crate::policy) to: Given<SinkAddress>,
    pub(in crate::policy) name: Option<Given<String>>,
    pub(in crate::policy) authorization: Option<Given<KeptSecret>>,
    pub(in crate::policy) min: Option<Given<Severity>>,
    pub(in crate::policy) dedup: Option<Given<Duration>>,
    pub(in crate::policy) classes: Option<Given<Vec<OcsfClass>>>,
    pub(in crate::policy) ca_file: Option<Given<PathBuf>>,
    pub(in crate::policy) link_local: Option<Given<bool>>,
}

impl SaidAlerts {
    /// `[alerts]`.
    pub(super) fn read_alerts<'t>(&mut self, entry: Entry<'t>, reader: &mut Reader<'t>) {
        conceal(&entry, reader);
        let Some(mut keys) = entry.table(reader, &shape::ALERTS) else { return };
        if let Some(webhooks) = keys.take("webhook") {
            self.read_sinks(webhooks, &shape::WEBHOOK, SinkKind::Json, reader);
        }
        if let Some(syslog) = keys.take("syslog") {
            self.read_sinks(syslog, &shape::SYSLOG, SinkKind::Syslog, reader);
        }
        self.spool = keys.take("spool").and_then(|e| e.bytes(reader, MIB..=MIB << 14));
        reader.finish(keys);
    }

    /// `[export]`.
    pub(super) fn read_export<'t>(&mut self, entry: Entry<'t>, reader: &mut Reader<'t>) {
        conceal(&entry, reader);
        let Some(mut keys) = entry.table(reader, &shape::EXPORT) else { return };
        if let Some(ocsf) = keys.take("ocsf") {
            self.read_sinks(ocsf, &shape::OCSF, SinkKind::Ocsf, reader);
        }
        reader.finish(keys);
    }

    fn read_sinks<'t>(
        &mut self,
        entry: Entry<'t>,
        shape: &'static Shape,
        kind: SinkKind,
        reader: &mut Reader<'t>,
    ) {
        for item in entry.items() {
            let Some(section) = item.table(reader, shape) else { continue };
            if self.sinks.len() == SINKS_MAX {
                let cause = format!("more than {SINKS_MAX} are told");
                let help = "tell one of them, and let it tell the others".to_owned();
                return reader.error(section.span, Wrong { cause, help });
            }
            self.sinks.extend(SaidSink::read(section, shape, kind, reader));
        }
    }
}

impl SaidSink {
    fn read<'t>(
        mut keys: Section<'t>,
        shape: &'static Shape,
        mut kind: SinkKind,
        reader: &mut Reader<'t>,
    ) -> Option<Self> {
        let mut take = |key: &str| match shape.keys.contains(&key) {
            true => keys.take(key),
            false => None,
        };
        if let Some(format) = take("format").and_then(|e| e.word(reader, &shape::FORMAT)) {
            kind = format.value;
        }
        let (to_key, example) = match shape.keys.contains(&"url") {
            true => ("url", "\"env:SLACK_WEBHOOK\""),
            false => ("to", "\"syslog+tls://siem.example.com:6514\""),
        };
        let to = take(to_key);
        let is_missing = to.is_none();
        let to = to.and_then(|e| e.text(reader, example, |text| address(kind, text)));
        let name = take("name").and_then(|e| e.text(reader, "\"soc\"", sink_name));
        let min = take("min").and_then(|e| e.word(reader, &shape::SEVERITY));
        let dedup = take("dedup").and_then(|e| e.duration(reader, DEDUP_MIN..=DAY * 7));
        let classes = take("classes").and_then(|e| read_classes(e, reader));
        let authorization = take("authorization");
        let authorization =
            authorization.and_then(|e| e.text(reader, "\"env:SIEM_AUTHORIZATION\"", kept_only));
        let ca_file = take("ca_file");
        let ca_file =
            ca_file.and_then(|e| e.text(reader, "\"/etc/palisade/tls/siem-ca.pem\"", file_path));
        let link_local = take("link_local").and_then(|e| e.truth(reader));
        if is_missing {
            let cause = format!("`{to_key}` is missing: nobody is told");
            let help = format!("write {to_key} = {example}");
            reader.error(keys.span.clone(), Wrong { cause, help });
        }
        reader.finish(keys);
        let to = to?;
        Some(Self { kind, to, name, authorization, min, dedup, classes, ca_file, link_local })
    }
}

/// Keeps what may be a secret out of every line that a remark shows.
fn conceal(entry: &Entry<'_>, reader: &mut Reader<'_>) {
    let mut open = vec![(entry.key.as_str(), &entry.value, entry.span.clone())];
    while let Some((key, value, span)) = open.pop() {
        match value {
            DeValue::String(text) => {
                let is_told = SHOWN.contains(&key) || kept(text).is_some();
                if !is_told {
                    reader.conceal(span);
                }
            }
            DeValue::Array(items) => {
                open.extend(items.iter().map(|item| (key, item.get_ref(), item.span())));
            }
            DeValue::Table(table) => open.extend(
                table
                    .iter()
                    .map(|(key, item)| (key.get_ref().as_ref(), item.get_ref(), item.span())),
            ),
            _ => {}
        }
    }
}

/// `env:NAME` or `file:PATH`; relative paths are resolved by `check`.
fn kept(text: &str) -> Option<KeptSecret> {
    if let Some(name) = text.strip_prefix("env:") {
        return Some(KeptSecret::Variable(name.to_owned()));
    }
    let path = text.strip_prefix("file:")?;
    Some(KeptSecret::OnDisk(PathBuf::from(path.strip_prefix("//").unwrap_or(path))))
}

fn address(kind: SinkKind, text: &str) -> Result<SinkAddress, Wrong> {
    match kept(text) {
        Some(secret) => checked(secret).map(SinkAddress::Kept),
        None => SinkUrl::parse(kind, text).map(SinkAddress::Here),
    }
}

/// A secret that does not belong into the file.
fn kept_only(text: &str) -> Result<KeptSecret, Wrong> {
    let wrong = || Wrong {
        cause: "the secret itself stands in the file".to_owned(),
        help: "keep it elsewhere, and write \"env:NAME\" or \"file:PATH\"".to_owned(),
    };
    kept(text).ok_or_else(wrong).and_then(checked)
}

fn checked(secret: KeptSecret) -> Result<KeptSecret, Wrong> {
    let wrong = |cause: &str, help: &str| Wrong { cause: cause.into(), help: help.into() };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match &secret {
        KeptSecret::Variable(name) if name.is_empty() || !name.chars().all(is_plain) => {
            Err(wrong("no variable has this name", "write one as in \"env:SLACK_WEBHOOK\""))
        }
        KeptSecret::OnDisk(path) if path.as_os_str().is_empty() => {
            Err(wrong("the path is empty", "write the path of a file"))
        }
        _ => Ok(secret),
    }
}

fn sink_name(text: &str) -> Result<String, Wrong> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_name = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= NAME_CHARS_MAX
        && text.chars().all(is_plain);
    match is_name {
        true => Ok(text.to_owned()),
        false => Err(Wrong {
            cause: format!("{text:?} is not a name"),
            help: format!(
                "letters, digits, `-`, `_` and `.`, at most {NAME_CHARS_MAX}, as in \"soc\""
            ),
        }),
    }
}

fn read_classes<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<Vec<OcsfClass>>> {
    let mut given = entry.given(reader, Vec::new());
    let key = entry.key.clone();
    for item in entry.items() {
        let class = item
            .text(reader, "\"detection_finding\"", |text| one_of(&key, text, &shape::OCSF_CLASS))?;
        if !given.value.contains(&class.value) {
            given.value.push(class.value);
        }
    }
    if given.value.is_empty() {
        let cause = format!("`{key}` is empty: nothing would be sent");
        let help = "write [\"detection_finding\"], or leave it out".to_owned();
        reader.error(given.span, Wrong { cause, help });
        return None;
    }
    Some(given)
}
