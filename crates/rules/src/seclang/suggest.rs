//! The known name nearest to one that is not known.

/// Names further away than this are another name, not a slip.
const DISTANCE_MAX: usize = 2;

/// Longer names are not compared: the cost is the product of both lengths.
const NAME_BYTES_MAX: usize = 64;

/// The nearest of `known` that two slips of a finger could have turned into `name`.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    // In a name of three letters two slips leave nothing of it.
    let most = DISTANCE_MAX.min(name.len() / 3);
    let near = known.into_iter().map(|known| (distance(name, known), known));
    let best = near.min_by_key(|(distance, _)| *distance)?;
    (best.0 <= most).then_some(best.1)
}

/// How many letters must be put in, left out or changed, whatever their case (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, left) in one.bytes().enumerate() {
        let mut diagonal = above;
        let mut before = above + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(other.bytes()) {
            let change = diagonal + usize::from(!left.eq_ignore_ascii_case(&right));
            diagonal = *cell;
            *cell = change.min(diagonal + 1).min(before + 1);
            before = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_slip_is_put_right() {
        let known = ["SecRule", "SecAction", "SecMarker"];
        for (name, expected) in [
            ("SecRul", Some("SecRule")),
            ("secrulle", Some("SecRule")),
            ("SecActoin", Some("SecAction")),
            ("SecMark", Some("SecMarker")),
            ("SecFilter", None),
            ("X", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
