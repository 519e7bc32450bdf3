//! Log formats written as a string: nginx's `log_format`, Apache's `LogFormat`, Envoy's text.
//!
//! The string is taken apart once into texts and fields; a line is then read from left to right,
//! each field up to the text that follows it. What stands behind the last field that matters is
//! not looked at, so that a list of upstreams with commas in it does no harm.

mod variables;

use std::borrow::Cow;

use super::field::{self, Field};
use super::line::LogLine;
use super::text::{closing_quote, undone};
use super::{Fault, Zone};

pub(crate) use variables::{nginx_variable, request_header};

/// Longer formats are refused.
const PIECES_MAX: usize = 256;

/// A format string, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// The text before the first field.
    head: Box<[u8]>,
    fields: Vec<Part>,
    zone: Zone,
}

/// One field and the text that ends it.
#[derive(Clone, Debug)]
struct Part {
    field: Field,
    until: Box<[u8]>,
    /// It stands in quotes: it ends at the first quote without a backslash.
    is_quoted: bool,
}

/// Why a format string cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAFormat {
    /// There is no variable in it.
    #[error("no variable such as $remote_addr, %h or %START_TIME% in it")]
    NoVariable,
    /// Two fields stand side by side.
    #[error("nothing stands between {0} and {1}: a line could not be taken apart")]
    Adjacent(String, String),
    /// Something that every line must tell is missing.
    #[error("it does not say {0}")]
    Missing(&'static str),
    /// It is longer than any format.
    #[error("it has more than {PIECES_MAX} variables")]
    TooLong,
}

/// A piece of a format string.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Piece {
    Text(Vec<u8>),
    Variable(String, Field),
}

impl Pattern {
    /// Takes a format string apart.
    pub(crate) fn of(format: &str, zone: Zone) -> Result<Self, NotAFormat> {
        let mut pieces = variables::pieces(format).into_iter().peekable();
        let mut head = Vec::new();
        while let Some(Piece::Text(text)) = pieces.next_if(|piece| matches!(piece, Piece::Text(_)))
        {
            head.extend(text);
        }
        let mut fields: Vec<Part> = Vec::new();
        let mut ends_before: Vec<u8> = head.clone();
        while let Some(piece) = pieces.next() {
            let Piece::Variable(name, field) = piece else { continue };
            let mut until = Vec::new();
            while let Some(Piece::Text(text)) =
                pieces.next_if(|piece| matches!(piece, Piece::Text(_)))
            {
                until.extend(text);
            }
            if until.is_empty()
                && let Some(Piece::Variable(next, _)) = pieces.peek()
            {
                return Err(NotAFormat::Adjacent(name, next.clone()));
            }
            let is_quoted = ends_before.ends_with(b"\"") && until.starts_with(b"\"");
            ends_before.clone_from(&until);
            fields.push(Part { field, until: until.into(), is_quoted });
            if fields.len() > PIECES_MAX {
                return Err(NotAFormat::TooLong);
            }
        }
        checked(&fields)?;
        let last = fields.iter().rposition(|part| part.field != Field::Other);
        fields.truncate(last.map_or(0, |last| last + 1));
        Ok(Self { head: head.into(), fields, zone })
    }

    /// Reads a line.
    pub(crate) fn read<'a>(&self, text: &'a [u8]) -> Result<LogLine<'a>, Fault> {
        let mut rest = text.strip_prefix(&*self.head).ok_or(Fault::Shape)?;
        let mut line = LogLine::default();
        for part in &self.fields {
            let (value, after) = part.take(rest)?;
            let value = if part.is_quoted { undone(value) } else { Cow::Borrowed(value) };
            field::put(&mut line, &part.field, value, self.zone)?;
            rest = after;
        }
        Ok(line)
    }
}

impl Part {
    /// The field's text, and what follows the text that ends it.
    fn take<'a>(&self, rest: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Fault> {
        if self.until.is_empty() {
            return Ok((rest, &[]));
        }
        if self.is_quoted {
            let end = closing_quote(rest).ok_or(Fault::Quotes)?;
            let (value, after) = rest.split_at_checked(end).ok_or(Fault::Quotes)?;
            return Ok((value, after.strip_prefix(&*self.until).ok_or(Fault::Shape)?));
        }
        match memchr::memmem::find(rest, &self.until) {
            Some(end) => {
                let value = rest.get(..end).unwrap_or_default();
                Ok((value, rest.get(end + self.until.len()..).unwrap_or_default()))
            }
            // The last field of a line that ends where the format goes on.
            None => {
                let bare = self.until.trim_ascii_end();
                let ends = !bare.is_empty() && rest.ends_with(bare);
                let end = if ends { rest.len() - bare.len() } else { return Err(Fault::Shape) };
                Ok((rest.get(..end).unwrap_or_default(), &[]))
            }
        }
    }
}

/// What every line must tell: when, who, what.
fn checked(fields: &[Part]) -> Result<(), NotAFormat> {
    let has = |wanted: fn(&Field) -> bool| fields.iter().any(|part| wanted(&part.field));
    if fields.is_empty() {
        return Err(NotAFormat::NoVariable);
    }
    if !has(|field| matches!(field, Field::Time(_) | Field::Epoch(..))) {
        return Err(NotAFormat::Missing("when: $time_local, %t or %START_TIME%"));
    }
    if !has(|field| matches!(field, Field::Request | Field::Target | Field::Path)) {
        return Err(NotAFormat::Missing("what was asked for: $request, %r or %REQ(:PATH)%"));
    }
    if !has(|field| matches!(field, Field::Status)) {
        return Err(NotAFormat::Missing("the status: $status, %>s or %RESPONSE_CODE%"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NPM: &str = "[$time_local] $upstream_cache_status $upstream_status $status - \
        $request_method $scheme $host \"$request_uri\" [Client $remote_addr] [Length $body_bytes_sent] \
        [Gzip $gzip_ratio] [Sent-to $server] \"$http_user_agent\" \"$http_referer\"";
    const ENVOY: &str = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" \
        %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \
        %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \
        \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";
    const APACHE: &str =
        r#"%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" %D %{ms}T"#;

    fn read(format: &str, text: &str) -> String {
        let pattern = Pattern::of(format, Zone::UTC).expect(format);
        let line = match pattern.read(text.as_bytes()) {
            Ok(line) => line,
            Err(fault) => return format!("{fault:?}"),
        };
        let request = line.request.read().expect("a request");
        let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        format!(
            "{} took {:?} {} {} {} -> {:?} {:?} by {:?}",
            line.times().expect("a time").0,
            line.took,
            line.caller().map_or("-".to_owned(), |client| client.to_string()),
            request.method,
            line.host.as_deref().map_or_else(|| "-".to_owned(), text) + &text(&request.target),
            line.status,
            line.bytes,
            line.headers
                .iter()
                .map(|(name, value)| format!("{name}={}", text(value)))
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn formats_of_three_servers_are_read() {
        expect_test::expect![[
            r#"2024-02-10T20:25:15.000000Z took None 192.168.1.104 GET api.example.org/v1/health -> Some(200) Some(512) by ["user-agent=curl/7.68.0"]"#
        ]]
        .assert_eq(&read(NPM, r#"[10/Feb/2024:21:25:15 +0100] - 404 200 - GET http api.example.org "/v1/health" [Client 192.168.1.104] [Length 512] [Gzip 1.1] [Sent-to 10.0.0.2] "curl/7.68.0" "-""#));
        expect_test::expect![[
            r#"2016-04-15T20:17:00.310000Z took Some(226ms) 192.0.2.9 POST locations/api/v1/locations -> Some(204) Some(0) by ["x-forwarded-for=192.0.2.9", "user-agent=nsq2http", "x-request-id=cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2"]"#
        ]]
        .assert_eq(&read(ENVOY, r#"[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "192.0.2.9" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80""#));
        expect_test::expect![[
            r#"2021-12-08T09:16:05.000000Z took Some(1.234ms) 192.0.2.1 GET shop.example/a%20b?q=%22 -> Some(200) Some(99) by ["referer=http://x/\"", "user-agent=A \\ B"]"#
        ]]
        .assert_eq(&read(APACHE, r#"shop.example:443 192.0.2.1 - - [08/Dec/2021:09:16:05 +0000] "GET /a%20b?q=%22 HTTP/1.1" 200 99 "http://x/\"" "A \\ B" 1234 1"#));
    }

    #[test]
    fn a_list_behind_the_last_field_that_matters_does_no_harm() {
        let format =
            "$remote_addr [$time_local] \"$request\" $status $upstream_response_time $pipe";
        let text = r#"192.0.2.1 [08/Dec/2021:09:16:05 +0000] "GET /a HTTP/1.1" 502 0.001, 0.002 ."#;
        assert!(read(format, text).contains("/a -> Some(502)"));
    }

    #[test]
    fn what_is_wrong_with_a_format_is_told() {
        for (format, error) in [
            ("plain", NotAFormat::NoVariable),
            ("$request $status", NotAFormat::Missing("when: $time_local, %t or %START_TIME%")),
            (
                "$remote_addr$time_local",
                NotAFormat::Adjacent("$remote_addr".to_owned(), "$time_local".to_owned()),
            ),
        ] {
            assert_eq!(Pattern::of(format, Zone::UTC).map(|_| ()), Err(error), "{format}");
        }
    }

    #[test]
    fn a_line_of_another_shape_is_refused() {
        for text in
            ["", "[", "[10/Feb/2024:21:25:15 +0100] - 404", "x [10/Feb/2024:21:25:15 +0100]"]
        {
            assert_eq!(read(NPM, text), "Shape", "{text}");
        }
    }
}
