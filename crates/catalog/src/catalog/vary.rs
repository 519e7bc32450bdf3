//! When siblings turn out to be values of one parameter, and hosts tenants of one API.
//!
//! Ten users under `/users/{name}` look alike in their answers; `users`, `orders` and `products` do
//! not. So siblings are compared: by the names in their answers, by the parameters they take, by
//! what hangs below them. Enough that are alike become one parameter. Where nothing can be compared
//! it takes more of them, and only for reads.

use traffic::path::SEGMENTS_MAX;
use traffic::{EndpointId, ParamKind, ServiceId};

use super::Catalog;
use crate::endpoint::Likeness;
use crate::hosts::domain_above;
use crate::template::Class;
use crate::tree::{LITERALS_MAX, Node, Part, Verb};

/// So many siblings that are alike are values.
const ALIKE_MIN: usize = 10;
/// Slugs are titles, and titles are values: a few are enough, …
const ALIKE_SLUGS_MIN: usize = 3;
/// … or a few more, where their answers cannot be compared.
const UNTOLD_SLUGS_MIN: usize = 6;
/// So many siblings that cannot be told apart are values, if they are only read.
const UNTOLD_MIN: usize = 32;
/// So many siblings that are like an existing parameter beside them are values of it.
const LIKE_PARAMETER_MIN: usize = 4;
/// So many hosts of one domain that are alike are tenants, …
const TENANTS_MIN: usize = 8;
/// … or so many of which nothing can be told.
const TENANTS_UNTOLD_MIN: usize = 24;
/// Two nodes are compared in so many steps at most, and so deep.
const STEPS_MAX: usize = 96;
const DEPTH_MAX: usize = 3;

/// Siblings that may be values of one parameter, seen from one of them.
#[derive(Default)]
struct Siblings {
    alike: Vec<u32>,
    untold: Vec<u32>,
}

/// Two nodes to compare.
struct Pair {
    a: u32,
    b: u32,
    depth: usize,
    /// Whether they stand for others beside them, and not under the same name.
    is_sample: bool,
}

impl Pair {
    /// Adds the children of two nodes that can be compared: those of one name, and if there are
    /// none below a name that both have, one of each as a sample.
    fn below(&self, here: &Node, there: &Node, open: &mut Vec<Self>) {
        let (depth, is_sample) = (self.depth + 1, self.is_sample);
        let twins =
            here.literals.iter().filter_map(|(digest, a)| Some((*a, there.literal(*digest)?)));
        let before = open.len();
        open.extend(twins.take(16).map(|(a, b)| Self { a, b, depth, is_sample }));
        if open.len() == before
            && self.depth > 0
            && let (Some((_, a)), Some((_, b))) = (here.literals.first(), there.literals.first())
        {
            open.push(Self { a: *a, b: *b, depth, is_sample: true });
        }
        let parameters = here.parameter.zip(there.parameter);
        open.extend(parameters.map(|(a, b)| Self { a, b, depth, is_sample }));
    }
}

impl Catalog {
    /// Looks from an endpoint up to the root for siblings that have become too many to be names.
    pub(super) fn find_values(&mut self, node: u32) {
        // A merge changes the line to the root; what is further up is looked at in the next round.
        for _ in 0..=SEGMENTS_MAX {
            let Some(found) =
                self.tree.line(node).into_iter().find_map(|at| self.values_beside(at))
            else {
                return;
            };
            self.fold(&found);
        }
    }

    /// The siblings of `at`, itself included, that are values of one parameter.
    fn values_beside(&self, at: u32) -> Option<Vec<u32>> {
        let node = self.tree.node(at)?;
        let class = self.class_of(at).filter(|class| class.may_vary())?;
        let parent = self.tree.node(node.parent?)?;
        if parent.literals.len() < ALIKE_SLUGS_MIN {
            return None;
        }
        let siblings = self.compare_siblings(at, class, &parent.literals);
        let is_read_only = self.is_read_only(at);
        let (alike, untold) = (siblings.alike.len(), siblings.untold.len());
        let is_like_parameter = parent
            .parameter
            .is_some_and(|parameter| self.likeness(at, parameter) == Likeness::Alike);
        let is_certain = match class {
            Class::Slug => is_read_only && alike >= ALIKE_SLUGS_MIN,
            _ => alike >= ALIKE_MIN || (is_like_parameter && alike >= LIKE_PARAMETER_MIN),
        };
        if is_certain {
            return Some(siblings.alike);
        }
        let both = alike + untold;
        let is_likely = is_read_only
            && match class {
                Class::Slug => both >= UNTOLD_SLUGS_MIN,
                Class::File => both >= ALIKE_MIN,
                _ => both >= UNTOLD_MIN,
            };
        let is_overfull = parent.literals.len() >= LITERALS_MAX && is_read_only;
        (is_likely || is_overfull)
            .then(|| siblings.alike.into_iter().chain(siblings.untold).collect())
    }

    fn compare_siblings(
        &self,
        at: u32,
        class: Class,
        literals: &[(traffic::Digest, u32)],
    ) -> Siblings {
        let mut siblings = Siblings { alike: vec![at], untold: Vec::new() };
        for (_, other) in literals.iter().filter(|(_, other)| *other != at) {
            let Some(other_class) = self.class_of(*other).filter(|class| class.may_vary()) else {
                continue;
            };
            let is_one_class = match class {
                Class::Slug | Class::File => {
                    class == other_class && self.extension(at) == self.extension(*other)
                }
                _ => other_class != Class::File,
            };
            if !is_one_class {
                continue;
            }
            match self.likeness(at, *other) {
                Likeness::Alike => siblings.alike.push(*other),
                Likeness::Untold if self.is_read_only(*other) => siblings.untold.push(*other),
                Likeness::Untold | Likeness::Unlike => {}
            }
        }
        siblings
    }

    /// Makes the given siblings one parameter.
    fn fold(&mut self, values: &[u32]) {
        let Some(first) = values.first().copied() else { return };
        let Some(parent) = self.tree.node(first).and_then(|node| node.parent) else { return };
        // The least number is the oldest: endpoints keep their first number.
        let mut values = values.to_vec();
        values.sort_by_key(|at| (self.oldest_below(*at), *at));
        for at in values {
            let Some(Part::Literal { text, digest }) = self.tree.node(at).map(|node| &node.part)
            else {
                continue;
            };
            let (text, digest) = (text.clone(), *digest);
            let kind = ParamKind::of(&text);
            let Some(parameter) = self.tree.parameter_of(parent, &text, kind, digest) else {
                return;
            };
            self.tree.detach(at);
            self.merge_nodes(at, parameter);
        }
    }

    /// Folds the single hosts of a domain into one group once so many of them are alike.
    pub(super) fn find_tenants(&mut self, service: ServiceId) {
        let Some((domain, root)) = self
            .hosts
            .group(service)
            .and_then(|group| Some((domain_above(&group.name)?.to_owned(), group.root)))
            .filter(|(domain, _)| !domain.starts_with("*."))
        else {
            return;
        };
        let siblings = self.hosts.siblings(&domain);
        if siblings.len() < TENANTS_MIN || !siblings.contains(&service) {
            return;
        }
        let mut tenants = vec![service];
        let mut untold = Vec::new();
        for other in siblings.into_iter().filter(|other| *other != service) {
            let Some(other_root) = self.hosts.group(other).map(|group| group.root) else {
                continue;
            };
            match self.likeness(root, other_root) {
                Likeness::Alike => tenants.push(other),
                Likeness::Untold => untold.push(other),
                Likeness::Unlike => {}
            }
        }
        if tenants.len() < TENANTS_MIN {
            tenants.append(&mut untold);
            if tenants.len() < TENANTS_UNTOLD_MIN {
                return;
            }
        }
        tenants.sort_unstable();
        let group = match self.hosts.under(&domain) {
            // There may be tenants beside it that came back from an older moment.
            Some(known) => known,
            None => {
                let root = self.tree.add_root();
                self.hosts.add_under(&domain, root)
            }
        };
        let Some(root) = self.hosts.group(group).map(|group| group.root) else { return };
        for tenant in tenants {
            let Some(old_root) = self.hosts.group(tenant).map(|group| group.root) else { continue };
            self.merge_nodes(old_root, root);
            self.hosts.remove(tenant);
            for endpoint in
                self.endpoints.values_mut().filter(|endpoint| endpoint.service == tenant)
            {
                endpoint.service = group;
            }
        }
    }

    /// Whether two nodes show the same kind of resource, by their endpoints and what hangs below.
    fn likeness(&self, a: u32, b: u32) -> Likeness {
        let mut open = vec![Pair { a, b, depth: 0, is_sample: false }];
        let mut found = Likeness::Untold;
        for _ in 0..STEPS_MAX {
            let Some(pair) = open.pop() else { break };
            let (Some(here), Some(there)) = (self.tree.node(pair.a), self.tree.node(pair.b)) else {
                continue;
            };
            match self.compare_nodes(here, there) {
                Likeness::Alike => found = Likeness::Alike,
                // Two samples may well be of different kinds.
                Likeness::Unlike if !pair.is_sample => return Likeness::Unlike,
                Likeness::Unlike | Likeness::Untold => {}
            }
            if pair.depth < DEPTH_MAX {
                pair.below(here, there, &mut open);
            }
        }
        found
    }

    fn compare_nodes(&self, here: &Node, there: &Node) -> Likeness {
        let mut found = Likeness::Untold;
        let mut shared = 0;
        for (verb, id) in &here.endpoints {
            let Some(twin) = there.endpoint(verb) else { continue };
            shared += 1;
            match self.compare_endpoints(verb, *id, twin) {
                Likeness::Unlike => return Likeness::Unlike,
                Likeness::Alike => found = Likeness::Alike,
                Likeness::Untold => {}
            }
        }
        let is_apart = shared == 0 && !here.endpoints.is_empty() && !there.endpoints.is_empty();
        if is_apart { Likeness::Unlike } else { found }
    }

    fn compare_endpoints(&self, verb: &Verb, a: EndpointId, b: EndpointId) -> Likeness {
        let (Some(a), Some(b)) = (self.endpoints.get(&a), self.endpoints.get(&b)) else {
            return Likeness::Untold;
        };
        let by_answer = a.shape.compare(&b.shape);
        // Remote procedures often answer alike; what they take tells them apart.
        if *verb != Verb::Get && a.params.likeness(&b.params) < 0.5 {
            return Likeness::Unlike;
        }
        by_answer
    }

    /// Whether nothing but GET was seen at and right below a node.
    fn is_read_only(&self, at: u32) -> bool {
        self.tree.node(at).is_some_and(|node| {
            node.endpoints.iter().all(|(verb, _)| *verb == Verb::Get)
                && node.literals.iter().map(|(_, child)| child).chain(&node.parameter).all(
                    |child| {
                        self.tree.node(*child).is_some_and(|child| {
                            child.endpoints.iter().all(|(verb, _)| *verb == Verb::Get)
                        })
                    },
                )
        })
    }

    fn oldest_below(&self, at: u32) -> Option<EndpointId> {
        self.tree.node(at)?.endpoints.iter().map(|(_, id)| *id).min()
    }

    fn class_of(&self, at: u32) -> Option<Class> {
        self.tree.node(at)?.text().map(Class::of_text)
    }

    fn extension(&self, at: u32) -> Option<&str> {
        self.tree.node(at)?.text()?.rsplit_once('.').map(|(_, extension)| extension)
    }
}
