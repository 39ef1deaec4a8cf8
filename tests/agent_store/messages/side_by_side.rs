//! Transactions that end deliveries of one message, or messages of one body, at once (AS-10): each sees what the
//! other did before it.

use simplex_stores::agent_store::types::{InternalId, SndMsgBodyId, SndMsgData, SndQueue};
use simplex_stores::agent_store::{AgentTx, TxResult};
use simplex_stores::protocol::Semantics;

use super::support::{Conn, bodies};
use crate::fixture::{on_each, on_each_with};

const MESSAGE: InternalId = InternalId(1);

/// Ends the delivery of the message through a queue.
type End = fn(&mut AgentTx<'_>, &SndQueue) -> TxResult<()>;

const ENDS: [End; 2] = [
    |tx, queue| tx.delete_snd_msg_delivery(queue, MESSAGE, false),
    |tx, queue| {
        tx.delete_pending_msgs(queue)?;
        tx.delete_delivered_snd_msg(&queue.conn_id, MESSAGE)
    },
];

#[test]
fn f111_f112_as10_as70_of_two_who_end_the_last_deliveries_at_once_one_deletes_the_message() {
    let pairs = ENDS.into_iter().flat_map(|one| ENDS.map(|other| (one, other)));
    for (first, second) in pairs {
        on_each(|test| {
            let conn = Conn::of(test);
            let body = conn.body();
            conn.send_prepared(body, &[1, 2]);
            let (one, other) = (conn.snd_queue(1), conn.snd_queue(2));
            test.beside(|tx| first(tx, &one), move |tx| second(tx, &other)).unwrap();
            assert_eq!((conn.messages(), conn.deliveries()), (vec![], vec![]));
            assert_eq!(bodies(test), []);
        });
    }
}

#[test]
fn f112_as10_of_two_who_end_deliveries_at_once_one_clears_what_is_kept_for_a_receipt() {
    on_each(|test| {
        let conn = Conn::of(test);
        let body = conn.body();
        conn.send_prepared(body, &[1, 2]);
        let (one, other) = (conn.snd_queue(1), conn.snd_queue(2));
        test.beside(
            |tx| tx.delete_snd_msg_delivery(&one, MESSAGE, true),
            move |tx| tx.delete_snd_msg_delivery(&other, MESSAGE, true),
        )
        .unwrap();
        assert_eq!((conn.messages(), bodies(test)), (vec![MESSAGE], vec![]));
    });
}

#[test]
fn f112_as10_as71_of_two_who_end_the_last_messages_of_a_body_at_once_one_deletes_it() {
    for semantics in [Semantics::Strict, Semantics::Reference] {
        on_each_with(semantics, |test| {
            let (conn, other) = (Conn::of(test), Conn::without_queues(test, 2));
            other.add_snd_queue(1);
            let body = conn.body();
            for conn in [&conn, &other] {
                conn.send_prepared(body, &[1]);
            }
            let (one, two) = (conn.snd_queue(1), other.snd_queue(1));
            test.beside(|tx| ENDS[0](tx, &one), move |tx| ENDS[0](tx, &two)).unwrap();
            assert_eq!((conn.messages(), other.messages()), (vec![], vec![]));
            assert_eq!(bodies(test), []);
        });
    }
}

#[test]
fn f087_f092_as10_who_reserves_numbers_waits_for_who_did_before() {
    on_each(|test| {
        let conn = Conn::of(test);
        let id = conn.id.clone();
        let second = test.beside(
            |tx| tx.update_rcv_ids(&conn.id).map(drop),
            move |tx| Ok((tx.update_snd_ids(&id)?, tx.update_rcv_ids(&id)?)),
        );
        let (sent, received) = second.unwrap();
        assert_eq!((sent.internal_id, received.internal_id), (InternalId(2), InternalId(3)));
    });
}

#[test]
fn q6_a_body_that_a_transaction_refers_to_is_not_collected() {
    on_each(|test| {
        let conn = Conn::of(test);
        let body: SndMsgBodyId = conn.body();
        let message: SndMsgData = conn.send_prepared(body, &[]);
        test.run(|tx| tx.delete_unused_snd_msg_bodies(9)).unwrap();
        conn.execute("DELETE FROM messages WHERE conn_id = $1");
        let collected = test.beside(
            |tx| tx.create_snd_msg(&conn.id, &message),
            |tx| tx.delete_unused_snd_msg_bodies(9),
        );
        assert_eq!(collected, Ok(0));
        assert_eq!(bodies(test), [body]);
    });
}
