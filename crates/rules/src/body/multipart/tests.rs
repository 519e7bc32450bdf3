//! Multipart bodies, what they are read as, and what is odd about each.

use proptest::prelude::*;

use super::*;

const CONTENT_TYPE: &[u8] = b"multipart/form-data; boundary=b";

fn limited(body: &str, limits: &Limits) -> String {
    let body = body.replace('\n', "\r\n");
    describe(&parse(body.as_bytes(), CONTENT_TYPE, limits))
}

/// Fields, files and what is odd, in one line.
fn describe(multipart: &Multipart<'_>) -> String {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let mut out: Vec<String> = multipart
        .fields()
        .map(|field| format!("{}={}", text(field.name), text(field.value)))
        .collect();
    for file in multipart.files() {
        let filenames: Vec<_> = file.filenames.iter().map(|name| text(name)).collect();
        out.push(format!("{}<{}>{}", text(file.name()), filenames.join("|"), file.content.len()));
    }
    let flags = multipart.flags;
    let marks = [
        (flags.boundary_quoted, "BQ"),
        (flags.boundary_whitespace, "BW"),
        (flags.data_before, "DB"),
        (flags.data_after, "DA"),
        (flags.header_folding, "HF"),
        (flags.invalid_header_folding, "IH"),
        (flags.lf_line, "LF"),
        (flags.crlf_lf_lines(), "CRLF/LF"),
        (flags.missing_semicolon, "SM"),
        (flags.invalid_quoting, "IQ"),
        (flags.invalid_part, "IP"),
        (flags.file_limit_exceeded, "FL"),
        (flags.unmatched_boundary == UnmatchedBoundary::Open, "UB1"),
        (flags.unmatched_boundary == UnmatchedBoundary::Enclosed, "UB2"),
    ];
    let marks: Vec<_> = marks.iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| *mark).collect();
    let is_strict = marks.iter().any(|mark| !mark.starts_with("UB")) || multipart.fault.is_some();
    assert_eq!(multipart.strict_error(), is_strict);
    let fault = multipart.fault.map_or_else(String::new, |fault| format!("{fault:?}"));
    format!("{} [{}] {fault}", out.join(" "), marks.join(" ")).trim_end().to_owned()
}

#[track_caller]
fn check(body: &str, expected: &str) {
    assert_eq!(limited(body, &Limits::default()), expected);
}

const A: &str = "Content-Disposition: form-data; name=\"a\"";
const F: &str = "Content-Disposition: form-data; name=\"f\"; filename=\"x.php\"";

#[test]
fn fields_and_files_are_told_apart() {
    check(
        &format!("--b\n{A}\n\n1\n2\n--b\n{F}\nContent-Type: text/plain\n\n<?php\n--b--\n"),
        "a=1\\r\\n2 f<x.php>5 []",
    );
    check(&format!("--b\n{A}\n\n\n--b\n{A}\n\n2\n--b--"), "a= a=2 []");
    check(&format!("--b\n{A}; filename=\"\"\n\nx\n--b--\n"), "a=x []");
    check(&format!("--b\n{A}; filename=y; filename*=utf-8''z%2e\n\nx\n--b--\n"), "a<y|z.>1 []");
    check(&format!("--b\n{A}\n\n\n\n--b--\n"), "a=\\r\\n []");
    check(&format!("--b\n{A}\n\n--b--\n"), "a= [IP] UnendedHeaders");
    check(&format!("--b\n{A}\n\n--b\n{F}\n\n1\n--b--\n"), "a= f=1 f<x.php>1 [IP] UnendedHeaders");
    check("", " []");
}

#[test]
fn part_headers_are_raw_lines_by_the_name_of_the_part() {
    let body = format!("--b\n{A}\nContent-Type:  text/plain\n\t; charset=utf-7\n\nx\n--b--\n")
        .replace('\n', "\r\n");
    let multipart = parse(body.as_bytes(), CONTENT_TYPE, &Limits::default());
    let headers: Vec<_> = multipart.part_headers().collect();
    assert_eq!(headers[0], Argument { name: b"a", value: A.as_bytes() });
    assert_eq!(headers[1].value, b"Content-Type:  text/plain ; charset=utf-7");
    assert!(matches!(multipart.parts[0].headers[..], [Cow::Borrowed(_), Cow::Owned(_)]));
    assert_eq!(multipart.files_combined_bytes(), 0);
}

#[test]
fn each_flag_is_set_by_what_it_is_named_for() {
    check(&format!("x\n--b\n{A}\n\n1\n--b--\n"), "a=1 [DB]");
    check(&format!("--b\n{A}\n\n1\n--b--\nevil"), "a=1 [DA]");
    check(&format!("--b\n{A}\nX: y\n z\n\n1\n--b--\n"), "a=1 [HF]");
    check("--b\nContent-Disposition: form-data;\n\x0bname=a\n\n1\n--b--\n", "a=1 [HF IH]");
    check("--b\nContent-Disposition: form-data; name='a'\n\n1\n--b--\n", "a=1 [IQ]");
    check("--b\nContent-Disposition: form-data\n\n1\n--b--\n", "=1 [IP] NoName");
    check(&format!("--b\n{A}\n\n-----BEGIN\n--b--\n"), "a=-----BEGIN [UB2]");
    check(&format!("--b\n{A}\n\nx --b y\n--b--\n"), "a=x --b y [UB2]");
    check(&format!("--b\n{A}\n\n--c"), "a=--c [UB1] Truncated");
    let few = Limits { files_max: 1, ..Limits::default() };
    assert_eq!(
        limited(&format!("--b\n{F}\n\n1\n--b\n{F}\n\n2\n--b--\n"), &few),
        "f<x.php>1 f<x.php>1 [FL]"
    );
}

#[test]
fn line_ends_are_told() {
    let lines = format!("--b\n{A}\n\nx\ny\n--b--\n");
    let read = |body: &str| describe(&parse(body.as_bytes(), CONTENT_TYPE, &Limits::default()));
    assert_eq!(read(&lines), "a=x\\ny [LF]");
    assert_eq!(read(&lines.replacen('\n', "\r\n", 1)), "a=x\\ny [LF CRLF/LF]");
    let crlf = lines.replace('\n', "\r\n");
    assert_eq!(read(&crlf.replace("x\r\n", "x\n")), "a=x\\ny []");
    assert_eq!(read(&crlf.replace("y\r\n", "y\n")), "a=x\\r\\ny [LF CRLF/LF]");
}

#[test]
fn the_content_type_sets_flags_too() {
    let body = format!("--b\r\n{A}\r\n\r\n1\r\n--b--\r\n");
    let read = |header: &[u8]| describe(&parse(body.as_bytes(), header, &Limits::default()));
    assert_eq!(read(b"multipart/form-data; boundary=\"b\""), "a=1 [BQ]");
    assert_eq!(read(b"multipart/form-data; boundary =b"), "a=1 [BW]");
    assert_eq!(read(b"multipart/form-data boundary=b"), "a=1 [SM]");
    assert_eq!(read(b"multipart/form-data; charset=x; boundary=b"), "a=1 [] Boundary");
    assert_eq!(read(b"multipart/related; boundary=b"), "a=1 [] ContentType");
    assert_eq!(read(b"multipart/form-data"), " [] Boundary");
    assert_eq!(read(b"multipart/form-data; boundary=c"), " [DB UB1] NoBoundary");
    let lost = parse(body.as_bytes(), b"multipart/form-data", &Limits::default());
    assert_eq!(lost.unread, body.as_bytes());
}

#[test]
fn boundaries_that_are_none_are_faults() {
    check(&format!("--b \n{A}\n\n1\n--b--\n"), "a=1 [] BoundaryLine");
    check(&format!("--b\n{F}\n\n1\n--bx\n{A}\n\n2\n--b--\n"), "a=2 f<x.php>1 [] BoundaryLine");
    check(&format!("--b\n{A}\n\n1\n--b-\n"), "a=1 [] BoundaryLine");
    check(&format!("--b\n{A}\n\n1\n-- b\n2\n--b--\n"), "a=1\\r\\n-- b\\r\\n2 [UB2] BoundaryLine");
    check(&format!("--b\n{A}\n\n1\n--\"b\"\n--b--\n"), "a=1\\r\\n--\\\"b\\\" [UB2] BoundaryLine");
    check("a=1", " [DB] NoBoundary");
}

#[test]
fn odd_headers_make_a_file_an_argument_as_well() {
    check(&format!("--b\n\x0e{F}\n{A}\n\n1\n--b--\n"), "a=1 [] Header");
    check(&format!("--b\n{F}\n{A}\n\n1\n--b--\n"), "f=1 a= f<x.php>1 [] DuplicateHeader");
    check(
        "--b\nContent-Disposition: form-data; name=f; filename=x; filename=y\n\n1\n--b--\n",
        "f=1 f<x|y>1 [IP] Disposition",
    );
    check(
        "--b\nContent-Disposition: form-data; name=f; Filename=x\n\n1\n--b--\n",
        "f=1 f<x>1 [IP] Disposition",
    );
    check(&format!("--b\n{F}\nX\n\n1\n--b--\n"), "f=1 f<x.php>1 [] Header");
    check(&format!("--b\n{F}\nX : y\n\n1\n--b--\n"), "f=1 f<x.php>1 [] Header");
    check(&format!("--b\n{F}\nX: \0\n\n1\n--b--\n"), "f=1 f<x.php>1 [] Header");
    check(
        &format!("--b\n{F}\nX: y\rContent-Disposition: z\n\n1\n--b--\n"),
        "f=1 f<x.php>1 [] Header",
    );
    check(&format!("--b\n x\n{F}\n\n1\n--b--\n"), "f=1 f<x.php>1 [HF] Header");
    check("--b\nContent-Type: text/plain\n\n1\n--b--\n", "=1 [IP] NoDisposition");
    check("--b\n\n1\n--b--\n", "=1 [IP] NoDisposition");
}

#[test]
fn what_breaks_off_is_kept() {
    check(&format!("--b\n{A}\n\n1\n"), "a=1\\r\\n [] Truncated");
    check(&format!("--b\n{A}\n\n1\n--b\n"), "a=1 [] Truncated");
    check(&format!("--b\n{A}\n\n1\n--b"), "a=1 [] Truncated");
    check(&format!("--b\n{A}\n\n1\n--b\n{F}"), "a=1 f= f<x.php>0 [] UnendedHeaders");
    check(&format!("--b\n{A}\n--b--\n"), "a= [] UnendedHeaders");
}

#[test]
fn nested_parts_are_text() {
    let inner = "Content-Type: multipart/mixed; boundary=c\n\n--c\nContent-Disposition: file; filename=x\n\n1\n--c--";
    let multipart = limited(&format!("--b\n{A}\n{inner}\n--b--\n"), &Limits::default());
    assert!(multipart.starts_with("a=--c\\r\\nContent-Disposition: file"), "{multipart}");
    assert!(multipart.ends_with("--c-- [UB2]"), "{multipart}");
}

#[test]
fn bounds_keep_what_came_before() {
    let two = format!("--b\n{A}\n\n1\n--b\n{A}\n\n2\n--b--\n");
    let limits = Limits { parts_max: 1, ..Limits::default() };
    assert_eq!(limited(&two, &limits), "a=1 [] TooManyParts");
    let limits = Limits { part_headers_max: 1, ..Limits::default() };
    assert_eq!(limited(&format!("--b\n{A}\nX: y\n\n1\n--b--\n"), &limits), "a=1 [] TooManyHeaders");
    let limits = Limits { part_header_bytes_max: 50, ..Limits::default() };
    let long = format!("--b\n{A}\nX: {}\n y\n\n1\n--b--\n", "x".repeat(47));
    assert_eq!(limited(&long, &limits), "a=1 [HF] HeaderTooLong");
    let limits = Limits { body_bytes_max: 50, ..Limits::default() };
    assert_eq!(limited(&two, &limits), "a=1 [] TooLong");
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "--b",
        "--",
        "\r\n",
        "\n",
        "\r",
        "Content-Disposition: form-data",
        "; name=a",
        "; filename=\"x\"",
        "; filename*=u''%41",
        ": ",
        " ",
        "\"",
        "\0",
        "text",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

fn bounded(body: &[u8]) -> Result<(), TestCaseError> {
    let multipart = parse(body, CONTENT_TYPE, &Limits::default());
    let content: usize = multipart.parts.iter().map(|part| part.content.len()).sum();
    let headers: usize = multipart.part_headers().map(|header| header.value.len()).sum();
    prop_assert!(content + headers + multipart.unread.len() <= body.len());
    prop_assert!(body.ends_with(multipart.unread) && body.starts_with(multipart.preamble));
    Ok(())
}

proptest! {
    #[test]
    fn what_was_sent_is_read(contents in prop::collection::vec("[ac-z\r\n=-]{0,20}", 1..6)) {
        let mut body = String::new();
        for (index, content) in contents.iter().enumerate() {
            body += &format!("--b\r\nContent-Disposition: form-data; name=\"n{index}\"\r\n\r\n{content}\r\n");
        }
        body += "--b--\r\n";
        let multipart = parse(body.as_bytes(), CONTENT_TYPE, &Limits::default());
        let read: Vec<_> = multipart.fields().map(|field| field.value.to_vec()).collect();
        let sent: Vec<_> = contents.iter().map(|content| content.as_bytes().to_vec()).collect();
        prop_assert_eq!(read, sent);
        prop_assert!(!multipart.strict_error());
    }

    #[test]
    fn any_bytes_are_read_and_never_grow(body in any::<Vec<u8>>(), header in any::<Vec<u8>>()) {
        let multipart = parse(&body, &header, &Limits::default());
        prop_assert!(body.ends_with(multipart.unread));
        bounded(&body)?;
    }

    #[test]
    fn any_structure_is_read_and_never_grows(body in any_body()) {
        bounded(&body)?;
    }
}
