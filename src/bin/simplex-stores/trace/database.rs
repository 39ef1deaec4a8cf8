//! Recorded runs in a PostgreSQL database.

use std::path::Path;

use clap::Args;
use simplex_stores::{
    db::{DbError, postgres::PostgresConfig},
    protocol::{ErrorType, IdsHash, RecipientId, Semantics, ServiceId, ServiceParty},
    queue_store::{
        BasicFactory, QueueKey, QueueStore, StmQueueStore, StoreQueue,
        postgres::{
            PostgresQueueStore, PostgresQueueStoreConfig,
            maintenance::status,
            transfer::{ExportOptions, export},
        },
    },
    store_log::{Durability, Journal, StoreLogConfig},
};

use super::{Tally, TraceArgs, check, print, runner::Runner};
use crate::{
    database_url::DatabaseUrl,
    db::connect::config,
    failure::{Exit, Failure},
    files::ScratchFolder,
    forms::{CountsForm, state_lines_counted},
    output::Out,
};

/// Which database a run is played in, if any.
#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// Run the operations in a PostgreSQL database, not in memory; what they leave stays in it.
    ///
    /// The schema must be there and empty. With --check, replay and compaction are left out: they are about
    /// files alone.
    #[arg(long, value_name = "URL", conflicts_with = "live_queues")]
    database: Option<DatabaseUrl>,
    /// The schema that holds the tables.
    #[arg(long, value_name = "NAME", default_value = "smp_server", requires = "database")]
    schema: String,
    /// Ask the database at every lookup.
    #[arg(long, requires = "database")]
    no_cache: bool,
}

impl DatabaseArgs {
    /// The settings that the arguments ask for.
    pub(super) fn config(&self) -> Result<Option<PostgresConfig>, DbError> {
        let url = self.database.as_ref();
        url.map(|url| config(url, &self.schema)).transpose()
    }
}

pub(super) fn run(
    args: &TraceArgs,
    database: &PostgresConfig,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let semantics = args.semantics.into();
    if args.check && semantics == Semantics::Reference {
        return Err(Failure::usage(
            "the recorded runs are of the reference's store in memory, which its store in a \
             database differs from; check them with --semantics strict",
        ));
    }
    let scratch = ScratchFolder::new()?;
    let journal = scratch.join("store.log");
    let config = PostgresQueueStoreConfig::new(database.clone().pool_size(1))
        .semantics(semantics)
        .use_cache(!args.database.no_cache);
    refuse_what_is_there(database)?;
    let runner = open(&config, database, &scratch, &journal)?;
    if !args.check {
        return print(args, runner, out);
    }
    let mut tally = Tally::default();
    check::operations(&args.folder, semantics, runner, &journal, &mut tally)?;
    check::report(args, &tally, out)
}

/// A store with a journal beside it.
fn open(
    config: &PostgresQueueStoreConfig,
    database: &PostgresConfig,
    scratch: &ScratchFolder,
    journal: &Path,
) -> Result<Runner<PostgresQueueStore>, Failure> {
    let log = StoreLogConfig::new(journal).durability(Durability::Flush);
    let (beside, _) = Journal::open_append(&log)?;
    let (store, _) = PostgresQueueStore::connect(config, BasicFactory, Some(beside), |_| false)?;
    let (database, exported) = (database.clone(), scratch.join("exported.log"));
    let state = move |store: &PostgresQueueStore| state(store, &database, &exported);
    Runner::journalling(store, journal, state)
}

fn refuse_what_is_there(database: &PostgresConfig) -> Result<(), Failure> {
    let status = status(database)?;
    let counts = status.counts.unwrap_or_default();
    match (counts.queues + counts.deleted, counts.services) {
        (0, 0) => Ok(()),
        (queues, services) => Err(Failure::usage(format!(
            "the schema {} has {queues} queues and {services} services, deleted ones included; \
             a recorded run begins with none: name a new schema with its own `db init`",
            status.schema
        ))),
    }
}

/// The lines of the state: the rows, and what store and database keep of them (where each id leads, counts
/// and hashes).
fn state(
    store: &PostgresQueueStore,
    database: &PostgresConfig,
    exported: &Path,
) -> Result<Vec<String>, Failure> {
    let log = StoreLogConfig::new(exported);
    let report = export(database, &log, &ExportOptions::default().overwrite(true))?;
    if report.drifted_services > 0 {
        return Err(Failure::broken("the counts of services aren't those of their queues"));
    }
    let mut state = StmQueueStore::replay(&log, BasicFactory)?.0.snapshot();
    state.senders = leading(store, state.senders);
    state.notifiers = leading(store, state.notifiers);
    state.links = leading(store, state.links);
    for service in &mut state.services {
        service.rcv.hash = kept_hash(store, ServiceParty::Receiver, &service.id)?;
        service.ntf.hash = kept_hash(store, ServiceParty::Notifier, &service.id)?;
    }
    let counts = store.entity_counts().map_err(asking)?;
    Ok(state_lines_counted(&state, CountsForm::from(counts)).collect())
}

/// Each id with the queue that the store finds by it; without those by which it finds none.
fn leading<Id: Clone + Into<QueueKey>>(
    store: &PostgresQueueStore,
    ids: Vec<(Id, RecipientId)>,
) -> Vec<(Id, RecipientId)> {
    let find = |id: &Id| store.get_queue(&id.clone().into());
    let found = ids.into_iter().filter_map(|(id, _)| find(&id).ok().map(|queue| (id, queue)));
    found.map(|(id, queue)| (id, queue.recipient_id().clone())).collect()
}

fn kept_hash(
    store: &PostgresQueueStore,
    party: ServiceParty,
    service: &ServiceId,
) -> Result<IdsHash, Failure> {
    store.service_count_hash(party, service).map(|kept| kept.hash).map_err(asking)
}

fn asking(error: ErrorType) -> Failure {
    Failure::store("asking for the state", &error)
}
