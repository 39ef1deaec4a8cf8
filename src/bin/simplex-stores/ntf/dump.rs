//! `ntf dump`: the state in a file of notifications, as JSON lines.

use std::io::{self, Write};

use clap::Args;

use super::{
    forms::state_lines,
    loading::{ReadArgs, load},
};
use crate::{
    failure::{Exit, Failure},
    output::Out,
};

/// Print the state that a file of notifications makes, as JSON lines.
///
/// A line for each token, each device token's registrations, each subscription, each token's subscriptions, one for the
/// index of queues, a line for each token's last notifications, newest first, and one for the services. Says on
/// stderr when records were lost.
#[derive(Debug, Args)]
pub(crate) struct DumpArgs {
    #[command(flatten)]
    read: ReadArgs,
}

pub(super) fn run(args: &DumpArgs, out: &mut Out) -> Result<Exit, Failure> {
    let loaded = load(&args.read)?;
    if loaded.report.lost > 0 {
        let _ = writeln!(
            io::stderr(),
            "{}: {} records are lost; `simplex-stores ntf verify` lists them",
            args.read.file.display(),
            loaded.report.lost
        );
    }
    for line in state_lines(&loaded.store.snapshot()) {
        out.line(line);
        if out.is_closed() {
            break;
        }
    }
    Ok(Exit::Fine)
}
