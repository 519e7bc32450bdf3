//! Access logs: their formats, and what a line of each says.
//!
//! One file for each family: common and combined (`clf.rs`), format strings (`pattern.rs`), JSON
//! (`json.rs`), load balancers (`alb.rs`, `haproxy.rs`). Each turns a line of bytes into a
//! [`LogLine`], or says in a few words why it cannot. Which format a file has is found out once,
//! from its first lines (`recognise.rs`), and holds for all of them.
//!
//! Invariant: a line came from outside and may be anything. Reading it takes linear time and no
//! more memory than the line itself.

mod alb;
mod clf;
mod field;
mod haproxy;
mod json;
mod line;
mod pattern;
mod prefix;
mod recognise;
mod text;
mod time;

use std::fmt;

use traffic::Fields;

pub use line::NoRequest;
pub(crate) use line::{LogLine, split_absolute};
pub use pattern::NotAFormat;
pub use recognise::NotRecognised;
pub(crate) use recognise::{SAMPLE_BYTES, SAMPLE_LINES, recognise};

use clf::Clf;
use haproxy::Haproxy;
use json::Dialect;
use pattern::Pattern;
use prefix::Prefix;

/// The zone of times that name none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Zone {
    /// Seconds east of Greenwich.
    pub east_s: i64,
}

/// Why a line was not used.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Fault {
    /// It is a message of the server and tells of no request.
    Message,
    /// It has another shape than the format's.
    Shape,
    /// It is no JSON object.
    Json,
    /// It names no time.
    NoTime,
    /// What stands where the time should is none.
    Time,
    /// The client is no address.
    Client,
    /// No client is named.
    NoClient,
    /// No request is where it should be.
    NoRequest,
    /// A quoted text does not end.
    Quotes,
    /// The status is no number.
    Status,
    /// The line is longer than any log's.
    TooLong,
}

/// The format of a log, ready to read lines.
#[derive(Clone, Debug)]
pub(crate) struct Format {
    family: Family,
    prefix: Prefix,
}

#[derive(Clone, Debug)]
enum Family {
    Clf(Clf),
    Pattern(Box<Pattern>, &'static str),
    Json(Dialect, Zone),
    Alb(Box<Pattern>),
    Haproxy(Haproxy),
}

/// What a format says of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FormatName(pub &'static str);

impl Zone {
    /// Greenwich.
    pub const UTC: Self = Self { east_s: 0 };
}

impl Fault {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Message => "a message of the server, no request",
            Self::Shape => "not in this format",
            Self::Json => "no JSON object",
            Self::NoTime => "no time",
            Self::Time => "the time cannot be read",
            Self::Client => "the client is no address",
            Self::NoClient => "no client is named",
            Self::NoRequest => "no request where it should stand",
            Self::Quotes => "a quoted text does not end",
            Self::Status => "the status is no number",
            Self::TooLong => "longer than 1 MiB",
        }
    }
}

impl Format {
    /// The format that a string of the user names or writes out.
    pub(crate) fn named(text: &str, zone: Zone) -> Result<Self, NotAFormat> {
        let family = match text.trim() {
            "combined" | "common" | "clf" | "vhost" => Family::Clf(Clf::new(zone)),
            "json" | "nginx-json" => Family::Json(Dialect::Plain, zone),
            "envoy-json" => Family::Json(Dialect::Envoy, zone),
            "caddy" => Family::Json(Dialect::Caddy, zone),
            "traefik" | "traefik-json" => Family::Json(Dialect::Traefik, zone),
            "alb" => Family::Alb(Box::new(alb::pattern(zone)?)),
            "haproxy" => Family::Haproxy(Haproxy::new(zone)),
            "envoy" => Family::Pattern(Box::new(Pattern::of(recognise::ENVOY, zone)?), "Envoy"),
            written => Family::Pattern(Box::new(Pattern::of(written, zone)?), "the format given"),
        };
        Ok(Self { family, prefix: Prefix::None })
    }

    /// What it is called.
    pub(crate) const fn name(&self) -> FormatName {
        FormatName(match &self.family {
            Family::Clf(_) => "common/combined",
            Family::Pattern(_, name) => name,
            Family::Json(dialect, _) => dialect.name(),
            Family::Alb(_) => "AWS ALB",
            Family::Haproxy(_) => "HAProxy HTTP",
        })
    }

    /// Reads a line. `fields` is room to read JSON into.
    pub(crate) fn read<'a>(
        &mut self,
        text: &'a [u8],
        fields: &'a mut Fields,
    ) -> Result<LogLine<'a>, Fault> {
        let bare = self.prefix.strip(text.trim_ascii_end()).ok_or(Fault::Shape)?;
        let read = match &mut self.family {
            Family::Clf(clf) => clf.read(bare),
            Family::Pattern(pattern, _) => pattern.read(bare),
            Family::Alb(pattern) => alb::read(pattern, bare),
            Family::Haproxy(haproxy) => haproxy.read(bare),
            Family::Json(dialect, zone) => json::read(*dialect, bare, fields, *zone),
        };
        match read {
            Ok(line) if !line.tells_of_a_request() => Err(Fault::Message),
            Ok(line) if line.caller().is_none() => Err(Fault::NoClient),
            Ok(line) => line.times().map(|_| line),
            // What is no line of the format may be one of the server's other messages.
            Err(_) if prefix::is_message(bare) => Err(Fault::Message),
            Err(fault) => Err(fault),
        }
    }
}

impl fmt::Display for FormatName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

#[cfg(test)]
mod tests;
