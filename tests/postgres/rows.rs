//! Records as rows, there and back, by themselves and through a real server.

use postgres::types::ToSql;
use quickcheck::{Arbitrary, Gen, quickcheck};
use simplex_stores::db::postgres::{Pool, Row, Statements, Transaction};
use simplex_stores::db::{DbError, DbErrorKind, Sql};
use simplex_stores::protocol::{
    AuthKey, BlockingInfo, BlockingReason, ClientNotice, EntityStatus, QueueMode, QueueRec,
    RecipientId, RecipientKeys, RoundedDate, Semantics, ServiceRec, ServiceRole,
};
use simplex_stores::queue_store::postgres::rows::{
    QUEUE_COLUMNS, QueueRow, SERVICE_COLUMNS, ServiceRow,
};

use crate::fixture;

const INSERT_QUEUE: Sql = Sql::new(
    "insert queue",
    "INSERT INTO msg_queues (recipient_id, recipient_keys, rcv_dh_secret, sender_id, sender_key,
       queue_mode, notifier_id, notifier_key, rcv_ntf_dh_secret, ntf_service_id, status, updated_at,
       link_id, rcv_service_id, fixed_data, user_data)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
);
const QUEUES: Sql = Sql::new(
    "queues",
    "SELECT recipient_id, recipient_keys, rcv_dh_secret, sender_id, sender_key, queue_mode,
       notifier_id, notifier_key, rcv_ntf_dh_secret, ntf_service_id, status, updated_at, link_id,
       rcv_service_id, fixed_data, user_data
     FROM msg_queues",
);
const INSERT_SERVICE: Sql = Sql::new(
    "insert service",
    "INSERT INTO services (service_id, service_role, service_cert, service_cert_hash, created_at)
     VALUES ($1, $2, $3, $4, $5)",
);
const SERVICES: Sql = Sql::new(
    "services",
    "SELECT service_id, service_role, service_cert, service_cert_hash, created_at FROM services",
);

type Queue = (RecipientId, QueueRec);

/// A value of a type, the same one for each seed.
fn drawn<T: Arbitrary>(seed: u64) -> T {
    T::arbitrary(&mut Gen::from_size_and_seed(30, seed))
}

fn service_that_fits(seed: u64) -> ServiceRec {
    (0..)
        .map(|next| drawn::<ServiceRec>(seed + next))
        .find(|one| ServiceRow::of(one).is_ok())
        .unwrap()
}

/// Stores a queue together with its services.
fn store(tx: &mut Transaction<'_>, (id, record): &Queue) -> Result<(), DbError> {
    let services = [
        record.rcv_service_id.as_ref(),
        record.notifier.as_ref().and_then(|notifier| notifier.service_id.as_ref()),
    ];
    for (seed, service_id) in services.into_iter().flatten().enumerate() {
        let mut service = service_that_fits(1000 * (seed as u64 + 1));
        service.service_id = service_id.clone();
        tx.execute(&INSERT_SERVICE, &ServiceRow::of(&service)?.values())?;
    }
    tx.execute(&INSERT_QUEUE, &QueueRow::of(id, record)?.values()).map(drop)
}

/// Runs `work` on a new database with the schema, and takes it back.
fn on_server<T>(
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T, DbError>,
) -> Result<T, DbError> {
    let database = fixture::with_schema();
    let pool = Pool::open(&database.config()?.pool_size(1))?;
    pool.transaction("rows", work)
}

fn decoded(row: &Row, semantics: Semantics) -> Result<Queue, DbError> {
    QueueRow::read(row)?.decode(semantics)
}

/// What comes back of each, stored by itself.
fn sent_and_fetched(queues: &[Queue]) -> Result<Vec<Queue>, DbError> {
    on_server(|tx| {
        let mut fetched = Vec::new();
        for queue in queues {
            store(tx, queue)?;
            let row = tx.query_one(&QUEUES, &[])?;
            fetched.push(decoded(&row, Semantics::Reference)?);
            tx.execute(&Sql::new("no queues", "DELETE FROM msg_queues"), &[])?;
            tx.execute(&Sql::new("no services", "DELETE FROM services"), &[])?;
        }
        Ok(fetched)
    })
}

quickcheck! {
    fn a_queue_comes_back_from_its_row(id: RecipientId, record: QueueRec) -> bool {
        let row = QueueRow::of(&id, &record).unwrap();
        [Semantics::Strict, Semantics::Reference]
            .iter()
            .all(|semantics| row.decode(*semantics).unwrap() == (id.clone(), record.clone()))
    }

    fn a_service_comes_back_from_its_row(service: ServiceRec) -> bool {
        match ServiceRow::of(&service) {
            Ok(row) => row.decode().unwrap() == service,
            Err(error) => {
                service.cert_chain.certificates().is_empty()
                    && *error.kind() == DbErrorKind::Row { table: "services", column: "service_cert" }
            }
        }
    }
}

#[test]
fn queues_come_back_from_the_server() {
    let queues: Vec<Queue> = (0..300).map(drawn).collect();
    assert_eq!(sent_and_fetched(&queues).unwrap(), queues);
}

#[test]
fn services_come_back_from_the_server() {
    let services: Vec<ServiceRec> = (0..100).map(|seed| service_that_fits(10 * seed)).collect();
    let fetched = on_server(|tx| {
        let mut fetched = Vec::new();
        for service in &services {
            tx.execute(&INSERT_SERVICE, &ServiceRow::of(service)?.values())?;
            fetched.push(ServiceRow::read(&tx.query_one(&SERVICES, &[])?)?.decode()?);
            tx.execute(&Sql::new("no services", "DELETE FROM services"), &[])?;
        }
        Ok(fetched)
    });
    assert_eq!(fetched.unwrap(), services);
}

#[test]
fn every_enumeration_has_its_text() {
    let blocked = |reason, notice| EntityStatus::Blocked(BlockingInfo { reason, notice });
    let notice = |ttl| Some(ClientNotice { ttl });
    let statuses = [
        (EntityStatus::Active, "active"),
        (EntityStatus::Off, "off"),
        (blocked(BlockingReason::Spam, None), "blocked,reason=spam"),
        (blocked(BlockingReason::Content, notice(None)), "blocked,reason=content,notice={}"),
        (
            blocked(BlockingReason::Content, notice(Some(86400))),
            "blocked,reason=content,notice={\"ttl\":86400}",
        ),
    ];
    let modes = [
        (None, None),
        (Some(QueueMode::Messaging), Some("M")),
        (Some(QueueMode::Contact), Some("C")),
    ];
    let roles =
        [(ServiceRole::Messaging, "M"), (ServiceRole::Notifier, "N"), (ServiceRole::Proxy, "P")];
    let text = Sql::new("text", "SELECT status, queue_mode, updated_at FROM msg_queues");
    let role = Sql::new("role", "SELECT service_role FROM services");
    on_server(|tx| {
        for (status, mode) in statuses.iter().zip(modes.iter().cycle()) {
            let (id, mut record): Queue = drawn(7);
            (record.status, record.queue_mode) = (status.0.clone(), mode.0);
            (record.rcv_service_id, record.notifier) = (None, None);
            record.updated_at = Some(RoundedDate::from_seconds(-1));
            store(tx, &(id, record))?;
            let row = tx.query_one(&text, &[])?;
            assert_eq!((row.get(0), row.get(1), row.get(2)), (status.1, mode.1, Some(-1_i64)));
            tx.execute(&Sql::new("no queues", "DELETE FROM msg_queues"), &[])?;
        }
        for (value, expected) in roles {
            let mut service = service_that_fits(1);
            service.role = value;
            tx.execute(&INSERT_SERVICE, &ServiceRow::of(&service)?.values())?;
            assert_eq!(tx.query_one(&role, &[])?.get::<_, &str>(0), expected);
            tx.execute(&Sql::new("no services", "DELETE FROM services"), &[])?;
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn the_lists_of_columns_are_those_of_the_statements_and_of_the_table() {
    let listed = |sql: &Sql, columns: &[&str]| {
        let text = sql.postgres();
        let after = text.split("SELECT").nth(1).unwrap();
        let names: Vec<&str> =
            after.split("FROM").next().unwrap().split(',').map(str::trim).collect();
        assert_eq!(names, columns);
    };
    listed(&QUEUES, &QUEUE_COLUMNS);
    listed(&SERVICES, &SERVICE_COLUMNS);
}

/// Changes one column of a stored queue, and reads it again.
fn with_column(
    set: &'static str,
    value: &(dyn ToSql + Sync),
    semantics: Semantics,
) -> Result<Queue, DbError> {
    on_server(|tx| {
        let mut queue: Queue = drawn(3);
        queue.1.notifier = (0..).map(drawn).find(Option::is_some).unwrap();
        queue.1.link = (0..).map(drawn).find(Option::is_some).unwrap();
        store(tx, &queue)?;
        tx.execute(&Sql::new("change", set), &[value])?;
        decoded(&tx.query_one(&QUEUES, &[])?, semantics)
    })
}

#[test]
fn an_unreadable_column_is_named_and_its_value_is_not() {
    let bytes: &[u8] = b"hunter2 is no such value";
    let none: &[u8] = b"";
    let changes: [(&'static str, &(dyn ToSql + Sync), &str); 10] = [
        ("UPDATE msg_queues SET recipient_id = $1", &none, "recipient_id"),
        ("UPDATE msg_queues SET recipient_keys = $1", &bytes, "recipient_keys"),
        ("UPDATE msg_queues SET rcv_dh_secret = $1", &bytes, "rcv_dh_secret"),
        ("UPDATE msg_queues SET sender_id = $1", &none, "sender_id"),
        ("UPDATE msg_queues SET sender_key = $1", &bytes, "sender_key"),
        ("UPDATE msg_queues SET queue_mode = $1", &"hunter2", "queue_mode"),
        ("UPDATE msg_queues SET notifier_key = $1", &bytes, "notifier_key"),
        ("UPDATE msg_queues SET rcv_ntf_dh_secret = $1", &bytes, "rcv_ntf_dh_secret"),
        ("UPDATE msg_queues SET status = $1", &"hunter2", "status"),
        ("UPDATE msg_queues SET link_id = $1", &none, "link_id"),
    ];
    for (set, value, name) in changes {
        let error = with_column(set, value, Semantics::Strict).unwrap_err();
        let DbErrorKind::Row { table, column } = error.kind() else { panic!("{name}: {error:?}") };
        assert_eq!((*table, *column), ("msg_queues", name));
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn pg32_a_notifier_without_all_its_columns_is_none() {
    let null: Option<&[u8]> = None;
    let changes = [
        "UPDATE msg_queues SET notifier_id = $1",
        "UPDATE msg_queues SET notifier_key = $1",
        "UPDATE msg_queues SET rcv_ntf_dh_secret = $1",
    ];
    for set in changes {
        for semantics in [Semantics::Strict, Semantics::Reference] {
            let (_, record) = with_column(set, &null, semantics).unwrap();
            assert_eq!(record.notifier, None, "{set}");
        }
    }
}

#[test]
fn race59_a_part_of_link_data_that_is_null_is_empty() {
    let null: Option<&[u8]> = None;
    let set = "UPDATE msg_queues SET fixed_data = $1, user_data = $1";
    let (_, record) = with_column(set, &null, Semantics::Strict).unwrap();
    let data = record.link.unwrap().data;
    assert!(data.fixed.is_empty() && data.user.is_empty());
}

#[test]
fn race16_a_notice_that_lost_its_quotes_is_read_under_strict_only() {
    let set = "UPDATE msg_queues SET status = $1";
    for (stored, seconds) in [("86400", 86400), ("-5", -5)] {
        let stored = format!("blocked,reason=content,notice={{ttl:{stored}}}");
        let (_, record) = with_column(set, &stored, Semantics::Strict).unwrap();
        let notice = Some(ClientNotice { ttl: Some(seconds) });
        let info = BlockingInfo { reason: BlockingReason::Content, notice };
        assert_eq!(record.status, EntityStatus::Blocked(info));
        assert!(with_column(set, &stored, Semantics::Reference).is_err());
    }
    for stored in
        ["blocked,reason=content,notice={ttl:}", "blocked,reason=x,notice={ttl:1}", "{ttl:1}"]
    {
        assert!(with_column(set, &stored, Semantics::Strict).is_err(), "{stored}");
    }
}

#[test]
fn keys_that_the_column_cannot_hold_are_refused() {
    let (id, mut record): Queue = drawn(5);
    let key = AuthKey::Ed25519([1; 32]);
    record.recipient_keys = RecipientKeys::new(vec![key.clone(); 255]).unwrap();
    assert_eq!(QueueRow::of(&id, &record).unwrap().decode(Semantics::Strict).unwrap().1, record);
    record.recipient_keys = RecipientKeys::new(vec![key; 256]).unwrap();
    let error = QueueRow::of(&id, &record).unwrap_err();
    let column = DbErrorKind::Row { table: "msg_queues", column: "recipient_keys" };
    assert_eq!(*error.kind(), column);
}

#[test]
fn a_row_shows_no_secret() {
    let (id, record): Queue = drawn(11);
    let row = QueueRow::of(&id, &record).unwrap();
    assert_eq!(format!("{row:?}"), format!("QueueRow {{ recipient_id: Some({id:?}), .. }}"));
}
