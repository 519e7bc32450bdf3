//! What a rule asks of a value.
//!
//! One variant for each operator or close family, each family in a file of its own. An operator is
//! prepared once, when its rule is loaded, so that a request only runs it; only an argument with
//! macros is read anew for each request, from its expanded bytes. Negation belongs to the rule.
//!
//! `@rx` and the operators that check the digits of what a pattern finds take a compiled pattern:
//! turning ModSecurity's patterns into ours is a concern of its own. Operators that would ask a
//! service outside (`geoLookup`, `rbl`) or run a program are errors here, each with its reason.
//!
//! Invariant: running an operator takes time linear in the value and in its argument.

mod argument;
mod capture;
mod check_digit;
mod data_file;
mod error;
mod network;
pub(crate) mod number;
mod phrases;
mod rx;
mod text;
mod validate;
mod word;

use crate::{injection, pattern::Pattern, work::Work};

pub use argument::Argument;
pub use capture::Captures;
pub(crate) use capture::GROUPS;
pub use check_digit::{CheckDigit, Scheme};
pub use data_file::{DataFileError, DataFiles};
pub use error::OperatorError;
pub use network::Networks;
pub use number::{Comparison, NumberTest};
pub use phrases::Phrases;
pub use rx::MacroPattern;
pub use text::{Relation, TextTest};
pub use validate::{ByteRange, Encoding};
pub use word::WordTest;

/// A question about one value.
#[derive(Clone, Debug)]
pub enum Operator {
    /// `validateByteRange`: has the value a byte outside the set?
    ByteRange(ByteRange),
    /// `verifyCC`, `verifyCPF`, `verifySSN`, `verifySVNR`: does the pattern find a number whose
    /// check digits are right?
    CheckDigit(CheckDigit),
    /// `detectSQLi`: would the value change the meaning of an SQL statement?
    DetectSqli,
    /// `detectXSS`: would the value run a script in an HTML page?
    DetectXss,
    /// `validateUrlEncoding`, `validateUtf8Encoding`: is the encoding broken?
    Encoding(Encoding),
    /// `ipMatch`, `ipMatchFromFile`: is the value an address of these networks?
    Networks(Networks),
    /// `noMatch`: never.
    Never,
    /// `eq`, `ge`, `gt`, `le`, `lt`.
    Number(NumberTest),
    /// `pm`, `pmFromFile`: does any of the phrases occur, in any case of ASCII letters?
    Phrases(Phrases),
    /// `rx`: does the pattern match?
    Rx(Pattern),
    /// `rx` with macros in its pattern.
    RxMacros(MacroPattern),
    /// `beginsWith`, `contains`, `endsWith`, `streq`, `strmatch`, `within`.
    Text(TextTest),
    /// `geoLookup` or `rbl` where the caller has accepted that nobody is asked: never.
    Unanswered(&'static str),
    /// `unconditionalMatch`: always.
    Unconditional,
    /// `containsWord`.
    Word(WordTest),
}

/// Operators whose argument is a pattern.
const PATTERNED: [(&str, Option<Scheme>); 5] = [
    ("rx", None),
    ("verifyCC", Some(Scheme::Luhn)),
    ("verifyCPF", Some(Scheme::Cpf)),
    ("verifySSN", Some(Scheme::Ssn)),
    ("verifySVNR", Some(Scheme::Svnr)),
];

/// What the detectors take for each byte at most, beyond looking at it.
const SQLI_WORK: usize = 16;
const XSS_WORK: usize = 8;

/// Operators that ask a service, which old rule sets name behind switches that are off.
const SERVICES: [&str; 2] = ["geoLookup", "rbl"];

/// Operators of ModSecurity and Coraza that there are not here, and why.
const ELSEWHERE: [(&str, &str); 13] = [
    ("fuzzyHash", "it compares uploaded files, which are not kept"),
    ("geoLookup", "it needs a database of countries, which is not read"),
    ("gsbLookup", "it needs a service that no longer exists"),
    ("inspectFile", "it runs a program for each request"),
    ("ipMatchFromDataset", "data sets are Coraza's; write @ipMatchFromFile"),
    ("pmFromDataset", "data sets are Coraza's; write @pmFromFile"),
    ("rbl", "it asks a name server about each request"),
    ("restpath", "it is Coraza's; write the path as a pattern of @rx"),
    ("rsub", "it rewrites what passes through"),
    ("validateDTD", "document type definitions are not read"),
    ("validateHash", "it needs links that were signed on the way out"),
    ("validateNid", "it is Coraza's; write the number as a pattern of @rx"),
    ("validateSchema", "XML schemas are not read"),
];

/// The other operators.
const PLAIN: [&str; 21] = [
    "beginsWith",
    "contains",
    "containsWord",
    "endsWith",
    "eq",
    "ge",
    "gt",
    "ipMatch",
    "ipMatchFromFile",
    "le",
    "lt",
    "noMatch",
    "pm",
    "pmFromFile",
    "streq",
    "strmatch",
    "unconditionalMatch",
    "validateByteRange",
    "validateUrlEncoding",
    "validateUtf8Encoding",
    "within",
];

impl Operator {
    /// The names of all operators, without their `@`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PLAIN.into_iter().chain(PATTERNED.into_iter().map(|(name, _)| name))
    }

    /// Is the argument of the operator of that name a pattern, for [`Self::with_pattern`]?
    #[must_use]
    pub fn takes_pattern(name: &str) -> bool {
        PATTERNED.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// The operator of that name with its pattern, already compiled.
    ///
    /// # Errors
    /// When there is no operator of that name that takes a pattern.
    pub fn with_pattern(name: &str, pattern: Pattern) -> Result<Self, OperatorError> {
        let known = PATTERNED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        match known {
            Some((_, None)) => Ok(Self::Rx(pattern)),
            Some((_, Some(scheme))) => {
                let Some(regex) = pattern.regex() else {
                    let reason = "its pattern cannot look around".to_owned();
                    return Err(OperatorError::invalid(name, pattern.source(), reason));
                };
                Ok(Self::CheckDigit(CheckDigit::new(*scheme, regex)))
            }
            None => Err(OperatorError::Unknown(name.to_owned())),
        }
    }

    /// The operator of that name with a pattern that holds macros.
    ///
    /// # Errors
    /// When the operator is not `rx`: the others read their patterns once.
    pub fn with_macros(name: &str, pattern: &[u8]) -> Result<Self, OperatorError> {
        if name.eq_ignore_ascii_case("rx") {
            return Ok(Self::RxMacros(MacroPattern::new(pattern)));
        }
        let reason = "its pattern cannot hold macros".to_owned();
        Err(OperatorError::invalid(name, pattern, reason))
    }

    /// The operator of that name, in any case of letters and without its `@`, with its argument as
    /// the rule has it.
    ///
    /// # Errors
    /// When the operator is not known or not supported, takes a pattern, or its argument or a file
    /// that the argument names cannot be read.
    pub fn parse(
        name: &str,
        argument: &[u8],
        files: &dyn DataFiles,
    ) -> Result<Self, OperatorError> {
        let invalid = |reason| OperatorError::invalid(name, argument, reason);
        Ok(match name.to_ascii_lowercase().as_str() {
            "beginswith" => Self::Text(TextTest::new(Relation::BeginsWith, argument)),
            "contains" | "strmatch" => Self::Text(TextTest::new(Relation::Contains, argument)),
            "containsword" => Self::Word(WordTest::new(argument)),
            "detectsqli" => Self::DetectSqli,
            "detectxss" => Self::DetectXss,
            "endswith" => Self::Text(TextTest::new(Relation::EndsWith, argument)),
            "eq" => Self::Number(NumberTest::new(Comparison::Eq, argument)),
            "ge" => Self::Number(NumberTest::new(Comparison::Ge, argument)),
            "gt" => Self::Number(NumberTest::new(Comparison::Gt, argument)),
            "ipmatch" => Self::Networks(Networks::parse(argument).map_err(invalid)?),
            "ipmatchf" | "ipmatchfromfile" => {
                let text = data_file::entries(argument, files)?.join(&b","[..]);
                Self::Networks(Networks::parse(&text).map_err(invalid)?)
            }
            "le" => Self::Number(NumberTest::new(Comparison::Le, argument)),
            "lt" => Self::Number(NumberTest::new(Comparison::Lt, argument)),
            "nomatch" => Self::Never,
            "pm" => Self::Phrases(Phrases::parse(argument).map_err(invalid)?),
            "pmf" | "pmfromfile" => {
                let phrases = data_file::entries(argument, files)?;
                Self::Phrases(Phrases::new(phrases).map_err(invalid)?)
            }
            "streq" => Self::Text(TextTest::new(Relation::Equals, argument)),
            "unconditionalmatch" => Self::Unconditional,
            "validatebyterange" => Self::ByteRange(ByteRange::parse(argument).map_err(invalid)?),
            "validateurlencoding" => Self::Encoding(Encoding::Url),
            "validateutf8encoding" => Self::Encoding(Encoding::Utf8),
            "within" => Self::Text(TextTest::new(Relation::Within, argument)),
            _ => return Err(absent(name)),
        })
    }

    /// The operator of that name as one that never matches, if it asks a service: for a caller that
    /// loads rules which name it all the same, and says so to its user. Such a rule must not negate
    /// it: it would match everything.
    #[must_use]
    pub fn unanswered(name: &str) -> Option<Self> {
        let known = SERVICES.iter().find(|known| known.eq_ignore_ascii_case(name));
        known.map(|known| Self::Unanswered(known))
    }

    /// The argument with its macros, which are to be expanded for each request; nothing when it
    /// has none.
    #[must_use]
    pub fn macros(&self) -> Option<&[u8]> {
        match self {
            Self::Number(test) => test.macros(),
            Self::RxMacros(pattern) => Some(pattern.macros()),
            Self::Text(test) => test.macros(),
            Self::Word(test) => test.macros(),
            _ => None,
        }
    }

    /// The operator with what its macros expand to, where that is certain and makes another.
    pub(crate) fn settled(&self, text: &[u8]) -> Option<Self> {
        match self {
            Self::RxMacros(pattern) => pattern.expanded(text).map(Self::Rx),
            Self::Text(test) => test.settled(text).map(Self::Text),
            _ => None,
        }
    }

    /// Does `value` satisfy the operator? `expanded` is what [`Self::macros`] expanded to, and is
    /// not looked at without macros.
    #[must_use]
    pub fn matches(&self, value: &[u8], expanded: &[u8]) -> bool {
        self.matches_within(value, expanded, &mut Work::unlimited())
    }

    /// The same as far as `work` allows, which grows by what it costs besides a look at each byte.
    /// When it is over, the answer means nothing.
    pub(crate) fn matches_within(&self, value: &[u8], expanded: &[u8], work: &mut Work) -> bool {
        match self {
            Self::ByteRange(range) => range.matches(value),
            Self::CheckDigit(check) => check.find(value).is_some(),
            Self::DetectSqli => {
                work.spend(value.len().saturating_mul(SQLI_WORK));
                injection::sqli(value).is_some()
            }
            Self::DetectXss => {
                work.spend(value.len().saturating_mul(XSS_WORK));
                injection::xss(value)
            }
            Self::Encoding(encoding) => encoding.is_broken(value),
            Self::Networks(networks) => networks.contain(value),
            Self::Never | Self::Unanswered(_) => false,
            Self::Number(test) => test.matches(value, expanded),
            Self::Phrases(phrases) => phrases.occur(value),
            Self::Rx(pattern) => pattern.is_match_within(value, work),
            Self::RxMacros(pattern) => {
                let pattern = pattern.expanded(expanded);
                pattern.is_some_and(|pattern| pattern.is_match_within(value, work))
            }
            Self::Text(test) => test.matches(value, expanded),
            Self::Unconditional => true,
            Self::Word(test) => test.matches(value, expanded),
        }
    }

    /// As [`Self::matches`], and writes down what was found where: the groups of a pattern, the
    /// first phrase, the number, the fingerprint of SQL injection. Without a match, or where an
    /// operator finds nothing in particular, `captures` is empty. Of a pattern only the first
    /// `groups` groups are found out, the whole match being the first: more than one takes longer.
    #[must_use]
    pub fn capture(
        &self,
        value: &[u8],
        expanded: &[u8],
        groups: usize,
        captures: &mut Captures,
    ) -> bool {
        captures.clear();
        let found = match self {
            Self::Rx(pattern) => return captures.read(pattern, value, groups),
            Self::RxMacros(pattern) => {
                let pattern = pattern.expanded(expanded);
                return pattern.is_some_and(|pattern| captures.read(&pattern, value, groups));
            }
            Self::CheckDigit(check) => check.find(value),
            Self::DetectSqli => {
                let fingerprint = injection::sqli(value);
                captures.set_fingerprint(fingerprint);
                return fingerprint.is_some();
            }
            Self::DetectXss => injection::xss(value).then_some(0..value.len()),
            Self::Phrases(phrases) => phrases.find(value),
            _ => return self.matches(value, expanded),
        };
        let matched = found.is_some();
        captures.set(0, found);
        matched
    }
}

fn absent(name: &str) -> OperatorError {
    if Operator::takes_pattern(name) {
        return OperatorError::NeedsPattern(name.to_owned());
    }
    match ELSEWHERE.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        Some((known, reason)) => OperatorError::Unsupported { name: known, reason },
        None => OperatorError::Unknown(name.to_owned()),
    }
}

#[cfg(test)]
mod tests;
