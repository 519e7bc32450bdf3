//! `beginsWith`, `contains`, `endsWith`, `streq`, `strmatch` and `within`: bytes against bytes.
//!
//! Case counts. An empty text is in every text, so `within` holds for an empty value.

use memchr::memmem::{self, Finder};

use super::argument::Argument;

/// How the value is to stand to the argument.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Relation {
    /// The value begins with the argument.
    BeginsWith,
    /// The argument is somewhere in the value.
    Contains,
    /// The value ends with the argument.
    EndsWith,
    /// They are the same.
    Equals,
    /// The value is somewhere in the argument.
    Within,
}

/// A relation to a text.
#[derive(Clone, Debug)]
pub struct TextTest {
    relation: Relation,
    /// Boxed: the searcher's tables would make every operator as large as they are.
    argument: Argument<Box<Finder<'static>>>,
}

impl TextTest {
    pub(super) fn new(relation: Relation, argument: &[u8]) -> Self {
        let prepare = |text: &[u8]| Box::new(Finder::new(text).into_owned());
        Self { relation, argument: Argument::new(argument, prepare) }
    }

    /// The same with what its macros expand to; nothing when that looks like a macro itself.
    pub(super) fn settled(&self, text: &[u8]) -> Option<Self> {
        let settled = Self::new(self.relation, text);
        settled.fixed().is_some().then_some(settled)
    }

    /// How the value is to stand to the argument.
    #[must_use]
    pub fn relation(&self) -> Relation {
        self.relation
    }

    /// The text, unless macros make it.
    #[must_use]
    pub fn fixed(&self) -> Option<&[u8]> {
        match &self.argument {
            Argument::Fixed(finder) => Some(finder.needle()),
            Argument::Macro(_) => None,
        }
    }

    pub(super) fn macros(&self) -> Option<&[u8]> {
        self.argument.macros()
    }

    pub(super) fn matches(&self, value: &[u8], expanded: &[u8]) -> bool {
        let text = self.fixed().unwrap_or(expanded);
        match (self.relation, &self.argument) {
            (Relation::BeginsWith, _) => value.starts_with(text),
            (Relation::Contains, Argument::Fixed(finder)) => finder.find(value).is_some(),
            (Relation::Contains, Argument::Macro(_)) => memmem::find(value, text).is_some(),
            (Relation::EndsWith, _) => value.ends_with(text),
            (Relation::Equals, _) => value == text,
            (Relation::Within, _) => memmem::find(text, value).is_some(),
        }
    }
}
