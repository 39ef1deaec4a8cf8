//! `demo`: everything once, on a copy of a small journal.

use std::{fs, path::PathBuf, sync::Arc};

use clap::Args;
use serde::Serialize;
use simplex_stores::{
    protocol::{RecipientId, Semantics},
    queue_store::{BasicFactory, QueueStore, StmQueueStore, StoreQueue},
    store_log::{Durability, StoreLogConfig},
};

use crate::{
    cli::{ReadArgs, SemanticsArg},
    failure::{Exit, Failure},
    files::{ScratchFolder, require_log},
    load::{self, End, Field, LoadForm, Plan},
    loading::load as load_log,
    output::Out,
    progress,
    report::ReplayForm,
    stress::{compare_with_log, print_problems},
    verify::print_checked,
};

/// Do everything once, on a copy of a small journal, and say what happened.
///
/// Replays the journal, works on it from several threads with every change synced to disk, checks every
/// invariant, replays what was written and compares, compacts it and compares again. The journal itself is
/// not changed: everything happens in a temporary folder.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How many threads work.
    #[arg(long, short, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=64))]
    threads: u64,
    /// How much they do in all.
    #[arg(long, short, default_value_t = 10_000)]
    operations: u64,
    /// What the work is made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// The journal.
    #[arg(default_value = "examples/demo.log")]
    log: PathBuf,
}

#[derive(Debug, Serialize)]
struct DemoForm<'a> {
    holds: bool,
    problems: &'a [String],
    replay: ReplayForm<'a>,
    load: &'a LoadForm,
    journal_bytes: u64,
    compacted_records: u64,
    compacted_bytes: u64,
}

pub(crate) fn run(args: &DemoArgs, out: &mut Out) -> Result<Exit, Failure> {
    require_log(&args.log)?;
    let read = ReadArgs { semantics: SemanticsArg::Strict, integrity: false };
    let loaded = load_log(&args.log, &read)?;
    let replay = ReplayForm::of(&args.log, &loaded)
        .map_err(|error| Failure::store("counting queues", &error))?;
    if !args.json {
        out.line("1. Replay the journal");
        replay.print(out);
    }

    let scratch = ScratchFolder::new()?;
    let copy = scratch.join("store.log");
    fs::copy(&args.log, &copy).map_err(Failure::reading(&args.log))?;
    let config = StoreLogConfig::new(&copy).durability(Durability::Fsync);
    let (store, _) = StmQueueStore::open(&config, BasicFactory)?;
    let store = Arc::new(store);
    let load = work(args, &store)?;
    let checked = store.check_invariants();
    let mut problems = load.failures.clone();
    if let Err(violations) = &checked {
        problems.extend(violations.iter().map(ToString::to_string));
    }
    if !args.json {
        out.line("\n2. Work on it from several threads, every change synced to disk");
        load.print(out);
        out.line("\n3. Check every invariant");
        if let Ok(report) = &checked {
            print_checked(out, report);
        }
    }

    store.close().map_err(|error| Failure::store("closing the journal", &error))?;
    let journal_bytes = fs::metadata(&copy).map_err(Failure::reading(&copy))?.len();
    problems.extend(compare_with_log(&store, &copy, Semantics::Strict)?);
    let (compacted, started) = StmQueueStore::open(&config, BasicFactory)?;
    compacted.close().map_err(|error| Failure::store("closing the journal", &error))?;
    problems.extend(compare_with_log(&store, &copy, Semantics::Strict)?);
    let holds = problems.is_empty();
    if args.json {
        out.json(&DemoForm {
            holds,
            problems: &problems,
            replay,
            load: &load,
            journal_bytes,
            compacted_records: started.compacted.records,
            compacted_bytes: started.compacted.bytes,
        });
    } else {
        out.line("\n4. Replay what was written, compact it, replay it again, and compare");
        out.line(format_args!(
            "the journal: {journal_bytes} bytes; compacted: {} records, {} bytes",
            started.compacted.records, started.compacted.bytes
        ));
        print_problems(out, &problems);
    }
    Ok(if holds { Exit::Fine } else { Exit::DoesNotHold })
}

fn work(args: &DemoArgs, store: &Arc<StmQueueStore>) -> Result<LoadForm, Failure> {
    let queues = store.loaded_queues().map_err(|error| Failure::store("listing queues", &error))?;
    let ids: Vec<RecipientId> = queues.iter().map(|queue| queue.recipient_id().clone()).collect();
    let field = Arc::new(Field::new(args.seed, ids.len(), &ids));
    let threads = usize::try_from(args.threads).unwrap_or(1);
    let plan = Plan { threads, seed: args.seed, end: End::Operations(args.operations) };
    load::run(store, &field, plan, &progress::count_bar(args.operations))
}
