//! The named values of an exchange: headers, cookies, arguments, files, and what a body holds.
//!
//! Each list is in the order in which its values were sent, duplicates included.

use super::store::Span;
use crate::{body::multipart::Flags, prefilter::Part, variable::Variable};

/// A named value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Field {
    pub(super) name: Span,
    pub(super) value: Span,
}

impl Field {
    /// The half of it that a variable shows.
    pub(super) const fn shown(&self, side: Side) -> Span {
        match side {
            Side::Value => self.value,
            Side::Name => self.name,
        }
    }
}

/// A file of a multipart body.
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    /// The name of its field.
    pub(super) name: Span,
    pub(super) content: Span,
}

/// Every list of named values.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) request_headers: Vec<Field>,
    pub(super) cookies: Vec<Field>,
    /// Those of the query, then those of the body.
    pub(super) arguments: Vec<Field>,
    /// How many of them are of the query.
    pub(super) query_arguments: usize,
    /// Those that the caller took from the path.
    pub(super) path_arguments: Vec<Field>,
    /// `FILES`: the file names by the names of their fields.
    pub(super) filenames: Vec<Field>,
    pub(super) files: Vec<File>,
    pub(super) part_names: Vec<Field>,
    pub(super) part_headers: Vec<Field>,
    pub(super) xml_texts: Vec<Span>,
    pub(super) xml_attributes: Vec<Span>,
    pub(super) response_headers: Vec<Field>,
    pub(super) environment: Vec<Field>,
    /// Of the multipart body, and whether it is odd at all.
    pub(super) multipart: Flags,
    pub(super) multipart_is_odd: bool,
}

/// Which half of a named value a variable shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    Value,
    Name,
}

impl Fields {
    /// Forgets everything and keeps the room.
    pub(super) fn clear(&mut self) {
        self.request_headers.clear();
        self.cookies.clear();
        self.arguments.clear();
        self.query_arguments = 0;
        self.path_arguments.clear();
        self.filenames.clear();
        self.files.clear();
        self.part_names.clear();
        self.part_headers.clear();
        self.xml_texts.clear();
        self.xml_attributes.clear();
        self.response_headers.clear();
        self.environment.clear();
        self.multipart = Flags::default();
        self.multipart_is_odd = false;
    }

    /// About the bytes of memory that it keeps: what else an exchange keeps grows with this.
    pub(super) const fn room(&self) -> usize {
        let fields = self.arguments.capacity() + self.request_headers.capacity();
        let fields = fields + self.cookies.capacity() + self.part_headers.capacity();
        let spans = self.xml_texts.capacity() + self.xml_attributes.capacity();
        fields * size_of::<Field>() + spans * size_of::<Span>()
    }

    /// The values of a part that is such a list, and the half of them that is looked at.
    pub(super) fn part(&self, part: Part) -> Option<(&[Field], Side)> {
        let (query, posted) =
            self.arguments.split_at_checked(self.query_arguments).unwrap_or((&[], &[]));
        Some(match part {
            Part::QueryValues => (query, Side::Value),
            Part::QueryNames => (query, Side::Name),
            Part::PostValues => (posted, Side::Value),
            Part::PostNames => (posted, Side::Name),
            Part::PathValues => (&self.path_arguments, Side::Value),
            Part::PathNames => (&self.path_arguments, Side::Name),
            Part::Cookies => (&self.cookies, Side::Value),
            Part::CookieNames => (&self.cookies, Side::Name),
            Part::Files => (&self.filenames, Side::Value),
            Part::FileFields => (&self.filenames, Side::Name),
            Part::MultipartNames => (&self.part_names, Side::Name),
            Part::MultipartHeaders => (&self.part_headers, Side::Value),
            Part::RequestHeaders => (&self.request_headers, Side::Value),
            Part::RequestHeaderNames => (&self.request_headers, Side::Name),
            Part::ResponseHeaders => (&self.response_headers, Side::Value),
            Part::ResponseHeaderNames => (&self.response_headers, Side::Name),
            Part::XmlTexts | Part::XmlAttributes | Part::Single(_) => return None,
        })
    }

    /// The values of a part that have no names.
    pub(super) fn xml(&self, part: Part) -> Option<&[Span]> {
        match part {
            Part::XmlTexts => Some(&self.xml_texts),
            Part::XmlAttributes => Some(&self.xml_attributes),
            _ => None,
        }
    }

    /// The values of a variable that are such a list, or two, and the half that it shows.
    pub(super) fn list(&self, variable: Variable) -> Option<(&[Field], &[Field], Side)> {
        use Variable as V;
        let (query, posted) =
            self.arguments.split_at_checked(self.query_arguments).unwrap_or((&[], &[]));
        let (first, second, side): (&[Field], &[Field], Side) = match variable {
            V::Args => (&self.arguments, &self.path_arguments, Side::Value),
            V::ArgsNames => (&self.arguments, &self.path_arguments, Side::Name),
            V::ArgsGet => (query, &[], Side::Value),
            V::ArgsGetNames => (query, &[], Side::Name),
            V::ArgsPost => (posted, &[], Side::Value),
            V::ArgsPostNames => (posted, &[], Side::Name),
            V::ArgsPath => (&self.path_arguments, &[], Side::Value),
            V::Env => (&self.environment, &[], Side::Value),
            V::Files | V::MultipartFilename => (&self.filenames, &[], Side::Value),
            V::FilesNames => (&self.filenames, &[], Side::Name),
            V::MultipartName => (&self.part_names, &[], Side::Name),
            V::MultipartPartHeaders => (&self.part_headers, &[], Side::Value),
            V::RequestCookies => (&self.cookies, &[], Side::Value),
            V::RequestCookiesNames => (&self.cookies, &[], Side::Name),
            V::RequestHeaders => (&self.request_headers, &[], Side::Value),
            V::RequestHeadersNames => (&self.request_headers, &[], Side::Name),
            V::ResponseHeaders => (&self.response_headers, &[], Side::Value),
            V::ResponseHeadersNames => (&self.response_headers, &[], Side::Name),
            _ => return None,
        };
        Some((first, second, side))
    }
}
