//! Whether what was seen is what a test expects.

use regex::bytes::Regex;

use crate::{
    session::Seen,
    suite::{Expected, Test},
};

/// What is wrong with it, if anything is.
pub(crate) fn complaint(test: &Test, seen: &[Seen]) -> Option<String> {
    test.stages.iter().zip(seen).find_map(|(stage, seen)| stage_complaint(&stage.expected, seen))
}

fn stage_complaint(expected: &Expected, seen: &Seen) -> Option<String> {
    let missing = expected.ids.iter().find(|id| !seen.ids.contains(id));
    if let Some(id) = missing {
        return Some(format!("{id} did not hold"));
    }
    let found = expected.absent_ids.iter().find(|id| seen.ids.contains(id));
    if let Some(id) = found {
        return Some(format!("{id} held"));
    }
    if expected.is_alone && seen.ids.as_slice() != expected.ids {
        return Some("other rules held, too".to_owned());
    }
    // A connection that breaks off is an answer of 400 here: the framing refuses it.
    let is_refused = seen.status == 400;
    if expected.is_error == Some(true) && !is_refused {
        return Some(format!("answered with {}", seen.status));
    }
    if let Some(status) = expected.status.filter(|status| *status != seen.status) {
        return Some(format!("status {} instead of {status}", seen.status));
    }
    let logged = |pattern: &str| match Regex::new(pattern) {
        Ok(pattern) => Ok(pattern.is_match(&seen.log)),
        Err(error) => Err(format!("pattern cannot be read: {error}")),
    };
    match (&expected.pattern, &expected.absent_pattern) {
        (Some(pattern), _) => match logged(pattern) {
            Ok(true) => {}
            Ok(false) => return Some(format!("nothing logged matches {pattern}")),
            Err(error) => return Some(error),
        },
        (None, Some(pattern)) => match logged(pattern) {
            Ok(false) => {}
            Ok(true) => return Some(format!("something logged matches {pattern}")),
            Err(error) => return Some(error),
        },
        (None, None) => {}
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_must_be_there_and_nothing_that_is_not() {
        let seen = Seen { status: 200, ids: vec![7], log: b"[id \"7\"] ARGS:x".to_vec() };
        let expected = |ids: &[u64], absent_ids: &[u64]| Expected {
            ids: ids.to_vec(),
            absent_ids: absent_ids.to_vec(),
            ..Expected::default()
        };
        let complaint = |expected: &Expected| stage_complaint(expected, &seen);
        assert_eq!(complaint(&expected(&[7], &[8])), None);
        assert_eq!(complaint(&expected(&[7, 8], &[])).as_deref(), Some("8 did not hold"));
        assert_eq!(complaint(&expected(&[], &[7])).as_deref(), Some("7 held"));
        let status = Expected { status: Some(400), ..Expected::default() };
        assert_eq!(complaint(&status).as_deref(), Some("status 200 instead of 400"));
        let pattern = Expected { pattern: Some("ARGS:[xy]".to_owned()), ..Expected::default() };
        assert_eq!(complaint(&pattern), None);
        let absent = Expected { absent_pattern: Some("id".to_owned()), ..Expected::default() };
        assert!(complaint(&absent).is_some());
    }
}
