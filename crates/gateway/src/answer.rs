//! What a caller gets: the upstream's answer as it streams in, or an answer of our own.
//!
//! Our own answers are RFC 9457 problem details with the event's ID, or the same as a small page
//! for clients that prefer HTML. They name no rule: a refusal must not teach an attacker what
//! tripped it.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use traffic::EventId;

use crate::{headers::X_PALISADE_RULES, relay::Answer};

/// Carries the event's ID beside the body.
pub(crate) const PALISADE_EVENT: HeaderName = HeaderName::from_static("palisade-event");

/// An answer of the gateway's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) event: EventId,
    pub(crate) retry_after_s: Option<u32>,
    /// The connection cannot be used any further.
    pub(crate) close: bool,
}

impl Problem {
    pub(crate) fn new(status: u16, event: EventId) -> Self {
        Self { status, event, retry_after_s: None, close: false }
    }

    pub(crate) fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    pub(crate) fn closing(self) -> Self {
        Self { close: true, ..self }
    }

    /// As any other answer.
    pub(crate) fn response(self, prefers_html: bool) -> Response<Answer> {
        let (kind, body) = self.body(prefers_html);
        let mut response = Response::new(Answer::whole(body.into()));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(id) = HeaderValue::from_bytes(&self.event.text()) {
            headers.insert(PALISADE_EVENT, id);
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// For a connection that no exchange can use any more: always closes. `rules` are those that
    /// matched, for a caller that is told.
    pub(crate) fn wire_bytes(self, rules: Option<&str>) -> Vec<u8> {
        let (kind, body) = self.body(false);
        let reason = StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Bad Request");
        let rules = rules.map(|rules| format!("{X_PALISADE_RULES}: {rules}\r\n"));
        let rules = rules.unwrap_or_default();
        format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
             cache-control: no-store\r\n{PALISADE_EVENT}: {}\r\n{rules}connection: close\r\n\r\n{body}",
            self.status,
            body.len(),
            self.event,
        )
        .into_bytes()
    }

    fn body(self, html: bool) -> (&'static str, String) {
        let (title, detail) = wording(self.status);
        let event = self.event;
        if html {
            let page = format!(
                "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
                 <h1>{title}</h1><p>{detail}</p><p><code>{event}</code></p></html>\n"
            );
            return ("text/html; charset=utf-8", page);
        }
        let status = self.status;
        let problem = format!(
            "{{\"type\":\"about:blank\",\"title\":\"{title}\",\"status\":{status},\
             \"instance\":\"urn:uuid:{event}\",\"detail\":\"{detail}\"}}\n"
        );
        ("application/problem+json", problem)
    }
}

/// Title and detail by status. Fixed words: nothing of the request is repeated.
fn wording(status: u16) -> (&'static str, &'static str) {
    const QUOTE: &str = "Quote this ID to the operator.";
    match status {
        400 => ("Bad request", "The request could be read in more than one way. Quote this ID."),
        403 => ("Request blocked", QUOTE),
        408 => ("Request timeout", "The request did not arrive in time."),
        413 => ("Content too large", "The request body is larger than allowed."),
        414 => ("URI too long", "The request target is longer than allowed."),
        415 => ("Unsupported media type", "The request body cannot be read. Quote this ID."),
        421 => ("Misdirected request", "No service is known here by that name."),
        429 => ("Too many requests", "Try again later. Quote this ID to the operator."),
        431 => ("Header fields too large", "The request's header is larger than allowed."),
        502 => ("Bad gateway", "The service behind this gateway did not answer properly."),
        503 => ("Service unavailable", "Too busy at the moment. Try again."),
        504 => ("Gateway timeout", "The service behind this gateway did not answer in time."),
        _ => ("Request refused", QUOTE),
    }
}

/// Whether `Accept` ranks HTML above JSON. Without `Accept`, or with a tie, JSON it is.
pub(crate) fn prefers_html(headers: &HeaderMap) -> bool {
    // Programs hardly ever name it, and each request is asked before anybody knows of a problem.
    let names_html =
        |value: &HeaderValue| memchr::memmem::find(value.as_bytes(), b"html").is_some();
    if !headers.get_all(header::ACCEPT).iter().any(names_html) {
        return false;
    }
    let (mut html, mut json, mut any) = (None, None, None);
    for value in headers.get_all(header::ACCEPT) {
        let Ok(value) = value.to_str() else { continue };
        for range in value.split(',').take(32) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let quality = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            match kind {
                "text/html" | "application/xhtml+xml" => html = Some(quality),
                "application/json" | "application/problem+json" => json = Some(quality),
                "*/*" => any = Some(quality),
                _ => {}
            }
        }
    }
    html.is_some_and(|html: f32| html > json.or(any).unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(accept: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(accept).expect("a value"));
        headers
    }

    #[test]
    fn only_clients_that_prefer_html_get_a_page() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert!(prefers_html(&headers(browser)));
        assert!(!prefers_html(&HeaderMap::new()));
        assert!(!prefers_html(&headers("*/*")));
        assert!(!prefers_html(&headers("application/json, text/plain, */*")));
        assert!(!prefers_html(&headers("text/html, application/json")));
        assert!(!prefers_html(&headers("text/html;q=0.1, application/json")));
    }

    #[test]
    fn an_answer_on_the_bare_wire_is_whole() {
        let event = EventId(7);
        let bytes = Problem::new(431, event).wire_bytes(None);
        let text = String::from_utf8(bytes).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())));
        assert!(head.contains(&format!("palisade-event: {event}")));
        assert!(body.contains(&format!("\"instance\":\"urn:uuid:{event}\"")));
    }
}
