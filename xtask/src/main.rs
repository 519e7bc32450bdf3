//! `cargo xtask`: the rules of the house that the compiler does not know.
//!
//! Each rule is a function from the sources (or from `cargo metadata`) to a list of complaints, so
//! the same code serves this command, `make test` and the unit tests. It deliberately builds and
//! downloads nothing: that is cargo's work.

mod graph;
mod purity;
mod source;
mod supply;
mod tidy;
mod workspace;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  tidy     the shape of the sources: lengths, widths, module docs, unfinished work
  graph    which crate may see which, and that the decision core does no input or output
  supply   deny.toml over the locked crates: licences, bans, duplicates; DEPENDENCIES.md
  all      the three of them";

fn main() -> Result<ExitCode> {
    let command = std::env::args().nth(1).unwrap_or_default();
    let workspace = Workspace::here()?;
    let complaints = match command.as_str() {
        "tidy" => tidy::check(&workspace)?,
        "graph" => graph::check(&workspace)?,
        "supply" => supply::check(&workspace)?,
        "all" => all(&workspace)?,
        _ => bail!("{USAGE}"),
    };
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    if complaints.is_empty() {
        eprintln!("xtask {command}: nothing to complain about");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("xtask {command}: {} complaint(s)", complaints.len());
    Ok(ExitCode::FAILURE)
}

fn all(workspace: &Workspace) -> Result<Vec<String>> {
    let mut complaints = tidy::check(workspace)?;
    complaints.extend(graph::check(workspace)?);
    complaints.extend(supply::check(workspace)?);
    Ok(complaints)
}
