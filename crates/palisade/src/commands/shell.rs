//! `completions` and `man`: what shells and `man` know of the command line, made from it.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::args::{Args, Format, Global};
use crate::failure::Failure;
use crate::output::Output;

/// Prints what a shell needs to complete commands, flags and their values.
pub(crate) fn completions(global: &Global, shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "palisade", &mut script);
    Output::open(global, Format::Table)?.text(&String::from_utf8_lossy(&script))
}

/// Prints the manual page of the program, or writes those of all commands into a folder.
pub(crate) fn man(global: &Global, folder: Option<&Path>) -> Result<(), Failure> {
    let mut command = Args::command();
    command.build();
    let Some(folder) = folder else {
        return Output::open(global, Format::Table)?.text(&page(&command)?);
    };
    fs::create_dir_all(folder)
        .map_err(|error| Failure::of(format!("cannot make {}", folder.display()), error))?;
    let mut waiting = vec![command];
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().filter(|it| it.get_name() != "help").cloned());
        let name = command.get_display_name().unwrap_or("palisade").to_owned();
        let file = folder.join(format!("{name}.1"));
        fs::write(&file, page(&command)?)
            .map_err(|error| Failure::of(format!("cannot write {}", file.display()), error))?;
    }
    Ok(())
}

fn page(command: &Command) -> Result<String, Failure> {
    let name = command.get_display_name().unwrap_or("palisade").to_owned();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name.to_uppercase()).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
