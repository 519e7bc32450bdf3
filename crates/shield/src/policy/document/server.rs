//! `[server]` and `[tls.NAME]`: where callers come in, and whose word counts on who they are.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use caller::address::AddressSource;
use http::HeaderName;
use http::header::FORWARDED;
use toml::de::DeValue;
use traffic::Net;

use crate::policy::document::{
    ACCEPT_FROM, CLIENT_IP, CLIENT_IP_HEADER, HOUR, MIB, SaidListener, SaidServer, SaidTls,
    TLS_VERSION, file_path, shape,
};
use crate::policy::error::Show;
use crate::policy::reader::{Entry, Given, Reader, Section, one_of};
use crate::policy::value::Wrong;

/// How many of something a document may name: more is a generated file gone wrong.
const LISTENERS_MAX: usize = 64;
const TRUSTED_MAX: usize = 1_024;
const TLS_MAX: usize = 256;

impl SaidServer {
    pub(super) fn read<'t>(mut keys: Section<'t>, reader: &mut Reader<'t>) -> Self {
        let mut said = Self {
            listen: keys.take("listen").and_then(|entry| listeners(entry, reader)),
            trusted_proxies: keys.take("trusted_proxies").map(|entry| {
                let whole = "everybody is trusted here: any caller can choose its own address";
                nets(entry, reader, whole, "name the blocks of your own proxies")
            }),
            client_ip: keys.take("client_ip").and_then(|entry| client_ip(entry, reader)),
            drain_timeout: keys
                .take("drain_timeout")
                .and_then(|entry| entry.duration(reader, Duration::ZERO..=HOUR)),
            memory_budget: keys
                .take("memory_budget")
                .and_then(|entry| entry.bytes(reader, 16 * MIB..=1 << 40)),
            workers: keys.take("workers").and_then(|entry| entry.integer(reader, 1..=1_024)),
            access_log: keys.take("access_log").and_then(|entry| {
                entry.text(reader, "\"stdout\" or \"/var/log/palisade/access.log\"", file_path)
            }),
            ..Self::default()
        };
        let id = keys.take("request_id").and_then(|entry| entry.table(reader, &shape::REQUEST_ID));
        if let Some(mut id) = id {
            said.request_id_from =
                id.take("accept_from").and_then(|e| e.word(reader, &ACCEPT_FROM));
            reader.finish(id);
        }
        reader.finish(keys);
        said
    }
}

fn listeners<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<Vec<SaidListener>>> {
    let mut given = entry.given(reader, Vec::new());
    let (key, span) = (entry.key.clone(), entry.span.clone());
    let items = entry.items();
    if items.is_empty() || items.len() > LISTENERS_MAX {
        let cause = format!("`{key}` has {} addresses", items.len());
        let help = format!("write 1 to {LISTENERS_MAX}, as in [\"127.0.0.1:8080\"]");
        reader.error(span, Wrong { cause, help });
        return None;
    }
    given.value = items.into_iter().filter_map(|item| listener(item, reader)).collect();
    // Half of the addresses are not what was asked for.
    Some(given).filter(|given| !given.value.is_empty())
}

fn listener<'t>(item: Entry<'t>, reader: &mut Reader<'t>) -> Option<SaidListener> {
    if !matches!(item.value, DeValue::Table(_)) {
        let address = item.text(reader, "\"127.0.0.1:8080\"", socket_address)?;
        return Some(SaidListener { address, tls: None, proxy_protocol: None });
    }
    let mut keys = item.table(reader, &shape::LISTENER)?;
    let span = keys.span.clone();
    let address = keys.take("addr");
    if address.is_none() {
        let cause = "a listener has no `addr`".to_owned();
        let help = "write { addr = \"0.0.0.0:8443\", tls = \"main\" }".to_owned();
        reader.error(span, Wrong { cause, help });
    }
    let address = address.and_then(|e| e.text(reader, "\"0.0.0.0:8443\"", socket_address));
    let tls = keys.take("tls").and_then(|entry| entry.string(reader, "\"main\""));
    let proxy_protocol = keys.take("proxy_protocol").and_then(|entry| entry.truth(reader));
    reader.finish(keys);
    Some(SaidListener { address: address?, tls, proxy_protocol })
}

/// The one address that something listens on.
pub(in crate::policy) fn one_address<'t>(
    entry: Entry<'t>,
    reader: &mut Reader<'t>,
) -> Option<Given<SocketAddr>> {
    entry.text(reader, "\"127.0.0.1:9443\"", socket_address)
}

/// Reads an address to listen on. Names are not looked up, but for the one that everybody writes.
pub(in crate::policy) fn socket_address(text: &str) -> Result<SocketAddr, Wrong> {
    let wrong = |cause: String, help: String| Err(Wrong { cause, help });
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    if let Ok(address) = numeric.parse() {
        return Ok(address);
    }
    if let Some((_, rest)) = text.split_once("://") {
        let cause = format!("{text:?} is a URL, not an address");
        return wrong(
            cause,
            format!("leave the scheme out: write \"{}\"", rest.trim_end_matches('/')),
        );
    }
    let cause = format!("{text:?} is not an address to listen on");
    if text.parse::<IpAddr>().is_ok() {
        let shown = if text.contains(':') { format!("[{text}]") } else { text.to_owned() };
        return wrong(format!("{text:?} has no port"), format!("write \"{shown}:8080\""));
    }
    let (host, port) = numeric.rsplit_once(':').unwrap_or(("", &numeric));
    match port.parse::<u64>() {
        Ok(port) if port > u64::from(u16::MAX) => {
            wrong(format!("port {port} does not exist"), "ports end at 65535".to_owned())
        }
        Ok(port) if matches!(host, "" | "*") => wrong(
            cause,
            format!("write \"127.0.0.1:{port}\", or \"0.0.0.0:{port}\" for all interfaces"),
        ),
        _ => wrong(cause, "write an address and a port, as in \"127.0.0.1:8080\"".to_owned()),
    }
}

/// One of the words, or a header by its name.
fn client_ip<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<AddressSource>> {
    let key = entry.key.clone();
    entry.text(reader, "\"x-forwarded-for\"", |text| {
        let Some(name) = text.strip_prefix(CLIENT_IP_HEADER).map(str::trim) else {
            let named = text.parse::<HeaderName>().ok().filter(|_| text.contains('-'));
            return one_of(&key, text, &CLIENT_IP).map_err(|wrong| match named {
                Some(_) if !wrong.help.starts_with("did you mean") => Wrong {
                    help: format!("for a header of one address write \"{CLIENT_IP_HEADER}{text}\""),
                    ..wrong
                },
                _ => wrong,
            });
        };
        match name.parse::<HeaderName>() {
            // The two lists have a way of their own to be read.
            Ok(name) if name == "x-forwarded-for" => Ok(AddressSource::XForwardedFor),
            Ok(name) if name == FORWARDED => Ok(AddressSource::Forwarded),
            Ok(name) => Ok(AddressSource::Header(name)),
            Err(_) => Err(Wrong {
                cause: format!("{name:?} is not the name of a header"),
                help: format!("write it as in \"{CLIENT_IP_HEADER}cf-connecting-ip\""),
            }),
        }
    })
}

/// Blocks of addresses. Where one of them is all there are, `whole` says what that means.
pub(super) fn nets<'t>(
    entry: Entry<'t>,
    reader: &mut Reader<'t>,
    whole: &str,
    help: &str,
) -> Given<Vec<Net>> {
    let mut given = entry.given(reader, Vec::new());
    let items = entry.items();
    if items.len() > TRUSTED_MAX {
        let cause = format!("more than {TRUSTED_MAX} blocks");
        let help = "write the blocks they lie in".to_owned();
        reader.error(given.span.clone(), Wrong { cause, help });
        return given;
    }
    given.value = items.into_iter().filter_map(|item| net(item, reader, whole, help)).collect();
    given
}

fn net<'t>(item: Entry<'t>, reader: &mut Reader<'t>, whole: &str, help: &str) -> Option<Net> {
    let given = item.text(reader, "\"10.0.0.0/8\"", |text| match text.parse::<Net>() {
        Ok(net) => Ok((net, text.to_owned())),
        Err(_) => Err(Wrong {
            cause: format!("{text:?} is not a block of addresses"),
            help: match text.rsplit_once('/') {
                Some((address, bits)) if address.parse::<IpAddr>().is_ok() => {
                    let most = if address.contains(':') { 128 } else { 32 };
                    format!("a prefix is 0 to {most} bits long, not {bits:?}")
                }
                _ => "write an address or a block, as in \"10.0.0.0/8\"".to_owned(),
            },
        }),
    })?;
    let (net, text) = given.value;
    if net.prefix() == 0 {
        reader.warn(&given.span, whole.to_owned(), help);
    } else if !text.starts_with(&net.base().to_string()) {
        reader.warn(&given.span, format!("{text:?} means the whole block {net}"), "");
    }
    Some(net)
}

pub(super) fn read_tls<'t>(mut names: Section<'t>, reader: &mut Reader<'t>) -> Vec<SaidTls> {
    let mut read: Vec<SaidTls> = Vec::new();
    for entry in names.take_rest() {
        let name = entry.given(reader, entry.key.clone());
        let span = entry.key_span.clone();
        if read.len() == TLS_MAX {
            let cause = format!("more than {TLS_MAX} certificates");
            reader.error(span, Wrong { cause, help: String::new() });
            break;
        }
        if !matches!(entry.value, DeValue::Table(_)) {
            let cause = format!("`{}` stands outside of a named certificate", name.value);
            let help = "name it: [tls.main], with `cert` and `key` below".to_owned();
            reader.error_showing(Show::UpToSpot, span, Wrong { cause, help });
            continue;
        }
        let Some(mut keys) = entry.table(reader, &shape::TLS) else {
            continue;
        };
        let (cert, key) = (keys.take("cert"), keys.take("key"));
        for (given, what) in [(&cert, "cert"), (&key, "key")] {
            if given.is_none() {
                let cause = format!("[tls.{}] has no `{what}`", name.value);
                let help = format!("write {what} = \"/path/to/{what}.pem\"");
                reader.error(span.clone(), Wrong { cause, help });
            }
        }
        let min_version = keys.take("min_version");
        read.push(SaidTls {
            name,
            cert: cert.and_then(|entry| pem_path(entry, reader)),
            key: key.and_then(|entry| pem_path(entry, reader)),
            min_version: min_version.and_then(|e| e.word(reader, &TLS_VERSION)),
        });
        reader.finish(keys);
    }
    read
}

/// The path of a PEM file. The thing itself is refused, and not shown: it may be a private key.
fn pem_path<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<PathBuf>> {
    if let DeValue::String(text) = &entry.value
        && (text.contains("-----") || text.contains('\n'))
    {
        let cause = format!("`{}` holds the PEM text itself", entry.key);
        let help =
            "keep it in a file that only the service can read, and write its path".to_owned();
        reader.error_showing(Show::Nothing, entry.key_span, Wrong { cause, help });
        return None;
    }
    entry.text(reader, "\"/etc/palisade/tls/key.pem\"", file_path)
}
