//! Journals into a database and out again, with whatever they hold.

use std::fs;

use simplex_stores::db::postgres::PostgresConfig;
use simplex_stores::protocol::{
    BlockingInfo, BlockingReason, ClientNotice, CountHash, EntityStatus, QueueMode, QueueRec,
    RecipientId, RoundedDate, ServiceId, ServiceParty,
};
use simplex_stores::queue_store::postgres::transfer::{
    Content, ExportOptions, ImportOptions, ImportReport, TransferError, TransferPhase, export,
    import,
};
use simplex_stores::queue_store::postgres::{
    PostgresQueueStore, PostgresQueueStoreConfig, Sharing,
};
use simplex_stores::queue_store::{BasicFactory, QueueStore, StmQueueStore};
use simplex_stores::store_log::{LogRecord, StoreLogConfig, WarningKind};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::postgres::TestDatabase;

use crate::fixture;
use crate::journals::{Drawn, Journal, compacted, lines, parsed};

pub(crate) fn imported(database: &TestDatabase, journal: &Journal) -> ImportReport {
    let config = database.config().unwrap();
    import(&journal.config(), &config, &ImportOptions::default()).unwrap()
}

/// The database as a journal.
pub(crate) fn exported(config: &PostgresConfig) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let log = StoreLogConfig::new(folder.path().join("export.log"));
    let report = export(config, &log, &ExportOptions::default()).unwrap();
    let bytes = fs::read(log.path()).unwrap();
    assert_eq!(report.bytes, bytes.len() as u64);
    assert_eq!((report.left_out_total, report.drifted_services), (0, 0));
    bytes
}

/// What a store in memory that replayed the journal counts.
fn expected(journal: &Journal) -> Content {
    let (store, _) = StmQueueStore::replay(&journal.config(), BasicFactory).unwrap();
    let counts = store.entity_counts().unwrap();
    let snapshot = store.snapshot();
    let mut content = Content::default();
    content.queues = counts.queues;
    content.notifiers = counts.notifiers;
    content.links = snapshot.links.len() as u64;
    content.services = snapshot.services.len() as u64;
    for service in &snapshot.services {
        for party in [ServiceParty::Receiver, ServiceParty::Notifier] {
            let queues = store.service_count_hash(party, &service.id);
            if let Ok(queues) = queues
                && queues != CountHash::EMPTY
            {
                content.service_queues.insert(service.id.clone(), queues);
            }
        }
    }
    content
}

fn same(report: &ImportReport, mut expected: Content) {
    expected.queues_digest = report.content.queues_digest;
    expected.services_digest = report.content.services_digest;
    assert_eq!(report.content, expected);
}

#[test]
fn pg16_a_compact_journal_comes_back_byte_for_byte() {
    for seed in 0..3 {
        let database = fixture::with_schema();
        let journal = Journal::of(&Drawn::from(seed).compact(1_000, 7));
        let before = journal.bytes();
        let report = imported(&database, &journal);
        assert!(report.streamed && report.dangling == 0 && report.replay.warnings_total == 0);
        same(&report, expected(&journal));
        assert!(exported(&database.config().unwrap()) == before, "seed {seed}");
        assert!(journal.bytes() == before, "an import only reads");
    }
}

#[test]
fn pg16_a_journal_of_a_running_router_is_what_its_store_in_memory_is() {
    for seed in 10..13 {
        let database = fixture::with_schema();
        let journal = Journal::of(&Drawn::from(seed).lived_in(2_000, 7));
        let report = imported(&database, &journal);
        assert!(!report.streamed);
        same(&report, expected(&journal));
        assert!(exported(&database.config().unwrap()) == journal.compacted(), "seed {seed}");
    }
}

#[test]
fn pg16_the_recorded_runs_come_back_as_their_stores_in_memory() {
    for run in ["queue-clean-201", "queue-clean-202", "queue-201", "queue-202", "edge"] {
        let folder = format!("{}/tests/vectors/{run}", env!("CARGO_MANIFEST_DIR"));
        let logs = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let is_log = |path: &std::path::PathBuf| {
            path.extension().is_some_and(|end| end == "log" || end == "compacted")
        };
        let logs: Vec<_> = logs.filter(is_log).collect();
        assert!(logs.len() >= 2, "{run}");
        for log in logs {
            let database = fixture::with_schema();
            let journal = Journal::of_bytes(&fs::read(&log).unwrap());
            let config = database.config().unwrap();
            let options = ImportOptions::default().skip_unreadable(true);
            let report = import(&journal.config(), &config, &options);
            let report = report.unwrap_or_else(|error| panic!("{}: {error}", log.display()));
            same(&report, expected(&journal));
            assert!(exported(&config) == compacted(&log), "{}", log.display());
        }
    }
}

/// A queue whose every column is hard to carry.
fn hostile(drawn: &mut Drawn) -> (RecipientId, QueueRec) {
    let nasty = b"\0\\\"'\t\r\n,;\\x00\\.\xff\xfe$1%s{}".to_vec();
    let (_, mut record) = drawn.queue(&[]);
    let link = loop {
        if let Some(link) = drawn.any::<Option<Box<simplex_stores::protocol::QueueLink>>>() {
            break link;
        }
    };
    record.link = Some(link);
    if let Some(link) = &mut record.link {
        link.data.fixed = nasty.clone().into();
        link.data.user = [nasty.as_slice(), &[0; 70_000]].concat().into();
    }
    record.sender_id = id([&nasty[..], b"s"].concat());
    record.updated_at = Some(RoundedDate::from_seconds(i64::MIN));
    record.queue_mode = Some(QueueMode::Contact);
    (id(nasty), record)
}

fn id<Id: From<simplex_stores::protocol::EntityId>>(bytes: Vec<u8>) -> Id {
    simplex_stores::protocol::EntityId::from_bytes(&bytes).unwrap().into()
}

#[test]
fn race13_race14_race16_hostile_values_come_back() {
    let mut drawn = Drawn::from(77);
    let blocked = |ttl| {
        let notice = Some(ClientNotice { ttl });
        EntityStatus::Blocked(BlockingInfo { reason: BlockingReason::Content, notice })
    };
    let services = drawn.services(3);
    let mut queues = vec![hostile(&mut drawn)];
    for ttl in [None, Some(0), Some(86_400), Some(-1), Some(i64::MAX)] {
        let (id, mut record) = drawn.queue(&services);
        record.status = blocked(ttl);
        queues.push((id, record));
    }
    let associated = |service: &&simplex_stores::protocol::ServiceRec| {
        service.role == simplex_stores::protocol::ServiceRole::Messaging
    };
    let messaging = services.iter().find(associated).unwrap().service_id.clone();
    let (id, mut record) = drawn.queue(&[]);
    (record.status, record.rcv_service_id) = (blocked(Some(1)), Some(messaging));
    queues.push((id, record));
    let (id, mut record) = drawn.queue(&[]);
    record.link = Some(Box::new(simplex_stores::protocol::QueueLink {
        id: drawn.any(),
        data: simplex_stores::protocol::LinkData::default(),
    }));
    queues.push((id, record));
    queues.sort_by(|one, other| one.0.cmp(&other.0));
    let services = services.into_iter().map(|service| LogRecord::NewService(Box::new(service)));
    let queues = queues.into_iter().map(|(id, record)| LogRecord::CreateQueue(id, record.into()));
    let journal = Journal::of(&services.chain(queues).collect::<Vec<_>>());

    let database = fixture::with_schema();
    assert!(imported(&database, &journal).streamed);
    assert!(exported(&database.config().unwrap()) == journal.bytes());
    let stored = "SELECT status FROM msg_queues WHERE status LIKE '%86400%'";
    let row = fixture::client(&database).query_one(stored, &[]).unwrap();
    assert_eq!(row.get::<_, &str>(0), "blocked,reason=content,notice={\"ttl\":86400}");
    let log = StoreLogConfig::new(journal.beside("again.log"));
    let report = export(&database.config().unwrap(), &log, &ExportOptions::default()).unwrap();
    assert!(report.strict_only >= 2, "{report:?}");
}

#[test]
fn race23_dangling_and_mismatched_services_are_imported_as_none_and_told() {
    let mut drawn = Drawn::from(5);
    let services = drawn.services(3);
    let of = |role| services.iter().find(|service| service.role == role).unwrap();
    let notifying = of(simplex_stores::protocol::ServiceRole::Notifier).service_id.clone();
    let unknown: ServiceId = drawn.any();
    let mut records: Vec<_> =
        services.iter().map(|service| LogRecord::NewService(Box::new(service.clone()))).collect();
    for service in [&unknown, &notifying] {
        let (id, mut record) = drawn.queue(&[]);
        record.rcv_service_id = Some(service.clone());
        let mut creds: simplex_stores::protocol::NtfCreds = drawn.any();
        creds.service_id = Some(unknown.clone());
        record.notifier = Some(Box::new(creds));
        records.push(LogRecord::CreateQueue(id, record.into()));
    }
    // Once straight from the file, once through a store.
    let mut lived = records.clone();
    lived.push(LogRecord::UnblockQueue(drawn.any()));
    for (records, streamed) in [(records, true), (lived, false)] {
        let database = fixture::with_schema();
        let journal = Journal::of(&records);
        let report = imported(&database, &journal);
        assert_eq!((report.streamed, report.dangling), (streamed, 4));
        let dangling = report.replay.warnings.iter().filter(|warning| {
            matches!(warning.kind, WarningKind::DanglingService { .. }) && warning.line >= 4
        });
        assert_eq!(dangling.count(), 4, "{:?}", report.replay.warnings);
        assert!(exported(&database.config().unwrap()) == journal.compacted());
    }
}

#[test]
fn race19_queues_that_share_an_id_are_left_to_a_replay() {
    let mut drawn = Drawn::from(6);
    let mut records = drawn.compact(20, 0);
    let (id, mut record) = drawn.queue(&[]);
    let other = records.iter().find_map(|record| match record {
        LogRecord::CreateQueue(_, other) => other.link.clone(),
        _ => None,
    });
    record.link = other;
    records.push(LogRecord::CreateQueue(id, record.into()));
    let database = fixture::with_schema();
    let journal = Journal::of(&records);
    let report = imported(&database, &journal);
    assert!(!report.streamed);
    let dropped = |kind: &WarningKind| matches!(kind, WarningKind::LinkDropped { .. });
    assert_eq!(report.replay.warnings.iter().filter(|one| dropped(&one.kind)).count(), 1);
    assert!(exported(&database.config().unwrap()) == journal.compacted());
}

#[test]
fn an_empty_journal_is_an_empty_database() {
    let database = fixture::with_schema();
    let journal = Journal::of(&[]);
    same(&imported(&database, &journal), Content::default());
    assert!(exported(&database.config().unwrap()).is_empty());
}

#[test]
fn a_torn_last_line_is_told_and_not_imported() {
    let records = Drawn::from(8).compact(10, 2);
    let mut bytes = lines(&records);
    bytes.extend_from_slice(b"CREATE rid=");
    let database = fixture::with_schema();
    let report = imported(&database, &Journal::of_bytes(&bytes));
    assert!(report.streamed && report.replay.torn_tail.is_some());
    assert_eq!(parsed(&exported(&database.config().unwrap())), records);
}

#[test]
fn the_log_that_an_unfinished_start_set_aside_is_the_one_that_is_imported() {
    let database = fixture::with_schema();
    let records = Drawn::from(21).compact(40, 2);
    let journal = Journal::of(&records);
    fs::rename(journal.path(), journal.beside("store.log.start")).unwrap();
    fs::write(journal.path(), lines(&records[..5])).unwrap();
    let report = imported(&database, &journal);
    assert_eq!(report.replay.source, journal.beside("store.log.start"));
    assert_eq!(parsed(&exported(&database.config().unwrap())), records);
    assert!(journal.beside("store.log.start").exists() && journal.path().exists());
}

#[test]
fn progress_is_told_while_queues_are_sent_and_fetched() {
    let database = fixture::with_schema();
    let journal = Journal::of(&Drawn::from(9).compact(2_500, 0));
    let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
    let note = |seen: &std::sync::Arc<Mutex<Vec<_>>>| {
        let seen = std::sync::Arc::clone(seen);
        move |progress| seen.lock().push(progress)
    };
    let config = database.config().unwrap();
    import(&journal.config(), &config, &ImportOptions::default().progress(note(&seen))).unwrap();
    let log = StoreLogConfig::new(journal.beside("export.log"));
    export(&config, &log, &ExportOptions::default().progress(note(&seen))).unwrap();
    let seen = seen.lock();
    let copying = seen.iter().filter(|progress| progress.phase == TransferPhase::Copying);
    let queues: Vec<_> = copying.map(|progress| (progress.queues, progress.total)).collect();
    assert_eq!(queues, [(1_000, 2_500), (2_000, 2_500), (1_000, 2_500), (2_000, 2_500)]);
}

#[test]
fn race53_a_schema_that_a_store_has_open_is_refused_and_one_that_was_imported_opens() {
    let database = fixture::with_schema();
    let config = database.config().unwrap();
    let journal = Journal::of(&Drawn::from(20).lived_in(300, 4));
    for sharing in [Sharing::Alone, Sharing::Processes] {
        let settings = PostgresQueueStoreConfig::new(config.clone()).sharing(sharing);
        let (store, _) =
            PostgresQueueStore::connect(&settings, BasicFactory, None, |_| false).unwrap();
        let error = import(&journal.config(), &config, &ImportOptions::default()).unwrap_err();
        assert!(matches!(error, TransferError::SchemaInUse { .. }), "{error}");
        assert_eq!(store.entity_counts().unwrap().queues, 0);
        store.close().unwrap();
    }
    imported(&database, &journal);
    let settings = PostgresQueueStoreConfig::new(config);
    let (store, _) = PostgresQueueStore::connect(&settings, BasicFactory, None, |_| false).unwrap();
    let (in_memory, _) = StmQueueStore::replay(&journal.config(), BasicFactory).unwrap();
    assert_eq!(store.entity_counts(), in_memory.entity_counts());
    for queue in in_memory.snapshot().queues {
        let (_, found) = store.get_queue_rec(&queue.id.into()).unwrap();
        assert_eq!(Some(found), queue.record);
    }
    store.close().unwrap();
}
