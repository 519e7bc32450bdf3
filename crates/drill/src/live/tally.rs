//! What came back: counted by status, and by who said it.
//!
//! An answer that carries `palisade-event` was given by the gateway; the others are the API's.

use std::{collections::BTreeMap, fmt};

use super::browser::Answer;

/// Answers of one drill.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answers of the API by status.
    pub answered: BTreeMap<u16, u32>,
    /// Answers of the gateway by status.
    pub refused: BTreeMap<u16, u32>,
    /// Calls that got no answer at all.
    pub failed: u32,
    /// Answers of the API before the gateway's first refusal.
    pub answered_before_refusal: u32,
    /// The event ID of the first refusal.
    pub first_event: Option<String>,
}

impl Tally {
    /// Counts one call.
    pub fn count(&mut self, result: &anyhow::Result<Answer>) {
        let Ok(answer) = result else {
            self.failed += 1;
            return;
        };
        if let Some(event) = &answer.event {
            *self.refused.entry(answer.status).or_default() += 1;
            self.first_event.get_or_insert_with(|| event.clone());
        } else {
            *self.answered.entry(answer.status).or_default() += 1;
            self.answered_before_refusal += u32::from(self.first_event.is_none());
        }
    }

    /// Adds what another caller of the same drill got.
    pub fn add(&mut self, other: Self) {
        for (status, count) in other.answered {
            *self.answered.entry(status).or_default() += count;
        }
        for (status, count) in other.refused {
            *self.refused.entry(status).or_default() += count;
        }
        self.failed += other.failed;
        self.answered_before_refusal += other.answered_before_refusal;
        self.first_event = self.first_event.take().or(other.first_event);
    }

    /// Answers of the API.
    #[must_use]
    pub fn answered_total(&self) -> u32 {
        self.answered.values().sum()
    }

    /// Answers of the gateway.
    #[must_use]
    pub fn refused_total(&self) -> u32 {
        self.refused.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |counts: &BTreeMap<u16, u32>| {
            let parts: Vec<String> =
                counts.iter().map(|(status, count)| format!("{count} × {status}")).collect();
            if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
        };
        write!(
            f,
            "answered by the API: {}; refused: {}",
            list(&self.answered),
            list(&self.refused)
        )?;
        if self.failed > 0 {
            write!(f, "; without any answer: {}", self.failed)?;
        }
        if let Some(event) = &self.first_event {
            let before = self.answered_before_refusal;
            write!(f, "; first refusal after {before} answers, event {event}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_from_answers() {
        let mut tally = Tally::default();
        let answer = |status, event: Option<&str>| {
            Ok(Answer { status, event: event.map(str::to_owned), body: Vec::new() })
        };
        for result in [
            answer(200, None),
            answer(403, None),
            answer(403, Some("e-1")),
            answer(429, Some("e-2")),
            Err(anyhow::anyhow!("reset")),
        ] {
            tally.count(&result);
        }
        assert_eq!(
            tally.to_string(),
            "answered by the API: 1 × 200, 1 × 403; refused: 1 × 403, 1 × 429; \
             without any answer: 1; first refusal after 2 answers, event e-1"
        );
    }
}
