//! Transfers that are refused, fail or are cut off: the database and the files are as they were.

use std::fs;
use std::io::Write;

use postgres::Client;
use simplex_stores::db::DbErrorKind;
use simplex_stores::db::postgres::PostgresConfig;
use simplex_stores::protocol::{AuthKey, CertChain, EntityId, RecipientKeys};
use simplex_stores::queue_store::postgres::transfer::{
    ExportOptions, ImportOptions, TransferError, TransferPhase, TransferProgress, export, import,
};
use simplex_stores::store_log::{LogRecord, OpenError, StoreLogConfig};
use simplex_stores::sync::Mutex;
use simplex_stores::testing::postgres::{Cluster, StopMode, TestDatabase};

use crate::fixture;
use crate::journals::{Drawn, Journal, lines, parsed};
use crate::transfer::{exported, imported};

fn refused(journal: &Journal, config: &PostgresConfig) -> TransferError {
    let before = journal.bytes();
    let error = import(&journal.config(), config, &ImportOptions::default()).unwrap_err();
    assert!(journal.bytes() == before);
    error
}

fn assert_untouched(database: &TestDatabase) {
    let mut client = fixture::client(database);
    let count = |client: &mut Client, sql: &str| client.query_one(sql, &[]).unwrap().get(0);
    let rows: i64 = count(
        &mut client,
        "SELECT (SELECT count(*) FROM msg_queues) + (SELECT count(*) FROM services)",
    );
    assert_eq!(rows, 0);
    let disabled: i64 =
        count(&mut client, "SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'");
    assert_eq!(disabled, 0);
}

fn schema_problem(journal: &Journal, config: &PostgresConfig) -> String {
    match refused(journal, config) {
        TransferError::Database(error) if *error.kind() == DbErrorKind::Schema => error.to_string(),
        error => panic!("{error}"),
    }
}

#[test]
fn pg16_a_schema_that_is_not_the_programs_is_refused_with_what_differs() {
    let journal = Journal::of(&Drawn::from(1).compact(5, 1));
    let empty = fixture::empty();
    let problem = schema_problem(&journal, &empty.config().unwrap());
    assert!(problem.contains("no schema smp_server") && problem.contains("db init"), "{problem}");

    let changes = [
        ("ALTER TABLE msg_queues DROP COLUMN user_data", "no column msg_queues.user_data"),
        (
            "ALTER TABLE msg_queues ALTER COLUMN status TYPE varchar(20)",
            "msg_queues.status is of type character varying(20), not text",
        ),
        (
            "ALTER TABLE services ALTER COLUMN created_at TYPE integer",
            "services.created_at is of type integer, not bigint",
        ),
        (
            "ALTER TABLE msg_queues ADD COLUMN colour text NOT NULL",
            "msg_queues.colour must have a value",
        ),
        ("DELETE FROM migrations WHERE name LIKE '20250915%'", "older than this program"),
        ("INSERT INTO migrations VALUES ('29990101_later', now(), '')", "newer than this program"),
        ("UPDATE migrations SET name = '20250207_other' WHERE name LIKE '20250207%'", "otherwise"),
    ];
    for (change, expected) in changes {
        let database = fixture::with_schema();
        fixture::client(&database).batch_execute(change).unwrap();
        let problem = schema_problem(&journal, &database.config().unwrap());
        assert!(problem.contains(expected), "{change}: {problem}");
    }
}

#[test]
fn columns_in_another_order_are_filled_by_their_names() {
    let database = fixture::with_schema();
    fixture::client(&database)
        .batch_execute(
            "ALTER TABLE msg_queues DROP COLUMN user_data, DROP COLUMN fixed_data;
             ALTER TABLE msg_queues ADD COLUMN user_data bytea, ADD COLUMN fixed_data bytea",
        )
        .unwrap();
    let journal = Journal::of(&Drawn::from(2).compact(50, 2));
    imported(&database, &journal);
    assert!(exported(&database.config().unwrap()) == journal.bytes());
}

#[test]
fn a_database_with_queues_or_services_is_refused() {
    let database = fixture::with_schema();
    let config = database.config().unwrap();
    imported(&database, &Journal::of(&Drawn::from(3).compact(3, 1)));
    let before = exported(&config);
    let error = refused(&Journal::of(&Drawn::from(4).compact(3, 0)), &config);
    assert!(matches!(error, TransferError::NotEmpty { queues: 3, services: 1, .. }), "{error}");
    // Deleted rows still have their ids.
    fixture::client(&database)
        .batch_execute("UPDATE msg_queues SET deleted_at = 0; DELETE FROM services")
        .unwrap();
    let error = refused(&Journal::of(&Drawn::from(4).compact(3, 0)), &config);
    assert!(matches!(error, TransferError::NotEmpty { queues: 3, services: 0, .. }), "{error}");
    assert!(before.len() > 100);
}

#[test]
fn without_the_rights_nothing_is_imported_or_exported() {
    let database = fixture::with_schema();
    fixture::client(&database)
        .batch_execute(
            "CREATE ROLE reader LOGIN; CREATE ROLE writer LOGIN;
            GRANT USAGE ON SCHEMA smp_server TO reader, writer;
            GRANT SELECT ON ALL TABLES IN SCHEMA smp_server TO reader, writer;
            GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA smp_server TO writer",
        )
        .unwrap();
    let as_user = |user: &str| {
        let url = database.url().replace("user=postgres", &format!("user={user}"));
        PostgresConfig::parse(&url).unwrap()
    };
    let journal = Journal::of(&Drawn::from(5).compact(40, 6));
    match refused(&journal, &as_user("reader")) {
        TransferError::Database(error) => assert_eq!(*error.kind(), DbErrorKind::Denied),
        error => panic!("{error}"),
    }
    assert_untouched(&database);
    // Who may write but doesn't own the table has the trigger count.
    import(&journal.config(), &as_user("writer"), &ImportOptions::default()).unwrap();
    assert!(exported(&as_user("reader")) == journal.bytes());
    let mut client = fixture::client(&database);
    client.batch_execute("REVOKE SELECT ON msg_queues FROM reader").unwrap();
    let log = StoreLogConfig::new(journal.beside("export.log"));
    let error = export(&as_user("reader"), &log, &ExportOptions::default()).unwrap_err();
    assert!(matches!(&error, TransferError::Database(one) if *one.kind() == DbErrorKind::Denied));
    assert!(!log.path().exists());
    drop(database);
    let cluster = Cluster::shared().unwrap();
    let mut client = Client::connect(&cluster.url("postgres"), postgres::NoTls).unwrap();
    client.batch_execute("DROP ROLE reader; DROP ROLE writer").unwrap();
}

#[test]
fn a_server_that_is_not_there_is_told_before_any_file_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("host={} user=nobody password=hunter2 dbname=x", folder.path().display());
    let config = PostgresConfig::parse(&url).unwrap();
    let journal = Journal::of(&Drawn::from(6).compact(3, 0));
    let log = StoreLogConfig::new(journal.beside("export.log"));
    let errors =
        [refused(&journal, &config), export(&config, &log, &ExportOptions::default()).unwrap_err()];
    for error in errors {
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        match error {
            TransferError::Database(error) => assert_eq!(*error.kind(), DbErrorKind::Connect),
            error => panic!("{error}"),
        }
    }
    assert!(!log.path().exists() && !journal.beside("store.log.lock").exists());
}

#[test]
fn a_journal_in_use_or_missing_is_refused() {
    let database = fixture::with_schema();
    let config = database.config().unwrap();
    let journal = Journal::of(&Drawn::from(7).compact(3, 0));
    let held = simplex_stores::store_log::Journal::open_append(&journal.config()).unwrap();
    let error = refused(&journal, &config);
    assert!(matches!(error, TransferError::Log(OpenError::Locked { .. })), "{error}");
    let overwrite = ExportOptions::default().overwrite(true);
    let error = export(&config, &journal.config(), &overwrite).unwrap_err();
    assert!(matches!(error, TransferError::Log(OpenError::Locked { .. })), "{error}");
    drop(held);
    let missing = StoreLogConfig::new(journal.beside("missing.log"));
    let error = import(&missing, &config, &ImportOptions::default()).unwrap_err();
    assert!(matches!(error, TransferError::Log(OpenError::Io { .. })), "{error}");
    assert!(!journal.beside("missing.log.lock").exists());
    assert_untouched(&database);
}

#[test]
fn a_damaged_journal_is_refused_with_its_lines_unless_they_are_to_be_skipped() {
    let records = Drawn::from(8).compact(20, 2);
    let whole = lines(&records);
    let mut bytes: Vec<Vec<u8>> =
        whole.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    bytes[4] = b"CREATE hunter2\n".to_vec();
    bytes.push(b"also hunter2\n".to_vec());
    let journal = Journal::of_bytes(&bytes.concat());
    let database = fixture::with_schema();
    let config = database.config().unwrap();
    let error = refused(&journal, &config);
    assert!(!error.to_string().contains("hunter2"));
    let TransferError::UnreadableLines { lines, total, .. } = error else { panic!("{error}") };
    assert_eq!((total, lines.iter().map(|one| one.line).collect::<Vec<_>>()), (2, vec![5, 23]));
    assert_untouched(&database);
    let skip = ImportOptions::default().skip_unreadable(true);
    let report = import(&journal.config(), &config, &skip).unwrap();
    assert_eq!((report.content.queues, report.replay.unreadable), (19, 2));
    assert!(exported(&config) == journal.compacted());
}

#[test]
fn race52_records_that_no_row_can_hold_are_refused_with_their_lines() {
    let mut drawn = Drawn::from(9);
    let mut records = drawn.compact(10, 2);
    let LogRecord::NewService(service) = &mut records[1] else { panic!("a service") };
    service.cert_chain = CertChain::default();
    let many = RecipientKeys::new(vec![AuthKey::Ed25519([1; 32]); 256]).unwrap();
    let LogRecord::CreateQueue(_, record) = &mut records[5] else { panic!("a queue") };
    std::sync::Arc::make_mut(record).recipient_keys = many.clone();
    let LogRecord::CreateQueue(_, record) = &mut records[6] else { panic!("a queue") };
    std::sync::Arc::make_mut(record).sender_id = EntityId::from_bytes(&[7; 2_001]).unwrap().into();
    let LogRecord::CreateQueue(id, _) = &records[7] else { panic!("a queue") };
    let id = id.clone();

    let database = fixture::with_schema();
    let config = database.config().unwrap();
    let refused_lines = |records: &[LogRecord]| {
        let error = refused(&Journal::of(records), &config);
        let text = error.to_string();
        let TransferError::Unstorable { records, .. } = error else { panic!("{text}") };
        records.iter().map(|record| record.line).collect::<Vec<_>>()
    };
    assert_eq!(refused_lines(&records), [2, 6, 7]);
    // The same through a replay, in which a later record counts.
    records.push(LogRecord::UpdateKeys(id.clone(), many));
    assert_eq!(refused_lines(&records), [2, 6, 7, 13]);
    records.push(LogRecord::DeleteQueue(id));
    assert_eq!(refused_lines(&records), [2, 6, 7]);
    assert_untouched(&database);
    for index in [6, 5, 1] {
        records.remove(index);
    }
    import(&Journal::of(&records).config(), &config, &ImportOptions::default()).unwrap();
}

#[test]
fn ids_up_to_the_limit_fit_every_index() {
    let mut drawn = Drawn::from(10);
    let long = |drawn: &mut Drawn| {
        let bytes: Vec<u8> = (0..2_000).map(|_| drawn.any()).collect();
        EntityId::from_bytes(&bytes).unwrap()
    };
    let mut services = drawn.services(3);
    services.iter_mut().for_each(|service| service.service_id = long(&mut drawn).into());
    services.sort_by(|one, other| one.service_id.cmp(&other.service_id));
    let (_, mut record) = drawn.queue(&services);
    record.sender_id = long(&mut drawn).into();
    record.link = Some(Box::new(drawn.any()));
    record.notifier = Some(Box::new(drawn.any()));
    if let (Some(link), Some(notifier)) = (&mut record.link, &mut record.notifier) {
        (link.id, notifier.notifier_id) = (long(&mut drawn).into(), long(&mut drawn).into());
        notifier.service_id = None;
    }
    let of = |role| services.iter().find(|service| service.role == role).unwrap();
    let messaging = of(simplex_stores::protocol::ServiceRole::Messaging);
    record.rcv_service_id = Some(messaging.service_id.clone());
    let queue = LogRecord::CreateQueue(long(&mut drawn).into(), record.into());
    let services = services.into_iter().map(|service| LogRecord::NewService(Box::new(service)));
    let journal = Journal::of(&services.chain([queue]).collect::<Vec<_>>());
    let database = fixture::with_schema();
    imported(&database, &journal);
    assert!(exported(&database.config().unwrap()) == journal.bytes());
}

/// Ends every other connection to the database, and waits until they are gone.
fn cut_connections(database: &TestDatabase) {
    let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    database.client().unwrap().query(end, &[]).unwrap();
}

/// Calls `work` once, at a point of the transfer.
fn once_at(
    is_there: impl Fn(TransferProgress) -> bool + Send + Sync + 'static,
    work: impl FnOnce() + Send + 'static,
) -> impl Fn(TransferProgress) + Send + Sync + 'static {
    let work = Mutex::new(Some(work));
    move |progress| {
        if is_there(progress)
            && let Some(work) = work.lock().take()
        {
            work();
        }
    }
}

fn copied(queues: u64) -> impl Fn(TransferProgress) -> bool {
    move |progress| progress.phase == TransferPhase::Copying && progress.queues == queues
}

fn adding_up(progress: TransferProgress) -> bool {
    progress.phase == TransferPhase::AddingUp
}

#[test]
fn race52_a_connection_cut_at_any_stage_of_an_import_leaves_the_database_as_it_was() {
    let database = std::sync::Arc::new(fixture::with_schema());
    let config = database.config().unwrap();
    let journal = Journal::of(&Drawn::from(11).compact(4_000, 5));
    let cut = || {
        let database = std::sync::Arc::clone(&database);
        move || cut_connections(&database)
    };
    let stages = [
        ImportOptions::default().progress(once_at(copied(1_000), cut())),
        ImportOptions::default().progress(once_at(copied(4_000), cut())),
        ImportOptions::default().progress(once_at(adding_up, cut())),
    ];
    for options in stages {
        match import(&journal.config(), &config, &options).unwrap_err() {
            TransferError::Database(error) => {
                assert_eq!(*error.kind(), DbErrorKind::Lost, "{error}")
            }
            error => panic!("{error}"),
        }
        assert_untouched(&database);
    }
    imported(&database, &journal);
    assert!(exported(&config) == journal.bytes());
}

#[test]
fn race52_a_server_that_stops_in_an_import_has_nothing_of_it() {
    let cluster = std::sync::Arc::new(Cluster::start().unwrap());
    let database = cluster.database().unwrap();
    let config = database.config().unwrap();
    fixture::migrate_up(&config).unwrap();
    let journal = Journal::of(&Drawn::from(12).compact(3_000, 2));
    for mode in [StopMode::Immediate, StopMode::Fast] {
        let stopped = std::sync::Arc::clone(&cluster);
        let stop = once_at(copied(2_000), move || stopped.stop(mode).unwrap());
        let options = ImportOptions::default().progress(stop);
        match import(&journal.config(), &config, &options).unwrap_err() {
            TransferError::Database(error) => assert!(error.is_lost(), "{error}"),
            error => panic!("{error}"),
        }
        cluster.start_again().unwrap();
        assert_untouched(&database);
    }
    imported(&database, &journal);
}

#[test]
fn a_journal_that_changes_while_it_is_read_is_refused() {
    let records = Drawn::from(13).compact(6_000, 1);
    let shrunk = lines(&records[..6_000]);
    let mut deleted = records.clone();
    deleted.push(LogRecord::DeleteQueue(records[5].recipient_id().unwrap().clone()));
    let mut served = records.clone();
    served.push(records[0].clone());
    for changed in [shrunk, lines(&deleted), lines(&served)] {
        let database = fixture::with_schema();
        let journal = Journal::of(&records);
        let path = journal.path();
        // Between the two readings, in place.
        let change = move || {
            let file = fs::File::options().write(true).open(&path).unwrap();
            (&file).write_all(&changed).unwrap();
            file.set_len(changed.len() as u64).unwrap();
        };
        let options = ImportOptions::default().progress(once_at(copied(1_000), change));
        let config = database.config().unwrap();
        let error = import(&journal.config(), &config, &options).unwrap_err();
        assert!(matches!(error, TransferError::LogChanged { .. }), "{error}");
        assert_untouched(&database);
    }
}

#[test]
fn what_a_trigger_of_somebody_else_changes_is_found_and_taken_back() {
    let database = fixture::with_schema();
    let mut client = fixture::client(&database);
    client
        .batch_execute(
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               IF NEW.updated_at IS NOT NULL THEN NEW.updated_at := NEW.updated_at # 1; END IF;
               RETURN NEW;
             END $$;
             CREATE TRIGGER meddle BEFORE INSERT ON msg_queues FOR EACH ROW EXECUTE FUNCTION meddle()",
        )
        .unwrap();
    let journal = Journal::of(&Drawn::from(14).compact(30, 2));
    let error = refused(&journal, &database.config().unwrap());
    let TransferError::Different(differences) = &error else { panic!("{error}") };
    let what: Vec<_> = differences.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(what, ["digest of the queues"]);
    assert_untouched(&database);
    client.batch_execute("DROP TRIGGER meddle ON msg_queues").unwrap();
    imported(&database, &journal);
}

#[test]
fn an_export_never_overwrites_unless_asked_and_never_beside_an_unfinished_start() {
    let database = fixture::with_schema();
    let config = database.config().unwrap();
    let records = Drawn::from(15).compact(20, 2);
    imported(&database, &Journal::of(&records));
    let journal = Journal::of_bytes(b"what was there\n");
    let error = export(&config, &journal.config(), &ExportOptions::default()).unwrap_err();
    assert!(matches!(error, TransferError::FileExists { .. }), "{error}");
    assert_eq!(journal.bytes(), b"what was there\n");
    let overwrite = ExportOptions::default().overwrite(true);
    fs::write(journal.beside("store.log.start"), b"").unwrap();
    let error = export(&config, &journal.config(), &overwrite).unwrap_err();
    assert!(matches!(error, TransferError::UnfinishedStart { .. }), "{error}");
    assert_eq!(journal.bytes(), b"what was there\n");
    fs::remove_file(journal.beside("store.log.start")).unwrap();
    export(&config, &journal.config(), &overwrite).unwrap();
    assert_eq!(parsed(&journal.bytes()), records);
}

#[test]
fn an_export_that_is_cut_off_leaves_the_file_that_was_there_and_no_other() {
    let database = std::sync::Arc::new(fixture::with_schema());
    imported(&database, &Journal::of(&Drawn::from(16).compact(3_000, 0)));
    let journal = Journal::of_bytes(b"what was there\n");
    let cut = std::sync::Arc::clone(&database);
    let options = ExportOptions::default()
        .overwrite(true)
        .progress(once_at(adding_up, move || cut_connections(&cut)));
    let error = export(&database.config().unwrap(), &journal.config(), &options).unwrap_err();
    assert!(matches!(&error, TransferError::Database(error) if error.is_lost()), "{error}");
    assert_eq!(journal.bytes(), b"what was there\n");
    assert!(!journal.beside("store.log.tmp").exists());
}

#[test]
fn an_export_is_of_one_moment() {
    let database = std::sync::Arc::new(fixture::with_schema());
    let records = Drawn::from(17).compact(3_000, 3);
    imported(&database, &Journal::of(&records));
    let change = std::sync::Arc::clone(&database);
    let changing = move || {
        let mut client = fixture::client(&change);
        client.batch_execute("UPDATE msg_queues SET status = 'off'; DELETE FROM services").unwrap();
    };
    let journal = Journal::of(&[]);
    let options =
        ExportOptions::default().overwrite(true).progress(once_at(copied(1_000), changing));
    export(&database.config().unwrap(), &journal.config(), &options).unwrap();
    assert!(journal.bytes() == lines(&records));
}

#[test]
fn race59_rows_that_can_not_be_read_end_an_export_or_are_left_out_and_told() {
    let database = fixture::with_schema();
    let config = database.config().unwrap();
    let records = Drawn::from(18).compact(60, 3);
    imported(&database, &Journal::of(&records));
    let mut client = fixture::client(&database);
    let nth =
        |n: u32| format!("(SELECT recipient_id FROM msg_queues ORDER BY 1 OFFSET {n} LIMIT 1)");
    for (n, set) in [(3, "status = 'hunter2'"), (5, "recipient_keys = 'hunter2'")] {
        let update = format!("UPDATE msg_queues SET {set} WHERE recipient_id = {}", nth(n));
        client.batch_execute(&update).unwrap();
    }
    client
        .batch_execute(
            "UPDATE services SET service_role = 'X' WHERE service_role = 'P';
             UPDATE msg_queues SET fixed_data = NULL WHERE link_id IS NOT NULL;
             UPDATE msg_queues SET notifier_key = NULL WHERE notifier_id IS NOT NULL;
             UPDATE msg_queues SET fixed_data = 'x' WHERE link_id IS NULL;
             UPDATE msg_queues SET status = 'blocked,reason=spam,notice={ttl:5}' WHERE status = 'off'",
        )
        .unwrap();
    let log = StoreLogConfig::new(tempfile::tempdir().unwrap().path().join("e.log"));
    fs::create_dir_all(log.path().parent().unwrap()).unwrap();
    let error = export(&config, &log, &ExportOptions::default()).unwrap_err();
    let text = error.to_string();
    assert!(!text.contains("hunter2") && text.contains("services.service_role"), "{text}");
    let TransferError::UnreadableRows { rows, total } = error else { panic!("{text}") };
    assert_eq!((total, rows.len()), (3, 3));
    assert!(!log.path().exists());
    let skip = ExportOptions::default().skip_unreadable(true);
    let report = export(&config, &log, &skip).unwrap();
    assert_eq!((report.left_out_total, report.content.queues), (3, 58));
    assert_eq!((report.content.services, report.content.notifiers), (2, 0));
    assert!(report.restored > 20, "{}", report.restored);
    let read = parsed(&fs::read(log.path()).unwrap());
    assert_eq!(read.len(), 60);
    fs::remove_dir_all(log.path().parent().unwrap()).unwrap();
}
