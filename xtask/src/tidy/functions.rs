//! How long functions are, found by their braces.
//!
//! Works on text without comments and literals; it does not know macros, whose bodies count with
//! the function around them.

use crate::source::item_length;

/// A function that is too long.
pub(crate) struct LongFunction {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// Functions of more than `lines_max` lines, from `fn` to the closing brace, in order.
pub(crate) fn longer_than(code: &str, lines_max: usize) -> Vec<LongFunction> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let begins_word = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let after = &code[at + 3..];
        let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !begins_word || name.is_empty() {
            continue;
        }
        let lines = code[at..at + item_length(&code[at..])].lines().count();
        if lines > lines_max {
            found.push(LongFunction { name, line: code[..at].matches('\n').count() + 1, lines });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_function_is_found_with_its_line() {
        let body = "    work();\n".repeat(9);
        let code = format!("fn short() {{}}\n\nfn long(\n    f: fn(u8) -> u8,\n) {{\n{body}}}\n");
        let found = longer_than(&code, 10);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.as_str(), found[0].line, found[0].lines), ("long", 3, 13));
    }

    #[test]
    fn a_declaration_without_body_is_not_long() {
        let code = format!("trait T {{\nfn a(x: [u8; 3]);\n{}}}", "\n".repeat(90));
        assert!(longer_than(&code, 70).is_empty());
    }
}
