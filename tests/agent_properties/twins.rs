//! A store that breaks one rule is found: the same histories on a good store and on a bad one.
//!
//! A bad one is a good one with a statement after each operation that undoes what a rule is for.

use quickcheck::{Arbitrary as _, Gen};
use simplex_stores::db::Sql;
use simplex_stores::protocol::Semantics;
use simplex_stores::testing::agent_store::History;

use crate::agree::LENGTH;
use crate::compare::compare;
use crate::pair::Pair;

fn is_found(rule: &'static str, breaking: &'static str) {
    let (pair, breaking) = (Pair::open(Semantics::Strict), Sql::new(rule, breaking));
    let found = (0..100).any(|seed| {
        let history = History::arbitrary(&mut Gen::from_size_and_seed(LENGTH, seed));
        // Both are of one kind, which is faster: that they agree otherwise is shown beside.
        let good = pair.sqlite.run(&history, None);
        let bad = pair.sqlite.run(&history, Some(&breaking));
        compare(&history, (&good, &bad), false).is_err()
    });
    assert!(found, "{rule}");
}

#[test]
fn as31_without_overrides_of_fingerprints_the_effective_one_is_another() {
    is_found(
        "a queue's own fingerprint is lost",
        "UPDATE rcv_queues SET server_key_hash = NULL WHERE server_key_hash IS NOT NULL",
    );
}

#[test]
fn as63_a_late_message_that_sets_the_chain_back_is_found() {
    is_found(
        "the head of the chain is the last message that was stored",
        "UPDATE connections SET last_rcv_msg_hash = coalesce(
           (SELECT r.internal_hash FROM rcv_messages r WHERE r.conn_id = connections.conn_id
             ORDER BY r.internal_rcv_id DESC LIMIT 1), last_rcv_msg_hash)",
    );
}

#[test]
fn as34_work_that_is_handed_out_again_after_it_failed_is_found() {
    is_found(
        "marks of failed work are lost",
        "UPDATE ntf_tokens_to_delete SET del_failed = 0 WHERE del_failed <> 0",
    );
}

#[test]
fn as14_a_subscription_that_goes_with_its_connection_is_found() {
    is_found(
        "subscriptions go with their connections",
        "DELETE FROM ntf_subscriptions
          WHERE NOT EXISTS (SELECT 1 FROM connections c WHERE c.conn_id = ntf_subscriptions.conn_id)",
    );
}

#[test]
fn as33_a_primary_queue_that_is_not_first_is_found() {
    is_found(
        "no send queue is primary",
        "UPDATE snd_queues SET snd_primary = 0 WHERE snd_primary <> 0",
    );
}
