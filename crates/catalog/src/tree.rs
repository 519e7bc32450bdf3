//! Paths as a tree of segments, one root a host group.
//!
//! A node has literal children, found by the hash of their text, and at most one parameter.
//! Literals go first, so that `/users/me` and `/users/{id}` stand beside each other. Nodes live in
//! one list and name each other by number; every look-up may fail, none panics.

mod parameter;

use std::collections::BTreeSet;

use http::Method;
use serde::{Deserialize, Serialize};
use traffic::path::{SEGMENTS_MAX, Segment};
use traffic::{Digest, EndpointId, ParamKind, Path};

pub(crate) use self::parameter::Parameter;
use crate::template::{Class, parameter_name};

/// All nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    /// Numbers given back; the least is taken first, so that the same tree goes on in the same way.
    free: BTreeSet<u32>,
}

/// One segment of a template, in its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) parent: Option<u32>,
    pub(crate) part: Part,
    /// Sorted by the hash of the text.
    pub(crate) literals: Vec<(Digest, u32)>,
    pub(crate) parameter: Option<u32>,
    /// Sorted by method.
    pub(crate) endpoints: Vec<(Verb, EndpointId)>,
}

/// What stands in a template at one place.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Part {
    Root,
    Literal { text: Box<str>, digest: Digest },
    Parameter(Parameter),
}

/// A method that can make an endpoint.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Other(Box<str>),
}

/// Literal children of one node. An API has some dozens of resources; beyond this they are values.
pub(crate) const LITERALS_MAX: usize = 256;
/// A look-up visits so many nodes at most, whatever alternatives there are.
const STEPS_MAX: usize = 64;
/// Nodes put back under higher numbers get new ones: no catalog has as many.
const NUMBERS_MAX: u32 = 1 << 16;
/// Longer method names make no endpoint.
const VERB_BYTES_MAX: usize = 16;

// === impl Verb ===

impl Verb {
    /// HEAD is GET without a body. What only asks about an endpoint makes none.
    pub(crate) fn of(method: &Method) -> Option<Self> {
        Some(match *method {
            Method::GET | Method::HEAD => Self::Get,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::PATCH => Self::Patch,
            Method::DELETE => Self::Delete,
            Method::OPTIONS | Method::TRACE | Method::CONNECT => return None,
            ref other if other.as_str().len() <= VERB_BYTES_MAX => {
                Self::Other(other.as_str().into())
            }
            _ => return None,
        })
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Other(text) => text,
        }
    }
}

// === impl Tree ===

impl Tree {
    pub(crate) fn add_root(&mut self) -> u32 {
        self.add(None, Part::Root)
    }

    pub(crate) fn node(&self, index: u32) -> Option<&Node> {
        self.nodes.get(index as usize)
    }

    pub(crate) fn node_mut(&mut self, index: u32) -> Option<&mut Node> {
        self.nodes.get_mut(index as usize)
    }

    /// How many nodes are in use.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// The node of a path: literals before parameters, with a bound on what is tried.
    pub(crate) fn find(&self, root: u32, path: &Path) -> Option<u32> {
        self.find_below(root, path, 0, None)
    }

    /// The node of a path, whatever the case of its letters, at which there is an endpoint of this
    /// method.
    pub(crate) fn find_alike(&self, root: u32, path: &Path, verb: &Verb) -> Option<u32> {
        self.find_below(root, path, 0, Some(verb))
    }

    /// The node that the segments of a path from `depth` on lead to from `from`; one `alike` if
    /// that names the method.
    fn find_below(
        &self,
        from: u32,
        path: &Path,
        from_depth: usize,
        alike: Option<&Verb>,
    ) -> Option<u32> {
        // Alternatives left open: a node whose parameter was passed by, and its depth.
        let mut open = [(0_u32, 0_usize); SEGMENTS_MAX + 1];
        let mut count = 0;
        let (mut at, mut depth) = (from, from_depth);
        let mut only_parameter = false;
        for _ in 0..STEPS_MAX {
            let node = self.node(at)?;
            let next = match path.segments().nth(depth) {
                None if node.ends_a_path(alike) => return Some(at),
                None => None,
                Some(segment) => {
                    let exact = node.literal(segment.digest);
                    let literal = exact
                        .or_else(|| alike.and_then(|_| self.literal_alike(node, segment.text)))
                        .filter(|_| !only_parameter);
                    if literal.is_some()
                        && node.parameter.is_some()
                        && let Some(place) = open.get_mut(count)
                    {
                        *place = (at, depth);
                        count += 1;
                    }
                    literal.or_else(|| self.parameter_for(node, &segment))
                }
            };
            only_parameter = next.is_none();
            (at, depth) = match next {
                Some(child) => (child, depth + 1),
                None => {
                    count = usize::checked_sub(count, 1)?;
                    *open.get(count)?
                }
            };
        }
        None
    }

    /// The node of a path, made where it is missing. None: there is no room for it.
    pub(crate) fn insert(
        &mut self,
        root: u32,
        path: &Path,
        verb: &Verb,
        nodes_max: usize,
    ) -> Option<u32> {
        let found = self
            .find(root, path)
            .filter(|found| self.node(*found).is_some_and(|node| node.endpoint(verb).is_some()));
        if found.is_some() {
            return found;
        }
        if self.len() + path.len() > nodes_max {
            return None;
        }
        let mut at = root;
        for (depth, segment) in path.segments().enumerate() {
            at = self.child(at, path, depth, &segment, verb)?;
        }
        Some(at)
    }

    /// The literal child of that text, or the parameter that takes it.
    fn child(
        &mut self,
        at: u32,
        path: &Path,
        depth: usize,
        segment: &Segment<'_>,
        verb: &Verb,
    ) -> Option<u32> {
        let class = Class::of(segment);
        let node = self.node(at)?;
        if let Some(literal) = node.literal(segment.digest) {
            return Some(literal);
        }
        if let Some(parameter) = self.parameter_for(node, segment)
            && (class.varies_at_once() || self.is_value(parameter, path, depth, segment, verb))
        {
            self.widen(parameter, segment.text, segment.kind, segment.digest);
            return Some(parameter);
        }
        if class.varies_at_once() {
            return self.parameter_of(at, segment.text, segment.kind, segment.digest);
        }
        if node.literals.len() >= LITERALS_MAX {
            return None;
        }
        let part = Part::Literal { text: segment.text.into(), digest: segment.digest };
        let child = self.add(Some(at), part);
        self.node_mut(at)?.add_literal(segment.digest, child);
        Some(child)
    }

    /// The parameter of a node, made if it has none.
    pub(crate) fn parameter_of(
        &mut self,
        at: u32,
        text: &str,
        kind: ParamKind,
        digest: Digest,
    ) -> Option<u32> {
        let parameter = match self.node(at)?.parameter {
            Some(parameter) => parameter,
            None => {
                let name = parameter_name(kind, Class::of_text(text)).into();
                let part = Parameter::new(name);
                let parameter = self.add(Some(at), Part::Parameter(part));
                self.node_mut(at)?.parameter = Some(parameter);
                parameter
            }
        };
        self.widen(parameter, text, kind, digest);
        Some(parameter)
    }

    /// Takes a child out of its parent's list and gives its number back. What hung below it must
    /// have been moved before.
    pub(crate) fn remove(&mut self, index: u32) {
        let Some(node) = self.node_mut(index) else { return };
        let (parent, part) = (node.parent.take(), std::mem::replace(&mut node.part, Part::Root));
        node.literals = Vec::new();
        node.parameter = None;
        node.endpoints = Vec::new();
        if let Some(parent) = parent.and_then(|parent| self.node_mut(parent)) {
            match part {
                Part::Literal { digest, .. } => {
                    parent.literals.retain(|(known, _)| *known != digest)
                }
                Part::Parameter(_) => parent.parameter = None,
                Part::Root => {}
            }
        }
        self.free.insert(index);
    }

    /// Removes a node, and those above it, as long as nothing hangs on them.
    pub(crate) fn prune(&mut self, from: u32) {
        let mut at = from;
        for _ in 0..=SEGMENTS_MAX {
            let Some(node) = self.node(at) else { return };
            let is_bare =
                node.endpoints.is_empty() && node.literals.is_empty() && node.parameter.is_none();
            let Some(parent) = node.parent.filter(|_| is_bare) else { return };
            self.remove(at);
            at = parent;
        }
    }

    /// Nodes from the root down to `at`.
    pub(crate) fn line(&self, at: u32) -> Vec<u32> {
        let mut line: Vec<u32> = std::iter::successors(Some(at), |at| self.node(*at)?.parent)
            .take(SEGMENTS_MAX + 1)
            .collect();
        line.reverse();
        line
    }

    /// The template that leads to a node.
    pub(crate) fn template(&self, at: u32) -> String {
        let mut template = String::new();
        let mut names = self.parameters(at).into_iter().map(|(name, _)| name);
        for index in self.line(at) {
            match self.node(index).map(|node| &node.part) {
                Some(Part::Literal { text, .. }) => {
                    template.push('/');
                    template.push_str(text);
                }
                Some(Part::Parameter(_)) => {
                    template.push_str("/{");
                    template.push_str(&names.next().unwrap_or_default());
                    template.push('}');
                }
                Some(Part::Root) | None => {}
            }
        }
        if template.is_empty() { "/".to_owned() } else { template }
    }

    /// The parameters on the way to a node, by name. A name that comes again has a number after it:
    /// `/users/{id}/friends/{id2}`.
    pub(crate) fn parameters(&self, at: u32) -> Vec<(String, &Parameter)> {
        let mut found: Vec<(String, &Parameter)> = Vec::new();
        for index in self.line(at) {
            let Some(Part::Parameter(part)) = self.node(index).map(|node| &node.part) else {
                continue;
            };
            let same = found.iter().filter(|(_, other)| other.name == part.name).count();
            let name = if same == 0 {
                part.name.to_string()
            } else {
                format!("{}{}", part.name, same + 1)
            };
            found.push((name, part));
        }
        found
    }

    pub(crate) fn add_endpoint(&mut self, at: u32, verb: Verb, id: EndpointId) {
        if let Some(node) = self.node_mut(at)
            && let Err(place) = node.endpoints.binary_search_by(|(known, _)| known.cmp(&verb))
        {
            node.endpoints.insert(place, (verb, id));
        }
    }

    fn add(&mut self, parent: Option<u32>, part: Part) -> u32 {
        let node = Node::new(parent, part);
        if let Some(index) = self.free.pop_first()
            && let Some(place) = self.nodes.get_mut(index as usize)
        {
            *place = node;
            return index;
        }
        self.nodes.push(node);
        u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)
    }

    /// Adds a node under the number that it had, or under another one when that is taken.
    pub(crate) fn add_at(&mut self, wanted: u32, parent: Option<u32>, part: Part) -> u32 {
        if wanted >= NUMBERS_MAX {
            return self.add(parent, part);
        }
        while self.nodes.len() <= wanted as usize {
            self.free.insert(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
            self.nodes.push(Node::new(None, Part::Root));
        }
        match self.nodes.get_mut(wanted as usize).filter(|_| self.free.remove(&wanted)) {
            Some(place) => {
                *place = Node::new(parent, part);
                wanted
            }
            None => self.add(parent, part),
        }
    }

    /// The child of `at` that is this part, put back under its number when it is not there.
    pub(crate) fn put_back(&mut self, at: u32, wanted: u32, part: Part) -> Option<u32> {
        let parent = self.node(at)?;
        let digest = match &part {
            Part::Root => return None,
            Part::Literal { digest, .. } => Some(*digest),
            Part::Parameter(_) => None,
        };
        if let Some(known) = digest.map_or(parent.parameter, |digest| parent.literal(digest)) {
            return Some(known);
        }
        if parent.literals.len() >= LITERALS_MAX {
            return None;
        }
        let child = self.add_at(wanted, Some(at), part);
        let parent = self.node_mut(at)?;
        match digest {
            Some(digest) => parent.add_literal(digest, child),
            None => parent.parameter = Some(child),
        }
        Some(child)
    }

    /// A literal child that differs from `text` in the case of letters alone.
    fn literal_alike(&self, node: &Node, text: &str) -> Option<u32> {
        let children = node.literals.iter().map(|(_, child)| *child);
        let mut alike = children.filter(|child| {
            let known = self.node(*child).and_then(Node::text);
            known.is_some_and(|known| known.eq_ignore_ascii_case(text))
        });
        alike.next()
    }

    fn parameter_for(&self, node: &Node, segment: &Segment<'_>) -> Option<u32> {
        let parameter = node.parameter?;
        match &self.node(parameter)?.part {
            Part::Parameter(part) => part.takes(segment).then_some(parameter),
            _ => None,
        }
    }

    /// Whether a word is a value of a parameter rather than a name beside it: it is known as one,
    /// or what follows is known to hang below the parameter. A POST to a word is an action of its
    /// own.
    fn is_value(
        &self,
        parameter: u32,
        path: &Path,
        depth: usize,
        word: &Segment<'_>,
        verb: &Verb,
    ) -> bool {
        let is_known_word = matches!(
            self.node(parameter).map(|node| &node.part),
            Some(Part::Parameter(part)) if part.knows(word.digest)
        );
        is_known_word
            || self
                .find_below(parameter, path, depth + 1, None)
                .and_then(|found| self.node(found))
                .is_some_and(|found| *verb != Verb::Post || found.endpoint(verb).is_some())
    }

    /// Notes that a parameter takes this value, and so others like it.
    fn widen(&mut self, parameter: u32, text: &str, kind: ParamKind, digest: Digest) {
        if let Some(Part::Parameter(part)) = self.node_mut(parameter).map(|node| &mut node.part) {
            part.widen(text, kind, digest);
        }
    }

    /// Lets parameter `to` take all that parameter `from` took.
    pub(crate) fn widen_like(&mut self, to: u32, from: u32) {
        let Some(Part::Parameter(from)) = self.node(from).map(|node| &node.part) else { return };
        let from = from.clone();
        if let Some(Part::Parameter(to)) = self.node_mut(to).map(|node| &mut node.part) {
            to.merge(from);
        }
    }

    /// Takes a literal out of its parent's list; all that hangs on it stays with it.
    pub(crate) fn detach(&mut self, index: u32) {
        let Some(Part::Literal { digest, .. }) = self.node(index).map(|node| &node.part) else {
            return;
        };
        let digest = *digest;
        let parent = self.node_mut(index).and_then(|node| node.parent.take());
        if let Some(parent) = parent.and_then(|parent| self.node_mut(parent)) {
            parent.literals.retain(|(known, _)| *known != digest);
        }
    }
}

// === impl Node ===

impl Node {
    const fn new(parent: Option<u32>, part: Part) -> Self {
        Self { parent, part, literals: Vec::new(), parameter: None, endpoints: Vec::new() }
    }

    pub(crate) fn literal(&self, digest: Digest) -> Option<u32> {
        let at = self.literals.binary_search_by_key(&digest, |(known, _)| *known).ok()?;
        self.literals.get(at).map(|(_, child)| *child)
    }

    /// Whether there is an endpoint here, of this method if it is named.
    fn ends_a_path(&self, verb: Option<&Verb>) -> bool {
        match verb {
            Some(verb) => self.endpoint(verb).is_some(),
            None => !self.endpoints.is_empty(),
        }
    }

    pub(crate) fn endpoint(&self, verb: &Verb) -> Option<EndpointId> {
        let at = self.endpoints.binary_search_by(|(known, _)| known.cmp(verb)).ok()?;
        self.endpoints.get(at).map(|(_, id)| *id)
    }

    pub(crate) fn add_literal(&mut self, digest: Digest, child: u32) {
        if let Err(place) = self.literals.binary_search_by_key(&digest, |(known, _)| *known) {
            self.literals.insert(place, (digest, child));
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.part {
            Part::Literal { text, .. } => Some(text),
            _ => None,
        }
    }
}
