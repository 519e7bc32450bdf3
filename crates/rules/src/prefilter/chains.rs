//! The chains of transformations of many rules, as one tree.
//!
//! Rules share what their chains begin with, and most transformations leave most values as they
//! are, so that a value has one or two distinct forms for all chains together. A walk over the tree
//! finds these forms, and of each the chains that end in it.

use std::borrow::Cow;

use super::literal::LACKING;
use crate::{byte_set::ByteSet, transformation::Transformation};

/// More chains than this are rare; rules with one of the rest are evaluated plainly.
const NODES_MAX: usize = 128;

/// A set of nodes.
pub(super) type Nodes = u128;

/// The tree. Node 0 is the value as it came.
#[derive(Debug)]
pub(super) struct Chains {
    nodes: Vec<Node>,
    /// Of each transformation the nodes that lie behind one that it makes, these included.
    behind: Vec<Behind>,
}

#[derive(Debug)]
struct Node {
    parent: usize,
    transformation: Transformation,
}

#[derive(Debug)]
struct Behind {
    transformation: Transformation,
    /// The bytes that it acts on, and whether it also acts on a value that has none of them.
    triggers: ByteSet,
    is_always_on: bool,
    nodes: Nodes,
}

/// A form of a value.
#[derive(Debug)]
pub(super) struct Form<'v> {
    pub(super) bytes: Cow<'v, [u8]>,
    pub(super) present: ByteSet,
    /// Of what bytes it is, as a place among those that [`LACKING`] has.
    pub(super) alphabet: usize,
    /// The chains that end in it.
    pub(super) nodes: Nodes,
    /// The form that this is in small letters, if it is one: they have the same literals.
    pub(super) in_small_letters_of: Option<usize>,
    /// What it was made from and how, first; others may lead to it, too.
    made: (usize, Transformation),
}

/// The distinct forms of a value.
#[derive(Debug)]
pub(super) struct Forms<'v> {
    /// The value as it came.
    first: Form<'v>,
    others: Vec<Form<'v>>,
}

impl<'v> Forms<'v> {
    pub(super) fn get(&self, at: usize) -> Option<&Form<'v>> {
        at.checked_sub(1).map_or(Some(&self.first), |other| self.others.get(other))
    }

    pub(super) const fn len(&self) -> usize {
        1 + self.others.len()
    }
}

impl Default for Chains {
    fn default() -> Self {
        let root = Node { parent: 0, transformation: Transformation::None };
        Self { nodes: vec![root], behind: Vec::new() }
    }
}

/// The last of the alphabets in which a form is written that has these bytes.
fn alphabet(present: ByteSet) -> usize {
    LACKING.iter().rposition(|lacking| !lacking.meets(present)).unwrap_or_default()
}

impl Behind {
    /// As [`Transformation::may_change`].
    fn may_change(&self, present: ByteSet) -> bool {
        self.is_always_on || self.triggers.meets(present)
    }
}

impl Chains {
    /// The nodes along a chain, the value as it came first; nothing when the tree is full.
    pub(super) fn grow(&mut self, chain: &[Transformation]) -> Option<Vec<usize>> {
        let mut path = vec![0];
        let mut at = 0;
        for transformation in chain.iter().filter(|it| **it != Transformation::None) {
            let known = self
                .nodes
                .iter()
                .enumerate()
                .skip(1)
                .find(|(_, node)| node.parent == at && node.transformation == *transformation);
            at = match known {
                Some((place, _)) => place,
                None if self.nodes.len() >= NODES_MAX => return None,
                None => self.add(at, *transformation),
            };
            path.push(at);
        }
        Some(path)
    }

    fn add(&mut self, parent: usize, transformation: Transformation) -> usize {
        let place = self.nodes.len();
        self.nodes.push(Node { parent, transformation });
        if !self.behind.iter().any(|it| it.transformation == transformation) {
            let triggers = transformation.triggers();
            let is_always_on = transformation.may_change(ByteSet::NONE);
            self.behind.push(Behind { transformation, triggers, is_always_on, nodes: 0 });
        }
        // It lies behind its own transformation and those on the way to it.
        let mut at = place;
        while let Some(node) = self.nodes.get(at).filter(|_| at != 0) {
            let behind = self.behind.iter_mut();
            for behind in behind.filter(|it| it.transformation == node.transformation) {
                behind.nodes |= 1 << place;
            }
            at = node.parent;
        }
        place
    }

    /// The distinct forms of a value, for the nodes in `wanted`, which are all on their way.
    #[inline]
    pub(super) fn forms<'v>(&self, value: &'v [u8], wanted: Nodes) -> Forms<'v> {
        let present = ByteSet::present(value);
        let first = Form {
            bytes: Cow::Borrowed(value),
            present,
            alphabet: alphabet(present),
            nodes: wanted | 1,
            in_small_letters_of: None,
            made: (0, Transformation::None),
        };
        let mut forms = Forms { first, others: Vec::new() };
        // Only behind a transformation that may change the value is anything but the value.
        let moving =
            self.behind.iter().filter(|it| it.nodes & wanted != 0 && it.may_change(present));
        let mut left = moving.fold(0, |all, it| all | it.nodes) & wanted;
        let mut form_of = [0; NODES_MAX];
        while left != 0 {
            let place = left.trailing_zeros() as usize;
            left &= left - 1;
            let Some(node) = self.nodes.get(place) else { continue };
            let parent = form_of.get(node.parent).copied().unwrap_or_default();
            let at = forms.behind(usize::from(parent), node.transformation);
            if let Some(form) = at.checked_sub(1).and_then(|other| forms.others.get_mut(other)) {
                form.nodes |= 1 << place;
                forms.first.nodes &= !(1 << place);
            }
            if let Some(form) = form_of.get_mut(place) {
                *form = u8::try_from(at).unwrap_or_default();
            }
        }
        forms
    }

    /// The nodes on the way to those in `ends`, and these.
    pub(super) fn ways_to(&self, ends: Nodes) -> Nodes {
        let mut all = ends | 1;
        for (place, node) in self.nodes.iter().enumerate().rev() {
            if all & (1 << place) != 0 {
                all |= 1 << node.parent;
            }
        }
        all
    }
}

impl Forms<'_> {
    /// The form behind a transformation of form `parent`: that one, unless it is changed.
    fn behind(&mut self, parent: usize, transformation: Transformation) -> usize {
        let made = (parent, transformation);
        if let Some(other) = self.others.iter().position(|form| form.made == made) {
            return other + 1;
        }
        let Some(from) = self.get(parent) else { return parent };
        if !transformation.may_change(from.present) {
            return parent;
        }
        let Cow::Owned(changed) = transformation.apply(&from.bytes) else { return parent };
        // Different ways may lead to the same bytes.
        let known = (0..self.len())
            .find(|at| self.get(*at).is_some_and(|form| form.bytes[..] == changed[..]));
        if let Some(known) = known {
            return known;
        }
        let present = ByteSet::present(&changed);
        let in_small_letters_of = (transformation == Transformation::Lowercase).then_some(parent);
        let bytes = Cow::Owned(changed);
        let alphabet = alphabet(present);
        self.others.push(Form { bytes, present, alphabet, nodes: 0, in_small_letters_of, made });
        self.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transformation::Transformation as T;

    fn plain(chain: &[T], value: &[u8]) -> Vec<u8> {
        chain.iter().fold(value.to_vec(), |value, it| it.apply(&value).into_owned())
    }

    #[test]
    fn a_plain_value_has_one_form_for_all_chains() {
        let mut chains = Chains::default();
        for chain in [&[T::UrlDecodeUni, T::Lowercase][..], &[T::UrlDecodeUni, T::JsDecode]] {
            chains.grow(chain).unwrap();
        }
        let forms = chains.forms(b"plain value", 0b1111);
        assert_eq!(forms.len(), 1);
        assert_eq!(forms.get(0).unwrap().nodes, 0b1111);
        let forms = chains.forms(b"Plain+Value", 0b1111);
        let all: Vec<_> = (0..forms.len()).map(|at| forms.get(at).unwrap()).collect();
        let texts: Vec<_> = all.iter().map(|form| form.bytes.escape_ascii().to_string()).collect();
        assert_eq!(texts, ["Plain+Value", "Plain Value", "plain value"]);
        assert_eq!(all[2].in_small_letters_of, Some(1));
        assert_eq!(all.iter().map(|form| form.nodes).collect::<Vec<_>>(), [1, 0b1010, 0b100]);
    }

    proptest! {
        #[test]
        fn each_chain_ends_in_the_form_that_it_makes(
            chains in prop::collection::vec(
                prop::collection::vec(prop::sample::select(T::all().collect::<Vec<_>>()), 0..4),
                1..12,
            ),
            value in prop::collection::vec(
                prop_oneof![any::<u8>(), prop::sample::select(b"%+\\&/.*Aa41u0;".to_vec())],
                0..24,
            ),
        ) {
            let mut tree = Chains::default();
            let paths: Vec<_> = chains.iter().map(|it| tree.grow(it).unwrap()).collect();
            let ends = paths.iter().fold(0, |all, path| all | 1 << path[path.len() - 1]);
            let forms = tree.forms(&value, tree.ways_to(ends));
            let forms: Vec<_> = (0..forms.len()).map(|at| forms.get(at).unwrap()).collect();
            for (chain, path) in chains.iter().zip(&paths) {
                let end = path[path.len() - 1];
                let form = forms.iter().find(|form| form.nodes & 1 << end != 0).unwrap();
                prop_assert_eq!(&form.bytes[..], plain(chain, &value));
                prop_assert_eq!(form.present, ByteSet::present(&form.bytes));
            }
        }
    }
}
