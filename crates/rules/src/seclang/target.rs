//! What a rule looks at: `ARGS|REQUEST_HEADERS:Referer|!ARGS:/^x_/|&TX:score`.
//!
//! Targets are separated by `|` or `,`. Behind a `:` stands a name, or a pattern between `/` (any
//! case of letters, as in ModSecurity), either of them in `'…'` where it holds a separator. For
//! `XML` it is one of the two paths that rule sets use: `/*`, all text, and `//@*`, the attributes.

use crate::{
    rule::{Selector, Target, Targets},
    variable::{Shape, Variable},
};

use super::{context::Context, error::Reason};

/// Variables of others that there are not here, and why.
const ELSEWHERE: [(&str, &str); 12] = [
    ("PERF_ALL", "it tells of the engine, not of the exchange"),
    ("REMOTE_USER_ID", "it is not SecLang's; write USERID"),
    ("SCRIPT_BASENAME", "there is no script behind a gateway"),
    ("SCRIPT_FILENAME", "there is no script behind a gateway"),
    ("SCRIPT_GID", "there is no script behind a gateway"),
    ("SCRIPT_GROUPNAME", "there is no script behind a gateway"),
    ("SCRIPT_MODE", "there is no script behind a gateway"),
    ("SCRIPT_UID", "there is no script behind a gateway"),
    ("SCRIPT_USERNAME", "there is no script behind a gateway"),
    ("STREAM_INPUT_BODY", "bodies are not rewritten; write REQUEST_BODY"),
    ("STREAM_OUTPUT_BODY", "bodies are not rewritten; write RESPONSE_BODY"),
    ("WEBSERVER_ERROR_LOG", "it is Apache's"),
];

/// The targets of a list, in order.
pub(super) fn targets(list: &[u8], context: &mut Context<'_>) -> Result<Targets, Reason> {
    let mut targets = Targets::default();
    for piece in split(list)? {
        let (is_excluded, piece) = match piece.trim_ascii().strip_prefix(b"!") {
            Some(piece) => (true, piece),
            None => (false, piece.trim_ascii()),
        };
        let target = target(piece.trim_ascii(), context)?;
        if !is_excluded {
            targets.included.push(target);
        } else if target.is_count {
            let piece = piece.escape_ascii();
            return Err(Reason::new(format!("!{piece}: a count cannot be excluded")));
        } else {
            targets.excluded.push(target);
        }
    }
    if targets.included.is_empty() && targets.excluded.is_empty() {
        return Err(Reason::new("there is no variable to look at"));
    }
    Ok(targets)
}

/// The pieces between separators that are neither in quotes nor within a pattern.
fn split(list: &[u8]) -> Result<Vec<&[u8]>, Reason> {
    let mut pieces = Vec::new();
    let mut rest = list;
    loop {
        let end = end_of_piece(rest)?;
        let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, b""));
        pieces.push(piece);
        match after.split_first() {
            Some((_, after)) => rest = after,
            None => return Ok(pieces),
        }
    }
}

fn end_of_piece(text: &[u8]) -> Result<usize, Reason> {
    let is_separator = |byte: &u8| matches!(byte, b'|' | b',');
    let plain = text.iter().position(is_separator).unwrap_or(text.len());
    let Some(colon) = text.iter().take(plain).position(|byte| *byte == b':') else {
        return Ok(plain);
    };
    let (variable, selector) = text.split_at_checked(colon + 1).unwrap_or_default();
    let is_xml = variable.trim_ascii_start().trim_ascii_start().ends_with(b":")
        && is_xml(variable.strip_suffix(b":").unwrap_or_default());
    let opened = match selector.first() {
        Some(b'\'') => b'\'',
        Some(b'/') if !is_xml => b'/',
        _ => return Ok(plain),
    };
    let Some(closed) = closing(selector, opened) else {
        let text = text.escape_ascii();
        return Err(Reason::new(format!("{text}: what begins with {} has no end", opened as char)));
    };
    let behind = selector.get(closed + 1..).unwrap_or_default();
    match behind.iter().position(is_separator).unwrap_or(behind.len()) {
        0 => Ok(colon + 1 + closed + 1),
        more if behind.iter().take(more).all(u8::is_ascii_whitespace) => {
            Ok(colon + 1 + closed + 1 + more)
        }
        _ => Err(Reason::new(format!("{}: text behind the selector", text.escape_ascii()))),
    }
}

fn is_xml(variable: &[u8]) -> bool {
    let name = variable.trim_ascii();
    let name = name.strip_prefix(b"!").or(name.strip_prefix(b"&")).unwrap_or(name);
    name.trim_ascii().eq_ignore_ascii_case(b"XML")
}

/// Where the selector that begins with `opened` ends: at the same byte again, not escaped.
fn closing(selector: &[u8], opened: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        match selector.get(at)? {
            b'\\' => at += 2,
            byte if *byte == opened => return Some(at),
            _ => at += 1,
        }
    }
}

fn target(piece: &[u8], context: &mut Context<'_>) -> Result<Target, Reason> {
    let (is_count, piece) = match piece.strip_prefix(b"&") {
        Some(piece) => (true, piece.trim_ascii()),
        None => (false, piece),
    };
    let colon = piece.iter().position(|byte| *byte == b':');
    let (name, selector) = match colon {
        Some(at) => (piece.get(..at).unwrap_or_default(), piece.get(at + 1..)),
        None => (piece, None),
    };
    let name = String::from_utf8_lossy(name);
    let variable = Variable::named(&name).ok_or_else(|| absent(&name))?;
    let selector = match selector {
        None => Selector::All,
        Some(_) if variable.shape() == Shape::Single => {
            let text = format!("{name} is one value and has no parts to select");
            return Err(Reason::new(text));
        }
        Some(selector) if variable == Variable::Xml => xml(selector)?,
        Some(selector) => named(variable, selector, context)?,
    };
    Ok(Target { variable, selector, is_count })
}

fn absent(name: &str) -> Reason {
    match ELSEWHERE.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        Some((known, why)) => Reason::new(format!("there is no variable {known} here: {why}")),
        None if name.is_empty() => Reason::new("a variable is missing"),
        None => Reason::unknown("variable", name, Variable::names()),
    }
}

fn xml(selector: &[u8]) -> Result<Selector, Reason> {
    match selector {
        b"/*" => Ok(Selector::XmlTexts),
        b"//@*" => Ok(Selector::XmlAttributes),
        _ => {
            let path = selector.escape_ascii();
            Err(Reason::new(format!("XML:{path}: of XPath, only /* and //@* are supported")))
        }
    }
}

fn named(
    variable: Variable,
    selector: &[u8],
    context: &mut Context<'_>,
) -> Result<Selector, Reason> {
    let selector = unquoted(selector);
    let inner = selector.strip_prefix(b"/").and_then(|inner| inner.strip_suffix(b"/"));
    if let Some(pattern) = inner {
        let pattern = [b"(?i)", pattern].concat();
        let compiled = context.pattern(&pattern)?;
        let regex = compiled.regex().ok_or_else(|| {
            Reason::new("a selector's pattern cannot look around or refer to a group")
        })?;
        return Ok(Selector::Pattern(regex));
    }
    if selector.is_empty() {
        return Err(Reason::new(format!("{}: there is no name behind the colon", variable.name())));
    }
    let (key, slot) = context.key(variable, &selector);
    Ok(Selector::Key { key, slot })
}

/// Without the quotes around it, and without the `\` of `\'` and `\\` within them.
fn unquoted(selector: &[u8]) -> Vec<u8> {
    let Some(inner) = selector.strip_prefix(b"'").and_then(|text| text.strip_suffix(b"'")) else {
        return selector.to_vec();
    };
    let mut text = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((first, after)) = rest.split_first() {
        match (first, after.split_first()) {
            (b'\\', Some((escaped @ (b'\'' | b'\\'), after))) => {
                text.push(*escaped);
                rest = after;
            }
            _ => {
                text.push(*first);
                rest = after;
            }
        }
    }
    text
}
