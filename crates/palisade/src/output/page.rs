//! A page of text for people: tables, pairs, paragraphs.
//!
//! Cells are made harmless here, so that no caller can forget it. Colour repeats what a word says
//! already and never says anything alone.

use super::plain::plain;
use super::time::Clock;

/// Longer cells are cut; `--output json` has them whole.
const CELL_CHARS_MAX: usize = 72;

/// The page being written.
pub(crate) struct Page {
    text: String,
    paints: bool,
    clock: Clock,
}

/// How a cell looks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Paint {
    /// As it comes.
    #[default]
    None,
    /// Less important.
    Faint,
    /// More important.
    Bold,
    /// Fine.
    Good,
    /// Look at this.
    Warn,
    /// Look at this now.
    Bad,
}

impl Page {
    /// An empty page.
    pub(crate) const fn new(paints: bool, clock: Clock) -> Self {
        Self { text: String::new(), paints, clock }
    }

    /// What was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Writes times.
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// A line of text.
    pub(crate) fn line(&mut self, text: &str) {
        self.text.push_str(&plain(text));
        self.text.push('\n');
    }

    /// A line in one colour.
    pub(crate) fn painted(&mut self, paint: Paint, text: &str) {
        let cell = self.paint(paint, &plain(text));
        self.text.push_str(&cell);
        self.text.push('\n');
    }

    /// A warning, with the lines of the file it shows.
    pub(crate) fn warning(&mut self, warning: &str) {
        for line in format!("warning: {warning}").lines() {
            self.painted(Paint::Warn, line);
        }
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A name and its value; an empty name continues the one before.
    pub(crate) fn pair(&mut self, name: &str, value: &str) {
        self.pair_painted(name, value, Paint::None);
    }

    /// A name and its value in a colour.
    pub(crate) fn pair_painted(&mut self, name: &str, value: &str, paint: Paint) {
        let name = self.paint(Paint::Faint, &format!("{name:<11}"));
        let value = self.paint(paint, &plain(value));
        self.text.push_str(&format!("{name} {value}\n"));
    }

    /// A table. Columns whose head begins with `>` are aligned to the right.
    pub(crate) fn table(&mut self, heads: &[&str], rows: &[Vec<(String, Paint)>]) {
        let mut widths: Vec<usize> =
            heads.iter().map(|head| head.trim_start_matches('>').chars().count()).collect();
        let rows: Vec<Vec<(String, Paint)>> = rows
            .iter()
            .map(|row| row.iter().map(|(text, paint)| (cell(text), *paint)).collect())
            .collect();
        for row in &rows {
            for (width, (text, _)) in widths.iter_mut().zip(row) {
                *width = (*width).max(text.chars().count());
            }
        }
        let head: Vec<(String, Paint)> = heads
            .iter()
            .map(|head| (head.trim_start_matches('>').to_owned(), Paint::Faint))
            .collect();
        self.row(heads, &widths, &head);
        for row in &rows {
            self.row(heads, &widths, row);
        }
    }

    fn row(&mut self, heads: &[&str], widths: &[usize], row: &[(String, Paint)]) {
        let mut line = String::new();
        for (at, (text, paint)) in row.iter().enumerate() {
            let width = widths.get(at).copied().unwrap_or(0);
            let fill = " ".repeat(width.saturating_sub(text.chars().count()));
            let painted = self.paint(*paint, text);
            let is_right = heads.get(at).is_some_and(|head| head.starts_with('>'));
            let is_last = at + 1 == row.len();
            match (is_right, is_last) {
                (true, _) => line.push_str(&format!("{fill}{painted}")),
                (false, true) => line.push_str(&painted),
                (false, false) => line.push_str(&format!("{painted}{fill}")),
            }
            if !is_last {
                line.push_str("  ");
            }
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        let code = match paint {
            _ if !self.paints || text.is_empty() => return text.to_owned(),
            Paint::None => return text.to_owned(),
            Paint::Faint => "2",
            Paint::Bold => "1",
            Paint::Good => "32",
            Paint::Warn => "33",
            Paint::Bad => "31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

fn cell(text: &str) -> String {
    let safe = plain(text);
    if safe.chars().count() <= CELL_CHARS_MAX {
        return safe.into_owned();
    }
    let mut cut: String = safe.chars().take(CELL_CHARS_MAX - 1).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_and_stay_harmless() {
        let mut page = Page::new(false, Clock::new(true));
        let none = |text: &str| (text.to_owned(), Paint::None);
        page.table(
            &["PATH", ">HITS"],
            &[vec![none("/a"), none("12")], vec![none("/\x1b[2J"), none("3")]],
        );
        assert_eq!(page.text(), "PATH      HITS\n/a          12\n/\\x1b[2J     3\n");
    }

    #[test]
    fn colour_is_wrapped_around_what_is_harmless_already() {
        let mut page = Page::new(true, Clock::new(true));
        page.painted(Paint::Bad, "x\x1b[0m");
        assert_eq!(page.text(), "\x1b[31mx\\x1b[0m\x1b[0m\n");
    }
}
