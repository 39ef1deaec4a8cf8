//! Ratchet keys that were processed already (section 4.4).

use std::time::Duration;

use simplex_stores::agent_store::types::{ConnId, RatchetKeyHash};
use simplex_stores::db::UtcTime;

use crate::fixture::{TestStore, on_each};

fn hash(byte: u8) -> RatchetKeyHash {
    RatchetKeyHash::from_bytes(&[byte; 32]).unwrap()
}

fn add(test: &TestStore, conn_id: &ConnId, byte: u8) {
    test.run(|tx| tx.add_processed_ratchet_key_hash(conn_id, &hash(byte))).unwrap();
}

fn stored(test: &TestStore) -> Vec<(ConnId, RatchetKeyHash)> {
    let query = "SELECT conn_id, hash FROM processed_ratchet_key_hashes
                  ORDER BY processed_ratchet_key_hash_id";
    test.query(query, &[], |row| Ok((row.next("h.conn_id")?, row.next("h.hash")?)))
}

#[test]
fn f045_a_hash_is_added_with_its_time_and_may_be_added_again() {
    on_each(|test| {
        let conn_id = test.bare_connection(test.user(), b"connection");
        let start = UtcTime::now();
        add(test, &conn_id, 1);
        add(test, &conn_id, 1);
        assert_eq!(stored(test), [(conn_id.clone(), hash(1)), (conn_id.clone(), hash(1))]);
        let query = "SELECT created_at, updated_at FROM processed_ratchet_key_hashes";
        let times = test.query(query, &[], |row| {
            Ok([row.next::<UtcTime>("h.created_at")?, row.next("h.updated_at")?])
        });
        assert!(times.iter().flatten().all(|time| (start..=UtcTime::now()).contains(time)));
        let missing = ConnId::from_bytes(b"missing").unwrap();
        let added = test.run(|tx| tx.add_processed_ratchet_key_hash(&missing, &hash(1)));
        assert!(added.is_err(), "there is no such connection");
    });
}

#[test]
fn f046_a_connection_s_hash_is_found_again() {
    on_each(|test| {
        let user = test.user();
        let [one, other] = [b"one  ", b"other"].map(|id| test.bare_connection(user, id));
        let exists = |conn_id: &ConnId, byte| {
            test.run(|tx| tx.check_ratchet_key_hash_exists(conn_id, &hash(byte))).unwrap()
        };
        assert!(!exists(&one, 1));
        add(test, &one, 1);
        add(test, &one, 1);
        add(test, &other, 2);
        assert!(exists(&one, 1));
        assert!(!exists(&one, 2));
        assert!(!exists(&other, 1));
    });
}

#[test]
fn f046_as10_the_row_that_is_found_is_locked() {
    on_each(|test| {
        let conn_id = test.bare_connection(test.user(), b"connection");
        add(test, &conn_id, 1);
        let (first, second) = (conn_id.clone(), conn_id.clone());
        // The first deletes the row that the second waits for, which then isn't there.
        let found = test.beside(
            |tx| {
                assert!(tx.check_ratchet_key_hash_exists(&first, &hash(1))?);
                tx.delete_ratchet_key_hashes_expired(Duration::ZERO, 1)
            },
            move |tx| tx.check_ratchet_key_hash_exists(&second, &hash(1)),
        );
        assert_eq!(found, Ok(false));
    });
}

#[test]
fn f047_expired_hashes_are_deleted_oldest_first_up_to_a_limit() {
    on_each(|test| {
        let conn_id = test.bare_connection(test.user(), b"connection");
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        // Not in the order of their ages.
        for age in [3, 1, 4, 2] {
            add(test, &conn_id, age);
            let update = "UPDATE processed_ratchet_key_hashes SET created_at = $1 WHERE hash = $2";
            test.execute(update, &[&UtcTime::now().before(hours(age.into())), &hash(age)]);
        }
        let delete = |ttl, limit| {
            test.run(|tx| tx.delete_ratchet_key_hashes_expired(ttl, limit)).unwrap();
            let left = stored(test).into_iter().map(|(_, hash)| hash.as_bytes()[0]);
            left.collect::<Vec<u8>>()
        };
        assert_eq!(delete(hours(5), 10), [3, 1, 4, 2]);
        assert_eq!(delete(Duration::MAX, 10), [3, 1, 4, 2]);
        assert_eq!(delete(hours(2), 0), [3, 1, 4, 2]);
        assert_eq!(delete(hours(2), 1), [3, 1, 2], "the oldest");
        assert_eq!(delete(hours(2), u32::MAX), [1], "all that are older");
        assert_eq!(delete(Duration::ZERO, 10), [0; 0]);
    });
}
