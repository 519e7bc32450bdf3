//! Where the values of an exchange stand that the sieve looks at.
//!
//! Variables share values: an argument of the query is one of `ARGS` and one of `ARGS_GET`. Each is
//! looked at once, for the rules of all variables that show it.

use crate::{
    rule::{Selector, Target},
    variable::Variable,
};

/// A list of values, or a variable of one value.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Part {
    QueryValues,
    QueryNames,
    PostValues,
    PostNames,
    PathValues,
    PathNames,
    Cookies,
    CookieNames,
    Files,
    FileFields,
    MultipartNames,
    MultipartHeaders,
    RequestHeaders,
    RequestHeaderNames,
    ResponseHeaders,
    ResponseHeaderNames,
    XmlTexts,
    XmlAttributes,
    /// A variable that has one value.
    Single(Variable),
}

impl Part {
    /// Where the values of a target stand, in their order; nothing when they are not those of the
    /// exchange itself, whatever rules did before.
    pub(crate) fn of(target: &Target) -> &'static [Self] {
        use Variable as V;
        if target.is_count {
            return &[];
        }
        match target.variable {
            V::Args => &[Self::QueryValues, Self::PostValues, Self::PathValues],
            V::ArgsNames => &[Self::QueryNames, Self::PostNames, Self::PathNames],
            V::ArgsGet => &[Self::QueryValues],
            V::ArgsGetNames => &[Self::QueryNames],
            V::ArgsPost => &[Self::PostValues],
            V::ArgsPostNames => &[Self::PostNames],
            V::ArgsPath => &[Self::PathValues],
            V::Files | V::MultipartFilename => &[Self::Files],
            V::FilesNames => &[Self::FileFields],
            V::MultipartName => &[Self::MultipartNames],
            V::MultipartPartHeaders => &[Self::MultipartHeaders],
            V::RequestCookies => &[Self::Cookies],
            V::RequestCookiesNames => &[Self::CookieNames],
            V::RequestHeaders => &[Self::RequestHeaders],
            V::RequestHeadersNames => &[Self::RequestHeaderNames],
            V::ResponseHeaders => &[Self::ResponseHeaders],
            V::ResponseHeadersNames => &[Self::ResponseHeaderNames],
            V::Xml if matches!(target.selector, Selector::XmlAttributes) => &[Self::XmlAttributes],
            V::Xml => &[Self::XmlTexts],
            V::QueryString => &[Self::Single(V::QueryString)],
            V::RequestBasename => &[Self::Single(V::RequestBasename)],
            V::RequestBody => &[Self::Single(V::RequestBody)],
            V::RequestFilename => &[Self::Single(V::RequestFilename)],
            V::RequestLine => &[Self::Single(V::RequestLine)],
            V::RequestMethod => &[Self::Single(V::RequestMethod)],
            V::RequestProtocol => &[Self::Single(V::RequestProtocol)],
            V::RequestUri => &[Self::Single(V::RequestUri)],
            V::RequestUriRaw => &[Self::Single(V::RequestUriRaw)],
            V::ResponseBody => &[Self::Single(V::ResponseBody)],
            _ => &[],
        }
    }

    /// A number of its own.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::QueryValues => 0,
            Self::QueryNames => 1,
            Self::PostValues => 2,
            Self::PostNames => 3,
            Self::PathValues => 4,
            Self::PathNames => 5,
            Self::Cookies => 6,
            Self::CookieNames => 7,
            Self::Files => 8,
            Self::FileFields => 9,
            Self::MultipartNames => 10,
            Self::MultipartHeaders => 11,
            Self::RequestHeaders => 12,
            Self::RequestHeaderNames => 13,
            Self::ResponseHeaders => 14,
            Self::ResponseHeaderNames => 15,
            Self::XmlTexts => 16,
            Self::XmlAttributes => 17,
            // There are fewer than 128 variables.
            Self::Single(variable) => 128 | variable as u8,
        }
    }
}
