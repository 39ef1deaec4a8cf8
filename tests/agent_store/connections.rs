//! Creating connections, and giving queues to them (section 4.4).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;

use crate::connection_fixture::{new_conn_data, new_rcv_queue, new_snd_queue};
use crate::fixture::{TestStore, on_each};

const SUBSCRIBE: SubscriptionMode = SubscriptionMode::Subscribe;

fn create(
    test: &TestStore,
    data: &NewConnData,
    mode: ConnectionMode,
) -> Result<ConnId, StoreError> {
    test.run(|tx| tx.create_new_conn(&mut rand::rng(), data, mode))
}

fn bad_type<T>(context: &'static str, found: ConnType) -> Result<T, StoreError> {
    Err(StoreError::BadConnType { context, found })
}

fn conn_type(test: &TestStore, conn_id: &ConnId) -> Result<ConnType, StoreError> {
    test.run(|tx| Ok(tx.get_conn(conn_id)?.conn_type()))
}

#[test]
fn f016_a_connection_has_what_it_was_given_and_defaults_for_the_rest() {
    on_each(|test| {
        let data = NewConnData {
            pq_support: true,
            enable_ntfs: false,
            ..new_conn_data(test.user(), "connection")
        };
        let made = create(test, &data, ConnectionMode::Contact).unwrap();
        assert_eq!(Some(&made), data.conn_id.as_ref());
        let columns = "SELECT conn_mode, user_id, smp_agent_version, enable_ntfs, pq_support,
             duplex_handshake, last_internal_msg_id, last_external_snd_msg_id, deleted,
             ratchet_sync_state FROM connections WHERE conn_id = $1 AND deleted_at_wait_delivery IS NULL";
        let rows = test.query(columns, &[&made], |row| {
            Ok((
                row.next::<String>("connections.conn_mode")?,
                row.next::<UserId>("connections.user_id")?,
                row.next::<i64>("connections.smp_agent_version")?,
                row.next::<bool>("connections.enable_ntfs")?,
                row.next::<bool>("connections.pq_support")?,
                row.next::<i64>("connections.duplex_handshake")?,
                row.next::<i64>("connections.last_internal_msg_id")?,
                row.next::<i64>("connections.last_external_snd_msg_id")?,
                row.next::<bool>("connections.deleted")?,
                row.next::<String>("connections.ratchet_sync_state")?,
            ))
        });
        let expected =
            ("CON".to_owned(), data.user_id, 7, false, true, 1, 0, 0, false, "ok".to_owned());
        assert_eq!(rows, [expected]);
    });
}

#[test]
fn f016_as38_without_an_id_a_connection_gets_a_random_one() {
    on_each(|test| {
        let data = NewConnData { conn_id: None, ..new_conn_data(test.user(), "") };
        let made = [(); 2].map(|()| create(test, &data, ConnectionMode::Invitation).unwrap());
        assert_ne!(made[0], made[1]);
        for id in &made {
            assert_eq!(id.as_bytes().len(), 16);
            assert_eq!(conn_type(test, id), Ok(ConnType::New));
        }
        let nobody = NewConnData { user_id: UserId(99), ..data };
        let refused = create(test, &nobody, ConnectionMode::Invitation);
        assert_eq!(refused, Err(StoreError::UniqueId), "AS-40: any constraint counts");
    });
}

#[test]
fn f016_a_given_id_that_is_taken_is_refused_and_the_transaction_goes_on() {
    on_each(|test| {
        let data = new_conn_data(test.user(), "taken");
        let invitation = ConnectionMode::Invitation;
        let first = create(test, &data, invitation).unwrap();
        let nobody = NewConnData { user_id: UserId(99), ..new_conn_data(UserId(99), "nobody's") };
        let answers = test.run(|tx| {
            let rng = &mut rand::rng();
            let taken = tx.create_new_conn(rng, &data, ConnectionMode::Contact);
            let nobodys = tx.create_new_conn(rng, &nobody, invitation);
            let other = NewConnData { conn_id: ConnId::from_bytes(b"other"), ..data.clone() };
            tx.create_new_conn(rng, &other, invitation)?;
            Ok([taken, nobodys].map(|answer| answer.map_err(|error| error.into_answer())))
        });
        let duplicate = || Err(StoreError::ConnDuplicate);
        assert_eq!(answers, Ok([duplicate(), duplicate()]));
        let mut ids = test.run(|tx| tx.get_conn_ids()).unwrap();
        ids.sort();
        assert_eq!(ids, [ConnId::from_bytes(b"other").unwrap(), first]);
    });
}

#[test]
fn f019_a_connection_is_made_together_with_its_send_queue() {
    on_each(|test| {
        let user = test.user();
        let queue = test.snd_connection(user, "joining");
        assert_eq!((queue.user_id, queue.number()), (user, QueueNumber(1)));
        let conn = test.run(|tx| tx.get_conn(&queue.conn_id)).unwrap();
        assert_eq!(conn.queues, ConnQueues::Snd(queue));
        let random = NewConnData { conn_id: None, ..new_conn_data(user, "") };
        let made = test.run(|tx| {
            tx.create_snd_conn(&mut rand::rng(), &random, &new_snd_queue("with a random id"))
        });
        let (conn_id, queue) = made.unwrap();
        assert_eq!((conn_id.as_bytes().len(), &queue.conn_id), (16, &conn_id));
        assert_eq!(conn_type(test, &conn_id), Ok(ConnType::Snd));
    });
}

#[test]
fn f019_as42_a_confirmed_send_queue_is_not_taken_and_nothing_is_written() {
    on_each(|test| {
        let user = test.user();
        let queue = test.snd_connection(user, "first");
        let again = |data: &NewConnData| {
            let queue = NewSndQueue { e2e_pub_key: None, ..new_snd_queue("first") };
            test.run(|tx| tx.create_snd_conn(&mut rand::rng(), data, &queue))
        };
        for status in ["confirmed", "active"] {
            test.execute("UPDATE snd_queues SET status = $1", &[&status]);
            let refused = again(&new_conn_data(user, "second"));
            assert_eq!(refused, Err(StoreError::SndQueueExists), "{status}");
        }
        assert_eq!(test.run(|tx| tx.get_conn_ids()), Ok(vec![queue.conn_id.clone()]));
        let stored = test.run(|tx| tx.get_snd_queue_by_id(&queue.conn_id, QueueNumber(1)));
        assert_eq!(stored, Ok(SndQueue { status: QueueStatus::Active, ..queue.clone() }));

        test.execute("UPDATE snd_queues SET status = 'new'", &[]);
        let taken = again(&new_conn_data(user, "first"));
        assert_eq!(taken, Err(StoreError::ConnDuplicate), "the connection is there");
        let (conn_id, _) = again(&new_conn_data(user, "second")).unwrap();
        assert_eq!(conn_type(test, &conn_id), Ok(ConnType::Snd), "a new queue is taken over");
        assert_eq!(conn_type(test, &queue.conn_id), Ok(ConnType::New));
    });
}

#[test]
fn f019_a_refused_connection_leaves_nothing() {
    on_each(|test| {
        let nobody = new_conn_data(UserId(99), "nobody's");
        let random = NewConnData { conn_id: None, ..nobody.clone() };
        for (data, answer) in [(nobody, StoreError::ConnDuplicate), (random, StoreError::UniqueId)]
        {
            let queue = new_snd_queue("queue");
            let refused = test.run(|tx| tx.create_snd_conn(&mut rand::rng(), &data, &queue));
            assert_eq!(refused, Err(answer));
        }
        let left = test.query("SELECT conn_id FROM snd_queues", &[], |row| {
            row.next::<ConnId>("snd_queues.conn_id")
        });
        assert_eq!(left, []);
    });
}

#[test]
fn f017_as41_q3_a_retry_makes_a_second_queue_of_a_connection_that_loads_with_the_first() {
    on_each(|test| {
        let first = test.rcv_connection(test.user(), "offering");
        let conn_id = &first.conn_id;
        let again = |name: &str| {
            let queue = new_rcv_queue(name);
            test.run(|tx| tx.update_new_conn_rcv(conn_id, &queue, SUBSCRIBE))
        };
        let second = again("another").unwrap();
        assert_eq!((first.number(), second.number()), (QueueNumber(1), QueueNumber(2)));
        let conn = test.run(|tx| tx.get_conn(conn_id)).unwrap();
        assert_eq!(conn.queues, ConnQueues::Rcv(first.clone()));
        let same = again("offering");
        assert!(matches!(same, Err(StoreError::Internal(_))), "there is no upsert: {same:?}");
    });
}

#[test]
fn f017_f018_only_connections_without_queues_of_the_other_direction_get_their_first() {
    on_each(|test| {
        let user = test.user();
        let (snd, (duplex, _)) = (test.snd_connection(user, "s"), test.duplex(user, "d"));
        let (rcv, contact) = (test.rcv_connection(user, "r"), test.contact(user, "c"));
        let rcv_queue = |conn_id: &ConnId| {
            let queue = new_rcv_queue("more");
            test.run(|tx| tx.update_new_conn_rcv(conn_id, &queue, SUBSCRIBE))
        };
        let snd_queue = |conn_id: &ConnId| {
            let queue = new_snd_queue("more");
            test.run(|tx| tx.update_new_conn_snd(conn_id, &queue))
        };
        for (conn_id, found) in [
            (&snd.conn_id, ConnType::Snd),
            (&duplex.conn_id, ConnType::Duplex),
            (&contact.conn_id, ConnType::Contact),
        ] {
            assert_eq!(rcv_queue(conn_id), bad_type("updateNewConnRcv", found));
            assert_eq!(snd_queue(conn_id), bad_type("updateNewConnSnd", found));
        }
        assert_eq!(snd_queue(&rcv.conn_id), bad_type("updateNewConnSnd", ConnType::Rcv));
        let missing = ConnId::from_bytes(b"missing").unwrap();
        assert_eq!(rcv_queue(&missing), Err(StoreError::ConnNotFound));
        assert_eq!(snd_queue(&missing), Err(StoreError::ConnNotFound));

        let made = test.new_connection(user, "n");
        let queue = snd_queue(&made).unwrap();
        let conn = test.run(|tx| tx.get_conn(&made)).unwrap();
        assert_eq!(conn.queues, ConnQueues::Snd(queue));
    });
}

#[test]
fn f053_f054_a_connection_in_one_direction_gets_the_other() {
    on_each(|test| {
        let user = test.user();
        let (rcv, snd) = (test.rcv_connection(user, "r"), test.snd_connection(user, "s"));
        let with_snd = |conn_id: &ConnId| {
            let queue = new_snd_queue("upgraded");
            test.run(|tx| tx.upgrade_rcv_conn_to_duplex(conn_id, &queue))
        };
        let with_rcv = |conn_id: &ConnId| {
            let queue = new_rcv_queue("upgraded");
            test.run(|tx| tx.upgrade_snd_conn_to_duplex(conn_id, &queue, SUBSCRIBE))
        };
        let (bare, contact) = (test.new_connection(user, "n"), test.contact(user, "c"));
        for (conn_id, found) in [(&bare, ConnType::New), (&contact.conn_id, ConnType::Contact)] {
            assert_eq!(with_snd(conn_id), bad_type("upgradeRcvConnToDuplex", found));
            assert_eq!(with_rcv(conn_id), bad_type("upgradeSndConnToDuplex", found));
        }
        assert_eq!(with_snd(&snd.conn_id), bad_type("upgradeRcvConnToDuplex", ConnType::Snd));
        assert_eq!(with_rcv(&rcv.conn_id), bad_type("upgradeSndConnToDuplex", ConnType::Rcv));

        for queues in [
            (&rcv.conn_id, vec![rcv.clone()], vec![with_snd(&rcv.conn_id).unwrap()]),
            (&snd.conn_id, vec![with_rcv(&snd.conn_id).unwrap()], vec![snd.clone()]),
        ] {
            let (conn_id, rcv, snd) = queues;
            let conn = test.run(|tx| tx.get_conn(conn_id)).unwrap();
            let (rcv, snd) = (Queues::new(rcv).unwrap(), Queues::new(snd).unwrap());
            assert_eq!(conn.queues, ConnQueues::Duplex(rcv, snd));
            let found = ConnType::Duplex;
            assert_eq!(with_snd(conn_id), bad_type("upgradeRcvConnToDuplex", found));
            assert_eq!(with_rcv(conn_id), bad_type("upgradeSndConnToDuplex", found));
        }
    });
}

#[test]
fn f055_f056_queues_are_added_to_connections_in_both_directions_only() {
    on_each(|test| {
        let user = test.user();
        let (rcv, snd) = test.duplex(user, "d");
        let more_rcv = test.more_rcv(&rcv.conn_id, "more", false, None);
        let more_snd = test.more_snd(&rcv.conn_id, "more", false, None);
        assert_eq!((more_rcv.number(), more_snd.number()), (QueueNumber(2), QueueNumber(2)));
        let conn = test.run(|tx| tx.get_conn(&rcv.conn_id)).unwrap();
        let rcvs = Queues::new(vec![rcv, more_rcv]).unwrap();
        let snds = Queues::new(vec![snd, more_snd]).unwrap();
        assert_eq!(conn.queues, ConnQueues::Duplex(rcvs, snds));

        let others = [
            (test.new_connection(user, "n"), ConnType::New),
            (test.rcv_connection(user, "r").conn_id, ConnType::Rcv),
            (test.snd_connection(user, "s").conn_id, ConnType::Snd),
            (test.contact(user, "c").conn_id, ConnType::Contact),
        ];
        for (conn_id, found) in &others {
            let queue = new_rcv_queue("refused");
            let added = test.run(|tx| tx.add_conn_rcv_queue(conn_id, &queue, SUBSCRIBE));
            assert_eq!(added, bad_type("addConnRcvQueue", *found));
            let queue = new_snd_queue("refused");
            let added = test.run(|tx| tx.add_conn_snd_queue(conn_id, &queue));
            assert_eq!(added, bad_type("addConnSndQueue", *found));
        }
    });
}

#[test]
fn as55_queues_are_not_added_to_connections_that_are_not_found() {
    on_each(|test| {
        let (deleted, _) = test.duplex(test.user(), "deleted");
        test.execute("UPDATE connections SET deleted = 1", &[]);
        for conn_id in [deleted.conn_id, ConnId::from_bytes(b"missing").unwrap()] {
            let (rcv, snd) = (new_rcv_queue("more"), new_snd_queue("more"));
            let rcvs = [
                test.run(|tx| tx.update_new_conn_rcv(&conn_id, &rcv, SUBSCRIBE)),
                test.run(|tx| tx.upgrade_snd_conn_to_duplex(&conn_id, &rcv, SUBSCRIBE)),
                test.run(|tx| tx.add_conn_rcv_queue(&conn_id, &rcv, SUBSCRIBE)),
            ];
            assert_eq!(rcvs, [(); 3].map(|()| Err(StoreError::ConnNotFound)));
            let snds = [
                test.run(|tx| tx.update_new_conn_snd(&conn_id, &snd)),
                test.run(|tx| tx.upgrade_rcv_conn_to_duplex(&conn_id, &snd)),
                test.run(|tx| tx.add_conn_snd_queue(&conn_id, &snd)),
            ];
            assert_eq!(snds, [(); 3].map(|()| Err(StoreError::ConnNotFound)));
        }
    });
}
