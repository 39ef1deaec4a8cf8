//! Inserting queues, reading their rows, and finding single ones (section 4.4).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;
use simplex_stores::protocol::DhSecret;

use crate::connection_fixture::{new_rcv_queue, new_snd_queue, ntf_creds, short_link, smp_server};
use crate::fixture::{TestStore, on_each, on_each_with, server};

const SUBSCRIBE: SubscriptionMode = SubscriptionMode::Subscribe;

fn insert_rcv(
    test: &TestStore,
    conn_id: &ConnId,
    queue: &NewRcvQueue,
) -> Result<RcvQueue, StoreError> {
    test.run(|tx| tx.add_conn_rcv_queue(conn_id, queue, SUBSCRIBE))
}

fn insert_snd(
    test: &TestStore,
    conn_id: &ConnId,
    queue: &NewSndQueue,
) -> Result<SndQueue, StoreError> {
    test.run(|tx| tx.add_conn_snd_queue(conn_id, queue))
}

/// A receive queue with everything that one may have.
fn full_rcv_queue(name: &str) -> NewRcvQueue {
    NewRcvQueue {
        e2e_dh_secret: Some(DhSecret::new([14; 32])),
        queue_mode: Some(QueueMode::Contact),
        short_link: Some(short_link(name)),
        rcv_service_assoc: true,
        status: QueueStatus::Secured,
        primary: false,
        db_replace_queue_id: Some(QueueNumber(1)),
        client_ntf_creds: Some(ntf_creds(name)),
        ..new_rcv_queue(name)
    }
}

#[test]
fn as19_as43_a_new_queue_is_stored_with_all_its_fields_and_comes_back() {
    on_each(|test| {
        let user_id = test.user();
        let (first, _) = test.duplex(user_id, "d");
        let new = full_rcv_queue("full");
        assert_eq!((new.entity(), first.entity()), (NewEntity, StoredEntity(1)));
        let stored = insert_rcv(test, &first.conn_id, &new).unwrap();
        let expected = RcvQueue {
            user_id,
            conn_id: first.conn_id,
            server: new.server,
            rcv_id: new.rcv_id,
            rcv_private_key: new.rcv_private_key,
            rcv_dh_secret: new.rcv_dh_secret,
            e2e_priv_key: new.e2e_priv_key,
            e2e_dh_secret: new.e2e_dh_secret,
            snd_id: new.snd_id,
            queue_mode: new.queue_mode,
            short_link: new.short_link,
            rcv_service_assoc: true,
            status: QueueStatus::Secured,
            enable_ntfs: true,
            client_notice_id: None,
            db_queue_id: StoredEntity(2),
            primary: false,
            db_replace_queue_id: Some(QueueNumber(1)),
            rcv_switch_status: None,
            smp_client_version: new.smp_client_version,
            client_ntf_creds: new.client_ntf_creds,
            delete_errors: 0,
        };
        assert_eq!(stored, expected);
        let found =
            test.run(|tx| tx.get_rcv_queue_by_id(&expected.conn_id, QueueNumber(2))).unwrap();
        assert_eq!(found, expected);
    });
}

#[test]
fn as44_the_row_of_a_receive_queue_has_the_documented_forms() {
    on_each(|test| {
        let (first, _) = test.duplex(test.user(), "d");
        let queue = insert_rcv(test, &first.conn_id, &full_rcv_queue("full")).unwrap();
        let columns = "SELECT rcv_private_key, rcv_dh_secret, e2e_priv_key, link_key,
             link_priv_sig_key, link_enc_fixed_data, ntf_public_key, ntf_private_key,
             rcv_ntf_dh_secret, queue_mode, status, host, port
             FROM rcv_queues WHERE rcv_id = $1";
        let rows = test.query(columns, &[&queue.rcv_id], |row| {
            let mut blobs: Vec<Vec<u8>> = Vec::new();
            for column in [
                "q.rcv_private_key",
                "q.rcv_dh_secret",
                "q.e2e_priv_key",
                "q.link_key",
                "q.link_priv_sig_key",
                "q.link_enc_fixed_data",
                "q.ntf_public_key",
                "q.ntf_private_key",
                "q.rcv_ntf_dh_secret",
            ] {
                blobs.push(row.next(column)?);
            }
            let mut texts: Vec<String> = Vec::new();
            for column in ["q.queue_mode", "q.status", "q.host", "q.port"] {
                texts.push(row.next(column)?);
            }
            Ok((blobs, texts))
        });
        let private = |oid: u8, key: u8| {
            let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, oid, 4, 0x22, 4, 0x20];
            [&head[..], &[key; 32]].concat()
        };
        let public = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], &[10; 32]];
        let (x25519, ed25519) = (0x6e, 0x70);
        let blobs = vec![
            private(ed25519, 2),
            vec![3; 32],
            private(x25519, 4),
            vec![8; 32],
            private(ed25519, 9),
            b"fixed data".to_vec(),
            public.concat(),
            private(ed25519, 11),
            vec![12; 32],
        ];
        let texts = ["C", "secured", "smp.example,abc.onion", "5223"].map(str::to_owned).to_vec();
        assert_eq!(rows, [(blobs, texts)]);
    });
}

#[test]
fn as44_what_a_new_queue_does_not_have_begins_at_its_default() {
    on_each(|test| {
        let (first, _) = test.duplex(test.user(), "d");
        let only_create = new_rcv_queue("later");
        let mode = SubscriptionMode::OnlyCreate;
        test.run(|tx| tx.add_conn_rcv_queue(&first.conn_id, &only_create, mode)).unwrap();
        let rows = "SELECT rcv_queue_id, to_subscribe FROM rcv_queues
            WHERE deleted = 0 AND delete_errors = 0 AND switch_status IS NULL
              AND last_broker_ts IS NULL AND client_notice_id IS NULL AND server_key_hash IS NULL
              AND link_id IS NULL AND link_key IS NULL AND link_priv_sig_key IS NULL
              AND link_enc_fixed_data IS NULL AND ntf_public_key IS NULL
              AND ntf_private_key IS NULL AND ntf_id IS NULL AND rcv_ntf_dh_secret IS NULL
              AND replace_rcv_queue_id IS NULL AND e2e_dh_secret IS NULL
            ORDER BY rcv_queue_id";
        let rows = test.query(rows, &[], |row| {
            Ok((row.next::<i64>("q.rcv_queue_id")?, row.next::<bool>("q.to_subscribe")?))
        });
        assert_eq!(rows, [(1, false), (2, true)]);
    });
}

#[test]
fn as24_the_root_key_is_not_stored() {
    on_each(|test| {
        let (first, _) = test.duplex(test.user(), "d");
        let link_root_sig_key = Some(Ed25519PublicKey::new([15; 32]));
        let link = ShortLinkCreds { link_root_sig_key, ..short_link("rooted") };
        let queue = NewRcvQueue { short_link: Some(link.clone()), ..new_rcv_queue("rooted") };
        let made = insert_rcv(test, &first.conn_id, &queue).unwrap();
        assert_eq!(made.short_link, Some(link));
        let found = test.run(|tx| tx.get_rcv_queue_by_id(&made.conn_id, made.number()));
        assert_eq!(found.unwrap().short_link, Some(short_link("rooted")));
    });
}

#[test]
fn credentials_are_there_when_all_their_columns_are() {
    on_each(|test| {
        let (first, _) = test.duplex(test.user(), "d");
        let queue = insert_rcv(test, &first.conn_id, &full_rcv_queue("full")).unwrap();
        let found = || {
            let found = test.run(|tx| tx.get_rcv_queue_by_id(&queue.conn_id, queue.number()));
            let found = found.unwrap();
            (found.short_link.is_some(), found.client_ntf_creds.is_some())
        };
        assert_eq!(found(), (true, true));
        test.execute("UPDATE rcv_queues SET link_key = NULL", &[]);
        assert_eq!(found(), (false, true));
        test.execute("UPDATE rcv_queues SET ntf_id = NULL", &[]);
        assert_eq!(found(), (false, false));
    });
}

#[test]
fn as43_a_number_is_the_highest_of_the_connection_and_one_more() {
    on_each(|test| {
        let user = test.user();
        let (rcv, snd) = test.duplex(user, "d");
        let (other, _) = test.duplex(user, "other");
        assert_eq!((rcv.number(), snd.number(), other.number()).0, QueueNumber(1));
        assert_eq!(other.number(), QueueNumber(1));
        let id = &rcv.conn_id;
        for number in [2, 3] {
            let name = format!("queue {number}");
            let rcv = test.more_rcv(id, &name, false, None);
            let snd = test.more_snd(id, &name, false, None);
            assert_eq!((rcv.number().0, snd.number().0), (number, number));
        }
        test.execute("DELETE FROM rcv_queues WHERE rcv_queue_id = 2", &[]);
        test.execute("DELETE FROM snd_queues WHERE snd_queue_id = 3", &[]);
        let rcv = test.more_rcv(id, "after", false, None);
        let snd = test.more_snd(id, "after", false, None);
        assert_eq!((rcv.number().0, snd.number().0), (4, 3));
    });
}

#[test]
fn as44_q3_a_receive_queue_is_never_written_over_another() {
    on_each(|test| {
        let (first, _) = test.duplex(test.user(), "d");
        let id = &first.conn_id;
        let fresh = new_rcv_queue("fresh");
        let same_rcv_id = NewRcvQueue { rcv_id: first.rcv_id.clone(), ..fresh.clone() };
        let same_snd_id = NewRcvQueue { snd_id: first.snd_id.clone(), ..fresh.clone() };
        for queue in [same_rcv_id, same_snd_id, new_rcv_queue("d")] {
            let refused = insert_rcv(test, id, &queue);
            assert!(matches!(refused, Err(StoreError::Internal(_))), "{refused:?}");
        }
        let elsewhere = server("smp2.example", "5223", &[1; 32]);
        let queue = NewRcvQueue { server: elsewhere, ..new_rcv_queue("d") };
        assert!(insert_rcv(test, id, &queue).is_ok(), "ids are of one router");
    });
}

#[test]
fn as31_as37_a_queue_keeps_a_fingerprint_that_differs_from_its_router_s() {
    on_each(|test| {
        let (first, _) = test.duplex(test.user(), "d");
        let id = &first.conn_id;
        let other = server("smp.example,abc.onion", "5223", &[2; 32]);
        let rcv = NewRcvQueue { server: other.clone(), ..new_rcv_queue("other") };
        let snd = NewSndQueue { server: other.clone(), ..new_snd_queue("other") };
        let (rcv, snd) = (insert_rcv(test, id, &rcv), insert_snd(test, id, &snd));
        assert_eq!((&rcv.unwrap().server, &snd.unwrap().server), (&other, &other));
        let found = test.run(|tx| {
            let number = QueueNumber(2);
            Ok((tx.get_rcv_queue_by_id(id, number)?, tx.get_snd_queue_by_id(id, number)?))
        });
        let (rcv, snd) = found.unwrap();
        assert_eq!((&rcv.server, &snd.server), (&other, &other));
        let overrides = test.query(
            "SELECT server_key_hash FROM rcv_queues ORDER BY rcv_queue_id",
            &[],
            |row| row.next::<Option<KeyHash>>("rcv_queues.server_key_hash"),
        );
        assert_eq!(overrides, [None, Some(other.key_hash)]);
    });
}

/// A send queue that differs from one called so in everything but its address.
fn another_snd_queue(name: &str) -> NewSndQueue {
    NewSndQueue {
        server: server("smp.example,abc.onion", "5223", &[2; 32]),
        queue_mode: None,
        snd_private_key: simplex_stores::protocol::ntf::AuthPrivateKey::Ed25519([16; 32]),
        e2e_pub_key: None,
        e2e_dh_secret: DhSecret::new([17; 32]),
        status: QueueStatus::Confirmed,
        primary: false,
        db_replace_queue_id: Some(QueueNumber(1)),
        smp_client_version: SmpClientVersion(3),
        ..new_snd_queue(name)
    }
}

#[test]
fn as43_as45_a_send_queue_is_written_over_the_one_that_is_there_and_keeps_its_number() {
    on_each(|test| {
        let user_id = test.user();
        let (rcv, _) = test.duplex(user_id, "d");
        let conn_id = rcv.conn_id;
        let queue = test.more_snd(&conn_id, "again", true, None);
        test.more_snd(&conn_id, "last", false, None);
        test.execute("UPDATE snd_queues SET switch_status = 'sending_qkey'", &[]);
        let new = another_snd_queue("again");
        let written = insert_snd(test, &conn_id, &new).unwrap();
        let expected = SndQueue {
            user_id,
            conn_id,
            server: new.server,
            snd_id: queue.snd_id,
            queue_mode: None,
            snd_private_key: new.snd_private_key,
            e2e_pub_key: None,
            e2e_dh_secret: new.e2e_dh_secret,
            status: QueueStatus::Confirmed,
            db_queue_id: StoredEntity(2),
            primary: false,
            db_replace_queue_id: Some(QueueNumber(1)),
            snd_switch_status: Some(SndSwitchStatus::SendingQkey),
            smp_client_version: SmpClientVersion(3),
        };
        assert_eq!(written, expected, "a switch's status stays");
        let found = test.run(|tx| tx.get_snd_queue_by_id(&expected.conn_id, QueueNumber(2)));
        assert_eq!(found, Ok(expected));
    });
}

/// Adds a send queue in each of the ways that don't begin with a connection of its own.
fn in_each_way(
    test: &TestStore,
    user: UserId,
    queue: &NewSndQueue,
) -> [(ConnId, Result<SndQueue, StoreError>); 3] {
    let new = test.new_connection(user, "new");
    let rcv = test.rcv_connection(user, "receiving").conn_id;
    let duplex = test.duplex(user, "duplex").0.conn_id;
    let answers = [
        test.run(|tx| tx.update_new_conn_snd(&new, queue)),
        test.run(|tx| tx.upgrade_rcv_conn_to_duplex(&rcv, queue)),
        test.run(|tx| tx.add_conn_snd_queue(&duplex, queue)),
    ];
    let mut ids = [new, rcv, duplex].into_iter();
    answers.map(|answer| (ids.next().unwrap(), answer))
}

#[test]
fn as45_q16_a_confirmed_send_queue_is_never_taken_over() {
    on_each(|test| {
        let user = test.user();
        let owner = test.snd_connection(user, "owner");
        test.execute("UPDATE snd_queues SET status = 'confirmed'", &[]);
        let hosts =
            || test.query("SELECT host FROM servers", &[], |row| row.next::<String>("s.host"));
        for (_, answer) in in_each_way(test, user, &another_snd_queue("owner")) {
            assert_eq!(answer, Err(StoreError::SndQueueExists));
        }
        let found = test.run(|tx| tx.get_snd_queue_by_id(&owner.conn_id, owner.number()));
        let confirmed = SndQueue { status: QueueStatus::Confirmed, ..owner.clone() };
        assert_eq!(found, Ok(confirmed));
        assert_eq!(hosts(), ["smp.example,abc.onion"]);
        // Nor by its own connection, which would lose the keys that the peer knows.
        let own = test.run(|tx| {
            tx.upgrade_snd_conn_to_duplex(&owner.conn_id, &new_rcv_queue("owner"), SUBSCRIBE)?;
            tx.add_conn_snd_queue(&owner.conn_id, &another_snd_queue("owner"))
        });
        assert_eq!(own, Err(StoreError::SndQueueExists));
    });
}

#[test]
fn as45_q16_a_send_queue_that_is_still_new_is_taken_over() {
    on_each(|test| {
        let user = test.user();
        test.snd_connection(user, "owner");
        let still_new = NewSndQueue { status: QueueStatus::New, ..another_snd_queue("owner") };
        for (conn_id, answer) in in_each_way(test, user, &still_new) {
            assert_eq!(answer.unwrap().conn_id, conn_id);
        }
    });
}

#[test]
fn as45_q16_under_reference_any_send_queue_is_taken_over() {
    on_each_with(Semantics::Reference, |test| {
        let user = test.user();
        let owner = test.snd_connection(user, "owner");
        test.execute("UPDATE snd_queues SET status = 'active'", &[]);
        let answers = in_each_way(test, user, &another_snd_queue("owner"));
        for (conn_id, answer) in &answers {
            assert_eq!(&answer.as_ref().unwrap().conn_id, conn_id);
        }
        let [_, _, (last, taken)] = answers;
        let taken = taken.unwrap();
        let found = test.run(|tx| tx.get_snd_queue_by_id(&last, taken.number()));
        assert_eq!(found, Ok(taken));
        let conn = test.run(|tx| tx.get_conn(&owner.conn_id)).unwrap();
        assert_eq!(conn.queues, ConnQueues::New);
    });
}

#[test]
fn f049_f050_a_queue_is_found_by_its_number() {
    on_each(|test| {
        let user = test.user();
        let (rcv, snd) = test.duplex(user, "d");
        let bare = test.new_connection(user, "n");
        let rcv_by =
            |id: &ConnId, number| test.run(|tx| tx.get_rcv_queue_by_id(id, QueueNumber(number)));
        let snd_by =
            |id: &ConnId, number| test.run(|tx| tx.get_snd_queue_by_id(id, QueueNumber(number)));
        let id = &rcv.conn_id;
        assert_eq!((rcv_by(id, 1), snd_by(id, 1)), (Ok(rcv.clone()), Ok(snd.clone())));
        let not_found = StoreError::ConnNotFound;
        for (id, number) in [(id, 2), (id, 0), (&bare, 1)] {
            assert_eq!(rcv_by(id, number), Err(not_found.clone()));
            assert_eq!(snd_by(id, number), Err(not_found.clone()));
        }
        test.execute("UPDATE rcv_queues SET deleted = 1", &[]);
        assert_eq!(rcv_by(id, 1), Err(not_found));
    });
}

#[test]
fn f068_the_primary_receive_queue_is_the_first_that_is_not_marked() {
    on_each(|test| {
        let (rcv, _) = test.duplex(test.user(), "d");
        let id = &rcv.conn_id;
        let next = test.more_rcv(id, "next", true, Some(1));
        let primary = || test.run(|tx| tx.get_primary_rcv_queue(id));
        assert_eq!(primary(), Ok(rcv.clone()));
        test.execute("UPDATE rcv_queues SET deleted = 1 WHERE rcv_queue_id = 1", &[]);
        assert_eq!(primary(), Ok(next));
        test.execute("UPDATE rcv_queues SET deleted = 1", &[]);
        assert_eq!(primary(), Err(StoreError::ConnNotFound));
    });
}

#[test]
fn f069_f070_a_connection_s_queue_is_found_by_its_address_marked_or_not() {
    on_each(|test| {
        let user = test.user();
        let (rcv, _) = test.duplex(user, "d");
        let other = test.rcv_connection(user, "other");
        let live = |id: &ConnId, server: &SmpServer, rcv_id: &RecipientId| {
            test.run(|tx| tx.get_rcv_queue(id, server, rcv_id))
        };
        let deleted = |id: &ConnId, server: &SmpServer, rcv_id: &RecipientId| {
            test.run(|tx| tx.get_deleted_rcv_queue(id, server, rcv_id))
        };
        let at = server("smp.example,abc.onion", "5223", &[9; 32]);
        let not_found = || Err(StoreError::ConnNotFound);
        let id = &rcv.conn_id;
        assert_eq!(live(id, &at, &rcv.rcv_id), Ok(rcv.clone()), "Q-14: whatever the fingerprint");
        assert_eq!(deleted(id, &at, &rcv.rcv_id), not_found());
        assert_eq!(live(&other.conn_id, &at, &rcv.rcv_id), not_found(), "another's");
        let elsewhere = server("smp.example", "5223", &[1; 32]);
        assert_eq!(live(id, &elsewhere, &rcv.rcv_id), not_found());
        assert_eq!(live(id, &at, &other.rcv_id), not_found());
        test.execute("UPDATE rcv_queues SET deleted = 1", &[]);
        assert_eq!(live(id, &at, &rcv.rcv_id), not_found());
        assert_eq!(deleted(id, &smp_server(), &rcv.rcv_id), Ok(rcv.clone()));
        assert_eq!(deleted(id, &elsewhere, &rcv.rcv_id), not_found());
    });
}

#[test]
fn what_older_versions_left_out_is_read() {
    on_each(|test| {
        let (rcv, _) = test.duplex(test.user(), "d");
        test.execute("UPDATE rcv_queues SET smp_client_version = NULL, queue_mode = NULL", &[]);
        let expected =
            RcvQueue { smp_client_version: SmpClientVersion(1), queue_mode: None, ..rcv.clone() };
        let found = test.run(|tx| tx.get_primary_rcv_queue(&rcv.conn_id));
        assert_eq!(found, Ok(expected));
    });
}

#[test]
fn as23_switches_notices_and_failed_deletions_are_read() {
    on_each(|test| {
        let (rcv, _) = test.duplex(test.user(), "d");
        test.execute(
            "INSERT INTO client_notices (protocol, host, port, entity_id, created_at, updated_at)
             VALUES ('smp', 'smp.example,abc.onion', '5223', $1, 1, 1)",
            &[&rcv.rcv_id],
        );
        test.execute(
            "UPDATE rcv_queues SET delete_errors = 3, switch_status = 'sending_quse',
               client_notice_id = 1",
            &[],
        );
        let expected = RcvQueue {
            delete_errors: 3,
            rcv_switch_status: Some(RcvSwitchStatus::SendingQuse),
            client_notice_id: Some(NoticeId(1)),
            ..rcv.clone()
        };
        let found = test.run(|tx| tx.get_primary_rcv_queue(&rcv.conn_id));
        assert_eq!(found, Ok(expected));
    });
}

#[test]
fn a_cell_that_cannot_be_read_names_its_column() {
    on_each(|test| {
        let (rcv, snd) = test.duplex(test.user(), "d");
        let spoil = |statement: &'static str, column: &str| {
            let error = test.run(|tx| {
                let sql = simplex_stores::db::Sql::new("a test's statement", statement);
                tx.statements().execute(&sql, &[&&b"wrong"[..]])?;
                tx.get_rcv_queue_by_id(&rcv.conn_id, rcv.number())?;
                tx.get_snd_queue_by_id(&snd.conn_id, snd.number())
            });
            match error {
                Err(StoreError::Internal(text)) => assert!(text.contains(column), "{text}"),
                other => panic!("{column}: {other:?}"),
            }
        };
        spoil("UPDATE rcv_queues SET rcv_private_key = $1", "rcv_queues.rcv_private_key");
        spoil("UPDATE rcv_queues SET rcv_dh_secret = $1", "rcv_queues.rcv_dh_secret");
        spoil("UPDATE rcv_queues SET e2e_priv_key = $1", "rcv_queues.e2e_priv_key");
        spoil("UPDATE rcv_queues SET link_priv_sig_key = $1", "rcv_queues.link_priv_sig_key");
        spoil("UPDATE rcv_queues SET ntf_public_key = $1", "rcv_queues.ntf_public_key");
        spoil("UPDATE snd_queues SET snd_private_key = $1", "snd_queues.snd_private_key");
        spoil("UPDATE snd_queues SET e2e_pub_key = $1", "snd_queues.e2e_pub_key");
        spoil("UPDATE snd_queues SET e2e_dh_secret = $1", "snd_queues.e2e_dh_secret");
        spoil("UPDATE servers SET key_hash = $1", "servers.key_hash");
    });
}

#[test]
fn keys_of_one_algorithm_are_read_from_their_own_form_only() {
    let public = X25519PublicKey::new([1; 32]);
    assert_eq!(X25519PublicKey::from_der(&public.to_der()), Some(public.clone()));
    assert_eq!(Ed25519PublicKey::from_der(&public.to_der()), None);
    let private = Ed25519PrivateKey::new([1; 32]);
    assert_eq!(Ed25519PrivateKey::from_der(&private.to_der()), Some(private.clone()));
    assert_eq!(Ed25519PrivateKey::from_der(&public.to_der()), None);
    assert_eq!(Ed25519PrivateKey::from_der(&private.to_der()[..47]), None);
}
