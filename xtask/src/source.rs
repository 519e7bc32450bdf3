//! Rust text without its comments and literals, so that a rule that looks for words sees code only.
//!
//! A scanner, not a parser: it knows comments (nested ones too), string, byte-string, raw-string
//! and character literals, and nothing else of the language. Line numbers stay as they were.

/// Whether a file holds tests only, by its name: `tests.rs`, or anything in a folder `tests`.
pub(crate) fn is_test(path: &str) -> bool {
    path.split('/').any(|part| {
        let stem = part.strip_suffix(".rs").unwrap_or(part);
        stem == "tests" || stem.ends_with("_tests")
    })
}

/// `text` with comments and the insides of literals replaced by spaces; newlines stay.
pub(crate) fn code_only(text: &str) -> String {
    let mut scrub = Scrub { rest: text, code: String::with_capacity(text.len()) };
    while !scrub.rest.is_empty() {
        scrub.step();
    }
    scrub.code
}

/// `text` with the insides of its literals taken out, quotes and all; comments and newlines stay.
pub(crate) fn without_literals(text: &str) -> String {
    let mut scrub = Scrub { rest: text, code: String::with_capacity(text.len()) };
    while !scrub.rest.is_empty() {
        scrub.step_over_literals();
    }
    scrub.code
}

/// [`code_only`] text without the modules that stand behind `#[cfg(test)]`.
pub(crate) fn without_test_modules(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let (before, marked) = rest.split_at(at);
        kept.push_str(before);
        let length = item_length(marked);
        kept.extend(marked[..length].chars().filter(|&c| c == '\n'));
        rest = &marked[length..];
    }
    kept.push_str(rest);
    kept
}

/// Length in bytes of the item that begins here: up to its `;`, or to the brace that closes it.
pub(crate) fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    let mut brackets = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            ';' if depth == 0 && brackets == 0 => return at + 1,
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

struct Scrub<'t> {
    rest: &'t str,
    code: String,
}

impl Scrub<'_> {
    fn step(&mut self) {
        let comment = comment_length(self.rest);
        match comment.or_else(|| literal_length(self.rest, &self.code)) {
            Some(length) => self.replace(length, |c| if c == '\n' { c } else { ' ' }),
            None => self.keep(1),
        }
    }

    fn step_over_literals(&mut self) {
        if let Some(length) = comment_length(self.rest) {
            self.keep(length);
        } else if let Some(length) = literal_length(self.rest, &self.code) {
            let newlines = self.rest[..length].matches('\n').count();
            self.code.push_str(&"\n".repeat(newlines));
            self.rest = &self.rest[length..];
        } else {
            self.keep(1);
        }
    }

    /// Keeps at least `length` bytes, up to the end of a character.
    fn keep(&mut self, length: usize) {
        let end = (length..self.rest.len()).find(|&at| self.rest.is_char_boundary(at));
        let (kept, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.code.push_str(kept);
        self.rest = rest;
    }

    fn replace(&mut self, length: usize, by: impl Fn(char) -> char) {
        let (gone, rest) = self.rest.split_at(length);
        self.code.extend(gone.chars().map(by));
        self.rest = rest;
    }
}

fn comment_length(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    text.starts_with("/*").then(|| block_comment_length(text))
}

fn literal_length(text: &str, before: &str) -> Option<usize> {
    if text.starts_with('"') {
        return Some(quoted_length(text, '"'));
    }
    raw_string_length(text, before).or_else(|| character_length(text))
}

fn block_comment_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// `r"…"`, `r#"…"#` and so on, also behind `b` or `c`, unless an identifier ends in that letter.
fn raw_string_length(text: &str, before: &str) -> Option<usize> {
    if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let after_r = ["r", "br", "cr"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let hashes = after_r.bytes().take_while(|&b| b == b'#').count();
    let inside = after_r[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
    Some(text.len() - inside.len() + length)
}

fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// A character literal, as opposed to a lifetime.
fn character_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    if inside.starts_with('\\') {
        return Some(quoted_length(text, '\''));
    }
    let c = inside.chars().next()?;
    inside[c.len_utf8()..].starts_with('\'').then_some(2 + c.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_vanish_and_lines_stay() {
        let text =
            "let a = \"to//do\\\"\"; // tokio\n/* a /* b\n */ c */ let b: &'a str = r#\"x\"y\"#;";
        let code = code_only(text);
        assert_eq!(code.lines().count(), text.lines().count());
        for gone in ["to//do", "tokio", "b\n", "x\"y"] {
            assert!(!code.contains(gone), "{gone} is still in {code}");
        }
        assert!(code.contains("let b: &'a str ="), "{code}");
    }

    #[test]
    fn without_literals_the_comments_stay() {
        let text = "let a = \"é{\\\"\"; // it's \"so\"\nlet b = r#\"x\ny\"#;";
        assert_eq!(without_literals(text), "let a = ; // it's \"so\"\nlet b = \n;");
    }

    #[test]
    fn characters_are_literals_and_lifetimes_are_not() {
        let code = code_only("fn f<'a>(x: &'a str) { x.find('{'); x.find('\\''); b'\"'; }");
        assert_eq!(code.matches('{').count(), 1, "{code}");
        assert!(code.contains("<'a>"));
    }

    #[test]
    fn test_modules_are_cut_out() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { tokio() } }\nfn c() {}\n\
                    #[cfg(test)]\nmod more;\nfn d() {}";
        let kept = without_test_modules(code);
        assert!(!kept.contains("tokio") && !kept.contains("more"), "{kept}");
        assert!(kept.contains("fn c()") && kept.contains("fn d()"), "{kept}");
        assert_eq!(kept.lines().count(), code.lines().count());
    }
}
