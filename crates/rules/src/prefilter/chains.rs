//! The chains of transformations of many rules, as one tree.
//!
//! Rules share what their chains begin with, and most transformations leave most values as they
//! are, so that a value has one or two distinct forms for all chains together. A walk over the tree
//! finds these forms, and of each the chains that end in it.

use std::borrow::Cow;

use crate::{byte_set::ByteSet, transformation::Transformation};

/// More chains than this are rare; rules with one of the rest are evaluated plainly.
const NODES_MAX: usize = 128;

/// A set of nodes.
pub(super) type Nodes = u128;

/// The tree. Node 0 is the value as it came.
#[derive(Debug)]
pub(super) struct Chains {
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    parent: usize,
    transformation: Transformation,
}

/// A form of a value.
#[derive(Debug)]
pub(super) struct Form<'v> {
    pub(super) bytes: Cow<'v, [u8]>,
    pub(super) present: ByteSet,
    /// The chains that end in it.
    pub(super) nodes: Nodes,
    /// The form that this is in small letters, if it is one: they have the same literals.
    pub(super) in_small_letters_of: Option<usize>,
}

impl Default for Chains {
    fn default() -> Self {
        Self { nodes: vec![Node { parent: 0, transformation: Transformation::None }] }
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
                None => {
                    self.nodes.push(Node { parent: at, transformation: *transformation });
                    self.nodes.len() - 1
                }
            };
            path.push(at);
        }
        Some(path)
    }

    /// The distinct forms of a value, for the nodes in `wanted` and those on the way to them. Where
    /// two chains lead to the same bytes by different ways, that may be two forms.
    pub(super) fn forms<'v>(
        &self,
        value: &'v [u8],
        wanted: Nodes,
        room: &mut Vec<u8>,
        forms: &mut Vec<Form<'v>>,
    ) {
        forms.clear();
        room.clear();
        let present = ByteSet::present(value);
        let bytes = Cow::Borrowed(value);
        forms.push(Form { bytes, present, nodes: 1, in_small_letters_of: None });
        room.push(0);
        for (place, node) in self.nodes.iter().enumerate().skip(1) {
            let parent = room.get(node.parent).copied().unwrap_or_default();
            if wanted & (1 << place) == 0 {
                // Nobody looks at it; what lies behind it is not wanted either.
                room.push(parent);
                continue;
            }
            let at = self.form(node, usize::from(parent), forms);
            if let Some(form) = forms.get_mut(at) {
                form.nodes |= 1 << place;
            }
            room.push(u8::try_from(at).unwrap_or_default());
        }
    }

    /// The form of a node whose parent has form `parent`: that one, unless it is changed.
    fn form(&self, node: &Node, parent: usize, forms: &mut Vec<Form<'_>>) -> usize {
        let Some(from) = forms.get(parent) else { return parent };
        if !node.transformation.may_change(from.present) {
            return parent;
        }
        let Cow::Owned(changed) = node.transformation.apply(&from.bytes) else { return parent };
        let is_lower = node.transformation == Transformation::Lowercase;
        let present = ByteSet::present(&changed);
        forms.push(Form {
            bytes: Cow::Owned(changed),
            present,
            nodes: 0,
            in_small_letters_of: is_lower.then_some(parent),
        });
        forms.len() - 1
    }

    /// How many nodes there are.
    pub(super) const fn len(&self) -> usize {
        self.nodes.len()
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
        let (mut room, mut forms) = (Vec::new(), Vec::new());
        chains.forms(b"plain value", Nodes::MAX, &mut room, &mut forms);
        assert_eq!(forms.len(), 1);
        assert_eq!(forms[0].nodes, 0b1111);
        chains.forms(b"Plain+Value", Nodes::MAX, &mut room, &mut forms);
        let texts: Vec<_> =
            forms.iter().map(|form| form.bytes.escape_ascii().to_string()).collect();
        assert_eq!(texts, ["Plain+Value", "Plain Value", "plain value"]);
        assert_eq!(forms[2].in_small_letters_of, Some(1));
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
            let (mut room, mut forms) = (Vec::new(), Vec::new());
            tree.forms(&value, tree.ways_to(ends), &mut room, &mut forms);
            for (chain, path) in chains.iter().zip(&paths) {
                let end = path[path.len() - 1];
                let form = forms.iter().find(|form| form.nodes & 1 << end != 0).unwrap();
                prop_assert_eq!(&form.bytes[..], plain(chain, &value));
                prop_assert_eq!(form.present, ByteSet::present(&form.bytes));
            }
        }
    }
}
