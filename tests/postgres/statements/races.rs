//! Changes of one queue from two sides, stepped by hand: one holds the row, the other waits (RACE-38).

use postgres::Client;
use simplex_stores::db::postgres::types::ToSql;
use simplex_stores::protocol::{QueueLink, QueueRec, RecipientId, Semantics, ServiceParty};
use simplex_stores::queue_store::database::{QueueDatabase, Refusal, StatementError};
use simplex_stores::queue_store::postgres::PostgresQueues;
use simplex_stores::sync::thread;
use simplex_stores::testing::postgres::TestDatabase;
use simplex_stores::testing::queue_store::sample;

use super::{add, full, queues};
use crate::fixture;

/// Returns when so many of the database's sessions wait for a lock.
pub(crate) fn wait_until_blocked(database: &TestDatabase, sessions: i64) {
    let mut client = fixture::client(database);
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while client.query_one(waiting, &[]).unwrap().get::<_, i64>(0) < sessions {
        thread::yield_now();
    }
}

type Answer<T> = Result<T, StatementError>;

fn missing<T>() -> Answer<T> {
    Err(StatementError::Refused(Refusal::Missing))
}

/// What a change answers that began while another, not committed, had changed its row.
fn after<T: Send + 'static>(
    queue: &QueueRec,
    first: impl FnOnce(&mut Client, &[u8]),
    second: impl FnOnce(&PostgresQueues, &RecipientId) -> T + Send + 'static,
) -> (T, Option<QueueRec>) {
    let (database, queues) = queues(Semantics::Strict);
    let id = add(&queues, 1, queue);
    let mut client = fixture::client(&database);
    client.batch_execute("BEGIN").unwrap();
    first(&mut client, id.as_bytes());
    let waiting = thread::spawn({
        let id = id.clone();
        move || {
            let answer = second(&queues, &id);
            (answer, super::record(&queues, &id))
        }
    });
    wait_until_blocked(&database, 1);
    client.batch_execute("COMMIT").unwrap();
    waiting.join().unwrap()
}

/// Runs a statement on the row of a queue, whose id is its first parameter.
fn run(set: &'static str, values: Vec<Vec<u8>>) -> impl FnOnce(&mut Client, &[u8]) {
    move |client, id| {
        let mut params: Vec<&(dyn ToSql + Sync)> = vec![&id];
        params.extend(values.iter().map(|value| value as &(dyn ToSql + Sync)));
        assert_eq!(client.execute(set, &params).unwrap(), 1);
    }
}

fn deleting() -> impl FnOnce(&mut Client, &[u8]) {
    run("UPDATE msg_queues SET deleted_at = 1 WHERE recipient_id = $1", vec![])
}

#[test]
fn race38_of_two_senders_that_secure_at_once_the_second_is_refused() {
    let key = sample::key(1).to_der();
    let secure =
        || run("UPDATE msg_queues SET sender_key = $2 WHERE recipient_id = $1", vec![key.clone()]);
    let queue = sample::record(1);
    let (answer, record) =
        after(&queue, secure(), |queues, id| queues.set_sender_key(id, &sample::key(2)));
    assert_eq!(answer, missing());
    assert_eq!(record.unwrap().sender_key, Some(sample::key(1)));
    let (answer, _) =
        after(&queue, secure(), |queues, id| queues.set_sender_key(id, &sample::key(1)));
    assert_eq!(answer, Ok(()));
}

#[test]
fn race38_of_two_links_set_at_once_the_second_is_refused() {
    let set = run(
        "UPDATE msg_queues SET link_id = $2, fixed_data = $3, user_data = $3 WHERE recipient_id = $1",
        vec![sample::link(1).as_bytes().to_vec(), vec![1, 1, 1]],
    );
    let (answer, record) = after(&sample::record(1), set, |queues, id| {
        let link = QueueLink { id: sample::link(1), data: sample::link_data(2, 2) };
        queues.set_link(id, &link)
    });
    assert_eq!(answer, missing());
    assert_eq!(record.unwrap().link.unwrap().data.fixed.as_bytes(), [1, 1, 1]);
}

const SET_NOTIFIER: &str = "UPDATE msg_queues
    SET notifier_id = $2, notifier_key = $3, rcv_ntf_dh_secret = $4 WHERE recipient_id = $1";

fn setting_notifier(number: u8) -> impl FnOnce(&mut Client, &[u8]) {
    let creds = sample::creds(number, None);
    let values = vec![
        creds.notifier_id.as_bytes().to_vec(),
        creds.key.to_der(),
        creds.dh_secret.as_bytes().to_vec(),
    ];
    run(SET_NOTIFIER, values)
}

#[test]
fn race38_what_a_notifier_replaces_is_what_another_had_just_set() {
    let (answer, record) = after(&full(1), setting_notifier(2), |queues, id| {
        queues.set_notifier(id, &sample::creds(3, None))
    });
    assert_eq!(answer, Ok(Some(sample::creds(2, None))));
    assert_eq!(record.unwrap().notifier, Some(Box::new(sample::creds(3, None))));
}

#[test]
fn race38_the_notifier_that_is_deleted_is_the_one_that_is_there() {
    let (answer, record) =
        after(&full(1), setting_notifier(2), |queues, id| queues.delete_notifier(id));
    assert_eq!(answer, Ok(Some(sample::creds(2, None))));
    assert_eq!(record.unwrap().notifier, None);
    let none = "UPDATE msg_queues SET notifier_id = NULL WHERE recipient_id = $1";
    let (answer, _) = after(&full(1), run(none, vec![]), |queues, id| queues.delete_notifier(id));
    assert_eq!(answer, Ok(None));
}

#[test]
fn race38_two_notifiers_with_one_id_are_never_both_set() {
    let (answer, record) = after(&full(1), setting_notifier(2), |queues, id| {
        queues.set_notifier(id, &sample::creds(2, None))
    });
    assert_eq!(answer, Err(StatementError::Refused(Refusal::Taken)));
    assert_eq!(record.unwrap().notifier, Some(Box::new(sample::creds(2, None))));
}

#[test]
fn race36_what_waited_for_a_deletion_changes_nothing() {
    fn is_missing(
        change: impl FnOnce(&PostgresQueues, &RecipientId) -> Answer<()> + Send + 'static,
    ) {
        let (answer, record) = after(&full(1), deleting(), change);
        assert_eq!((answer, record), (missing(), None));
    }
    is_missing(|queues, id| queues.set_sender_key(id, &sample::key(1)));
    is_missing(|queues, id| queues.set_recipient_keys(id, &sample::keys(1)));
    is_missing(|queues, id| queues.set_link(id, &full(1).link.unwrap()));
    is_missing(|queues, id| queues.delete_link(id));
    is_missing(|queues, id| queues.set_notifier(id, &sample::creds(4, None)).map(drop));
    is_missing(|queues, id| queues.delete_notifier(id).map(drop));
    is_missing(|queues, id| queues.delete_queue(id, 2).map(drop));
    is_missing(|queues, id| {
        let ids = std::slice::from_ref(id);
        let results = queues.set_services(ServiceParty::Receiver, None, ids)?;
        Ok(results[0].1?)
    });
}

#[test]
fn race36_a_batch_that_waited_for_a_key_leaves_the_key() {
    let key = sample::key(1).to_der();
    let secure = run("UPDATE msg_queues SET sender_key = $2 WHERE recipient_id = $1", vec![key]);
    let (answer, record) = after(&sample::record(1), secure, |queues, id| {
        queues.set_services(ServiceParty::Receiver, None, std::slice::from_ref(id)).unwrap()
    });
    assert_eq!(answer, [(sample::recipient(1), Ok(()))]);
    assert_eq!(record.unwrap().sender_key, Some(sample::key(1)));
}
