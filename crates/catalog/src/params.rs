//! The parameters of one endpoint: names, places and kinds; never values.
//!
//! Everybody can send a parameter, so names are counted only for requests that were served, and a
//! full table gives up the name seen least.

use serde::{Deserialize, Serialize};
use traffic::{Field, Fields, Location, ParamKind, redact};

use crate::auth::cut;
use crate::view::{ParamPlace, ParamView};

/// The parameters of one endpoint.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Params {
    /// Sorted by key.
    known: Vec<Param>,
    /// Requests looked at.
    sampled: u32,
    /// Requests that could have been.
    offered: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Param {
    key: u64,
    place: u8,
    name: Box<str>,
    seen: u32,
    /// How often which kind was seen, by its place in [`ParamKind::ALL`]; the four most frequent.
    kinds: Vec<(ParamKind, u32)>,
}

/// More parameters are not told apart.
const PARAMS_MAX: usize = 64;
/// So many values of a request are looked at.
const VALUES_READ_MAX: usize = 64;
/// After so many requests the parameters are known, and a sample keeps them so.
const SETTLED_AFTER: u32 = 64;
const SAMPLE: u32 = 16;
/// Longer paths are cut.
const PATH_BYTES_MAX: usize = 96;
/// Deeper names are cut.
const DEPTH_MAX: usize = 6;
const KINDS_MAX: usize = 4;
/// Below this share a name is somebody's mistake or try.
const SHOWN_FROM: f32 = 0.005;

impl Params {
    /// Whether the next request is to be looked at.
    pub(crate) fn wants(&mut self) -> bool {
        self.offered = self.offered.wrapping_add(1);
        self.sampled < SETTLED_AFTER || self.offered.is_multiple_of(SAMPLE)
    }

    pub(crate) fn learn(&mut self, fields: &Fields) {
        if self.sampled == u32::MAX {
            return;
        }
        self.sampled += 1;
        // What repeats within one request counts once: elements of arrays, duplicate names.
        let mut counted = [0_u64; VALUES_READ_MAX];
        for (at, field) in fields.leaves().take(VALUES_READ_MAX).enumerate() {
            let key = key_of(&field);
            if counted.contains(&key) {
                continue;
            }
            if let Some(place) = counted.get_mut(at) {
                *place = key;
            }
            self.note(key, &field);
        }
    }

    /// The parameters worth showing, by place and name.
    pub(crate) fn view(&self) -> Vec<ParamView> {
        let sampled = self.sampled.max(1) as f32;
        let mut views: Vec<ParamView> = self
            .known
            .iter()
            .map(|param| ParamView {
                place: PLACES.get(usize::from(param.place)).copied().unwrap_or(ParamPlace::Query),
                name: param.name.to_string(),
                kind: param.kind(),
                share: (param.seen as f32 / sampled).min(1.0),
                is_required: param.seen >= self.sampled,
            })
            .filter(|view| view.share >= SHOWN_FROM)
            .collect();
        views.sort_by(|a, b| (a.place, &a.name).cmp(&(b.place, &b.name)));
        views
    }

    /// The kind that every value of a parameter had, once that is known for sure. `name` is that of
    /// a query or a form, or the path of a JSON field with the numbers of elements in it.
    pub(crate) fn settled(&self, name: &str) -> Option<ParamKind> {
        let param = self.known.iter().find(|param| is_called(&param.name, name))?;
        let kind = param.kind();
        let is_of_it = |(other, _): &(ParamKind, u32)| is_of(*other, kind);
        (param.seen >= SETTLED_AFTER && param.kinds.iter().all(is_of_it)).then_some(kind)
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.sampled = self.sampled.saturating_add(other.sampled);
        for theirs in &other.known {
            match self.known.binary_search_by_key(&theirs.key, |param| param.key) {
                Ok(at) => {
                    let Some(mine) = self.known.get_mut(at) else { continue };
                    mine.seen = mine.seen.saturating_add(theirs.seen);
                    theirs.kinds.iter().for_each(|(kind, count)| mine.count_kind(*kind, *count));
                }
                Err(at) if self.known.len() < PARAMS_MAX => self.known.insert(at, theirs.clone()),
                Err(_) => {}
            }
        }
    }

    /// How much two endpoints take the same parameters: 1 for the same names, or none at all.
    pub(crate) fn likeness(&self, other: &Self) -> f32 {
        let both = self
            .known
            .iter()
            .filter(|mine| other.known.iter().any(|theirs| theirs.key == mine.key))
            .count();
        let either = self.known.len() + other.known.len() - both;
        if either == 0 { 1.0 } else { both as f32 / either as f32 }
    }

    fn note(&mut self, key: u64, field: &Field<'_>) {
        let at = match self.known.binary_search_by_key(&key, |param| param.key) {
            Ok(at) => at,
            Err(at) => {
                let Some(at) = self.make_room(at) else { return };
                let place = place_of(field.location());
                self.known.insert(
                    at,
                    Param { key, place, name: name_of(field).into(), seen: 0, kinds: Vec::new() },
                );
                at
            }
        };
        if let Some(param) = self.known.get_mut(at) {
            param.seen = param.seen.saturating_add(1);
            param.count_kind(kind_of(field), 1);
        }
    }

    /// Where a parameter that belongs at `at` can be inserted. A full table gives up the name seen
    /// least, if it was seen once only: a flood of names turns over one place and no more.
    fn make_room(&mut self, at: usize) -> Option<usize> {
        if self.known.len() < PARAMS_MAX {
            return Some(at);
        }
        let rarest = self.known.iter().position(|param| param.seen <= 1)?;
        self.known.remove(rarest);
        Some(if rarest < at { at - 1 } else { at })
    }
}

impl Param {
    fn count_kind(&mut self, kind: ParamKind, count: u32) {
        let has_room = self.kinds.len() < KINDS_MAX;
        match self.kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, mine)) => *mine = mine.saturating_add(count),
            None if has_room => self.kinds.push((kind, count)),
            None => {}
        }
    }

    /// The kind that covers what was seen: the most frequent, and text when none prevails.
    fn kind(&self) -> ParamKind {
        let total: u32 = self.kinds.iter().map(|(_, count)| *count).sum();
        match self.kinds.iter().max_by_key(|(kind, count)| (*count, *kind)) {
            Some((kind, count)) if *count >= total - total / 10 => *kind,
            Some((ParamKind::Integer | ParamKind::Decimal, _))
                if self
                    .kinds
                    .iter()
                    .all(|(kind, _)| matches!(kind, ParamKind::Integer | ParamKind::Decimal)) =>
            {
                ParamKind::Decimal
            }
            Some(_) => ParamKind::Text,
            None => ParamKind::Empty,
        }
    }
}

const PLACES: [ParamPlace; 4] =
    [ParamPlace::Path, ParamPlace::Query, ParamPlace::Form, ParamPlace::Json];

const fn place_of(location: Location) -> u8 {
    match location {
        Location::Query => 1,
        Location::Form => 2,
        Location::Json => 3,
    }
}

/// What a value looks like. One that is a secret by its name is nothing else.
fn kind_of(field: &Field<'_>) -> ParamKind {
    let value = field.value();
    match ParamKind::of(&value) {
        kind if !kind.is_secret() && redact::is_secret_name(&field.name()) => ParamKind::Secret,
        kind => kind,
    }
}

/// A number for place and path of a field, without building the path.
fn key_of(field: &Field<'_>) -> u64 {
    std::iter::successors(Some(*field), Field::parent).take(DEPTH_MAX).fold(
        u64::from(place_of(field.location())) | 0x5bd1_e995_0000_0000,
        |key, part| {
            let name = part.name_bytes();
            // Keys that are values themselves, as in maps by identifier, are one.
            let name = if is_value(name) { ANY_KEY.as_bytes() } else { name };
            name.iter().fold(key.rotate_left(9) ^ 0x2f, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            })
        },
    )
}

/// Stands in a path for any element of an array.
pub(crate) const ANY_ELEMENT: &str = "*";
/// Stands in a path for any key of a map whose keys are values.
pub(crate) const ANY_KEY: &str = "{key}";

/// Is a parameter that is known as `known` the one called `name`?
fn is_called(known: &str, name: &str) -> bool {
    if known == name {
        return true;
    }
    let is_part = |known: &str, part: &str| {
        let stands_for_any = known == ANY_ELEMENT || known == ANY_KEY;
        known == part || (stands_for_any && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (mut known, mut parts) = (known.split('.'), name.split('.'));
    loop {
        match (known.next(), parts.next()) {
            (None, None) => return true,
            (Some(known), Some(part)) if is_part(known, part) => {}
            _ => return false,
        }
    }
}

/// Is a value of `kind` one that a parameter of kind `of` has? Whole numbers are numbers.
pub(crate) fn is_of(kind: ParamKind, of: ParamKind) -> bool {
    kind == of || (kind, of) == (ParamKind::Integer, ParamKind::Decimal)
}

/// The path of a field: `order.items.*.price`. Dots within names are escaped by a backslash.
fn name_of(field: &Field<'_>) -> String {
    let mut parts: Vec<String> = std::iter::successors(Some(*field), Field::parent)
        .take(DEPTH_MAX)
        .filter(|part| part.parent().is_some() || !part.name_bytes().is_empty())
        .map(|part| match part.name_bytes() {
            [] => ANY_ELEMENT.to_owned(),
            name if is_value(name) => ANY_KEY.to_owned(),
            _ => cut(&part.name()).replace('\\', "\\\\").replace('.', "\\."),
        })
        .collect();
    parts.reverse();
    let mut name = parts.join(".");
    let mut end = name.len().min(PATH_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}

/// Whether a name is a value: then it may be a secret, and there is no end of them.
fn is_value(name: &[u8]) -> bool {
    name.len() > 64
        || (name.iter().any(u8::is_ascii_digit) || name.contains(&b'@'))
            && std::str::from_utf8(name).is_ok_and(|name| ParamKind::of(name).is_identifier())
}

#[cfg(test)]
mod tests;
