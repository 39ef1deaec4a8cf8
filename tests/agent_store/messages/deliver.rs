//! Delivering messages (F-098 to F-103).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    AgentMessageType, ConnId, InternalId, InternalSndId, MsgBody, MsgFlags, MsgHash,
    PendingMsgData, PendingMsgPrepData, QueueNumber, RcvQueue, RetryState2, SmpQueue as _,
};

use super::support::{Conn, agent_message, at, encrypt_key, hash};
use crate::fixture::on_each;

type Next = Result<Option<(Option<RcvQueue>, PendingMsgData)>, StoreError>;

fn next(conn: &Conn<'_>, queue: i64) -> Next {
    let queue = conn.snd_queue(queue);
    conn.test.run(|tx| tx.get_pending_queue_msg(&queue))
}

/// The number of the next message.
fn next_id(conn: &Conn<'_>, queue: i64) -> Option<i64> {
    next(conn, queue).unwrap().map(|(_, message)| message.msg_id.0)
}

fn internal(answer: &Next) -> &str {
    match answer {
        Err(StoreError::Internal(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn f098_as29_the_next_message_is_loaded_ready_or_prepared() {
    on_each(|test| {
        let conn = Conn::of(test);
        assert_eq!(next(&conn, 1), Ok(None));
        conn.send_at(5, &[1]);
        let body = conn.body();
        conn.send_prepared(body, &[2]);
        let ready = PendingMsgData {
            msg_id: InternalId(1),
            msg_type: AgentMessageType::Message,
            msg_flags: MsgFlags { notification: true },
            msg_body: MsgBody(b"what is sent".to_vec()),
            pq_encryption: true,
            retry_state: None,
            internal_ts: at(5),
            internal_snd_id: InternalSndId(1),
            prev_msg_hash: MsgHash::default(),
            prep_data: None,
        };
        let queue = Some(conn.rcv_queue(1));
        assert_eq!(next(&conn, 1), Ok(Some((queue.clone(), ready.clone()))));
        assert_eq!(next(&conn, 1), Ok(Some((queue.clone(), ready.clone()))), "it stays");
        let prepared = PendingMsgData {
            msg_id: InternalId(2),
            msg_body: MsgBody::default(),
            internal_ts: at(0),
            internal_snd_id: InternalSndId(2),
            prev_msg_hash: hash(1),
            prep_data: Some(PendingMsgPrepData {
                encrypt_key: encrypt_key(),
                padded_len: 16_000,
                snd_msg_body: agent_message("for many"),
            }),
            ..ready
        };
        assert_eq!(next(&conn, 2), Ok(Some((queue, prepared))));
    });
}

#[test]
fn f098_each_queue_has_its_own_messages_the_lowest_number_first() {
    on_each(|test| {
        let (conn, other) = (Conn::of(test), Conn::without_queues(test, 2));
        other.add_snd_queue(1);
        let queue = conn.snd_queue(1);
        for _ in 0..3 {
            conn.send_at(0, &[]);
        }
        for id in [3, 2] {
            test.run(|tx| tx.create_snd_msg_delivery(&queue, InternalId(id))).unwrap();
        }
        other.send_at(0, &[1]);
        assert_eq!(next_id(&conn, 1), Some(2));
        assert_eq!(next_id(&conn, 2), None);
        assert_eq!(next_id(&other, 1), Some(1));
        test.run(|tx| tx.set_snd_msg_failed(&conn.id, InternalId(2))).unwrap();
        assert_eq!(next_id(&conn, 1), Some(3), "what failed is left out");
    });
}

#[test]
fn f098_the_connection_s_first_receive_queue_comes_with_it() {
    on_each(|test| {
        let conn = Conn::without_queues(test, 1);
        conn.add_snd_queue(1);
        conn.send_at(0, &[1]);
        let first = || next(&conn, 1).unwrap().unwrap().0.map(|queue| queue.number());
        assert_eq!(first(), None, "a connection that only sends");
        for number in [1, 2] {
            conn.add_rcv_queue(number);
        }
        conn.execute(
            "UPDATE rcv_queues SET rcv_primary = 0 WHERE conn_id = $1 AND rcv_queue_id = 1",
        );
        assert_eq!(first(), Some(QueueNumber(2)), "the primary one is the first");
        conn.execute("UPDATE rcv_queues SET deleted = 1 WHERE conn_id = $1 AND rcv_queue_id = 2");
        assert_eq!(first(), Some(QueueNumber(1)));
    });
}

#[test]
fn f098_flags_that_are_not_stored_are_none() {
    on_each(|test| {
        let conn = Conn::of(test);
        conn.send_at(0, &[1]);
        conn.execute("UPDATE messages SET msg_flags = NULL WHERE conn_id = $1");
        let flags = next(&conn, 1).unwrap().unwrap().1.msg_flags;
        assert_eq!(flags, MsgFlags { notification: false });
    });
}

#[test]
fn f098_as65_a_message_with_a_part_of_its_preparation_is_marked_and_the_next_one_comes() {
    on_each(|test| {
        let mixtures = [
            "UPDATE snd_messages SET msg_encrypt_key = NULL WHERE conn_id = $1",
            "UPDATE snd_messages SET padded_msg_len = NULL WHERE conn_id = $1",
            "UPDATE snd_messages SET snd_message_body_id = NULL WHERE conn_id = $1",
            "UPDATE snd_messages SET msg_encrypt_key = NULL, padded_msg_len = NULL WHERE conn_id = $1",
            "UPDATE snd_messages SET msg_encrypt_key = NULL, snd_message_body_id = NULL
              WHERE conn_id = $1",
            "UPDATE snd_messages SET padded_msg_len = NULL, snd_message_body_id = NULL
              WHERE conn_id = $1",
        ];
        for (id, mixture) in (1..).zip(mixtures) {
            let conn = Conn::without_queues(test, id);
            conn.add_snd_queue(1);
            conn.send_prepared(conn.body(), &[1]);
            conn.execute(mixture);
            conn.send_at(0, &[1]);
            let answer = next(&conn, 1);
            let text = internal(&answer);
            assert!(
                text.contains("message 1 has not all of key, padded length and body"),
                "{text}"
            );
            assert_eq!(conn.deliveries(), [(1, 1, true), (1, 2, false)], "{mixture}");
            assert_eq!(next_id(&conn, 1), Some(2));
        }
    });
}

#[test]
fn f098_as65_a_delivery_without_a_sent_message_is_marked_and_the_next_one_comes() {
    on_each(|test| {
        let conn = Conn::of(test);
        conn.receive(1);
        conn.send_at(0, &[1]);
        let queue = conn.snd_queue(1);
        test.run(|tx| tx.create_snd_msg_delivery(&queue, InternalId(1))).unwrap();
        assert_eq!(internal(&next(&conn, 1)), "no message 1 to deliver");
        assert_eq!(conn.deliveries(), [(1, 1, true), (1, 2, false)]);
        assert_eq!(next_id(&conn, 1), Some(2));
    });
}

#[test]
fn f098_as34_as66_a_message_that_cannot_be_read_is_marked_for_all_queues() {
    on_each(|test| {
        let spoilt = [
            ("messages.msg_type", "UPDATE messages SET msg_type = $2 WHERE conn_id = $1"),
            (
                "snd_messages.msg_encrypt_key",
                "UPDATE snd_messages SET msg_encrypt_key = $2 WHERE conn_id = $1",
            ),
            (
                "snd_message_bodies.agent_msg",
                "UPDATE snd_message_bodies SET agent_msg = $2
                  WHERE snd_message_body_id IN (SELECT snd_message_body_id FROM snd_messages WHERE conn_id = $1)",
            ),
        ];
        for (id, (column, statement)) in (1..).zip(spoilt) {
            let conn = Conn::without_queues(test, id);
            for number in [1, 2] {
                conn.add_snd_queue(number);
            }
            conn.send_prepared(conn.body(), &[1, 2]);
            assert_eq!(test.execute(statement, &[&conn.id, &&b""[..]]), 1);
            conn.send_at(0, &[1, 2]);
            let answer = next(&conn, 1);
            assert!(internal(&answer).contains(column), "{answer:?}");
            let marked = [(1, 1, true), (1, 2, false), (2, 1, true), (2, 2, false)];
            assert_eq!(conn.deliveries(), marked, "{column}");
            assert_eq!((next_id(&conn, 1), next_id(&conn, 2)), (Some(2), Some(2)));
        }
    });
}

#[test]
fn f098_as34_texts_and_numbers_that_cannot_be_read_are_marked() {
    on_each(|test| {
        let spoilt = [
            ("messages.msg_flags", "UPDATE messages SET msg_flags = '?' WHERE conn_id = $1"),
            ("messages.pq_encryption", "UPDATE messages SET pq_encryption = 2 WHERE conn_id = $1"),
            (
                "snd_messages.padded_msg_len",
                "UPDATE snd_messages SET padded_msg_len = -1 WHERE conn_id = $1",
            ),
        ];
        for (id, (column, statement)) in (1..).zip(spoilt) {
            let conn = Conn::without_queues(test, id);
            conn.add_snd_queue(1);
            conn.send_at(0, &[1]);
            assert_eq!(conn.execute(statement), 1);
            let answer = next(&conn, 1);
            assert!(internal(&answer).contains(column), "{answer:?}");
            assert_eq!(conn.deliveries(), [(1, 1, true)]);
            assert_eq!(next(&conn, 1), Ok(None));
        }
    });
}

#[test]
fn f098_as34_a_receive_queue_that_cannot_be_read_marks_the_message() {
    on_each(|test| {
        let conn = Conn::of(test);
        conn.send_at(0, &[1]);
        conn.execute("UPDATE rcv_queues SET status = '?' WHERE conn_id = $1");
        let answer = next(&conn, 1);
        assert!(internal(&answer).contains("rcv_queues.status"), "{answer:?}");
        assert_eq!(conn.deliveries(), [(1, 1, true)]);
    });
}

#[test]
fn f099_connections_with_deliveries_that_have_not_failed_are_listed_once() {
    on_each(|test| {
        let list = || {
            let mut found = test.run(|tx| tx.get_connections_for_delivery()).unwrap();
            found.sort();
            found
        };
        assert_eq!(list(), [], "there are none");
        let conns: Vec<Conn<'_>> = (1..=5).map(|id| Conn::without_queues(test, id)).collect();
        for conn in &conns {
            for number in [1, 2] {
                conn.add_snd_queue(number);
            }
        }
        let [first, idle, failed, deleted, last] = &conns[..] else { panic!() };
        for conn in [first, failed, deleted, last] {
            conn.send_at(0, &[1, 2]);
            conn.send_at(0, &[1]);
        }
        idle.send_at(0, &[]);
        failed.execute("UPDATE snd_message_deliveries SET failed = 1 WHERE conn_id = $1");
        last.execute(
            "UPDATE snd_message_deliveries SET failed = 1 WHERE conn_id = $1 AND snd_queue_id = 1",
        );
        deleted.execute("UPDATE connections SET deleted = 1 WHERE conn_id = $1");
        let ids =
            |conns: &[&Conn<'_>]| conns.iter().map(|conn| conn.id.clone()).collect::<Vec<ConnId>>();
        assert_eq!(list(), ids(&[first, deleted, last]));
    });
}

#[test]
fn f100_queues_with_deliveries_that_have_not_failed_are_listed_once() {
    on_each(|test| {
        let list = || {
            let found = test.run(|tx| tx.get_all_snd_queues_for_delivery()).unwrap();
            let mut found: Vec<_> =
                found.into_iter().map(|queue| (queue.conn_id.clone(), queue)).collect();
            found.sort_by_key(|(id, queue)| (id.clone(), queue.number()));
            found.into_iter().map(|(_, queue)| queue).collect::<Vec<_>>()
        };
        assert_eq!(list(), [], "there are none");
        let conns: Vec<Conn<'_>> = (1..=4).map(|id| Conn::without_queues(test, id)).collect();
        for conn in &conns {
            for number in [1, 2, 3] {
                conn.add_snd_queue(number);
            }
            conn.send_at(0, &[1, 2]);
            conn.send_at(0, &[1]);
        }
        let [both, one, deleted, none] = &conns[..] else { panic!() };
        one.execute(
            "UPDATE snd_message_deliveries SET failed = 1 WHERE conn_id = $1 AND snd_queue_id = 1",
        );
        deleted.execute("UPDATE connections SET deleted = 1 WHERE conn_id = $1");
        none.execute("UPDATE snd_message_deliveries SET failed = 1 WHERE conn_id = $1");
        assert_eq!(list(), [both.snd_queue(1), both.snd_queue(2), one.snd_queue(2)]);
    });
}

#[test]
fn f101_as30_the_retry_state_is_each_message_s_own() {
    on_each(|test| {
        let conn = Conn::of(test);
        for queue in [1, 2] {
            conn.send_at(0, &[queue]);
        }
        let state = RetryState2 { slow_interval: 60_000_000, fast_interval: i64::MAX };
        test.run(|tx| tx.update_pending_msg_ri_state(&conn.id, InternalId(2), state)).unwrap();
        let stored = |queue| next(&conn, queue).unwrap().unwrap().1.retry_state;
        assert_eq!((stored(1), stored(2)), (None, Some(state)));
        let query = "SELECT retry_int_slow, retry_int_fast FROM snd_messages WHERE internal_id = 2";
        let row: Vec<(i64, i64)> = test.query(query, &[], |row| {
            Ok((row.next("s.retry_int_slow")?, row.next("s.retry_int_fast")?))
        });
        assert_eq!(row, [(60_000_000, i64::MAX)]);
        conn.execute("UPDATE snd_messages SET retry_int_fast = NULL WHERE conn_id = $1");
        assert_eq!(stored(2), None, "only with both columns");
    });
}

#[test]
fn f102_a_queue_s_deliveries_are_deleted_and_the_messages_stay() {
    on_each(|test| {
        let (conn, other) = (Conn::of(test), Conn::without_queues(test, 2));
        other.add_snd_queue(1);
        other.send_at(0, &[1]);
        conn.send_at(0, &[1, 2]);
        conn.send_at(0, &[1]);
        test.run(|tx| tx.set_snd_msg_failed(&conn.id, InternalId(2))).unwrap();
        let queue = conn.snd_queue(1);
        test.run(|tx| tx.delete_pending_msgs(&queue)).unwrap();
        assert_eq!(conn.deliveries(), [(2, 1, false)]);
        assert_eq!(conn.messages(), [InternalId(1), InternalId(2)]);
        assert_eq!(other.deliveries(), [(1, 1, false)]);
    });
}

#[test]
fn f103_as67_expired_are_all_up_to_the_last_that_is_old_enough() {
    on_each(|test| {
        let conn = Conn::of(test);
        let queue = conn.snd_queue(1);
        let expired =
            |second| test.run(|tx| tx.get_expired_snd_messages(&queue, at(second))).unwrap();
        assert_eq!(expired(100), [], "there are none");
        // Message 2 is later than the one after it; message 4 is another queue's, and 5 was received.
        for (second, queues) in [(10, &[1][..]), (40, &[1]), (20, &[1, 2]), (30, &[2])] {
            conn.send_at(second, queues);
        }
        conn.receive(1);
        conn.send_at(50, &[1]);
        let ids = |ids: &[i64]| ids.iter().copied().map(InternalId).collect::<Vec<_>>();
        assert_eq!(expired(10), [], "strictly before");
        assert_eq!(expired(11), ids(&[1]));
        assert_eq!(expired(20), ids(&[1]));
        assert_eq!(expired(21), ids(&[1, 2, 3]), "a lower number and a later time");
        assert_eq!(expired(31), ids(&[1, 2, 3]), "another queue's message sets the limit too");
        assert_eq!(expired(51), ids(&[1, 2, 3, 6]), "what was received is not sent");
        test.run(|tx| tx.set_snd_msg_failed(&conn.id, InternalId(2))).unwrap();
        assert_eq!(expired(21), ids(&[1, 3]), "without what failed");
    });
}

#[test]
fn f103_as67_a_received_message_sets_no_limit() {
    on_each(|test| {
        let conn = Conn::of(test);
        conn.send_at(50, &[1]);
        conn.receive(1);
        let queue = conn.snd_queue(1);
        let expired =
            |second| test.run(|tx| tx.get_expired_snd_messages(&queue, at(second))).unwrap();
        assert_eq!(expired(40), []);
    });
}
