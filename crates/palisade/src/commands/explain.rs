//! `explain`: what would apply to a request, without sending one.

use console::wire::Explained;
use shield::policy::Flags;

use super::Desk;
use crate::args::{Explain, Format, Global};
use crate::client::escaped;
use crate::configuration::Configuration;
use crate::failure::Failure;
use crate::output::{Output, Page, Paint};

/// A request as it was asked about.
struct Asked {
    method: String,
    host: String,
    target: String,
}

/// Explains by a file, or by what is in force on the running instance.
pub(crate) fn explain(global: &Global, explain: &Explain) -> Result<(), Failure> {
    let asked = Asked::read(&explain.request, explain.host.as_deref())?;
    let Some(file) = &explain.config else {
        let desk = &mut Desk::open(global)?;
        let Asked { method, host, target } = &asked;
        let query = format!(
            "/explain?method={}&host={}&target={}",
            escaped(method),
            escaped(host),
            escaped(target)
        );
        let explained: Explained = desk.client.get(&query)?;
        return desk.output.document(&explained, |page| show(page, &explained));
    };
    let configuration = Configuration {
        file: Some(file.clone()),
        flags: Flags { data: global.data.clone(), ..Flags::default() },
        ..Configuration::default()
    };
    let compiled = configuration.compile().map_err(Failure::Configuration)?;
    let method = asked.method.parse().map_err(|_| wrong(&explain.request))?;
    let explained = console::explained(&compiled.policy, &method, &asked.host, &asked.target);
    let mut output = Output::open(global, Format::Table)?;
    output.document(&explained, |page| show(page, &explained))
}

impl Asked {
    /// Reads `METHOD TARGET`; a target that is a URL names its host itself.
    fn read(request: &str, host: Option<&str>) -> Result<Self, Failure> {
        let (method, target) = match request.trim().split_once(char::is_whitespace) {
            Some((method, target)) => (method, target.trim()),
            None => ("GET", request.trim()),
        };
        let (named, target) = match target.split_once("://") {
            Some((_, rest)) => {
                let at = rest.find('/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at(at);
                (Some(traffic::head::host_of(authority)), if path.is_empty() { "/" } else { path })
            }
            None => (None, target),
        };
        if !target.starts_with('/') {
            return Err(wrong(request));
        }
        Ok(Self {
            method: method.to_ascii_uppercase(),
            host: host.or(named).unwrap_or("localhost").to_owned(),
            target: target.to_owned(),
        })
    }
}

fn wrong(request: &str) -> Failure {
    Failure::Usage(format!(
        "{request:?} is no request; write it as 'POST /v1/login' or 'GET https://host/path'"
    ))
}

fn show(page: &mut Page, explained: &Explained) {
    page.painted(
        Paint::Bold,
        &format!("{} {}{}", explained.method, explained.host, explained.path),
    );
    let rows: Vec<_> = explained
        .settings
        .iter()
        .map(|setting| {
            vec![
                (setting.key.clone(), Paint::None),
                (setting.value.clone(), Paint::Bold),
                (setting.origin.clone(), Paint::Faint),
            ]
        })
        .collect();
    page.table(&["WHAT", "VALUE", "FROM"], &rows);
}

#[cfg(test)]
mod tests {
    use super::Asked;

    fn asked(request: &str) -> Option<(String, String, String)> {
        Asked::read(request, None).ok().map(|asked| (asked.method, asked.host, asked.target))
    }

    #[test]
    fn requests_are_read_as_people_write_them() {
        let of = |method: &str, host: &str, target: &str| {
            Some((method.to_owned(), host.to_owned(), target.to_owned()))
        };
        assert_eq!(asked("POST /v1/login"), of("POST", "localhost", "/v1/login"));
        assert_eq!(asked("get https://a.test:8443/x?y=1"), of("GET", "a.test", "/x?y=1"));
        assert_eq!(asked("/x"), of("GET", "localhost", "/x"));
        assert_eq!(asked("https://a.test"), of("GET", "a.test", "/"));
        assert_eq!(asked("POST v1/login"), None);
    }
}
