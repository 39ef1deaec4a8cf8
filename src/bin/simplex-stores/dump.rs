//! `dump`: the state after a log, as JSON lines.

use std::{
    io::{self, Write},
    path::PathBuf,
};

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
/// indexes, the services, the index of their certificates, and the counts. Says on stderr when the
/// replay had warnings.
#[derive(Debug, Args)]
pub(crate) struct DumpArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// The log.
    log: PathBuf,
}

pub(crate) fn run(args: &DumpArgs, out: &mut Out) -> Result<Exit, Failure> {
    let loaded = load(&args.log, &args.read)?;
    if loaded.report.warnings_total > 0 {
        let _ = writeln!(
            io::stderr(),
            "{}: {} warnings; `simplex-stores replay` lists them",
            args.log.display(),
            loaded.report.warnings_total
        );
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
