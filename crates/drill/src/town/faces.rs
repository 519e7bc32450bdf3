//! How programs write their heads: browsers as people have them, with all that is odd about some,
//! and programs that pass for one.

use http::header::HeaderName;

/// How a program writes the heads of its requests.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    /// Its `User-Agent`; with none, that of the client.
    pub name: Option<&'static str>,
    /// The headers of each request, in its order.
    pub order: &'static [&'static str],
    /// Its TLS hello, as JA4, where it speaks TLS.
    pub hello: Option<&'static str>,
}

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const WEB_VIEW: &str = "Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/143.0.0.0 Mobile Safari/537.36";
const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const LIBRARY: &str = "python-requests/2.32.3";
const LIBRARYS_HEAD: &[&str] = &["host", "user-agent", "accept-encoding", "accept", "connection"];
const LIBRARYS_HELLO: &str = "t13d1812h1_85036bcba153_b26ce05bbdd6";

impl Face {
    /// What most people here have.
    pub const ORDINARY: Self = Self {
        name: None,
        order: &["host", "user-agent", "accept", "accept-language"],
        hello: None,
    };
    /// A library that says so.
    pub const LIBRARY: Self =
        Self { name: Some(LIBRARY), order: LIBRARYS_HEAD, hello: Some(LIBRARYS_HELLO) };

    /// Programs that pass for a browser or a crawler, and are given away by the order of their
    /// headers, by their hello, by the language that they do not name, by where they come from.
    pub const POSING: [Self; 4] = [
        Self { name: Some(CHROME), order: LIBRARYS_HEAD, hello: None },
        Self {
            name: Some(FIREFOX),
            order: &["host", "user-agent", "accept", "accept-language", "accept-encoding"],
            hello: Some(LIBRARYS_HELLO),
        },
        Self {
            name: Some(CHROME),
            order: &["host", "connection", "user-agent", "accept"],
            hello: None,
        },
        Self { name: Some(GOOGLEBOT), order: &["host", "accept", "user-agent"], hello: None },
    ];

    /// What is odd, and a browser all the same: behind a proxy that sorts headers, in an app's web
    /// view, with an extension that adds some, that leaves out what names its user, old, a web
    /// view whose app logs in with its own library.
    pub const ODD: [Self; 6] = [
        Self {
            name: None,
            order: &["accept", "accept-encoding", "accept-language", "host", "user-agent", "via"],
            hello: None,
        },
        Self {
            name: Some(WEB_VIEW),
            order: &[
                "host",
                "connection",
                "user-agent",
                "accept",
                "x-requested-with",
                "sec-fetch-mode",
                "accept-encoding",
                "accept-language",
            ],
            hello: None,
        },
        Self {
            name: Some(FIREFOX),
            order: &[
                "host",
                "user-agent",
                "accept",
                "accept-language",
                "accept-encoding",
                "dnt",
                "sec-gpc",
                "connection",
            ],
            hello: None,
        },
        Self { name: Some(FIREFOX), order: &["host", "user-agent", "accept", "dnt"], hello: None },
        Self { name: Some(CHROME), order: &["user-agent", "host", "accept-language"], hello: None },
        Self { name: Some(WEB_VIEW), order: LIBRARYS_HEAD, hello: Some(LIBRARYS_HELLO) },
    ];

    /// The headers in order, each with what it says; `agent` and `language` are the client's.
    pub fn headers(
        &self,
        agent: &'static str,
        language: &'static str,
    ) -> impl Iterator<Item = (HeaderName, &'static str)> {
        let agent = self.name.unwrap_or(agent);
        self.order.iter().map(move |name| {
            let value = match *name {
                "host" => super::actor::HOST,
                "user-agent" => agent,
                "accept" => "application/json, text/plain, */*",
                "accept-language" => language,
                "accept-encoding" => "gzip, deflate",
                "connection" => "keep-alive",
                "sec-fetch-mode" => "cors",
                "x-requested-with" => "example.town.shop",
                "via" => "1.1 proxy.office.example",
                _ => "1",
            };
            (HeaderName::from_static(name), value)
        })
    }
}
