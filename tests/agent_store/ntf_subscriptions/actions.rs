//! Work for workers, in batches (F-153 to F-156).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    NtfActionKind, NtfAgentSubStatus, NtfServer, NtfSubNtfAction, NtfSubNtfWork, NtfSubSmpAction,
    NtfSubSmpWork, NtfSubStatus, NtfSubscription, SmpServer,
};
use simplex_stores::db::UtcTime;
use simplex_stores::protocol::Semantics;

use super::*;
use crate::fixture::{on_each, on_each_with};

type Work<T> = Vec<Result<T, StoreError>>;

fn ntf_work(test: &TestStore, at: &NtfServer, limit: u32) -> Work<NtfSubNtfWork> {
    test.run(|tx| tx.get_next_ntf_sub_ntf_actions(at, limit)).unwrap()
}

fn smp_work(test: &TestStore, at: &SmpServer, limit: u32) -> Work<NtfSubSmpWork> {
    test.run(|tx| tx.get_next_ntf_sub_smp_actions(at, limit)).unwrap()
}

/// Whose work it is, or `Err` for an item that failed.
fn ntf_ids(test: &TestStore) -> Vec<Result<ConnId, ()>> {
    let work = ntf_work(test, &ntf(), 9);
    work.into_iter().map(|one| one.map(|one| one.subscription.conn_id).map_err(drop)).collect()
}

fn smp_ids(test: &TestStore) -> Vec<Result<ConnId, ()>> {
    let work = smp_work(test, &smp(), 9);
    work.into_iter().map(|one| one.map(|one| one.subscription.conn_id).map_err(drop)).collect()
}

fn due(test: &TestStore, sub: &NtfSubscription, time: UtcTime) {
    let set = "UPDATE ntf_subscriptions SET ntf_sub_action_ts = $1 WHERE conn_id = $2";
    test.execute(set, &[&time, &sub.conn_id]);
}

#[test]
fn f153_actions_on_a_notification_router_come_in_the_order_of_their_times() {
    on_each(|test| {
        let user = prepare(test);
        let [first, second, third] = [b"c", b"a", b"b"].map(|id| sub(test, user, id, CREATE));
        let of_another_kind = sub(test, user, b"smp", KEY);
        let elsewhere = sub(test, user, b"elsewhere", CREATE);
        let moved = NtfSubscription { ntf_server: other_ntf(), ..elsewhere };
        test.run(|tx| tx.update_ntf_subscription(&moved, CHECK, long_ago())).unwrap();
        // Times are not compared with the clock.
        let far = time("2999-01-01 00:00:00");
        due(test, &third, far);
        due(test, &second, time("2001-02-03 04:05:06.000001"));
        let work = |sub: &NtfSubscription, action_ts| {
            let action = NtfSubNtfAction::Create;
            Ok(NtfSubNtfWork { action, subscription: sub.clone(), action_ts })
        };
        let renewed: NtfServer = server("ntf.example", "443", b"renewed");
        let found = ntf_work(test, &renewed, 9);
        let second_ts = time("2001-02-03 04:05:06.000001");
        let all = [work(&first, long_ago()), work(&second, second_ts), work(&third, far)];
        assert_eq!(found, all, "the fingerprint isn't compared");
        assert_eq!(ntf_work(test, &ntf(), 2), all[..2]);
        assert_eq!(ntf_work(test, &ntf(), 0), []);
        assert_eq!(smp_work(test, &other_smp(), 9), []);
        assert_eq!(smp_ids(test), [Ok(of_another_kind.conn_id)]);
        let there = ntf_work(test, &other_ntf(), 9);
        let [Ok(there)] = &there[..] else { panic!("{there:?}") };
        assert_eq!((there.action, &there.subscription), (NtfSubNtfAction::Check, &moved));
    });
}

#[test]
fn f155_actions_on_a_message_router_carry_the_router_that_asks() {
    on_each(|test| {
        let user = prepare(test);
        let [first, second] = [b"c", b"a"].map(|id| sub(test, user, id, KEY));
        sub(test, user, b"ntf", CREATE);
        let third = sub(test, user, b"d", DELETE);
        let without_time = sub(test, user, b"e", DELETE);
        due(test, &third, time("2999-01-01 00:00:00"));
        due(test, &second, time("2001-02-03 04:05:07"));
        let set = "UPDATE ntf_subscriptions SET ntf_sub_action_ts = NULL WHERE conn_id = $1";
        test.execute(set, &[&without_time.conn_id]);
        let asks: SmpServer = server("smp.example", "5223", b"renewed");
        let work = |sub: &NtfSubscription, action| {
            let subscription = NtfSubscription { smp_server: asks.clone(), ..sub.clone() };
            Ok(NtfSubSmpWork { action, subscription })
        };
        let (key, delete) = (NtfSubSmpAction::Key, NtfSubSmpAction::Delete);
        let all = [work(&first, key), work(&second, key), work(&third, delete)];
        assert_eq!(smp_work(test, &asks, 9), all);
        assert_eq!(smp_work(test, &asks, 1), all[..1]);
        assert_eq!(smp_work(test, &other_smp(), 9), []);
    });
}

#[test]
fn f153_f155_as31_a_subscription_carries_its_own_override_of_the_fingerprint() {
    on_each(|test| {
        let user = prepare(test);
        let one = NtfSubscription {
            smp_server: server("smp.example", "5223", b"own"),
            ntf_queue_id: Some(queue_id()),
            ntf_sub_id: Some(sub_id()),
            ntf_sub_status: NtfAgentSubStatus::Created(NtfSubStatus::Active),
            ..new_sub(test, user, b"connection")
        };
        test.run(|tx| tx.create_ntf_subscription(&one, CHECK)).unwrap();
        let found = ntf_work(test, &ntf(), 9);
        assert_eq!(found[0].as_ref().unwrap().subscription, one);
    });
}

/// Damages of a row, by the column that is then no value; the last ones take these bytes.
const DAMAGES: [(&str, &str); 4] = [
    ("ntf_sub_status", "UPDATE ntf_subscriptions SET ntf_sub_status = '' WHERE conn_id = $1"),
    (
        "ntf_sub_action",
        "UPDATE ntf_subscriptions SET ntf_sub_action = 'X'
          WHERE conn_id = $1 AND ntf_sub_action IS NOT NULL",
    ),
    (
        "ntf_sub_smp_action",
        "UPDATE ntf_subscriptions SET ntf_sub_smp_action = 'X'
          WHERE conn_id = $1 AND ntf_sub_smp_action IS NOT NULL",
    ),
    (
        "ntf_sub_action_ts",
        "UPDATE ntf_subscriptions SET ntf_sub_action_ts = NULL WHERE conn_id = $1",
    ),
];
const DAMAGES_OF_BYTES: [(&str, &str, &[u8]); 3] = [
    ("smp_ntf_id", "UPDATE ntf_subscriptions SET smp_ntf_id = $2 WHERE conn_id = $1", b""),
    ("ntf_sub_id", "UPDATE ntf_subscriptions SET ntf_sub_id = $2 WHERE conn_id = $1", b""),
    (
        "smp_server_key_hash",
        "UPDATE ntf_subscriptions SET smp_server_key_hash = $2 WHERE conn_id = $1",
        b"?",
    ),
];

/// For each damage that concerns an action of this kind, a subscription that is called after the column;
/// and a good one.
fn damaged(test: &TestStore, user: UserId, action: NtfSubAction) -> Vec<&'static str> {
    let other = match action.kind() {
        NtfActionKind::Ntf => ["ntf_sub_smp_action", ""],
        NtfActionKind::Smp => ["ntf_sub_action", "ntf_sub_action_ts"],
    };
    let mut columns = Vec::new();
    for (column, statement) in DAMAGES.into_iter().filter(|(column, _)| !other.contains(column)) {
        let one = sub(test, user, column.as_bytes(), action);
        assert_eq!(test.execute(statement, &[&one.conn_id]), 1);
        columns.push(column);
    }
    for (column, statement, bytes) in DAMAGES_OF_BYTES {
        let one = sub(test, user, column.as_bytes(), action);
        assert_eq!(test.execute(statement, &[&one.conn_id, &bytes]), 1);
        columns.push(column);
    }
    sub(test, user, b"good", action);
    columns.sort_unstable();
    columns
}

/// The columns that errors name, sorted, and the number of good items.
fn outcome<T>(work: &Work<T>) -> (Vec<&str>, usize) {
    let mut columns = Vec::new();
    for error in work.iter().filter_map(|one| one.as_ref().err()) {
        let StoreError::Internal(text) = error else { panic!("{error}") };
        let (_, rest) = text.split_once("ntf_subscriptions.").expect(text);
        columns.push(rest.split_once(':').expect(rest).0);
    }
    let good = work.len() - columns.len();
    columns.sort_unstable();
    (columns, good)
}

/// The subscriptions that are marked, sorted.
fn marked(test: &TestStore, query: &'static str) -> Vec<String> {
    test.query(query, &[], |row| {
        Ok(String::from_utf8(row.next("t.conn_id")?).expect("a column's name"))
    })
}

#[test]
fn f153_as82_each_bad_item_on_a_notification_router_is_marked_on_its_own() {
    on_each(|test| {
        let user = prepare(test);
        let bad = damaged(test, user, CREATE);
        let first = ntf_work(test, &ntf(), 99);
        assert_eq!(outcome(&first), (bad.clone(), 1));
        let query = "SELECT conn_id FROM ntf_subscriptions
                      WHERE ntf_failed = 1 AND smp_failed = 0 ORDER BY conn_id";
        assert_eq!(marked(test, query), bad);
        assert_eq!(ntf_ids(test), [Ok(ConnId::from_bytes(b"good").unwrap())]);
    });
}

#[test]
fn f155_as82_each_bad_item_on_a_message_router_is_marked_on_its_own() {
    on_each(|test| {
        let user = prepare(test);
        let bad = damaged(test, user, KEY);
        let first = smp_work(test, &smp(), 99);
        assert_eq!(outcome(&first), (bad.clone(), 1));
        let query = "SELECT conn_id FROM ntf_subscriptions
                      WHERE smp_failed = 1 AND ntf_failed = 0 ORDER BY conn_id";
        assert_eq!(marked(test, query), bad);
        assert_eq!(smp_ids(test), [Ok(ConnId::from_bytes(b"good").unwrap())]);
    });
}

#[test]
fn f153_as82_bad_items_are_marked_and_make_room_in_the_next_batch() {
    on_each(|test| {
        let user = prepare(test);
        let bad = damaged(test, user, CREATE);
        let mut found = Vec::new();
        for _ in &bad {
            found.extend(ntf_work(test, &ntf(), 1));
        }
        // Of those with one time, the good one may come before.
        found.extend(ntf_work(test, &ntf(), 9));
        let (columns, good) = outcome(&found);
        assert_eq!(columns, bad);
        assert!(good > 0);
    });
}

#[test]
fn f153_f155_a_connection_s_id_that_cannot_be_read_blocks_nothing() {
    on_each(|test| {
        let user = prepare(test);
        for (id, action) in [(b"n", CREATE), (b"s", KEY)] {
            let one = sub(test, user, id, action);
            let good = sub(test, user, &id.repeat(2), action);
            for table in [
                "UPDATE ntf_subscriptions SET conn_id = $2 WHERE conn_id = $1",
                "UPDATE connections SET conn_id = $2 WHERE conn_id = $1",
            ] {
                test.execute(table, &[&one.conn_id, &&b""[..]]);
            }
            let ids = if action == CREATE { ntf_ids } else { smp_ids };
            let found = ids(test);
            assert!(found.contains(&Err(())) && found.contains(&Ok(good.conn_id.clone())));
            assert_eq!(ids(test), [Ok(good.conn_id)]);
            test.execute("DELETE FROM ntf_subscriptions", &[]);
            test.execute("DELETE FROM connections", &[]);
        }
    });
}

#[test]
fn as97_a_worker_stops_when_nothing_can_be_looked_for() {
    on_each(|test| {
        let user = prepare(test);
        sub(test, user, b"connection", CREATE);
        test.execute("ALTER TABLE ntf_subscriptions RENAME COLUMN ntf_failed TO renamed", &[]);
        let stop = test.run(|tx| tx.get_next_ntf_sub_ntf_actions(&ntf(), 9)).unwrap_err();
        let StoreError::WorkItem(text) = &stop else { panic!("{stop}") };
        assert!(text.starts_with("ntf NTF: finding"), "{text}");
        test.execute("ALTER TABLE ntf_subscriptions RENAME COLUMN smp_failed TO renamed_2", &[]);
        let stop = test.run(|tx| tx.get_next_ntf_sub_smp_actions(&smp(), 9)).unwrap_err();
        let StoreError::WorkItem(text) = &stop else { panic!("{stop}") };
        assert!(text.starts_with("ntf SMP: finding"), "{text}");
    });
}

#[test]
fn q11_work_for_a_connection_that_is_gone_is_an_internal_error_and_is_marked() {
    for semantics in [Semantics::Strict, Semantics::Reference] {
        on_each_with(semantics, |test| {
            let user = prepare(test);
            for (id, action) in [(&b"ntf"[..], CREATE), (b"smp", KEY)] {
                sub(test, user, id, action);
            }
            test.execute("DELETE FROM connections", &[]);
            assert_eq!((ntf_ids(test), smp_ids(test)), (vec![Err(())], vec![Err(())]));
            assert_eq!((ntf_ids(test), smp_ids(test)), (vec![], vec![]));
        });
    }
}

#[test]
fn as84_who_gets_work_claims_it() {
    on_each(|test| {
        let user = prepare(test);
        let good = [sub(test, user, b"ntf", CREATE), sub(test, user, b"smp", KEY)];
        let bad = [sub(test, user, b"bad ntf", CREATE), sub(test, user, b"bad smp", KEY)];
        let set = "UPDATE ntf_subscriptions SET ntf_sub_status = '' WHERE conn_id = $1";
        for one in &bad {
            test.execute(set, &[&one.conn_id]);
        }
        test.execute("UPDATE ntf_subscriptions SET updated_by_supervisor = 1", &[]);
        let mark = |one: &NtfSubscription| columns(test, &one.conn_id).unwrap().by_supervisor;
        assert_eq!((ntf_ids(test).len(), [mark(&good[0]), mark(&bad[0])]), (2, [0, 0]));
        assert_eq!([mark(&good[1]), mark(&bad[1])], [1, 1], "others' work is not claimed");
        assert_eq!((smp_ids(test).len(), [mark(&good[1]), mark(&bad[1])]), (2, [0, 0]));
    });
}

#[test]
fn as83_what_failed_is_given_again_after_the_supervisor_changed_it() {
    for semantics in [Semantics::Strict, Semantics::Reference] {
        on_each_with(semantics, |test| {
            let user = prepare(test);
            let [ntf, smp] = [(&b"ntf"[..], CREATE), (b"smp", KEY)]
                .map(|(id, action)| (sub(test, user, id, action).conn_id, action));
            fail(test, &ntf.0);
            fail(test, &smp.0);
            for (conn_id, action) in [&ntf, &smp] {
                assert_eq!((ntf_ids(test), smp_ids(test)), (vec![], vec![]));
                test.run(|tx| tx.supervisor_update_ntf_action(conn_id, *action)).unwrap();
                let ids = [ntf_ids(test), smp_ids(test)].concat();
                assert_eq!(ids, [Ok(conn_id.clone())]);
                fail(test, conn_id);
            }
        });
    }
}

/// What is given of an action that a worker wrote after an earlier one had failed.
fn after_failure(semantics: Semantics, check: impl Fn(usize, usize)) {
    on_each_with(semantics, |test| {
        let user = prepare(test);
        let one = sub(test, user, b"connection", KEY);
        fail(test, &one.conn_id);
        test.run(|tx| tx.update_ntf_subscription(&one, CREATE, long_ago())).unwrap();
        let ntf = ntf_ids(test).len();
        fail(test, &one.conn_id);
        test.run(|tx| tx.update_ntf_subscription(&one, DELETE, long_ago())).unwrap();
        check(ntf, smp_ids(test).len());
    });
}

#[test]
fn q8_an_action_that_a_worker_writes_is_given_also_after_a_failure() {
    after_failure(Semantics::Strict, |ntf, smp| assert_eq!((ntf, smp), (1, 1)));
}

#[test]
fn q8_under_reference_it_is_not_given_until_the_supervisor_changes_it() {
    after_failure(Semantics::Reference, |ntf, smp| assert_eq!((ntf, smp), (0, 0)));
}

#[test]
fn f154_f156_an_action_that_failed_is_not_given_again() {
    on_each(|test| {
        let user = prepare(test);
        let [ntf, smp] =
            [(&b"ntf"[..], CREATE), (b"smp", KEY)].map(|(id, action)| sub(test, user, id, action));
        let mark = |one: &NtfSubscription, kind: NtfActionKind| {
            test.run(|tx| match kind {
                NtfActionKind::Ntf => tx.mark_ntf_sub_action_ntf_failed(&one.conn_id),
                NtfActionKind::Smp => tx.mark_ntf_sub_action_smp_failed(&one.conn_id),
            })
            .unwrap();
        };
        // The mark of the other kind is no matter.
        mark(&ntf, NtfActionKind::Smp);
        mark(&smp, NtfActionKind::Ntf);
        assert_eq!(ntf_ids(test), [Ok(ntf.conn_id.clone())]);
        assert_eq!(smp_ids(test), [Ok(smp.conn_id.clone())]);
        mark(&ntf, NtfActionKind::Ntf);
        mark(&smp, NtfActionKind::Smp);
        assert_eq!((ntf_ids(test), smp_ids(test)), (vec![], vec![]));
        for one in [&ntf, &smp] {
            assert_eq!(columns(test, &one.conn_id).unwrap().failed, (1, 1));
        }
        let missing = NtfSubscription { conn_id: ConnId::from_bytes(b"missing").unwrap(), ..ntf };
        mark(&missing, NtfActionKind::Ntf);
        mark(&missing, NtfActionKind::Smp);
    });
}
