//! Random sequences of calls on the store and on the model, with restarts in between.

use quickcheck::{Gen, QuickCheck};
use simplex_stores::protocol::Semantics;
use simplex_stores::queue_store::{BasicFactory, QueueStore, StmQueueStore};
use simplex_stores::store_log::{Durability, StoreLogConfig};

use simplex_stores::testing::history::SequentialModel;
use simplex_stores::testing::queue_store::{QueueModel, QueueOp, run as call};

fn open(config: &StoreLogConfig) -> StmQueueStore {
    let (store, report) = StmQueueStore::open(config, BasicFactory).unwrap();
    assert!(report.replay.warnings.is_empty(), "{:?}", report.replay.warnings);
    store
}

/// The store's records and services are the model's, and its indexes agree with them.
fn assert_same_state(store: &StmQueueStore, model: &QueueModel) {
    let snapshot = store.snapshot();
    let queues = snapshot.queues.iter().map(|queue| (&queue.id, queue.record.as_deref().unwrap()));
    assert!(queues.eq(model.queues.iter()), "queues differ");
    let services = snapshot.services.iter().map(|service| (&service.id, &service.record));
    assert!(services.eq(model.services.iter()), "services differ");
    assert_eq!(snapshot.violations(), []);
}

fn run(ops: Vec<QueueOp>) {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreLogConfig::new(folder.path().join("store.log"))
        .semantics(Semantics::Strict)
        .durability(Durability::Flush);
    let mut store = open(&config);
    let mut model = QueueModel::default();
    for op in &ops {
        if matches!(op, QueueOp::Restart) {
            store.close().unwrap();
            drop(store);
            store = open(&config);
            assert_same_state(&store, &model);
        }
        assert_eq!(call(&store, op), model.apply(op), "{op:?}");
    }
    assert_same_state(&store, &model);
}

#[test]
fn store_answers_and_restarts_like_the_sequential_model() {
    let check: fn(Vec<QueueOp>) = run;
    let tests = std::env::var("SIMPLEX_STORES_MODEL_RUNS").ok().and_then(|n| n.parse().ok());
    QuickCheck::new().tests(tests.unwrap_or(300)).rng(Gen::new(120)).quickcheck(check);
}
