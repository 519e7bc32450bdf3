//! The catalog as slices, and back.
//!
//! Slices are of different moments, and between two of them endpoints may come, go, or become one.
//! So an endpoint is written with its host group and with all nodes on the way to it: whatever
//! slices come together, it stands where it stood when it was written. Two that met at one place
//! meanwhile are told by their numbers, and the first stays.

use serde::{Deserialize, Serialize};
use traffic::path::SEGMENTS_MAX;
use traffic::slices::{SliceReader, SliceWriter, Sliced};
use traffic::{EndpointId, Timestamp};

use super::Catalog;
use crate::endpoint::Endpoint;
use crate::tree::{Part, Verb};

/// A section and a place in it are one number: places take no more bits than this.
const PLACE_BITS: u32 = 56;

/// What a slice holds, as its first byte says. The order is that in which they are written: what
/// tells of endpoints that are gone comes after the endpoints.
const ENDPOINTS: u8 = 0;
const ISSUED: u8 = 1;
const WAITING: u8 = 2;
const REST: u8 = 3;

/// An endpoint with all that leads to it.
#[derive(Serialize)]
struct Standing<'a> {
    endpoint: &'a Endpoint,
    group: &'a str,
    line: Vec<(u32, &'a Part)>,
    verb: &'a Verb,
}

/// The same as it is read.
#[derive(Deserialize)]
struct Stood {
    endpoint: Box<Endpoint>,
    group: Box<str>,
    line: Vec<(u32, Part)>,
    verb: Verb,
}

/// What does not hang on an endpoint.
#[derive(Deserialize, Serialize)]
struct Rest {
    next_endpoint: u32,
    next_group: u32,
    moved: Vec<(EndpointId, EndpointId)>,
    refused_for_room: u64,
}

impl Sliced for Catalog {
    fn write_slice(&self, from: u64, slice: &mut SliceWriter) -> Option<u64> {
        let section = u8::try_from(from >> PLACE_BITS).unwrap_or(u8::MAX);
        let place = from & ((1 << PLACE_BITS) - 1);
        slice.push(&section);
        let next = match section {
            ENDPOINTS => self.write_endpoints(place, slice),
            ISSUED => self.issued.write_slice(place, slice),
            WAITING => self.waiting.write_slice(place, slice),
            _ => {
                slice.push(&self.rest());
                return None;
            }
        };
        let begun = |section: u8| u64::from(section) << PLACE_BITS;
        Some(next.map_or(begun(section + 1), |place| begun(section) | place))
    }

    fn read_slice(&mut self, slice: &mut SliceReader<'_>, now: Timestamp) -> Option<()> {
        match slice.pull()? {
            ENDPOINTS => {
                while !slice.is_empty() {
                    self.put_back(slice.pull()?);
                }
                Some(())
            }
            ISSUED => self.issued.read_slice(slice, now),
            WAITING => self.waiting.read_slice(slice, now),
            REST => {
                self.take_rest(slice.pull()?);
                Some(())
            }
            _ => None,
        }
    }
}

impl Catalog {
    fn write_endpoints(&self, from: u64, slice: &mut SliceWriter) -> Option<u64> {
        let from = EndpointId(u32::try_from(from).unwrap_or(u32::MAX));
        for (id, endpoint) in self.endpoints.range(from..) {
            if slice.is_full() {
                return Some(u64::from(id.0));
            }
            if let Some(standing) = self.standing(endpoint) {
                slice.push(&standing);
            }
        }
        None
    }

    fn standing<'a>(&'a self, endpoint: &'a Endpoint) -> Option<Standing<'a>> {
        let line = self.tree.line(endpoint.node);
        let part = |at: u32| Some((at, &self.tree.node(at)?.part));
        let verbs = &self.tree.node(endpoint.node)?.endpoints;
        Some(Standing {
            endpoint,
            group: self.service_name(endpoint.service)?,
            line: line.into_iter().map(part).collect::<Option<_>>()?,
            verb: verbs.iter().find(|(_, id)| *id == endpoint.id).map(|(verb, _)| verb)?,
        })
    }

    fn rest(&self) -> Rest {
        Rest {
            next_endpoint: self.next_id,
            next_group: self.hosts.next(),
            moved: self.moved.iter().map(|(from, to)| (*from, *to)).collect(),
            refused_for_room: self.refused_for_room,
        }
    }

    fn take_rest(&mut self, rest: Rest) {
        self.next_id = self.next_id.max(rest.next_endpoint);
        self.hosts.go_on_from(rest.next_group);
        self.refused_for_room = rest.refused_for_room;
        // One that had moved when this was written, but not yet when it was written itself, is
        // there under its own number.
        let moved = rest.moved.into_iter().filter(|(from, _)| !self.endpoints.contains_key(from));
        self.moved = moved.collect();
    }

    /// Puts an endpoint back to where it stood, with the nodes that lead there.
    fn put_back(&mut self, stood: Stood) {
        let Stood { mut endpoint, group, line, verb } = stood;
        let (id, mut line) = (endpoint.id, line.into_iter().take(SEGMENTS_MAX + 1));
        let Some((root, _)) = line.next().filter(|_| !self.endpoints.contains_key(&id)) else {
            return;
        };
        let root = match self.hosts.group(endpoint.service) {
            Some(known) => known.root,
            None => {
                let root = self.tree.add_at(root, None, Part::Root);
                self.hosts.put_back(endpoint.service, &group, root);
                root
            }
        };
        let mut node = root;
        for (index, part) in line {
            let Some(next) = self.tree.put_back(node, index, part) else {
                self.tree.prune(node);
                return;
            };
            node = next;
        }
        if self.tree.node(node).is_none_or(|node| node.endpoint(&verb).is_some()) {
            return;
        }
        endpoint.node = node;
        self.next_id = self.next_id.max(id.0.wrapping_add(1));
        self.unproven = self.unproven.saturating_add(u32::from(!endpoint.is_proven));
        self.tree.add_endpoint(node, verb, id);
        self.endpoints.insert(id, endpoint);
        self.revision = self.revision.wrapping_add(1);
        self.fit();
    }

    /// Forgets what does not fit, the least recently seen first.
    fn fit(&mut self) {
        let capacity = self.capacity;
        while self.endpoints.len() > capacity.endpoints || self.tree.len() > capacity.nodes {
            let oldest = self
                .endpoints
                .values()
                .min_by_key(|endpoint| (endpoint.is_proven, endpoint.last_seen, endpoint.id))
                .map(|endpoint| endpoint.id);
            let Some(oldest) = oldest else { break };
            self.forget(oldest);
        }
    }
}
