//! Lines that nobody wrote on purpose, and lines that somebody did.

use proptest::prelude::*;
use traffic::Fields;

use super::*;

/// A good line of each format, and the format's name.
const GOOD: [(&str, &str); 8] = [
    (
        "combined",
        r#"shop.example 192.0.2.7 - ada [17/May/2015:10:05:03 +0000] "GET /a?b=1 HTTP/1.1" 200 5 "-" "curl/8" 12"#,
    ),
    (
        "haproxy",
        r#"192.0.2.7:14853 [14/Jan/2015:12:48:57.127] f~ b/s 170/0/0/3/173 200 739 - - ---- 1/1/1/1/0 0/0 {x} "GET /a HTTP/1.1""#,
    ),
    (
        "alb",
        r#"https 2023-04-26T12:23:00.186641Z app/x/49 192.0.2.7:44740 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://x.example:443/r HTTP/1.1" "curl" E T"#,
    ),
    (
        "json",
        r#"{"time":"2024-06-01T10:00:00Z","remote_addr":"192.0.2.7","request":"GET /\u0041 HTTP/1.1","status":200}"#,
    ),
    (
        "caddy",
        r#"{"ts":1693840791.7,"request":{"client_ip":"192.0.2.7","method":"GET","uri":"/","headers":{"User-Agent":["x"]}},"duration":0.1,"status":200}"#,
    ),
    (
        "traefik",
        r#"{"ClientHost":"192.0.2.7","DownstreamStatus":200,"Duration":3,"RequestMethod":"GET","RequestPath":"/","StartUTC":"2021-12-08T14:02:43.5Z"}"#,
    ),
    (
        "envoy",
        r#"[2016-04-15T20:17:00.310Z] "POST /a HTTP/2" 204 - 154 0 226 100 "192.0.2.7" "x" "y" "z" "tcp://10.0.2.1:80""#,
    ),
    (
        r#"%h %l %u %t \"%r\" %>s %b \"%{Cookie}i\" %{Content-Type}o %D"#,
        r#"192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "a=\"b\"" text/html 77"#,
    ),
];

fn read(name: &str, line: &[u8]) -> Result<(), Fault> {
    let mut format = Format::named(name, Zone::UTC).expect("a format");
    let mut fields = Fields::default();
    format.read(line, &mut fields).map(|line| {
        // What was read can be used, whatever it is.
        let _ = line.request.read();
        assert!(line.caller().is_some() && line.times().is_ok());
    })
}

#[test]
fn good_lines_are_read() {
    for (name, line) in GOOD {
        assert_eq!(read(name, line.as_bytes()), Ok(()), "{name}");
    }
}

#[test]
fn what_clients_write_moves_no_field() {
    // Quotes and backslashes of the client come escaped; nothing that it writes ends a field.
    let forged = r#"192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a\" 200 5 \"-\" \"x HTTP/1.1" 404 9 "-" "\" 200""#;
    let mut format = Format::named("combined", Zone::UTC).expect("a format");
    let mut fields = Fields::default();
    let line = format.read(forged.as_bytes(), &mut fields).expect("a line");
    assert_eq!((line.status, line.bytes), (Some(404), Some(9)));
    let forged = r#"{"time":"2024-06-01T10:00:00Z","remote_addr":"192.0.2.7","request":"GET /\",\"status\":\"200 HTTP/1.1","status":404}"#;
    let mut format = Format::named("json", Zone::UTC).expect("a format");
    let line = format.read(forged.as_bytes(), &mut fields).expect("a line");
    assert_eq!(line.status, Some(404));
}

#[test]
fn a_long_line_of_nothing_but_marks_takes_no_time() {
    for mark in ["[", "\"", "\\", " ", "{\"a\":", "[1", "%", "- ", "\\x", ","] {
        let line = mark.repeat((1 << 20) / mark.len());
        let begun = std::time::Instant::now();
        for (name, _) in GOOD {
            let _ = read(name, line.as_bytes());
        }
        assert!(begun.elapsed().as_secs() < 5, "{mark:?} took {:?}", begun.elapsed());
    }
}

proptest! {
    #[test]
    fn no_bytes_harm_a_reader(line in prop::collection::vec(any::<u8>(), 0..400)) {
        for (name, _) in GOOD {
            let _ = read(name, &line);
        }
    }

    #[test]
    fn no_change_to_a_good_line_harms_a_reader(
        which in 0..GOOD.len(),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8),
            1..8,
        ),
    ) {
        let (name, good) = GOOD[which];
        let mut line = good.as_bytes().to_vec();
        for (at, byte, kind) in changes {
            let at = at.index(line.len().max(1));
            match kind {
                0 if at < line.len() => line[at] = byte,
                1 if at < line.len() => line.truncate(at),
                _ => line.insert(at.min(line.len()), byte),
            }
        }
        let _ = read(name, &line);
        let lines = [line.as_slice(), good.as_bytes()];
        let _ = recognise(&lines, Zone::UTC);
    }

    #[test]
    fn no_format_string_harms_anybody(format in "[ -~]{0,80}", line in "[ -~]{0,200}") {
        if let Ok(mut format) = Format::named(&format, Zone::UTC) {
            let _ = format.read(line.as_bytes(), &mut Fields::default());
        }
    }
}
