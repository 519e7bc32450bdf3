//! A rule's operator: `@rx pattern`, `!@within %{tx.methods}`, or a pattern alone.

use crate::{
    operator::{Operator, OperatorError},
    template::{Template, holds_macro},
};

use super::{context::Context, error::Reason, files::Beside, macros::template};

/// An operator as a rule has it.
pub(super) struct Question {
    pub(super) is_negated: bool,
    pub(super) operator: Operator,
    /// The argument, when it holds macros.
    pub(super) argument: Option<Template>,
}

/// The question of a rule's second argument.
pub(super) fn question(text: &[u8], context: &mut Context<'_>) -> Result<Question, Reason> {
    let text = text.trim_ascii_start();
    let (is_negated, text) = match text.strip_prefix(b"!") {
        Some(text) => (true, text.trim_ascii_start()),
        None => (false, text),
    };
    let (name, argument) = match text.strip_prefix(b"@") {
        Some(text) => {
            let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
            let (name, argument) = text.split_at_checked(end).unwrap_or_default();
            (String::from_utf8_lossy(name).into_owned(), argument.trim_ascii_start())
        }
        None => ("rx".to_owned(), text),
    };
    let operator = operator(&name, argument, is_negated, context)?;
    let argument = match operator.macros() {
        Some(text) => Some(template(text, context)?),
        None => None,
    };
    Ok(Question { is_negated, operator, argument })
}

fn operator(
    name: &str,
    argument: &[u8],
    is_negated: bool,
    context: &mut Context<'_>,
) -> Result<Operator, Reason> {
    if Operator::takes_pattern(name) {
        if holds_macro(argument) {
            return Ok(Operator::with_macros(name, argument)?);
        }
        let pattern = context.pattern(argument)?;
        return Ok(Operator::with_pattern(name, pattern)?);
    }
    if let Some(unanswered) = Operator::unanswered(name) {
        if is_negated {
            let text = format!(
                "@{name} asks a service, which nobody does here, so that \
                !@{name} would always hold"
            );
            return Err(Reason::new(text));
        }
        context.note(format!("@{name} asks a service, which nobody does here: it never holds"));
        return Ok(unanswered);
    }
    let file = context.source.file.clone();
    let files = Beside { file: &file, files: context.files };
    Operator::parse(name, argument, &files).map_err(|error| match error {
        OperatorError::Unknown(_) => {
            let reason = Reason::unknown("operator", name, Operator::names());
            Reason { suggestion: reason.suggestion.map(|near| format!("@{near}")), ..reason }
        }
        error => error.into(),
    })
}
