//! Exchanges as lines of a recording, secrets left out unless asked for.
//!
//! The engine writes down just what it was shown: the head, the held body, what was read of the
//! answer, and the sequence numbers of both steps. A replay of that gives the same verdicts.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use traffic::media::Media;
use traffic::recording::{
    ExchangeLine, Line, RequestPart, ResponsePart, RulesPart, TlsPart, VerdictPart,
};
use traffic::{Hasher, Head, Peer, Scheme, Timestamp, Verdict, redact, scrub};

use crate::pass::Answer;

/// Where finished lines go. Called outside the engine's lock.
pub struct Recorder {
    /// Whether secrets stay as they are: for exact reproductions, kept from other eyes.
    pub keeps_secrets: bool,
    /// Takes a line.
    pub sink: Box<dyn Fn(Line) + Send + Sync>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("keeps_secrets", &self.keeps_secrets)
            .finish_non_exhaustive()
    }
}

/// A line in the making.
#[derive(Debug)]
pub(crate) struct Draft {
    line: ExchangeLine,
    answer_rules: Option<RulesPart>,
    keeps_secrets: bool,
}

impl Draft {
    /// Writes down the head.
    pub(crate) fn begin(
        recorder: &Recorder,
        head: &Head<'_>,
        peer: &Peer,
        hasher: &Hasher,
    ) -> Self {
        let keeps_secrets = recorder.keeps_secrets;
        let target = String::from_utf8_lossy(head.target);
        let target =
            if keeps_secrets { target.into_owned() } else { scrub::target(&target, hasher) };
        let url = if target.starts_with('/') && peer.scheme == Scheme::Https {
            format!("https://{}{target}", head.authority)
        } else {
            target
        };
        let claims =
            if keeps_secrets { Default::default() } else { caller::recorded_claims(head, hasher) };
        let line = ExchangeLine {
            client: Some(peer.address.to_string()),
            tls: peer.ja4.as_ref().map(|ja4| TlsPart { ja4: Some(ja4.to_string()) }),
            request: RequestPart {
                method: match head.method.as_str() {
                    method if keeps_secrets => method.to_owned(),
                    method => redact::method(method).to_owned(),
                },
                url,
                version: Some(format!("{:?}", head.version)),
                headers: headers(head.headers, Some(head.authority), keeps_secrets, hasher),
                h2_settings: peer.h2_settings.as_deref().unwrap_or_default().to_vec(),
                claims,
                ..RequestPart::default()
            },
            ..ExchangeLine::default()
        };
        Self { line, answer_rules: None, keeps_secrets }
    }

    /// Says whether there is a body of which nothing was read so far.
    pub(crate) const fn with_body_unread(mut self, is_unread: bool) -> Self {
        self.line.request.body_truncated = is_unread;
        self
    }

    /// Writes down the request's body as far as it was held. Of one that cannot be read nothing is
    /// kept but that there was one.
    pub(crate) fn body(&mut self, body: &[u8], media: Media, is_complete: bool, hasher: &Hasher) {
        let (text, base64) = self.body_parts(body, media, hasher);
        self.line.request.body = text;
        self.line.request.body_base64 = base64;
        let is_left_out = !body.is_empty()
            && self.line.request.body.is_none()
            && self.line.request.body_base64.is_none();
        self.line.request.body_truncated = !is_complete || is_left_out;
    }

    /// Writes down the verdict.
    pub(crate) fn verdict(&mut self, verdict: &Verdict, endpoint: Option<String>) {
        self.line.decided = Some(VerdictPart::new(verdict, endpoint));
    }

    /// Writes down when and in which place the request was decided.
    pub(crate) fn decided(&mut self, at: Timestamp, seq: u64) {
        self.line.time = Some(at.to_string());
        self.line.seq = Some(vec![seq]);
    }

    /// Writes down whether its password is one of the most common: what is left does not tell.
    pub(crate) fn common_password(&mut self, is_common: bool) {
        self.line.request.common_password = is_common;
    }

    /// Writes down what rules found in the request.
    pub(crate) fn found(&mut self, rules: Option<RulesPart>) {
        self.line.request.rules = rules;
    }

    /// Writes down what rules found in the answer that is coming.
    pub(crate) fn found_in_answer(&mut self, rules: Option<RulesPart>) {
        self.answer_rules = rules;
    }

    /// Writes down the answer and gives the finished line.
    pub(crate) fn answered(
        mut self,
        answer: &Answer<'_>,
        after_us: u64,
        seq: u64,
        hasher: &Hasher,
    ) -> Line {
        let content_type = answer
            .head
            .headers
            .get(http::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let (body, body_base64) = match answer.body {
            Some(body) => self.body_parts(body, Media::of(content_type), hasher),
            None => (None, None),
        };
        self.line.response = Some(ResponsePart {
            status: answer.head.status,
            headers: headers(answer.head.headers, None, self.keeps_secrets, hasher),
            body_truncated: answer.body.is_some() && !answer.is_complete,
            length: Some(answer.length),
            body,
            body_base64,
            after_us: Some(after_us),
            rules: self.answer_rules.take(),
        });
        self.abandoned(seq)
    }

    /// Gives the line of an exchange that has no answer.
    pub(crate) fn abandoned(mut self, seq: u64) -> Line {
        self.line.seq.get_or_insert_default().push(seq);
        Line::Exchange(Box::new(self.line))
    }

    /// Gives the line of a request that was refused: there is but one step.
    pub(crate) fn refused(self) -> Line {
        Line::Exchange(Box::new(self.line))
    }

    fn body_parts(
        &self,
        body: &[u8],
        media: Media,
        hasher: &Hasher,
    ) -> (Option<String>, Option<String>) {
        if body.is_empty() {
            return (None, None);
        }
        match std::str::from_utf8(body) {
            Ok(text) if self.keeps_secrets => (Some(text.to_owned()), None),
            Err(_) if self.keeps_secrets => (None, Some(BASE64.encode(body))),
            _ => (scrub::body(body, media, hasher), None),
        }
    }
}

fn headers(
    map: &HeaderMap,
    host: Option<&str>,
    keeps_secrets: bool,
    hasher: &Hasher,
) -> Vec<(String, String)> {
    let mut list = Vec::with_capacity(map.len() + 1);
    if let Some(host) = host
        && !map.contains_key(http::header::HOST)
    {
        list.push(("host".to_owned(), host.to_owned()));
    }
    for (name, value) in map {
        let value = String::from_utf8_lossy(value.as_bytes());
        let value = if keeps_secrets {
            value.into_owned()
        } else {
            scrub::header(name.as_str(), &value, hasher)
        };
        list.push((name.as_str().to_owned(), value));
    }
    list
}
