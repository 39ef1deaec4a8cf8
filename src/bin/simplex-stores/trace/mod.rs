//! `trace`: runs a recorded run of the reference against the store.

mod call;
mod check;
#[cfg(feature = "postgres")]
mod database;
mod difference;
mod journal;
mod ledger;
mod live;
mod runner;
mod state;
mod warnings;

use std::path::PathBuf;

use clap::Args;
use simplex_stores::queue_store::{BasicQueue, QueueStore};

use self::{call::Step, ledger::Kind, runner::Runner};
use crate::{
    cli::SemanticsArg,
    failure::{Exit, Failure},
    files::ScratchFolder,
    output::Out,
    recorded::{self, for_each_line},
};

/// What a check finds, by the kinds of this store's ledger.
type Tally = recorded::Tally<Kind>;

/// Run a folder's ops.jsonl against a new store, and print each result in the same form.
///
/// The folder holds a recorded run of the reference. The store has a journal of its own in a temporary
/// folder; the folder itself is not changed. With --check nothing is printed but a report: results, log
/// lines, journal, states, replay and compaction are compared with the folder's files; each
/// difference is counted under its item of docs/conformance, and one without an item ends with
/// exit code 1.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// Whose answers the store gives.
    #[arg(long, value_enum, default_value_t)]
    semantics: SemanticsArg,
    /// Compare everything in the folder that must hold.
    #[arg(long)]
    check: bool,
    /// Check only that replaying store.log, compacting it and replaying again loses no live queue.
    #[arg(long, requires = "check")]
    live_queues: bool,
    /// Answer in JSON (with --check; without, the answer is JSON anyway).
    #[arg(long)]
    json: bool,
    #[cfg(feature = "postgres")]
    #[command(flatten)]
    database: database::DatabaseArgs,
    /// A folder with ops.jsonl.
    folder: PathBuf,
}

pub(crate) fn run(args: &TraceArgs, out: &mut Out) -> Result<Exit, Failure> {
    #[cfg(feature = "postgres")]
    if let Some(database) = args.database.config()? {
        return database::run(args, &database, out);
    }
    if args.check {
        return check::run(args, out);
    }
    let scratch = ScratchFolder::new()?;
    print(args, Runner::with_journal(args.semantics.into(), &scratch.join("store.log"))?, out)
}

fn print<S: QueueStore<Queue = BasicQueue>>(
    args: &TraceArgs,
    mut runner: Runner<S>,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let path = args.folder.join("ops.jsonl");
    for_each_line(&path, |number, line| {
        let step = Step::parse(line).map_err(|error| Failure::content(&path, number, error))?;
        out.line(runner.run(&step)?.line);
        Ok(!out.is_closed())
    })?;
    Ok(Exit::Fine)
}
