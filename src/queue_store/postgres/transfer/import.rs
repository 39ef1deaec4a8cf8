//! A journal into a database.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::content::{self, Tally};
use super::error::{TransferError, UnstorableRecord};
use super::refit::Refit;
use super::report::{ImportReport, TransferPhase, TransferProgress};
use super::survey::{Survey, id_fits, queue_fits, service_fits};
use crate::db::postgres::types::Type;
use crate::db::postgres::{Columns, Pool, PostgresConfig, RowsIn, Statements as _, Transaction};
use crate::db::{DbError, DbErrorKind, Sql, ViolationKind};
use crate::protocol::{QueueRec, RecipientId, Semantics, ServiceRec};
use crate::queue_store::postgres::layout;
use crate::queue_store::postgres::locks::{lock_tables, schema_key};
use crate::queue_store::postgres::maintenance::recompute_aggregates;
use crate::queue_store::postgres::rows::{QueueRow, ServiceRow};
use crate::queue_store::{BasicFactory, StmQueueStore};
use crate::store_log::{
    self, Line, LogRecord, OpenError, ReplayReport, ReplayTarget, ReplayWarning, StoreLogConfig,
    WarningKind, Warnings,
};

/// A store that has the schema open holds this lock, alone or with others (RACE-53).
const SCHEMA_FREE: Sql = Sql::new(
    "looking whether the schema is in use",
    concat!("SELECT pg_try_advisory_xact_lock(", schema_key!(), ") AS free"),
);
const FILLED: Sql = Sql::new(
    "looking whether the tables are empty",
    "SELECT (SELECT count(*) FROM msg_queues) AS queues, (SELECT count(*) FROM services) AS services",
);
const TRIGGER_OFF: Sql =
    Sql::new("keeping the trigger quiet", "ALTER TABLE msg_queues DISABLE TRIGGER tr_queue_insert");
const TRIGGER_ON: Sql =
    Sql::new("waking the trigger", "ALTER TABLE msg_queues ENABLE TRIGGER tr_queue_insert");
const SERVICES_IN: Sql = Sql::new(
    "importing services",
    "COPY services (service_id, service_role, service_cert, service_cert_hash, created_at)
       FROM STDIN (FORMAT binary)",
);
const QUEUES_IN: Sql = Sql::new(
    "importing queues",
    "COPY msg_queues (recipient_id, recipient_keys, rcv_dh_secret, sender_id, sender_key, queue_mode,
       notifier_id, notifier_key, rcv_ntf_dh_secret, ntf_service_id, status, updated_at, link_id,
       rcv_service_id, fixed_data, user_data) FROM STDIN (FORMAT binary)",
);

const SERVICE_TYPES: [Type; 5] = [Type::BYTEA, Type::TEXT, Type::BYTEA, Type::BYTEA, Type::INT8];
const QUEUE_TYPES: [Type; 16] = [
    Type::BYTEA,
    Type::BYTEA,
    Type::BYTEA,
    Type::BYTEA,
    Type::BYTEA,
    Type::TEXT,
    Type::BYTEA,
    Type::BYTEA,
    Type::BYTEA,
    Type::BYTEA,
    Type::TEXT,
    Type::INT8,
    Type::BYTEA,
    Type::BYTEA,
    Type::BYTEA,
    Type::BYTEA,
];

/// How many queues lie between two reports of progress.
pub(super) const REPORT_EVERY: u64 = 1_000;

/// Called with the progress, on the thread that works.
pub(super) type OnProgress = Arc<dyn Fn(TransferProgress) + Send + Sync>;

/// How a journal is imported.
#[derive(Clone, Default)]
pub struct ImportOptions {
    skip_unreadable: bool,
    progress: Option<OnProgress>,
}

impl ImportOptions {
    /// Leaves out lines that are no records, instead of refusing a journal that has some. They are
    /// among the report's warnings.
    #[must_use]
    pub fn skip_unreadable(mut self, skip: bool) -> Self {
        self.skip_unreadable = skip;
        self
    }

    /// Reports progress while queues are sent. Reading the journal is reported to its own
    /// [`progress`](StoreLogConfig::progress).
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(TransferProgress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    fn report(&self, phase: TransferPhase, queues: u64, total: u64) {
        if let Some(progress) = &self.progress {
            progress(TransferProgress { phase, queues, total });
        }
    }
}

impl fmt::Debug for ImportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportOptions")
            .field("skip_unreadable", &self.skip_unreadable)
            .finish_non_exhaustive()
    }
}

/// Imports a journal into an empty schema, as one transaction (PG-16, RACE-52).
///
/// The journal is read under `Strict`, whatever its configuration says, and is not changed. Its lock is
/// held meanwhile: no router of this crate writes to it. The schema must be there, at the program's
/// version, have neither queues nor services, and be open in no store. Until the end of the import others can read its
/// tables, and see nothing in them, but not write.
///
/// A journal of services and queues alone streams in constant memory, but for its services; any other is
/// replayed first, and takes what a store of its queues takes.
///
/// # Errors
///
/// [`TransferError`]; the database is as it was then, but where a connection breaks during the commit:
/// [`DbErrorKind::Unclear`].
pub fn import(
    log: &StoreLogConfig,
    database: &PostgresConfig,
    options: &ImportOptions,
) -> Result<ImportReport, TransferError> {
    let log = log.clone().semantics(Semantics::Strict);
    let pool = Pool::open(&for_transfers(database))?;
    // Before anything is read: a wrong schema is told at once.
    pool.snapshot("import", |tx| require_empty(tx, database))?;
    let source = existing_source(&log)?;
    let _lock = store_log::take_lock(&log)?;
    let mut survey = Survey::new(log.max_warnings);
    let replay = store_log::replay_file(&log, &source, &mut survey)?;
    if !options.skip_unreadable {
        refuse_unreadable(&log, &replay)?;
    }
    let importing = Importing { log: &log, source: &source, pool: &pool, options };
    if survey.is_compact() {
        refuse_unstorable(&log, survey.unstorable())?;
        match importing.stream(&survey, replay) {
            // Two queues have an id in common: a replay knows which keeps it.
            Err(TransferError::Database(error)) if is_duplicate(&error) => {}
            imported => return imported,
        }
    }
    importing.replay(&survey)
}

/// One connection, without time limits.
pub(super) fn for_transfers(database: &PostgresConfig) -> PostgresConfig {
    let database = database.clone().pool_size(1);
    database.statement_timeout(Duration::ZERO).idle_transaction_timeout(Duration::ZERO)
}

/// The file to read; before a lock file is made beside it.
fn existing_source(log: &StoreLogConfig) -> Result<std::path::PathBuf, OpenError> {
    let source = store_log::readable_source(log)?;
    let length = log.storage.len(&source);
    length.map_err(OpenError::io(store_log::OpenStep::Inspect, &source))?;
    Ok(source)
}

fn refuse_unreadable(log: &StoreLogConfig, replay: &ReplayReport) -> Result<(), TransferError> {
    if replay.damage_proven > 0 {
        let (damage, total) = (replay.damage.clone(), replay.damage_total);
        return Err(OpenError::Damaged { path: log.path.clone(), damage, total }.into());
    }
    if replay.unreadable == 0 {
        return Ok(());
    }
    let unreadable = |kind: &WarningKind| {
        matches!(kind, WarningKind::Parse { .. } | WarningKind::TooLong { .. })
    };
    let warnings = replay.warnings.iter().filter(|warning| unreadable(&warning.kind));
    Err(TransferError::UnreadableLines {
        path: log.path.clone(),
        lines: warnings.cloned().collect(),
        total: replay.unreadable,
    })
}

fn refuse_unstorable(
    log: &StoreLogConfig,
    (total, records): (u64, &[UnstorableRecord]),
) -> Result<(), TransferError> {
    if total == 0 {
        return Ok(());
    }
    let (path, records) = (log.path.clone(), records.to_vec());
    Err(TransferError::Unstorable { path, records, total })
}

fn is_duplicate(error: &DbError) -> bool {
    error.violation().is_some_and(|violation| violation.kind == ViolationKind::Unique)
}

fn require_empty(tx: &mut Transaction<'_>, database: &PostgresConfig) -> Result<(), TransferError> {
    let schema = database.schema_name().as_str();
    layout::require(tx, schema)?;
    let row = tx.query_one(&FILLED, &[])?;
    let mut columns = Columns::of("msg_queues", &row);
    let queues = columns.count("queues")?;
    let services = columns.count("services")?;
    match (queues, services) {
        (0, 0) => Ok(()),
        _ => Err(TransferError::NotEmpty { schema: schema.to_owned(), queues, services }),
    }
}

/// Keeps stores out of the schema until the transaction ends, unless one has it open.
fn require_free(tx: &mut Transaction<'_>, database: &PostgresConfig) -> Result<(), TransferError> {
    let schema = database.schema_name().as_str();
    let row = tx.query_one(&SCHEMA_FREE, &[&schema])?;
    match Columns::of("pg_locks", &row).next("free")? {
        true => Ok(()),
        false => Err(TransferError::SchemaInUse { schema: schema.to_owned() }),
    }
}

/// An import whose journal has been looked through.
struct Importing<'a> {
    log: &'a StoreLogConfig,
    source: &'a Path,
    pool: &'a Pool,
    options: &'a ImportOptions,
}

impl Importing<'_> {
    /// Straight from the file.
    fn stream(&self, survey: &Survey, replay: ReplayReport) -> Result<ImportReport, TransferError> {
        let mut warnings = Warnings::new(self.log.max_warnings);
        let (roles, total) = (survey.roles(), survey.queues());
        let mut refit = Refit::new(roles, &mut warnings);
        let content = self.in_transaction(survey.services(), |rows| {
            let mut sending = Sending { rows, options: self.options, total };
            let mut services = 0;
            store_log::each_batch(self.log, self.source, |batch| {
                for line in batch {
                    match &line.record {
                        LogRecord::CreateQueue(id, record) => {
                            let record = refit.record((line.number, line.offset), id, record);
                            sending.queue(id, &record)?;
                        }
                        LogRecord::NewService(_) => services += 1,
                        _ => return Err(self.changed()),
                    }
                }
                Ok(())
            })?;
            let sent = sending.rows.tally.content();
            match sent.queues == total && sent.services == services {
                true => Ok(()),
                false => Err(self.changed()),
            }
        })?;
        let dangling = refit.cleared;
        let mut replay = replay;
        replay.warnings_total += warnings.total;
        replay.warnings.extend(warnings.list);
        Ok(ImportReport { replay, streamed: true, dangling, content })
    }

    /// By way of a store in memory.
    fn replay(&self, survey: &Survey) -> Result<ImportReport, TransferError> {
        let store = StmQueueStore::new(BasicFactory, Semantics::Strict);
        let mut target = CountDangling { store: store.replayer(), dangling: 0 };
        let replay = store_log::replay_file(self.log, self.source, &mut target)?;
        let dangling = target.dangling;
        if !self.options.skip_unreadable {
            refuse_unreadable(self.log, &replay)?;
        }
        let (services, queues) = live_records(&store, self.source)?;
        if survey.unstorable().0 > 0 {
            self.refuse_final(survey, &services, &queues)?;
        }
        let total = queues.len() as u64;
        let content = self.in_transaction(&services, |rows| {
            let mut sending = Sending { rows, options: self.options, total };
            queues.iter().try_for_each(|(id, record)| sending.queue(id, record))
        })?;
        Ok(ImportReport { replay, streamed: false, dangling, content })
    }

    fn changed(&self) -> TransferError {
        TransferError::LogChanged { path: self.log.path.clone() }
    }

    /// Refuses what is still not to be stored after all records.
    fn refuse_final(
        &self,
        survey: &Survey,
        services: &[ServiceRec],
        queues: &[(RecipientId, Arc<QueueRec>)],
    ) -> Result<(), TransferError> {
        let (_, seen) = survey.unstorable();
        let refused = |entity: String, problem: String| {
            let line = seen.iter().rfind(|one| one.entity == entity).map_or(0, |one| one.line);
            UnstorableRecord { line, entity, problem }
        };
        let of_service = |service: &ServiceRec| {
            let problem = service_fits(service).err()?;
            Some(refused(service.service_id.to_string(), problem))
        };
        let of_queue = |(id, record): &(RecipientId, Arc<QueueRec>)| {
            let fits = id_fits("recipient id", id.entity()).and_then(|()| queue_fits(record));
            Some(refused(id.to_string(), fits.err()?))
        };
        let services = services.iter().filter_map(of_service);
        let mut records: Vec<_> = services.chain(queues.iter().filter_map(of_queue)).collect();
        let total = records.len() as u64;
        records.sort_by_key(|record| record.line);
        records.truncate(self.log.max_warnings);
        refuse_unstorable(self.log, (total, &records))
    }

    /// Everything that changes the database: all of it, or nothing.
    fn in_transaction(
        &self,
        services: &[ServiceRec],
        send: impl FnOnce(&mut Counted<'_, '_>) -> Result<(), TransferError>,
    ) -> Result<content::Content, TransferError> {
        self.pool.transaction("import", |tx| {
            require_free(tx, self.pool.config())?;
            // Whoever writes waits for the end of the import, and finds the tables filled.
            lock_tables(tx)?;
            require_empty(tx, self.pool.config())?;
            let quiet = trigger_off(tx)?;
            let mut tally = Tally::default();
            tx.copy_rows_in::<DbError>(&SERVICES_IN, &SERVICE_TYPES, |rows| {
                services.iter().try_for_each(|service| {
                    tally.service(service)?;
                    rows.send(&ServiceRow::of(service)?.values())
                })
            })?;
            tx.copy_rows_in(&QUEUES_IN, &QUEUE_TYPES, |rows| {
                send(&mut Counted { rows, tally: &mut tally })
            })?;
            if quiet {
                tx.execute(&TRIGGER_ON, &[])?;
            }
            let records = tally.into_content();
            self.options.report(TransferPhase::AddingUp, records.queues, records.queues);
            recompute_aggregates(tx)?;
            let differences = records.differences(&content::read(tx)?);
            match differences.is_empty() {
                true => Ok(records),
                false => Err(TransferError::Different(differences)),
            }
        })
    }
}

/// The trigger would change a service's row for each of its queues, and each change would walk over all
/// earlier ones. The aggregates are computed at the end instead. Only the table's owner can do this; for
/// others the trigger works as always.
fn trigger_off(tx: &mut Transaction<'_>) -> Result<bool, DbError> {
    match tx.savepoint(|tx| tx.execute(&TRIGGER_OFF, &[])) {
        Ok(_) => Ok(true),
        Err(error) if *error.kind() == DbErrorKind::Denied => Ok(false),
        Err(error) => Err(error),
    }
}

/// Counts the associations that a replay clears: its list of warnings may be cut short.
struct CountDangling<T> {
    store: T,
    dangling: u64,
}

impl<T: ReplayTarget> ReplayTarget for CountDangling<T> {
    fn apply(&mut self, batch: Vec<Line>) -> Vec<ReplayWarning> {
        self.store.apply(batch)
    }

    fn prefers_large_batches(&self) -> bool {
        self.store.prefers_large_batches()
    }

    fn finish(&mut self) -> Vec<ReplayWarning> {
        let warnings = self.store.finish();
        let dangling = |kind: &WarningKind| matches!(kind, WarningKind::DanglingService { .. });
        let found = warnings.iter().filter(|warning| dangling(&warning.kind)).count();
        self.dangling += found as u64;
        warnings
    }

    fn compacted(&self, emit: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        self.store.compacted(emit)
    }
}

/// The services and live queues of a store, each in ascending order.
#[allow(clippy::type_complexity, reason = "two lists")]
fn live_records(
    store: &StmQueueStore,
    source: &Path,
) -> Result<(Vec<ServiceRec>, Vec<(RecipientId, Arc<QueueRec>)>), OpenError> {
    let (mut services, mut queues) = (Vec::new(), Vec::new());
    let gathered = store.compacted(&mut |record| {
        match record {
            LogRecord::NewService(service) => services.push(*service),
            LogRecord::CreateQueue(id, record) => queues.push((id, record)),
            _ => return Err(io::Error::other("a record that no compacted log has")),
        }
        Ok(())
    });
    gathered.map_err(OpenError::io(store_log::OpenStep::Read, source))?;
    Ok((services, queues))
}

/// Rows on their way, and what they add up to.
struct Counted<'r, 'c> {
    rows: &'r mut RowsIn<'c>,
    tally: &'r mut Tally,
}

/// Sends queues, and says how far it is.
struct Sending<'s, 'r, 'c> {
    rows: &'s mut Counted<'r, 'c>,
    options: &'s ImportOptions,
    total: u64,
}

impl Sending<'_, '_, '_> {
    fn queue(&mut self, id: &RecipientId, record: &QueueRec) -> Result<(), TransferError> {
        self.rows.tally.queue(id, record)?;
        self.rows.rows.send(&QueueRow::of(id, record)?.values())?;
        let sent = self.rows.tally.content().queues;
        if sent.is_multiple_of(REPORT_EVERY) {
            self.options.report(TransferPhase::Copying, sent, self.total);
        }
        Ok(())
    }
}
