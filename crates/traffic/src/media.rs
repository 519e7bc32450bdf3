//! Which bodies can be read, by their media type (RFC 9110 §8.3).

/// Types of files, archives and binary messages.
const OPAQUE: [&str; 9] = [
    "application/octet-stream",
    "application/pdf",
    "application/zip",
    "application/gzip",
    "application/x-gzip",
    "application/x-tar",
    "application/protobuf",
    "application/x-protobuf",
    "application/msgpack",
];

/// What a body can be decoded as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Media {
    /// JSON, or a type with the suffix `+json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// Text that is none of the others: HTML, plain text, XML.
    Text,
    /// Parts with names of their own: what browsers send files in.
    Multipart,
    /// No type at all, or one that nobody knows.
    Unknown,
    /// A gRPC message stream: never held.
    Grpc,
    /// Server-sent events or another endless stream: never held.
    Stream,
    /// Files as such, and other bytes in which there is nothing to read.
    Opaque,
}

impl Media {
    /// What a `Content-Type` promises.
    pub fn of(content_type: Option<&str>) -> Self {
        let Some(content_type) = content_type else { return Self::Unknown };
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
        } else if starts("multipart/") {
            Self::Multipart
        } else if starts("image/")
            || starts("audio/")
            || starts("video/")
            || starts("font/")
            || OPAQUE.iter().any(|name| is(name))
        {
            Self::Opaque
        } else {
            Self::Unknown
        }
    }

    /// Whether there are fields in it that a program would read.
    pub const fn can_be_inspected(self) -> bool {
        matches!(self, Self::Json | Self::Form | Self::Text)
    }

    /// Whether a request may carry an attack in it that rules would find, or guesses. Servers guess
    /// at what has no type, so that leaving it out would open a way past all layers.
    pub const fn can_carry_attack(self) -> bool {
        self.can_be_inspected() || matches!(self, Self::Multipart | Self::Unknown)
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
        assert_eq!(Media::of(Some("multipart/form-data; boundary=x")), Media::Multipart);
        assert_eq!(Media::of(Some("multipart/x-mixed-replace")), Media::Stream);
        assert_eq!(Media::of(Some("image/png")), Media::Opaque);
        assert_eq!(Media::of(Some("Application/Octet-Stream")), Media::Opaque);
        assert_eq!(Media::of(Some("é")), Media::Unknown);
        assert_eq!(Media::of(None), Media::Unknown);
    }
}
