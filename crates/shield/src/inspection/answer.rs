//! What rules find in an answer.
//!
//! An answer is looked at under a budget of its own, so that no request can be made so costly that
//! its answer goes out unseen, and whatever the rules said of the request: that it was let pass
//! nevertheless was the shield's decision.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use rules::rule::Phase;
use traffic::{AnswerHead, Hasher};

use super::{Inspection, Stage};

/// The score from which the Core Rule Set denies an answer, unless its setup says otherwise.
const THRESHOLD: u32 = 4;
/// Where its setup says so.
const THRESHOLD_NAME: &[u8] = b"outbound_anomaly_score_threshold";
/// Answers that have no end, or whose body is no text, whatever a setup says.
const STREAMS: [&[u8]; 2] = [b"text/event-stream", b"application/grpc"];

impl Inspection {
    /// Do its rules look at answers?
    pub(crate) fn looks_at_answers(&self) -> bool {
        self.rulebook.looks_at_answers()
    }

    /// Takes in an answer's head, and runs the rules for it.
    pub(crate) fn answer_head(&mut self, head: &AnswerHead<'_>, hasher: &Hasher) {
        if self.stage != Stage::Request || !self.looks_at_answers() {
            return;
        }
        self.stage = Stage::AnswerHead;
        self.transaction.overrule();
        self.spent = self.transaction.work();
        self.allow(0);
        let is_shown = |name: &http::HeaderName| *name != CONTENT_ENCODING || !is_undone(head);
        let headers = head.headers.iter().filter(|(name, _)| is_shown(name));
        let headers = headers.map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        self.transaction.response(head.status, b"HTTP/1.1", headers);
        self.transaction.run(Phase::ResponseHeaders);
        self.note_answer(hasher);
        let is_wanted = self.rulebook.looks_at_answer_bodies()
            && self.answer.order.is_none()
            && !is_stream(head.headers)
            && self.transaction.wants_response_body();
        let most = || self.rulebook.engine().settings().response_body_bytes_max;
        self.answer_bytes = is_wanted.then(most);
    }

    /// How much of the answer's body, without its coding, the rules look at; none when they look at
    /// nothing of it, or its head has not come.
    pub(crate) const fn answer_bytes(&self) -> Option<usize> {
        self.answer_bytes
    }

    /// Takes in an answer's body, as far as it was held, and runs the rules for it. `is_longer`
    /// says that there is more of it than rules look at.
    pub(crate) fn answer_body(&mut self, body: Option<Bytes>, is_longer: bool, hasher: &Hasher) {
        if self.stage != Stage::AnswerHead {
            return;
        }
        self.stage = Stage::AnswerBody;
        if let Some(body) = body {
            self.allow(body.len());
            self.transaction.response_body(body, is_longer);
        }
        self.transaction.run(Phase::ResponseBody);
        self.note_answer(hasher);
    }

    /// The score from which an answer is refused by rules that are not certain.
    pub(crate) fn answer_threshold(&self) -> u32 {
        let named = self.transaction.tx_number(THRESHOLD_NAME);
        let named = named.and_then(|score| u32::try_from(score).ok());
        named.filter(|score| *score > 0).unwrap_or(THRESHOLD)
    }

    fn allow(&mut self, body_bytes: usize) {
        let work_max = self.rulebook.work_max(body_bytes);
        self.transaction.set_work_max(self.spent.saturating_add(work_max));
    }

    fn note_answer(&mut self, hasher: &Hasher) {
        let phases = [Phase::ResponseHeaders, Phase::ResponseBody];
        self.answer = self.findings(&phases, &self.recalled[1], hasher);
        self.is_cut_short |= self.transaction.is_over_budget();
    }
}

/// Is its coding one that is undone before rules look? Then the header that names it is not shown:
/// the Core Rule Set leaves bodies alone that are coded.
fn is_undone(head: &AnswerHead<'_>) -> bool {
    let coding = head.headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
    let coding = coding.unwrap_or_default().trim_ascii();
    [&b"gzip"[..], b"x-gzip", b"deflate", b"br", b"zstd", b"identity"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(coding))
}

fn is_stream(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let begins = |name: &&[u8]| {
        media.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    STREAMS.iter().any(begins)
}
