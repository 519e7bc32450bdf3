//! Where results go and in which form: data on stdout or into a file, talk on stderr.
//!
//! Whatever is printed passed through here, because much of it was chosen by attackers: control
//! characters and direction marks of traffic never reach a terminal as themselves.

mod page;
mod plain;
mod time;

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use serde::Serialize;

use crate::args::{Color, Format, Global};
use crate::failure::Failure;

pub(crate) use page::{Page, Paint};
pub(crate) use plain::plain;
pub(crate) use time::Clock;

/// The results of one command.
pub(crate) struct Output {
    format: Format,
    sink: Box<dyn Write>,
    paints: bool,
    clock: Clock,
    is_quiet: bool,
}

impl Drop for Output {
    /// What a long output still holds. Whoever has to know of a failure flushed before.
    fn drop(&mut self) {
        let _ = self.sink.flush();
    }
}

impl Output {
    /// As the flags and the terminal say. `default` holds where neither flag nor file name does.
    pub(crate) fn open(global: &Global, default: Format) -> Result<Self, Failure> {
        let output = Self::open_report(global, default)?;
        match output.format {
            Format::Sarif | Format::Junit | Format::Html => Err(Failure::Usage(
                "--output sarif and junit are formats of `palisade scan`, html of scan and report"
                    .to_owned(),
            )),
            _ => Ok(output),
        }
    }

    /// The same for a command that can also write reports for build servers.
    pub(crate) fn open_report(global: &Global, default: Format) -> Result<Self, Failure> {
        let by_name = global.output_file.as_deref().and_then(format_by_name);
        let format = global.output.or(by_name).unwrap_or(default);
        let (sink, is_terminal): (Box<dyn Write>, bool) = match &global.output_file {
            Some(path) => {
                let file = File::create(path).map_err(|error| {
                    Failure::of(format!("cannot write {}", path.display()), error)
                })?;
                (Box::new(io::BufWriter::new(file)), false)
            }
            None => (Box::new(io::BufWriter::new(io::stdout())), io::stdout().is_terminal()),
        };
        let paints = paints(global.color, is_terminal);
        let clock = Clock::new(global.utc);
        Ok(Self { format, sink, paints, clock, is_quiet: global.quiet })
    }

    /// The format.
    pub(crate) const fn format(&self) -> Format {
        self.format
    }

    /// How times are written.
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// A document: whole in both JSON formats, or as `people` writes it.
    pub(crate) fn document<T: Serialize>(
        &mut self,
        document: &T,
        people: impl FnOnce(&mut Page),
    ) -> Result<(), Failure> {
        match self.format {
            Format::Json => self.json(document, true),
            Format::Jsonl => self.json(document, false),
            Format::Table | Format::Sarif | Format::Junit | Format::Html => self.page(people),
        }
    }

    /// A list: the whole document, its items one a line, or as `people` writes it.
    pub(crate) fn list<T: Serialize, I: Serialize>(
        &mut self,
        document: &T,
        items: &[I],
        people: impl FnOnce(&mut Page),
    ) -> Result<(), Failure> {
        if self.format == Format::Jsonl {
            return items.iter().try_for_each(|item| self.json(item, false));
        }
        self.document(document, people)
    }

    /// One line of a long output in JSON lines.
    pub(crate) fn line<T: Serialize>(&mut self, item: &T) -> Result<(), Failure> {
        let text = serde_json::to_string(item);
        let text = text.map_err(|error| Failure::of("cannot write JSON", error))?;
        self.sink.write_all(plain::json(&text).as_bytes())?;
        self.sink.write_all(b"\n")?;
        Ok(())
    }

    /// A text that is in its form already.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.sink.write_all(text.as_bytes())?;
        self.sink.flush()?;
        Ok(())
    }

    /// Gives on what was written so far.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.sink.flush()?)
    }

    /// What people read, and nobody else: undo commands, hints. On stderr, unless `--quiet`.
    pub(crate) fn talk(&self, text: &str) {
        if !self.is_quiet {
            say(text);
        }
    }

    fn page(&mut self, people: impl FnOnce(&mut Page)) -> Result<(), Failure> {
        let mut page = Page::new(self.paints, self.clock.clone());
        people(&mut page);
        self.sink.write_all(page.text().as_bytes())?;
        self.sink.flush()?;
        Ok(())
    }

    fn json<T: Serialize>(&mut self, value: &T, is_pretty: bool) -> Result<(), Failure> {
        let text = match is_pretty {
            true => serde_json::to_string_pretty(value),
            false => serde_json::to_string(value),
        };
        let text = text.map_err(|error| Failure::of("cannot write JSON", error))?;
        self.sink.write_all(plain::json(&text).as_bytes())?;
        self.sink.write_all(b"\n")?;
        self.sink.flush()?;
        Ok(())
    }
}

/// One line of talk on stderr. A closed stderr is nobody's fault.
pub(crate) fn say(text: &str) {
    let mut lines = String::new();
    for line in text.lines() {
        lines.push_str(&plain(line));
        lines.push('\n');
    }
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(lines.as_bytes());
}

/// Whether to colour what goes to a sink. The flag beats the customary variables.
pub(crate) fn paints(color: Color, is_terminal: bool) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if is_set("NO_COLOR") => false,
        Color::Auto if is_set("CLICOLOR_FORCE") => true,
        Color::Auto => is_terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

fn format_by_name(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "json" => Some(Format::Json),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "sarif" => Some(Format::Sarif),
        "xml" => Some(Format::Junit),
        "html" | "htm" => Some(Format::Html),
        _ => None,
    }
}
