//! A segment that varies: what its values look like.
//!
//! Identifiers fit any parameter. Words and file names fit one only when values like them were
//! seen, so that a scan of `/users/…` for names is not mistaken for a walk over `/users/{id}`.

use serde::{Deserialize, Serialize};
use traffic::path::Segment;
use traffic::{Digest, ParamKind};

use crate::template::{Class, takes};

/// A segment that varies.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Parameter {
    pub(crate) name: Box<str>,
    /// The kinds of its values, as a set of bits.
    pub(crate) kinds: u32,
    /// The classes of its values, as a set of bits.
    accepts: u8,
    /// The extensions of its values, where they are files.
    extensions: Vec<Box<str>>,
    /// Some words that are known to be values, sorted.
    words: Vec<Digest>,
}

/// So many words are remembered as values of a parameter, and so many extensions.
const WORDS_MAX: usize = 128;
const EXTENSIONS_MAX: usize = 8;
impl Parameter {
    pub(super) const fn new(name: Box<str>) -> Self {
        Self { name, kinds: 0, accepts: 0, extensions: Vec::new(), words: Vec::new() }
    }

    /// Whether a word is known to be a value.
    pub(super) fn knows(&self, word: Digest) -> bool {
        self.words.binary_search(&word).is_ok()
    }

    /// Whether a segment can be a value: one that looks like those that were.
    pub(super) fn takes(&self, segment: &Segment<'_>) -> bool {
        let class = Class::of(segment);
        match class {
            Class::File => {
                let extension = segment.text.rsplit_once('.').map(|(_, extension)| extension);
                self.extensions.iter().any(|known| Some(&**known) == extension)
            }
            _ => takes(self.accepts, class, segment.text),
        }
    }

    /// Takes a value, and so others like it.
    pub(super) fn widen(&mut self, text: &str, kind: ParamKind, digest: Digest) {
        let class = Class::of_text(text);
        self.kinds |= 1 << kind as u32;
        self.accepts |= class.bit();
        if class == Class::File
            && self.extensions.len() < EXTENSIONS_MAX
            && let Some((_, extension)) = text.rsplit_once('.')
            && !self.extensions.iter().any(|known| **known == *extension)
        {
            self.extensions.push(extension.into());
        }
        if !class.varies_at_once() {
            self.add_word(digest);
        }
    }

    /// Takes all that another parameter took.
    pub(super) fn merge(&mut self, other: Self) {
        self.kinds |= other.kinds;
        self.accepts |= other.accepts;
        for extension in other.extensions {
            if self.extensions.len() < EXTENSIONS_MAX && !self.extensions.contains(&extension) {
                self.extensions.push(extension);
            }
        }
        other.words.into_iter().for_each(|word| self.add_word(word));
    }

    fn add_word(&mut self, digest: Digest) {
        if self.words.len() < WORDS_MAX
            && let Err(place) = self.words.binary_search(&digest)
        {
            self.words.insert(place, digest);
        }
    }
}
