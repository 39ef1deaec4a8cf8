//! Many queues there and back: into a database, and out as the store in memory writes them.
//!
//! `SIMPLEX_STORES_IMPORT_QUEUES` says how many.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use simplex_stores::db::postgres::PostgresConfig;
use simplex_stores::protocol::{CountHash, ServiceParty};
use simplex_stores::queue_store::postgres::transfer::{
    ExportOptions, ImportOptions, export, import,
};
use simplex_stores::queue_store::{BasicFactory, QueueStore, StmQueueStore};
use simplex_stores::store_log::{self, LogRecord, StoreLogConfig};

use crate::fixture;
use crate::journals::{Drawn, Journal};

#[path = "../campaign/mod.rs"]
#[allow(dead_code, reason = "only the number of inputs is asked for")]
mod campaign;

/// Services, then queues in no order.
fn write_journal(path: &Path, queues: u64) {
    let mut drawn = Drawn::from(4711);
    let services = drawn.services(9);
    let mut file = BufWriter::new(File::create(path).unwrap());
    let mut line = Vec::new();
    let mut write = |record: LogRecord| {
        line.clear();
        record.encode(&mut line);
        line.push(b'\n');
        file.write_all(&line).unwrap();
    };
    for service in &services {
        write(LogRecord::NewService(Box::new(service.clone())));
    }
    for _ in 0..queues {
        let (id, record) = drawn.queue(&services);
        write(LogRecord::CreateQueue(id, Arc::new(record)));
    }
    file.flush().unwrap();
}

fn assert_same_files(one: &Path, other: &Path) {
    let mut lines = [one, other].map(|path| BufReader::new(File::open(path).unwrap()));
    let [mut one, mut other] = [Vec::new(), Vec::new()];
    for number in 1.. {
        one.clear();
        other.clear();
        lines[0].read_until(b'\n', &mut one).unwrap();
        lines[1].read_until(b'\n', &mut other).unwrap();
        assert!(one == other, "line {number}");
        if one.is_empty() {
            return;
        }
    }
}

#[allow(clippy::print_stderr, reason = "a campaign's figures")]
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let value = work();
    eprintln!("{what}: {:.1} s", started.elapsed().as_secs_f64());
    value
}

fn imported(
    log: &StoreLogConfig,
    config: &PostgresConfig,
) -> simplex_stores::queue_store::postgres::transfer::Content {
    let report = import(log, config, &ImportOptions::default()).unwrap();
    assert!(report.streamed && report.replay.warnings_total == 0);
    report.content
}

#[test]
#[allow(clippy::print_stderr, reason = "a campaign's figures")]
fn pg16_many_queues_come_back_as_the_store_in_memory_has_them() {
    let queues = campaign::inputs("SIMPLEX_STORES_IMPORT_QUEUES", 10_000);
    let journal = Journal::of(&[]);
    timed("generated", || write_journal(&journal.path(), queues));
    let database = fixture::with_schema();
    let config = database.config().unwrap();
    let content = timed("imported", || imported(&journal.config(), &config));

    let exported = StoreLogConfig::new(journal.beside("exported.log"));
    let report = timed("exported", || export(&config, &exported, &ExportOptions::default()));
    assert_eq!(report.unwrap().content, content);
    drop(database);

    let compacted = journal.beside("compacted.log");
    timed("replayed, counted and compacted in memory", || {
        let (store, _) = StmQueueStore::replay(&journal.config(), BasicFactory).unwrap();
        let counts = store.entity_counts().unwrap();
        assert_eq!((counts.queues, counts.notifiers), (content.queues, content.notifiers));
        assert_eq!((content.queues, content.services), (queues, 9));
        let of = |id| {
            let parties = [ServiceParty::Receiver, ServiceParty::Notifier];
            let mut found = parties.iter().filter_map(|it| store.service_count_hash(*it, id).ok());
            found.find(|queues| *queues != CountHash::EMPTY)
        };
        assert_eq!(content.service_queues.len(), 6);
        content.service_queues.iter().for_each(|(id, queues)| assert_eq!(of(id), Some(*queues)));
        let in_services: i64 = content.service_queues.values().map(|queues| queues.count).sum();
        assert_eq!(counts.rcv_service_queues + counts.ntf_service_queues, in_services as u64);
        store_log::compact_to(&journal.config(), &compacted, &store.replayer()).unwrap();
    });
    assert_same_files(exported.path(), &compacted);

    let again = fixture::with_schema();
    let config = again.config().unwrap();
    assert_eq!(timed("imported again", || imported(&exported, &config)), content);
    let bytes = std::fs::metadata(&compacted).unwrap().len();
    eprintln!(
        "{queues} queues, {bytes} bytes, digest {}, {} notifiers, {} links",
        content.queues_digest, content.notifiers, content.links
    );
}
