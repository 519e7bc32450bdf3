//! The heads of an exchange, taken apart into variables.

use super::{
    fields::Field,
    program::Program,
    state::State,
    store::{Source, Span},
};
use crate::{
    action::BodyProcessor,
    body::{Arguments, cookies, urlencoded},
    variable::Variable,
};

impl State {
    /// The request line as it was sent, and its parts.
    pub(super) fn read_line(
        &mut self,
        program: &Program,
        line: &[u8],
        method: &[u8],
        uri: &[u8],
        protocol: &[u8],
    ) {
        self.keep_single(Variable::RequestLine, line);
        self.keep_single(Variable::RequestMethod, method);
        let raw = self.keep_single(Variable::RequestUriRaw, uri);
        let protocol = if protocol.is_empty() { b"HTTP/0.9" } else { protocol };
        self.keep_single(Variable::RequestProtocol, protocol);
        let uri_end = memchr::memchr(b'#', uri).unwrap_or(uri.len());
        let start = self.read_authority(uri, raw);
        let path_end = memchr::memchr(b'?', uri.get(start..uri_end).unwrap_or_default());
        let path_end = path_end.map_or(uri_end, |length| start + length);
        self.singles.set(Variable::RequestUri, raw.part(start, uri_end));
        self.read_path(uri.get(start..path_end).unwrap_or_default());
        let query_start = (path_end + 1).min(uri_end);
        let query = raw.part(query_start, uri_end);
        self.singles.set(Variable::QueryString, query);
        self.read_query(program, uri.get(query_start..uri_end).unwrap_or_default(), query);
    }

    /// Of a target in absolute form (RFC 9112, 3.2.2) the authority, which is the server's name;
    /// where the path begins.
    fn read_authority(&mut self, uri: &[u8], raw: Span) -> usize {
        let Some(colon) = memchr::memmem::find(uri, b"://") else { return 0 };
        let scheme = uri.get(..colon).unwrap_or_default();
        let is_scheme = !scheme.is_empty() && scheme.iter().all(u8::is_ascii_alphanumeric);
        if !is_scheme {
            return 0;
        }
        let start = colon + 3;
        let rest = uri.get(start..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        let end = start + length.unwrap_or(rest.len());
        let name = host_name(uri.get(start..end).unwrap_or_default());
        self.singles.set(Variable::ServerName, raw.part(start, start + name.len()));
        end
    }

    /// The path, decoded once, and its last segment.
    fn read_path(&mut self, path: &[u8]) {
        let name = self.store.keep_with(|kept| {
            let _ = urlencoded::decode_into(path, b'+', kept);
        });
        let decoded = self.store.bytes(name);
        let last = decoded.iter().rposition(|byte| matches!(byte, b'/' | b'\\'));
        let basename = last.map_or(name, |slash| name.part(slash + 1, name.length as usize));
        self.singles.set(Variable::RequestFilename, name);
        self.singles.set(Variable::PathInfo, name);
        self.singles.set(Variable::RequestBasename, basename);
    }

    fn read_query(&mut self, program: &Program, query: &[u8], place: Span) {
        if query.is_empty() {
            return;
        }
        let separator = program.set.settings.argument_separator;
        let form = urlencoded::parse(query, separator, &program.limits);
        if form.invalid_escapes > 0 {
            self.keep_single(Variable::UrlencodedError, b"1");
        }
        self.add_arguments(&form.arguments, query, place);
        self.fields.query_arguments = self.fields.arguments.len();
    }

    /// Adds arguments that were read from `raw`, which stands at `place`.
    pub(super) fn add_arguments(&mut self, arguments: &Arguments<'_>, raw: &[u8], place: Span) {
        for argument in arguments.iter() {
            let name = self.span_in(raw, place, argument.name);
            let value = self.span_in(raw, place, argument.value);
            self.fields.arguments.push(Field { name, value });
        }
    }

    /// Where `part` stands: within `raw`, which stands at `place`, or in what is kept from now on.
    pub(super) fn span_in(&mut self, raw: &[u8], place: Span, part: &[u8]) -> Span {
        let start = (part.as_ptr() as usize).wrapping_sub(raw.as_ptr() as usize);
        match start.checked_add(part.len()) {
            // The bytes are compared with themselves only in a debug build.
            Some(end) if end <= raw.len() => {
                debug_assert_eq!(raw.get(start..end), Some(part));
                place.part(start, end)
            }
            _ => self.store.keep(part),
        }
    }

    /// A header of the request.
    pub(super) fn read_header(&mut self, program: &Program, name: &[u8], value: &[u8]) {
        let field = Field { name: self.store.keep(name), value: self.store.keep(value) };
        if name.eq_ignore_ascii_case(b"content-type") {
            // A second one must not change how the body is read: servers look at the first.
            if !self.has_header(b"content-type")
                && let Some(processor) = processor_for(value)
            {
                self.set_processor(processor);
            }
        } else if name.eq_ignore_ascii_case(b"cookie") {
            let cookies = cookies::parse(value, &program.limits);
            for cookie in cookies.iter() {
                let name = self.span_in(value, field.value, cookie.name);
                let value = self.span_in(value, field.value, cookie.value);
                self.fields.cookies.push(Field { name, value });
            }
        } else if name.eq_ignore_ascii_case(b"host")
            && self.singles.get(Variable::ServerName).is_none()
        {
            let host = host_name(value).len();
            self.singles.set(Variable::ServerName, field.value.part(0, host));
        }
        self.fields.request_headers.push(field);
    }

    fn has_header(&self, name: &[u8]) -> bool {
        let mut headers = self.fields.request_headers.iter();
        headers.any(|field| self.store.bytes(field.name).eq_ignore_ascii_case(name))
    }

    /// How the body will be read.
    pub(super) fn set_processor(&mut self, processor: BodyProcessor) {
        self.modes.processor = Some(processor);
        let name: &[u8] = match processor {
            BodyProcessor::Json => b"JSON",
            BodyProcessor::Multipart => b"MULTIPART",
            BodyProcessor::UrlEncoded => b"URLENCODED",
            BodyProcessor::Xml => b"XML",
        };
        self.keep_single(Variable::ReqbodyProcessor, name);
    }

    /// The first line of the answer.
    pub(super) fn read_status(&mut self, status: u16, protocol: &[u8]) {
        let line = [protocol, b" ", status.to_string().as_bytes()].concat();
        let line = self.keep_single(Variable::StatusLine, &line);
        let length = line.length as usize;
        self.singles.set(Variable::ResponseProtocol, line.part(0, protocol.len()));
        self.singles.set(Variable::ResponseStatus, line.part(protocol.len() + 1, length));
    }

    /// A header of the answer.
    pub(super) fn read_response_header(&mut self, name: &[u8], value: &[u8]) {
        let field = Field { name: self.store.keep(name), value: self.store.keep(value) };
        if name.eq_ignore_ascii_case(b"content-type") {
            let end = memchr::memchr(b';', value).unwrap_or(value.len());
            let media_type = value.get(..end).unwrap_or_default().trim_ascii();
            let start = value.len() - value.trim_ascii_start().len();
            let media_type = field.value.part(start, start + media_type.len());
            self.singles.set(Variable::ResponseContentType, media_type);
        }
        self.fields.response_headers.push(field);
    }

    /// The answer's body can be looked at.
    pub(super) fn show_response_body(&mut self) {
        let length = self.store.response_body.len();
        let body = Span::new(Source::ResponseBody, 0, length);
        self.singles.set(Variable::ResponseBody, body);
    }

    /// Sets a variable of `ENV`.
    pub(super) fn set_environment(&mut self, field: Field) {
        let store = &self.store;
        let known = self.fields.environment.iter_mut();
        let mut known = known.filter(|it| store.bytes(it.name) == store.bytes(field.name));
        match known.next() {
            Some(known) => known.value = field.value,
            None => self.fields.environment.push(field),
        }
    }

    /// Writes a variable down; where it stands.
    pub(super) fn keep_single(&mut self, variable: Variable, value: &[u8]) -> Span {
        let span = self.store.keep(value);
        self.singles.set(variable, span);
        span
    }
}

/// An authority without the user before it and the port behind it.
fn host_name(authority: &[u8]) -> &[u8] {
    let end = match authority.first() {
        Some(b'[') => memchr::memchr(b']', authority).map_or(authority.len(), |at| at + 1),
        _ => memchr::memchr(b':', authority).unwrap_or(authority.len()),
    };
    authority.get(..end).unwrap_or_default()
}

/// How a body of this Content-Type is read. Forms are known by how their type begins, as other
/// engines and lenient servers do: a letter behind it must not keep a form from being read as one.
fn processor_for(content_type: &[u8]) -> Option<BodyProcessor> {
    let trimmed = content_type.trim_ascii();
    let is_end = |byte: &u8| matches!(byte, b';' | b',' | b' ' | b'\t');
    let end = trimmed.iter().position(is_end).unwrap_or(trimmed.len());
    let media_type = trimmed.get(..end).unwrap_or_default().to_ascii_lowercase();
    match media_type.as_slice() {
        b"application/json" | b"text/json" => Some(BodyProcessor::Json),
        b"application/xml" | b"text/xml" => Some(BodyProcessor::Xml),
        other if other.ends_with(b"+json") => Some(BodyProcessor::Json),
        other if other.ends_with(b"+xml") => Some(BodyProcessor::Xml),
        other if other.starts_with(b"application/x-www-form-urlencoded") => {
            Some(BodyProcessor::UrlEncoded)
        }
        other if other.starts_with(b"multipart/form-data") => Some(BodyProcessor::Multipart),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_says_how_a_body_is_read() {
        for (content_type, expected) in [
            ("application/json", Some(BodyProcessor::Json)),
            (" Application/JSON; charset=utf-8", Some(BodyProcessor::Json)),
            ("application/merge-patch+json", Some(BodyProcessor::Json)),
            ("text/xml;a", Some(BodyProcessor::Xml)),
            ("application/soap+xml", Some(BodyProcessor::Xml)),
            ("multipart/form-data; boundary=x", Some(BodyProcessor::Multipart)),
            ("application/x-www-form-urlencoded", Some(BodyProcessor::UrlEncoded)),
            ("Application/X-WWW-Form-URLEncoded-ish", Some(BodyProcessor::UrlEncoded)),
            ("multipart/form-data%3b boundary=x", Some(BodyProcessor::Multipart)),
            ("text/plain", None),
            ("", None),
        ] {
            assert_eq!(processor_for(content_type.as_bytes()), expected, "{content_type}");
        }
    }

    #[test]
    fn a_host_has_no_port() {
        for (authority, expected) in
            [("a.example:8080", "a.example"), ("[::1]:80", "[::1]"), ("a", "a"), ("", "")]
        {
            assert_eq!(host_name(authority.as_bytes()), expected.as_bytes());
        }
    }
}
