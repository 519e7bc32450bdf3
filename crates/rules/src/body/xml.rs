//! XML as the texts and attribute values that rules ask for: `XML:/*` and `XML://@*`.
//!
//! One pass over the bytes, no tree. A text runs from tag to tag: CDATA, comments and processing
//! instructions between do not end it, since a server behind us sees one text there, too. Both
//! readings of `XML:/*` in use are to be had: each text trimmed, as Coraza gives them and as CRS 4
//! is written for ([`Xml::texts`]), and all of them as one string, as libmodsecurity does
//! ([`Xml::whole_text`]).
//!
//! There is no DTD here and never will be. A document type declaration is kept as it stands for
//! rules to look at, an internal subset is a fault, and no entity but the five predefined ones and
//! characters by number is expanded: nothing is fetched, and nothing grows.

mod reader;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use thiserror::Error;

use super::limits::Limits;

/// An XML body as its texts and attribute values.
#[derive(Clone, Debug, Default)]
pub struct Xml<'a> {
    /// Each text between two tags, decoded, as it stands; texts of nothing but blanks included.
    runs: Vec<Cow<'a, [u8]>>,
    /// The value of each attribute, decoded: `XML://@*`.
    pub attributes: Vec<Cow<'a, [u8]>>,
    /// The names that declarations of namespaces give (`xmlns:x="…"`), which are no attributes to
    /// XPath; a rule may want them all the same.
    pub namespaces: Vec<Cow<'a, [u8]>>,
    /// The document type declaration, from `<!DOCTYPE` to its `>`.
    pub doctype: Option<&'a [u8]>,
    /// The first fault: `REQBODY_ERROR_MSG`.
    pub fault: Option<XmlFault>,
    /// What was not read, because of a fault or a bound.
    pub unread: &'a [u8],
}

/// What is wrong with an XML body.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum XmlFault {
    /// Longer than [`Limits::body_bytes_max`].
    #[error("XML body longer than the limit")]
    TooLong,
    /// More texts and attributes than [`Limits::arguments_max`].
    #[error("more XML texts and attributes than the limit")]
    TooMany,
    /// Deeper than [`Limits::xml_depth_max`].
    #[error("XML nested deeper than the limit")]
    TooDeep,
    /// UTF-16, UTF-32 or another encoding in which ASCII characters are other bytes.
    #[error("XML in an encoding that is not read")]
    Encoding,
    /// The document type declaration has an internal subset, where entities are declared.
    #[error("XML with an internal document type subset")]
    InternalSubset,
    /// An entity that XML does not predefine; kept as it stands.
    #[error("XML refers to an unknown entity")]
    UnknownEntity,
    /// It ends in the middle.
    #[error("XML ends too early")]
    Truncated,
    /// An end tag without its start tag.
    #[error("XML end tag does not match")]
    MismatchedTag,
    /// No document, text outside of it, or a second one.
    #[error("XML has not exactly one root element")]
    Root,
    /// Markup that is none.
    #[error("XML is malformed")]
    Malformed,
}

/// Reads an XML body. An empty one has no texts and no fault.
#[must_use]
pub fn parse<'a>(body: &'a [u8], limits: &Limits) -> Xml<'a> {
    let (raw, beyond) = limits.split(body);
    let mut xml = reader::read(raw, limits);
    if !beyond.is_empty() {
        xml.fault = Some(XmlFault::TooLong);
    }
    xml.unread = body.get(raw.len() - xml.unread.len()..).unwrap_or_default();
    xml
}

impl<'a> Xml<'a> {
    /// The texts, without the blanks around them; those that are all blank are left out.
    pub fn texts(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.runs.iter().map(|run| run.trim_ascii()).filter(|text| !text.is_empty())
    }

    /// All texts as one, with the blanks between them: an attack may be spread over elements.
    #[must_use]
    pub fn whole_text(&self) -> Cow<'a, [u8]> {
        match self.runs.as_slice() {
            [] => Cow::default(),
            [run] => run.clone(),
            runs => Cow::Owned(runs.concat()),
        }
    }
}
