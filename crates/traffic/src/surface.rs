//! Which face of a service an exchange touches: its API, its pages, or the files that pages need.
//!
//! Read from what the request carries, what the answer is, and, where neither says, from the path:
//! access logs have no media types. The order of these is the definition of "API call" that
//! reports print, so it is written down once, here.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};
use serde::{Deserialize, Serialize};

use crate::path::Path;

/// A face of a service.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// Programs talk to it: JSON, XML, protobuf, gRPC, GraphQL, or a path that says so.
    Api,
    /// People look at it: HTML, and the forms that pages send.
    Page,
    /// Pages need it: style sheets, scripts, images, fonts, media.
    Asset,
    /// Nothing says which it is.
    #[default]
    Untold,
}

/// What a request says by itself, and how surely.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SurfaceHint {
    surface: Surface,
    /// Whatever the answer is, it stays so: the request is an API call by its body or its path.
    is_certain: bool,
}

/// Words of a path that only APIs have.
const API_WORDS: [&str; 9] =
    ["api", "apis", "graphql", "gql", "grpc", "jsonrpc", "rest", "rpc", "odata"];
/// Extensions of what pages need.
const ASSET_EXTENSIONS: [&str; 26] = [
    "avif",
    "bmp",
    "css",
    "eot",
    "gif",
    "ico",
    "jpeg",
    "jpg",
    "js",
    "map",
    "mjs",
    "mp3",
    "mp4",
    "ogg",
    "otf",
    "pdf",
    "png",
    "svg",
    "ttf",
    "wasm",
    "webm",
    "webmanifest",
    "webp",
    "woff",
    "woff2",
    "zip",
];
/// Extensions of pages.
const PAGE_EXTENSIONS: [&str; 10] =
    ["asp", "aspx", "cgi", "do", "htm", "html", "jsp", "php", "shtml", "xhtml"];
/// A header that takes more is cut there.
const MEDIA_BYTES_MAX: usize = 256;

impl SurfaceHint {
    /// What a request says: its body's type, its path, and what it accepts.
    pub fn of(headers: &HeaderMap, path: &Path) -> Self {
        let certain = |surface| Self { surface, is_certain: true };
        let likely = |surface| Self { surface, is_certain: false };
        let header = |name| headers.get(name).map(http::HeaderValue::as_bytes);
        if header(CONTENT_TYPE).and_then(Surface::of_media) == Some(Surface::Api) {
            return certain(Surface::Api);
        }
        if path.segments().any(|segment| is_api_word(segment.text)) {
            return certain(Surface::Api);
        }
        let extension = path.extension();
        let is_one_of = |known: &[&str]| {
            extension.is_some_and(|it| known.iter().any(|known| known.eq_ignore_ascii_case(it)))
        };
        if is_one_of(&ASSET_EXTENSIONS) {
            return likely(Surface::Asset);
        }
        if path.is_empty() || is_one_of(&PAGE_EXTENSIONS) {
            return likely(Surface::Page);
        }
        if is_one_of(&["json", "xml"]) {
            return likely(Surface::Api);
        }
        likely(header(ACCEPT).map_or(Surface::Untold, accepted))
    }

    /// The surface, now that the answer's type is known, if there is an answer and it has one.
    pub fn with_answer(self, content_type: Option<&[u8]>) -> Surface {
        if self.is_certain {
            return self.surface;
        }
        content_type.and_then(Surface::of_media).unwrap_or(self.surface)
    }
}

impl Surface {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Api, Self::Page, Self::Asset, Self::Untold];

    /// The word in output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Page => "page",
            Self::Asset => "asset",
            Self::Untold => "untold",
        }
    }

    /// What a media type belongs to, where it says so.
    pub fn of_media(content_type: &[u8]) -> Option<Self> {
        let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
        let essence = essence.trim_ascii();
        let essence = essence.get(..MEDIA_BYTES_MAX).unwrap_or(essence);
        let slash = essence.iter().position(|byte| *byte == b'/')?;
        let (kind, rest) = essence.split_at(slash);
        let sub = rest.get(1..).unwrap_or_default();
        let is_kind = |word: &str| kind.eq_ignore_ascii_case(word.as_bytes());
        let is = |word: &str| sub.eq_ignore_ascii_case(word.as_bytes());
        let begins = |word: &str| {
            sub.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word.as_bytes()))
        };
        let ends = |word: &str| {
            let from = sub.len().checked_sub(word.len());
            let end = from.and_then(|from| sub.get(from..));
            end.is_some_and(|it| it.eq_ignore_ascii_case(word.as_bytes()))
        };
        if is("html") || is("xhtml+xml") || is("rss+xml") || is("atom+xml") {
            return Some(Self::Page);
        }
        if is_kind("image") || is_kind("font") || is_kind("audio") || is_kind("video") {
            return Some(Self::Asset);
        }
        if is("css") || is("javascript") || is("x-javascript") || is("ecmascript") || is("wasm") {
            return Some(Self::Asset);
        }
        let is_api = ends("json")
            || is("xml")
            || ends("+xml")
            || begins("grpc")
            || ends("protobuf")
            || is("graphql")
            || is("x-ndjson")
            || is("msgpack")
            || is("cbor")
            || (is_kind("text") && is("event-stream"));
        is_api.then_some(Self::Api)
    }
}

/// Whether a segment says that an API begins: `api`, `graphql`, `v2`.
fn is_api_word(segment: &str) -> bool {
    let is_version = match segment.as_bytes() {
        [b'v' | b'V', digits @ ..] => {
            !digits.is_empty() && digits.len() <= 2 && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    is_version || API_WORDS.iter().any(|word| word.eq_ignore_ascii_case(segment))
}

/// What a caller asks to be given. Browsers ask pages for HTML first; programs ask for JSON.
fn accepted(accept: &[u8]) -> Surface {
    let accept = accept.get(..MEDIA_BYTES_MAX).unwrap_or(accept);
    let mut types = accept.split(|byte| *byte == b',').filter_map(Surface::of_media);
    types.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::{HashKey, Hasher};

    fn seen(path: &str, headers: &[(http::HeaderName, &'static str)], answer: &str) -> Surface {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name, HeaderValue::from_static(value));
        }
        let path = Path::parse(path.as_bytes(), &Hasher::new(HashKey::new([0; 16])));
        let answer = (!answer.is_empty()).then_some(answer.as_bytes());
        SurfaceHint::of(&map, &path).with_answer(answer)
    }

    #[test]
    fn what_is_said_outright_counts_before_what_is_answered() {
        let json = [(CONTENT_TYPE, "application/json")];
        for (path, headers, answer, surface) in [
            ("/orders", &json[..], "text/html", Surface::Api),
            ("/api/orders", &[], "text/html", Surface::Api),
            ("/shop/v2/orders", &[], "", Surface::Api),
            ("/graphql", &[], "", Surface::Api),
            ("/orders", &[], "application/json; charset=utf-8", Surface::Api),
            ("/orders", &[], "application/problem+json", Surface::Api),
            ("/feed", &[], "application/rss+xml", Surface::Page),
            ("/shop.Cart/Add", &[], "application/grpc+proto", Surface::Api),
            (
                "/login",
                &[(CONTENT_TYPE, "application/x-www-form-urlencoded")],
                "text/html",
                Surface::Page,
            ),
            ("/app.js", &[], "text/javascript", Surface::Asset),
            ("/app.js", &[], "", Surface::Asset),
            ("/logo", &[], "image/svg+xml", Surface::Asset),
            ("/", &[], "", Surface::Page),
            ("/index.php", &[], "", Surface::Page),
            ("/about", &[(ACCEPT, "text/html,application/xml;q=0.9")], "", Surface::Page),
            ("/about", &[(ACCEPT, "application/json, text/plain, */*")], "", Surface::Api),
            ("/about", &[(ACCEPT, "*/*")], "", Surface::Untold),
            ("/voice/vendor/v", &[], "", Surface::Untold),
            ("/about", &[], "nonsense", Surface::Untold),
        ] {
            assert_eq!(seen(path, headers, answer), surface, "{path} {headers:?} {answer}");
        }
    }
}
