//! What the program says about itself while it runs: on stderr, never bodies, never credentials.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::LevelFilter;

use crate::args::Global;

/// Begins to log, as loud as the flags say.
pub(crate) fn begin(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let is_terminal = std::io::stderr().is_terminal();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(crate::output::paints(global.color, is_terminal))
        .with_target(false);
    // Fails only when somebody listens already, who then hears it.
    let _ = subscriber.try_init();
}
