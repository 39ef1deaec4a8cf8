//! The journal beside the database (PG-17): it holds what the database has, or its loss is counted and it is
//! made again from the database (RACE-50).

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use simplex_stores::protocol::ErrorType;
use simplex_stores::queue_store::postgres::transfer::{ExportOptions, export};
use simplex_stores::queue_store::postgres::{PostgresQueueStore, PostgresQueueStoreConfig};
use simplex_stores::queue_store::{BasicFactory, QueueKey, QueueStore, StmQueueStore};
use simplex_stores::store_log::{FsStorage, Journal, StoreLogConfig};
use simplex_stores::testing::history::SequentialModel as _;
use simplex_stores::testing::queue_store::{QueueModel, QueueOp, run, sample};
use simplex_stores::testing::{FailingStorage, Fault, Operation, Plan};
use tempfile::TempDir;

use super::changes::{changes, filled};
use super::support::{Databases, assert_serves, rows};
use crate::fixture::client;

/// A journal in a folder, on a disk that fails when told to.
struct Beside {
    folder: TempDir,
    disk: FailingStorage,
}

impl Beside {
    fn new() -> Self {
        let disk = FailingStorage::new(Arc::new(FsStorage));
        Self { folder: tempfile::tempdir().unwrap(), disk }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, config: &PostgresQueueStoreConfig) -> PostgresQueueStore {
        let log = StoreLogConfig::new(self.path("store.log")).storage(Arc::new(self.disk.clone()));
        let (journal, _) = Journal::open_append(&log).unwrap();
        let opened = PostgresQueueStore::connect(config, BasicFactory, Some(journal), |_| false);
        opened.unwrap().0
    }

    /// What a store in memory makes of a journal.
    fn replayed(&self, name: &str) -> QueueModel {
        let config = StoreLogConfig::new(self.path(name));
        let (store, report) = StmQueueStore::replay(&config, BasicFactory).unwrap();
        assert!(report.warnings.is_empty(), "{:?}", report.warnings);
        let snapshot = store.snapshot();
        let queues = snapshot.queues.into_iter();
        let record = |record: Arc<_>| Arc::unwrap_or_clone(record);
        QueueModel {
            queues: queues.map(|queue| (queue.id, record(queue.record.unwrap()))).collect(),
            ..QueueModel::default()
        }
    }
}

/// Makes the changes that succeed one after the other; how many records they are.
fn changed(store: &PostgresQueueStore, model: &mut QueueModel) -> u64 {
    let mut records = 0;
    for op in changes() {
        let expected = model.apply(&op);
        assert_eq!(run(store, &op), expected, "{op:?}");
        records += match &op {
            _ if expected.is_err() => 0,
            // One for each queue that is there.
            QueueOp::SetServices(ids, ..) => {
                ids.iter().filter(|id| model.queues.contains_key(*id)).count() as u64
            }
            _ => 1,
        };
    }
    records
}

#[test]
fn pg17_the_journal_beside_the_database_replays_to_what_the_database_has() {
    let (databases, beside) = (Databases::new(), Beside::new());
    drop(databases.empty(&databases.config()));
    let store = beside.open(&databases.config());
    let mut model = filled(&store);
    assert!(changed(&store, &mut model) > 10);
    assert_eq!(store.journal_lost(), 0);
    store.close().unwrap();
    let rows = rows(&mut client(&databases.database));
    assert_eq!(rows, model.queues);
    assert_eq!(beside.replayed("store.log").queues, rows);
}

#[test]
fn race50_a_journal_that_fails_fails_no_operation_is_counted_and_is_made_again() {
    let (databases, beside) = (Databases::new(), Beside::new());
    drop(databases.empty(&databases.config()));
    let store = beside.open(&databases.config());
    let mut model = filled(&store);
    let kept = model.clone();
    let full = Fault::Error(ErrorKind::StorageFull);
    beside.disk.plan(Plan::NthOf(Operation::Write, 1, full));
    let lost = changed(&store, &mut model);
    // The disk works again after the first failure; what follows a gap is not written all the same.
    assert!(lost > 10);
    assert_eq!(store.journal_lost(), lost);
    let now = rows(&mut client(&databases.database));
    assert_eq!(now, model.queues);
    assert_serves(&store, &now, "with a broken journal");
    assert_eq!(beside.replayed("store.log").queues, kept.queues);

    // The running store is exported, and goes on (RACE-28).
    let settings = databases.settings();
    let copy = StoreLogConfig::new(beside.path("made-again.log"));
    export(&settings, &copy, &ExportOptions::default()).unwrap();
    assert_eq!(beside.replayed("made-again.log").queues, now);
    let queue = store.get_queue(&QueueKey::Recipient(sample::recipient(2))).unwrap();
    store.suspend_queue(&queue).unwrap();
    assert_eq!(store.journal_lost(), lost + 1);

    // The database is closed although the journal can't be.
    assert_eq!(store.close(), Err(ErrorType::Store("journal write failed".into())));
    let log = StoreLogConfig::new(beside.path("store.log"));
    export(&settings, &log, &ExportOptions::default().overwrite(true)).unwrap();
    let store = beside.open(&databases.config());
    let queue = store.get_queue(&QueueKey::Recipient(sample::recipient(2))).unwrap();
    store.unblock_queue(&queue).unwrap();
    assert_eq!(store.journal_lost(), 0);
    store.close().unwrap();
    let now = rows(&mut client(&databases.database));
    assert_eq!(beside.replayed("store.log").queues, now);
}
