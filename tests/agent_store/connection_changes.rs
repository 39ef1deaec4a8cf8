//! Changing and deleting connections (section 4.4).

use std::time::Duration;

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{AgentVersion, ConnId, RatchetSyncState, UserId};
use simplex_stores::db::{Sql, UtcTime};

use crate::fixture::{TestStore, on_each};

/// What the functions change in a connection's row.
#[derive(Clone, Debug, PartialEq)]
struct State {
    user: UserId,
    deleted: bool,
    waits_since: Option<UtcTime>,
    agent_version: AgentVersion,
    pq_support: bool,
    enable_ntfs: Option<bool>,
    ratchet_sync: RatchetSyncState,
}

fn state(test: &TestStore, conn_id: &ConnId) -> State {
    let query = "SELECT user_id, deleted, deleted_at_wait_delivery, smp_agent_version, pq_support,
                   enable_ntfs, ratchet_sync_state FROM connections WHERE conn_id = $1";
    let rows = test.query(query, &[conn_id], |row| {
        Ok(State {
            user: row.next("c.user_id")?,
            deleted: row.next("c.deleted")?,
            waits_since: row.next("c.deleted_at_wait_delivery")?,
            agent_version: row.next("c.smp_agent_version")?,
            pq_support: row.next("c.pq_support")?,
            enable_ntfs: row.next("c.enable_ntfs")?,
            ratchet_sync: row.next("c.ratchet_sync_state")?,
        })
    });
    let [state] = <[_; 1]>::try_from(rows).unwrap();
    state
}

/// Two connections of one user; the tests change the first.
fn connections(test: &TestStore) -> [ConnId; 2] {
    let user = test.user();
    [test.bare_connection(user, b"changed"), test.bare_connection(user, b"other")]
}

/// Runs `change` on a connection, and compares what became of it, of another connection, and of one that
/// isn't there.
fn assert_changes(
    change: impl Fn(&TestStore, &ConnId) -> Result<(), StoreError>,
    expected: impl Fn(State) -> State,
) {
    on_each(|test| {
        let [changed, other] = connections(test);
        let (before, others) = (state(test, &changed), state(test, &other));
        change(test, &changed).unwrap();
        assert_eq!(state(test, &changed), expected(before));
        assert_eq!(state(test, &other), others);
        assert_eq!(change(test, &ConnId::from_bytes(b"missing").unwrap()), Ok(()));
    });
}

fn ids(test: &TestStore, query: &'static str) -> Vec<ConnId> {
    test.query(query, &[], |row| row.next("connections.conn_id"))
}

const ALL: &str = "SELECT conn_id FROM connections ORDER BY conn_id";

#[test]
fn f037_as21_as53_a_connection_is_marked_as_deleted_at_once() {
    assert_changes(
        |test, id| test.run(|tx| tx.set_conn_deleted(false, id)),
        |before| State { deleted: true, ..before },
    );
    on_each(|test| {
        let [hidden, other] = connections(test);
        test.run(|tx| tx.set_conn_deleted(false, &hidden)).unwrap();
        assert_eq!(test.run(|tx| tx.get_conn_ids()), Ok(vec![other]));
        assert_eq!(test.run(|tx| tx.get_conn(&hidden)), Err(StoreError::ConnNotFound));
        assert!(test.run(|tx| tx.get_deleted_conn(&hidden)).is_ok(), "its row stays");
    });
}

#[test]
fn f037_as53_a_connection_that_waits_for_deliveries_stays_visible() {
    on_each(|test| {
        let [waiting, other] = connections(test);
        let (before, others) = (state(test, &waiting), state(test, &other));
        let start = UtcTime::now();
        test.run(|tx| tx.set_conn_deleted(true, &waiting)).unwrap();
        let after = state(test, &waiting);
        let since = after.waits_since.unwrap();
        assert!((start..=UtcTime::now()).contains(&since));
        assert_eq!(State { waits_since: None, ..after }, before);
        assert_eq!(state(test, &other), others);
        assert!(test.run(|tx| tx.get_conn(&waiting)).is_ok());
        assert_eq!(test.run(|tx| tx.get_conn_ids()).unwrap().len(), 2);
    });
}

#[test]
fn f038_a_connection_changes_its_user_when_it_is_the_old_one_s() {
    on_each(|test| {
        let [changed, other] = connections(test);
        let (old, new) = (state(test, &changed).user, test.user());
        test.run(|tx| tx.set_conn_user_id(new, &changed, old)).unwrap();
        test.run(|tx| tx.set_conn_user_id(new, &changed, new)).unwrap();
        assert_eq!(state(test, &changed).user, old, "it isn't the new user's yet");
        test.run(|tx| tx.set_conn_user_id(old, &changed, new)).unwrap();
        assert_eq!(state(test, &changed).user, new);
        assert_eq!(state(test, &other).user, old);
        let nobody = test.run(|tx| tx.set_conn_user_id(new, &changed, UserId(99)));
        assert!(matches!(nobody, Err(StoreError::Internal(_))), "{nobody:?}");
        assert_eq!(state(test, &changed).user, new);
    });
}

#[test]
fn f039_the_version_is_set() {
    let version = AgentVersion(u16::MAX);
    assert_changes(
        |test, id| test.run(|tx| tx.set_conn_agent_version(id, version)),
        |before| State { agent_version: version, ..before },
    );
}

#[test]
fn f040_post_quantum_support_is_set() {
    assert_changes(
        |test, id| test.run(|tx| tx.set_conn_pq_support(id, true)),
        |before| State { pq_support: true, ..before },
    );
    assert_changes(
        |test, id| {
            test.run(|tx| tx.set_conn_pq_support(id, true))?;
            test.run(|tx| tx.set_conn_pq_support(id, false))
        },
        |before| before,
    );
}

#[test]
fn f041_what_joining_tells_is_written() {
    for (pq_support, enable_ntfs) in [(true, false), (false, true)] {
        let version = AgentVersion(7);
        assert_changes(
            |test, id| test.run(|tx| tx.update_new_conn_join(id, version, pq_support, enable_ntfs)),
            |before| State {
                agent_version: version,
                pq_support,
                enable_ntfs: Some(enable_ntfs),
                ..before
            },
        );
    }
}

#[test]
fn f042_f043_deleted_and_waiting_connections_are_listed() {
    on_each(|test| {
        let [deleted, waiting] = connections(test);
        let both = test.bare_connection(state(test, &deleted).user, b"both");
        assert_eq!(test.run(|tx| tx.get_deleted_conn_ids()), Ok(vec![]));
        assert_eq!(test.run(|tx| tx.get_deleted_waiting_delivery_conn_ids()), Ok(vec![]));
        for (waits, id) in [(false, &deleted), (true, &waiting), (false, &both), (true, &both)] {
            test.run(|tx| tx.set_conn_deleted(waits, id)).unwrap();
        }
        let sorted = |mut ids: Vec<ConnId>| {
            ids.sort();
            ids
        };
        let listed = test.run(|tx| tx.get_deleted_conn_ids()).unwrap();
        assert_eq!(sorted(listed), [both.clone(), deleted]);
        let listed = test.run(|tx| tx.get_deleted_waiting_delivery_conn_ids()).unwrap();
        assert_eq!(sorted(listed), [both, waiting]);
    });
}

#[test]
fn f044_the_state_of_ratchet_synchronisation_is_set() {
    on_each(|test| {
        let [changed, other] = connections(test);
        let (before, others) = (state(test, &changed), state(test, &other));
        for ratchet_sync in RatchetSyncState::ALL.iter().copied() {
            test.run(|tx| tx.set_conn_ratchet_sync(&changed, ratchet_sync)).unwrap();
            assert_eq!(state(test, &changed), State { ratchet_sync, ..before.clone() });
        }
        assert_eq!(state(test, &other), others);
    });
}

const MESSAGE: &str = "INSERT INTO messages (conn_id, internal_id, internal_ts, msg_type)
    VALUES ($1, 1, $2, $3)";
const DELIVERY: &str = "INSERT INTO snd_message_deliveries
    (conn_id, snd_queue_id, internal_id, failed) VALUES ($1, 1, 1, $2)";

/// A connection with a message, and a delivery that has or hasn't failed.
fn with_delivery(test: &TestStore, failed: Option<bool>) -> ConnId {
    let conn_id = test.bare_connection(test.user(), b"connection");
    test.execute(MESSAGE, &[&conn_id, &UtcTime::now(), &&b"M"[..]]);
    test.execute(DELIVERY, &[&conn_id, &failed]);
    conn_id
}

/// Writes that the connection has waited for so long.
fn set_waiting(test: &TestStore, time: Duration) {
    let update = "UPDATE connections SET deleted_at_wait_delivery = $1";
    test.execute(update, &[&UtcTime::now().before(time)]);
}

const HOUR: Duration = Duration::from_secs(3600);

fn delete(test: &TestStore, timeout: Option<Duration>, conn_id: &ConnId) -> bool {
    let deleted = test.run(|tx| tx.delete_conn(timeout, conn_id)).unwrap();
    assert!(deleted.is_none() || deleted.as_ref() == Some(conn_id));
    assert_eq!(ids(test, ALL).is_empty(), deleted.is_some());
    deleted.is_some()
}

#[test]
fn f051_as54_without_a_timeout_a_connection_is_deleted_with_its_deliveries() {
    on_each(|test| {
        let conn_id = with_delivery(test, Some(false));
        assert!(delete(test, None, &conn_id));
        assert!(ids(test, "SELECT conn_id FROM snd_message_deliveries").is_empty());
    });
}

#[test]
fn f051_as54_with_a_timeout_it_is_deleted_when_nothing_is_pending() {
    on_each(|test| {
        let conn_id = test.bare_connection(test.user(), b"connection");
        assert!(delete(test, Some(HOUR), &conn_id), "no deliveries");
        for failed in [Some(true), None] {
            let conn_id = with_delivery(test, failed);
            assert!(delete(test, Some(HOUR), &conn_id), "only with failed {failed:?}");
        }
        assert!(delete(test, Some(HOUR), &conn_id), "it is gone already");
    });
}

#[test]
fn f051_as54_with_pending_deliveries_it_is_kept_until_it_waited_for_long_enough() {
    on_each(|test| {
        let conn_id = with_delivery(test, Some(false));
        assert!(!delete(test, Some(HOUR), &conn_id), "it didn't begin to wait");
        assert!(!delete(test, Some(Duration::ZERO), &conn_id));
        set_waiting(test, HOUR / 2);
        assert!(!delete(test, Some(HOUR), &conn_id));
        assert!(!delete(test, Some(Duration::MAX), &conn_id));
        set_waiting(test, HOUR);
        assert!(delete(test, Some(HOUR), &conn_id));
    });
}

#[test]
fn f051_another_connection_s_deliveries_don_t_count() {
    on_each(|test| {
        let pending = with_delivery(test, Some(false));
        let other = test.bare_connection(test.user(), b"other");
        let deleted = test.run(|tx| tx.delete_conn(Some(HOUR), &other));
        assert_eq!(deleted, Ok(Some(other)));
        assert_eq!(ids(test, ALL), [pending]);
    });
}

#[test]
fn f051_a_delivery_that_is_being_added_is_waited_for_and_seen() {
    const ADD: Sql = Sql::new("add a delivery", DELIVERY);
    on_each(|test| {
        let conn_id = with_delivery(test, Some(true));
        let (added_to, deleted) = (conn_id.clone(), conn_id.clone());
        let deleted = test.beside(
            |tx| {
                tx.statements().execute(&ADD, &[&added_to, &false])?;
                Ok(())
            },
            move |tx| tx.delete_conn(Some(HOUR), &deleted),
        );
        assert_eq!(deleted, Ok(None));
        assert_eq!(ids(test, ALL), [conn_id]);
    });
}

#[test]
fn f052_a_connection_is_deleted_with_what_is_below_it() {
    on_each(|test| {
        let conn_id = with_delivery(test, Some(false));
        let other = test.bare_connection(test.user(), b"other");
        test.run(|tx| tx.delete_conn_record(&conn_id)).unwrap();
        assert_eq!(ids(test, ALL), [other]);
        assert!(ids(test, "SELECT conn_id FROM messages").is_empty());
        assert_eq!(test.run(|tx| tx.delete_conn_record(&conn_id)), Ok(()));
    });
}
