//! What does the store over PostgreSQL cost above the server, and what above the in-memory store?
//!
//! One server, on a Unix socket, that doesn't sync its files: the server's own part is as small as it gets, so
//! ours shows as large as it gets. *Bare* is the driver with the statement prepared by hand, on one connection; it
//! reads no row apart. Cached lookups are compared with the in-memory store that holds the same queues.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::hint::black_box;
use std::time::Duration;

use common::{Ids, THREADS, queue, queues, timed, trial};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput};
use simplex_stores::db::migrations::{ConfirmMode, MigrationError};
use simplex_stores::db::postgres::{CreateSchema, PostgresConfig};
use simplex_stores::protocol::{RecipientId, Semantics, SenderId};
use simplex_stores::queue_store::postgres::transfer::{ImportOptions, import};
use simplex_stores::queue_store::postgres::{
    PostgresQueueStore, PostgresQueueStoreConfig, SchemaOptions, Sharing, migrate,
};
use simplex_stores::queue_store::{BasicFactory, QueueKey, QueueStore, StmQueueStore};
use simplex_stores::store_log::StoreLogConfig;
use simplex_stores::testing::postgres::{Cluster, TestDatabase};

/// Ids in one batch.
const BATCH: usize = 1_000;

const COLUMNS: &str = "recipient_id, recipient_keys, rcv_dh_secret, sender_id, sender_key, queue_mode, notifier_id, \
     notifier_key, rcv_ntf_dh_secret, ntf_service_id, status, updated_at, link_id, rcv_service_id, fixed_data, user_data";

/// A database with queues in it.
struct Subject {
    database: TestDatabase,
    ids: Ids,
    recipients: Vec<RecipientId>,
}

impl Subject {
    fn new() -> Self {
        let database = Cluster::shared().unwrap().database().unwrap();
        let config = database.config().unwrap();
        let schema = SchemaOptions { create: CreateSchema::IfMissing, confirm: ConfirmMode::YesUp };
        migrate(&config, schema, |_| false)
            .map_err(|error: MigrationError| error.to_string())
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("store.log");
        common::write_log(&log, (0..queues()).map(queue));
        import(&StoreLogConfig::new(&log), &config, &ImportOptions::default()).unwrap();
        let mut client = database.client().unwrap();
        client.batch_execute("VACUUM ANALYZE").unwrap();
        let recipients = (0..queues()).map(|number| queue(number).0).collect();
        Self { database, ids: Ids::of(queues()), recipients }
    }

    fn config(&self) -> PostgresConfig {
        self.database.config().unwrap().pool_size(2)
    }

    fn store(&self, use_cache: bool, sharing: Sharing) -> PostgresQueueStore {
        let config = PostgresQueueStoreConfig::new(self.config());
        let config = config.use_cache(use_cache).sharing(sharing);
        PostgresQueueStore::connect(&config, BasicFactory, None, |_| false).unwrap().0
    }

    fn client(&self) -> postgres::Client {
        let mut client = self.database.client().unwrap();
        client.batch_execute("SET search_path = smp_server").unwrap();
        client
    }
}

/// How many operations one measurement does.
fn each(count: usize) -> usize {
    if trial() { 10 } else { count }
}

fn group<'c>(
    criterion: &'c mut Criterion,
    name: &str,
    each: usize,
) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(each as u64));
    group
}

/// Lookups from a place on, round and round.
fn look_up<S: QueueStore>(store: &S, senders: &[SenderId], start: usize, count: usize) {
    for id in senders.iter().cycle().skip(start % senders.len()).take(count) {
        black_box(store.get_queue(&QueueKey::from(id.clone())).unwrap());
    }
}

fn measure_lookups<S: QueueStore>(
    criterion: &mut Criterion,
    name: &str,
    store: &S,
    senders: &[SenderId],
) {
    let count = each(50_000);
    for threads in THREADS {
        let mut group = group(criterion, "cached_lookup", count * threads);
        group.bench_function(
            BenchmarkId::new(format!("{name}_{threads}"), senders.len()),
            |bencher| {
                let mut round = 0;
                bencher.iter_custom(|rounds| {
                    let run = || {
                        let starts = (0..threads).map(|thread| (round + thread) * count).collect();
                        round += threads;
                        timed(starts, |_, start| look_up(store, senders, start, count)).0
                    };
                    std::iter::repeat_with(run).take(rounds as usize).sum::<Duration>()
                });
            },
        );
    }
}

fn cached_lookup(criterion: &mut Criterion, subject: &Subject) {
    let memory = StmQueueStore::new(BasicFactory, Semantics::Strict);
    for (id, record) in (0..queues()).map(queue) {
        memory.add_queue(id, record).unwrap();
    }
    let store = subject.store(true, Sharing::Alone);
    for page in subject.recipients.chunks(BATCH) {
        store.get_queues(page).unwrap();
    }
    measure_lookups(criterion, "in_memory", &memory, &subject.ids.senders);
    measure_lookups(criterion, "postgres", &store, &subject.ids.senders);
}

fn uncached_lookup(criterion: &mut Criterion, subject: &Subject) {
    let count = each(1_000);
    let mut group = group(criterion, "uncached_lookup", count);
    let senders = &subject.ids.senders;
    let mut client = subject.client();
    let sql =
        format!("SELECT {COLUMNS} FROM msg_queues WHERE sender_id = $1 AND deleted_at IS NULL");
    let statement = client.prepare(&sql).unwrap();
    let mut ids = senders.iter().cycle();
    group.bench_function(BenchmarkId::new("bare", senders.len()), |bencher| {
        bencher.iter(|| {
            for id in ids.by_ref().take(count) {
                black_box(client.query_opt(&statement, &[&id.as_bytes()]).unwrap().unwrap());
            }
        });
    });
    let store = subject.store(false, Sharing::Alone);
    group.bench_function(BenchmarkId::new("postgres", senders.len()), |bencher| {
        bencher.iter(|| {
            for id in ids.by_ref().take(count) {
                black_box(store.get_queue(&QueueKey::from(id.clone())).unwrap());
            }
        });
    });
}

fn update(criterion: &mut Criterion, subject: &Subject) {
    let count = each(1_000);
    let mut group = group(criterion, "update", count);
    let recipients = &subject.recipients;
    let mut client = subject.client();
    let sql = "UPDATE msg_queues SET status = $2 WHERE recipient_id = $1 AND deleted_at IS NULL";
    let statement = client.prepare(sql).unwrap();
    let mut ids = recipients.iter().cycle();
    group.bench_function(BenchmarkId::new("bare", recipients.len()), |bencher| {
        bencher.iter(|| {
            for id in ids.by_ref().take(count) {
                assert_eq!(client.execute(&statement, &[&id.as_bytes(), &"active"]).unwrap(), 1);
            }
        });
    });
    let kinds = [
        ("uncached", false, Sharing::Alone),
        ("cached", true, Sharing::Alone),
        ("announced", true, Sharing::Processes),
    ];
    for (name, use_cache, sharing) in kinds {
        let store = subject.store(use_cache, sharing);
        let keys: Vec<QueueKey> =
            recipients.iter().take(count).cloned().map(QueueKey::from).collect();
        let queues: Vec<_> = keys.iter().map(|key| store.get_queue(key).unwrap()).collect();
        group.bench_function(BenchmarkId::new(name, recipients.len()), |bencher| {
            bencher.iter(|| queues.iter().for_each(|queue| store.unblock_queue(queue).unwrap()));
        });
    }
}

fn batch_lookup(criterion: &mut Criterion, subject: &Subject) {
    let mut group = group(criterion, "uncached_batch_lookup", BATCH);
    let batch: Vec<RecipientId> = subject.recipients.iter().take(BATCH).cloned().collect();
    let mut client = subject.client();
    let sql = format!(
        "SELECT {COLUMNS} FROM msg_queues WHERE recipient_id = ANY($1) AND deleted_at IS NULL"
    );
    let statement = client.prepare(&sql).unwrap();
    let count = subject.recipients.len();
    group.bench_function(BenchmarkId::new("bare", count), |bencher| {
        bencher.iter(|| {
            let ids: Vec<&[u8]> = batch.iter().map(RecipientId::as_bytes).collect();
            black_box(client.query(&statement, &[&ids]).unwrap());
        });
    });
    let store = subject.store(false, Sharing::Alone);
    group.bench_function(BenchmarkId::new("postgres", count), |bencher| {
        bencher.iter(|| black_box(store.get_queues(&batch).unwrap()));
    });
}

fn main() {
    let mut criterion = common::criterion();
    let subject = Subject::new();
    cached_lookup(&mut criterion, &subject);
    uncached_lookup(&mut criterion, &subject);
    update(&mut criterion, &subject);
    batch_lookup(&mut criterion, &subject);
    criterion.final_summary();
}
