//! Storing messages that are to be sent, and the receipts for them (F-091 to F-097).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    AgentMessage, AgentMessageType, InternalId, InternalRcvId, InternalSndId, MsgBody,
    MsgEncryptKey, MsgFlags, MsgHash, MsgReceipt, MsgReceiptStatus, SndMsg, SndMsgBodyId,
    SndMsgIds,
};
use simplex_stores::db::UtcTime;

use super::support::{Conn, agent_message, at, encrypt_key, hash};
use crate::fixture::on_each;

fn snd_hash(conn: &Conn<'_>) -> MsgHash {
    let query = "SELECT last_snd_msg_hash FROM connections WHERE conn_id = $1";
    conn.test.query(query, &[&conn.id], |row| row.next::<MsgHash>("c.last_snd_msg_hash"))[0].clone()
}

#[test]
fn f091_a_shared_body_is_stored_under_a_number_of_its_own() {
    on_each(|test| {
        let create = |text| test.run(|tx| tx.create_snd_msg_body(&agent_message(text))).unwrap();
        let ids = [create("one"), create("another"), create("one")];
        let query = "SELECT snd_message_body_id, agent_msg FROM snd_message_bodies
                      ORDER BY snd_message_body_id";
        let stored: Vec<(SndMsgBodyId, AgentMessage)> = test.query(query, &[], |row| {
            Ok((row.next("b.snd_message_body_id")?, row.next("b.agent_msg")?))
        });
        let texts = ["one", "another", "one"].map(agent_message);
        assert_eq!(stored, ids.into_iter().zip(texts).collect::<Vec<_>>());
    });
}

#[test]
fn f092_numbers_are_reserved_and_the_hash_before_them_is_given() {
    on_each(|test| {
        let conn = Conn::without_queues(test, 1);
        let reserve = || test.run(|tx| tx.update_snd_ids(&conn.id)).unwrap();
        let ids = |internal_id, internal_snd_id, prev_snd_hash| SndMsgIds {
            internal_id: InternalId(internal_id),
            internal_snd_id: InternalSndId(internal_snd_id),
            prev_snd_hash,
        };
        assert_eq!(reserve(), ids(1, 1, MsgHash(Vec::new())), "the head is empty");
        test.run(|tx| tx.update_rcv_ids(&conn.id)).unwrap();
        test.run(|tx| tx.update_snd_msg_hash(&conn.id, InternalSndId(1), &hash(1))).unwrap();
        assert_eq!(reserve(), ids(3, 2, hash(1)), "received messages count too");
        let query =
            "SELECT last_internal_msg_id, last_internal_snd_msg_id, last_internal_rcv_msg_id
                       FROM connections";
        let counters: Vec<[i64; 3]> = test.query(query, &[], |row| {
            Ok([
                row.next("c.last_internal_msg_id")?,
                row.next("c.last_internal_snd_msg_id")?,
                row.next("c.last_internal_rcv_msg_id")?,
            ])
        });
        assert_eq!(counters, [[3, 2, 1]]);
    });
}

#[test]
fn f093_as29_a_message_is_stored_ready_or_prepared_and_not_queued() {
    on_each(|test| {
        let conn = Conn::of(test);
        let ready = conn.send_at(5, &[]);
        let body = conn.body();
        conn.send_prepared(body, &[]);
        let query = "SELECT internal_id, internal_ts, internal_rcv_id, internal_snd_id, msg_type,
                            msg_body, msg_flags, pq_encryption
                       FROM messages WHERE conn_id = $1 ORDER BY internal_id";
        let messages = test.query(query, &[&conn.id], |row| {
            let ids: (InternalId, UtcTime, Option<InternalRcvId>, InternalSndId) = (
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
        let of = |id, second, body| {
            let ids = (InternalId(id), at(second), None, InternalSndId(id));
            (ids, AgentMessageType::Message, (body, MsgFlags { notification: true }, true))
        };
        assert_eq!(messages, [of(1, 5, ready.msg_body), of(2, 0, MsgBody::default())]);

        let query = "SELECT internal_snd_id, internal_id, internal_hash, previous_msg_hash,
                            retry_int_slow, rcpt_status, msg_encrypt_key, padded_msg_len,
                            snd_message_body_id
                       FROM snd_messages WHERE conn_id = $1 ORDER BY internal_snd_id";
        let details = test.query(query, &[&conn.id], |row| {
            let ids: (i64, i64) = (row.next("s.internal_snd_id")?, row.next("s.internal_id")?);
            let hashes: (MsgHash, MsgHash) =
                (row.next("s.internal_hash")?, row.next("s.previous_msg_hash")?);
            assert_eq!(row.next::<Option<i64>>("s.retry_int_slow")?, None);
            assert_eq!(row.next::<Option<String>>("s.rcpt_status")?, None);
            let key: Option<MsgEncryptKey> = row.next("s.msg_encrypt_key")?;
            let length: Option<i64> = row.next("s.padded_msg_len")?;
            let body: Option<SndMsgBodyId> = row.next("s.snd_message_body_id")?;
            Ok((ids, hashes, (key, length, body)))
        });
        let prepared = (Some(encrypt_key()), Some(16_000), Some(body));
        let first = ((1, 1), (hash(1), MsgHash::default()), (None, None, None));
        assert_eq!(details, [first, ((2, 2), (hash(2), hash(1)), prepared)]);
        assert_eq!(snd_hash(&conn), hash(2), "it is the head");
        assert_eq!(conn.deliveries(), [], "it is not queued");
    });
}

#[test]
fn f093_a_shared_body_that_is_not_there_is_refused_and_nothing_is_stored() {
    on_each(|test| {
        let conn = Conn::of(test);
        let body = conn.body();
        let mut message = conn.send_prepared(body, &[]);
        (message.internal_id, message.internal_snd_id) = (InternalId(2), InternalSndId(2));
        message.prep_data.as_mut().unwrap().snd_msg_body_id = SndMsgBodyId(body.0 + 1);
        let refused = test.run(|tx| tx.create_snd_msg(&conn.id, &message));
        assert!(matches!(refused, Err(StoreError::Internal(_))), "{refused:?}");
        assert_eq!(conn.messages(), [InternalId(1)]);
    });
}

#[test]
fn f094_as64_the_head_of_sent_messages_is_never_set_back() {
    on_each(|test| {
        let conn = Conn::of(test);
        let reserve = || test.run(|tx| tx.update_snd_ids(&conn.id)).unwrap().internal_snd_id;
        let update =
            |id, of| test.run(|tx| tx.update_snd_msg_hash(&conn.id, id, &hash(of))).unwrap();
        let (first, second) = (reserve(), reserve());
        update(first, 1);
        assert_eq!(snd_hash(&conn), MsgHash::default(), "skipped");
        update(second, 2);
        assert_eq!(snd_hash(&conn), hash(2));
        update(first, 1);
        assert_eq!(snd_hash(&conn), hash(2));
    });
}

#[test]
fn f095_a_message_is_queued_for_each_queue() {
    on_each(|test| {
        let conn = Conn::of(test);
        conn.send_at(0, &[1, 2]);
        conn.send_at(0, &[2]);
        assert_eq!(conn.deliveries(), [(1, 1, false), (2, 1, false), (2, 2, false)]);
    });
}

#[test]
fn f095_a_delivery_may_come_before_its_message_but_not_without_it() {
    on_each(|test| {
        let conn = Conn::of(test);
        let queue = conn.snd_queue(1);
        let mut message = conn.send_at(0, &[]);
        (message.internal_id, message.internal_snd_id) = (InternalId(2), InternalSndId(2));
        test.run(|tx| {
            tx.create_snd_msg_delivery(&queue, message.internal_id)?;
            tx.create_snd_msg(&conn.id, &message)
        })
        .unwrap();
        let without = test.run(|tx| {
            tx.create_snd_msg_delivery(&queue, InternalId(3))?;
            tx.create_user_record()
        });
        assert!(matches!(without, Err(StoreError::Internal(_))), "{without:?}");
        assert_eq!(conn.deliveries(), [(1, 2, false)]);
    });
}

#[test]
fn f096_f097_a_sent_message_is_found_by_its_number_with_its_receipt() {
    on_each(|test| {
        let conn = Conn::of(test);
        conn.receive(9);
        conn.send_at(0, &[]);
        let get = |id| test.run(|tx| tx.get_snd_msg_via_rcpt(&conn.id, InternalSndId(id)));
        let message = |msg_receipt| SndMsg {
            internal_id: InternalId(2),
            internal_snd_id: InternalSndId(1),
            msg_type: AgentMessageType::Message,
            internal_hash: hash(2),
            msg_receipt,
        };
        assert_eq!(get(1), Ok(message(None)));
        assert_eq!(get(2), Err(StoreError::MsgNotFound { context: "getSndMsgViaRcpt" }));
        for status in [MsgReceiptStatus::BadMsgHash, MsgReceiptStatus::Ok] {
            let receipt = MsgReceipt { msg_id: InternalId(1), status };
            let update = |id| {
                test.run(|tx| tx.update_snd_msg_rcpt(&conn.id, InternalSndId(id), receipt))
                    .unwrap();
            };
            update(1);
            update(2);
            assert_eq!(get(1), Ok(message(Some(receipt))));
        }
        let query = "SELECT rcpt_internal_id, rcpt_status FROM snd_messages";
        let row: Vec<(i64, String)> = test.query(query, &[], |row| {
            Ok((row.next("s.rcpt_internal_id")?, row.next("s.rcpt_status")?))
        });
        assert_eq!(row, [(1, "ok".to_owned())]);
        conn.execute("UPDATE snd_messages SET rcpt_internal_id = NULL WHERE conn_id = $1");
        assert_eq!(get(1), Ok(message(None)), "only with both columns");
    });
}
