//! A scan as JUnit XML: a suite, and a case for each input, each incident and each exposure.
//!
//! What is at or above `--fail-on` fails its case; without the flag everything found does.

use traffic::Severity;
use traffic::counted;

use super::document::{Document, Finding};
use crate::args::SeverityWord;
use crate::output::plain;

/// The text of the document.
pub(super) fn text(document: &Document, fail_on: Option<SeverityWord>) -> String {
    let least = fail_on.unwrap_or(SeverityWord::Info).severity();
    let incidents = document.incidents.iter().map(|it| Case {
        title: &it.title,
        severity: &it.severity,
        rank: it.rank,
        findings: &it.findings,
    });
    let exposures = document.exposures.iter().map(|it| Case {
        title: &it.title,
        severity: &it.severity,
        rank: it.rank,
        findings: std::slice::from_ref(it),
    });
    let found: Vec<Case<'_>> = incidents.chain(exposures).collect();
    let failures = found.iter().filter(|case| case.rank >= least).count();
    let cases = found.len() + document.inputs.len();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.push_str(&format!(
        "<testsuites name=\"palisade scan\" tests=\"{cases}\" failures=\"{failures}\">\n  \
         <testsuite name=\"palisade scan\" tests=\"{cases}\" failures=\"{failures}\">\n"
    ));
    for input in &document.inputs {
        let requests = counted(input.exchanges, "request");
        let name = escaped(&format!("{} was read ({requests})", input.name));
        xml.push_str(&format!("    <testcase classname=\"input\" name=\"{name}\"/>\n"));
    }
    for case in &found {
        xml.push_str(&told(case, case.rank >= least));
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

/// Something that was found.
struct Case<'a> {
    title: &'a str,
    severity: &'a str,
    rank: Severity,
    findings: &'a [Finding],
}

fn told(case: &Case<'_>, is_failed: bool) -> String {
    let gravest = case.findings.first();
    let class = gravest.map_or("incident", |finding| finding.detector);
    let open =
        format!("    <testcase classname=\"{}\" name=\"{}\"", escaped(class), escaped(case.title));
    if !is_failed {
        return open + "/>\n";
    }
    let lines = case.findings.iter().take(20).map(|finding| {
        format!(
            "{} to {}: {}, see {} line {}",
            finding.first,
            finding.last,
            counted(finding.requests, "line"),
            finding.evidence.input,
            finding.evidence.line
        )
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    format!(
        "{open}>\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
        escaped(case.severity),
        escaped(case.title),
        escaped(&text)
    )
}

/// Text for XML: its five characters as entities, and nothing that XML 1.0 forbids.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        for c in plain(body).chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&apos;"),
                '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
                c => out.push(c),
            }
        }
        out.push_str(end);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_breaks_the_document() {
        assert_eq!(escaped("a<b>&\"c'\u{1}\nd"), "a&lt;b&gt;&amp;&quot;c&apos;\\x01\nd");
    }
}
