//! The settings of `[alerts]` and `[export]` as text. No secret is among them.

use crate::policy::document::{OCSF_CLASS, SEVERITY};
use crate::policy::explain::settings::{SettingView, join, view, word};
use crate::policy::sink::{Alerts, Sink, SinkKind};
use crate::policy::value::{show_bytes, show_duration};

/// All that is told, and to whom.
pub(super) fn alert_settings(alerts: &Alerts) -> Vec<SettingView> {
    let mut views = vec![view("alerts.spool", &alerts.spool, |bytes| show_bytes(*bytes))];
    views.extend(alerts.sinks.iter().flat_map(sink_settings));
    views
}

fn sink_settings(sink: &Sink) -> Vec<SettingView> {
    let table = if sink.kind == SinkKind::Ocsf { "export" } else { "alerts" };
    let key = |key: &str| format!("{table}.{}.{key}", sink.name);
    let mut views = vec![
        view(&key("to"), &sink.to, ToString::to_string),
        view(&key("min"), &sink.min, |min| word(&SEVERITY, *min)),
        view(&key("dedup"), &sink.dedup, |span| show_duration(*span)),
    ];
    if sink.kind == SinkKind::Ocsf {
        views.push(view(&key("classes"), &sink.classes, |classes| {
            join(classes.iter().map(|class| word(&OCSF_CLASS, *class)))
        }));
    }
    if let Some(secret) = &sink.authorization {
        views.push(view(&key("authorization"), secret, ToString::to_string));
    }
    views.extend([
        view(&key("ca_file"), &sink.ca_file, |path| match path {
            Some(path) => path.display().to_string(),
            None => "the machine's".to_owned(),
        }),
        view(&key("link_local"), &sink.link_local, ToString::to_string),
    ]);
    views
}
