//! Hits as ModSecurity writes them to a log, which is what some tests look for.

use rules::{action::Severity, engine::Hit};

/// A line for a hit.
pub(crate) fn line(hit: &Hit<'_>) -> Vec<u8> {
    let rule = hit.rule;
    let mut line = Vec::from(&b"ModSecurity: Warning."[..]);
    field(&mut line, "file", rule.source.file.as_bytes());
    field(&mut line, "line", rule.source.line.to_string().as_bytes());
    field(&mut line, "id", rule.id.to_string().as_bytes());
    if let Some(message) = hit.message() {
        field(&mut line, "msg", message);
    }
    if let Some(data) = hit.data() {
        field(&mut line, "data", data);
    }
    if let Some(severity) = rule.about.severity {
        field(&mut line, "severity", name(severity).as_bytes());
    }
    for tag in hit.tags() {
        field(&mut line, "tag", tag);
    }
    line
}

fn field(line: &mut Vec<u8>, name: &str, value: &[u8]) {
    line.extend_from_slice(b" [");
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b" \"");
    for byte in value {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', *byte]),
            b' '..=b'~' => line.push(*byte),
            _ => line.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    line.extend_from_slice(b"\"]");
}

const fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Emergency => "EMERGENCY",
        Severity::Alert => "ALERT",
        Severity::Critical => "CRITICAL",
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
        Severity::Notice => "NOTICE",
        Severity::Info => "INFO",
        Severity::Debug => "DEBUG",
    }
}
