//! The request's body, taken apart into variables when phase 2 begins.

use bytes::Bytes;

use super::{
    fields::{Field, File},
    program::Program,
    state::State,
    store::{Source, Span},
};
use crate::{
    action::BodyProcessor,
    body::{json, multipart, urlencoded, xml},
    variable::Variable,
};

impl State {
    /// Reads the body that was handed in as its processor says.
    pub(super) fn read_request_body(&mut self, program: &Program) {
        let body = self.store.request_body.clone();
        if body.is_empty() || !self.modes.request_body_access {
            return;
        }
        let place = Span::new(Source::RequestBody, 0, body.len());
        let processor = self.modes.processor;
        match processor {
            Some(BodyProcessor::Json) => self.read_json(program, &body, place),
            Some(BodyProcessor::Multipart) => self.read_multipart(program, &body, place),
            Some(BodyProcessor::UrlEncoded) => self.read_form(program, &body, place),
            Some(BodyProcessor::Xml) => self.read_xml(program, &body, place),
            None => {}
        }
        if processor == Some(BodyProcessor::UrlEncoded) || self.modes.forces_request_body {
            self.singles.set(Variable::RequestBody, place);
        }
    }

    fn read_form(&mut self, program: &Program, body: &Bytes, place: Span) {
        let separator = program.set.settings.argument_separator;
        let form = urlencoded::parse(body, separator, &program.limits);
        if form.invalid_escapes > 0 {
            self.keep_single(Variable::UrlencodedError, b"1");
        }
        self.add_arguments(&form.arguments, body, place);
        self.note_fault(form.fault.map(|fault| fault.to_string()), body, form.unread);
    }

    fn read_json(&mut self, program: &Program, body: &Bytes, place: Span) {
        let json = json::parse(body, program.set.settings.json_array_names, &program.limits);
        self.add_arguments(&json.arguments, body, place);
        self.note_fault(json.fault.map(|fault| fault.to_string()), body, json.unread);
    }

    fn read_xml(&mut self, program: &Program, body: &Bytes, place: Span) {
        let xml = xml::parse(body, &program.limits);
        for text in xml.texts() {
            let text = self.span_in(body, place, text);
            self.fields.xml_texts.push(text);
        }
        for attribute in &xml.attributes {
            let attribute = self.span_in(body, place, attribute);
            self.fields.xml_attributes.push(attribute);
        }
        self.note_fault(xml.fault.map(|fault| fault.to_string()), body, xml.unread);
    }

    fn read_multipart(&mut self, program: &Program, body: &Bytes, place: Span) {
        let content_type = self.first_header(b"content-type");
        let content_type = content_type.map(|it| self.store.bytes(it).to_vec());
        let parts = multipart::parse(body, &content_type.unwrap_or_default(), &program.limits);
        for field in parts.fields() {
            let name = self.span_in(body, place, field.name);
            let value = self.span_in(body, place, field.value);
            self.fields.arguments.push(Field { name, value });
        }
        for part in &parts.parts {
            let name = self.span_in(body, place, part.name());
            self.fields.part_names.push(Field { name, value: name });
            for line in &part.headers {
                let value = self.span_in(body, place, line);
                self.fields.part_headers.push(Field { name, value });
            }
            if part.is_file() {
                let content = self.span_in(body, place, part.content);
                self.fields.files.push(File { name, content });
                for filename in &part.filenames {
                    let value = self.span_in(body, place, filename);
                    self.fields.filenames.push(Field { name, value });
                }
            }
        }
        self.fields.multipart = parts.flags;
        self.fields.multipart_is_odd = parts.strict_error();
        self.note_fault(parts.fault.map(|fault| fault.to_string()), body, parts.unread);
    }

    /// The value of the first request header of that name.
    fn first_header(&self, name: &[u8]) -> Option<Span> {
        let mut headers = self.fields.request_headers.iter();
        let field =
            headers.find(|field| self.store.bytes(field.name).eq_ignore_ascii_case(name))?;
        Some(field.value)
    }

    /// Notes what is wrong with the body, and shows what was not read as `REQUEST_BODY`, so that
    /// nothing goes unseen.
    fn note_fault(&mut self, fault: Option<String>, body: &Bytes, unread: &[u8]) {
        let Some(fault) = fault else { return };
        for variable in [Variable::ReqbodyError, Variable::ReqbodyProcessorError] {
            self.keep_single(variable, b"1");
        }
        for variable in [Variable::ReqbodyErrorMsg, Variable::ReqbodyProcessorErrorMsg] {
            self.keep_single(variable, fault.as_bytes());
        }
        if !unread.is_empty() {
            let start = body.len().saturating_sub(unread.len());
            let rest = Span::new(Source::RequestBody, start, unread.len());
            self.singles.set(Variable::RequestBody, rest);
        }
    }
}
