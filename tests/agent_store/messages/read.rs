//! Received messages: what the application acknowledges and asks for (F-104 to F-109).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    InternalId, InternalSndId, MsgReceipt, MsgReceiptStatus, RcvMsg, RcvMsgData,
};

use super::support::{Conn, at, broker_id, hash};
use crate::fixture::on_each;

fn not_found<T>(context: &'static str) -> Result<T, StoreError> {
    Err(StoreError::MsgNotFound { context })
}

/// What is loaded of a message that was stored like this.
fn loaded(data: &RcvMsgData) -> RcvMsg {
    RcvMsg {
        internal_id: data.msg_meta.recipient.0,
        msg_meta: data.msg_meta.clone(),
        msg_type: data.msg_type,
        msg_body: data.msg_body.clone(),
        internal_hash: data.internal_hash.clone(),
        msg_receipt: None,
        user_ack: false,
    }
}

/// Whether each received message is marked as acknowledged.
fn acks(conn: &Conn<'_>) -> Vec<bool> {
    let query = "SELECT user_ack FROM rcv_messages WHERE conn_id = $1 ORDER BY internal_rcv_id";
    conn.test.query(query, &[&conn.id], |row| row.next("rcv_messages.user_ack"))
}

#[test]
fn f104_acknowledging_marks_the_message_and_gives_its_queue_and_router_id() {
    on_each(|test| {
        let conn = Conn::of(test);
        for of in [1, 2] {
            conn.receive(of);
        }
        let ack = |id| test.run(|tx| tx.set_msg_user_ack(&conn.id, InternalId(id)));
        assert_eq!(ack(3), not_found("setMsgUserAck"));
        assert_eq!(ack(2), Ok((conn.rcv_queue(1), broker_id(2))));
        assert_eq!(acks(&conn), [false, true]);
        assert_eq!(ack(2), Ok((conn.rcv_queue(1), broker_id(2))), "again");
        conn.send_at(0, &[]);
        assert_eq!(ack(3), not_found("setMsgUserAck"), "what was sent is not received");
    });
}

#[test]
fn f104_without_its_queue_a_message_is_not_marked() {
    on_each(|test| {
        let conn = Conn::of(test);
        conn.receive(1);
        let ack = || test.run(|tx| tx.set_msg_user_ack(&conn.id, InternalId(1)));
        conn.execute("UPDATE rcv_queues SET deleted = 1 WHERE conn_id = $1");
        assert_eq!(ack(), Err(StoreError::ConnNotFound));
        conn.execute("DELETE FROM rcv_queues WHERE conn_id = $1");
        assert_eq!(ack(), Err(StoreError::ConnNotFound));
        assert_eq!(acks(&conn), [false]);
    });
}

#[test]
fn f105_a_received_message_is_loaded_as_it_was_stored() {
    on_each(|test| {
        let conn = Conn::of(test);
        let stored = conn.receive(1);
        let get = |id| test.run(|tx| tx.get_rcv_msg(&conn.id, InternalId(id)));
        assert_eq!(get(1), Ok(loaded(&stored)));
        test.run(|tx| tx.set_msg_user_ack(&conn.id, InternalId(1))).unwrap();
        assert_eq!(get(1), Ok(RcvMsg { user_ack: true, ..loaded(&stored) }));
        conn.execute("UPDATE rcv_messages SET user_ack = NULL WHERE conn_id = $1");
        assert_eq!(get(1), Ok(loaded(&stored)), "none is not acknowledged");
        conn.send_at(0, &[]);
        assert_eq!(get(2), not_found("getRcvMsg"), "what was sent is not received");
    });
}

#[test]
fn f105_a_receipt_is_loaded_with_the_sent_message_that_it_confirms() {
    on_each(|test| {
        let conn = Conn::of(test);
        for _ in 0..2 {
            conn.send_at(0, &[]);
        }
        let stored = conn.receive(1);
        let get = || test.run(|tx| tx.get_rcv_msg(&conn.id, InternalId(3))).unwrap();
        let confirm = |snd_id, status| {
            let receipt = MsgReceipt { msg_id: InternalId(3), status };
            test.run(|tx| tx.update_snd_msg_rcpt(&conn.id, InternalSndId(snd_id), receipt))
                .unwrap();
        };
        assert_eq!(get(), loaded(&stored));
        let with = |id, status| {
            let msg_receipt = Some(MsgReceipt { msg_id: InternalId(id), status });
            RcvMsg { msg_receipt, ..loaded(&stored) }
        };
        confirm(2, MsgReceiptStatus::BadMsgHash);
        assert_eq!(get(), with(2, MsgReceiptStatus::BadMsgHash));
        confirm(1, MsgReceiptStatus::Ok);
        assert_eq!(get(), with(1, MsgReceiptStatus::Ok), "of two, the first that was sent");
    });
}

#[test]
fn f105_a_message_that_cannot_be_read_names_the_column() {
    on_each(|test| {
        let conn = Conn::of(test);
        conn.receive(1);
        test.execute("UPDATE rcv_messages SET integrity = $1", &[&&b"?"[..]]);
        let read = test.run(|tx| tx.get_rcv_msg(&conn.id, InternalId(1)));
        let Err(StoreError::Internal(text)) = &read else { panic!("{read:?}") };
        assert!(text.contains("rcv_messages.integrity"), "{text}");
    });
}

#[test]
fn f106_as68_only_the_very_last_message_is_the_last() {
    on_each(|test| {
        let conn = Conn::of(test);
        let last = |of| test.run(|tx| tx.get_last_msg(&conn.id, &broker_id(of))).unwrap();
        assert_eq!(last(1), None);
        let first = conn.receive(1);
        assert_eq!(last(1), Some(loaded(&first)));
        let second = conn.receive(2);
        assert_eq!((last(1), last(2)), (None, Some(loaded(&second))));
        conn.send_at(0, &[]);
        assert_eq!(last(2), None, "one was sent after it");
        let third = conn.receive(3);
        assert_eq!(last(3), Some(loaded(&third)));
        test.run(|tx| tx.update_rcv_ids(&conn.id)).unwrap();
        assert_eq!(last(3), None, "one got a number after it");
    });
}

#[test]
fn f107_attempts_to_receive_a_message_are_counted() {
    on_each(|test| {
        let conn = Conn::of(test);
        for of in [1, 2] {
            conn.receive(of);
        }
        let count = || test.run(|tx| tx.inc_msg_rcv_attempts(&conn.id, InternalId(2)));
        assert_eq!([count(), count()], [Ok(1), Ok(2)]);
        let query = "SELECT receive_attempts FROM rcv_messages ORDER BY internal_id";
        let attempts = test.query(query, &[], |row| row.next::<i64>("r.receive_attempts"));
        assert_eq!(attempts, [0, 2]);
    });
}

#[test]
fn f107_q13_without_a_message_counting_fails_and_takes_the_transaction_back() {
    on_each(|test| {
        let conn = Conn::of(test);
        let users = test.run(|tx| tx.get_user_ids()).unwrap();
        let failed = test.run(|tx| {
            tx.create_user_record()?;
            tx.inc_msg_rcv_attempts(&conn.id, InternalId(1))
        });
        let Err(StoreError::Internal(text)) = &failed else { panic!("{failed:?}") };
        assert!(text.contains("there is no such message"), "{text}");
        assert_eq!(test.run(|tx| tx.get_user_ids()).unwrap(), users);
    });
}

#[test]
fn f108_what_came_before_is_recognised_by_its_hash() {
    on_each(|test| {
        let (conn, other) = (Conn::of(test), Conn::without_queues(test, 2));
        conn.receive(1);
        let known = |conn: &Conn<'_>, of| {
            test.run(|tx| tx.check_rcv_msg_hash_exists(&conn.id, &hash(of))).unwrap()
        };
        assert!(known(&conn, 101));
        assert!(!known(&conn, 1), "the hash of the message is another");
        assert!(!known(&other, 101), "each connection has its own");
    });
}

#[test]
fn f109_the_router_s_time_of_a_message_is_found_by_its_id_there() {
    on_each(|test| {
        let conn = Conn::of(test);
        for of in [1, 2] {
            conn.receive(of);
        }
        let time = |of| test.run(|tx| tx.get_rcv_msg_broker_ts(&conn.id, &broker_id(of)));
        assert_eq!((time(1), time(2)), (Ok(at(-9)), Ok(at(-8))));
        assert_eq!(time(3), not_found("getRcvMsgBrokerTs"));
        test.execute("UPDATE rcv_messages SET broker_id = $1", &[&broker_id(1)]);
        assert_eq!(time(1), Ok(at(-8)), "of two, the one that came last");
    });
}
