//! Deleting messages that are done with, and those that are too old (F-110 to F-114).

use std::time::Duration;

use simplex_stores::agent_store::types::{
    InternalId, InternalSndId, MsgBody, MsgHash, MsgReceipt, MsgReceiptStatus, SndMsgBodyId,
};
use simplex_stores::db::UtcTime;
use simplex_stores::protocol::Semantics;

use super::support::{Conn, bodies};
use crate::fixture::{TestStore, on_each, on_each_with};

const BOTH: [Semantics; 2] = [Semantics::Strict, Semantics::Reference];

fn count(test: &TestStore, query: &'static str) -> i64 {
    test.query(query, &[], |row| row.next("t.n"))[0]
}

/// How many rows there are with details of messages.
fn details(test: &TestStore) -> (i64, i64) {
    let rcv = count(test, "SELECT count(*) AS n FROM rcv_messages");
    (rcv, count(test, "SELECT count(*) AS n FROM snd_messages"))
}

fn ids(ids: &[i64]) -> Vec<InternalId> {
    ids.iter().copied().map(InternalId).collect()
}

fn delete(conn: &Conn<'_>, id: i64) {
    conn.test.run(|tx| tx.delete_msg(&conn.id, InternalId(id))).unwrap();
}

fn end_delivery(conn: &Conn<'_>, queue: i64, id: i64, keep_for_receipt: bool) {
    let queue = conn.snd_queue(queue);
    let end =
        conn.test.run(|tx| tx.delete_snd_msg_delivery(&queue, InternalId(id), keep_for_receipt));
    end.unwrap();
}

/// What is left of a sent message: its content, and its shared body.
fn content(conn: &Conn<'_>, id: i64) -> Option<(MsgBody, Option<SndMsgBodyId>)> {
    let query = "SELECT m.msg_body, s.snd_message_body_id FROM messages m
                   JOIN snd_messages s ON s.conn_id = m.conn_id AND s.internal_id = m.internal_id
                  WHERE m.conn_id = $1 AND m.internal_id = $2";
    let found = conn.test.query(query, &[&conn.id, &id], |row| {
        Ok((row.next("m.msg_body")?, row.next("s.snd_message_body_id")?))
    });
    found.into_iter().next()
}

fn set_receipt(conn: &Conn<'_>, snd_id: i64, status: MsgReceiptStatus) {
    let receipt = MsgReceipt { msg_id: InternalId(100), status };
    conn.test.run(|tx| tx.update_snd_msg_rcpt(&conn.id, InternalSndId(snd_id), receipt)).unwrap();
}

#[test]
fn f110_a_message_goes_with_its_details_and_deliveries() {
    for semantics in BOTH {
        on_each_with(semantics, |test| {
            let (conn, other) = (Conn::of(test), Conn::without_queues(test, 2));
            other.send_at(0, &[]);
            conn.receive(1);
            conn.send_at(0, &[1, 2]);
            conn.receive(2);
            assert_eq!(details(test), (2, 2));
            for id in [1, 2, 7] {
                delete(&conn, id);
            }
            assert_eq!(conn.messages(), ids(&[3]));
            assert_eq!(conn.deliveries(), []);
            assert_eq!(details(test), (1, 1));
            assert_eq!(other.messages(), ids(&[1]));
        });
    }
}

#[test]
fn f110_as69_under_reference_a_shared_body_stays() {
    on_each_with(Semantics::Reference, |test| {
        let conn = Conn::of(test);
        let body = conn.body();
        conn.send_prepared(body, &[1]);
        delete(&conn, 1);
        assert_eq!((conn.messages(), bodies(test)), (ids(&[]), vec![body]));
    });
}

#[test]
fn f110_q6_under_strict_a_shared_body_goes_with_its_last_message() {
    on_each(|test| {
        let (conn, other) = (Conn::of(test), Conn::without_queues(test, 2));
        let (body, unused) = (conn.body(), conn.body());
        conn.send_prepared(body, &[1]);
        other.send_prepared(body, &[]);
        delete(&conn, 1);
        assert_eq!((conn.messages(), bodies(test)), (ids(&[]), vec![body, unused]));
        delete(&other, 1);
        assert_eq!((other.messages(), bodies(test)), (ids(&[]), vec![unused]));
    });
}

#[test]
fn f111_as70_a_message_is_deleted_when_nothing_of_it_is_to_be_delivered() {
    for semantics in BOTH {
        on_each_with(semantics, |test| {
            let conn = Conn::of(test);
            let delete = |id| {
                test.run(|tx| tx.delete_delivered_snd_msg(&conn.id, InternalId(id))).unwrap();
            };
            conn.send_at(0, &[1, 2]);
            conn.send_at(0, &[1]);
            conn.send_at(0, &[]);
            for id in [1, 2, 3, 4] {
                delete(id);
            }
            assert_eq!(conn.messages(), ids(&[1, 2]), "those are still to be delivered");
            conn.execute(
                "DELETE FROM snd_message_deliveries WHERE conn_id = $1 AND snd_queue_id = 1",
            );
            for id in [1, 2] {
                delete(id);
            }
            assert_eq!(conn.messages(), ids(&[1]));
            test.run(|tx| tx.set_snd_msg_failed(&conn.id, InternalId(1))).unwrap();
            delete(1);
            assert_eq!(
                (conn.messages(), conn.deliveries()),
                (ids(&[]), vec![]),
                "failed don't count"
            );
        });
    }
}

#[test]
fn f111_as69_q6_a_shared_body_goes_with_its_last_message_under_strict_only() {
    for (semantics, left) in BOTH.into_iter().zip([0, 1]) {
        on_each_with(semantics, |test| {
            let conn = Conn::of(test);
            let body = conn.body();
            for queues in [&[][..], &[1]] {
                conn.send_prepared(body, queues);
            }
            let delete = |id| {
                test.run(|tx| tx.delete_delivered_snd_msg(&conn.id, InternalId(id))).unwrap();
            };
            delete(1);
            delete(2);
            assert_eq!((conn.messages(), bodies(test)), (ids(&[2]), vec![body]), "2 is queued");
            let queue = conn.snd_queue(1);
            test.run(|tx| tx.delete_pending_msgs(&queue)).unwrap();
            delete(2);
            assert_eq!((conn.messages(), bodies(test).len()), (ids(&[]), left));
        });
    }
}

#[test]
fn f112_as71_as72_the_last_delivery_that_has_not_failed_takes_the_message_with_it() {
    for semantics in BOTH {
        on_each_with(semantics, |test| {
            let conn = Conn::of(test);
            conn.add_snd_queue(3);
            conn.send_at(0, &[1, 2, 3]);
            conn.send_at(0, &[1]);
            end_delivery(&conn, 1, 1, false);
            assert_eq!(conn.deliveries(), [(1, 2, false), (2, 1, false), (3, 1, false)]);
            conn.execute(
                "UPDATE snd_message_deliveries SET failed = 1 WHERE conn_id = $1 AND snd_queue_id = 3",
            );
            assert_eq!(conn.messages(), ids(&[1, 2]), "another is still to be made");
            end_delivery(&conn, 2, 1, false);
            assert_eq!(conn.messages(), ids(&[2]), "one that failed is not waited for");
            assert_eq!(conn.deliveries(), [(1, 2, false)], "and goes with the message");
            end_delivery(&conn, 1, 7, false);
            assert_eq!(conn.messages(), ids(&[2]), "no such message: nothing happens");
        });
    }
}

#[test]
fn f112_as71_what_a_receipt_may_still_find_is_kept_without_content() {
    use MsgReceiptStatus::{BadMsgHash, Ok};
    // Receipt, whether to keep it for one, whether it is there afterwards.
    let cases = [
        (None, false, false),
        (None, true, true),
        (Some(BadMsgHash), false, false),
        (Some(BadMsgHash), true, true),
        (Some(Ok), false, false),
        (Some(Ok), true, false),
    ];
    for semantics in BOTH {
        on_each_with(semantics, |test| {
            let conn = Conn::of(test);
            for (id, (receipt, keep, kept)) in (1..).zip(cases) {
                let case = (receipt, keep);
                conn.send_at(0, &[1, 2]);
                if let Some(status) = receipt {
                    set_receipt(&conn, id, status);
                }
                end_delivery(&conn, 1, id, keep);
                let stored = Some((MsgBody(b"what is sent".to_vec()), None));
                assert_eq!(content(&conn, id), stored, "{case:?}: another is to be made");
                end_delivery(&conn, 2, id, keep);
                let left = kept.then(|| (MsgBody::default(), None));
                assert_eq!(content(&conn, id), left, "{case:?}");
            }
            let query = "SELECT internal_hash FROM snd_messages ORDER BY internal_snd_id";
            let hashes: Vec<MsgHash> =
                test.query(query, &[], |row| row.next("snd_messages.internal_hash"));
            assert_eq!(
                hashes,
                [2, 4].map(super::support::hash),
                "the hash is what a receipt is for"
            );
        });
    }
}

#[test]
fn f112_as69_as71_a_shared_body_goes_with_the_last_that_refers_to_it() {
    for semantics in BOTH {
        for keep in [false, true] {
            on_each_with(semantics, |test| {
                let (conn, other) = (Conn::of(test), Conn::without_queues(test, 2));
                other.add_snd_queue(1);
                let (body, unused) = (conn.body(), conn.body());
                conn.send_prepared(body, &[1, 2]);
                other.send_prepared(body, &[1]);
                end_delivery(&conn, 1, 1, keep);
                assert_eq!(content(&conn, 1), Some((MsgBody::default(), Some(body))));
                end_delivery(&conn, 2, 1, keep);
                assert_eq!(content(&conn, 1), keep.then(|| (MsgBody::default(), None)));
                assert_eq!(bodies(test), [body, unused], "another connection's message has it");
                end_delivery(&other, 1, 1, keep);
                assert_eq!(bodies(test), [unused]);
            });
        }
    }
}

const HASH: &str = "INSERT INTO encrypted_rcv_message_hashes (conn_id, hash, created_at)
     VALUES ($1, $2, $3)";
/// The first time there is: what is older than the longest time is before it, so nothing is.
const EVER: Duration = Duration::MAX;

fn hours_ago(hours: u64) -> UtcTime {
    UtcTime::now().before(Duration::from_secs(hours * 3_600))
}

#[test]
fn f113_expired_hashes_are_deleted_the_oldest_first_up_to_the_limit() {
    on_each(|test| {
        let conn = Conn::of(test);
        for (of, hours) in [(1_u8, 30), (2, 50), (3, 40), (4, 20), (5, 60)] {
            test.execute(HASH, &[&conn.id, &[of; 1], &hours_ago(hours)]);
        }
        let delete = |hours: u64, limit| {
            let ttl = Duration::from_secs(hours * 3_600);
            test.run(|tx| tx.delete_rcv_msg_hashes_expired(ttl, limit)).unwrap()
        };
        let left = || {
            let query = "SELECT hash FROM encrypted_rcv_message_hashes ORDER BY hash";
            test.query(query, &[], |row| row.next::<Vec<u8>>("h.hash")).concat()
        };
        assert_eq!((delete(25, 0), left()), (0, vec![1, 2, 3, 4, 5]));
        assert_eq!((delete(25, 2), left()), (2, vec![1, 3, 4]));
        assert_eq!((delete(25, 10), left()), (2, vec![4]));
        assert_eq!((delete(25, 10), left()), (0, vec![4]), "it is not old enough");
    });
}

#[test]
fn f113_f114_what_is_exactly_as_old_is_not_expired() {
    on_each(|test| {
        let conn = Conn::of(test);
        let first = UtcTime::now().before(EVER);
        assert_eq!(UtcTime::now().before(EVER), first, "the limit doesn't move");
        test.execute(HASH, &[&conn.id, &&b"old"[..], &first]);
        conn.send_at(0, &[]);
        test.execute("UPDATE messages SET internal_ts = $1", &[&first]);
        assert_eq!(test.run(|tx| tx.delete_rcv_msg_hashes_expired(EVER, 9)), Ok(0));
        assert_eq!(test.run(|tx| tx.delete_snd_msgs_expired(EVER, 9)), Ok(0));
        assert_eq!(test.run(|tx| tx.delete_rcv_msg_hashes_expired(Duration::ZERO, 9)), Ok(1));
        assert_eq!(test.run(|tx| tx.delete_snd_msgs_expired(Duration::ZERO, 9)), Ok(1));
    });
}

#[test]
fn f114_expired_sent_messages_are_deleted_the_oldest_first_up_to_the_limit() {
    for semantics in BOTH {
        on_each_with(semantics, |test| {
            let (conn, other) = (Conn::of(test), Conn::without_queues(test, 2));
            conn.receive(1);
            for hours in [30, 50, 40, 20] {
                let sent = conn.send_at(0, &[1, 2]).internal_id;
                let made =
                    "UPDATE messages SET internal_ts = $1 WHERE conn_id = $2 AND internal_id = $3";
                test.execute(made, &[&hours_ago(hours), &conn.id, &sent]);
            }
            other.send_at(0, &[]);
            let delete = |hours: u64, limit| {
                let ttl = Duration::from_secs(hours * 3_600);
                test.run(|tx| tx.delete_snd_msgs_expired(ttl, limit)).unwrap()
            };
            assert_eq!(delete(25, 0), 0);
            assert_eq!((delete(25, 1), other.messages()), (1, vec![]), "the oldest of all");
            assert_eq!((delete(25, 1), conn.messages()), (1, ids(&[1, 2, 4, 5])));
            assert_eq!(
                (delete(25, 9), conn.messages()),
                (2, ids(&[1, 5])),
                "what was received stays"
            );
            assert_eq!(conn.deliveries(), [(1, 5, false), (2, 5, false)]);
            assert_eq!(delete(25, 9), 0);
        });
    }
}

#[test]
fn f114_as69_q6_bodies_go_with_their_last_messages_under_strict_only() {
    for (semantics, stays) in BOTH.into_iter().zip([false, true]) {
        on_each_with(semantics, |test| {
            let conn = Conn::of(test);
            let (gone, used) = (conn.body(), conn.body());
            for body in [gone, used, gone, used] {
                conn.send_prepared(body, &[1]);
            }
            let fresh = "UPDATE messages SET internal_ts = $1 WHERE internal_id = 4";
            test.execute(fresh, &[&UtcTime::now()]);
            let ttl = Duration::from_secs(3_600);
            assert_eq!(test.run(|tx| tx.delete_snd_msgs_expired(ttl, 9)), Ok(3));
            let left: Vec<SndMsgBodyId> =
                [gone, used].into_iter().filter(|body| stays || *body == used).collect();
            assert_eq!((conn.messages(), bodies(test)), (ids(&[4]), left));
        });
    }
}

#[test]
fn q6_unused_bodies_are_collected_the_oldest_first_up_to_the_limit() {
    for semantics in BOTH {
        on_each_with(semantics, |test| {
            let (conn, gone) = (Conn::of(test), Conn::without_queues(test, 2));
            let all: Vec<SndMsgBodyId> = (0..5).map(|_| conn.body()).collect();
            conn.send_prepared(all[1], &[]);
            gone.send_prepared(all[2], &[]);
            gone.execute("DELETE FROM connections WHERE conn_id = $1");
            let collect = |limit| test.run(|tx| tx.delete_unused_snd_msg_bodies(limit)).unwrap();
            assert_eq!((collect(0), bodies(test)), (0, all.clone()));
            assert_eq!((collect(2), bodies(test)), (2, vec![all[1], all[3], all[4]]));
            assert_eq!((collect(9), bodies(test)), (2, vec![all[1]]));
            assert_eq!((collect(9), bodies(test)), (0, vec![all[1]]));
        });
    }
}
