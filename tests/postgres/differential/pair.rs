//! The two stores, and what is compared of them.

use std::sync::Arc;

use simplex_stores::protocol::{RecipientId, Semantics, TextEncode as _};
use simplex_stores::queue_store::postgres::maintenance::check;
use simplex_stores::queue_store::postgres::transfer::{ExportOptions, export};
use simplex_stores::queue_store::postgres::{
    PostgresQueueStore, PostgresQueueStoreConfig, PostgresQueues,
};
use simplex_stores::queue_store::stm::StoreSnapshot;
use simplex_stores::queue_store::{BasicFactory, QueueStore, StmQueueStore, StoreQueue};
use simplex_stores::store_log::{Durability, Journal, StoreLogConfig};
use simplex_stores::sync::atomic::{AtomicU64, Ordering};
use simplex_stores::testing::postgres::TestDatabase;
use simplex_stores::testing::queue_store::{QueueOp, run};
use tempfile::TempDir;

use super::case::{Case, History, equal_but_for_stubs};
use super::documented::{DOCUMENTED, Documented, Then};
use crate::fixture::{client, with_schema};

/// Longer than deleted queues are kept.
const A_MONTH: u64 = 30 * 86_400;

/// How a sequence went without a difference that isn't documented.
pub(super) struct Played {
    /// The documented differences that it met, in order.
    pub(super) met: Vec<&'static Documented>,
    /// Whether the last of them parted the states.
    pub(super) parted: bool,
}

/// A database for one pair of stores after the other.
pub(super) struct Place {
    database: TestDatabase,
    /// What the stores are held to.
    semantics: Semantics,
    /// What the one in the database is opened for.
    of_database: Semantics,
    use_cache: bool,
}

impl Place {
    pub(super) fn new(semantics: Semantics, use_cache: bool) -> Self {
        Self { database: with_schema(), semantics, of_database: semantics, use_cache }
    }

    /// A store in a database that gives other answers than it is held to.
    pub(super) fn known_bad() -> Self {
        let of_database = Semantics::Reference;
        Self { of_database, ..Self::new(Semantics::Strict, true) }
    }

    /// Makes the calls on two empty stores, up to where their states part as documented, and compares the
    /// states if they don't.
    pub(super) fn play(&self, ops: &[QueueOp]) -> Result<Played, String> {
        client(&self.database).batch_execute("TRUNCATE msg_queues, services CASCADE").unwrap();
        let mut pair = Pair::new(self);
        let mut played = Played { met: Vec::new(), parted: false };
        for op in ops {
            let Some(row) = pair.call(op)? else { continue };
            played.met.push(row);
            played.parted = row.then == Then::Parted;
            if played.parted {
                break;
            }
        }
        if !played.parted {
            pair.compare_states()?;
        }
        let report = check(&self.database.config().unwrap()).unwrap();
        if report.holds() { Ok(played) } else { Err(format!("the rows don't fit: {report:?}")) }
    }

    fn config(&self) -> PostgresQueueStoreConfig {
        PostgresQueueStoreConfig::new(self.database.config().unwrap().pool_size(1))
            .semantics(self.of_database)
            .use_cache(self.use_cache)
    }

    fn deleted_rows(&self) -> i64 {
        let count = "SELECT count(*) FROM msg_queues WHERE deleted_at IS NOT NULL";
        client(&self.database).query_one(count, &[]).unwrap().get(0)
    }
}

struct Pair<'p> {
    place: &'p Place,
    files: TempDir,
    clock: Arc<AtomicU64>,
    memory: StmQueueStore,
    database: PostgresQueueStore,
    history: History,
}

impl<'p> Pair<'p> {
    fn new(place: &'p Place) -> Self {
        let files = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicU64::new(1_735_689_600));
        let log = StoreLogConfig::new(files.path().join("memory.log"))
            .semantics(place.semantics)
            .durability(Durability::Flush);
        let memory = StmQueueStore::open(&log, BasicFactory).unwrap().0;
        let database = open(place, &files, &clock);
        Self { place, files, clock, memory, database, history: History::default() }
    }

    /// Makes a call on both; which documented difference it met, if any.
    fn call(&mut self, op: &QueueOp) -> Result<Option<&'static Documented>, String> {
        let before = self.memory.snapshot();
        let memory = run(&self.memory, op);
        let database = match op {
            QueueOp::Restart => {
                self.reopen();
                memory.clone()
            }
            QueueOp::Purge => {
                self.clock.fetch_add(A_MONTH, Ordering::SeqCst);
                let (there, purged) = (self.place.deleted_rows(), run(&self.database, op));
                if purged != Ok(there.to_string()) || self.place.deleted_rows() != 0 {
                    return Err(format!("{there} rows are deleted, and purged are {purged:?}"));
                }
                // What the store in memory answers: it keeps none of them, or keeps them all.
                memory.clone()
            }
            op => run(&self.database, op),
        };
        let strict = self.place.semantics == Semantics::Strict;
        let case = Case {
            op,
            before: &before,
            memory: &memory,
            database: &database,
            history: &self.history,
            use_cache: self.place.use_cache,
        };
        let row = DOCUMENTED.iter().find(|row| !strict && row.holds(&case));
        if row.is_none() && memory != database {
            return Err(format!("{op:?}\n  in memory:   {memory:?}\n  in database: {database:?}"));
        }
        self.history.note(op, &before, memory.is_ok());
        Ok(row)
    }

    /// What others call a restart: what was cached is gone.
    fn reopen(&mut self) {
        self.database.close().unwrap();
        self.database = open(self.place, &self.files, &self.clock);
        self.history.forget_cached();
    }

    /// The rows are the records in memory, and so is what is cached; under `Strict` the journals are the same.
    fn compare_states(&self) -> Result<(), String> {
        let snapshot = self.memory.snapshot();
        self.compare_cached(&snapshot)?;
        self.database.close().unwrap();
        self.memory.close().unwrap();
        self.compare_rows(&snapshot)?;
        if self.place.semantics == Semantics::Strict {
            same("the exported state", &snapshot, &self.exported())?;
            let journal = |name| std::fs::read_to_string(self.files.path().join(name)).unwrap();
            same("the journal", &journal("memory.log"), &journal("beside.log"))?;
        }
        Ok(())
    }

    fn compare_cached(&self, snapshot: &StoreSnapshot) -> Result<(), String> {
        for queue in self.database.loaded_queues().unwrap() {
            let id = queue.recipient_id();
            let known = snapshot.queues.iter().find(|known| known.id == *id);
            let in_memory = known.and_then(|known| known.record.clone());
            let cached = queue.record().read_atomic();
            match self.place.semantics {
                Semantics::Strict => same("a cached record", &in_memory, &cached)?,
                Semantics::Reference => {
                    let json = |record: &Option<_>| serde_json::to_value(record).unwrap();
                    if !equal_but_for_stubs(&json(&in_memory), &json(&cached)) {
                        return Err(format!("cached of {id:?}: {cached:?}, not {in_memory:?}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// The rows are read under `Strict`, which reads all of them.
    fn compare_rows(&self, snapshot: &StoreSnapshot) -> Result<(), String> {
        let config = self.place.config().semantics(Semantics::Strict).use_cache(false);
        let strict = PostgresQueueStore::connect(&config, BasicFactory, None, |_| false).unwrap().0;
        let live = || {
            let queues = snapshot.queues.iter();
            queues.filter_map(|queue| Some((queue.id.clone(), queue.record.clone()?)))
        };
        let ids: Vec<RecipientId> = live().map(|(id, _)| id).collect();
        let rows = strict.get_queues(&ids).unwrap().into_iter().map(|queue| {
            let queue = queue.ok()?;
            Some((queue.recipient_id().clone(), queue.record().read_atomic()?))
        });
        same("the live rows", &live().map(Some).collect::<Vec<_>>(), &rows.collect::<Vec<_>>())?;
        let mut client = client(&self.place.database);
        let live_rows = "SELECT count(*) FROM msg_queues WHERE deleted_at IS NULL";
        let rows: i64 = client.query_one(live_rows, &[]).unwrap().get(0);
        same("the number of live rows", &(ids.len() as i64), &rows)?;
        let rows = "SELECT service_id, service_role, service_cert_hash FROM services ORDER BY 1";
        let rows = client.query(rows, &[]).unwrap();
        let rows = rows.iter().map(|row| -> Service { (row.get(0), row.get(1), row.get(2)) });
        let services = snapshot.services.iter().map(|service| -> Service {
            let role = String::from_utf8(service.record.role.to_text()).unwrap();
            (service.id.as_bytes().to_vec(), role, service.record.cert_hash.as_bytes().to_vec())
        });
        same("the services", &services.collect::<Vec<_>>(), &rows.collect::<Vec<_>>())
    }

    /// The state that an export gives, with its indexes, sets and hashes.
    fn exported(&self) -> StoreSnapshot {
        let log = StoreLogConfig::new(self.files.path().join("exported.log"));
        let database = self.place.database.config().unwrap();
        export(&database, &log, &ExportOptions::default()).unwrap();
        StmQueueStore::replay(&log, BasicFactory).unwrap().0.snapshot()
    }
}

/// Id, role and certificate.
type Service = (Vec<u8>, String, Vec<u8>);

fn open(place: &Place, files: &TempDir, clock: &Arc<AtomicU64>) -> PostgresQueueStore {
    let log = StoreLogConfig::new(files.path().join("beside.log")).durability(Durability::Flush);
    let (journal, _) = Journal::open_append(&log).unwrap();
    let config = place.config();
    let (queues, _) = PostgresQueues::open(&config, |_| false).unwrap();
    let clock = Arc::clone(clock);
    let now = move || {
        time::OffsetDateTime::UNIX_EPOCH
            + std::time::Duration::from_secs(clock.load(Ordering::SeqCst))
    };
    let config = config.store_config().clock(now);
    PostgresQueueStore::open(queues, BasicFactory, &config, Some(journal)).unwrap()
}

fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    in_memory: &T,
    in_database: &T,
) -> Result<(), String> {
    match in_memory == in_database {
        true => Ok(()),
        false => Err(format!("{what} in memory:   {in_memory:?}\n  in database: {in_database:?}")),
    }
}
