//! Request smuggling over HTTP/1.1, as data: what is sent, and what it means, if it means anything.
//!
//! A shape without a meaning must be refused. One with a meaning must reach each far side as just
//! those requests: start line, end-to-end header lines in the order of their names, a blank line,
//! and the body.

/// One way to make two servers disagree.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) sent: &'static [u8],
    pub(crate) meaning: &'static [&'static str],
    /// Far sides that refuse what is legal; they need not understand it.
    pub(crate) refused_by: &'static [&'static str],
}

const fn refused(name: &'static str, sent: &'static [u8]) -> Shape {
    Shape { name, sent, meaning: &[], refused_by: &[] }
}

const fn means(name: &'static str, sent: &'static [u8], meaning: &'static [&'static str]) -> Shape {
    Shape { name, sent, meaning, refused_by: &[] }
}

const fn means_but(
    refused_by: &'static [&'static str],
    name: &'static str,
    sent: &'static [u8],
    meaning: &'static [&'static str],
) -> Shape {
    Shape { name, sent, meaning, refused_by }
}

pub(crate) const SHAPES: &[Shape] = &[
    // Length against encoding.
    refused(
        "length before encoding",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    ),
    refused(
        "encoding before length",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\nGPOST / HTTP/1.1\r\n",
    ),
    refused(
        "length nought beside encoding",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "encoding in HTTP/1.0",
        b"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    // Encodings that one side knows and the other does not.
    refused(
        "encoding spelt with a letter before",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "encoding twice",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "the same encoding twice",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "encoding identity",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nx",
    ),
    refused(
        "encoding with a list",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "encoding with chunked not last",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "encoding in quotes",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "encoding with a parameter",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked;x=1\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "encoding empty",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\nContent-Length: 1\r\n\r\nx",
    ),
    refused(
        "encoding after a vertical tab",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "encoding name before a blank",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "encoding name after a blank",
        b"POST / HTTP/1.1\r\nHost: h\r\n Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nx",
    ),
    refused(
        "encoding on a folded line",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "encoding name with NUL",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding\0: chunked\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "encoding behind a bare LF",
        b"POST / HTTP/1.1\r\nHost: h\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    refused(
        "encoding behind a bare CR",
        b"POST / HTTP/1.1\r\nHost: h\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    means(
        "encoding with an underscore",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        &["POST /\nhost: h\n\n0\r\n\r\n"],
    ),
    means(
        "encoding in capitals",
        b"POST / HTTP/1.1\r\nHost: h\r\nTRANSFER-ENCODING: CHUNKED \t\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        &["POST /\nhost: h\n\nx"],
    ),
    means(
        "encoding named by Connection",
        b"POST / HTTP/1.1\r\nHost: h\r\nConnection: transfer-encoding, content-length\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        &["POST /\nhost: h\n\nx"],
    ),
    // Lengths that are read in two ways.
    refused(
        "two lengths",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
    ),
    refused(
        "the same length twice",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    ),
    refused(
        "length as a list",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\nx",
    ),
    refused("length with a plus", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nx"),
    refused("length with a minus", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\nx"),
    refused("length in hex", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\nx"),
    refused("length with an underscore", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1_0\r\n\r\nx"),
    refused("length empty", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\nx"),
    refused("length in two words", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1 2\r\n\r\nx"),
    refused(
        "length beyond 64 bits",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551617\r\n\r\nx",
    ),
    means(
        "length with noughts before",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0002\r\n\r\nxyGET /n HTTP/1.1\r\nHost: h\r\n\r\n",
        &["POST /\nhost: h\n\nxy", "GET /n\nhost: h\n\n"],
    ),
    means(
        "a GET with a body that looks like a request",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 26\r\n\r\nGET /s HTTP/1.1\r\nHost: h\r\nGET /n HTTP/1.1\r\nHost: h\r\n\r\n",
        &["GET /\nhost: h\n\nGET /s HTTP/1.1\r\nHost: h\r\n", "GET /n\nhost: h\n\n"],
    ),
    // Chunks.
    refused(
        "chunk size with a sign",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
    ),
    refused(
        "chunk size with 0x",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
    ),
    refused(
        "chunk size beyond 64 bits",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n",
    ),
    refused(
        "chunk size before a blank",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\nx\r\n0\r\n\r\n",
    ),
    refused(
        "chunk size before a bare LF",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
    ),
    refused(
        "chunk extension with a bare LF",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nx\r\n0\r\n\r\n",
    ),
    refused(
        "chunk extension with a bare CR",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;a\rb\r\nx\r\n0\r\n\r\n",
    ),
    refused(
        "chunk longer than its size",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
    ),
    refused(
        "chunk ended by LF alone",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n",
    ),
    refused(
        "last chunk followed by something else",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nGET /s HTTP/1.1\r\nHost: h\r\n\r\n",
    ),
    means(
        "chunk extensions and noughts before the size",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0001;a=\"b;c\"\r\nx\r\n000\r\n\r\nGET /n HTTP/1.1\r\nHost: h\r\n\r\n",
        &["POST /\nhost: h\n\nx", "GET /n\nhost: h\n\n"],
    ),
    means(
        "trailers that frame and route",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nContent-Length: 40\r\nHost: evil\r\n\r\nGET /n HTTP/1.1\r\nHost: h\r\n\r\n",
        &["POST /\nhost: h\n\nx", "GET /n\nhost: h\n\n"],
    ),
    // Request lines and hosts.
    refused("HTTP/0.9", b"GET /\r\n\r\n"),
    refused("a version of two digits", b"GET / HTTP/1.10\r\nHost: h\r\n\r\n"),
    refused("a version in small letters", b"GET / http/1.1\r\nHost: h\r\n\r\n"),
    refused("two blanks in the request line", b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
    refused("a tab in the request line", b"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n"),
    refused("a blank in the target", b"GET /a HTTP/1.1 HTTP/1.1\r\nHost: h\r\n\r\n"),
    refused("a fragment in the target", b"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n"),
    refused("a method with a colon", b"GET: / HTTP/1.1\r\nHost: h\r\n\r\n"),
    refused("CONNECT", b"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"),
    refused("lines that end in LF", b"GET / HTTP/1.1\nHost: h\n\n"),
    refused("no host", b"GET / HTTP/1.1\r\n\r\n"),
    refused("two hosts", b"GET / HTTP/1.1\r\nHost: h\r\nHost: evil\r\n\r\n"),
    refused("a host with a path", b"GET / HTTP/1.1\r\nHost: h/evil\r\n\r\n"),
    refused("a host with userinfo", b"GET / HTTP/1.1\r\nHost: h@evil\r\n\r\n"),
    refused("a target for another host", b"GET http://evil/ HTTP/1.1\r\nHost: h\r\n\r\n"),
    means(
        "a target with its own host",
        b"GET HTTP://H:80/a?b=http://c HTTP/1.1\r\nHost: h\r\n\r\n",
        &["GET /a?b=http://c\nhost: h\n\n"],
    ),
    means(
        "a target that looks like a host",
        b"GET //evil/a HTTP/1.1\r\nHost: h\r\n\r\n",
        &["GET //evil/a\nhost: h\n\n"],
    ),
    // Header lines.
    refused("a header line without a colon", b"GET / HTTP/1.1\r\nHost: h\r\nX\r\n\r\n"),
    refused("a header without a name", b"GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n"),
    refused("a header value with NUL", b"GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n"),
    refused("a folded header", b"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n"),
    means(
        "Connection that names what counts",
        b"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer t\r\nX-A: 1\r\nConnection: close, authorization, host, x-a\r\n\r\n",
        &["GET /\nauthorization: Bearer t\nhost: h\n\n"],
    ),
    means(
        "a header with a twin of underscores",
        b"GET / HTTP/1.1\r\nHost: h\r\nX-User: a\r\nX_User: b\r\n\r\n",
        &["GET /\nhost: h\nx-user: a\n\n"],
    ),
    means(
        "an upgrade to HTTP/2 in the clear",
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        &["GET /\nhost: h\n\n"],
    ),
    means(
        "a request behind a switch of protocols that nobody granted",
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /n HTTP/1.1\r\nHost: h\r\n\r\n",
        &["GET /\nhost: h\n\n", "GET /n\nhost: h\n\n"],
    ),
    means(
        "an empty line before a request",
        b"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        &["GET /\nhost: h\n\n"],
    ),
    means_but(
        &["node"],
        "bytes beyond ASCII in the target",
        b"GET /\xc3\xa4?\xff HTTP/1.1\r\nHost: h\r\n\r\n",
        &["GET /\u{c3}\u{a4}?\u{ff}\nhost: h\n\n"],
    ),
];
