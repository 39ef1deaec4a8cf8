//! Storing received messages (F-087 to F-090).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    AgentMessageType, ConnId, ExternalSndId, InternalId, InternalRcvId, InternalSndId, MsgBody,
    MsgFlags, MsgHash, MsgIntegrity, QueueNumber, RcvMsgIds,
};
use simplex_stores::db::UtcTime;

use super::support::{Conn, at, broker_id, hash};
use crate::fixture::{TestStore, on_each};

/// The counters of a connection, and the heads of its chain of received messages.
fn heads(conn: &Conn<'_>) -> (i64, i64, i64, ExternalSndId, MsgHash) {
    let query = "SELECT last_internal_msg_id, last_internal_rcv_msg_id, last_internal_snd_msg_id,
                        last_external_snd_msg_id, last_rcv_msg_hash
                   FROM connections WHERE conn_id = $1";
    let found = conn.test.query(query, &[&conn.id], |row| {
        Ok((
            row.next("c.last_internal_msg_id")?,
            row.next("c.last_internal_rcv_msg_id")?,
            row.next("c.last_internal_snd_msg_id")?,
            row.next("c.last_external_snd_msg_id")?,
            row.next("c.last_rcv_msg_hash")?,
        ))
    });
    found[0].clone()
}

fn broker_ts(conn: &Conn<'_>) -> Option<UtcTime> {
    let query = "SELECT last_broker_ts FROM rcv_queues WHERE conn_id = $1 AND rcv_queue_id = 1";
    conn.test.query(query, &[&conn.id], |row| row.next("rcv_queues.last_broker_ts"))[0]
}

fn missing() -> ConnId {
    ConnId::from_bytes(b"missing").unwrap()
}

fn users(test: &TestStore) -> usize {
    test.run(|tx| tx.get_user_ids()).unwrap().len()
}

#[test]
fn f087_numbers_are_reserved_and_the_chain_before_them_is_given() {
    on_each(|test| {
        let conn = Conn::without_queues(test, 1);
        let other = Conn::without_queues(test, 2);
        let reserve = |conn: &Conn<'_>| test.run(|tx| tx.update_rcv_ids(&conn.id)).unwrap();
        let ids = |internal_id, internal_rcv_id, prev_external_snd_id, prev_rcv_hash| RcvMsgIds {
            internal_id: InternalId(internal_id),
            internal_rcv_id: InternalRcvId(internal_rcv_id),
            prev_external_snd_id: ExternalSndId(prev_external_snd_id),
            prev_rcv_hash,
        };
        assert_eq!(reserve(&conn), ids(1, 1, 0, MsgHash(Vec::new())), "the head is empty");
        test.run(|tx| tx.update_snd_ids(&conn.id)).unwrap();
        let head = "UPDATE connections SET last_external_snd_msg_id = 7, last_rcv_msg_hash = $2
                     WHERE conn_id = $1";
        test.execute(head, &[&conn.id, &hash(1)]);
        assert_eq!(reserve(&conn), ids(3, 2, 7, hash(1)), "sent messages count too");
        assert_eq!(heads(&conn), (3, 2, 1, ExternalSndId(7), hash(1)), "the head stays");
        assert_eq!(reserve(&other), ids(1, 1, 0, MsgHash(Vec::new())), "each has its own");
    });
}

#[test]
fn f087_as60_q13_without_a_connection_reserving_fails_and_takes_the_transaction_back() {
    on_each(|test| {
        let failed = test.run(|tx| {
            tx.create_user_record()?;
            tx.update_rcv_ids(&missing())
        });
        let Err(StoreError::Internal(text)) = &failed else { panic!("{failed:?}") };
        assert!(text.contains("there is no such connection"), "{text}");
        assert_eq!(users(test), 0, "nothing was committed");
        let answered = test.run(|tx| {
            tx.create_user_record()?;
            tx.update_snd_ids(&missing())
        });
        assert_eq!(answered, Err(StoreError::ConnNotFound));
        assert_eq!(users(test), 1, "an answer commits");
    });
}

#[test]
fn f088_a_received_message_is_stored_with_its_details() {
    on_each(|test| {
        let conn = Conn::of(test);
        conn.receive(1);
        conn.receive(2);
        let query = "SELECT internal_id, internal_ts, internal_rcv_id, internal_snd_id, msg_type,
                            msg_body, msg_flags, pq_encryption
                       FROM messages WHERE conn_id = $1 ORDER BY internal_id";
        let messages = test.query(query, &[&conn.id], |row| {
            let ids: (InternalId, UtcTime, InternalRcvId, Option<InternalSndId>) = (
                row.next("m.internal_id")?,
                row.next("m.internal_ts")?,
                row.next("m.internal_rcv_id")?,
                row.next("m.internal_snd_id")?,
            );
            let kind: AgentMessageType = row.next("m.msg_type")?;
            let content: (MsgBody, MsgFlags, bool) =
                (row.next("m.msg_body")?, row.next("m.msg_flags")?, row.next("m.pq_encryption")?);
            Ok((ids, kind, content))
        });
        let of = |n: u8| {
            let id = i64::from(n);
            let ids = (InternalId(id), at(id), InternalRcvId(id), None);
            let content = (MsgBody(vec![n; 100]), MsgFlags { notification: true }, true);
            (ids, AgentMessageType::Message, content)
        };
        assert_eq!(messages, [of(1), of(2)]);

        let query = "SELECT internal_rcv_id, internal_id, external_snd_id, broker_id, broker_ts,
                            internal_hash, external_prev_snd_hash, integrity, user_ack, rcv_queue_id,
                            receive_attempts
                       FROM rcv_messages WHERE conn_id = $1 AND internal_id = 2";
        let details = test.query(query, &[&conn.id], |row| {
            assert_eq!(row.next::<i64>("r.internal_rcv_id")?, 2);
            assert_eq!(row.next::<i64>("r.internal_id")?, 2);
            assert_eq!(row.next::<i64>("r.external_snd_id")?, 2);
            assert_eq!(row.next::<Vec<u8>>("r.broker_id")?, broker_id(2).as_bytes());
            assert_eq!(row.next::<UtcTime>("r.broker_ts")?, at(-8));
            assert_eq!(row.next::<MsgHash>("r.internal_hash")?, hash(2));
            assert_eq!(row.next::<MsgHash>("r.external_prev_snd_hash")?, hash(1));
            assert_eq!(row.next::<MsgIntegrity>("r.integrity")?, MsgIntegrity::Ok);
            assert!(!row.next::<bool>("r.user_ack")?);
            assert_eq!(row.next::<i64>("r.rcv_queue_id")?, 1);
            row.next::<i64>("r.receive_attempts")
        });
        assert_eq!(details, [0]);
        assert_eq!(heads(&conn), (2, 2, 0, ExternalSndId(2), hash(2)), "it is the head");
        assert_eq!(broker_ts(&conn), Some(at(-8)));
    });
}

#[test]
fn f088_as61_the_hash_of_what_came_is_stored_with_the_time() {
    on_each(|test| {
        let conn = Conn::of(test);
        let before = UtcTime::now();
        conn.receive(1);
        let after = UtcTime::now();
        let query = "SELECT hash, created_at FROM encrypted_rcv_message_hashes WHERE conn_id = $1";
        let stored: Vec<(MsgHash, UtcTime)> = test
            .query(query, &[&conn.id], |row| Ok((row.next("h.hash")?, row.next("h.created_at")?)));
        assert_eq!(stored.len(), 1);
        let (stored, created) = &stored[0];
        assert_eq!(*stored, hash(101), "of what came, not of the message");
        // SQLite's default has whole seconds.
        let second = before.micros() - before.micros().rem_euclid(1_000_000);
        assert!((second..=after.micros()).contains(&created.micros()), "{created:?}");
    });
}

#[test]
fn f088_a_number_that_is_taken_is_refused_and_nothing_is_stored() {
    on_each(|test| {
        let conn = Conn::of(test);
        let message = conn.receive(1);
        let queue = conn.rcv_queue(1);
        let again = test.run(|tx| tx.create_rcv_msg(&queue, &message));
        assert!(matches!(again, Err(StoreError::Internal(_))), "{again:?}");
        assert_eq!(conn.messages().len(), 1);
        let query = "SELECT count(*) AS n FROM encrypted_rcv_message_hashes";
        assert_eq!(test.query(query, &[], |row| row.next::<i64>("h.n")), [1]);
    });
}

#[test]
fn f089_as62_a_queue_s_time_only_moves_forward() {
    on_each(|test| {
        let conn = Conn::of(test);
        let set = |ts| test.run(|tx| tx.set_last_broker_ts(&conn.id, QueueNumber(1), ts)).unwrap();
        assert_eq!(broker_ts(&conn), None);
        let half = UtcTime::from_micros(at(5).micros() + 500_000).unwrap();
        let quarter = UtcTime::from_micros(at(5).micros() + 250_000).unwrap();
        let steps = [
            (at(5), at(5)),
            (at(4), at(5)),
            (half, half),
            (quarter, half),
            (at(5), half),
            (at(6), at(6)),
        ];
        for (ts, stands) in steps {
            set(ts);
            assert_eq!(broker_ts(&conn), Some(stands), "after {ts}");
        }
        test.run(|tx| tx.set_last_broker_ts(&conn.id, QueueNumber(2), at(9))).unwrap();
        test.run(|tx| tx.set_last_broker_ts(&missing(), QueueNumber(1), at(9))).unwrap();
        assert_eq!(broker_ts(&conn), Some(at(6)), "those were not this queue");
    });
}

#[test]
fn f090_as63_the_head_of_received_messages_is_never_set_back() {
    on_each(|test| {
        let conn = Conn::of(test);
        let reserve = || test.run(|tx| tx.update_rcv_ids(&conn.id)).unwrap().internal_rcv_id;
        let update = |id, rcv_id, of| {
            test.run(|tx| tx.update_rcv_msg_hash(&conn.id, ExternalSndId(id), rcv_id, &hash(of)))
                .unwrap();
        };
        let (first, second) = (reserve(), reserve());
        update(11, first, 1);
        assert_eq!(heads(&conn), (2, 2, 0, ExternalSndId(0), MsgHash(Vec::new())), "skipped");
        update(12, second, 2);
        assert_eq!(heads(&conn), (2, 2, 0, ExternalSndId(12), hash(2)));
    });
}
