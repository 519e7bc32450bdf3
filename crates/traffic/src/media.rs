//! Which bodies can be read, by their media type (RFC 9110 §8.3).

/// What a body can be decoded as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Media {
    /// JSON, or a type with the suffix `+json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// Text that is none of the others: HTML, plain text, XML.
    Text,
    /// A gRPC message stream: never held.
    Grpc,
    /// Server-sent events or another endless stream: never held.
    Stream,
    /// Anything else.
    Opaque,
}

impl Media {
    /// What a `Content-Type` promises.
    pub fn of(content_type: Option<&str>) -> Self {
        let Some(content_type) = content_type else { return Self::Opaque };
        let essence =
            content_type.split_once(';').map_or(content_type, |(essence, _)| essence).trim();
        let is = |word: &str| essence.eq_ignore_ascii_case(word);
        let ends = |suffix: &str| {
            essence.len() >= suffix.len()
                && essence.as_bytes()[essence.len() - suffix.len()..]
                    .eq_ignore_ascii_case(suffix.as_bytes())
        };
        let starts = |prefix: &str| {
            essence
                .as_bytes()
                .get(..prefix.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        if is("application/json") || ends("+json") || is("text/json") {
            Self::Json
        } else if is("application/x-www-form-urlencoded") {
            Self::Form
        } else if starts("application/grpc") {
            Self::Grpc
        } else if is("text/event-stream")
            || is("application/x-ndjson")
            || starts("multipart/x-mixed-replace")
        {
            Self::Stream
        } else if starts("text/") || ends("+xml") || is("application/xml") {
            Self::Text
        } else {
            Self::Opaque
        }
    }

    /// Whether a body of this type may be held back and looked at.
    pub const fn can_be_inspected(self) -> bool {
        matches!(self, Self::Json | Self::Form | Self::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::Media;

    #[test]
    fn types_are_told_apart() {
        assert_eq!(Media::of(Some("application/json; charset=utf-8")), Media::Json);
        assert_eq!(Media::of(Some("application/problem+JSON")), Media::Json);
        assert_eq!(Media::of(Some("application/x-www-form-urlencoded")), Media::Form);
        assert_eq!(Media::of(Some("application/grpc+proto")), Media::Grpc);
        assert_eq!(Media::of(Some("text/event-stream")), Media::Stream);
        assert_eq!(Media::of(Some("text/html")), Media::Text);
        assert_eq!(Media::of(Some("é")), Media::Opaque);
        assert_eq!(Media::of(None), Media::Opaque);
    }
}
