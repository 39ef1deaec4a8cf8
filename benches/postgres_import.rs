//! How long does it take to import a journal into a database?
//!
//! `import` is the whole import: the journal is read twice, its rows are sent, and both sides are added up
//! and compared. Its peer is `psql`'s `\copy` of the same rows in the same order, from a file, into the same
//! table on the same server: once as the schema is (`psql_copy`), once with the trigger quiet that counts
//! queues of services (`psql_copy_quiet`), as it is during an import. At the end the ratios are printed, of
//! medians of turns: above one, the import is the faster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout)] // the ratios

mod common;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{queue, queues};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use simplex_stores::db::migrations::ConfirmMode;
use simplex_stores::db::postgres::{CreateSchema, PostgresConfig};
use simplex_stores::queue_store::postgres::transfer::{ImportOptions, import};
use simplex_stores::queue_store::postgres::{SchemaOptions, migrate};
use simplex_stores::store_log::StoreLogConfig;
use simplex_stores::testing::postgres::{Cluster, TestDatabase};

const COLUMNS: &str = "recipient_id, recipient_keys, rcv_dh_secret, sender_id, sender_key, queue_mode, \
     notifier_id, notifier_key, rcv_ntf_dh_secret, ntf_service_id, status, updated_at, link_id, \
     rcv_service_id, fixed_data, user_data";

/// A server, a database on it, and the same queues as a journal and as rows.
struct Subject {
    database: TestDatabase,
    cluster: Cluster,
    config: PostgresConfig,
    log: StoreLogConfig,
    rows: String,
}

impl Subject {
    fn sql(&self, sql: &str) {
        let mut client = self.database.client().unwrap();
        client.batch_execute(&format!("SET search_path = smp_server; {sql}")).unwrap();
    }

    fn import(&self) {
        let report = import(&self.log, &self.config, &ImportOptions::default()).unwrap();
        assert!(report.streamed && report.content.queues == queues() as u64);
    }

    fn psql(&self, command: &str) {
        let mut psql = Command::new(self.cluster.program("psql"));
        psql.arg("-X").arg("-q").args(["-v", "ON_ERROR_STOP=1"]);
        psql.args(["-c", command])
            .arg(format!("{} options=-csearch_path=smp_server", self.database.url()));
        assert!(psql.status().unwrap().success());
    }

    fn copy_in(&self) {
        self.psql(&format!("\\copy msg_queues ({COLUMNS}) FROM '{}'", self.rows));
    }

    /// The time of a way on empty tables.
    fn timed(&self, (_, work, counted): Way) -> Duration {
        let trigger = if counted { "ENABLE" } else { "DISABLE" };
        self.sql(&format!("ALTER TABLE msg_queues {trigger} TRIGGER tr_queue_insert"));
        self.sql("TRUNCATE msg_queues, services CASCADE; CHECKPOINT");
        let started = Instant::now();
        work(self);
        started.elapsed()
    }
}

fn subject(cluster: Cluster, folder: &Path) -> Subject {
    let database = cluster.database().unwrap();
    let config = PostgresConfig::parse(database.url()).unwrap();
    let options = SchemaOptions { create: CreateSchema::IfMissing, confirm: ConfirmMode::YesUp };
    migrate(&config, options, |_| false).unwrap();
    let log = StoreLogConfig::new(folder.join("store.log"));
    common::write_log(log.path(), (0..queues()).map(queue));
    let rows = folder.join("rows.txt").to_str().unwrap().to_owned();
    let subject = Subject { database, cluster, config, log, rows };
    subject.import();
    // As they lie in the table, which is as they were sent.
    subject.psql(&format!("\\copy msg_queues ({COLUMNS}) TO '{}'", subject.rows));
    subject
}

/// What is measured, and whether the trigger that counts queues of services works meanwhile.
type Way = (&'static str, fn(&Subject), bool);

const WAYS: [Way; 3] = [
    ("import", Subject::import, true),
    ("psql_copy", Subject::copy_in, true),
    ("psql_copy_quiet", Subject::copy_in, false),
];

/// How often each way is taken for the ratios, in turn, so that whatever else the machine does slows all
/// of them alike.
const TURNS: usize = 7;

fn imports(criterion: &mut Criterion) {
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start().unwrap();
    let subject = subject(cluster, folder.path());
    let mut group = criterion.benchmark_group("postgres_import");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(queues() as u64));
    for way in WAYS {
        group.bench_function(BenchmarkId::new(way.0, queues()), |bencher| {
            bencher.iter_custom(|rounds| (0..rounds).map(|_| subject.timed(way)).sum());
        });
    }
    group.finish();
    if !common::trial() {
        print_ratios(&subject);
    }
}

fn print_ratios(subject: &Subject) {
    let mut times = WAYS.map(|_| Vec::new());
    for _ in 0..TURNS {
        WAYS.iter().zip(&mut times).for_each(|(way, times)| times.push(subject.timed(*way)));
    }
    let medians = times.map(|mut times| {
        times.sort();
        times.get(TURNS / 2).copied().unwrap_or_default().as_secs_f64()
    });
    for ((name, ..), median) in WAYS.iter().zip(medians) {
        println!("{name}: {median:.2} s, {name} / import: {:.2}", median / medians[0]);
    }
}

fn main() {
    let mut criterion = common::criterion();
    imports(&mut criterion);
    criterion.final_summary();
}
