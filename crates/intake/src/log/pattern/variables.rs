//! What the variables of three families of format strings mean.
//!
//! nginx: `$name` and `${name}`. Apache: `%h`, `%>s`, `%{User-Agent}i`. Envoy:
//! `%REQ(NAME?OTHER):9%`. A variable that is not known is a field that does not count: it still
//! has its place in the line.

use http::HeaderName;
use http::header::HOST;

use super::Piece;
use crate::log::field::{Field, Unit};
use crate::log::line::Moment;

/// The pieces of a format string.
pub(super) fn pieces(format: &str) -> Vec<Piece> {
    if format.contains('$') && !format.contains("%{") {
        return split(format, '$', nginx);
    }
    match format.split('%').any(is_envoy_name) {
        true => split(format, '%', envoy),
        false => split(&unquoted(format), '%', apache),
    }
}

/// Takes `format` apart at `mark`; `read` takes one variable off the text behind a mark, and
/// gives what it means and how much of the text it took.
fn split(format: &str, mark: char, read: fn(&str) -> Option<(Field, usize)>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find(mark) {
        let (before, from) = rest.split_at(at);
        text.extend_from_slice(before.as_bytes());
        let behind = from.get(mark.len_utf8()..).unwrap_or_default();
        if behind.starts_with(mark) {
            text.extend_from_slice(from.get(..mark.len_utf8()).unwrap_or_default().as_bytes());
            rest = behind.get(mark.len_utf8()..).unwrap_or_default();
            continue;
        }
        let Some((field, length)) = read(behind) else {
            text.extend_from_slice(from.get(..mark.len_utf8()).unwrap_or_default().as_bytes());
            rest = behind;
            continue;
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        let (name, after) = behind.split_at_checked(length).unwrap_or((behind, ""));
        // Apache writes this one in brackets of its own.
        let (open, close) = if mark == '%' && name == "t" { ("[", "]") } else { ("", "") };
        text.extend_from_slice(open.as_bytes());
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Variable(format!("{mark}{name}"), field));
        text.extend_from_slice(close.as_bytes());
        rest = after;
    }
    text.extend_from_slice(rest.trim_end().as_bytes());
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

/// In Apache's configuration a quote within the string is escaped.
fn unquoted(format: &str) -> String {
    format.replace("\\\"", "\"")
}

// === nginx ===

fn nginx(text: &str) -> Option<(Field, usize)> {
    if let Some(inside) = text.strip_prefix('{') {
        let end = inside.find('}')?;
        return Some((nginx_variable(inside.get(..end)?), end + 2));
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let length = text.find(|c| !is_name(c)).unwrap_or(text.len());
    (length > 0).then(|| (nginx_variable(text.get(..length).unwrap_or_default()), length))
}

/// The meaning of one of nginx's variables.
pub(crate) fn nginx_variable(name: &str) -> Field {
    match name {
        "remote_addr" | "binary_remote_addr" => Field::Client,
        "proxy_protocol_addr" => Field::Client,
        "remote_user" => Field::User,
        "time_local" | "time_iso8601" => Field::Time(Moment::End),
        "msec" => Field::Epoch(Moment::End, Unit::Seconds),
        "request" => Field::Request,
        "request_method" => Field::Method,
        "request_uri" => Field::Target,
        "uri" | "document_uri" => Field::Path,
        "args" | "query_string" => Field::Query,
        "server_protocol" => Field::Version,
        "host" | "http_host" => Field::Host,
        "server_name" => Field::HostByConfiguration,
        "scheme" => Field::Scheme,
        "status" => Field::Status,
        "body_bytes_sent" => Field::Bytes,
        "bytes_sent" => Field::Bytes,
        "request_time" => Field::Took(Unit::Seconds),
        // Of AWS load balancers, which have no names for their fields in the log itself.
        "request_processing_time" | "target_processing_time" | "response_processing_time" => {
            Field::TookPart(Unit::Seconds)
        }
        "ssl_ja4" | "http_ssl_ja4" => Field::Ja4,
        _ => header_variable(name).unwrap_or(Field::Other),
    }
}

/// `http_user_agent`, `sent_http_content_type`, `cookie_…`.
fn header_variable(name: &str) -> Option<Field> {
    let dashed = |name: &str| HeaderName::try_from(name.replace('_', "-")).ok();
    if let Some(name) = name.strip_prefix("sent_http_") {
        return dashed(name).map(Field::AnswerHeader);
    }
    dashed(name.strip_prefix("http_")?).map(Field::Header)
}

// === Apache ===

fn apache(text: &str) -> Option<(Field, usize)> {
    // Conditions on the status and the choice of the first or last request stand before the name.
    let modifiers = text.find(|c: char| !(c.is_ascii_digit() || "!,<>".contains(c)))?;
    let bare = text.get(modifiers..)?;
    if let Some(inside) = bare.strip_prefix('{') {
        let end = inside.find('}')?;
        let (argument, letter) = (inside.get(..end)?, inside.get(end + 1..)?);
        let letter_length = if letter.starts_with('^') { 3 } else { 1 };
        let letter = letter.get(..letter_length)?;
        return Some((apache_with(argument, letter), modifiers + 1 + end + 1 + letter_length));
    }
    let letter = bare.chars().next()?;
    letter.is_ascii_alphabetic().then(|| (apache_letter(letter), modifiers + 1))
}

const fn apache_letter(letter: char) -> Field {
    match letter {
        'h' | 'a' => Field::Client,
        'u' => Field::User,
        't' => Field::Time(Moment::Start),
        'r' => Field::Request,
        'm' => Field::Method,
        'U' => Field::Path,
        'q' => Field::Query,
        'H' => Field::Version,
        'v' | 'V' => Field::HostByConfiguration,
        's' => Field::Status,
        'b' | 'B' | 'O' => Field::Bytes,
        'D' => Field::Took(Unit::Micros),
        'T' => Field::Took(Unit::Seconds),
        _ => Field::Other,
    }
}

fn apache_with(argument: &str, letter: &str) -> Field {
    match (letter, argument) {
        ("a", "c") => Field::Other,
        ("h", "c") => Field::Other,
        ("T", "ms") => Field::Took(Unit::Millis),
        ("T", "us") => Field::Took(Unit::Micros),
        ("T", _) => Field::Took(Unit::Seconds),
        ("t", "msec" | "begin:msec") => Field::Epoch(Moment::Start, Unit::Millis),
        ("t", "usec" | "begin:usec") => Field::Epoch(Moment::Start, Unit::Micros),
        ("t", "sec" | "begin:sec") => Field::Epoch(Moment::Start, Unit::Seconds),
        ("t", "end:msec") => Field::Epoch(Moment::End, Unit::Millis),
        ("t", "end:usec") => Field::Epoch(Moment::End, Unit::Micros),
        ("t", format) if is_a_whole_time(format) => Field::Time(Moment::Start),
        ("i", name) => request_header(name),
        ("o", name) => HeaderName::try_from(name).map_or(Field::Other, Field::AnswerHeader),
        _ => Field::Other,
    }
}

/// Whether a `strftime` format writes a time that is read here.
fn is_a_whole_time(format: &str) -> bool {
    let format = format.trim_start_matches("begin:");
    format.starts_with("%Y-%m-%dT%T")
        || format.starts_with("%Y-%m-%dT%H:%M:%S")
        || format.starts_with("%Y-%m-%d %T")
        || format.starts_with("%Y-%m-%d %H:%M:%S")
        || format.starts_with("%d/%b/%Y:%T")
        || format.starts_with("%d/%b/%Y:%H:%M:%S")
}

/// A header of the request, by its name.
pub(crate) fn request_header(name: &str) -> Field {
    match HeaderName::try_from(name) {
        Ok(HOST) => Field::Host,
        Ok(name) => Field::Header(name),
        Err(_) => Field::Other,
    }
}

// === Envoy ===

/// Whether the text between two percent signs is one of Envoy's operators.
fn is_envoy_name(text: &str) -> bool {
    let name = text.split(['(', ':']).next().unwrap_or_default();
    name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

fn envoy(text: &str) -> Option<(Field, usize)> {
    let end = text.find('%')?;
    // A time's own format holds percent signs; it ends at the closing bracket.
    let end = match text.find('(').filter(|open| *open < end) {
        Some(_) => {
            let close = text.find(')')?;
            close + text.get(close..)?.find('%')?
        }
        None => end,
    };
    Some((envoy_operator(text.get(..end)?), end + 1))
}

/// The meaning of one of Envoy's operators, without its percent signs.
pub(crate) fn envoy_operator(operator: &str) -> Field {
    let (name, argument) = match operator.split_once('(') {
        Some((name, rest)) => (name, rest.rsplit_once(')').map_or(rest, |(inside, _)| inside)),
        None => (operator.split(':').next().unwrap_or(operator), ""),
    };
    match name {
        "START_TIME" if argument.is_empty() || is_a_whole_time(argument) => {
            Field::Time(Moment::Start)
        }
        "START_TIME" if argument == "%s" => Field::Epoch(Moment::Start, Unit::Seconds),
        "REQ" => envoy_header(argument),
        "RESP" => HeaderName::try_from(argument.split('?').next().unwrap_or(argument))
            .map_or(Field::Other, Field::AnswerHeader),
        "PROTOCOL" => Field::Version,
        "RESPONSE_CODE" => Field::Status,
        "BYTES_SENT" => Field::Bytes,
        "DURATION" => Field::Took(Unit::Millis),
        "DOWNSTREAM_REMOTE_ADDRESS" | "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => Field::Client,
        "TLS_JA4_FINGERPRINT" => Field::Ja4,
        _ => Field::Other,
    }
}

/// `:METHOD`, `X-ENVOY-ORIGINAL-PATH?:PATH`, a header with or without a stand-in.
fn envoy_header(argument: &str) -> Field {
    let names = || argument.split('?').map(str::to_ascii_lowercase);
    let pseudo = names().find(|name| name.starts_with(':'));
    match pseudo.as_deref() {
        Some(":method") => Field::Method,
        Some(":path") => Field::Target,
        Some(":authority") => Field::Host,
        Some(":scheme") => Field::Scheme,
        _ => names().next().map_or(Field::Other, |name| request_header(&name)),
    }
}
