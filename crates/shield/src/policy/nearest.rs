//! "Did you mean": the known word that is nearest to a mistyped one.
//!
//! Near is a small number of insertions, deletions, replacements and swapped neighbours; words that
//! need more than a third of their letters changed are not offered, because a wrong guess costs
//! more than none.

/// Longer words are not compared: no key is that long.
const WORD_CHARS_MAX: usize = 64;

/// The one of `known` that `word` was probably meant to be. Ties go to the first.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let folded = fold(word);
    if folded.len() > WORD_CHARS_MAX {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (distance(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowance(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A short word may differ in one place, longer ones in up to a third.
fn allowance(candidate: &str) -> usize {
    (candidate.chars().count() / 3).clamp(1, 3)
}

/// Case and the choice of `-` or `_` are no difference worth counting.
fn fold(word: &str) -> Vec<char> {
    word.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// Edits between two words, a swap of neighbours counting as one (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, to) in b.iter().enumerate() {
            let at = |cells: &[usize], k: usize| cells.get(k).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (at(&last, j) + usize::from(from != to))
                .min(at(&last, j + 1) + 1)
                .min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if swapped {
                cost = cost.min(at(&before_last, j - 1) + 1);
            }
            row.push(cost);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 5] = ["upstream", "hosts", "mode", "header_bytes", "header_count"];

    #[test]
    fn one_slip_is_understood() {
        for (word, meant) in [
            ("upstraem", "upstream"),
            ("upstream_", "upstream"),
            ("upstreams", "upstream"),
            ("host", "hosts"),
            ("mod", "mode"),
            ("Mode", "mode"),
            ("header-bytes", "header_bytes"),
            ("headercount", "header_count"),
        ] {
            assert_eq!(nearest(word, KEYS), Some(meant), "{word}");
        }
    }

    #[test]
    fn a_different_word_is_left_alone() {
        assert_eq!(nearest("password", KEYS), None);
        assert_eq!(nearest("", KEYS), None);
        assert_eq!(nearest(&"m".repeat(10_000), KEYS), None);
    }
}
