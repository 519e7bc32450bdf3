//! Routes: which requests a `match` names, and how the one that fits best is found.
//!
//! A pattern is a method and a path: `POST /v1/login`, `GET /v1/orders/{id}`, `/admin/*`. It is
//! matched against the decoded segments of a path, so that another spelling of the same path
//! (`//v1/%6cogin;x=1/`, `/v1%2Flogin`) does not escape it. The narrower pattern wins whatever the
//! order in the file: per segment a literal before a `{name}` before the rest `*`, then a method
//! before any method. A `GET` pattern covers `HEAD`, which reads the same thing.
//!
//! Many servers take `/V1/Login` for `/v1/login`, and which do is not known here. So a literal
//! stands for its other spellings, too, unless one of them has a route of its own. That gives
//! nothing away: whatever a route allows, everybody can ask for it as it is written.

use std::fmt;

use http::Method;
use traffic::path::SEGMENTS_MAX;
use traffic::{HashKey, Hasher, Path};

use crate::policy::nearest::nearest;
use crate::policy::value::Wrong;

/// The methods that a pattern may name (RFC 9110 §9, RFC 5789, RFC 10008 for `QUERY`).
const METHODS: [&str; 9] =
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"];

/// What a route's `match` says.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct RoutePattern {
    pieces: Vec<Piece>,
    /// Whether it ends in `*`: whatever follows, also nothing.
    has_rest: bool,
    method: Option<String>,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Piece {
    Literal(String),
    /// `{name}`, or `*` before the end: any one segment. Its name is for people.
    Any(AnyName),
}

/// The name of a parameter: two patterns that differ in it alone are the same.
#[derive(Clone, Debug, Eq)]
struct AnyName(String);

/// The routes of a site, for finding the best one.
#[derive(Clone, Debug, Default)]
pub(super) struct RouteIndex {
    nodes: Vec<Node>,
    /// How many literals each route has, by its number.
    literals: Vec<usize>,
}

/// One segment deeper with each child. Every node is reached by one sequence of pieces, so a
/// search visits no node twice and ends after as many steps as there are nodes.
#[derive(Clone, Debug, Default)]
struct Node {
    /// Sorted by segment.
    literals: Vec<(String, usize)>,
    /// The same, whatever the case of their letters.
    folded: Vec<(String, usize)>,
    any: Option<usize>,
    here: Ends,
    rest: Ends,
}

/// The routes that end at a node, by method.
#[derive(Clone, Debug, Default)]
struct Ends {
    by_method: Vec<(String, u16)>,
    any_method: Option<u16>,
}

// === impl RoutePattern ===

impl RoutePattern {
    /// Parses what stands behind `match`.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = |cause: &str, help: &str| Wrong {
            cause: format!("{text:?} {cause}"),
            help: help.to_owned(),
        };
        let mut words = text.split_whitespace();
        let (method, path) = match (words.next(), words.next(), words.next()) {
            (Some(path), None, _) if path.starts_with('/') => (None, path),
            (Some(method), Some(path), None) => (method_named(method, path)?, path),
            _ => {
                let help = "write a method and a path, as in \"POST /v1/login\" or \"/admin/*\"";
                return Err(wrong("is not a route", help));
            }
        };
        if !path.starts_with('/') {
            let help = match path.split_once("://") {
                Some(_) => "leave scheme and host out: the site names its hosts",
                None => "a path begins with a slash",
            };
            return Err(wrong("names no path", help));
        }
        if path.contains(['?', '#']) {
            return Err(wrong("has a query", "a route is a method and a path; leave the rest out"));
        }
        let decoded = Path::parse(path.as_bytes(), &Hasher::new(HashKey::new([0; 16])));
        let odd = decoded.anomalies();
        if odd.dot_segments || odd.bad_encoding || odd.not_utf8 || odd.control {
            let help = "write the path as it reads once decoded";
            return Err(wrong("is no path that a request can have", help));
        }
        let mut segments: Vec<&str> = decoded.segments().map(|segment| segment.text).collect();
        if segments.len() >= SEGMENTS_MAX {
            return Err(wrong("is too deep", "a path has fewer than 24 segments"));
        }
        let has_rest = segments.last() == Some(&"*");
        if has_rest {
            segments.pop();
        }
        let pieces = segments.into_iter().map(piece).collect::<Result<_, _>>()?;
        Ok(Self { pieces, has_rest, method })
    }
}

impl fmt::Display for RoutePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = &self.method {
            write!(f, "{method} ")?;
        }
        for piece in &self.pieces {
            match piece {
                // A slash inside of a segment is no end of it.
                Piece::Literal(text) => write!(f, "/{}", text.replace('/', "%2F"))?,
                Piece::Any(name) => write!(f, "/{{{}}}", name.0)?,
            }
        }
        match (self.has_rest, self.pieces.is_empty()) {
            (true, _) => f.write_str("/*"),
            (false, true) => f.write_str("/"),
            (false, false) => Ok(()),
        }
    }
}

impl PartialEq for AnyName {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Ord for AnyName {
    fn cmp(&self, _other: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl PartialOrd for AnyName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn method_named(word: &str, path: &str) -> Result<Option<String>, Wrong> {
    if matches!(word, "*" | "ANY") {
        return Ok(None);
    }
    if METHODS.contains(&word) {
        return Ok(Some(word.to_owned()));
    }
    let upper = word.to_ascii_uppercase();
    let help = match nearest(word, METHODS) {
        _ if METHODS.contains(&upper.as_str()) => format!("write \"{upper} {path}\""),
        Some(near) => format!("did you mean \"{near} {path}\"?"),
        None if word.contains([',', '|']) => "one route names one method, or none for all".into(),
        None => format!("methods are {}; leave it out for all", METHODS.join(", ")),
    };
    Err(Wrong { cause: format!("unknown method {word:?}"), help })
}

fn piece(segment: &str) -> Result<Piece, Wrong> {
    let wrong = |help: String| Wrong { cause: format!("{segment:?} is no segment"), help };
    if segment == "*" {
        return Ok(Piece::Any(AnyName("any".to_owned())));
    }
    let inside = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    if let Some(name) = inside {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        return match !name.is_empty() && name.chars().all(plain) {
            true => Ok(Piece::Any(AnyName(name.to_owned()))),
            false => Err(wrong("name a parameter with letters and digits, as in {id}".to_owned())),
        };
    }
    if segment == "**" {
        return Err(wrong("write one `*` at the end for everything below".to_owned()));
    }
    if segment.contains('*') {
        return Err(wrong("`*` stands for a whole segment".to_owned()));
    }
    if segment.contains(['{', '}']) {
        return Err(wrong("a parameter is a whole segment, as in /orders/{id}".to_owned()));
    }
    let foreign = segment
        .strip_prefix(':')
        .or_else(|| segment.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')));
    if let Some(name) = foreign {
        return Err(wrong(format!("write {{{name}}}")));
    }
    Ok(Piece::Literal(segment.to_owned()))
}

// === impl RouteIndex ===

impl RouteIndex {
    /// Indexes patterns, of which no two are equal, by their position.
    pub(super) fn new<'p>(patterns: impl IntoIterator<Item = &'p RoutePattern>) -> Self {
        let mut index = Self { nodes: vec![Node::default()], literals: Vec::new() };
        for (number, pattern) in (0_u16..).zip(patterns) {
            index.insert(pattern, number);
            let is_literal = |piece: &&Piece| matches!(piece, Piece::Literal(_));
            index.literals.push(pattern.pieces.iter().filter(is_literal).count());
        }
        index
    }

    /// The route that fits a request best.
    ///
    /// To some servers `/v1%2Flogin` is one segment, to others (WSGI, CGI) it is `/v1/login`. It is
    /// looked for as both, and the route with more literals counts.
    pub(super) fn find(&self, method: &Method, path: &Path) -> Option<u16> {
        let find =
            |path: &Path| self.find_below(0, method, path.segments().map(|segment| segment.text));
        let one = find(path);
        let Some(split) = path.as_split() else { return one };
        let other = find(split);
        let literals = |route: &u16| self.literals.get(usize::from(*route)).map(|count| count + 1);
        match one.as_ref().and_then(literals) < other.as_ref().and_then(literals) {
            true => other,
            false => one,
        }
    }

    /// Recurses once a segment: as deep as the deepest pattern, which is bounded.
    fn find_below<'p>(
        &self,
        node: usize,
        method: &Method,
        mut segments: impl Iterator<Item = &'p str> + Clone,
    ) -> Option<u16> {
        let node = self.nodes.get(node)?;
        let Some(segment) = segments.next() else {
            return node.here.find(method).or_else(|| node.rest.find(method));
        };
        let literal = node.literals.binary_search_by(|(text, _)| text.as_str().cmp(segment));
        let literal = literal.ok().and_then(|at| node.literals.get(at)).map(|(_, child)| *child);
        literal
            .into_iter()
            .chain(node.in_other_letters(segment))
            .chain(node.any)
            .find_map(|child| self.find_below(child, method, segments.clone()))
            .or_else(|| node.rest.find(method))
    }

    fn insert(&mut self, pattern: &RoutePattern, number: u16) {
        let mut at = 0;
        for piece in &pattern.pieces {
            at = self.child(at, piece);
        }
        let Some(node) = self.nodes.get_mut(at) else {
            return;
        };
        let ends = if pattern.has_rest { &mut node.rest } else { &mut node.here };
        match &pattern.method {
            Some(method) => ends.by_method.push((method.clone(), number)),
            None => ends.any_method = Some(number),
        }
    }

    fn child(&mut self, parent: usize, piece: &Piece) -> usize {
        let fresh = self.nodes.len();
        let Some(node) = self.nodes.get_mut(parent) else {
            return parent;
        };
        let child = match piece {
            Piece::Any(_) => *node.any.get_or_insert(fresh),
            Piece::Literal(text) => {
                match node.literals.binary_search_by(|(known, _)| known.cmp(text)) {
                    Ok(at) => node.literals.get(at).map_or(fresh, |(_, child)| *child),
                    Err(at) => {
                        node.literals.insert(at, (text.clone(), fresh));
                        let at = node.folded.partition_point(|(known, _)| {
                            is_before(known, text) || (!is_before(text, known) && known < text)
                        });
                        node.folded.insert(at, (text.clone(), fresh));
                        fresh
                    }
                }
            }
        };
        if child == fresh {
            self.nodes.push(Node::default());
        }
        child
    }
}

// === impl Node ===

impl Node {
    /// The children whose segment differs from `text` in the case of letters alone.
    fn in_other_letters<'t>(&'t self, text: &'t str) -> impl Iterator<Item = usize> + use<'t> {
        let from = self.folded.partition_point(|(known, _)| is_before(known, text));
        let alike = self.folded.get(from..).unwrap_or_default().iter();
        let alike = alike.take_while(move |(known, _)| known.eq_ignore_ascii_case(text));
        alike.filter(move |(known, _)| known != text).map(|(_, child)| *child)
    }
}

/// The order of segments whatever the case of their letters.
fn is_before(one: &str, other: &str) -> bool {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    one.bytes().map(lower).lt(other.bytes().map(lower))
}

// === impl Ends ===

impl Ends {
    fn find(&self, method: &Method) -> Option<u16> {
        let of = |name: &str| {
            self.by_method.iter().find(|(known, _)| known == name).map(|(_, number)| *number)
        };
        of(method.as_str())
            .or_else(|| if method == Method::HEAD { of("GET") } else { None })
            .or(self.any_method)
    }
}

#[cfg(test)]
mod tests;
