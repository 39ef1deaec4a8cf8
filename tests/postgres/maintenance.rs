//! Looking after a database: its state, whether it holds together, and what was deleted long ago.

use simplex_stores::db::DbErrorKind;
use simplex_stores::db::migrations::ConfirmMode;
use simplex_stores::db::postgres::{CreateSchema, PostgresConfig};
use simplex_stores::protocol::RoundedDate;
use simplex_stores::queue_store::postgres::maintenance::{Retention, check, purge, repair, status};
use simplex_stores::queue_store::postgres::migrations::MIGRATIONS;
use simplex_stores::queue_store::postgres::{SchemaOptions, migrate};

use crate::fixture;
use crate::journals::{Drawn, Journal};
use crate::transfer::imported;

#[test]
fn a_status_tells_the_schema_from_none_to_filled() {
    let database = fixture::empty();
    let config = database.config().unwrap();
    let none = status(&config).unwrap();
    assert!(!none.exists && !none.is_ready() && none.counts.is_none() && none.tables.is_empty());
    assert_eq!((none.applied.len(), none.pending.len()), (0, MIGRATIONS.len()));
    assert!(none.server.split('.').next().unwrap().parse::<u32>().unwrap() >= 14);
    assert!(!status(&config).unwrap().exists, "looking makes nothing");

    fixture::migrate_up(&config).unwrap();
    let report = imported(&database, &Journal::of(&Drawn::from(1).compact(100, 4)));
    fixture::client(&database)
        .batch_execute(
            "UPDATE msg_queues SET deleted_at = 0
              WHERE recipient_id IN (SELECT recipient_id FROM msg_queues ORDER BY 1 LIMIT 7)",
        )
        .unwrap();
    let filled = status(&config).unwrap();
    assert!(filled.is_ready() && filled.pending.is_empty());
    let counts = filled.counts.unwrap();
    assert_eq!((counts.queues, counts.deleted), (93, 7));
    assert_eq!((counts.services, counts.messages), (4, 0));
    assert!(counts.notifiers <= report.content.notifiers && counts.links <= report.content.links);
    let tables: Vec<_> = filled.tables.iter().map(|table| table.table.as_str()).collect();
    assert_eq!(tables, ["messages", "migrations", "msg_queues", "services"]);
    assert!(filled.tables.iter().all(|table| table.bytes > 0));

    let mut client = fixture::client(&database);
    client.batch_execute("INSERT INTO migrations VALUES ('29990101_later', now(), '')").unwrap();
    let newer = status(&config).unwrap();
    assert_eq!((newer.unknown, newer.counts), (vec!["29990101_later".to_owned()], None));
    client
        .batch_execute(
            "DELETE FROM migrations WHERE name IN ('29990101_later', '20250915_queue_ids_hash')",
        )
        .unwrap();
    let older = status(&config).unwrap();
    assert_eq!(older.pending, ["20250915_queue_ids_hash"]);
    client.batch_execute("UPDATE migrations SET name = '0' WHERE name LIKE '20250207%'").unwrap();
    assert!(status(&config).unwrap().problem.is_some());
}

#[test]
fn race51_aggregates_that_drifted_are_found_and_repaired_also_without_rows() {
    let database = fixture::with_schema();
    let config = database.config().unwrap();
    imported(&database, &Journal::of(&Drawn::from(2).compact(200, 6)));
    assert!(check(&config).unwrap().holds());
    let mut client = fixture::client(&database);
    let aggregates = "SELECT service_id, queue_count, queue_ids_hash FROM services ORDER BY 1";
    let read = |client: &mut postgres::Client| -> Vec<(Vec<u8>, i64, Vec<u8>)> {
        let rows = client.query(aggregates, &[]).unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    };
    let right = read(&mut client);
    // A proxy has no queues, so the schema's own function would leave it as it is.
    client
        .batch_execute(
            "UPDATE services SET queue_count = queue_count + 1
              WHERE service_role = 'P';
             UPDATE services SET queue_ids_hash = '\\x000102030405060708090a0b0c0d0e0f'
              WHERE service_role = 'M';
             SELECT update_all_aggregates();
             UPDATE services SET queue_ids_hash = '\\x000102030405060708090a0b0c0d0e0f'
              WHERE service_role = 'N'",
        )
        .unwrap();
    let report = check(&config).unwrap();
    assert!(!report.holds());
    let drifted: Vec<_> =
        report.drifted.iter().map(|one| (one.actual - one.stored, one.same_hash)).collect();
    assert_eq!(drifted.iter().filter(|one| **one == (-1, true)).count(), 2);
    assert_eq!(drifted.iter().filter(|one| **one == (0, false)).count(), 2);
    assert_eq!(drifted.len(), 4);
    assert_eq!(repair(&config).unwrap().services, 4);
    assert!(check(&config).unwrap().holds());
    assert_eq!(read(&mut client), right);
    assert_eq!(repair(&config).unwrap().services, 0);
    // A row that is inserted as deleted is counted by the trigger.
    client
        .batch_execute(
            "INSERT INTO msg_queues (recipient_id, recipient_keys, rcv_dh_secret, sender_id, status,
               deleted_at, rcv_service_id)
             SELECT 'new', 'k', 's', 'new', 'active', 0, service_id
               FROM services WHERE service_role = 'M' LIMIT 1",
        )
        .unwrap();
    assert_eq!(check(&config).unwrap().drifted.len(), 1);
    assert_eq!(repair(&config).unwrap().services, 1);
    assert_eq!(read(&mut client), right);
}

#[test]
fn race16_statuses_that_lost_their_quotes_get_them_back() {
    let database = fixture::with_schema();
    let config = database.config().unwrap();
    imported(&database, &Journal::of(&Drawn::from(6).compact(8, 0)));
    let mut client = fixture::client(&database);
    let statuses = [
        (
            "blocked,reason=content,notice={ttl:86400}",
            "blocked,reason=content,notice={\"ttl\":86400}",
        ),
        ("blocked,reason=spam,notice={ttl:-5}", "blocked,reason=spam,notice={\"ttl\":-5}"),
        ("blocked,reason=spam,notice={\"ttl\":7}", "blocked,reason=spam,notice={\"ttl\":7}"),
        ("blocked,reason=spam,notice={ttl:}", "blocked,reason=spam,notice={ttl:}"),
        ("{ttl:5}", "{ttl:5}"),
        ("active", "active"),
        ("off", "off"),
    ];
    let ids = client.query("SELECT recipient_id FROM msg_queues ORDER BY 1", &[]).unwrap();
    for ((stored, _), row) in statuses.iter().zip(&ids) {
        let set = "UPDATE msg_queues SET status = $1 WHERE recipient_id = $2";
        client.execute(set, &[stored, &row.get::<_, &[u8]>(0)]).unwrap();
    }
    let before = check(&config).unwrap();
    assert_eq!((before.odd, before.unreadable_total), (2, 2));
    let repaired = repair(&config).unwrap();
    assert_eq!((repaired.services, repaired.statuses), (0, 2));
    let read = client.query("SELECT status FROM msg_queues ORDER BY recipient_id", &[]).unwrap();
    let read: Vec<&str> = read.iter().take(7).map(|row| row.get(0)).collect();
    assert_eq!(read, statuses.map(|(_, repaired)| repaired));
    let after = check(&config).unwrap();
    assert_eq!((after.odd, after.unreadable_total), (0, 2));
}

#[test]
fn a_check_reads_every_live_row_and_counts_the_deleted() {
    let database = fixture::with_schema();
    let config = database.config().unwrap();
    imported(&database, &Journal::of(&Drawn::from(3).compact(100, 3)));
    fixture::client(&database)
        .batch_execute(
            "UPDATE msg_queues SET deleted_at = 0, status = 'unreadable'
              WHERE recipient_id IN (SELECT recipient_id FROM msg_queues ORDER BY 1 LIMIT 10);
             UPDATE msg_queues SET rcv_dh_secret = 'hunter2'
              WHERE recipient_id IN (SELECT recipient_id FROM msg_queues ORDER BY 1 OFFSET 20 LIMIT 2);
             UPDATE msg_queues SET status = 'blocked,reason=content,notice={ttl:9}'
              WHERE recipient_id IN (SELECT recipient_id FROM msg_queues ORDER BY 1 OFFSET 30 LIMIT 4);
             UPDATE services SET service_cert = '' WHERE service_role = 'N'",
        )
        .unwrap();
    let report = check(&config).unwrap();
    assert_eq!((report.queues, report.deleted, report.odd), (90, 10, 4));
    assert_eq!((report.unreadable_total, report.unreadable.len()), (3, 3));
    assert!(!report.holds());
    assert!(!format!("{report:?}").contains("hunter2"));
    let columns: Vec<_> = report.unreadable.iter().map(|row| row.error.kind().clone()).collect();
    assert_eq!(columns[0], DbErrorKind::Row { table: "services", column: "service_cert" });
    assert_eq!(columns[1], DbErrorKind::Row { table: "msg_queues", column: "rcv_dh_secret" });
}

#[test]
fn race45_race71_queues_are_removed_when_their_day_and_the_retention_are_over() {
    let database = fixture::with_schema();
    let config = database.config().unwrap();
    imported(&database, &Journal::of(&Drawn::from(4).compact(12, 0)));
    let mut client = fixture::client(&database);
    let today = RoundedDate::today().seconds();
    let ids = client.query("SELECT recipient_id FROM msg_queues ORDER BY 1", &[]).unwrap();
    for (day, row) in (0_i64..).zip(ids.iter().take(10)) {
        let id: &[u8] = row.get(0);
        let set = "UPDATE msg_queues SET deleted_at = $1 WHERE recipient_id = $2";
        client.execute(set, &[&(today - 86_400 * day), &id]).unwrap();
    }
    // Run over midnight, a day more of them is old enough.
    let left = |client: &mut postgres::Client| -> i64 {
        client.query_one("SELECT count(*) FROM msg_queues", &[]).unwrap().get(0)
    };
    assert_eq!(purge(&config, Retention::DEFAULT).unwrap(), 0);
    let removed = purge(&config, Retention::days(7)).unwrap();
    let passed = (RoundedDate::today().seconds() - today) / 86_400;
    assert_eq!(removed, 2 + passed.unsigned_abs());
    let removed = purge(&config, Retention::days(0)).unwrap();
    assert_eq!(removed, 7);
    assert_eq!(left(&mut client), 3 - passed);
}

#[test]
fn what_looks_after_a_database_wants_its_schema() {
    let database = fixture::empty();
    let config = database.config().unwrap();
    let errors = [
        check(&config).map(drop).unwrap_err(),
        repair(&config).map(drop).unwrap_err(),
        purge(&config, Retention::DEFAULT).map(drop).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(*error.kind(), DbErrorKind::Schema);
        assert!(error.to_string().contains("db init"), "{error}");
    }
    let other = "a \"name\"; DROP".parse().unwrap();
    let config = PostgresConfig::parse(database.url()).unwrap().schema(other);
    let options = SchemaOptions { create: CreateSchema::IfMissing, confirm: ConfirmMode::Error };
    migrate(&config, options, |_| panic!("nobody is to be asked")).unwrap();
    assert!(check(&config).unwrap().holds() && status(&config).unwrap().is_ready());
    assert_eq!(purge(&config, Retention::DEFAULT).unwrap(), 0);
}
