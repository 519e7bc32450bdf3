//! Findings, and the incidents they belong to.
//!
//! A finding is stored once for each key; the same key again updates it. An incident is one
//! campaign: findings about the same entity, or by the same detector on the same endpoint, within
//! an hour of each other. What tells of the API and is nobody's attack goes by its endpoint alone.
//! People close incidents; what comes after opens a new one.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use traffic::{Detector, Digest, Finding, Severity, Timestamp};

use crate::database::{loaded, stored};
use crate::error::WriteError;
use crate::standing::json;

pub(crate) const SCHEMA: &str = "
    CREATE TABLE incidents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        state TEXT NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL
    );
    CREATE INDEX incidents_by_last ON incidents (last);
    CREATE TABLE findings (
        key INTEGER PRIMARY KEY,
        incident INTEGER NOT NULL,
        detector TEXT NOT NULL,
        entity TEXT NOT NULL,
        endpoint TEXT,
        severity INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        requests INTEGER NOT NULL,
        refused INTEGER NOT NULL,
        succeeded INTEGER NOT NULL,
        record TEXT NOT NULL
    );
    CREATE INDEX findings_by_incident ON findings (incident, severity, last);
    CREATE INDEX findings_by_last ON findings (last);
    CREATE INDEX findings_by_entity ON findings (entity, last);
    CREATE INDEX findings_by_endpoint ON findings (detector, endpoint, last);
    CREATE TABLE incident_notes (
        incident INTEGER NOT NULL,
        at INTEGER NOT NULL,
        author TEXT NOT NULL,
        note TEXT NOT NULL
    );
    CREATE INDEX incident_notes_by_incident ON incident_notes (incident, at);
";

/// Findings further apart than this are different campaigns.
const CAMPAIGN_GAP: Duration = Duration::from_secs(3_600);
/// So many of the latest findings are looked at to find the campaign of a new one: an attack from
/// ten thousand addresses must not cost ten thousand times ten thousand.
const LOOKED_BACK_MAX: i64 = 64;
/// An incident shows this many findings; it counts all of them.
const SHOWN_FINDINGS_MAX: usize = 100;
/// And this many notes.
const SHOWN_NOTES_MAX: usize = 100;
/// The most victims that a finding names.
const VICTIMS_MAX: usize = 32;
/// More findings than this are not kept: the oldest go. Someone with many addresses makes many.
const FINDINGS_MAX: u64 = 200_000;

/// The number of an incident; printed as `i-12`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct IncidentId(pub u64);

/// A text that is not the number of an incident.
#[derive(Debug, thiserror::Error)]
#[error("not an incident such as i-12")]
pub struct NotAnIncident;

/// Whether somebody still has to look.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IncidentState {
    /// Yes.
    Open,
    /// Somebody closed it.
    Closed,
}

/// What somebody wrote beside an incident.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IncidentNote {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub author: String,
    /// What.
    pub note: String,
}

/// Findings of one campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// Its state.
    pub state: IncidentState,
    /// The title of the gravest finding.
    pub title: String,
    /// The severity of the gravest finding.
    pub severity: Severity,
    /// When it began.
    pub first: Timestamp,
    /// When it was last seen.
    pub last: Timestamp,
    /// How many findings it holds.
    pub finding_count: u64,
    /// Requests of all findings.
    pub requests: u64,
    /// How many of them were refused, in fact.
    pub refused: u64,
    /// Whether any attempt succeeded.
    pub succeeded: bool,
    /// The gravest findings, at most 100.
    pub findings: Vec<Finding>,
    /// The latest notes, oldest first.
    pub notes: Vec<IncidentNote>,
}

/// Which incidents.
#[derive(Clone, Copy, Debug)]
pub struct IncidentFilter {
    /// Only those in this state.
    pub state: Option<IncidentState>,
    /// Only those seen since.
    pub since: Option<Timestamp>,
    /// Only what comes after this one in the list: when it was last seen, and its number.
    pub after: Option<(Timestamp, IncidentId)>,
    /// At most so many, the latest first.
    pub limit: usize,
}

impl Default for IncidentFilter {
    fn default() -> Self {
        Self { state: None, since: None, after: None, limit: 50 }
    }
}

impl IncidentState {
    /// The word in output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for IncidentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "i-{}", self.0)
    }
}

impl FromStr for IncidentId {
    type Err = NotAnIncident;

    fn from_str(text: &str) -> Result<Self, NotAnIncident> {
        let number = text.strip_prefix("i-").ok_or(NotAnIncident)?;
        number.parse().map(Self).map_err(|_| NotAnIncident)
    }
}

// === writing ===

/// Stores a finding, or brings the one with its key up to date, and its incident with it.
pub(crate) fn put(tx: &Connection, finding: &Finding) -> rusqlite::Result<()> {
    let earlier: Option<(i64, String)> = tx
        .prepare_cached("SELECT incident, record FROM findings WHERE key = ?")?
        .query_row([key(finding.key)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (incident, finding) = match earlier {
        Some((incident, record)) => (incident, merged(serde_json::from_str(&record).ok(), finding)),
        None => (campaign(tx, finding)?, finding.clone()),
    };
    tx.prepare_cached(
        "INSERT OR REPLACE INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        key(finding.key),
        incident,
        finding.detector.name(),
        finding.entity.to_string(),
        finding.endpoint,
        finding.severity as i64,
        stored(finding.first.as_micros()),
        stored(finding.last.as_micros()),
        stored(finding.requests),
        stored(finding.refused),
        finding.succeeded,
        json(&finding)?,
    ])?;
    tx.prepare_cached(
        "UPDATE incidents SET first = min(first, ?), last = max(last, ?) WHERE id = ?",
    )?
    .execute(params![
        stored(finding.first.as_micros()),
        stored(finding.last.as_micros()),
        incident
    ])?;
    Ok(())
}

/// Closes or opens an incident.
pub(crate) fn set_state(
    tx: &Connection,
    id: IncidentId,
    state: IncidentState,
) -> rusqlite::Result<Result<(), WriteError>> {
    let changed = tx
        .prepare_cached("UPDATE incidents SET state = ? WHERE id = ?")?
        .execute(params![state.key(), stored(id.0)])?;
    Ok(if changed == 1 { Ok(()) } else { Err(WriteError::NoSuch(format!("incident {id}"))) })
}

/// Adds a note.
pub(crate) fn add_note(
    tx: &Connection,
    id: IncidentId,
    note: &IncidentNote,
) -> rusqlite::Result<Result<(), WriteError>> {
    let changed = tx
        .prepare_cached(
            "INSERT INTO incident_notes SELECT id, ?, ?, ? FROM incidents WHERE id = ?",
        )?
        .execute(params![stored(note.at.as_micros()), note.author, note.note, stored(id.0)])?;
    Ok(if changed == 1 { Ok(()) } else { Err(WriteError::NoSuch(format!("incident {id}"))) })
}

/// Drops what was last seen before `oldest`, and what is more than the ledger keeps.
pub(crate) fn trim(tx: &Connection, oldest: Timestamp) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM findings WHERE last < ?", [stored(oldest.as_micros())])?;
    let count: i64 = tx.query_row("SELECT count(*) FROM findings", [], |row| row.get(0))?;
    let surplus = loaded(count).saturating_sub(FINDINGS_MAX);
    if surplus > 0 {
        tx.execute(
            "DELETE FROM findings WHERE key IN (SELECT key FROM findings ORDER BY last LIMIT ?)",
            [stored(surplus)],
        )?;
    }
    tx.execute("DELETE FROM incidents WHERE id NOT IN (SELECT incident FROM findings)", [])?;
    tx.execute("DELETE FROM incident_notes WHERE incident NOT IN (SELECT id FROM incidents)", [])?;
    Ok(())
}

/// The open incident that a new finding belongs to: the latest that fits, or a new one.
fn campaign(tx: &Connection, finding: &Finding) -> rusqlite::Result<i64> {
    let from = stored(finding.first.before(CAMPAIGN_GAP).as_micros());
    let to = stored(finding.last.after(CAMPAIGN_GAP).as_micros());
    // Without an endpoint the second half fits nothing: all scanners are not one campaign.
    let known: Option<i64> = tx
        .prepare_cached(
            "SELECT i.id FROM incidents i JOIN (
                 SELECT * FROM (
                     SELECT incident, first, last FROM findings
                     WHERE entity = ?1 AND last >= ?2 AND detector <> ?7
                     ORDER BY last DESC LIMIT ?6)
                 UNION ALL
                 SELECT * FROM (
                     SELECT incident, first, last FROM findings
                     WHERE detector = ?3 AND endpoint = ?4 AND last >= ?2
                     ORDER BY last DESC LIMIT ?6)
             ) f ON f.incident = i.id
             WHERE i.state = 'open' AND f.first <= ?5
             ORDER BY f.last DESC, i.id DESC LIMIT 1",
        )?
        .query_row(
            params![
                finding.detector.is_attack().then(|| finding.entity.to_string()),
                from,
                finding.detector.name(),
                finding.endpoint,
                to,
                LOOKED_BACK_MAX,
                Detector::ForgottenEndpoint.name()
            ],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    tx.prepare_cached("INSERT INTO incidents (state, first, last) VALUES ('open', ?, ?)")?
        .execute(params![stored(finding.first.as_micros()), stored(finding.last.as_micros())])?;
    Ok(tx.last_insert_rowid())
}

/// Counts of a finding are totals since it began. After a restart the newer one may have begun to
/// count again, so the higher count stands; what it says in words is the newer one's.
fn merged(earlier: Option<Finding>, newer: &Finding) -> Finding {
    let Some(earlier) = earlier else {
        return newer.clone();
    };
    let mut merged = newer.clone();
    merged.severity = newer.severity.max(earlier.severity);
    merged.first = newer.first.min(earlier.first);
    merged.last = newer.last.max(earlier.last);
    merged.requests = newer.requests.max(earlier.requests);
    merged.refused = newer.refused.max(earlier.refused);
    merged.succeeded |= earlier.succeeded;
    merged.action = newer.action.max(earlier.action);
    merged.mode = newer.mode.max(earlier.mode);
    merged.risk = newer.risk.max(earlier.risk);
    merged.endpoint = newer.endpoint.clone().or(earlier.endpoint);
    merged.event = newer.event.clone().or(earlier.event);
    let victims: BTreeSet<Digest> = earlier.victims.into_iter().chain(merged.victims).collect();
    merged.victims = victims.into_iter().take(VICTIMS_MAX).collect();
    merged
}

/// All 64 bits of a key are used; SQLite's integers have as many.
const fn key(digest: Digest) -> i64 {
    digest.0.cast_signed()
}

// === reading ===

/// The latest incidents, without their notes and with their gravest finding only.
pub(crate) fn list(
    connection: &Connection,
    filter: IncidentFilter,
) -> rusqlite::Result<Vec<Incident>> {
    let mut statement = connection.prepare(
        "SELECT id, state, first, last FROM incidents
         WHERE (?1 IS NULL OR state = ?1) AND last >= ?2
         AND (?4 IS NULL OR (last, id) < (?4, ?5))
         ORDER BY last DESC, id DESC LIMIT ?3",
    )?;
    let after = filter.after.map(|(last, id)| (stored(last.as_micros()), stored(id.0)));
    let since = filter.since.unwrap_or(Timestamp::EPOCH);
    let rows = statement.query_map(
        params![
            filter.state.map(IncidentState::key),
            stored(since.as_micros()),
            stored(filter.limit as u64),
            after.map(|(last, _)| last),
            after.map(|(_, id)| id),
        ],
        bare,
    )?;
    rows.map(|incident| filled(connection, incident?, 1, 0)).collect()
}

/// One incident with its findings and notes.
pub(crate) fn show(connection: &Connection, id: IncidentId) -> rusqlite::Result<Option<Incident>> {
    let incident = connection
        .query_row(
            "SELECT id, state, first, last FROM incidents WHERE id = ?",
            [stored(id.0)],
            bare,
        )
        .optional()?;
    incident
        .map(|incident| filled(connection, incident, SHOWN_FINDINGS_MAX, SHOWN_NOTES_MAX))
        .transpose()
}

/// The latest findings, whatever their incident.
pub(crate) fn findings(
    connection: &Connection,
    since: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<Finding>> {
    let mut statement = connection
        .prepare("SELECT record FROM findings WHERE last >= ? ORDER BY last DESC, key LIMIT ?")?;
    let rows = statement
        .query_map(params![stored(since.as_micros()), stored(limit as u64)], |row| {
            row.get::<_, String>(0)
        })?;
    readable(rows)
}

fn bare(row: &Row<'_>) -> rusqlite::Result<Incident> {
    let state = match row.get_ref(1)?.as_str()? {
        "closed" => IncidentState::Closed,
        _ => IncidentState::Open,
    };
    Ok(Incident {
        id: IncidentId(loaded(row.get(0)?)),
        state,
        title: String::new(),
        severity: Severity::Info,
        first: Timestamp::from_micros(loaded(row.get(2)?)),
        last: Timestamp::from_micros(loaded(row.get(3)?)),
        finding_count: 0,
        requests: 0,
        refused: 0,
        succeeded: false,
        findings: Vec::new(),
        notes: Vec::new(),
    })
}

fn filled(
    connection: &Connection,
    mut incident: Incident,
    findings_max: usize,
    notes_max: usize,
) -> rusqlite::Result<Incident> {
    let id = stored(incident.id.0);
    let sums = connection
        .prepare_cached(
            "SELECT count(*), total(requests), total(refused), max(succeeded) FROM findings
             WHERE incident = ?",
        )?
        .query_row([id], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get::<_, Option<bool>>(3)?))
        })?;
    incident.finding_count = loaded(sums.0);
    incident.requests = whole(sums.1);
    incident.refused = whole(sums.2);
    incident.succeeded = sums.3 == Some(true);
    let mut statement = connection.prepare_cached(
        "SELECT record FROM findings WHERE incident = ?
         ORDER BY severity DESC, last DESC, key LIMIT ?",
    )?;
    let rows = statement.query_map(params![id, stored(findings_max as u64)], |row| row.get(0))?;
    incident.findings = readable(rows)?;
    if let Some(gravest) = incident.findings.first() {
        incident.title = gravest.title.clone();
        incident.severity = gravest.severity;
    }
    let mut statement = connection.prepare_cached(
        "SELECT at, author, note FROM incident_notes WHERE incident = ?
         ORDER BY at DESC, rowid DESC LIMIT ?",
    )?;
    let rows = statement.query_map(params![id, stored(notes_max as u64)], |row| {
        let at = Timestamp::from_micros(loaded(row.get(0)?));
        Ok(IncidentNote { at, author: row.get(1)?, note: row.get(2)? })
    })?;
    incident.notes = rows.collect::<rusqlite::Result<_>>()?;
    incident.notes.reverse();
    Ok(incident)
}

/// `total()` is floating, because a sum of integers may overflow and fail; this is its whole part.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and counts are never negative"
)]
const fn whole(total: f64) -> u64 {
    total as u64
}

/// Findings that read; a damaged one does not hide the others.
fn readable(
    rows: impl Iterator<Item = rusqlite::Result<String>>,
) -> rusqlite::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for record in rows {
        match serde_json::from_str(&record?) {
            Ok(finding) => findings.push(finding),
            Err(_) => tracing::warn!("a stored finding is damaged and left out"),
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests;
