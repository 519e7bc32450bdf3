//! `setvar`, `expirevar`, `initcol` and their kin.

use crate::{
    action::{Assignment, Change, Effect},
    template::Template,
    variable::Variable,
};

use super::{
    context::Context,
    error::Reason,
    macros::{key_template, template},
};

/// Collections that outlast an exchange.
const PERSISTENT: [Variable; 5] =
    [Variable::Global, Variable::Ip, Variable::Resource, Variable::Session, Variable::User];

/// `tx.name`, `tx.name=value`, `tx.name=+1`, `tx.name=-1`, `!tx.name`.
pub(super) fn set(value: &[u8], context: &mut Context<'_>) -> Result<Effect, Reason> {
    let (is_unset, value) = match value.strip_prefix(b"!") {
        Some(value) => (true, value),
        None => (false, value),
    };
    let (name, value) = cut(value, b'=');
    let (collection, key) = place("setvar", name, context)?;
    if collection != Variable::Tx && !PERSISTENT.contains(&collection) {
        let text = format!("setvar cannot write to {}", collection.name());
        return Err(Reason::new(text));
    }
    let change = match (is_unset, value) {
        (true, None) => Change::Unset,
        (true, Some(_)) => return Err(Reason::new("setvar with ! takes no value")),
        (false, None) => Change::Set(Template::text(b"1")),
        (false, Some([b'+', value @ ..])) => Change::Add(template(value, context)?),
        (false, Some([b'-', value @ ..])) => Change::Subtract(template(value, context)?),
        (false, Some(value)) => Change::Set(template(value, context)?),
    };
    let slot = match key.fixed() {
        Some(name) if collection == Variable::Tx => context.tx_names.intern(name),
        _ => None,
    };
    Ok(Effect::SetVariable(Assignment { collection, key, slot, change }))
}

/// `ip.name=60`.
pub(super) fn expire(value: &[u8], context: &mut Context<'_>) -> Result<Effect, Reason> {
    let (name, seconds) = cut(value, b'=');
    let (collection, key) = place("expirevar", name, context)?;
    let Some(seconds) = seconds else {
        return Err(Reason::new("expirevar needs a number of seconds behind ="));
    };
    if collection == Variable::Tx {
        context.note("expirevar has no effect on TX, which ends with its exchange");
    } else if !PERSISTENT.contains(&collection) {
        let text = format!("nothing in {} outlasts an exchange", collection.name());
        return Err(Reason::new(text));
    }
    Ok(Effect::ExpireVariable { collection, key, seconds: template(seconds, context)? })
}

/// `initcol:ip=%{remote_addr}`.
pub(super) fn open(value: &[u8], context: &mut Context<'_>) -> Result<Effect, Reason> {
    let (name, key) = cut(value, b'=');
    let name = String::from_utf8_lossy(name.trim_ascii());
    let known = PERSISTENT.into_iter().find(|it| it.name().eq_ignore_ascii_case(&name));
    let Some(collection) = known else {
        let known = PERSISTENT.into_iter().map(Variable::name);
        return Err(Reason::unknown("persistent collection", &name, known));
    };
    match key {
        Some(key) if !key.is_empty() => {
            Ok(Effect::OpenCollection { collection, key: template(key, context)? })
        }
        _ => Err(Reason::new("initcol needs to know behind = which collection to open")),
    }
}

/// `setsid`, `setuid` and `setrsc`.
pub(super) fn open_named(
    name: &str,
    value: &[u8],
    context: &mut Context<'_>,
) -> Result<Effect, Reason> {
    let collection = match name {
        "setsid" => Variable::Session,
        "setuid" => Variable::User,
        _ => Variable::Resource,
    };
    Ok(Effect::OpenCollection { collection, key: template(value, context)? })
}

/// `setenv:name=value`.
pub(super) fn environment(value: &[u8], context: &mut Context<'_>) -> Result<Effect, Reason> {
    let (name, value) = cut(value, b'=');
    if name.is_empty() || name.starts_with(b"!") {
        return Err(Reason::new("setenv takes a name, and behind = its value"));
    }
    let value = template(value.unwrap_or(b"1"), context)?;
    Ok(Effect::SetEnvironment { name: name.into(), value })
}

/// What stands before the first `at`, and what behind it.
fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    let place = text.iter().position(|byte| *byte == at);
    let split = place.and_then(|place| text.split_at_checked(place));
    match split {
        Some((before, behind)) => (before, behind.get(1..)),
        None => (text, None),
    }
}

/// `collection.name`; macros may stand in the name.
fn place(
    action: &str,
    text: &[u8],
    context: &mut Context<'_>,
) -> Result<(Variable, Template), Reason> {
    let shown = text.escape_ascii();
    let (collection, key) = cut(text.trim_ascii(), b'.');
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        let text = format!("{action}:{shown}: it takes a collection and a name, as in tx.score");
        return Err(Reason::new(text));
    };
    let name = String::from_utf8_lossy(collection);
    let Some(collection) = Variable::named(&name) else {
        return Err(Reason::unknown("collection", &name, Variable::names()));
    };
    Ok((collection, key_template(key, context)?))
}
