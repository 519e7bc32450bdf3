//! Where a target begins: inputs as it meets them, from the corpus and the built-in rules.

use std::path::Path;

use rules::builtin::FILES;
use rules::operator::Operator;
use rules::rule_set::RuleSet;
use rules::seclang::Texts;

use crate::corpus;
use crate::request::Request;

/// The seeds of the target of that name; `folder` is that of the crate `rules`.
pub(crate) fn seeds(target: &str, folder: &Path) -> Vec<Vec<u8>> {
    let requests = requests(folder);
    let bodies = |kind: &str| -> Vec<Vec<u8>> {
        let is_of =
            |request: &&Request| request.header("Content-Type").is_some_and(|it| it.contains(kind));
        requests.iter().filter(is_of).map(|it| it.body.clone().into_bytes()).collect()
    };
    match target {
        "cookies" => {
            let cookies = requests.iter().filter_map(|it| it.header("Cookie"));
            cookies.map(|it| it.as_bytes().to_vec()).collect()
        }
        "engine" => requests.iter().map(raw).collect(),
        "json" => bodies("json"),
        "xml" => bodies("xml"),
        "multipart" => {
            bodies("multipart").iter().map(|it| [b"\n", it.as_slice()].concat()).collect()
        }
        "pattern" => patterns(),
        "seclang" => rules(),
        "urlencoded" => {
            let queries = requests.iter().filter_map(|it| Some(it.target.split_once('?')?.1));
            let queries = queries.map(|it| it.as_bytes().to_vec());
            bodies("urlencoded").into_iter().chain(queries).collect()
        }
        _ => values(&requests),
    }
}

fn requests(folder: &Path) -> Vec<Request> {
    let halves = ["honest-seen", "honest-unseen", "attacks-seen", "attacks-unseen"];
    let folder = folder.join("corpus");
    let samples = halves.map(|half| corpus::drawn(&folder, &format!("{half}.toml"), 1, 1));
    let samples = samples.into_iter().flatten();
    let says_whence = |it: &corpus::Sample| !it.class.is_empty() && !it.kernel.is_empty();
    samples.filter(says_whence).map(|sample| sample.request).collect()
}

fn raw(request: &Request) -> Vec<u8> {
    let Request { method, target, headers, body } = request;
    let headers: String = headers.iter().map(|(name, it)| format!("{name}: {it}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\n{headers}\r\n{body}").into_bytes()
}

/// The values of queries and headers, and the bodies.
fn values(requests: &[Request]) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    for request in requests {
        let pairs = request.target.split(['?', '&']);
        values.extend(pairs.map(|pair| pair.as_bytes().to_vec()));
        values.push(request.body.clone().into_bytes());
    }
    values.sort();
    values.dedup();
    values
}

/// Each rule of the built-in set as a file of its own.
fn rules() -> Vec<Vec<u8>> {
    let mut rules = Vec::new();
    for (_, text) in FILES.iter() {
        let blocks = text.split("\nSecRule ").skip(1);
        rules.extend(blocks.map(|block| format!("SecRule {block}\n").into_bytes()));
    }
    rules
}

/// Each pattern of the built-in set, before a value that it nearly matches.
fn patterns() -> Vec<Vec<u8>> {
    let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    let texts: Texts = FILES.iter().copied().collect();
    let set = RuleSet::load(&names, &texts).expect("the built-in rules");
    let tests = set.rules().flat_map(|rule| &rule.links).filter_map(|link| link.test.as_ref());
    let patterns = tests.filter_map(|test| match &test.operator {
        Operator::Rx(pattern) => Some([pattern.source(), b"\0' or 1=1 -- <a b=c>"].concat()),
        _ => None,
    });
    let around = [r"(?<!&amp|&apos);|['=]", r"\b(\w+)\b != (?!\b\1\b)(\w+)", r"^a*+[b-d]++(?=e)"];
    patterns.chain(around.map(|it| [it.as_bytes(), b"\0a != ab;"].concat())).collect()
}
