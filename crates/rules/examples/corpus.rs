//! Writes the corpus as JSON, one request a line, so that other engines can be measured on it:
//! `cargo run -p rules --example corpus -- honest-unseen`.

#[path = "../tests/builtin/corpus.rs"]
mod corpus;
#[path = "../tests/builtin/place.rs"]
mod place;
#[path = "../tests/builtin/request.rs"]
mod request;

use std::path::Path;

fn main() {
    let half = std::env::args().nth(1).expect("name a half: honest-seen, attacks-unseen, …");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let times = match half.as_str() {
        "honest-seen" | "honest-unseen" => 18,
        "attacks-seen" | "attacks-unseen" => 8,
        _ => 4,
    };
    for sample in corpus::drawn(&folder, &format!("{half}.toml"), times, 1) {
        let request = sample.request;
        let line = serde_json::json!({
            "method": request.method, "url": request.target, "headers": request.headers,
            "body": request.body, "attack": half.starts_with("attacks"), "class": sample.class,
            "kernel": sample.kernel,
        });
        println!("{line}");
    }
}
