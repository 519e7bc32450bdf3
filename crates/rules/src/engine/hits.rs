//! Rules that held, kept for whoever decides and explains: what they say, and which values they
//! found.
//!
//! Messages and data are expanded when the rule holds, since what their macros stand for changes
//! with the next rule. What is kept of a value is bounded.

use std::{collections::HashSet, ops::Range};

use super::{
    matches::{Found, Match, Matches},
    program::Program,
    state::{Key, State},
    store::{Span, Store},
};
use crate::{
    action::Severity,
    prose::{self, Quotation},
    rule::Rule,
    template::Template,
    variable::Variable,
};

/// As many values are kept of one hit; the rest are only counted. A rule may hold for each of
/// thousands of arguments.
pub(super) const MATCHES_MAX: usize = 16;
/// As many hits are kept of one exchange.
const HITS_MAX: usize = 512;
/// As much is kept of a value, around what was found in it.
const VALUE_BYTES_MAX: usize = 256;
/// How much of it may stand before that.
const BEFORE_BYTES_MAX: usize = 64;
/// As much is kept of a message or of log data.
const TEXT_BYTES_MAX: usize = 1_024;

/// What was kept of the rules that held.
#[derive(Debug, Default)]
pub(super) struct Hits {
    entries: Vec<Entry>,
    matches: Vec<Kept>,
    tags: Vec<Span>,
    highest: Option<Severity>,
}

#[derive(Debug)]
struct Entry {
    number: u32,
    message: Option<Span>,
    data: Option<Span>,
    matches: Range<usize>,
    tags: Range<usize>,
    matched: usize,
    quotation: Quotation,
}

/// A value that a rule found.
#[derive(Clone, Debug)]
struct Kept {
    variable: Variable,
    is_count: bool,
    key: Key,
    value: Span,
    found: Option<Range<usize>>,
}

/// The rule that held.
#[derive(Clone, Copy)]
pub(super) struct HitParts<'r> {
    pub(super) rule: &'r Rule,
    pub(super) number: u32,
}

impl Hits {
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.matches.clear();
        self.tags.clear();
        self.highest = None;
    }

    /// The worst severity of all hits.
    pub(super) const fn highest_severity(&self) -> Option<Severity> {
        self.highest
    }
}

impl State {
    /// Keeps what is to be told of a rule that holds.
    pub(super) fn tell(&mut self, program: &Program, parts: HitParts<'_>) {
        let HitParts { rule, number } = parts;
        let severity = rule.about.severity;
        // The smaller number is the worse.
        self.hits.highest = self.hits.highest.into_iter().chain(severity).min();
        if self.hits.entries.len() >= HITS_MAX {
            return;
        }
        let message = rule.links.iter().find_map(|link| link.message.as_ref());
        let data = rule.links.iter().find_map(|link| link.log_data.as_ref());
        let message = message.map(|it| self.kept_text(program, it, number));
        let data = data.map(|it| self.kept_text(program, it, number));
        let first_tag = self.hits.tags.len();
        for tag in rule.about.tags.iter().filter(|tag| tag.fixed().is_none()) {
            let tag = self.kept_text(program, tag, number);
            self.hits.tags.push(tag);
        }
        let first = self.hits.matches.len();
        let matches = std::mem::take(&mut self.matches);
        let led = self.that_led_here(program, &matches);
        let all = led.as_deref().unwrap_or_else(|| matches.all());
        for it in all.iter().take(MATCHES_MAX) {
            let kept = self.kept_match(rule, it);
            self.hits.matches.push(kept);
        }
        let subject = prose::subject(rule);
        let quotation = subject.map_or(Quotation::None, |it| self.quotation(it, all));
        let hits = &mut self.hits;
        hits.entries.push(Entry {
            number,
            message,
            data,
            matches: first..hits.matches.len(),
            tags: first_tag..hits.tags.len(),
            matched: all.len(),
            quotation,
        });
        self.matches = matches;
    }

    /// The values that led here, where a link looked at `MATCHED_VARS` and held for some of them
    /// only.
    fn that_led_here(&self, program: &Program, matches: &Matches) -> Option<Vec<Match>> {
        // How many there are says nothing of which.
        let is_of_matched = |it: &Match| it.variable == Variable::MatchedVars && !it.is_count;
        if !matches.all().iter().any(is_of_matched) {
            return None;
        }
        let (mut led, mut names, mut name) = (Vec::<Match>::new(), HashSet::new(), Vec::new());
        for link in matches.by_links() {
            let first = led.len();
            for it in link.iter().rev() {
                name.clear();
                self.write_match_name(program, it, &mut name);
                if names.is_empty() || names.contains(name.as_slice()) {
                    led.push(it.clone());
                }
            }
            let narrowed = led.iter().skip(first).filter(|it| is_of_matched(it));
            names = narrowed.map(|it| self.key(program, it.key)).collect();
        }
        led.reverse();
        Some(led)
    }

    fn kept_text(&mut self, program: &Program, template: &Template, number: u32) -> Span {
        let mut text = Vec::new();
        self.expand(program, template, number, &mut text);
        text.truncate(TEXT_BYTES_MAX);
        self.store.keep(&text)
    }

    /// Does all that was found stand in prose? Of too much nobody asks.
    fn quotation(&self, subject: &[u8], all: &[Match]) -> Quotation {
        if all.len() > MATCHES_MAX {
            return Quotation::None;
        }
        let own = all.iter().filter(|it| !prose::is_found_by_rules(it.variable));
        let each = own.map(|it| match it.is_count {
            true => Quotation::None,
            false => prose::quotation(subject, it.variable, self.store.bytes(it.value)),
        });
        each.min().unwrap_or(Quotation::None)
    }

    fn kept_match(&mut self, rule: &Rule, it: &Match) -> Kept {
        let found = self.found(rule, it);
        let place = found.as_ref().map_or(0, |found| found.start);
        let start = place.saturating_sub(BEFORE_BYTES_MAX);
        let window = it.value.part(start, start.saturating_add(VALUE_BYTES_MAX));
        let value = self.store.keep_span(window, VALUE_BYTES_MAX);
        let length = value.length as usize;
        let within = |at: usize| at.saturating_sub(start).min(length);
        let key = match it.key {
            Key::Text(name) => Key::Text(self.store.keep_span(name, VALUE_BYTES_MAX)),
            key => key,
        };
        Kept {
            variable: it.variable,
            is_count: it.is_count,
            key,
            value,
            found: found.map(|found| within(found.start)..within(found.end)),
        }
    }

    /// What of the value the operator found.
    fn found(&mut self, rule: &Rule, it: &Match) -> Option<Range<usize>> {
        let link = match &it.found {
            Found::Known(found) => return found.clone(),
            Found::Asking(link) => rule.links.get(*link)?,
        };
        let operator = &link.test.as_ref()?.operator;
        let value = self.store.bytes(it.value);
        // The fixed arguments of an operator are its own.
        operator.capture(value, b"", 1, &mut self.captures).then(|| self.captures.group(0))?
    }
}

/// A rule that held.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'t> {
    program: &'t Program,
    store: &'t Store,
    hits: &'t Hits,
    entry: &'t Entry,
    /// The rule.
    pub rule: &'t Rule,
}

/// A value for which a rule held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Matched<'t> {
    /// The variable that it is of.
    pub variable: Variable,
    /// Its name within the variable; empty when the variable has one value.
    pub name: &'t [u8],
    /// Is it how many values there are (`&ARGS`)?
    pub is_count: bool,
    /// The value as the operator saw it, after the transformations; of a long one what stands
    /// around [`Self::found`].
    pub value: &'t [u8],
    /// What of it the operator found, if it finds anything in particular.
    pub found: Option<Range<usize>>,
}

impl Hits {
    pub(super) fn iter<'t>(
        &'t self,
        program: &'t Program,
        store: &'t Store,
    ) -> impl ExactSizeIterator<Item = Hit<'t>> {
        let told = self.entries.iter().filter_map(|entry| {
            let rule = program.rule(entry.number)?;
            Some(Hit { program, store, hits: self, entry, rule })
        });
        told.collect::<Vec<_>>().into_iter()
    }
}

impl<'t> Hit<'t> {
    /// The message, expanded.
    #[must_use]
    pub fn message(&self) -> Option<&'t [u8]> {
        self.entry.message.map(|span| self.store.bytes(span))
    }

    /// The data that the rule shows of what it found, expanded. Nothing in it is masked.
    #[must_use]
    pub fn data(&self) -> Option<&'t [u8]> {
        self.entry.data.map(|span| self.store.bytes(span))
    }

    /// Its tags, expanded.
    pub fn tags(&self) -> impl Iterator<Item = &'t [u8]> {
        let Self { store, .. } = *self;
        let made = self.hits.tags.get(self.entry.tags.clone()).unwrap_or_default();
        let mut made = made.iter().map(move |span| store.bytes(*span));
        let rule = self.rule;
        rule.about.tags.iter().filter_map(move |tag| tag.fixed().or_else(|| made.next()))
    }

    /// What it may be a quotation of, since all that it found stands in prose: what its tag says,
    /// or what long texts are about, which is one thing whatever they speak of.
    #[must_use]
    pub fn quotes(&self) -> Option<&'t [u8]> {
        match self.entry.quotation {
            Quotation::None => None,
            Quotation::Prose => prose::subject(self.rule),
            Quotation::Text => Some(prose::TEXT),
        }
    }

    /// For how many values it held, counted as [`Self::matches`] tells them.
    #[must_use]
    pub fn matched(&self) -> usize {
        self.entry.matched
    }

    /// The first of the values for which it held, link by link. Where a link looked at
    /// `MATCHED_VARS`, those of the links before it that it did not hold for are left out.
    pub fn matches(&self) -> impl Iterator<Item = Matched<'t>> {
        let Self { store, program, .. } = *self;
        let kept = self.hits.matches.get(self.entry.matches.clone()).unwrap_or_default();
        kept.iter().map(move |it| Matched {
            variable: it.variable,
            name: match it.key {
                Key::None => b"",
                Key::Text(span) => store.bytes(span),
                Key::Slot(slot) => program.names.name(slot),
            },
            is_count: it.is_count,
            value: store.bytes(it.value),
            found: it.found.clone(),
        })
    }
}
