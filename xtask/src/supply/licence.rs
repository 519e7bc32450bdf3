//! SPDX licence expressions: is there a choice that we may take?
//!
//! `OR` needs one side, `AND` both; an exception (`WITH …`) only ever grants more, so it is passed
//! over. The old `/` of crate manifests is an `OR`.

use std::collections::BTreeSet;

/// Whether `terms` can be met with licences from `allowed` alone.
pub(crate) fn allowed(terms: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = terms.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut expression = Expression { words: &words, allowed };
    let met = expression.any();
    met && expression.words.is_empty()
}

struct Expression<'e> {
    words: &'e [&'e str],
    allowed: &'e BTreeSet<String>,
}

impl<'e> Expression<'e> {
    fn any(&mut self) -> bool {
        let mut met = self.every();
        while self.take("OR") {
            met |= self.every();
        }
        met
    }

    fn every(&mut self) -> bool {
        let mut met = self.one();
        while self.take("AND") {
            met &= self.one();
        }
        met
    }

    fn one(&mut self) -> bool {
        if self.take("(") {
            let met = self.any();
            return self.take(")") && met;
        }
        let Some(licence) = self.next() else {
            return false;
        };
        if self.take("WITH") {
            self.next();
        }
        self.allowed.contains(licence)
    }

    fn next(&mut self) -> Option<&'e str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_spdx_does() {
        let ours = BTreeSet::from(["MIT".to_owned(), "ISC".to_owned(), "Apache-2.0".to_owned()]);
        for met in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/GPL-2.0",
            "MIT AND (ISC OR GPL-3.0)",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(allowed(met, &ours), "{met}");
        }
        for unmet in ["GPL-3.0", "MIT AND GPL-3.0", "(GPL-3.0 OR AGPL-3.0) AND MIT", "MIT MIT", ""]
        {
            assert!(!allowed(unmet, &ours), "{unmet}");
        }
    }
}
