//! What the body parsers cost: time per body by form and size, and how it grows in worst cases.
//!
//! With `BENCH_DIR` set, its `body1k.json` and `body16k.json` are read, too. A worst case is timed
//! at one size and at twice that: the ratio is 2 for a linear parser.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use rules::body::json::ArrayNames;
use rules::body::{Limits, json, multipart, urlencoded, xml};

const FORM: &[u8] = b"multipart/form-data; boundary=b";

fn main() {
    // Cargo asks every bench for its tests, too; there are none here.
    if std::env::args().any(|word| word == "--list") {
        return;
    }
    println!("{:28} {:>9} {:>9} {:>10} {:>7}", "body", "bytes", "values", "us", "MB/s");
    if let Some(folder) = std::env::var_os("BENCH_DIR") {
        for name in ["body1k.json", "body16k.json"] {
            let body = std::fs::read(Path::new(&folder).join(name));
            row(name, &body.unwrap_or_else(|error| panic!("{name}: {error}")), read_json);
        }
    }
    for (size, items) in [("1 KB", 6), ("16 KB", 107), ("1 MB", 6_700)] {
        row(&format!("JSON orders, {size}"), order(items).as_bytes(), read_json);
    }
    for (size, pairs) in [("1 KB", 40), ("16 KB", 640), ("1 MB", 40_000)] {
        row(&format!("URL-encoded, {size}"), pairs_of(pairs).as_bytes(), read_pairs);
    }
    for (size, parts) in [("1 KB", 8), ("16 KB", 120)] {
        row(&format!("multipart fields, {size}"), fields(parts).as_bytes(), read_multipart);
    }
    row("multipart file, 1 MB", file(1 << 20).as_bytes(), read_multipart);
    for (size, items) in [("1 KB", 8), ("16 KB", 130), ("1 MB", 8_300)] {
        row(&format!("XML, {size}"), document(items).as_bytes(), read_xml);
    }
    println!("\n{:28} {:>10} {:>10} {:>7}", "worst case", "us 128 KB", "us 256 KB", "ratio");
    worst("JSON deep arrays", read_json, |bytes| "[".repeat(bytes));
    worst("JSON open and closed", read_json, |bytes| "[[]],".repeat(bytes / 5));
    worst("JSON long key over many", read_json, |bytes| {
        format!("{{\"{}\":[{}0]}}", "k".repeat(bytes / 2), "0,".repeat(bytes / 4))
    });
    worst("JSON long keys, nested", read_json, |bytes| {
        format!("{{\"{}\":[0,0],\"a\":", "k".repeat(200)).repeat(bytes / 210)
    });
    worst("JSON escapes", read_json, |bytes| format!("[\"{}", "\\ud83d\\u0041".repeat(bytes / 12)));
    worst("JSON controls", read_json, |bytes| format!("[\"{}", "\u{1}".repeat(bytes)));
    worst("JSON empty strings", read_json, |bytes| format!("[{}", "\"\",".repeat(bytes / 3)));
    worst("URL-encoded escapes", read_pairs, |bytes| "%2".repeat(bytes / 2));
    worst("URL-encoded names", read_pairs, |bytes| "a&".repeat(bytes / 2));
    worst("multipart dashes", read_multipart, |bytes| format!("--b\n\n{}", "-".repeat(bytes)));
    worst("multipart look-alikes", read_multipart, |bytes| {
        format!("--b\n\n{}", "--c\n".repeat(bytes / 4))
    });
    worst("multipart marks in lines", read_multipart, |bytes| {
        format!("--b\n\n{}", "x--b".repeat(bytes / 4))
    });
    worst("multipart headers", read_multipart, |bytes| {
        format!("--b\n{}", "a:\n".repeat(bytes / 3))
    });
    worst("multipart folding", read_multipart, |bytes| {
        format!("--b\na:\n{}", " b\n".repeat(bytes / 3))
    });
    worst("multipart parameters", read_multipart, |bytes| {
        format!("--b\nContent-Disposition: form-data{}\n\n", ";name=\"".repeat(bytes / 7))
    });
    worst("multipart parts", read_multipart, |bytes| "--b\n\n\n".repeat(bytes / 6));
    worst("XML deep", read_xml, |bytes| "<a>".repeat(bytes / 3));
    worst("XML ampersands", read_xml, |bytes| format!("<a>{}", "&".repeat(bytes)));
    worst("XML angles", read_xml, |bytes| format!("<a>{}", "< ".repeat(bytes / 2)));
    worst("XML open comments", read_xml, |bytes| format!("<a>{}", "<!-".repeat(bytes / 3)));
    worst("XML texts in pieces", read_xml, |bytes| format!("<a>{}", "a<?b?>".repeat(bytes / 6)));
    worst("XML attributes", read_xml, |bytes| format!("<a {}", "b='".repeat(bytes / 3)));
    worst("XML subset", read_xml, |bytes| format!("<!DOCTYPE a [{}", "<!ENTITY".repeat(bytes / 8)));
}

fn read_json(body: &[u8]) -> usize {
    json::parse(body, ArrayNames::Coraza, &Limits::default()).arguments.len()
}

fn read_pairs(body: &[u8]) -> usize {
    urlencoded::parse(body, urlencoded::SEPARATOR, &Limits::default()).arguments.len()
}

fn read_multipart(body: &[u8]) -> usize {
    multipart::parse(body, FORM, &Limits::default()).parts.len()
}

fn read_xml(body: &[u8]) -> usize {
    let xml = xml::parse(body, &Limits::default());
    xml.attributes.len() + xml.texts().count()
}

fn row(name: &str, body: &[u8], read: fn(&[u8]) -> usize) {
    let us = microseconds(body, read);
    let speed = body.len() as f64 / us;
    println!("{name:28} {:9} {:9} {us:10.2} {speed:7.0}", body.len(), read(body));
}

fn worst(name: &str, read: fn(&[u8]) -> usize, make: fn(usize) -> String) {
    let once = microseconds(make(128 << 10).as_bytes(), read);
    let twice = microseconds(make(256 << 10).as_bytes(), read);
    println!("{name:28} {once:10.1} {twice:10.1} {:7.2}", twice / once);
}

/// The best of several rounds: what the parser takes when nothing else wants the processor.
fn microseconds(body: &[u8], read: fn(&[u8]) -> usize) -> f64 {
    const ROUNDS: usize = 15;
    const BYTES_PER_ROUND: usize = 2 << 20;
    let times = (BYTES_PER_ROUND / body.len().max(1)).clamp(1, 2_000);
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..times {
            black_box(read(black_box(body)));
        }
        best = best.min(begun.elapsed().as_secs_f64() * 1e6 / times as f64);
    }
    best
}

fn order(items: usize) -> String {
    let items: Vec<String> = (0..items)
        .map(|n| {
            format!(
                r#"{{"sku":"SKU-{}","name":"Garden chair, folding, green","qty":{},"unitPrice":{}.5,"giftWrap":{},"note":"leave it at the \"back\" door","tags":["a","b"]}}"#,
                40_000 + n * 37,
                n % 9 + 1,
                12 + n,
                n % 2 == 0
            )
        })
        .collect();
    format!(
        r#"{{"orderId":"8f14e45f-ceea","customer":{{"id":4711,"name":"Grace Hopper"}},"items":[{}]}}"#,
        items.join(",")
    )
}

fn pairs_of(pairs: usize) -> String {
    let pairs: Vec<String> = (0..pairs).map(|n| format!("field{n}=some+text+%26+{n}%21")).collect();
    pairs.join("&")
}

fn fields(parts: usize) -> String {
    let part = |n: usize| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"field{n}\"\r\n\r\nsome text, line {n}\r\nand another\r\n"
        )
    };
    (0..parts).map(part).collect::<String>() + "--b--\r\n"
}

fn file(bytes: usize) -> String {
    let content =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n".repeat(bytes / 64);
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n{content}\r\n--b--\r\n"
    )
}

fn document(items: usize) -> String {
    let item = |n: usize| {
        format!(
            "<item sku=\"SKU-{n}\" qty='2'><name>Garden chair &amp; table</name><price>{n}.50</price><note/></item>\n"
        )
    };
    format!(
        "<?xml version=\"1.0\"?><order xmlns=\"urn:shop\">{}</order>",
        (0..items).map(item).collect::<String>()
    )
}
