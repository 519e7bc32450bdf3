//! `[[crawler]]`: from which networks a crawler calls, as whoever runs it says.

use traffic::Net;

use crate::policy::document::{server, shape};
use crate::policy::nearest::nearest;
use crate::policy::reader::{Entry, Given, Reader, Section};
use crate::policy::value::Wrong;

/// More is a generated file gone wrong.
const CRAWLERS_MAX: usize = 256;

#[derive(Debug)]
pub(in crate::policy) struct SaidCrawler {
    pub(in crate::policy) name: Given<&'static str>,
    pub(in crate::policy) networks: Given<Vec<Net>>,
}

pub(super) fn read_all<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Vec<SaidCrawler> {
    let span = entry.key_span.clone();
    let sections = entry.tables(reader, &shape::CRAWLER);
    if sections.len() > CRAWLERS_MAX {
        let cause = format!("more than {CRAWLERS_MAX} crawlers");
        reader.error(span, Wrong { cause, help: String::new() });
        return Vec::new();
    }
    sections.into_iter().filter_map(|keys| crawler(keys, reader)).collect()
}

fn crawler<'t>(mut keys: Section<'t>, reader: &mut Reader<'t>) -> Option<SaidCrawler> {
    let (name, networks) = (keys.take("name"), keys.take("networks"));
    for (taken, what) in [(&name, "name"), (&networks, "networks")] {
        if taken.is_none() {
            let cause = format!("the crawler has no `{what}`");
            let help = "write name = \"googlebot\" and networks = [\"192.0.2.0/24\"]".to_owned();
            reader.error(keys.span.clone(), Wrong { cause, help });
        }
    }
    let name = name.and_then(|entry| entry.text(reader, "\"googlebot\"", known));
    let networks = networks.map(|entry| {
        let whole = "every address is one of its own: anybody may take its name";
        server::nets(entry, reader, whole, "name the blocks that it calls from")
    });
    reader.finish(keys);
    Some(SaidCrawler { name: name?, networks: networks? })
}

/// A crawler that its `User-Agent` is known by.
fn known(text: &str) -> Result<&'static str, Wrong> {
    let lower = text.to_ascii_lowercase();
    let mut names = caller::user_agent::crawlers();
    names.find(|name| *name == lower).ok_or_else(|| Wrong {
        cause: format!("no crawler is known by the name {text:?}"),
        help: match nearest(&lower, caller::user_agent::crawlers()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "write the name in its User-Agent, such as \"googlebot\"".to_owned(),
        },
    })
}
