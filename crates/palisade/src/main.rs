//! The program: reads the command line, carries one command out, and ends with its exit code.

mod args;
mod client;
mod commands;
mod configuration;
mod failure;
mod logging;
mod output;
mod rulebook;
mod run;

use std::process::ExitCode;

use clap::Parser as _;

// Many small allocations per request on several threads: measured faster and flatter than the
// system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::carry_out(args::Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = failure.to_string();
            if !text.is_empty() {
                output::say(&format!("error: {text}"));
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
