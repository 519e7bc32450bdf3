//! What the body of an answer says about how the exchange ended and what resource it shows.
//!
//! Only names count, and the few values by which APIs announce an error: a replay, in which secrets
//! are hashes, must read the same. Not a schema: a sketch of 128 bits that tells two apart.

use serde::{Deserialize, Serialize};
use traffic::fields::Sort;
use traffic::{Field, Fields};

/// More fields are not looked at: what an answer is stands at its beginning.
const FIELDS_READ_MAX: usize = 96;
/// Errors are announced within an envelope of two at most: `{"data": {"login": {"errors": …}}}`.
const SPEECH_DEPTH_MAX: usize = 3;
/// A body with more names at its top is more than an error.
const NAMES_OF_ERRORS_MAX: usize = 6;

/// How an answer speaks of the outcome.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Speech {
    /// It does not say.
    #[default]
    Silent,
    /// It has much to say, an error among it: a job that failed, or a long refusal.
    MentionsError,
    /// It says that something is wrong, and little else.
    Error,
    /// It says that the first step went well and asks for the second factor.
    AsksMore,
}

/// What an answer's body says.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct AnswerBody {
    /// The set of names in the two outermost levels.
    pub key_set: u64,
    /// How it speaks of the outcome.
    pub speech: Speech,
    /// The names that tell one resource from another.
    pub names: NameSketch,
}

/// A sketch of a set of names.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct NameSketch([u64; 2]);

// === impl AnswerBody ===

impl AnswerBody {
    /// Reads an answer's fields.
    pub fn of(fields: &Fields) -> Self {
        let mut body = Self { key_set: fields.key_set(), ..Self::default() };
        let mut names_at_top = 0;
        let mut rest = fields.iter().take(FIELDS_READ_MAX).peekable();
        while let Some(field) = rest.next() {
            let mut folded = [0; FOLDED_MAX];
            let name = fold(field.name_bytes(), &mut folded);
            if name.is_empty() {
                continue;
            }
            names_at_top += usize::from(depth_is_at_most(&field, 1));
            if !GENERIC_NAMES.contains(&name) {
                body.names.insert(name);
            }
            // Errors and second factors are announced near the top.
            if depth_is_at_most(&field, SPEECH_DEPTH_MAX) {
                let next_holder = rest.peek().and_then(Field::parent);
                let holds_something = next_holder.is_some_and(|it| it.index() == field.index());
                body.speech = body.speech.max(speech_of(name, &field, holds_something));
            }
        }
        if body.speech == Speech::Error && names_at_top > NAMES_OF_ERRORS_MAX {
            body.speech = Speech::MentionsError;
        }
        body
    }

    /// Whether it says that something is wrong, and little else.
    pub const fn says_error(&self) -> bool {
        matches!(self.speech, Speech::Error)
    }
}

/// Whether an answer's body says that something is wrong, whatever its status.
pub fn says_error(fields: &Fields) -> bool {
    AnswerBody::of(fields).says_error()
}

// === impl NameSketch ===

impl NameSketch {
    pub(crate) fn insert(&mut self, name: &[u8]) {
        let hash = fnv(name);
        let bit = 1_u64 << (hash & 63);
        let half = usize::from(hash & 64 != 0);
        if let Some(word) = self.0.get_mut(half) {
            *word |= bit;
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0[0] == 0 && self.0[1] == 0
    }

    /// How much two sets have in common: 1 for equal ones, 0 for disjoint ones.
    pub(crate) fn likeness(&self, other: &Self) -> f32 {
        let (mut both, mut either) = (0, 0);
        for (a, b) in self.0.iter().zip(other.0) {
            both += (a & b).count_ones();
            either += (a | b).count_ones();
        }
        if either == 0 { 0.0 } else { f32::from(to_u16(both)) / f32::from(to_u16(either)) }
    }
}

fn to_u16(count: u32) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// Names that most resources have, and the envelopes around lists: they tell nothing apart.
const GENERIC_NAMES: [&[u8]; 34] = [
    b"id",
    b"name",
    b"type",
    b"status",
    b"title",
    b"description",
    b"createdat",
    b"updatedat",
    b"created",
    b"updated",
    b"data",
    b"items",
    b"results",
    b"result",
    b"total",
    b"count",
    b"page",
    b"pages",
    b"limit",
    b"offset",
    b"next",
    b"prev",
    b"previous",
    b"links",
    b"meta",
    b"self",
    b"href",
    b"url",
    b"ok",
    b"success",
    b"message",
    b"perpage",
    b"pagesize",
    b"hasmore",
];

/// The longest name that is compared; longer ones are cut.
pub(crate) const FOLDED_MAX: usize = 32;

/// `name` in lower case without anything but letters and digits, so that `createdAt`, `created_at`
/// and `Created-At` are one.
pub(crate) fn fold<'a>(name: &[u8], buffer: &'a mut [u8; FOLDED_MAX]) -> &'a [u8] {
    let mut count = 0;
    for byte in name.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        let Some(place) = buffer.get_mut(count) else { break };
        *place = byte.to_ascii_lowercase();
        count += 1;
    }
    buffer.get(..count).unwrap_or_default()
}

fn depth_is_at_most(field: &Field<'_>, most: usize) -> bool {
    std::iter::successors(field.parent(), Field::parent).nth(most).is_none()
}

fn speech_of(name: &[u8], field: &Field<'_>, holds_something: bool) -> Speech {
    let value = field.value_bytes();
    let is_no = value == b"false" || value == b"0";
    let said = |is_said: bool, speech: Speech| if is_said { speech } else { Speech::Silent };
    let is_empty = match field.sort() {
        // An empty list of errors is no error.
        Sort::Object | Sort::Array => !holds_something,
        Sort::Null => true,
        Sort::Bool | Sort::Number => is_no,
        Sort::String => value.is_empty() || is_no || value.eq_ignore_ascii_case(b"none"),
    };
    if ERROR_NAMES.contains(&name) {
        said(!is_empty, Speech::Error)
    } else if SUCCESS_NAMES.contains(&name) {
        said(is_no, Speech::Error)
    } else if STATUS_NAMES.contains(&name) {
        let is_bad = ERROR_STATUSES.iter().any(|word| value.eq_ignore_ascii_case(word));
        said(is_bad, Speech::Error)
    } else {
        said(!is_empty && SECOND_FACTOR_NAMES.contains(&name), Speech::AsksMore)
    }
}

const ERROR_NAMES: [&[u8]; 8] = [
    b"error",
    b"errors",
    b"err",
    b"errormessage",
    b"errorcode",
    b"errordescription",
    b"fault",
    b"exception",
];
const SUCCESS_NAMES: [&[u8]; 7] =
    [b"success", b"ok", b"succeeded", b"issuccess", b"authenticated", b"valid", b"loggedin"];
const STATUS_NAMES: [&[u8]; 4] = [b"status", b"result", b"outcome", b"state"];
const ERROR_STATUSES: [&[u8]; 7] =
    [b"error", b"fail", b"failed", b"failure", b"denied", b"invalid", b"unauthorized"];
const SECOND_FACTOR_NAMES: [&[u8]; 12] = [
    b"mfarequired",
    b"requiresmfa",
    b"twofactorrequired",
    b"requires2fa",
    b"requirestwofactor",
    b"mfatoken",
    b"otprequired",
    b"requiresotp",
    b"mfachallenge",
    b"challengeid",
    b"mfa",
    b"twofactor",
];

fn fnv(bytes: &[u8]) -> u64 {
    let mixed = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(speech: Speech, bodies: &[&str]) {
        for body in bodies {
            let mut fields = Fields::default();
            traffic::json::read(body.as_bytes(), &mut fields);
            assert_eq!(AnswerBody::of(&fields).speech, speech, "{body}");
        }
    }

    #[test]
    fn errors_are_heard_in_many_forms() {
        check(
            Speech::Error,
            &[
                r#"{"error":"no"}"#,
                r#"{"success":false}"#,
                r#"{"ok":0,"message":"x"}"#,
                r#"{"errors":[{"message":"x"}],"data":null}"#,
                r#"{"data":{"login":{"errors":["x"]}}}"#,
                r#"{"status":"error","code":17}"#,
                r#"{"timestamp":1,"status":401,"error":"Unauthorized","message":"x","path":"/login"}"#,
            ],
        );
    }

    #[test]
    fn look_alikes_are_silent() {
        check(
            Speech::Silent,
            &[
                r#"{"error":null,"token":"t"}"#,
                r#"{"errors":[],"data":{}}"#,
                r#"{"error":{},"error_code":0,"err":""}"#,
                r#"{"success":true,"status":"ok"}"#,
                r#"{"items":[{"a":{"b":{"error":"deep"}}}]}"#,
                "[]",
            ],
        );
    }

    #[test]
    fn a_job_that_failed_is_no_refusal() {
        let job =
            r#"{"id":1,"state":"failed","error":"disk full","at":1,"by":2,"queue":"a","tries":3}"#;
        check(Speech::MentionsError, &[job]);
    }

    #[test]
    fn a_second_factor_outweighs_the_error_it_comes_with() {
        check(Speech::AsksMore, &[r#"{"error":"mfa_required","mfa_token":"t"}"#]);
    }
}
