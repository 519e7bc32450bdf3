//! What a form of a value must have for a test to be asked of it, and what many tests demand
//! together.

use super::chains::{Form, Nodes};
use crate::byte_set::ByteSet;

/// What a test demands of a form.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    /// The nodes in which its chain ends: several when each step is looked at.
    pub(super) ends: Nodes,
    /// A byte of each of these.
    pub(super) bytes: Vec<ByteSet>,
    /// So many bytes of this.
    pub(super) count: Option<(ByteSet, usize)>,
    pub(super) length_min: usize,
}

impl Demand {
    #[inline]
    pub(super) fn is_met(&self, form: &Form<'_>) -> bool {
        self.ends & form.nodes != 0
            && form.bytes.len() >= self.length_min
            && self.bytes.iter().all(|set| set.meets(form.present))
            && self.count.is_none_or(|(set, least)| has(&form.bytes, set, least))
    }

    /// Does every form that meets the other meet this one, where their chains end alike?
    fn is_within(&self, other: &Self) -> bool {
        let is_met = |set: &ByteSet| other.bytes.iter().any(|it| it.union(*set) == *set);
        self.length_min <= other.length_min
            && self.bytes.iter().all(is_met)
            && (self.count.is_none() || self.count == other.count)
    }
}

/// Has the value so many bytes of the set?
fn has(value: &[u8], set: ByteSet, least: usize) -> bool {
    let mut places = value.iter().filter(|byte| set.contains(**byte));
    least.checked_sub(1).is_none_or(|before| places.nth(before).is_some())
}

/// The fewest demands of which a form meets one whenever it meets one of these: many rules demand
/// what others do, and more.
pub(super) fn least(mut demands: Vec<Demand>) -> Vec<Demand> {
    // What demands little comes first, and is met soon.
    demands.sort_by_key(|demand| (demand.bytes.len(), demand.length_min));
    let mut kept: Vec<Demand> = Vec::new();
    for mut demand in demands {
        let known = kept.iter().filter(|known| known.is_within(&demand));
        demand.ends &= !known.fold(0, |all, known| all | known.ends);
        if demand.ends == 0 {
            continue;
        }
        match kept.iter_mut().find(|known| known.is_within(&demand) && demand.is_within(known)) {
            Some(same) => same.ends |= demand.ends,
            None => kept.push(demand),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prefilter::chains::Chains;

    fn any_demand() -> impl Strategy<Value = Demand> {
        let set = prop::collection::vec(b'a'..b'f', 1..4).prop_map(|bytes| ByteSet::of(&bytes));
        let bytes = prop::collection::vec(set.clone(), 0..3);
        let count = prop::option::of((set, 1..3_usize));
        (1..8_u128, bytes, count, 0..4_usize).prop_map(|(ends, bytes, count, length_min)| Demand {
            ends,
            bytes,
            count,
            length_min,
        })
    }

    proptest! {
        #[test]
        fn the_least_demands_are_met_when_one_of_all_is(
            demands in prop::collection::vec(any_demand(), 0..12),
            value in "[a-g]{0,5}",
            nodes in 0..8_u128,
        ) {
            let forms = Chains::default().forms(value.as_bytes(), nodes);
            let form = forms.get(0).unwrap();
            let expected = demands.iter().any(|demand| demand.is_met(form));
            let least = least(demands);
            prop_assert_eq!(least.iter().any(|demand| demand.is_met(form)), expected);
        }
    }

    #[test]
    fn what_demands_more_is_left_out() {
        let demand = |ends, bytes: &[&[u8]], length_min| Demand {
            ends,
            bytes: bytes.iter().map(|it| ByteSet::of(it)).collect(),
            count: None,
            length_min,
        };
        let all = vec![demand(1, &[b"<", b"="], 4), demand(1, &[b"<>"], 2), demand(3, &[b"<"], 3)];
        let least = least(all);
        let kept: Vec<_> =
            least.iter().map(|it| (it.ends, it.bytes.len(), it.length_min)).collect();
        assert_eq!(kept, [(1, 1, 2), (2, 1, 3)]);
    }
}
