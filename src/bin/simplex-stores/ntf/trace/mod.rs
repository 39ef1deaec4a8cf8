//! `ntf trace`: runs a recorded run of the reference's notification store.

mod call;
mod check;
mod ledger;
mod runner;
mod strict;

use std::path::PathBuf;

use clap::Args;

use self::{call::Step, runner::Runner};
use crate::{
    cli::SemanticsArg,
    failure::{Exit, Failure},
    output::Out,
    recorded::for_each_line,
};

/// Run a folder's ops.jsonl against a new notification store, and print each result in the same form.
///
/// The folder holds a recorded run of the reference, and is not changed. With --check nothing is printed but a
/// report: results and states are compared with the folder's files, and under strict semantics the
/// invariants are checked wherever a state was recorded; each difference is counted under its item of
/// docs/conformance, and one without an item ends with exit code 1.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// Whose answers the store gives.
    #[arg(long, value_enum, default_value_t)]
    semantics: SemanticsArg,
    /// Compare everything in the folder that must hold.
    #[arg(long)]
    check: bool,
    /// Answer in JSON (with --check; without, the answer is JSON anyway).
    #[arg(long)]
    json: bool,
    /// A folder with ops.jsonl.
    folder: PathBuf,
}

pub(in crate::ntf) fn run(args: &TraceArgs, out: &mut Out) -> Result<Exit, Failure> {
    match args.check {
        true => check::run(args, out),
        false => print(args, out),
    }
}

fn print(args: &TraceArgs, out: &mut Out) -> Result<Exit, Failure> {
    let runner = Runner::new(args.semantics.into());
    let path = args.folder.join("ops.jsonl");
    for_each_line(&path, |number, line| {
        let step = Step::parse(line).map_err(|error| Failure::content(&path, number, error))?;
        out.line(runner.run(&step).line);
        Ok(!out.is_closed())
    })?;
    Ok(Exit::Fine)
}
