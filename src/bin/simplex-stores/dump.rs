//! `dump`: the state after a log, as JSON lines.

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::ReadArgs,
    failure::{Exit, Failure},
    forms::state_lines,
    loading::load,
    output::Out,
};

/// Print the state that a log makes, as JSON lines.
///
/// One line for each queue in ascending order of recipient ids, then the sender, notifier and link
/// indexes, the services, the index of their certificates, and the counts.
#[derive(Debug, Args)]
pub(crate) struct DumpArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// The log.
    log: PathBuf,
}

pub(crate) fn run(args: &DumpArgs, out: &mut Out) -> Result<Exit, Failure> {
    let loaded = load(&args.log, &args.read)?;
    for warning in &loaded.report.warnings {
        tracing::warn!("{}: {warning}", args.log.display());
    }
    let snapshot = loaded.store.snapshot();
    for line in state_lines(&snapshot) {
        out.line(line);
        if out.is_closed() {
            break;
        }
    }
    Ok(Exit::Fine)
}
