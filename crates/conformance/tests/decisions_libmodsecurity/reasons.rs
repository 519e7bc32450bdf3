//! Where we and libmodsecurity 3.0.9 differ on purpose.

/// Who finds the rule to hold, where the other does not.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Side {
    Ours,
    Theirs,
}

/// Rules, who finds them to hold, and why.
pub(crate) const REASONS: &[(&[u64], Side, &str)] = &[];

/// Why the rule holds for one and not for the other, if that is meant.
pub(crate) fn reason(id: u64, side: Side) -> Option<&'static str> {
    let known = REASONS.iter().find(|(ids, of, _)| *of == side && ids.contains(&id));
    known.map(|(.., reason)| *reason)
}
