//! What the supervisor reads and writes (F-145 to F-148), and what handling notifications takes.

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    ConnId, NotifierId, NtfAgentSubStatus, NtfRcvQueue, NtfSubStatus, NtfSubscription,
    NtfSupervisorSub, QueueNumber, SmpServer,
};
use simplex_stores::db::UtcTime;
use simplex_stores::protocol::{DhSecret, Semantics};

use super::*;
use crate::fixture::{on_each, on_each_with};

/// Everything of it is set, and another than in [`new_sub`].
fn moved(sub: &NtfSubscription) -> NtfSubscription {
    NtfSubscription {
        smp_server: other_smp(),
        ntf_queue_id: Some(queue_id()),
        ntf_server: other_ntf(),
        ntf_sub_id: Some(sub_id()),
        ntf_sub_status: NtfAgentSubStatus::Created(NtfSubStatus::Active),
        ..sub.clone()
    }
}

/// The row of [`moved`], as the supervisor writes it.
fn moved_columns(ntf_action: Option<&str>, smp_action: Option<&str>) -> Columns {
    Columns {
        smp: Some("other.example:5223".to_owned()),
        smp_ntf_id: Some(b"queue".to_vec()),
        ntf: "push.example:443".to_owned(),
        ntf_sub_id: Some(b"sub".to_vec()),
        status: "CREATED ACTIVE".to_owned(),
        by_supervisor: 1,
        updated: true,
        ..Columns::new(ntf_action, smp_action)
    }
}

#[test]
fn f145_f146_a_subscription_is_stored_and_found_with_an_action_that_is_due() {
    on_each(|test| {
        let user = prepare(test);
        for (id, action, stored) in [
            (&b"ntf"[..], CREATE, Columns::new(Some("N"), None)),
            (&b"smp"[..], KEY, Columns::new(None, Some("K"))),
        ] {
            let new = new_sub(test, user, id);
            assert_eq!(get(test, &new.conn_id), None);
            let before = UtcTime::now();
            test.run(|tx| tx.create_ntf_subscription(&new, action)).unwrap();
            let row = columns(test, &new.conn_id).unwrap();
            let due = row.action_ts.unwrap();
            assert!((before..=UtcTime::now()).contains(&due), "{due}");
            assert_eq!(row, Columns { action_ts: Some(due), updated: true, ..stored });
            let found = get(test, &new.conn_id);
            let expected = NtfSupervisorSub { subscription: new, action: Some((action, due)) };
            assert_eq!(found, Some(expected));
        }
        let full = moved(&new_sub(test, user, b"full"));
        test.run(|tx| tx.create_ntf_subscription(&full, CHECK)).unwrap();
        assert_eq!(get(test, &full.conn_id).unwrap().subscription, full);
    });
}

#[test]
fn f146_as31_a_fingerprint_that_differs_is_the_subscription_s_own() {
    on_each(|test| {
        let user = prepare(test);
        let renewed: SmpServer = server("smp.example", "5223", b"renewed");
        let new =
            NtfSubscription { smp_server: renewed.clone(), ..new_sub(test, user, b"connection") };
        test.run(|tx| tx.create_ntf_subscription(&new, KEY)).unwrap();
        let row = columns(test, &new.conn_id).unwrap();
        assert_eq!(row.smp_key_hash, Some(stored(&renewed.key_hash)));
        assert_eq!(get(test, &new.conn_id).unwrap().subscription, new);
        test.execute("UPDATE ntf_subscriptions SET smp_server_key_hash = NULL", &[]);
        assert_eq!(get(test, &new.conn_id).unwrap().subscription.smp_server, smp());
    });
}

#[test]
fn f146_routers_have_to_be_registered_and_a_connection_has_one_subscription() {
    on_each(|test| {
        let user = prepare(test);
        let new = new_sub(test, user, b"connection");
        let create = |sub: &NtfSubscription| test.run(|tx| tx.create_ntf_subscription(sub, KEY));
        let unknown = NtfSubscription {
            smp_server: server("unknown.example", "5223", b"smp"),
            ..new.clone()
        };
        assert_eq!(create(&unknown), Err(StoreError::ServerNotFound));
        let unknown =
            NtfSubscription { ntf_server: server("unknown.example", "443", b"ntf"), ..new.clone() };
        let refused = create(&unknown);
        assert!(matches!(refused, Err(StoreError::Internal(_))), "{refused:?}");
        assert_eq!(columns(test, &new.conn_id), None);
        assert_eq!(create(&new), Ok(()));
        let row = columns(test, &new.conn_id);
        let again = create(&moved(&new));
        assert!(matches!(again, Err(StoreError::Internal(_))), "{again:?}");
        assert_eq!(columns(test, &new.conn_id), row);
    });
}

#[test]
fn f145_an_action_is_exactly_one_column_and_a_time() {
    on_each(|test| {
        let user = prepare(test);
        let one = sub(test, user, b"connection", CHECK);
        let action = || get(test, &one.conn_id).unwrap().action;
        assert_eq!(action(), Some((CHECK, long_ago())));
        test.execute("UPDATE ntf_subscriptions SET ntf_sub_smp_action = 'D'", &[]);
        assert_eq!(action(), None, "both");
        test.execute("UPDATE ntf_subscriptions SET ntf_sub_action = NULL", &[]);
        assert_eq!(action(), Some((DELETE, long_ago())));
        test.execute("UPDATE ntf_subscriptions SET ntf_sub_action_ts = NULL", &[]);
        assert_eq!(action(), None, "no time");
        let none = "UPDATE ntf_subscriptions SET ntf_sub_smp_action = NULL, ntf_sub_action_ts = $1";
        test.execute(none, &[&long_ago()]);
        assert_eq!(action(), None, "neither");
    });
}

#[test]
fn f145_what_cannot_be_read_is_an_error_that_names_its_column() {
    let damages = [
        ("UPDATE ntf_subscriptions SET ntf_sub_status = 'CREATED'", "ntf_sub_status"),
        ("UPDATE ntf_subscriptions SET ntf_sub_action = 'X'", "ntf_sub_action"),
        ("UPDATE ntf_subscriptions SET ntf_sub_smp_action = ''", "ntf_sub_smp_action"),
        ("UPDATE ntf_subscriptions SET smp_ntf_id = $1", "smp_ntf_id"),
        ("UPDATE ntf_subscriptions SET ntf_sub_id = $1", "ntf_sub_id"),
        ("UPDATE ntf_subscriptions SET smp_server_key_hash = $1", "smp_server_key_hash"),
    ];
    on_each(|test| {
        let user = prepare(test);
        for (damage, column) in damages {
            let one = sub(test, user, column.as_bytes(), CHECK);
            // An id can't be empty, and a fingerprint is base64url.
            let bytes: &[u8] = if column.ends_with("id") { b"" } else { b"?" };
            if damage.contains('$') {
                test.execute(damage, &[&bytes]);
            } else {
                test.execute(damage, &[]);
            }
            let error = test.run(|tx| tx.get_ntf_subscription(&one.conn_id)).unwrap_err();
            let name = format!("ntf_subscriptions.{column}: ");
            assert!(error.to_string().contains(&name), "{error}");
            test.run(|tx| tx.delete_ntf_subscription_record(&one.conn_id)).unwrap();
        }
    });
}

#[test]
fn f145_as14_the_row_outlives_its_connection_and_is_not_seen() {
    on_each(|test| {
        let user = prepare(test);
        let one = sub(test, user, b"connection", CHECK);
        test.execute("DELETE FROM connections WHERE conn_id = $1", &[&one.conn_id]);
        assert_eq!(columns(test, &one.conn_id), Some(Columns::new(Some("C"), None)));
        assert_eq!(get(test, &one.conn_id), None);
    });
}

#[test]
fn f145_without_a_message_router_it_is_not_seen() {
    on_each(|test| {
        let user = prepare(test);
        let one = sub(test, user, b"connection", CHECK);
        test.execute("DELETE FROM servers WHERE host = 'smp.example'", &[]);
        assert_eq!(columns(test, &one.conn_id).unwrap().smp, None);
        assert_eq!(get(test, &one.conn_id), None);
    });
}

#[test]
fn f147_the_supervisor_overwrites_everything_and_leaves_its_mark() {
    for semantics in [Semantics::Strict, Semantics::Reference] {
        on_each_with(semantics, |test| {
            let user = prepare(test);
            let one = sub(test, user, b"connection", CHECK);
            let other = sub(test, user, b"other", CHECK);
            let moved = moved(&one);
            let before = UtcTime::now();
            test.run(|tx| tx.supervisor_update_ntf_sub(&moved, DELETE)).unwrap();
            let row = columns(test, &one.conn_id).unwrap();
            assert!(row.action_ts.unwrap() >= before);
            let expected = Columns { action_ts: row.action_ts, ..moved_columns(None, Some("D")) };
            assert_eq!(row, expected);
            assert_eq!(get(test, &one.conn_id).unwrap().subscription, moved);
            test.run(|tx| tx.supervisor_update_ntf_sub(&moved, CREATE)).unwrap();
            let row = columns(test, &one.conn_id).unwrap();
            let expected = Columns { action_ts: row.action_ts, ..moved_columns(Some("N"), None) };
            assert_eq!(row, expected);
            assert_eq!(columns(test, &other.conn_id), Some(Columns::new(Some("C"), None)));
            let missing = NtfSubscription {
                conn_id: ConnId::from_bytes(b"missing").unwrap(),
                ..moved.clone()
            };
            test.run(|tx| tx.supervisor_update_ntf_sub(&missing, CREATE)).unwrap();
            assert_eq!(columns(test, &missing.conn_id), None);
        });
    }
}

#[test]
fn f147_an_unknown_message_router_is_refused() {
    for semantics in [Semantics::Strict, Semantics::Reference] {
        on_each_with(semantics, |test| {
            let user = prepare(test);
            let one = sub(test, user, b"connection", CHECK);
            let unknown = NtfSubscription {
                smp_server: server("unknown.example", "5223", b"smp"),
                ..one.clone()
            };
            let refused = test.run(|tx| tx.supervisor_update_ntf_sub(&unknown, KEY)).unwrap_err();
            match semantics {
                Semantics::Strict => assert_eq!(refused, StoreError::ServerNotFound),
                Semantics::Reference => assert!(matches!(refused, StoreError::Internal(_))),
            }
            assert_eq!(columns(test, &one.conn_id), Some(Columns::new(Some("C"), None)));
        });
    }
}

/// The fingerprints that a subscription has after it got an override, was moved to a router without and
/// then to one with another override.
fn overrides(semantics: Semantics, check: impl Fn([Option<Vec<u8>>; 3])) {
    on_each_with(semantics, |test| {
        let user = prepare(test);
        let one = NtfSubscription {
            smp_server: server("smp.example", "5223", b"first"),
            ..new_sub(test, user, b"connection")
        };
        test.run(|tx| tx.create_ntf_subscription(&one, KEY)).unwrap();
        let own = || columns(test, &one.conn_id).unwrap().smp_key_hash;
        let first = own();
        let update = |server: SmpServer| {
            let sub = NtfSubscription { smp_server: server, ..one.clone() };
            test.run(|tx| tx.supervisor_update_ntf_sub(&sub, KEY)).unwrap();
            own()
        };
        check([first, update(other_smp()), update(server("other.example", "5223", b"second"))]);
    });
}

#[test]
fn f147_q7_the_supervisor_writes_the_override_of_the_fingerprint() {
    overrides(Semantics::Strict, |found| {
        assert_eq!(found, [Some(b"Zmlyc3Q=".to_vec()), None, Some(b"c2Vjb25k".to_vec())]);
    });
}

#[test]
fn f147_as78_q7_under_reference_the_override_stays() {
    overrides(Semantics::Reference, |found| {
        let first = Some(b"Zmlyc3Q=".to_vec());
        assert_eq!(found, [first.clone(), first.clone(), first]);
    });
}

#[test]
fn f148_the_supervisor_overwrites_the_action_only_and_leaves_its_mark() {
    on_each(|test| {
        let user = prepare(test);
        let one = sub(test, user, b"connection", CHECK);
        let other = sub(test, user, b"other", CHECK);
        for (action, ntf, smp) in [(DELETE, None, Some("D")), (CREATE, Some("N"), None)] {
            let before = UtcTime::now();
            test.run(|tx| tx.supervisor_update_ntf_action(&one.conn_id, action)).unwrap();
            let row = columns(test, &one.conn_id).unwrap();
            let due = row.action_ts.unwrap();
            assert!((before..=UtcTime::now()).contains(&due), "{due}");
            let expected = Columns {
                action_ts: Some(due),
                by_supervisor: 1,
                updated: true,
                ..Columns::new(ntf, smp)
            };
            assert_eq!(row, expected);
        }
        assert_eq!(columns(test, &other.conn_id), Some(Columns::new(Some("C"), None)));
        let missing = ConnId::from_bytes(b"missing").unwrap();
        test.run(|tx| tx.supervisor_update_ntf_action(&missing, KEY)).unwrap();
        assert_eq!(columns(test, &missing), None);
    });
}

const QUEUE: &str = "INSERT INTO rcv_queues
     (host, port, rcv_id, conn_id, rcv_private_key, rcv_dh_secret, e2e_priv_key, snd_id, status,
      rcv_queue_id, rcv_primary, delete_errors, ntf_id, rcv_ntf_dh_secret, last_broker_ts)
     VALUES ('smp.example', '5223', $1, $2, $1, $1, $1, $1, 'active', 7, 1, 0, $3, $4, $5)";

#[test]
fn f158_a_notification_s_queue_is_found_by_its_notifier() {
    on_each(|test| {
        let user = prepare(test);
        let conn_id = test.bare_connection(user, b"connection");
        let secret = DhSecret::new([4; 32]);
        let insert = [&b"r"[..], b"connection", b"queue"];
        test.execute(QUEUE, &[&insert[0], &insert[1], &insert[2], &secret, &None::<UtcTime>]);
        let find =
            |server: &SmpServer, id: &NotifierId| test.run(|tx| tx.get_ntf_rcv_queue(server, id));
        let found = |last_broker_ts| NtfRcvQueue {
            conn_id: conn_id.clone(),
            db_queue_id: QueueNumber(7),
            rcv_ntf_dh_secret: secret.clone(),
            last_broker_ts,
        };
        assert_eq!(find(&smp(), &queue_id()), Ok(found(None)));
        test.execute("UPDATE rcv_queues SET last_broker_ts = $1", &[&long_ago()]);
        let renewed = server("smp.example", "5223", b"renewed");
        assert_eq!(find(&renewed, &queue_id()), Ok(found(Some(long_ago()))));
        let missing = Err(StoreError::ConnNotFound);
        assert_eq!(find(&other_smp(), &queue_id()), missing);
        assert_eq!(find(&smp(), &NotifierId::from_bytes(b"another").unwrap()), missing);
        test.execute("UPDATE rcv_queues SET deleted = 1", &[]);
        assert_eq!(find(&smp(), &queue_id()), missing, "it is marked as deleted");
        test.execute("UPDATE rcv_queues SET deleted = 0, rcv_ntf_dh_secret = NULL", &[]);
        assert_eq!(find(&smp(), &queue_id()), missing, "it has no secret");
        test.execute("UPDATE rcv_queues SET rcv_ntf_dh_secret = $1", &[&&b"short"[..]]);
        let error = find(&smp(), &queue_id()).unwrap_err().to_string();
        assert!(error.contains("rcv_queues.rcv_ntf_dh_secret: "), "{error}");
    });
}

#[test]
fn f159_a_connection_s_notifications_are_turned_off_and_on() {
    on_each(|test| {
        let user = prepare(test);
        let one = test.bare_connection(user, b"connection");
        test.bare_connection(user, b"other");
        let flags = || {
            let query = "SELECT enable_ntfs FROM connections ORDER BY conn_id";
            test.query(query, &[], |row| row.next::<Option<i64>>("t.enable_ntfs"))
        };
        let before = flags();
        for enable in [false, true] {
            test.run(|tx| tx.set_connection_ntfs(&one, enable)).unwrap();
            assert_eq!(flags(), [Some(i64::from(enable)), before[1]]);
        }
        let missing = ConnId::from_bytes(b"missing").unwrap();
        test.run(|tx| tx.set_connection_ntfs(&missing, false)).unwrap();
        assert_eq!(flags(), [Some(1), before[1]]);
    });
}
