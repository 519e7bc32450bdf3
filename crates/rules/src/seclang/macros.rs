//! From text with `%{…}` to a template.
//!
//! A macro is a variable, and behind a `.` (or `:`) the name of one of its values. What only looks
//! like a macro (`%{}`, `%{a b}`) is text; a macro of a variable that does not exist is an error.

use crate::{
    template::{Macro, Piece, Template, macro_at},
    variable::{Shape, Variable},
};

use super::{context::Context, error::Reason};

/// The template of a text.
pub(super) fn template(text: &[u8], context: &mut Context<'_>) -> Result<Template, Reason> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut plain = Vec::new();
    while let Some((first, after)) = rest.split_first() {
        match macro_at(rest) {
            Some((name, after)) => {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain).into()));
                }
                pieces.push(Piece::Macro(named(name, context)?));
                rest = after;
            }
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain.into()));
    }
    Ok(Template { pieces })
}

/// The template of a name within a collection, in small letters.
pub(super) fn key_template(text: &[u8], context: &mut Context<'_>) -> Result<Template, Reason> {
    let mut template = template(text, context)?;
    for piece in &mut template.pieces {
        if let Piece::Text(text) = piece {
            text.make_ascii_lowercase();
        }
    }
    Ok(template)
}

fn named(name: &str, context: &mut Context<'_>) -> Result<Macro, Reason> {
    let (variable, key) = match name.split_once(['.', ':']) {
        Some((variable, key)) => (variable, Some(key)),
        None => (name, None),
    };
    let Some(found) = Variable::named(variable) else {
        return Err(Reason::unknown("variable", variable, Variable::names()));
    };
    let Some(key) = key else {
        return Ok(Macro { variable: found, key: None, slot: None });
    };
    if found.shape() == Shape::Single {
        let text = format!("%{{{name}}}: {} is one value and has no parts", found.name());
        return Err(Reason::new(text));
    }
    let (key, slot) = context.key(found, key.as_bytes());
    Ok(Macro { variable: found, key: Some(key), slot })
}
