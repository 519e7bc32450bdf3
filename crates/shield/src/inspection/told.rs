//! How a match is told: which rule, in which field, and what stood there, without its secrets.

use rules::engine::{Hit, Matched};
use rules::variable::Variable;
use traffic::event::EventRule;
use traffic::{Hasher, ParamKind, redact, scrub};

/// So much of a match is shown.
const SHOWN_CHARS_MAX: usize = 120;
/// No number, identifier or date is longer.
const TYPED_BYTES_MAX: usize = 48;
/// So many names of a rule are shown: CWE, CVE, OWASP.
const NAMES_MAX: usize = 6;

/// A match as an event tells it.
pub(super) fn told(hit: &Hit<'_>, hasher: &Hasher) -> EventRule {
    // What a later link of a chain looks at is what an earlier one found.
    let is_own = |it: &Matched<'_>| !is_derived(it.variable);
    let matched = hit.matches().find(is_own).or_else(|| hit.matches().next());
    let (field, found) = matched.map_or_else(Default::default, |it| shown(&it, hasher));
    let names = hit.tags().filter(|tag| is_name(tag)).take(NAMES_MAX);
    EventRule {
        id: hit.rule.id,
        message: hit.message().map(|text| plain(text, hasher)).unwrap_or_default(),
        field,
        found,
        severity: hit.rule.about.severity.map(|severity| format!("{severity:?}").to_lowercase()),
        names: names.map(|tag| String::from_utf8_lossy(tag).into_owned()).collect(),
        quotes: None,
    }
}

/// Did the rule match in nothing but what stands for secrets?
pub(super) fn is_of_hashes(hit: &Hit<'_>) -> bool {
    let mut matches = hit.matches().peekable();
    matches.peek().is_some() && matches.all(|matched| redact::holds_redacted(matched.value))
}

/// The arguments in which a rule found something, by the names that the catalog has for them, and
/// the kinds of their values; nothing when it looked at anything else, too.
pub(super) fn arguments_of(hit: &Hit<'_>) -> Vec<(String, ParamKind)> {
    let mut arguments = Vec::new();
    for it in hit.matches().filter(|it| !is_derived(it.variable)) {
        let is_value =
            matches!(it.variable, Variable::Args | Variable::ArgsGet | Variable::ArgsPost);
        if !is_value || it.is_count || it.value.len() > TYPED_BYTES_MAX {
            return Vec::new();
        }
        let name = String::from_utf8_lossy(it.name);
        let name = name.strip_prefix("json.").unwrap_or(&name).to_owned();
        // Rules see values in small letters, of which times have none.
        let value = String::from_utf8_lossy(it.value).to_ascii_uppercase();
        let kind = match value.as_str() {
            "TRUE" | "FALSE" => ParamKind::Bool,
            value => ParamKind::of(value),
        };
        arguments.push((name, kind));
    }
    let is_all = hit.matches().count() == hit.matched();
    if is_all { arguments } else { Vec::new() }
}

/// The field and what was found in it. The value of a field that holds a secret is not shown.
fn shown(matched: &Matched<'_>, hasher: &Hasher) -> (String, String) {
    let name = plain(matched.name, hasher);
    let variable = matched.variable.name();
    let field = if name.is_empty() { variable.to_owned() } else { format!("{variable}:{name}") };
    let span = matched.found.clone().and_then(|found| matched.value.get(found));
    let text = span.filter(|span| !span.is_empty()).unwrap_or(matched.value);
    let is_secret = redact::is_secret_name(&name)
        || name.split(['.', '[', ']', ':', '/']).any(redact::is_secret_name);
    let found = match matched.variable {
        _ if is_secret => format!("{} bytes of a secret", text.len()),
        Variable::RequestCookies => format!("{} bytes of a cookie", text.len()),
        // A secret may stand in place of it; what was found is shown as part of the whole.
        Variable::RequestMethod => {
            redact::method(&String::from_utf8_lossy(matched.value)).to_owned()
        }
        // These hold fields of every name, passwords among them.
        Variable::RequestUri | Variable::RequestUriRaw => {
            cut(&scrub::target(&String::from_utf8_lossy(text), hasher))
        }
        Variable::FullRequest
        | Variable::QueryString
        | Variable::RequestBody
        | Variable::RequestLine
        | Variable::Xml
        | Variable::ResponseBody => format!("{} bytes", text.len()),
        // What the rule went by may be a word of it, and the rest of a password.
        _ if matched.found.is_none() => plain(masked(text).as_bytes(), hasher),
        _ => plain(text, hasher),
    };
    (field, found)
}

/// A value of which nobody says what was found in it: its marks, short words, and the words of
/// attacks, which are no secrets.
fn masked(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let mut shown = String::with_capacity(text.len());
    let mut rest: &str = &text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = match is_word(first) {
            true => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            false => rest.find(is_word).unwrap_or(rest.len()),
        };
        let (piece, after) = rest.split_at(end);
        let is_shown = !is_word(first)
            || piece.chars().count() <= SHORT_WORD_CHARS
            || WORDS_OF_ATTACKS.split(' ').any(|word| word.eq_ignore_ascii_case(piece));
        shown.push_str(if is_shown { piece } else { "…" });
        rest = after;
    }
    shown
}

/// Words that say nothing of anybody.
const SHORT_WORD_CHARS: usize = 3;
/// What attacks on databases and pages are written with.
const WORDS_OF_ATTACKS: &str = "alert begin benchmark between case cast char concat convert \
    database declare delay delete drop else exec execute exists false from group having html \
    iframe information_schema insert into javascript like limit load_file null onerror onload \
    order outfile pg_sleep script select shutdown sleep table then true union update waitfor where";

/// Is it what rules found or wrote, not what the caller sent?
const fn is_derived(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::MatchedVar
            | Variable::MatchedVarName
            | Variable::MatchedVars
            | Variable::MatchedVarsNames
            | Variable::Tx
    )
}

/// Bytes as one line of text that shows no secret.
fn plain(bytes: &[u8], hasher: &Hasher) -> String {
    let text = String::from_utf8_lossy(bytes);
    cut(&redact::text(&text, hasher))
}

fn cut(text: &str) -> String {
    let shown = text.chars().take(SHOWN_CHARS_MAX);
    let mut line: String = shown.flat_map(visible).collect();
    if text.chars().count() > SHOWN_CHARS_MAX {
        line.push('…');
    }
    line
}

/// A character as it may stand in a line on a terminal.
fn visible(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_default());
    let itself = (!character.is_control()).then_some(character);
    escaped.into_iter().flatten().chain(itself)
}

/// Is it a name that others know the attack by?
fn is_name(tag: &[u8]) -> bool {
    [&b"CVE-"[..], b"CWE-", b"OWASP-API", b"OWASP_CRS/", b"capec/", b"attack-"]
        .iter()
        .any(|prefix| tag.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_value_without_a_span_its_form_is_shown() {
        for (value, shown) in [
            ("hunter2horse' OR 1=1 --", "…' OR 1=1 --"),
            ("x' UNION SELECT pass_word FROM staff", "x' UNION SELECT … FROM …"),
            ("-1 or sleep(5)", "-1 or sleep(5)"),
            ("größe's", "…'s"),
            ("", ""),
        ] {
            assert_eq!(masked(value.as_bytes()), shown, "{value}");
        }
    }
}
