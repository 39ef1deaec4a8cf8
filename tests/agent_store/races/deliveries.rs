//! Deliveries that end together, and bodies that messages share (AS-70, AS-71).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;
use simplex_stores::db::Params;
use simplex_stores::db::fault::without_locks;
use simplex_stores::testing::isolation::Steps;

use super::{Race, Runs, Shared};
use crate::fixture::TestStore;
use crate::messages::support::{agent_message, at, encrypt_key, hash};

/// A message with a delivery through each of two queues; and, of another connection, one with the same body.
struct Sent {
    body: SndMsgBodyId,
    first: SndQueue,
    second: SndQueue,
    other: SndQueue,
}

fn prepared(ids: &SndMsgIds, body: SndMsgBodyId) -> SndMsgData {
    SndMsgData {
        internal_id: ids.internal_id,
        internal_snd_id: ids.internal_snd_id,
        internal_ts: at(0),
        msg_type: AgentMessageType::Message,
        msg_flags: MsgFlags::default(),
        msg_body: MsgBody::default(),
        pq_encryption: true,
        internal_hash: hash(1),
        prev_msg_hash: ids.prev_snd_hash.clone(),
        prep_data: Some(SndMsgPrepData {
            encrypt_key: encrypt_key(),
            padded_len: 16_000,
            snd_msg_body_id: body,
        }),
    }
}

const MSG: InternalId = InternalId(1);

fn sent(test: &TestStore, order: usize) -> Sent {
    let user = test.user();
    let (_, first) = test.duplex(user, &format!("one {order}"));
    let second = test.more_snd(&first.conn_id, &format!("second {order}"), false, None);
    let (_, other) = test.duplex(user, &format!("other {order}"));
    let body = test.run(|tx| tx.create_snd_msg_body(&agent_message("for many"))).unwrap();
    for queue in [&first, &other] {
        test.run(|tx| {
            let ids = tx.update_snd_ids(&queue.conn_id)?;
            assert_eq!(ids.internal_id, MSG);
            tx.create_snd_msg(&queue.conn_id, &prepared(&ids, body))?;
            tx.create_snd_msg_delivery(queue, MSG)
        })
        .unwrap();
    }
    test.run(|tx| tx.create_snd_msg_delivery(&second, MSG)).unwrap();
    Sent { body, first, second, other }
}

type Done = Result<(), StoreError>;

fn end_first(shared: &Shared<Sent>, steps: &Steps) -> Done {
    shared.step_by_step(steps, |tx, sent| tx.delete_snd_msg_delivery(&sent.first, MSG, false))
}

fn end_second(shared: &Shared<Sent>, steps: &Steps) -> Done {
    shared.step_by_step(steps, |tx, sent| tx.delete_snd_msg_delivery(&sent.second, MSG, false))
}

const MESSAGES: &str = "SELECT count(*) AS count FROM messages WHERE conn_id = $1 OR conn_id = $2";
const BODIES: &str =
    "SELECT count(*) AS count FROM snd_message_bodies WHERE snd_message_body_id = $1";

fn left(shared: &Shared<Sent>, done: &[Done], messages: i64, bodies: i64) -> Option<String> {
    let Sent { first, other, body, .. } = &shared.made;
    let count = |text, params: Params<'_>| {
        shared.test.query(text, params, |row| row.next::<i64>("t.count"))[0]
    };
    let found = (count(MESSAGES, &[&first.conn_id, &other.conn_id]), count(BODIES, &[body]));
    let failed = done.iter().any(Result::is_err);
    (failed || found != (messages, bodies))
        .then(|| format!("{done:?}, {} messages and {} bodies are left", found.0, found.1))
}

fn one_message_is_not_gone(shared: &Shared<Sent>, done: &[Done]) -> Option<String> {
    left(shared, done, 1, 1)
}

fn something_is_left(shared: &Shared<Sent>, done: &[Done]) -> Option<String> {
    left(shared, done, 0, 0)
}

#[test]
fn as71_of_two_who_end_the_last_deliveries_of_a_message_one_deletes_it() {
    let sessions: Vec<Runs<_, _>> = vec![("first", end_first), ("second", end_second)];
    Race { make: sent, sessions, wrong: one_message_is_not_gone }.never_goes_wrong();
}

#[test]
fn twin_as71_without_the_lock_on_the_message_both_leave_it_to_the_other() {
    const OUT: &[&str] = &["lock a sent message"];
    let sessions: Vec<Runs<_, _>> = vec![
        ("first", |shared, steps| without_locks(OUT, || end_first(shared, steps))),
        ("second", |shared, steps| without_locks(OUT, || end_second(shared, steps))),
    ];
    Race { make: sent, sessions, wrong: one_message_is_not_gone }.goes_wrong();
}

/// Where those who release one body meet.
const AT_BODY: &[&str] =
    &["lock a message body", "delete a message body that nothing refers to", "commit"];

fn end_last(shared: &Shared<Sent>, steps: &Steps, last: fn(&Sent) -> &SndQueue) -> Done {
    shared.steps_at(AT_BODY, steps, |tx, sent| tx.delete_snd_msg_delivery(last(sent), MSG, false))
}

fn end_last_of_one(shared: &Shared<Sent>, steps: &Steps) -> Done {
    end_last(shared, steps, |sent| &sent.second)
}

fn end_last_of_other(shared: &Shared<Sent>, steps: &Steps) -> Done {
    end_last(shared, steps, |sent| &sent.other)
}

/// Each of the two messages has one delivery left.
fn almost_delivered(test: &TestStore, order: usize) -> Sent {
    let sent = sent(test, order);
    test.run(|tx| tx.delete_snd_msg_delivery(&sent.first, MSG, false)).unwrap();
    sent
}

#[test]
fn as71_a_body_goes_with_the_last_of_its_messages() {
    let sessions: Vec<Runs<_, _>> = vec![("one", end_last_of_one), ("other", end_last_of_other)];
    Race { make: almost_delivered, sessions, wrong: something_is_left }.never_goes_wrong();
}

#[test]
fn twin_as71_without_the_lock_on_the_body_it_is_left_behind() {
    const OUT: &[&str] = &["lock a message body"];
    let sessions: Vec<Runs<_, _>> = vec![
        ("one", |shared, steps| without_locks(OUT, || end_last_of_one(shared, steps))),
        ("other", |shared, steps| without_locks(OUT, || end_last_of_other(shared, steps))),
    ];
    Race { make: almost_delivered, sessions, wrong: something_is_left }.goes_wrong();
}

/// The reference's other way to end a delivery: it is deleted, then the message if nothing of it is left.
fn end_in_two(shared: &Shared<Sent>, steps: &Steps, queue: fn(&Sent) -> &SndQueue) -> Done {
    shared.step_by_step(steps, |tx, sent| {
        let queue = queue(sent);
        tx.delete_pending_msgs(queue)?;
        tx.delete_delivered_snd_msg(&queue.conn_id, MSG)
    })
}

fn end_first_in_two(shared: &Shared<Sent>, steps: &Steps) -> Done {
    end_in_two(shared, steps, |sent| &sent.first)
}

fn end_second_in_two(shared: &Shared<Sent>, steps: &Steps) -> Done {
    end_in_two(shared, steps, |sent| &sent.second)
}

#[test]
fn as70_of_two_who_find_a_message_delivered_one_deletes_it() {
    let sessions: Vec<Runs<_, _>> =
        vec![("first", end_first_in_two), ("second", end_second_in_two)];
    Race { make: sent, sessions, wrong: one_message_is_not_gone }.never_goes_wrong();
}

#[test]
fn twin_as70_without_the_lock_both_leave_it_to_the_other() {
    const OUT: &[&str] = &["lock a message"];
    let sessions: Vec<Runs<_, _>> = vec![
        ("first", |shared, steps| without_locks(OUT, || end_first_in_two(shared, steps))),
        ("second", |shared, steps| without_locks(OUT, || end_second_in_two(shared, steps))),
    ];
    Race { make: sent, sessions, wrong: one_message_is_not_gone }.goes_wrong();
}

fn delete(shared: &Shared<Sent>, steps: &Steps) -> Done {
    shared.step_by_step(steps, |tx, sent| tx.delete_msg(&sent.second.conn_id, MSG))
}

#[test]
fn as71_who_ends_a_delivery_and_who_deletes_its_message_do_not_wait_in_a_circle() {
    let sessions: Vec<Runs<_, _>> = vec![("end", end_second), ("delete", delete)];
    Race { make: almost_delivered, sessions, wrong: one_message_is_not_gone }.never_goes_wrong();
}

#[test]
fn twin_as71_without_the_lock_on_the_message_they_wait_in_a_circle() {
    const OUT: &[&str] = &["lock a sent message"];
    let sessions: Vec<Runs<_, _>> = vec![
        ("end", |shared, steps| without_locks(OUT, || end_second(shared, steps))),
        ("delete", delete),
    ];
    Race { make: almost_delivered, sessions, wrong: one_message_is_not_gone }.goes_wrong();
}
