//! Inputs by what they hold: logs, recordings, HAR documents, each with its lines in order.
//!
//! An input is opened twice: once to find out what it is and when it begins, and again when its
//! time has come, so that a year of rotated logs needs no year of open files. Standard input is
//! kept open, because it cannot be had again.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use traffic::recording::{ExchangeLine, Line as RecordedLine};
use traffic::{Fields, Timestamp};

use crate::call;
use crate::har;
use crate::lines::{Line, Lines};
use crate::log::{self, Fault, Format, FormatName, NoRequest, NotRecognised, Zone};
use crate::open::{Arrival, Opener};
use crate::replay::BEGINNING;
use crate::source::Source;

/// Longer lines of a log are passed over.
const LOG_LINE_BYTES_MAX: usize = 1 << 20;
/// Recordings hold bodies.
const RECORDED_LINE_BYTES_MAX: usize = 16 << 20;
/// Lines are counted within an input in so many bits; the rest of a number names the input.
const LINE_BITS: u32 = 40;
/// From one exchange to the next where no time is told.
const STEP: Duration = Duration::from_millis(1);
/// Reasons for skipped lines of which examples are kept, and bytes of each.
const EXAMPLE_BYTES_MAX: usize = 160;

/// Something that is read.
pub(crate) type Reader = Box<dyn Read + Send>;

/// What is assumed where an input does not tell.
#[derive(Clone, Debug)]
pub struct Assumptions {
    /// The zone of times that name none.
    pub zone: Zone,
    /// The format of all logs, named or written out, instead of one that is recognised.
    pub format: Option<String>,
    /// The host of requests that name none.
    pub host: Arc<str>,
}

/// An input that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NotAnInput {
    /// Opening or reading failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// Its format is not known.
    #[error("{}", unknown(.0))]
    Unknown(NotRecognised),
    /// The format string is wrong.
    #[error("--log-format: {0}")]
    Format(#[from] log::NotAFormat),
    /// Only logs grow.
    #[error("it is no log: `palisade scan` reads it")]
    NotALog,
    /// It is no HAR document after all.
    #[error("{0}")]
    Har(String),
}

impl Account {
    fn no_request(&mut self, why: NoRequest, client: IpAddr, line: u64) {
        let first = NoRequests { count: 0, client, line };
        self.no_requests.entry(why).or_insert(first).count += 1;
    }
}

/// What an input holds.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A log.
    Log(Box<Format>),
    /// A recording; with its secrets left out, or as they were.
    Recording { is_redacted: bool },
    /// A HAR document.
    Har,
}

/// An input that is known and not being read.
pub(crate) struct Known {
    pub(crate) source: Source,
    pub(crate) kind: Kind,
    /// When its first exchange was.
    pub(crate) begins: Timestamp,
    /// What cannot be opened again.
    kept: Option<Lines<Reader>>,
}

/// An input being read.
pub(crate) struct OpenInput {
    body: Body,
    /// Its place among the inputs.
    place: u64,
    line: u64,
    last: Option<Timestamp>,
    pub(crate) account: Account,
}

enum Body {
    Log(Box<Format>, Lines<Reader>, Box<Fields>),
    Recording(Lines<Reader>),
    Har(std::vec::IntoIter<ExchangeLine>),
}

/// What became of an input's lines.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Lines that are not empty.
    pub lines: u64,
    /// Exchanges among them.
    pub exchanges: u64,
    /// Lines whose client sent no request, by what it sent instead.
    pub no_requests: BTreeMap<NoRequest, NoRequests>,
    /// Messages of a server, which tell of no exchange.
    pub messages: u64,
    /// Lines that could not be used, by the reason.
    pub skipped: BTreeMap<String, Skips>,
    /// Why reading ended before the input did, if so.
    pub broken: Option<String>,
}

/// Lines whose clients sent something that is no request.
#[derive(Clone, Copy, Debug)]
pub struct NoRequests {
    /// How many.
    pub count: u64,
    /// The first client that did.
    pub client: IpAddr,
    /// The number of its line, from 1.
    pub line: u64,
}

/// Lines skipped for one reason.
#[derive(Clone, Debug, Default)]
pub struct Skips {
    /// How many.
    pub count: u64,
    /// The number of the first of them, from 1.
    pub line: u64,
    /// Its beginning.
    pub example: String,
}

impl Kind {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Log(format) => format.name().0,
            Self::Recording { .. } => "recording",
            Self::Har => "HAR",
        }
    }
}

impl Account {
    /// How many lines could not be used.
    pub fn skipped_in_all(&self) -> u64 {
        self.skipped.values().map(|skips| skips.count).sum()
    }

    fn skip(&mut self, line: u64, reason: &str, text: &[u8]) {
        let skips = self.skipped.entry(reason.to_owned()).or_insert_with(|| Skips {
            line,
            example: String::from_utf8_lossy(text.get(..EXAMPLE_BYTES_MAX).unwrap_or(text)).into(),
            ..Skips::default()
        });
        skips.count += 1;
    }
}

// === finding out ===

impl Known {
    /// Finds out what `source` holds.
    pub(crate) fn of(source: Source, assumed: &Assumptions) -> Result<Self, NotAnInput> {
        let unheard = Arc::new(AtomicU64::new(0));
        let mut lines = Lines::new(source.open(&unheard)?, RECORDED_LINE_BYTES_MAX);
        let sample = lines.peek()?;
        if sample.trim_ascii().is_empty() {
            return Err(NotAnInput::Empty);
        }
        let kind = kind(sample, assumed)?;
        let begins = begins(&kind, sample).unwrap_or(BEGINNING);
        let kept = (source == Source::Stdin).then_some(lines);
        Ok(Self { source, kind, begins, kept })
    }

    /// Begins to read. What is read of it, as it lies there, is added to `read`.
    pub(crate) fn read(
        &mut self,
        place: usize,
        read: &Arc<AtomicU64>,
    ) -> Result<OpenInput, NotAnInput> {
        let longest = match self.kind {
            Kind::Log(_) => LOG_LINE_BYTES_MAX,
            _ => RECORDED_LINE_BYTES_MAX,
        };
        let lines = match self.kept.take() {
            Some(kept) => kept,
            None => Lines::new(self.source.open(read)?, longest),
        };
        let body = match &self.kind {
            Kind::Log(format) => Body::Log(format.clone(), lines, Box::default()),
            Kind::Recording { .. } => Body::Recording(lines),
            Kind::Har => {
                let document = whole(lines)?;
                Body::Har(har::read(&document).map_err(NotAnInput::Har)?.into_iter())
            }
        };
        let place = u64::try_from(place).unwrap_or(u64::MAX);
        Ok(OpenInput { body, place, line: 0, last: None, account: Account::default() })
    }
}

fn kind(sample: &[u8], assumed: &Assumptions) -> Result<Kind, NotAnInput> {
    if let Some(format) = &assumed.format {
        return Ok(Kind::Log(Box::new(Format::named(format, assumed.zone)?)));
    }
    if har::begins_like_one(sample) {
        return Ok(Kind::Har);
    }
    let lines = sample_lines(sample);
    if let Some(is_redacted) = lines.first().and_then(|first| recording(first)) {
        return Ok(Kind::Recording { is_redacted });
    }
    log::recognise(&lines, assumed.zone)
        .map(|format| Kind::Log(Box::new(format)))
        .map_err(NotAnInput::Unknown)
}

/// The format of a log that begins with `sample`, or why it is not known.
pub(crate) fn format_of(sample: &[u8], assumed: &Assumptions) -> Result<Format, NotAnInput> {
    match kind(sample, assumed)? {
        Kind::Log(format) => Ok(*format),
        Kind::Recording { .. } | Kind::Har => Err(NotAnInput::NotALog),
    }
}

/// The whole lines of a sample; its last one only if it is the only one.
fn sample_lines(sample: &[u8]) -> Vec<&[u8]> {
    let sample = sample.get(..log::SAMPLE_BYTES.min(sample.len())).unwrap_or_default();
    let whole = match memchr::memrchr(b'\n', sample) {
        Some(end) => sample.get(..end).unwrap_or_default(),
        None => sample,
    };
    whole.split(|byte| *byte == b'\n').take(log::SAMPLE_LINES).collect()
}

/// Whether a line is of a recording, and whether that has its secrets left out.
fn recording(line: &[u8]) -> Option<bool> {
    match serde_json::from_slice(line).ok()? {
        RecordedLine::Header(header) => Some(header.hash_key.is_none()),
        RecordedLine::Exchange(_) | RecordedLine::Order(_) => Some(true),
    }
}

/// When the first exchange of a sample was.
fn begins(kind: &Kind, sample: &[u8]) -> Option<Timestamp> {
    let lines = sample_lines(sample);
    match kind {
        Kind::Log(format) => {
            let (mut format, mut fields) = (format.clone(), Fields::default());
            lines.iter().find_map(|line| {
                let read = format.read(line, &mut fields).ok()?;
                read.times().ok().map(|(at, _)| at)
            })
        }
        Kind::Recording { .. } => lines.iter().find_map(|line| {
            let exchange: ExchangeLine = serde_json::from_slice(line).ok()?;
            call::time(&exchange).ok()?
        }),
        Kind::Har => None,
    }
}

fn whole(mut lines: Lines<Reader>) -> Result<Vec<u8>, NotAnInput> {
    let mut document = lines.peek()?.to_vec();
    lines.input_mut().take(har::HAR_BYTES_MAX).read_to_end(&mut document)?;
    Ok(document)
}

fn unknown(why: &NotRecognised) -> String {
    let NotRecognised { lines, messages, closest, example } = why;
    if *messages * 2 > *lines {
        return "it holds a server's messages and no requests; what can be read is its access log"
            .to_owned();
    }
    let mut text = "its format is not known".to_owned();
    if let Some((FormatName(name), read)) = closest {
        text.push_str(&format!(": {name} reads {read} of {lines} lines"));
    }
    if let Some((line, fault)) = example {
        text.push_str(&format!(" (line {line}: {})", fault.text()));
    }
    text + "; name it with --log-format"
}

// === reading ===

impl OpenInput {
    /// A log that is being written.
    pub(crate) fn growing(format: Format, lines: Lines<Reader>, place: usize) -> Self {
        Self {
            body: Body::Log(Box::new(format), lines, Box::default()),
            place: u64::try_from(place).unwrap_or(u64::MAX),
            line: 0,
            last: None,
            account: Account::default(),
        }
    }

    /// The next exchange; what is skipped on the way is put on the account. None at the end of
    /// what there is; an input that grows can be asked again.
    pub(crate) fn next(&mut self, opener: &mut Opener<'_>) -> Option<Arrival> {
        match &mut self.body {
            Body::Log(..) => self.next_of_log(opener, false),
            Body::Recording(_) => self.next_of_recording(opener),
            Body::Har(_) => self.next_of_har(opener),
        }
    }

    /// What stands behind the last newline, when nothing more is to come.
    pub(crate) fn rest(&mut self, opener: &mut Opener<'_>) -> Option<Arrival> {
        match &mut self.body {
            Body::Log(..) => self.next_of_log(opener, true),
            _ => None,
        }
    }

    fn next_of_log(&mut self, opener: &mut Opener<'_>, is_rest: bool) -> Option<Arrival> {
        let Self { body, place, line, account, .. } = self;
        let Body::Log(format, lines, fields) = body else { return None };
        loop {
            let next = if is_rest { Ok(lines.rest()) } else { lines.next() };
            let text = match next {
                Ok(Some(Line::Whole(text))) => text,
                Ok(Some(Line::TooLong)) => {
                    *line += 1;
                    account.lines += 1;
                    account.skip(*line, Fault::TooLong.text(), b"");
                    continue;
                }
                Ok(None) => return None,
                Err(error) => {
                    account.broken = Some(error.to_string());
                    return None;
                }
            };
            *line += 1;
            if text.trim_ascii().is_empty() {
                continue;
            }
            account.lines += 1;
            let read = format.read(text, fields);
            match read {
                Ok(read) => match opener.line(&read, number(*place, *line)) {
                    Some(Ok(arrival)) => {
                        account.exchanges += 1;
                        return Some(arrival);
                    }
                    Some(Err((client, why))) => account.no_request(why, client, *line),
                    None => account.skip(*line, Fault::NoTime.text(), text),
                },
                Err(Fault::Message) => account.messages += 1,
                Err(fault) => account.skip(*line, fault.text(), text),
            }
        }
    }

    fn next_of_recording(&mut self, opener: &mut Opener<'_>) -> Option<Arrival> {
        loop {
            let Body::Recording(lines) = &mut self.body else { return None };
            let next = lines.next();
            let line = match next {
                Ok(Some(line)) => Some(line),
                Ok(None) => lines.rest(),
                Err(error) => {
                    self.account.broken = Some(error.to_string());
                    return None;
                }
            };
            self.line += 1;
            let text = match line? {
                Line::Whole(text) => text,
                Line::TooLong => {
                    self.account.lines += 1;
                    self.account.skip(self.line, Fault::TooLong.text(), b"");
                    continue;
                }
            };
            if text.trim_ascii().is_empty() {
                continue;
            }
            self.account.lines += 1;
            match serde_json::from_slice(text) {
                // What an operator ordered meanwhile is no traffic.
                Ok(RecordedLine::Header(_) | RecordedLine::Order(_)) => self.account.messages += 1,
                Ok(RecordedLine::Exchange(exchange)) => {
                    if let Some(arrival) = self.exchange(&exchange, opener) {
                        return Some(arrival);
                    }
                }
                Err(_) => self.account.skip(self.line, "no exchange", text),
            }
        }
    }

    fn next_of_har(&mut self, opener: &mut Opener<'_>) -> Option<Arrival> {
        loop {
            let Body::Har(exchanges) = &mut self.body else { return None };
            let exchange = exchanges.next()?;
            self.line += 1;
            self.account.lines += 1;
            if let Some(arrival) = self.exchange(&exchange, opener) {
                return Some(arrival);
            }
        }
    }

    fn exchange(&mut self, exchange: &ExchangeLine, opener: &mut Opener<'_>) -> Option<Arrival> {
        let n = number(self.place, self.line);
        let opened = call::time(exchange).and_then(|time| {
            let next = || self.last.map_or(BEGINNING, |last| last.after(STEP));
            opener.exchange(exchange, time.unwrap_or_else(next), n)
        });
        match opened {
            Ok(arrival) => {
                self.last = Some(arrival.at);
                self.account.exchanges += 1;
                Some(arrival)
            }
            Err(error) => {
                self.account.skip(self.line, &error.to_string(), exchange.request.url.as_bytes());
                None
            }
        }
    }
}

/// The place of a line among all inputs, as one number.
fn number(place: u64, line: u64) -> u64 {
    place << LINE_BITS | line
}

/// Input and line of such a number.
pub(crate) const fn place_of(n: u64) -> (u64, u64) {
    (n >> LINE_BITS, n & ((1 << LINE_BITS) - 1))
}
