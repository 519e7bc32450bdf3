//! The corpus: honest API calls and attacks, drawn from the texts in `crates/rules/corpus`.
//!
//! Each text there is a kernel. It is filled with words, encoded, and put into the places its list
//! names, in turn; the same seed draws the same requests. Kernels stand in two files for either
//! kind: rules were written beside the `seen` ones and are measured on the others.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use super::place::{encoded, placed};
use super::request::Request;

/// One drawn request, and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) request: Request,
    pub(crate) class: String,
    pub(crate) kernel: String,
}

/// The words and endpoints that texts are filled and carried with.
pub(crate) struct Words {
    lists: BTreeMap<String, Vec<String>>,
    pub(crate) endpoints: Vec<Endpoint>,
}

pub(crate) struct Endpoint {
    pub(crate) path: String,
    pub(crate) fields: Vec<String>,
    pub(crate) with: Vec<(String, String)>,
}

/// Texts that share their class, places and encodings.
pub(crate) struct Kernel {
    pub(crate) class: String,
    pub(crate) places: Vec<String>,
    pub(crate) fields: Vec<String>,
    encodings: Vec<String>,
    texts: Vec<String>,
}

/// Deterministic draws (SplitMix64).
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    pub(crate) fn text(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| *self.one(&alphabet)).collect()
    }
}

const ALPHANUMERIC: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &str = "0123456789abcdef";

/// `times` requests from each text of `file`, which stands in `folder` beside its words.
pub(crate) fn drawn(folder: &Path, file: &str, times: usize, seed: u64) -> Vec<Sample> {
    let words = Words::read(&folder.join("words.toml"));
    let mut draw = Draw::new(seed);
    let mut samples = Vec::new();
    for kernel in kernels(&folder.join(file)) {
        for (number, text) in kernel.texts.iter().enumerate() {
            for turn in 0..times {
                let filled = words.filled(text, &mut draw);
                let encoding = &kernel.encodings[(number + turn) % kernel.encodings.len()];
                let place = &kernel.places[(number * 3 + turn) % kernel.places.len()];
                let value = encoded(&filled, encoding, &mut draw);
                let request = placed(&value, place, &kernel, &words, &mut draw);
                let name = format!("{}/{number} {place} {encoding}", kernel.class);
                samples.push(Sample { request, class: kernel.class.clone(), kernel: name });
            }
        }
    }
    samples
}

impl Words {
    fn read(path: &Path) -> Self {
        let table = read(path);
        let lists = table["lists"].as_table().expect("lists is a table");
        let lists = lists.iter().map(|(name, list)| (name.clone(), strings(Some(list)))).collect();
        let endpoints = table["endpoint"].as_array().expect("endpoint is an array");
        Self { lists, endpoints: endpoints.iter().map(Endpoint::read).collect() }
    }

    /// `text` with a word in each slot.
    pub(crate) fn filled(&self, text: &str, draw: &mut Draw) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('⟨') {
            let (slot, after) = after.split_once('⟩').expect("a slot is closed");
            filled.push_str(before);
            filled.push_str(&self.word(slot, draw));
            rest = after;
        }
        filled + rest
    }

    pub(crate) fn word(&self, slot: &str, draw: &mut Draw) -> String {
        match slot {
            "int" => (draw.below(90_000) + 10).to_string(),
            "digit" => (draw.below(9) + 1).to_string(),
            "hex" => draw.text(HEX, 16),
            "alnum" => draw.text(ALPHANUMERIC, 12),
            "base64" => {
                let length = 40 + draw.below(200);
                draw.text(&format!("{ALPHANUMERIC}+/"), length)
            }
            "uuid" => [8, 4, 4, 4, 12].map(|length| draw.text(HEX, length)).join("-"),
            "date" => format!("2024-{:02}-{:02}", 1 + draw.below(12), 1 + draw.below(28)),
            list => draw.one(self.lists.get(list).expect("the slot has a list")).clone(),
        }
    }
}

impl Endpoint {
    fn read(value: &Value) -> Self {
        let with = value["with"].as_table().expect("with is a table");
        let text = |value: &Value| value.as_str().expect("a field's value is a text").to_owned();
        Self {
            path: text(&value["path"]),
            fields: strings(value.get("field")),
            with: with.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        }
    }
}

fn kernels(path: &Path) -> Vec<Kernel> {
    let table = read(path);
    let kernels = table["kernel"].as_array().expect("kernel is an array");
    let kernel = |value: &Value| Kernel {
        class: value["class"].as_str().expect("a kernel has a class").to_owned(),
        places: strings(value.get("at")),
        fields: strings(value.get("field")),
        encodings: match strings(value.get("encode")) {
            none if none.is_empty() => vec!["plain".to_owned()],
            some => some,
        },
        texts: strings(value.get("text")),
    };
    kernels.iter().map(kernel).collect()
}

fn read(path: &Path) -> Table {
    let text = std::fs::read_to_string(path).expect("the corpus is beside the crate");
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn strings(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|value| value.as_str().expect("a list of texts").to_owned()).collect()
}
