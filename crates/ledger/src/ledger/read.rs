//! Questions to the ledger: memory first, then the disk, each with a deadline and a limit.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use traffic::{Decision, Event, EventId, Exception, Finding, Tally, Timestamp};

use super::Ledger;
use crate::audit::{self, AuditEntry, AuditFault, AuditHead};
use crate::database::{has_tables, hit_deadline, open_reader};
use crate::days::{self, COUNTED_ON_MAX, Day};
use crate::error::QueryError;
use crate::events::{self, Found};
use crate::filter::{Cursor, EventFilter, EventPage};
use crate::folder::main_file;
use crate::incidents::{self, Incident, IncidentFilter, IncidentId};
use crate::learnt::{self, Loaded};
use crate::rollups::{self, Grain, RollupFilter, RollupSum};
use crate::standing::{self, LastIds};
use crate::tallies;
use crate::tokens::{self, Token};

/// A person is waiting.
const QUESTION_MAX: Duration = Duration::from_secs(2);
/// Walking the whole audit log; and what is read at the start, which must not fail for being slow.
const LONG_QUESTION_MAX: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

impl Ledger {
    /// Events that `filter` asks for, the latest first. Those not yet on disk are among them.
    pub fn events(&self, filter: &EventFilter) -> Result<EventPage, QueryError> {
        let rows_max = filter.rows_max();
        let deadline = Instant::now() + QUESTION_MAX;
        let mut found: BTreeMap<Cursor, Event> = BTreeMap::new();
        let kept = self.recent().kept();
        for kept in kept.iter().filter(|kept| filter.matches(&kept.event)) {
            found.insert(Cursor::of(&kept.event), kept.whole());
        }
        let mut is_complete = true;
        for (day, path) in days::files(&self.shared.folder.events_folder()) {
            // A day's file may hold what came in a little after its midnight.
            let (start, end) = (day.start(), day.start().after(DAY).after(COUNTED_ON_MAX));
            let is_later = |bound: Option<Timestamp>| bound.is_some_and(|bound| start > bound);
            if is_later(filter.to) || is_later(filter.after.map(|after| after.at)) {
                continue;
            }
            if filter.from.is_some_and(|from| end <= from) || is_full(&found, rows_max, end) {
                break;
            }
            let Found { events, is_complete: is_whole } = in_day(&path, filter, deadline);
            is_complete &= is_whole;
            for event in events {
                // Memory has counted all of it, the disk perhaps not yet.
                found
                    .entry(Cursor::of(&event))
                    .and_modify(|known| known.count = known.count.max(event.count))
                    .or_insert(event);
            }
        }
        let has_more = found.len() >= rows_max;
        let events: Vec<Event> = found.into_values().rev().take(rows_max).collect();
        let next = events.last().filter(|_| has_more).map(Cursor::of);
        Ok(EventPage { events, next, is_complete })
    }

    /// The event of that ID, or the latest one of the request with that ID.
    pub fn event(&self, id: &str) -> Result<Option<Event>, QueryError> {
        let deadline = Instant::now() + QUESTION_MAX;
        if let Ok(event_id) = id.parse::<EventId>() {
            if let Some(event) = self.recent().by_id(event_id) {
                return Ok(Some(event));
            }
            let ask = |connection: &Connection| events::by_id(connection, event_id);
            if let Some(event) = self.in_days(Day::of_id(event_id), deadline, ask)? {
                return Ok(Some(event));
            }
        }
        if let Some(event) = self.recent().by_request(id) {
            return Ok(Some(event));
        }
        self.in_days(None, deadline, |connection| events::by_request(connection, id))
    }

    /// Incidents, the latest first, each with its gravest finding only.
    pub fn incidents(&self, filter: IncidentFilter) -> Result<Vec<Incident>, QueryError> {
        self.ask(QUESTION_MAX, |main| incidents::list(main, filter))
    }

    /// One incident with its findings and notes.
    pub fn incident(&self, id: IncidentId) -> Result<Option<Incident>, QueryError> {
        self.ask(QUESTION_MAX, |main| incidents::show(main, id))
    }

    /// Findings seen since, the latest first.
    pub fn findings(&self, since: Timestamp, limit: usize) -> Result<Vec<Finding>, QueryError> {
        self.ask(QUESTION_MAX, |main| incidents::findings(main, since, limit))
    }

    /// All decisions that are kept, also those that ended lately.
    pub fn decisions(&self) -> Result<Vec<Decision>, QueryError> {
        let (decisions, damaged) = self.ask(LONG_QUESTION_MAX, standing::decisions)?;
        self.say_damaged("decisions", damaged);
        Ok(decisions)
    }

    /// All exceptions that are kept, also those that ended lately.
    pub fn exceptions(&self) -> Result<Vec<Exception>, QueryError> {
        let (exceptions, damaged) = self.ask(LONG_QUESTION_MAX, standing::exceptions)?;
        self.say_damaged("exceptions", damaged);
        Ok(exceptions)
    }

    /// The highest numbers that decisions and exceptions ever had.
    pub fn last_ids(&self) -> Result<LastIds, QueryError> {
        self.ask(LONG_QUESTION_MAX, standing::last_ids)
    }

    /// The tokens of the admin API, also those that do not count any more.
    pub fn tokens(&self) -> Result<Vec<Token>, QueryError> {
        self.ask(LONG_QUESTION_MAX, tokens::all)
    }

    /// The last `limit` lines of the audit log before line `before`, newest first.
    pub fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>, QueryError> {
        self.ask(QUESTION_MAX, |main| audit::lines(main, before, limit))
    }

    /// Walks the whole audit log: where it ends, or where it is not what was written.
    pub fn verify_audit(&self) -> Result<Result<AuditHead, AuditFault>, QueryError> {
        self.check_audit(&[])
    }

    /// The same, held against checkpoints that were kept elsewhere.
    pub fn check_audit(
        &self,
        kept: &[AuditHead],
    ) -> Result<Result<AuditHead, AuditFault>, QueryError> {
        self.ask(LONG_QUESTION_MAX, |main| audit::verify(main, kept))
    }

    /// Counts, the latest first.
    pub fn rollups(&self, filter: &RollupFilter) -> Result<Vec<RollupSum>, QueryError> {
        self.ask(QUESTION_MAX, |main| rollups::sums(main, filter))
    }

    /// Counts of kinds of exchange in the buckets from `from` to `to`, excluded, earliest first.
    pub fn tallies(
        &self,
        grain: Grain,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Tally>, QueryError> {
        self.ask(LONG_QUESTION_MAX, |main| tallies::between(main, grain, from, to))
    }

    /// When the first minute begins whose counts are kept: two days ago, or the first there was.
    pub fn counted_minutes_since(&self) -> Result<Option<Timestamp>, QueryError> {
        self.ask(QUESTION_MAX, rollups::first_minute)
    }

    /// Since when kinds of exchange are counted, as far as that is kept.
    pub fn tallied_since(&self, grain: Grain) -> Result<Option<Timestamp>, QueryError> {
        self.ask(QUESTION_MAX, |main| tallies::first(main, grain))
    }

    /// Hands over the slices of the learnt state that is current, in order, and gives its time. A
    /// damaged one, or one under another hash key, is none; that is said in the log and in
    /// [`Ledger::health`].
    pub fn learnt(&self, take: impl FnMut(&str, &[u8])) -> Result<Option<Timestamp>, QueryError> {
        let key_id = self.shared.key_id();
        match self.ask(LONG_QUESTION_MAX, |main| learnt::load(main, key_id, take))? {
            Loaded::State(at) => Ok(Some(at)),
            Loaded::Nothing => Ok(None),
            Loaded::OtherKey => {
                let what = "learnt state belongs to another hash key; learning begins anew";
                self.shared.vitals.repaired(what.to_owned());
                Ok(None)
            }
            Loaded::Damaged => {
                let what = "learnt state is damaged; learning begins anew";
                self.shared.vitals.repaired(what.to_owned());
                Ok(None)
            }
        }
    }

    fn ask<T>(
        &self,
        time_max: Duration,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, QueryError> {
        open_reader(&self.shared.folder.main_file(), Instant::now() + time_max)
            .and_then(|main| question(&main))
            .map_err(|error| failed(error, time_max))
    }

    /// Asks the files of the days, `likely` first and then the latest first, until one has an
    /// answer. A file that cannot be read does not hide the others.
    fn in_days(
        &self,
        likely: Option<Day>,
        deadline: Instant,
        question: impl Fn(&Connection) -> rusqlite::Result<Option<Event>>,
    ) -> Result<Option<Event>, QueryError> {
        let mut files = days::files(&self.shared.folder.events_folder());
        files.sort_by_key(|(day, _)| (Some(*day) != likely, std::cmp::Reverse(*day)));
        for (day, path) in files {
            let answer = open_reader(&path, deadline).and_then(|connection| {
                if has_tables(&connection)? { question(&connection) } else { Ok(None) }
            });
            match answer {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(error) if hit_deadline(&error) => return Err(failed(error, QUESTION_MAX)),
                Err(error) => tracing::warn!(%day, %error, "cannot read the events of a day"),
            }
        }
        Ok(None)
    }

    fn say_damaged(&self, what: &str, rows: usize) {
        if rows > 0 {
            self.shared.vitals.repaired(format!("{rows} stored {what} cannot be read"));
        }
    }
}

/// Walks the audit log of a data folder and holds it against checkpoints that were kept elsewhere.
/// No instance is asked, and none is needed: the file itself is read.
pub fn check_audit(
    folder: &Path,
    kept: &[AuditHead],
) -> Result<Result<AuditHead, AuditFault>, QueryError> {
    open_reader(&main_file(folder), Instant::now() + LONG_QUESTION_MAX)
        .and_then(|main| audit::verify(&main, kept))
        .map_err(|error| failed(error, LONG_QUESTION_MAX))
}

/// Whether older files can add nothing: the page is full of events later than their last.
fn is_full(found: &BTreeMap<Cursor, Event>, rows_max: usize, end_of_older: Timestamp) -> bool {
    found.keys().rev().nth(rows_max - 1).is_some_and(|last| last.at >= end_of_older)
}

fn in_day(path: &Path, filter: &EventFilter, deadline: Instant) -> Found {
    let found = open_reader(path, deadline).and_then(|connection| {
        if has_tables(&connection)? {
            return events::matching(&connection, filter);
        }
        Ok(Found { events: Vec::new(), is_complete: true })
    });
    found.unwrap_or_else(|error| {
        let path = path.display();
        tracing::warn!(%path, %error, "cannot read the events of a day");
        Found::default()
    })
}

fn failed(error: rusqlite::Error, time_max: Duration) -> QueryError {
    if hit_deadline(&error) {
        return QueryError::Deadline(time_max.as_millis());
    }
    QueryError::Database(error)
}
