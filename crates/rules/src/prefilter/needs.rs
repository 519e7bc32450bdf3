//! What a value must have for a test to hold for it.
//!
//! What an operator says depends on the value alone, unless its argument has macros.

use super::literal::{self, ByAlphabet, Needs};
use crate::{
    byte_set::ByteSet,
    injection,
    operator::{Encoding, Operator, Relation},
    rule::Test,
};

/// What the test needs; nothing when it cannot be sieved.
pub(super) fn needs(test: &Test) -> Option<ByAlphabet<Needs>> {
    let literal = |text: &[u8]| Needs {
        literals: (text.len() > 1).then(|| [text.to_ascii_lowercase()].into()),
        length_min: text.len(),
        ..Needs::default()
    };
    let bytes = |sets: &[ByteSet]| Needs { bytes: sets.to_vec(), ..Needs::default() };
    if test.operator.macros().is_some() {
        return None;
    }
    // What must be absent is not needed.
    if test.is_negated {
        return Some(Default::default());
    }
    let any = match &test.operator {
        Operator::Rx(pattern) => return Some(literal::needs(pattern.wider())),
        Operator::Phrases(phrases) => {
            let all = phrases.list().iter().map(|it| it.to_ascii_lowercase());
            let is_long = phrases.list().iter().all(|it| it.len() > 1);
            Needs { literals: is_long.then(|| all.collect()), ..Needs::default() }
        }
        Operator::Text(text) => match (text.relation(), text.fixed()) {
            (Relation::Within, _) | (_, None) => Needs::default(),
            (_, Some(text)) => literal(text),
        },
        Operator::ByteRange(range) => bytes(&[range.allowed().complement()]),
        // Markup needs a tag, or the value of an attribute.
        Operator::DetectXss => bytes(&[ByteSet::of(b"<=")]),
        Operator::DetectSqli => bytes(&injection::SQLI_NEEDS),
        Operator::Encoding(Encoding::Url) => bytes(&[ByteSet::of(b"%")]),
        Operator::Encoding(Encoding::Utf8) => bytes(&[ByteSet::range(0x80, 0xff)]),
        _ => Needs::default(),
    };
    Some([any.clone(), any])
}
