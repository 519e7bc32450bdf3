//! What kind of thing a request asks for, read from method, path and headers.
//!
//! A path that does not exist speaks for a scan only when a person's browser would not have asked
//! for it unbidden. What the path says is believed further than what the headers say, because a
//! scanner writes its headers as it likes.

use http::HeaderName;
use traffic::{Head, Path};

static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The kind of thing asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Wanted {
    /// A page, an API resource: somebody meant to ask for it.
    #[default]
    Resource,
    /// A part of a page by its file extension: image, style, script, font.
    Asset,
    /// A part of a page by what the headers claim.
    ClaimedAsset,
    /// Something below `/.well-known/`.
    WellKnown,
    /// What browsers and crawlers ask every host for: `favicon.ico`, `robots.txt` and the like.
    Customary,
    /// A CORS preflight.
    Preflight,
}

impl Wanted {
    /// Of this request, of which `is_provoked` says what [`is_provoked`] does.
    pub fn of(head: &Head<'_>, path: &Path, is_provoked: bool) -> Self {
        let mut segments = path.segments();
        let (first, last) = (segments.next(), path.segments().next_back());
        let header = |name: &HeaderName| head.headers.get(name).map(http::HeaderValue::as_bytes);
        if first.is_some_and(|first| first.text == ".well-known") {
            Self::WellKnown
        } else if last.is_some_and(|last| is_customary(last.text)) {
            Self::Customary
        } else if path.extension().is_some_and(is_asset_extension) {
            Self::Asset
        } else if head.method == http::Method::OPTIONS
            && header(&http::header::ACCESS_CONTROL_REQUEST_METHOD).is_some()
        {
            Self::Preflight
        } else if is_provoked
            || matches!(
                header(&SEC_FETCH_DEST),
                Some(b"image" | b"style" | b"script" | b"font" | b"audio" | b"video" | b"track")
            )
        {
            Self::ClaimedAsset
        } else {
            Self::Resource
        }
    }
}

/// Whether another site may have made a browser send this: a picture, a frame or a form of a page
/// elsewhere. What such a page cannot send without leave (a credential of its own, JSON, other
/// methods) is none of it. A script can pretend to be one, which is why it weighs little and not
/// nothing.
pub fn is_provoked(head: &Head<'_>) -> bool {
    let header = |name: &HeaderName| head.headers.get(name).map(http::HeaderValue::as_bytes);
    let is_json = || {
        let media = header(&http::header::CONTENT_TYPE).unwrap_or_default();
        media.windows(4).any(|part| part.eq_ignore_ascii_case(b"json"))
    };
    matches!(*head.method, http::Method::GET | http::Method::HEAD | http::Method::POST)
        && !head.headers.contains_key(http::header::AUTHORIZATION)
        && header(&SEC_FETCH_SITE) == Some(b"cross-site")
        && !is_json()
}

fn is_customary(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "favicon.ico",
        "favicon.png",
        "favicon.svg",
        "robots.txt",
        "sitemap.xml",
        "ads.txt",
        "manifest.json",
        "site.webmanifest",
        "browserconfig.xml",
    ];
    NAMES.contains(&name) || (name.starts_with("apple-touch-icon") && name.ends_with(".png"))
}

fn is_asset_extension(extension: &str) -> bool {
    const EXTENSIONS: [&str; 24] = [
        "avif", "bmp", "css", "eot", "gif", "heic", "ico", "jpeg", "jpg", "js", "m4a", "map",
        "mjs", "mp3", "mp4", "ogg", "otf", "png", "svg", "ttf", "webm", "webp", "woff", "woff2",
    ];
    EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method, Version};
    use traffic::{HashKey, Hasher};

    use super::*;

    fn wanted(method: &Method, target: &str, header: Option<(&'static str, &str)>) -> Wanted {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, HeaderValue::from_str(value).expect("a value"));
        }
        let head = Head {
            method,
            target: target.as_bytes(),
            version: Version::HTTP_11,
            authority: "shop.example",
            headers: &headers,
            raw: None,
        };
        let path = Path::parse(target.as_bytes(), &Hasher::new(HashKey::new([3; 16])));
        Wanted::of(&head, &path, is_provoked(&head))
    }

    #[test]
    fn the_path_is_believed_further_than_the_headers() {
        let preflight = Some(("access-control-request-method", "GET"));
        let image = Some(("sec-fetch-dest", "image"));
        let rows = [
            (&Method::GET, "/admin", None, Wanted::Resource),
            (&Method::GET, "/backup.zip", None, Wanted::Resource),
            (&Method::GET, "/images/hat.SVG", None, Wanted::Asset),
            (&Method::GET, "/images/7", image, Wanted::ClaimedAsset),
            (&Method::GET, "/app/favicon.ico", None, Wanted::Customary),
            (&Method::GET, "/apple-touch-icon-120x120.png", None, Wanted::Customary),
            (&Method::GET, "/.well-known/openid-configuration", image, Wanted::WellKnown),
            (&Method::OPTIONS, "/api/orders", preflight, Wanted::Preflight),
            (&Method::OPTIONS, "/api/orders", None, Wanted::Resource),
            (&Method::GET, "/", None, Wanted::Resource),
            (&Method::GET, "/admin", Some(("sec-fetch-site", "cross-site")), Wanted::ClaimedAsset),
            (&Method::GET, "/admin", Some(("sec-fetch-site", "same-origin")), Wanted::Resource),
            (&Method::PUT, "/admin", Some(("sec-fetch-site", "cross-site")), Wanted::Resource),
        ];
        for (method, target, header, expected) in rows {
            assert_eq!(wanted(method, target, header), expected, "{method} {target}");
        }
    }
}
