//! A server that is stopped and started again under load.

use std::sync::Arc;
use std::time::Duration;

use simplex_stores::protocol::{ErrorType, RoundedDate};
use simplex_stores::queue_store::QueueStore;
use simplex_stores::queue_store::postgres::{
    PostgresQueueStore, PostgresQueueStoreConfig, Sharing,
};
use simplex_stores::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use simplex_stores::sync::thread;
use simplex_stores::testing::history::SequentialModel as _;
use simplex_stores::testing::postgres::{Cluster, StopMode};
use simplex_stores::testing::queue_store::{QueueModel, QueueOp, run, sample};

use super::support::{assert_serves, open, rows};
use crate::fixture::{client, migrate_up};

const THREADS: u8 = 4;
/// How many calls succeed between two restarts.
const CALLS: u64 = 200;
/// What a call answers while the server is away.
const AWAY: [&str; 4] = [
    "database: connection lost",
    "database: no connection",
    "database: outcome unclear",
    // What the server says of a backend that was killed beside this one.
    "database: failed",
];

/// What all threads know.
#[derive(Default)]
struct Progress {
    succeeded: AtomicU64,
    failed: AtomicU64,
    ends: AtomicBool,
}

/// A thread's own queue, through one life after the other.
fn steps(number: u8) -> Vec<QueueOp> {
    let id = || sample::recipient(number);
    let date = |day: u8| RoundedDate::from_seconds(1_735_689_600 + 86_400 * i64::from(day));
    vec![
        QueueOp::Add(id(), Box::new(sample::record(number))),
        QueueOp::Secure(id(), sample::key(number)),
        QueueOp::AddLink(id(), sample::link(number), sample::link_data(1, 1)),
        QueueOp::Time(id(), date(1)),
        QueueOp::AddNotifier(id(), Box::new(sample::creds(number, None))),
        QueueOp::Get(sample::sender(number).into()),
        QueueOp::Suspend(id()),
        QueueOp::Time(id(), date(2)),
        QueueOp::DeleteNotifier(id()),
        QueueOp::Get(id().into()),
        QueueOp::Keys(id(), sample::keys(number + 1)),
        QueueOp::Get(sample::link(number).into()),
        QueueOp::Delete(id()),
    ]
}

/// Works until it is told to end, and compares every answer with what its queue can be. An error leaves open
/// whether the change was made, until the queue can be read again.
fn work(store: &PostgresQueueStore, number: u8, progress: &Progress) -> QueueModel {
    let mut model = QueueModel::default();
    for op in steps(number).iter().cycle() {
        if progress.ends.load(Ordering::SeqCst) {
            break;
        }
        let before = model.clone();
        let expected = model.apply(op);
        let answer = run(store, op);
        if answer == expected {
            progress.succeeded.fetch_add(1, Ordering::SeqCst);
            continue;
        }
        assert_away(&answer, op);
        progress.failed.fetch_add(1, Ordering::SeqCst);
        model = settled(store, number, [model, before]);
    }
    model
}

fn assert_away<T: std::fmt::Debug>(answer: &Result<T, ErrorType>, op: &QueueOp) {
    let Err(ErrorType::Store(text)) = answer else { panic!("{op:?}: {answer:?}") };
    assert!(AWAY.contains(&text.as_ref()), "{op:?}: {text}");
}

/// What the queue is, of what it can be: asked until the server answers.
fn settled(store: &PostgresQueueStore, number: u8, mut can_be: [QueueModel; 2]) -> QueueModel {
    let ask = QueueOp::Get(sample::recipient(number).into());
    loop {
        let answer = run(store, &ask);
        for model in &mut can_be {
            if model.apply(&ask) == answer {
                return model.clone();
            }
        }
        assert_away(&answer, &ask);
    }
}

fn wait_for(progress: &Progress, calls: u64) {
    let goal = progress.succeeded.load(Ordering::SeqCst) + calls;
    while progress.succeeded.load(Ordering::SeqCst) < goal {
        thread::yield_now();
    }
}

fn under_load(sharing: Sharing, use_cache: bool) {
    let cluster = Cluster::start().unwrap();
    let database = cluster.database().unwrap();
    migrate_up(&database.config().unwrap()).unwrap();
    let settings = database.config().unwrap().pool_size(3);
    let settings = settings.checkout_timeout(Duration::from_millis(200));
    let config = PostgresQueueStoreConfig::new(settings).sharing(sharing).use_cache(use_cache);
    let store = Arc::new(open(&config));
    let progress = Arc::new(Progress::default());
    let threads: Vec<_> = (1..=THREADS)
        .map(|number| {
            let (store, progress) = (Arc::clone(&store), Arc::clone(&progress));
            thread::spawn(move || work(&store, number, &progress))
        })
        .collect();
    for mode in [StopMode::Fast, StopMode::Immediate] {
        wait_for(&progress, CALLS);
        let failed = progress.failed.load(Ordering::SeqCst);
        cluster.stop(mode).unwrap();
        while progress.failed.load(Ordering::SeqCst) == failed {
            thread::yield_now();
        }
        cluster.start_again().unwrap();
    }
    wait_for(&progress, CALLS);
    progress.ends.store(true, Ordering::SeqCst);
    let mut expected = QueueModel::default();
    for thread in threads {
        expected.queues.extend(thread.join().unwrap().queues);
    }
    let rows = rows(&mut client(&database));
    assert_eq!(rows, expected.queues);
    assert_serves(&store, &rows, "after the restarts");
    store.close().unwrap();
}

#[test]
fn race70_a_server_restarted_under_load_loses_nothing_and_leaves_the_cache_true() {
    under_load(Sharing::Alone, true);
}

#[test]
fn race70_so_it_is_among_several_processes() {
    under_load(Sharing::Processes, true);
}

#[test]
fn race70_and_without_a_cache() {
    under_load(Sharing::Processes, false);
}
