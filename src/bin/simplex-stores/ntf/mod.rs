//! `ntf`: the store of a notification server, and the files that it is kept in.

mod dump;
mod forms;
mod loading;
mod stress;
mod trace;
mod verify;
mod work;

use clap::{Args, Subcommand};

use crate::{
    failure::{Exit, Failure},
    output::Out,
};

/// Work with the store of a notification server: run recorded operations, check, dump and exercise it.
///
/// A file of notifications has the reference's records, one a line, or is a binary snapshot; its first bytes
/// tell which.
#[derive(Debug, Args)]
pub(crate) struct NtfArgs {
    #[command(subcommand)]
    command: NtfCommand,
}

#[derive(Debug, Subcommand)]
enum NtfCommand {
    Trace(trace::TraceArgs),
    Verify(verify::VerifyArgs),
    Dump(dump::DumpArgs),
    Stress(stress::StressArgs),
}

pub(crate) fn run(args: &NtfArgs, out: &mut Out) -> Result<Exit, Failure> {
    match &args.command {
        NtfCommand::Trace(args) => trace::run(args, out),
        NtfCommand::Verify(args) => verify::run(args, out),
        NtfCommand::Dump(args) => dump::run(args, out),
        NtfCommand::Stress(args) => stress::run(args, out),
    }
}
