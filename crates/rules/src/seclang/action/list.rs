//! A list of actions, taken apart into names and values.

use crate::seclang::error::Reason;

/// An action's name, and its value when it has one.
type Named = (String, Option<Vec<u8>>);

/// The names, and their values where they have one, without quotes and the blanks around them.
pub(super) fn split(list: &[u8]) -> Result<Vec<Named>, Reason> {
    let mut actions = Vec::new();
    let mut rest = list.trim_ascii();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| matches!(byte, b',' | b':')).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end).unwrap_or_default();
        let name = String::from_utf8_lossy(name.trim_ascii()).into_owned();
        if name.is_empty() {
            return Err(Reason::new("the name of an action is missing"));
        }
        let value = match after.split_first() {
            Some((b':', after)) => {
                let (value, after) = value(after.trim_ascii_start(), &name)?;
                rest = after;
                Some(value)
            }
            _ => {
                rest = after;
                None
            }
        };
        actions.push((name, value));
        // A comma at the end of the list is forgiven, as it is everywhere.
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
    }
    Ok(actions)
}

/// The value at the start, and what follows it: nothing or a comma.
fn value<'a>(text: &'a [u8], name: &str) -> Result<(Vec<u8>, &'a [u8]), Reason> {
    let Some(inner) = text.strip_prefix(b"'") else {
        let end = text.iter().position(|byte| *byte == b',').unwrap_or(text.len());
        let (value, after) = text.split_at_checked(end).unwrap_or_default();
        return Ok((value.trim_ascii_end().to_vec(), after));
    };
    let mut value = Vec::new();
    let mut rest = inner;
    loop {
        match rest {
            [] => return Err(Reason::new(format!("the quotation behind {name}: has no end"))),
            [b'\\', b'\'', after @ ..] => {
                value.push(b'\'');
                rest = after;
            }
            [b'\'', after @ ..] => {
                let after = after.trim_ascii_start();
                if after.first().is_some_and(|byte| *byte != b',') {
                    let text = format!("there is text behind the quotation of {name}:");
                    return Err(Reason::new(text));
                }
                return Ok((value, after));
            }
            [byte, after @ ..] => {
                value.push(*byte);
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_commas_and_escaped_quotes() {
        let shown = |list: &str| match split(list.as_bytes()) {
            Ok(actions) => {
                let pairs = actions.into_iter().map(|(name, value)| match value {
                    Some(value) => format!("{name}={}", String::from_utf8_lossy(&value)),
                    None => name,
                });
                pairs.collect::<Vec<_>>().join(" | ")
            }
            Err(reason) => reason.to_string(),
        };
        for (list, expected) in [
            ("id:1,pass", "id=1 | pass"),
            (" id : '1' , pass , ", "id=1 | pass"),
            ("msg:'it\\'s, is it?',t:none", "msg=it's, is it? | t=none"),
            ("msg:'',log", "msg= | log"),
            ("msg:a 'b' c,log", "msg=a 'b' c | log"),
            ("logdata:'a\\b: %{x}:y'", "logdata=a\\b: %{x}:y"),
            ("setvar:tx.a=b:c,log", "setvar=tx.a=b:c | log"),
            ("msg:'a", "the quotation behind msg: has no end"),
            ("msg:'a'b", "there is text behind the quotation of msg:"),
            ("id:1,,pass", "the name of an action is missing"),
            (":1", "the name of an action is missing"),
            ("", ""),
        ] {
            assert_eq!(shown(list), expected, "{list}");
        }
    }
}
