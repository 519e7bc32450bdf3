//! No text panics, and what is written in pieces of the language does not either.

use proptest::prelude::*;

use super::*;

const PIECES: [&str; 40] = [
    "SecRule ",
    "SecAction ",
    "SecMarker ",
    "SecDefaultAction ",
    "SecRuleRemoveById ",
    "SecRuleUpdateTargetById ",
    "SecRuleUpdateActionById ",
    "Include ",
    "ARGS",
    "XML:/*",
    "TX:/a/",
    "|",
    "!",
    "&",
    ":",
    "/",
    "'",
    "\"",
    "\\",
    "\n",
    "\\\n",
    " ",
    "#",
    ",",
    "@rx ",
    "@within ",
    "@pm ",
    "%{tx.a}",
    "%{",
    "}",
    "id:1",
    "chain",
    "deny",
    "phase:1",
    "t:none",
    "setvar:tx.a=+1",
    "ctl:ruleRemoveTargetById=1;ARGS:a",
    "(?!a)",
    "[",
    "\u{e9}",
];

proptest! {
    #[test]
    fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        let files: Texts = [("a", text)].into_iter().collect();
        let _ = RuleSet::load(&["a"], &files);
    }

    #[test]
    fn any_pieces(pieces in proptest::collection::vec(proptest::sample::select(&PIECES), 0..40)) {
        let files: Texts = [("a", pieces.concat())].into_iter().collect();
        if let Err(error) = RuleSet::load(&["a"], &files) {
            prop_assert!(!error.problems.is_empty());
        }
    }
}
