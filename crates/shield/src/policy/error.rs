//! What is wrong with a policy document, and where.
//!
//! A remark names the place (file, line, column, or the flag), the cause, and what to write
//! instead, and shows the line with a caret below the spot. Lines whose value could be a secret
//! are shown without it; control characters are never shown, since a terminal would obey them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// So much of a line is shown, around the spot.
const EXCERPT_CHARS_MAX: usize = 100;

/// A mistake that keeps a policy from being used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(pub Remark);

/// Something that is allowed, but probably not what was meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning(pub Remark);

/// What is to be said about one place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Remark {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub cause: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// Where something was said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// In a document.
    Text {
        /// The name of the document.
        name: Arc<str>,
        /// The line, from 1.
        line: u32,
        /// The column in characters, from 1.
        column: u32,
        /// The line as it may be shown, with the caret's position; none when it is kept back.
        excerpt: Option<Excerpt>,
    },
    /// On the command line.
    Flag(&'static str),
    /// In no place: it is missing from all of them.
    Nowhere,
}

/// A part of a line and the spot in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Excerpt {
    text: String,
    caret: usize,
    width: usize,
}

/// A document as it was given, for finding lines and columns.
#[derive(Clone, Debug)]
pub(super) struct Text<'t> {
    pub(super) name: Arc<str>,
    pub(super) content: &'t str,
    /// Where each line break stands.
    breaks: Vec<usize>,
    /// What is shown as asterisks.
    pub(super) secrets: Vec<Range<usize>>,
}

/// How much of the line a remark may show.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Show {
    /// All of it.
    Line,
    /// Up to the end of the spot; what follows could be a secret.
    UpToSpot,
    /// Nothing.
    Nothing,
}

// === impl Text ===

impl<'t> Text<'t> {
    pub(super) fn new(name: &str, content: &'t str) -> Self {
        let breaks = content.match_indices('\n').map(|(at, _)| at).collect();
        Self { name: name.into(), content, breaks, secrets: Vec::new() }
    }

    /// The line of a byte offset, from 1.
    pub(super) fn line(&self, offset: usize) -> u32 {
        let newlines = self.breaks.partition_point(|at| *at < offset);
        u32::try_from(newlines + 1).unwrap_or(u32::MAX)
    }

    pub(super) fn place(&self, span: &Range<usize>, show: Show) -> Place {
        let start = self.boundary(span.start);
        let line_start = self.before(start).rfind('\n').map_or(0, |at| at + 1);
        let rest = self.content.get(line_start..).unwrap_or_default();
        let whole = rest.split(['\n', '\r']).next().unwrap_or_default();
        let lead = self.content.get(line_start..start).unwrap_or_default().chars().count();
        let spot = self.content.get(start..self.boundary(span.end.max(start))).unwrap_or_default();
        let width = spot.split('\n').next().unwrap_or_default().trim_end().chars().count();
        let width = width.clamp(1, whole.chars().count().saturating_sub(lead).max(1));
        let excerpt = match show {
            Show::Line => Some(Excerpt::around(self.masked(line_start, whole), lead, width)),
            Show::UpToSpot => {
                let kept = self.masked(line_start, whole).take(lead + width).chain(" …".chars());
                Some(Excerpt::around(kept, lead, width))
            }
            Show::Nothing => None,
        };
        Place::Text {
            name: Arc::clone(&self.name),
            line: self.line(start),
            column: u32::try_from(lead + 1).unwrap_or(u32::MAX),
            excerpt,
        }
    }

    fn masked<'a>(&'a self, start: usize, line: &'a str) -> impl Iterator<Item = char> + 'a {
        line.char_indices().map(move |(at, c)| {
            let is_secret = self.secrets.iter().any(|secret| secret.contains(&(start + at)));
            if is_secret { '*' } else { c }
        })
    }

    fn before(&self, offset: usize) -> &'t str {
        self.content.get(..offset).unwrap_or(self.content)
    }

    /// The nearest offset at or before `offset` that does not split a character.
    fn boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.content.len());
        while !self.content.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

// === impl Excerpt ===

impl Excerpt {
    fn around(line: impl Iterator<Item = char>, lead: usize, width: usize) -> Self {
        let skipped = (lead + width.min(EXCERPT_CHARS_MAX / 2)).saturating_sub(EXCERPT_CHARS_MAX);
        let text: String = line
            .skip(skipped)
            .take(EXCERPT_CHARS_MAX)
            .map(|c| if is_harmless(c) { c } else { ' ' })
            .collect();
        let caret = lead - skipped.min(lead);
        let width = width.min(EXCERPT_CHARS_MAX.saturating_sub(caret)).max(1);
        Self { text: text.trim_end().to_owned(), caret, width }
    }
}

/// Neither a control character nor one that reorders text on a screen.
fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

// === impl Remark ===

impl Remark {
    /// The line it is about, when it is about one.
    pub const fn line(&self) -> Option<u32> {
        match self.place {
            Place::Text { line, .. } => Some(line),
            Place::Flag(_) | Place::Nowhere => None,
        }
    }

    /// The order in which remarks are read: flags, then each document from top to bottom.
    pub(super) fn order(&self) -> (u8, Arc<str>, u32, u32) {
        match &self.place {
            Place::Flag(flag) => (0, (*flag).into(), 0, 0),
            Place::Text { name, line, column, .. } => (1, Arc::clone(name), *line, *column),
            Place::Nowhere => (2, "".into(), 0, 0),
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Text { name, line, column, excerpt } => {
                write!(f, "{name}:{line}:{column}: {}", Clean(&self.cause))?;
                if let Some(excerpt) = excerpt {
                    let margin = line.to_string().len();
                    let (caret, width) = (excerpt.caret, excerpt.width);
                    write!(f, "\n{line} | {}", excerpt.text)?;
                    write!(f, "\n{:margin$} | {:caret$}{:^<width$}", "", "", "")?;
                }
            }
            Place::Flag(flag) => write!(f, "{flag}: {}", Clean(&self.cause))?,
            Place::Nowhere => write!(f, "{}", Clean(&self.cause))?,
        }
        match &self.help {
            Some(help) => write!(f, "\nhelp: {}", Clean(help)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A text without characters that a terminal would obey.
struct Clean<'t>(&'t str);

impl fmt::Display for Clean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            fmt::Write::write_char(f, if is_harmless(c) { c } else { '\u{fffd}' })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(content: &str, span: Range<usize>, show: Show) -> String {
        let place = Text::new("a.toml", content).place(&span, show);
        Remark { place, cause: "wrong".to_owned(), help: None }.to_string()
    }

    #[test]
    fn the_caret_stands_below_the_spot() {
        let text = "version = 1\n  mode = \"x\" # y\n";
        assert_eq!(
            shown(text, 21..24, Show::Line),
            "a.toml:2:10: wrong\n2 |   mode = \"x\" # y\n  |          ^^^"
        );
        assert_eq!(
            shown(text, 14..18, Show::UpToSpot),
            "a.toml:2:3: wrong\n2 |   mode …\n  |   ^^^^"
        );
        assert_eq!(shown(text, 14..18, Show::Nothing), "a.toml:2:3: wrong");
    }

    #[test]
    fn no_offset_and_no_character_is_too_odd() {
        let text = "ключ = \"\u{1b}[31m\u{202e}\"\r\n\u{feff}";
        for start in 0..=text.len() + 3 {
            for end in start..=text.len() + 3 {
                let shown = shown(text, start..end, Show::Line);
                assert!(!shown.contains(['\u{1b}', '\u{202e}', '\r']), "{shown}");
            }
        }
    }

    #[test]
    fn long_lines_are_shown_around_the_spot() {
        let text = format!("{}X{}", "a".repeat(5_000), "b".repeat(5_000));
        let shown = shown(&text, 5_000..5_001, Show::Line);
        let lines: Vec<&str> = shown.lines().collect();
        let at = |line: &str, c: char| line.chars().position(|at| at == c);
        assert_eq!(at(lines[1], 'X'), at(lines[2], '^'));
        assert!(lines[1].len() < 120);
    }
}
