//! What other programs put before a log line, and lines that are no access log's at all.

/// What stands before each line of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Prefix {
    /// Nothing.
    None,
    /// Syslog's or the journal's: date, host, `program[pid]: `.
    Syslog,
    /// A container runtime's: time, stream, `F` or `P`.
    Container,
}

impl Prefix {
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Syslog, Self::Container];

    /// The line behind the prefix; none where there is no such prefix.
    pub(crate) fn strip(self, text: &[u8]) -> Option<&[u8]> {
        match self {
            Self::None => Some(text),
            Self::Syslog => behind_program(text),
            Self::Container => behind_stream(text),
        }
    }
}

/// Behind `Apr  4 14:30:19 host program[17]: ` or `<134>1 2024-04-04T14:30:19Z host program: `.
fn behind_program(text: &[u8]) -> Option<&[u8]> {
    let head = text.get(..160.min(text.len()))?;
    let colon = memchr::memmem::find(head, b": ")?;
    let before = head.get(..colon)?;
    let program = before.rsplit(|byte| *byte == b' ').next()?;
    let starts_like_one = before
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte.is_ascii_digit() || *byte == b'<');
    let is_program = program.iter().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'[' | b']' | b'-' | b'_' | b'/' | b'.')
    });
    let is_quoted = before.contains(&b'"');
    let words = before.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).count();
    let is_prefix = starts_like_one
        && is_program
        && !is_quoted
        && !program.is_empty()
        && (3..=7).contains(&words);
    is_prefix.then(|| text.get(colon + 2..)).flatten()
}

/// Behind `2024-04-04T14:30:19.123456789Z stdout F `.
fn behind_stream(text: &[u8]) -> Option<&[u8]> {
    let mut parts = text.splitn(4, |byte| *byte == b' ');
    let (time, stream, whole) = (parts.next()?, parts.next()?, parts.next()?);
    let is_one = time.get(4) == Some(&b'-')
        && matches!(stream, b"stdout" | b"stderr")
        && matches!(whole, b"F" | b"P");
    is_one.then(|| parts.next()).flatten()
}

/// Whether a line is a message in one of the forms of servers' error logs: a date or a bracketed
/// date, and a level. It tells of no exchange.
pub(crate) fn is_message(text: &[u8]) -> bool {
    let head = text.get(..96.min(text.len())).unwrap_or_default();
    let has_level = [
        &b"[error]"[..],
        b"[warn]",
        b"[notice]",
        b"[info]",
        b"[crit]",
        b"[alert]",
        b"[emerg]",
        b"[debug]",
        b":error]",
        b":warn]",
        b":notice]",
        b":info]",
        b"[NOTICE]",
        b"[INFO]",
        b"[WARN]",
        b"[ERROR]",
        b" WARN ",
        b" INFO ",
        b" ERROR ",
        b" DEBUG ",
    ]
    .iter()
    .any(|level| memchr::memmem::find(head, level).is_some());
    let starts_with_level = [&b"DEBUG: "[..], b"INFO: ", b"WARN: ", b"ERROR: "]
        .iter()
        .any(|level| head.starts_with(level));
    starts_with_level
        || (has_level && head.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_come_off() {
        for (prefix, text, bare) in [
            (
                Prefix::Syslog,
                "Apr  4 14:30:19 hap-1 haproxy[39]: 192.0.2.1:5 [x",
                Some("192.0.2.1:5 [x"),
            ),
            (Prefix::Syslog, "<134>1 2024-04-04T14:30:19Z h nginx: a", Some("a")),
            (Prefix::Syslog, "192.0.2.1 - - [04/Apr/2024:14:30:19 +0000] \"GET /a: b", None),
            (Prefix::Container, "2024-04-04T14:30:19.1Z stdout F a b", Some("a b")),
            (Prefix::Container, "192.0.2.1 - - [", None),
        ] {
            let stripped = prefix.strip(text.as_bytes());
            assert_eq!(stripped, bare.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn messages_are_told_from_requests() {
        for message in [
            "2021/12/02 11:53:15 [error] 40#40: *4 limiting requests, excess: 5.428",
            "[Fri Oct 08 17:08:41.203277 2021] [core:error] [pid 7005:tid 1] [client 1.2.3.4:1]",
            "2022-06-08 22:49:20.774649 [NOTICE] [1226033] [1.2.3.4:45164]",
            "2023-05-25 22:24:19,357 WARN  [org.key.events] (executor-thread-1)",
            "DEBUG: plugin: 2025/09/05 13:53:40 updated",
        ] {
            assert!(is_message(message.as_bytes()), "{message}");
        }
        let request = "192.0.2.1 - - [04/Apr/2024:14:30:19 +0000] \"GET /[error] HTTP/1.1\" 200 1";
        assert!(!is_message(request.as_bytes()[12..40].as_ref()));
    }
}
