//! Which format a file has, by its first lines.
//!
//! Each format reads the sample; the one that reads most of it has the file. That is settled once:
//! what does not fit later is skipped and counted, not read some other way.

use traffic::Fields;

use super::clf::Clf;
use super::haproxy::Haproxy;
use super::json::Dialect;
use super::pattern::Pattern;
use super::prefix::Prefix;
use super::{Family, Fault, Format, FormatName, Zone, alb};

/// So many lines are looked at.
pub(crate) const SAMPLE_LINES: usize = 200;
/// And so many bytes.
pub(crate) const SAMPLE_BYTES: usize = 256 * 1024;

/// Envoy's default text format.
pub(crate) const ENVOY: &str = "[%START_TIME%] \"%REQ(:METHOD)% \
    %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% \
    %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \
    \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \
    \"%UPSTREAM_HOST%\"";
/// Of Istio's sidecars, whose default says more.
const ISTIO: &str = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% \
    %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% \
    %CONNECTION_TERMINATION_DETAILS% \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% \
    %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \
    \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" \
    %UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% \
    %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%";
/// Of Nginx Proxy Manager, with its cache and without.
const PROXY_MANAGER: [&str; 2] = [
    "[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host \
     \"$request_uri\" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] [Sent-to \
     $server] \"$http_user_agent\" \"$http_referer\"",
    "[$time_local] $status - $request_method $scheme $host \"$request_uri\" [Client $remote_addr] \
     [Length $body_bytes_sent] [Gzip $gzip_ratio] \"$http_user_agent\" \"$http_referer\"",
];

/// No format reads the sample.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotRecognised {
    /// Lines looked at.
    pub lines: usize,
    /// Lines among them that are messages of a server: the file is another log of it.
    pub messages: usize,
    /// The format that read most of the rest, and how many.
    pub closest: Option<(FormatName, usize)>,
    /// The first line that the closest could not read, and why.
    pub example: Option<(usize, Fault)>,
}

/// What a format made of the sample.
struct Score {
    format: Format,
    read: usize,
    messages: usize,
    first_unread: Option<(usize, Fault)>,
}

/// The format of a file that begins with `lines`.
pub(crate) fn recognise(lines: &[&[u8]], zone: Zone) -> Result<Format, NotRecognised> {
    let best = candidates(lines, zone).into_iter().map(|format| score(format, lines)).reduce(
        |best, other| {
            let rank = |score: &Score| (score.read, score.messages);
            if rank(&other) > rank(&best) { other } else { best }
        },
    );
    let all = lines.iter().filter(|line| !line.trim_ascii().is_empty()).count();
    match best {
        Some(best) if best.read > 0 && best.read * 2 >= all - best.messages.min(all) => {
            Ok(best.format)
        }
        best => Err(NotRecognised {
            lines: all,
            messages: best.as_ref().map_or(0, |best| best.messages),
            closest: best
                .as_ref()
                .filter(|best| best.read > 0)
                .map(|best| (best.format.name(), best.read)),
            example: best.and_then(|best| best.first_unread),
        }),
    }
}

/// The formats that come into question, the more telling first: of two that read as much, the
/// first has the file.
fn candidates(lines: &[&[u8]], zone: Zone) -> Vec<Format> {
    let mut found = Vec::new();
    for prefix in Prefix::ALL {
        let fitting = lines.iter().filter(|line| prefix.strip(line).is_some()).count();
        if fitting * 2 < lines.len() {
            continue;
        }
        let mut families = vec![Family::Clf(Clf::new(zone))];
        families.extend(alb::pattern(zone).ok().map(|pattern| Family::Alb(Box::new(pattern))));
        families.push(Family::Haproxy(Haproxy::new(zone)));
        families.extend(Dialect::ALL.map(|dialect| Family::Json(dialect, zone)));
        let written = [(ENVOY, "Envoy"), (ISTIO, "Envoy (Istio)")]
            .into_iter()
            .chain(PROXY_MANAGER.map(|format| (format, "Nginx Proxy Manager")));
        families.extend(written.filter_map(|(format, name)| {
            Pattern::of(format, zone).ok().map(|pattern| Family::Pattern(Box::new(pattern), name))
        }));
        found.extend(families.into_iter().map(|family| Format { family, prefix }));
    }
    found
}

fn score(mut format: Format, lines: &[&[u8]]) -> Score {
    let (mut read, mut messages, mut first_unread) = (0, 0, None);
    let mut fields = Fields::default();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
        match format.read(line, &mut fields) {
            Ok(_) => read += 1,
            Err(Fault::Message) => messages += 1,
            Err(fault) => first_unread = first_unread.or(Some((at + 1, fault))),
        }
    }
    Score { format, read, messages, first_unread }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(lines: &[&str]) -> Result<&'static str, NotRecognised> {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        recognise(&lines, Zone::UTC).map(|format| format.name().0)
    }

    #[test]
    fn formats_are_known_by_their_lines() {
        for (line, expected) in [
            (
                r#"192.0.2.1 - - [08/Dec/2021:09:16:05 +0000] "GET / HTTP/1.1" 200 5"#,
                "common/combined",
            ),
            (
                r#"Apr  4 14:30:19 hap haproxy[39]: 192.0.2.7:1 [04/Apr/2024:14:30:18.885] f~ b/s 0/0/0/1/1 404 15 - - ---- 5/6/9/1/0 0/0 "GET / HTTP/1.1""#,
                "HAProxy HTTP",
            ),
            (
                r#"https 2023-04-26T12:23:00.186641Z app/x/49 192.0.2.1:44740 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://x.example:443/r HTTP/1.1" "curl" E T"#,
                "AWS ALB",
            ),
            (
                r#"{"start_time":"2024-06-01T10:00:00.500Z","method":"POST","path":"/a","response_code":201,"downstream_remote_address":"192.0.2.7:5"}"#,
                "Envoy JSON",
            ),
            (
                r#"{"time":"2024-06-01T10:00:00Z","remote_addr":"192.0.2.7","request":"GET / HTTP/1.1","status":200}"#,
                "JSON",
            ),
            (
                r#"[2016-04-15T20:17:00.310Z] "POST /a HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21" "locations" "tcp://10.0.2.1:80""#,
                "Envoy",
            ),
        ] {
            assert_eq!(name(&[line]), Ok(expected), "{line}");
        }
    }

    #[test]
    fn the_majority_has_the_file() {
        let good = r#"192.0.2.1 - - [08/Dec/2021:09:16:05 +0000] "GET / HTTP/1.1" 200 5"#;
        assert!(name(&[good, "what?", good]).is_ok());
        let error = name(&[good, "what?", "no", "never"]).expect_err("too little of it");
        assert_eq!(error.closest, Some((FormatName("common/combined"), 1)));
        assert_eq!(error.example, Some((2, Fault::NoTime)));
    }

    #[test]
    fn an_error_log_is_called_one() {
        let line = "2021/12/02 11:53:15 [error] 40#40: *4 limiting requests, excess: 5.428 by zone";
        let error = name(&[line, line]).expect_err("no access log");
        assert_eq!((error.lines, error.messages, error.closest), (2, 2, None));
    }
}
