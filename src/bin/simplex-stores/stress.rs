//! `stress`: concurrent random work, then every check.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use serde::Serialize;
use simplex_stores::{
    protocol::Semantics,
    queue_store::{BasicFactory, QueueStore, StmQueueStore},
    store_log::StoreLogConfig,
};

use crate::{
    cli::{DurabilityArg, SemanticsArg},
    failure::{Exit, Failure},
    load::{self, Field, LoadArgs, LoadForm},
    output::Out,
    progress,
    verify::print_checked,
};

/// Do concurrent random work on a store, then check every invariant.
///
/// With --log the store has a journal, which must be new unless --force is given; afterwards it is
/// replayed and compared with the store. Ends with exit code 1 when something does not hold, or an
/// operation failed as only a failing store lets it. With --semantics reference that is to be expected: the
/// reference's own defects show.
#[derive(Debug, Args)]
pub(crate) struct StressArgs {
    #[command(flatten)]
    load: LoadArgs,
    /// How many queues there may be: fewer make more conflicts.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    queues: u64,
    /// Whose answers the store gives.
    #[arg(long, value_enum, default_value_t)]
    semantics: SemanticsArg,
    /// Keep a journal in this file.
    #[arg(long)]
    log: Option<PathBuf>,
    /// When a change counts as written to the journal.
    #[arg(long, value_enum, default_value_t, requires = "log")]
    durability: DurabilityArg,
    /// Start from the journal when it is there already.
    #[arg(long, requires = "log")]
    force: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct StressForm {
    holds: bool,
    problems: Vec<String>,
    #[serde(flatten)]
    load: LoadForm,
}

pub(crate) fn run(args: &StressArgs, out: &mut Out) -> Result<Exit, Failure> {
    let store = Arc::new(open(args)?);
    let size = usize::try_from(args.queues).unwrap_or(usize::MAX);
    let field = Arc::new(Field::new(args.load.seed, size, &[]));
    let plan = args.load.plan();
    let load = load::run(&store, &field, plan, &progress::spinner())?;
    let checked = store.check_invariants();
    let mut problems: Vec<String> = load.failures.clone();
    if let Err(violations) = &checked {
        problems.extend(violations.iter().map(ToString::to_string));
    }
    store.close().map_err(|error| Failure::store("closing the journal", &error))?;
    if let Some(log) = &args.log {
        problems.extend(compare_with_log(&store, log, args.semantics.into())?);
    }
    let holds = problems.is_empty();
    if args.json {
        out.json(&StressForm { holds, problems, load });
    } else {
        load.print(out);
        if let Ok(report) = &checked {
            print_checked(out, report);
        }
        print_problems(out, &problems);
    }
    Ok(if holds { Exit::Fine } else { Exit::DoesNotHold })
}

fn open(args: &StressArgs) -> Result<StmQueueStore, Failure> {
    let semantics: Semantics = args.semantics.into();
    let Some(log) = &args.log else {
        return Ok(StmQueueStore::new(BasicFactory, semantics));
    };
    if log.exists() && !args.force {
        return Err(Failure::usage(format!(
            "{}: is there already; name a new file, or work on it with --force",
            log.display()
        )));
    }
    let bar = progress::log_bar();
    let config = StoreLogConfig::new(log).semantics(semantics).durability(args.durability.into());
    let opened = StmQueueStore::open(&progress::shown_on(config, &bar), BasicFactory);
    bar.finish_and_clear();
    Ok(opened?.0)
}

/// Replays the journal of a closed store; what differs from the store, a sentence each.
pub(crate) fn compare_with_log(
    store: &StmQueueStore,
    log: &std::path::Path,
    semantics: Semantics,
) -> Result<Vec<String>, Failure> {
    let config = StoreLogConfig::new(log).semantics(semantics);
    let (replayed, report) = StmQueueStore::replay(&config, BasicFactory)?;
    let mut problems: Vec<String> =
        report.warnings.iter().map(|warning| format!("{}: {warning}", log.display())).collect();
    let (memory, disk) = (store.snapshot(), replayed.snapshot());
    let parts = [
        ("queues", memory.queues == disk.queues),
        ("sender index", memory.senders == disk.senders),
        ("notifier index", memory.notifiers == disk.notifiers),
        ("link index", memory.links == disk.links),
        ("services", memory.services == disk.services),
        ("certificate index", memory.service_certs == disk.service_certs),
    ];
    let differ = parts.iter().filter(|(_, same)| !same);
    problems.extend(differ.map(|(part, _)| {
        format!("{}: replaying it gives another {part} than the store had", log.display())
    }));
    Ok(problems)
}

/// The verdict: what does not hold, if anything.
pub(crate) fn print_problems(out: &mut Out, problems: &[String]) {
    match problems.len() {
        0 => out.line("everything holds"),
        count => out.line(format_args!("{count} things do not hold:")),
    }
    for problem in problems {
        out.line(format_args!("  {problem}"));
    }
}
