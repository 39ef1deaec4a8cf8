//! The routines that work on messages (queue-stores.md, section 6.6).

use postgres::{Client, Row};
use simplex_stores::testing::postgres::TestDatabase;

use crate::fixture;

/// A database with one live queue, `q`, and a deleted one, `gone`.
fn queues() -> (TestDatabase, Client) {
    let database = fixture::with_schema();
    let mut client = fixture::client(&database);
    let insert = "INSERT INTO msg_queues
        (recipient_id, recipient_keys, rcv_dh_secret, sender_id, status, updated_at, deleted_at)
        VALUES ('q', '', '', 's', 'active', 86400, NULL), ('gone', '', '', 't', 'active', 86400, 1)";
    client.batch_execute(insert).unwrap();
    (database, client)
}

/// Writes a message and gives whether a quota marker was written and whether the queue was empty.
fn write(
    client: &mut Client,
    queue: &str,
    id: &str,
    ts: i64,
    marker: bool,
) -> Option<(bool, bool)> {
    let call = "SELECT * FROM write_message($1, $2, $3, $4, true, 'body', 3)";
    let row =
        client.query_opt(call, &[&queue.as_bytes(), &id.as_bytes(), &ts, &marker]).unwrap()?;
    Some((row.get(0), row.get(1)))
}

/// Ids of the rows that a call gives.
fn call(client: &mut Client, routine: &str, id: &str) -> Vec<String> {
    let rows =
        client.query(&format!("SELECT * FROM {routine}('q', $1)"), &[&id.as_bytes()]).unwrap();
    rows.iter().map(|row| String::from_utf8(row.get("r_msg_id")).unwrap()).collect()
}

/// Whether more may be written, whether there is anything to expire, and how many messages are counted.
fn counters(client: &mut Client) -> (bool, bool, i64) {
    let query = "SELECT msg_can_write, msg_queue_expire, msg_queue_size FROM msg_queues
                  WHERE recipient_id = 'q'";
    let row = client.query_one(query, &[]).unwrap();
    (row.get(0), row.get(1), row.get(2))
}

fn stored(client: &mut Client) -> Vec<Row> {
    client.query("SELECT * FROM messages ORDER BY message_id", &[]).unwrap()
}

fn stored_ids(client: &mut Client) -> Vec<String> {
    stored(client).iter().map(|row| String::from_utf8(row.get("msg_id")).unwrap()).collect()
}

#[test]
fn messages_are_written_up_to_the_quota_and_then_one_marker() {
    let (_database, mut client) = queues();
    assert_eq!(write(&mut client, "q", "a", 1, false), Some((false, true)));
    assert_eq!(counters(&mut client), (true, true, 1));
    assert_eq!(write(&mut client, "q", "b", 2, false), Some((false, false)));
    assert_eq!(write(&mut client, "q", "c", 3, false), Some((false, false)));
    assert_eq!(write(&mut client, "q", "d", 4, false), Some((true, false)));
    assert_eq!(counters(&mut client), (false, true, 4));
    assert_eq!(write(&mut client, "q", "e", 5, false), None);
    let rows = stored(&mut client);
    let message = |row: &Row| -> (bool, bool, Vec<u8>) {
        (row.get("msg_quota"), row.get("msg_ntf_flag"), row.get("msg_body"))
    };
    assert_eq!(
        rows.iter().map(message).collect::<Vec<_>>(),
        [
            (false, true, b"body".to_vec()),
            (false, true, b"body".to_vec()),
            (false, true, b"body".to_vec()),
            (true, false, Vec::new()),
        ]
    );
}

#[test]
fn a_marker_can_be_asked_for_and_an_empty_queue_takes_a_message_again() {
    let (_database, mut client) = queues();
    assert_eq!(write(&mut client, "q", "a", 1, true), Some((true, true)));
    assert_eq!(write(&mut client, "q", "b", 2, false), None);
    let emptied = "DELETE FROM messages; UPDATE msg_queues SET msg_queue_size = 0";
    client.batch_execute(emptied).unwrap();
    assert_eq!(write(&mut client, "q", "c", 3, false), Some((false, true)));
    assert_eq!(counters(&mut client), (true, true, 1));
}

#[test]
fn nothing_is_written_for_a_queue_that_is_not_there_or_deleted() {
    let (_database, mut client) = queues();
    assert_eq!(write(&mut client, "gone", "a", 1, false), None);
    assert_eq!(write(&mut client, "none", "a", 1, false), None);
    assert!(stored(&mut client).is_empty());
}

#[test]
fn the_first_message_is_deleted_when_it_is_the_one() {
    let (_database, mut client) = queues();
    for (id, ts) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        write(&mut client, "q", id, ts, false);
    }
    assert!(call(&mut client, "try_del_msg", "b").is_empty());
    assert_eq!(call(&mut client, "try_del_msg", "a"), ["a"]);
    assert_eq!(counters(&mut client), (false, true, 3));
    for id in ["b", "c"] {
        assert_eq!(call(&mut client, "try_del_msg", id), [id]);
    }
    // The marker is left, and with it goes the ban on writing.
    assert_eq!(counters(&mut client), (false, true, 1));
    assert_eq!(call(&mut client, "try_del_msg", "d"), ["d"]);
    assert_eq!(counters(&mut client), (true, false, 0));
    assert!(call(&mut client, "try_del_msg", "d").is_empty());
}

#[test]
fn deleting_and_peeking_gives_the_next_message_too() {
    let (_database, mut client) = queues();
    for (id, ts) in [("a", 1), ("b", 2)] {
        write(&mut client, "q", id, ts, false);
    }
    assert_eq!(call(&mut client, "try_del_peek_msg", "x"), ["a"]);
    assert_eq!(counters(&mut client), (true, true, 2));
    assert_eq!(call(&mut client, "try_del_peek_msg", "a"), ["a", "b"]);
    assert_eq!(counters(&mut client), (true, true, 1));
    assert_eq!(call(&mut client, "try_del_peek_msg", "b"), ["b"]);
    assert_eq!(counters(&mut client), (true, false, 0));
}

#[test]
fn counters_that_drifted_are_reset_by_an_empty_queue() {
    for routine in ["try_del_msg", "try_del_peek_msg"] {
        let (_database, mut client) = queues();
        let drifted = "UPDATE msg_queues
            SET msg_can_write = false, msg_queue_expire = true, msg_queue_size = 5";
        client.batch_execute(drifted).unwrap();
        assert!(call(&mut client, routine, "a").is_empty());
        assert_eq!(counters(&mut client), (true, false, 0), "{routine}");
    }
}

fn expire(client: &mut Client, ts: i64) -> i64 {
    client.query_one("SELECT delete_expired_msgs('q', $1)", &[&ts]).unwrap().get(0)
}

#[test]
fn old_messages_expire_up_to_the_first_that_is_not() {
    let (_database, mut client) = queues();
    for (id, ts) in [("a", 10), ("b", 30), ("c", 20), ("d", 40)] {
        write(&mut client, "q", id, ts, false);
    }
    assert_eq!(expire(&mut client, 10), 0);
    // `c` is old, but stands behind `b`.
    assert_eq!(expire(&mut client, 25), 1);
    assert_eq!(stored_ids(&mut client), ["b", "c", "d"]);
    assert_eq!(counters(&mut client), (false, true, 3));
    // The marker is no message that would be kept for, and stays.
    assert_eq!(expire(&mut client, 100), 2);
    assert_eq!(stored_ids(&mut client), ["d"]);
    assert_eq!(counters(&mut client), (false, true, 1));
}

#[test]
fn a_queue_that_expired_whole_can_be_written_to() {
    let (_database, mut client) = queues();
    for (id, ts) in [("a", 1), ("b", 2)] {
        write(&mut client, "q", id, ts, false);
    }
    assert_eq!(expire(&mut client, 3), 2);
    assert_eq!(counters(&mut client), (true, false, 0));
}

#[test]
fn a_queue_that_somebody_works_on_is_left_for_the_next_time() {
    let (database, mut client) = queues();
    write(&mut client, "q", "a", 1, false);
    let mut other = fixture::client(&database);
    let mut working = other.transaction().unwrap();
    working.batch_execute("SELECT 1 FROM msg_queues WHERE recipient_id = 'q' FOR UPDATE").unwrap();
    assert_eq!(expire(&mut client, 9), 0);
    working.rollback().unwrap();
    assert_eq!(expire(&mut client, 9), 1);
}

#[test]
fn a_round_of_expiry_goes_through_all_queues_in_batches_and_past_one_that_fails() {
    let (_database, mut client) = queues();
    let fill = "INSERT INTO msg_queues
          (recipient_id, recipient_keys, rcv_dh_secret, sender_id, status, updated_at)
          SELECT convert_to('r' || n, 'UTF8'), '', '', convert_to('r' || n, 'UTF8'), 'active',
                 CASE WHEN n = 7 THEN 0 ELSE 86400 END
            FROM generate_series(1, 9) n;
        SELECT write_message(convert_to('r' || n, 'UTF8'), 'm', 1, false, true, 'b', 9)
          FROM generate_series(1, 9) n;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
        CREATE TRIGGER refuse BEFORE DELETE ON messages FOR EACH ROW
          WHEN (OLD.recipient_id = 'r5') EXECUTE FUNCTION refuse()";
    client.batch_execute(fill).unwrap();
    // Of nine queues one was not used since, and one fails.
    let call = "CALL expire_old_messages(0, 2, 2, NULL, NULL, NULL)";
    let row = client.query_one(call, &[]).unwrap();
    let counts: [i64; 3] = std::array::from_fn(|column| row.get(column));
    assert_eq!(counts, [7, 2, 10]);
    let left = "SELECT DISTINCT recipient_id FROM messages ORDER BY 1";
    let left: Vec<Vec<u8>> =
        client.query(left, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(left, [b"r5".to_vec(), b"r7".to_vec()]);
}

#[test]
fn messages_go_with_their_queue() {
    let (_database, mut client) = queues();
    write(&mut client, "q", "a", 1, false);
    client.batch_execute("DELETE FROM msg_queues WHERE recipient_id = 'q'").unwrap();
    assert!(stored(&mut client).is_empty());
}
