//! Request smuggling over HTTP/2, as data: what is sent, and what it means, if it means anything.
//!
//! HTTP/2 has lengths of its own, so what matters is what an HTTP/1 server behind us would make of
//! names, values and pseudo-headers that only HTTP/2 can carry, and of lengths that are said twice.

use crate::frames::{CONTINUATION, DATA, END_HEADERS, END_STREAM, Fields, Frame, HEADERS, PADDED};

/// One way to make a translation to HTTP/1 say something else.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// The header list that opens stream 1, which ends with it when no frames follow.
    /// Empty: the frames open it, or do not.
    fields: Fields,
    then: &'static [Frame],
    /// Empty: it must be refused.
    pub(crate) meaning: &'static [&'static str],
    /// Far sides that refuse what is legal; they need not understand it.
    pub(crate) refused_by: &'static [&'static str],
}

impl Shape {
    /// What to send.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        let flags = if self.then.is_empty() { END_STREAM } else { 0 };
        let opening = Frame::Head { stream: 1, flags, fields: self.fields };
        let opening = (!self.fields.is_empty()).then_some(opening);
        opening.into_iter().chain(self.then.iter().copied()).collect()
    }
}

macro_rules! fields {
    ($(($name:expr, $value:expr)),* $(,)?) => {
        &[$(($name as &[u8], $value as &[u8])),*]
    };
}

/// The header list of a request with more after it.
macro_rules! request {
    ($method:expr, $path:expr $(, ($name:expr, $value:expr))* $(,)?) => {
        fields![
            (b":method", $method), (b":scheme", b"http"), (b":authority", b"h"),
            (b":path", $path) $(, ($name, $value))*
        ]
    };
}

const fn refused(name: &'static str, fields: Fields) -> Shape {
    Shape { name, fields, then: &[], meaning: &[], refused_by: &[] }
}

const fn refused_after(name: &'static str, fields: Fields, then: &'static [Frame]) -> Shape {
    Shape { name, fields, then, meaning: &[], refused_by: &[] }
}

const fn means(name: &'static str, fields: Fields, meaning: &'static [&'static str]) -> Shape {
    Shape { name, fields, then: &[], meaning, refused_by: &[] }
}

const fn body(bytes: &'static [u8]) -> Frame {
    Frame::Body { stream: 1, flags: END_STREAM, bytes }
}

const fn trailers(fields: Fields) -> Frame {
    Frame::Head { stream: 1, flags: END_STREAM, fields }
}

const PLAIN: Fields = request!(b"GET", b"/");
const UPLOAD: Fields = request!(b"POST", b"/");

pub(crate) const SHAPES: &[Shape] = &[
    // What belongs to a connection of HTTP/1.
    refused_after(
        "transfer-encoding",
        request!(b"POST", b"/", (b"transfer-encoding", b"chunked")),
        &[body(b"0\r\n\r\nGET /s HTTP/1.1\r\nHost: h\r\n\r\n")],
    ),
    refused("connection", request!(b"GET", b"/", (b"connection", b"close"))),
    refused("upgrade", request!(b"GET", b"/", (b"upgrade", b"websocket"))),
    refused("keep-alive", request!(b"GET", b"/", (b"keep-alive", b"timeout=5"))),
    refused("proxy-connection", request!(b"GET", b"/", (b"proxy-connection", b"close"))),
    refused("te other than trailers", request!(b"GET", b"/", (b"te", b"gzip"))),
    means("te: trailers", request!(b"GET", b"/", (b"te", b"trailers")), &["GET /\nhost: h\n\n"]),
    // Lengths.
    refused_after(
        "length above the body",
        request!(b"POST", b"/", (b"content-length", b"9")),
        &[body(b"xyz")],
    ),
    refused_after(
        "length below the body",
        request!(b"POST", b"/", (b"content-length", b"1")),
        &[body(b"xGET /s HTTP/1.1\r\nHost: h\r\n\r\n")],
    ),
    refused("length without a body", request!(b"POST", b"/", (b"content-length", b"9"))),
    refused_after(
        "length of nought before a body",
        request!(b"POST", b"/", (b"content-length", b"0")),
        &[body(b"GET /s HTTP/1.1\r\nHost: h\r\n\r\n")],
    ),
    refused_after(
        "two lengths",
        request!(b"POST", b"/", (b"content-length", b"3"), (b"content-length", b"1")),
        &[body(b"xyz")],
    ),
    refused_after(
        "length with a plus",
        request!(b"POST", b"/", (b"content-length", b"+3")),
        &[body(b"xyz")],
    ),
    refused_after(
        "length as a list",
        request!(b"POST", b"/", (b"content-length", b"3, 3")),
        &[body(b"xyz")],
    ),
    Shape {
        name: "a body without a length that looks like a request",
        fields: request!(b"GET", b"/"),
        then: &[body(b"GET /s HTTP/1.1\r\nHost: h\r\n\r\n")],
        meaning: &["GET /\nhost: h\n\nGET /s HTTP/1.1\r\nHost: h\r\n\r\n"],
        refused_by: &[],
    },
    Shape {
        name: "a body that looks like chunks",
        fields: UPLOAD,
        then: &[body(b"0\r\n\r\nGET /s HTTP/1.1\r\nHost: h\r\n\r\n")],
        meaning: &["POST /\nhost: h\n\n0\r\n\r\nGET /s HTTP/1.1\r\nHost: h\r\n\r\n"],
        refused_by: &[],
    },
    Shape {
        name: "padding is no part of a body",
        fields: request!(b"POST", b"/", (b"content-length", b"3")),
        then: &[Frame::Raw {
            kind: DATA,
            flags: END_STREAM | PADDED,
            stream: 1,
            payload: b"\x05xyzGET /",
        }],
        meaning: &["POST /\nhost: h\n\nxyz"],
        refused_by: &[],
    },
    // Line breaks and NUL where HTTP/1 has its frame.
    refused("CR LF in a value", request!(b"GET", b"/", (b"x", b"a\r\ntransfer-encoding: chunked"))),
    refused("LF in a value", request!(b"GET", b"/", (b"x", b"a\ny: b"))),
    refused("CR in a value", request!(b"GET", b"/", (b"x", b"a\ry: b"))),
    refused("NUL in a value", request!(b"GET", b"/", (b"x", b"a\0b"))),
    refused("CR LF in a name", request!(b"GET", b"/", (b"x: a\r\ntransfer-encoding", b"chunked"))),
    refused("NUL in a name", request!(b"GET", b"/", (b"x\0", b"a"))),
    refused("a colon in a name", request!(b"GET", b"/", (b"transfer-encoding:", b"chunked"))),
    refused("a blank in a name", request!(b"GET", b"/", (b"transfer-encoding ", b"chunked"))),
    refused("capitals in a name", request!(b"GET", b"/", (b"Transfer-Encoding", b"chunked"))),
    refused("an empty name", request!(b"GET", b"/", (b"", b"a"))),
    refused("CR LF in :path", request!(b"GET", b"/ HTTP/1.1\r\nx: a\r\n\r\nGET /s")),
    refused("a blank in :path", request!(b"GET", b"/ HTTP/1.1")),
    // It is cut off before we see it, and so is decided on and passed on without.
    means("a fragment in :path", request!(b"GET", b"/a#b"), &["GET /a\nhost: h\n\n"]),
    refused("an empty :path", request!(b"GET", b"")),
    refused(":path without a slash", request!(b"GET", b"a")),
    refused(":path that is an address", request!(b"GET", b"http://evil/")),
    refused(":path of an asterisk for GET", request!(b"GET", b"*")),
    means(":path of two slashes", request!(b"GET", b"//evil/a"), &["GET //evil/a\nhost: h\n\n"]),
    refused("CR LF in :method", request!(b"GET / HTTP/1.1\r\nx: a\r\n\r\nGET", b"/")),
    refused("a blank in :method", request!(b"GET /s HTTP/1.1", b"/")),
    // Pseudo-headers.
    refused(
        "CR LF in :authority",
        fields![
            (b":method", b"GET"),
            (b":scheme", b"http"),
            (b":authority", b"h\r\nx: a"),
            (b":path", b"/"),
        ],
    ),
    refused(
        "userinfo in :authority",
        fields![
            (b":method", b"GET"),
            (b":scheme", b"http"),
            (b":authority", b"h@evil"),
            (b":path", b"/"),
        ],
    ),
    refused(
        "a path in :authority",
        fields![
            (b":method", b"GET"),
            (b":scheme", b"http"),
            (b":authority", b"h/s"),
            (b":path", b"/"),
        ],
    ),
    refused(
        "CR LF in :scheme",
        fields![
            (b":method", b"GET"),
            (b":scheme", b"http://evil/ HTTP/1.1\r\nx: a"),
            (b":authority", b"h"),
            (b":path", b"/"),
        ],
    ),
    refused("a host that differs", request!(b"GET", b"/", (b"host", b"evil"))),
    refused("two hosts", request!(b"GET", b"/", (b"host", b"h"), (b"host", b"h"))),
    means("a host that agrees", request!(b"GET", b"/", (b"host", b"H")), &["GET /\nhost: h\n\n"]),
    refused(
        "no host at all",
        fields![(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/")],
    ),
    refused("no :method", fields![(b":scheme", b"http"), (b":authority", b"h"), (b":path", b"/")]),
    refused(
        "no :path",
        fields![(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"h")],
    ),
    refused("no :scheme", fields![(b":method", b"GET"), (b":authority", b"h"), (b":path", b"/")]),
    refused(":path twice", request!(b"GET", b"/", (b":path", b"/s"))),
    refused(":method twice", request!(b"GET", b"/", (b":method", b"POST"))),
    refused(":authority twice", request!(b"GET", b"/", (b":authority", b"evil"))),
    refused("a pseudo-header nobody knows", request!(b"GET", b"/", (b":x", b"a"))),
    refused(":status in a request", request!(b"GET", b"/", (b":status", b"200"))),
    refused(
        "a pseudo-header after a field",
        fields![
            (b":method", b"GET"),
            (b":scheme", b"http"),
            (b":authority", b"h"),
            (b"x", b"a"),
            (b":path", b"/"),
        ],
    ),
    // Tunnels.
    refused("CONNECT", fields![(b":method", b"CONNECT"), (b":authority", b"h:80")]),
    refused("CONNECT with a path", request!(b"CONNECT", b"/")),
    refused("CONNECT for a protocol", request!(b"CONNECT", b"/", (b":protocol", b"websocket"))),
    // Frames.
    refused_after(
        "padding longer than its frame",
        UPLOAD,
        &[Frame::Raw { kind: DATA, flags: END_STREAM | PADDED, stream: 1, payload: b"\xffxyz" }],
    ),
    refused_after(
        "padding of a header block longer than its frame",
        &[],
        &[Frame::PaddedHead { flags: END_STREAM, claimed: 255, padding: 3, fields: PLAIN }],
    ),
    refused_after(
        "a body after the end",
        UPLOAD,
        &[
            Frame::Body { stream: 1, flags: 0, bytes: b"x" },
            Frame::Head { stream: 1, flags: 0, fields: fields![(b"x", b"a")] },
            body(b"y"),
        ],
    ),
    refused_after(
        "a body for a stream that is not open",
        &[],
        &[Frame::Body {
            stream: 1,
            flags: END_STREAM,
            bytes: b"GET /s HTTP/1.1\r\nHost: h\r\n\r\n",
        }],
    ),
    refused_after(
        "a stream of the server's",
        &[],
        &[Frame::Head { stream: 2, flags: END_STREAM, fields: PLAIN }],
    ),
    refused_after(
        "a header block cut by another frame",
        &[],
        &[
            Frame::Raw { kind: HEADERS, flags: END_STREAM, stream: 1, payload: b"\x82\x86\x84" },
            Frame::Raw { kind: DATA, flags: 0, stream: 1, payload: b"x" },
            Frame::Raw { kind: CONTINUATION, flags: END_HEADERS, stream: 1, payload: b"\x41\x01h" },
        ],
    ),
    refused_after("a header block without end", &[], &[Frame::Flood { fields: PLAIN, more: 20 }]),
    // Trailers.
    Shape {
        // The HTTP/2 library drops it, so neither we nor anybody behind us makes anything of it.
        name: "a pseudo-header in trailers",
        fields: UPLOAD,
        then: &[
            Frame::Body { stream: 1, flags: 0, bytes: b"xyz" },
            trailers(fields![(b":path", b"/s")]),
        ],
        meaning: &["POST /\nhost: h\n\nxyz"],
        refused_by: &[],
    },
    refused_after(
        "transfer-encoding in trailers",
        UPLOAD,
        &[
            Frame::Body { stream: 1, flags: 0, bytes: b"xyz" },
            trailers(fields![(b"transfer-encoding", b"chunked")]),
        ],
    ),
    refused_after(
        "CR LF in trailers",
        UPLOAD,
        &[
            Frame::Body { stream: 1, flags: 0, bytes: b"xyz" },
            trailers(fields![(b"x", b"a\r\n\r\nGET /s HTTP/1.1\r\nhost: h\r\n\r\n")]),
        ],
    ),
    Shape {
        name: "lengths and hosts in trailers",
        fields: UPLOAD,
        then: &[
            Frame::Body { stream: 1, flags: 0, bytes: b"xyz" },
            trailers(fields![(b"content-length", b"99"), (b"host", b"evil")]),
        ],
        meaning: &["POST /\nhost: h\n\nxyz"],
        refused_by: &[],
    },
    // What is legal and looks odd.
    means(
        "cookie crumbs",
        request!(b"GET", b"/", (b"cookie", b"a=1"), (b"cookie", b"b=2")),
        &["GET /\ncookie: a=1; b=2\nhost: h\n\n"],
    ),
    means(
        "names with underscores that pose as others",
        request!(b"GET", b"/", (b"content_length", b"9"), (b"x_forwarded_for", b"1.2.3.4")),
        &["GET /\nhost: h\n\n"],
    ),
    means(
        "a host instead of :authority",
        fields![(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b"host", b"h"),],
        &["GET /\nhost: h\n\n"],
    ),
    Shape {
        name: "OPTIONS of everything",
        fields: request!(b"OPTIONS", b"*"),
        then: &[],
        meaning: &["OPTIONS *\nhost: h\n\n"],
        refused_by: &["nginx"],
    },
];
