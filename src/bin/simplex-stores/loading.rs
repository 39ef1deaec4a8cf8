//! Loading a log into a store, and what is measured meanwhile.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    time::{Duration, Instant},
};

use simplex_stores::{
    queue_store::{BasicFactory, StmQueueStore},
    store_log::{self, Line, LogRecord, ReplayReport, ReplayTarget, ReplayWarning, StoreLogConfig},
};

use crate::{cli::ReadArgs, failure::Failure, files::require_log, memory, progress};

/// How many warnings are listed one by one; beyond that they are counted.
const MAX_WARNINGS: usize = 1_000;

/// A log in a store.
pub(crate) struct Loaded {
    pub(crate) store: StmQueueStore,
    pub(crate) report: ReplayReport,
    /// How many records there were of each kind, by tag.
    pub(crate) kinds: BTreeMap<&'static str, u64>,
    pub(crate) elapsed: Duration,
    /// How much resident memory grew; `None` where the system does not say.
    pub(crate) memory: Option<u64>,
}

/// The configuration that the arguments ask for, without progress.
pub(crate) fn config(path: &Path, args: &ReadArgs) -> StoreLogConfig {
    StoreLogConfig::new(path)
        .semantics(args.semantics.into())
        .integrity(args.integrity)
        .max_warnings(MAX_WARNINGS)
}

/// Replays a log into a new store, without changing any file.
pub(crate) fn load(path: &Path, args: &ReadArgs) -> Result<Loaded, Failure> {
    require_log(path)?;
    let bar = progress::log_bar();
    let config = progress::shown_on(config(path, args), &bar);
    let store = StmQueueStore::new(BasicFactory, args.semantics.into());
    let memory_before = memory::resident();
    let started = Instant::now();
    let mut counting = Counting { target: store.replayer(), kinds: BTreeMap::new() };
    let report = store_log::replay(&config, &mut counting);
    let kinds = counting.kinds;
    bar.finish_and_clear();
    let elapsed = started.elapsed();
    let memory = memory_before.zip(memory::resident()).map(|(a, b)| b.saturating_sub(a));
    Ok(Loaded { report: report?, store, kinds, elapsed, memory })
}

/// Counts records by kind on their way into a store.
pub(crate) struct Counting<T> {
    pub(crate) target: T,
    pub(crate) kinds: BTreeMap<&'static str, u64>,
}

impl<T: ReplayTarget> ReplayTarget for Counting<T> {
    fn apply(&mut self, batch: Vec<Line>) -> Vec<ReplayWarning> {
        for line in &batch {
            *self.kinds.entry(tag(&line.record)).or_default() += 1;
        }
        self.target.apply(batch)
    }

    fn prefers_large_batches(&self) -> bool {
        self.target.prefers_large_batches()
    }

    fn finish(&mut self) -> Vec<ReplayWarning> {
        self.target.finish()
    }

    fn compacted(&self, emit: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        self.target.compacted(emit)
    }
}

/// The word that a record's line begins with (section 3.1 of the formats).
pub(crate) fn tag(record: &LogRecord) -> &'static str {
    match record {
        LogRecord::CreateQueue(..) => "CREATE",
        LogRecord::CreateLink(..) => "LINK",
        LogRecord::DeleteLink(..) => "LDELETE",
        LogRecord::SecureQueue(..) => "SECURE",
        LogRecord::UpdateKeys(..) => "KEYS",
        LogRecord::AddNotifier(..) => "NOTIFIER",
        LogRecord::SuspendQueue(..) => "SUSPEND",
        LogRecord::BlockQueue(..) => "BLOCK",
        LogRecord::UnblockQueue(..) => "UNBLOCK",
        LogRecord::DeleteQueue(..) => "DELETE",
        LogRecord::DeleteNotifier(..) => "NDELETE",
        LogRecord::UpdateTime(..) => "TIME",
        LogRecord::NewService(..) => "NEW_SERVICE",
        LogRecord::QueueService(..) => "QUEUE_SERVICE",
    }
}
