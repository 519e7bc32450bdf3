//! Classes of sensitive data.

use serde::{Deserialize, Serialize};

/// A class of sensitive data.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each variant is the class it prints")]
pub enum DataClass {
    Email,
    Card,
    Iban,
    Jwt,
    Key,
}

/// A set of [`DataClass`]es.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct DataClasses(u16);

// === impl DataClasses ===

impl DataClasses {
    /// Adds `class`.
    pub fn insert(&mut self, class: DataClass) {
        self.0 |= 1 << class as u16;
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The classes, in the order of their definition.
    pub fn iter(self) -> impl Iterator<Item = DataClass> {
        DataClass::ALL.into_iter().filter(move |class| self.0 & (1 << *class as u16) != 0)
    }
}

impl DataClass {
    /// All classes.
    pub const ALL: [Self; 5] = [Self::Email, Self::Card, Self::Iban, Self::Jwt, Self::Key];

    /// The word in output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Jwt => "jwt",
            Self::Key => "key",
        }
    }
}
