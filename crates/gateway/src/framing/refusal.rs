//! Everything for which the gateway refuses a request by itself: what is wrong with its form, its
//! host, or the time that it takes. Each has a name, which events and metrics tell, and a status.

/// Why a head, a body under way, or a connection is refused.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Refusal {
    /// The chunked body breaks its own grammar.
    BadChunk,
    /// Content-Length is signed, spaced, empty, a list, too large, or not decimal.
    BadContentLength,
    /// Content-Length occurs twice.
    RepeatedContentLength,
    /// Transfer-Encoding is not exactly one `chunked`.
    BadTransferEncoding,
    /// Content-Length and Transfer-Encoding together.
    LengthAndEncoding,
    /// A header name is empty or holds a byte that is no token character.
    BadHeaderName,
    /// A header value holds a control byte.
    BadHeaderValue,
    /// The Host value is no authority.
    BadHost,
    /// The method is no token, or asks for a tunnel.
    BadMethod,
    /// The request line has not exactly three parts.
    BadRequestLine,
    /// The request target holds a control byte, a space or `#`, or has no known form.
    BadTarget,
    /// The version is not HTTP/1.0 or HTTP/1.1.
    BadVersion,
    /// CR or LF stands alone.
    BareLineBreak,
    /// Host is missing in HTTP/1.1.
    MissingHost,
    /// Host occurs twice.
    RepeatedHost,
    /// Host and the authority of an absolute target differ.
    HostMismatch,
    /// A header line is folded.
    FoldedHeader,
    /// A header name holds `_` and the policy rejects that.
    Underscore,
    /// Too many header lines.
    TooManyHeaders,
    /// The header section is too large.
    HeadersTooLarge,
    /// The request target is too long.
    TargetTooLong,
    /// The head did not arrive in time.
    HeadTimeout,
    /// The body arrives slower than the minimum rate.
    BodyTooSlow,
    /// The body is larger than the policy allows.
    BodyTooLarge,
    /// No site of the policy has this host.
    UnknownHost,
    /// The body broke off, or breaks the rules of its protocol.
    BadBody,
    /// Pseudo-headers of an HTTP/2 request contradict its fields.
    BadPseudoHeader,
    /// Content-Type occurs twice, and bodies are looked at.
    RepeatedContentType,
    /// The content coding of a body that is looked at is unknown or broken.
    UnreadableCoding,
    /// The body is not of the type that it claims in order to pass unread.
    NotItsType,
    /// A trusted peer does not say whose connection it passes on.
    NoProxyHeader,
    /// HTTP/2 was agreed on in the TLS handshake, and something else was spoken.
    Http2Preface,
    /// A frame or request breaks the rules of HTTP/2.
    Http2Protocol,
    /// More was sent than the window allows.
    Http2FlowControl,
    /// SETTINGS were not acknowledged.
    Http2Settings,
    /// A frame came on a stream that had ended.
    Http2StreamClosed,
    /// A frame has a length that it cannot have.
    Http2FrameSize,
    /// The header block cannot be decoded.
    Http2Compression,
    /// Streams were opened and reset too often.
    Http2Resets,
    /// The headers are so large that the library answers by itself.
    Http2HeadersTooLarge,
}

impl Refusal {
    /// All of them, in their order.
    pub const ALL: [Self; 40] = [
        Self::BadChunk,
        Self::BadContentLength,
        Self::RepeatedContentLength,
        Self::BadTransferEncoding,
        Self::LengthAndEncoding,
        Self::BadHeaderName,
        Self::BadHeaderValue,
        Self::BadHost,
        Self::BadMethod,
        Self::BadRequestLine,
        Self::BadTarget,
        Self::BadVersion,
        Self::BareLineBreak,
        Self::MissingHost,
        Self::RepeatedHost,
        Self::HostMismatch,
        Self::FoldedHeader,
        Self::Underscore,
        Self::TooManyHeaders,
        Self::HeadersTooLarge,
        Self::TargetTooLong,
        Self::HeadTimeout,
        Self::BodyTooSlow,
        Self::BodyTooLarge,
        Self::UnknownHost,
        Self::BadBody,
        Self::BadPseudoHeader,
        Self::RepeatedContentType,
        Self::UnreadableCoding,
        Self::NotItsType,
        Self::NoProxyHeader,
        Self::Http2Preface,
        Self::Http2Protocol,
        Self::Http2FlowControl,
        Self::Http2Settings,
        Self::Http2StreamClosed,
        Self::Http2FrameSize,
        Self::Http2Compression,
        Self::Http2Resets,
        Self::Http2HeadersTooLarge,
    ];

    /// Its name, a few words with hyphens between them.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.told().split(':').next().unwrap_or_default()
    }

    /// The status that tells the caller.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::TooManyHeaders | Self::HeadersTooLarge | Self::Http2HeadersTooLarge => 431,
            Self::BodyTooLarge => 413,
            Self::TargetTooLong => 414,
            Self::UnreadableCoding | Self::NotItsType => 415,
            Self::UnknownHost => 421,
            Self::HeadTimeout | Self::BodyTooSlow => 408,
            _ => 400,
        }
    }

    /// A stable name, and what is wrong in words.
    #[must_use]
    pub fn told(self) -> &'static str {
        match self {
            Self::BadChunk => "bad-chunk: the chunked body breaks its own grammar",
            Self::BadContentLength => {
                "bad-content-length: Content-Length is no plain decimal number, or promises a body that is not there"
            }
            Self::RepeatedContentLength => "repeated-content-length: Content-Length is there twice",
            Self::BadTransferEncoding => {
                "bad-transfer-encoding: Transfer-Encoding is not just `chunked`, or has no place here"
            }
            Self::LengthAndEncoding => {
                "length-and-encoding: Content-Length and Transfer-Encoding contradict each other"
            }
            Self::BadHeaderName => {
                "bad-header-name: a header name is empty or holds a character that no name has"
            }
            Self::BadHeaderValue => "bad-header-value: a header value holds a control byte",
            Self::BadHost => "bad-host: Host is no host name or address",
            Self::BadMethod => "bad-method: the method is no word, or asks for a tunnel",
            Self::BadRequestLine => {
                "bad-request-line: the request line has not exactly three parts"
            }
            Self::BadTarget => {
                "bad-target: the target holds a control byte, a space or `#`, or has no known form"
            }
            Self::BadVersion => "bad-version: the version is neither HTTP/1.0 nor HTTP/1.1",
            Self::BareLineBreak => "bare-line-break: CR or LF stands alone where both belong",
            Self::MissingHost => "missing-host: Host is missing",
            Self::RepeatedHost => "repeated-host: Host is there twice",
            Self::HostMismatch => "host-mismatch: Host and target name different hosts",
            Self::FoldedHeader => "folded-header: a header is folded over two lines",
            Self::Underscore => "underscore: a header name holds `_`, which the policy rejects",
            Self::TooManyHeaders => {
                "too-many-headers: there are more headers than limits.header_count"
            }
            Self::HeadersTooLarge => {
                "headers-too-large: the headers are larger than limits.header_bytes, or limits.h2.header_list"
            }
            Self::TargetTooLong => "target-too-long: the target is longer than limits.uri_bytes",
            Self::HeadTimeout => "head-timeout: the head took longer than limits.header_timeout",
            Self::BodyTooSlow => "body-too-slow: the body came slower than limits.body_min_rate",
            Self::BodyTooLarge => "body-too-large: the body is larger than body_bytes",
            Self::UnknownHost => "unknown-host: no site has this host",
            Self::BadBody => "bad-body: the body broke off, or breaks the rules of its protocol",
            Self::BadPseudoHeader => {
                "bad-pseudo-header: the method or path of HTTP/2 has a form that is no request's"
            }
            Self::RepeatedContentType => "repeated-content-type: Content-Type is there twice",
            Self::UnreadableCoding => {
                "unreadable-coding: Content-Encoding names a coding that is not known, or the body breaks it"
            }
            Self::NotItsType => "not-its-type: the body is not of the type that Content-Type names",
            _ => self.of_its_connection(),
        }
    }

    /// The same of what is refused before there is a request to read.
    fn of_its_connection(self) -> &'static str {
        match self {
            Self::NoProxyHeader => {
                "proxy-header: a trusted peer did not say, as the PROXY protocol has it, whose connection it is"
            }
            Self::Http2Preface => {
                "http2-no-preface: HTTP/2 was agreed on, and something else was spoken"
            }
            Self::Http2Protocol => {
                "http2-protocol-error: a request or frame breaks the rules of HTTP/2"
            }
            Self::Http2FlowControl => {
                "http2-flow-control-error: more was sent than the window allows"
            }
            Self::Http2Settings => "http2-settings-timeout: SETTINGS were not acknowledged",
            Self::Http2StreamClosed => {
                "http2-stream-closed: a frame came on a stream that had ended"
            }
            Self::Http2FrameSize => {
                "http2-frame-size-error: a frame has a length that it cannot have"
            }
            Self::Http2Compression => "http2-compression-error: the header block cannot be decoded",
            Self::Http2Resets => "http2-too-many-resets: streams were opened and reset too often",
            Self::Http2HeadersTooLarge => {
                "http2-headers-too-large: the headers are far larger than limits.h2.header_list"
            }
            _ => "malformed: nothing is known of it",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Refusal;

    #[test]
    fn each_has_its_place_and_a_name_that_no_other_has() {
        let names: BTreeSet<&str> = Refusal::ALL.into_iter().map(Refusal::name).collect();
        assert_eq!(names.len(), Refusal::ALL.len());
        for (place, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, place, "{refusal:?}");
            let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(refusal.name().chars().all(is_word), "{}", refusal.name());
        }
    }
}
