//! What a policy makes of files, flags and overlay, and what it says of mistakes in them.

mod docs;
mod hostile;
mod layering;
mod mistakes;
mod warnings;

use super::*;

/// A site with an upstream, in three lines.
const SITE: &str = "version = 1\n[[site]]\nupstream = \"http://localhost:3000\"\n";

fn of_file(text: &str) -> Sources<'_> {
    Sources { file: Some(("palisade.toml", text)), ..Sources::default() }
}

fn loaded(text: &str) -> Policy {
    loaded_from(&of_file(text))
}

fn loaded_from(sources: &Sources<'_>) -> Policy {
    match load(sources) {
        Ok((policy, _)) => policy,
        Err(errors) => panic!("{}", shown(errors)),
    }
}

fn shown<T: ToString>(remarks: Vec<T>) -> String {
    remarks.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}
