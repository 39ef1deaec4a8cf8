//! Loading connections (section 4.4).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;

use crate::connection_fixture::{new_conn_data, smp_server};
use crate::fixture::{Place, TestStore, on_each, on_each_with, server};

fn load(test: &TestStore, conn_id: &ConnId) -> Result<Conn, StoreError> {
    test.run(|tx| tx.get_conn(conn_id))
}

fn queues(test: &TestStore, conn_id: &ConnId) -> ConnQueues {
    load(test, conn_id).unwrap().queues
}

fn mark_queues_deleted(test: &TestStore, conn_id: &ConnId) {
    test.execute("UPDATE rcv_queues SET deleted = 1 WHERE conn_id = $1", &[conn_id]);
}

fn mark_deleted(test: &TestStore, conn_id: &ConnId) {
    test.execute("UPDATE connections SET deleted = 1 WHERE conn_id = $1", &[conn_id]);
}

#[test]
fn f030_as50_the_kind_follows_from_the_queues() {
    on_each(|test| {
        let user = test.user();
        let new = test.new_connection(user, "n");
        assert_eq!(queues(test, &new), ConnQueues::New);
        let rcv = test.rcv_connection(user, "r");
        assert_eq!(queues(test, &rcv.conn_id), ConnQueues::Rcv(rcv));
        let snd = test.snd_connection(user, "s");
        assert_eq!(queues(test, &snd.conn_id), ConnQueues::Snd(snd));
        let contact = test.contact(user, "c");
        assert_eq!(queues(test, &contact.conn_id), ConnQueues::Contact(contact));
        let (rcv, snd) = test.duplex(user, "d");
        let both = (Queues::new(vec![rcv.clone()]).unwrap(), Queues::new(vec![snd]).unwrap());
        assert_eq!(queues(test, &rcv.conn_id), ConnQueues::Duplex(both.0, both.1));
        let missing = ConnId::from_bytes(b"missing").unwrap();
        assert_eq!(load(test, &missing), Err(StoreError::ConnNotFound));
    });
}

#[test]
fn as50_receive_queues_that_are_marked_as_deleted_do_not_count() {
    on_each(|test| {
        let user = test.user();
        let (rcv, contact) = (test.rcv_connection(user, "r"), test.contact(user, "c"));
        let (duplex, snd) = test.duplex(user, "d");
        for conn_id in [&rcv.conn_id, &contact.conn_id, &duplex.conn_id] {
            mark_queues_deleted(test, conn_id);
        }
        assert_eq!(queues(test, &rcv.conn_id), ConnQueues::New);
        assert_eq!(queues(test, &contact.conn_id), ConnQueues::New);
        assert_eq!(queues(test, &duplex.conn_id), ConnQueues::Snd(snd));
    });
}

#[test]
fn as50_an_address_that_sends_is_no_connection() {
    on_each(|test| {
        let user = test.user();
        let snd = test.snd_connection(user, "s");
        let (duplex, _) = test.duplex(user, "d");
        let ids = [snd.conn_id, duplex.conn_id];
        test.execute("UPDATE connections SET conn_mode = 'CON'", &[]);
        for id in &ids {
            assert_eq!(load(test, id), Err(StoreError::ConnNotFound));
        }
        let many = test.run(|tx| tx.get_conns(&ids)).unwrap();
        assert_eq!(many, [(); 2].map(|()| Err(StoreError::ConnNotFound)));
    });
}

#[test]
fn f029_f030_f031_as21_marked_connections_are_apart_from_the_others() {
    on_each(|test| {
        let user = test.user();
        let (live, deleted) = (test.rcv_connection(user, "live"), test.rcv_connection(user, "del"));
        mark_deleted(test, &deleted.conn_id);
        assert_eq!(test.run(|tx| tx.get_conn_ids()), Ok(vec![live.conn_id.clone()]));
        assert_eq!(load(test, &deleted.conn_id), Err(StoreError::ConnNotFound));
        let of_deleted = |id: &ConnId| test.run(|tx| tx.get_deleted_conn(id));
        assert_eq!(of_deleted(&live.conn_id), Err(StoreError::ConnNotFound));
        let found = of_deleted(&deleted.conn_id).unwrap();
        assert!(found.data.deleted);
        assert_eq!(found.queues, ConnQueues::Rcv(deleted));
    });
}

#[test]
fn f030_the_data_of_a_connection_are_those_of_its_row() {
    on_each(|test| {
        let user_id = test.user();
        let conn_id = test.new_connection(user_id, "connection");
        let expected = ConnData {
            conn_id: conn_id.clone(),
            user_id,
            agent_version: AgentVersion(7),
            enable_ntfs: true,
            last_external_snd_id: ExternalSndId(0),
            deleted: false,
            ratchet_sync_state: RatchetSyncState::Ok,
            pq_support: false,
        };
        assert_eq!(load(test, &conn_id).unwrap().data, expected);
        test.execute(
            "UPDATE connections SET smp_agent_version = 3, enable_ntfs = 0, pq_support = 1,
               last_external_snd_msg_id = 42, ratchet_sync_state = 'required'",
            &[],
        );
        let changed = ConnData {
            agent_version: AgentVersion(3),
            enable_ntfs: false,
            last_external_snd_id: ExternalSndId(42),
            ratchet_sync_state: RatchetSyncState::Required,
            pq_support: true,
            ..expected
        };
        assert_eq!(load(test, &conn_id).unwrap().data, changed);
    });
}

#[test]
fn as32_notifications_are_wanted_where_nothing_is_said() {
    on_each(|test| {
        let queue = test.rcv_connection(test.user(), "old");
        let ids = [queue.conn_id.clone()];
        for (value, wanted) in [(None, true), (Some(false), false), (Some(true), true)] {
            test.execute("UPDATE connections SET enable_ntfs = $1", &[&value]);
            let conn = load(test, &queue.conn_id).unwrap();
            assert_eq!(conn.data.enable_ntfs, wanted);
            let expected = RcvQueue { enable_ntfs: wanted, ..queue.clone() };
            let subs = test.run(|tx| tx.get_conn_subs(&ids)).unwrap().remove(0).unwrap();
            assert_eq!(subs.queues, ConnQueues::Rcv(RcvQueueSub::from(&expected)));
            assert_eq!(conn.queues, ConnQueues::Rcv(expected), "AS-22: a copy in the queue");
        }
    });
}

#[test]
fn as31_a_queue_s_own_fingerprint_goes_before_its_router_s() {
    on_each(|test| {
        let queue = test.rcv_connection(test.user(), "queue");
        let id = &queue.conn_id;
        let found = |hash: u8| {
            let server = server("smp.example,abc.onion", "5223", &[hash; 32]);
            ConnQueues::Rcv(RcvQueue { server, ..queue.clone() })
        };
        let (second, third) = (KeyHash(vec![2; 32]), KeyHash(vec![3; 32]));
        assert_eq!(queues(test, id), found(1));
        test.execute("UPDATE servers SET key_hash = $1", &[&second]);
        assert_eq!(queues(test, id), found(2));
        test.execute("UPDATE rcv_queues SET server_key_hash = $1", &[&third]);
        assert_eq!(queues(test, id), found(3));
    });
}

#[test]
fn as33_the_primary_queue_is_first_and_the_next_one_second() {
    on_each(|test| {
        let (rcv, snd) = test.duplex(test.user(), "d");
        let id = rcv.conn_id.clone();
        // Made in another order than they are loaded in.
        let idle = test.more_rcv(&id, "idle", false, None);
        let second = test.more_rcv(&id, "second", true, Some(2));
        let next = test.more_rcv(&id, "next", true, Some(1));
        let old = test.more_rcv(&id, "old", false, Some(1));
        let snd_idle = test.more_snd(&id, "idle", false, None);
        let snd_next = test.more_snd(&id, "next", true, Some(1));
        let rcvs = vec![rcv.clone(), next, second, idle, old];
        let snds = vec![snd, snd_next, snd_idle];
        let subs: Vec<RcvQueueSub> = rcvs.iter().map(RcvQueueSub::from).collect();
        let snds = Queues::new(snds).unwrap();
        let expected = ConnQueues::Duplex(Queues::new(rcvs).unwrap(), snds.clone());
        assert_eq!(queues(test, &id), expected);
        assert_eq!(test.run(|tx| tx.get_primary_rcv_queue(&id)), Ok(rcv));
        let ids = [id];
        let many = test.run(|tx| tx.get_conns(&ids)).unwrap().remove(0);
        assert_eq!(many.unwrap().queues, expected);
        let many = test.run(|tx| tx.get_conn_subs(&ids)).unwrap().remove(0);
        let expected = ConnQueues::Duplex(Queues::new(subs).unwrap(), snds);
        assert_eq!(many.unwrap().queues, expected);
    });
}

#[test]
fn f032_f033_f034_as12_many_are_loaded_as_each_alone_and_in_the_order_given() {
    on_each(|test| {
        let user = test.user();
        let live = vec![
            test.new_connection(user, "n"),
            test.rcv_connection(user, "r").conn_id,
            test.duplex(user, "d").0.conn_id,
            test.snd_connection(user, "s").conn_id,
            test.contact(user, "c").conn_id,
        ];
        test.more_rcv(&live[2], "more", true, Some(1));
        let deleted = test.duplex(user, "deleted").0.conn_id;
        mark_deleted(test, &deleted);
        let missing = ConnId::from_bytes(b"missing").unwrap();
        let mut ids = live.clone();
        ids.reverse();
        ids.extend([missing, deleted, live[1].clone(), live[2].clone()]);

        let each: Vec<_> = ids.iter().map(|id| load(test, id)).collect();
        assert_eq!(each.iter().filter(|one| one.is_ok()).count(), 7);
        assert_eq!(test.run(|tx| tx.get_conns(&ids)), Ok(each.clone()));
        let subs = test.run(|tx| tx.get_conn_subs(&ids)).unwrap();
        let kinds = |all: &[Result<ConnSub, StoreError>]| -> Vec<_> {
            all.iter()
                .map(|one| one.clone().map(|conn| (conn.data.clone(), conn.conn_type())))
                .collect()
        };
        let expected: Vec<_> = each
            .iter()
            .map(|one| one.clone().map(|conn| (conn.data.clone(), conn.conn_type())))
            .collect();
        assert_eq!(kinds(&subs), expected);
        let each: Vec<_> = ids.iter().map(|id| test.run(|tx| tx.get_deleted_conn(id))).collect();
        assert_eq!(each.iter().filter(|one| one.is_ok()).count(), 1);
        assert_eq!(test.run(|tx| tx.get_deleted_conns(&ids)), Ok(each));
        assert_eq!(test.run(|tx| tx.get_conns(&[])), Ok(vec![]));
    });
}

#[test]
fn f035_data_of_many_without_queues() {
    on_each(|test| {
        let user = test.user();
        let (contact, rcv) =
            (test.contact(user, "c").conn_id, test.rcv_connection(user, "r").conn_id);
        let deleted = test.new_connection(user, "deleted");
        mark_deleted(test, &deleted);
        // One whose queues fit no kind has data.
        let snd = test.snd_connection(user, "s").conn_id;
        test.execute("UPDATE connections SET conn_mode = 'CON' WHERE conn_id = $1", &[&snd]);
        let found = test.run(|tx| {
            tx.get_conns_data(&[rcv.clone(), deleted, contact.clone(), snd.clone(), rcv.clone()])
        });
        let found: Vec<_> = found.unwrap().into_iter().map(Result::unwrap).collect();
        let summary: Vec<_> = found
            .iter()
            .map(|one| one.as_ref().map(|(data, mode)| (&data.conn_id, *mode)))
            .collect();
        let (invitation, address) = (ConnectionMode::Invitation, ConnectionMode::Contact);
        let expected = [
            Some((&rcv, invitation)),
            None,
            Some((&contact, address)),
            Some((&snd, address)),
            Some((&rcv, invitation)),
        ];
        assert_eq!(summary, expected);
        let data = load(test, &rcv).unwrap().data;
        assert_eq!(found[0], Some((data, invitation)));
    });
}

/// Two connections, and one between them with a queue whose status can't be read.
fn with_an_unreadable_one(test: &TestStore) -> [ConnId; 3] {
    let user = test.user();
    let ids = ["first", "bad", "last"].map(|name| test.rcv_connection(user, name).conn_id);
    test.execute("UPDATE rcv_queues SET status = 'unheard of' WHERE conn_id = $1", &[&ids[1]]);
    ids
}

fn assert_unreadable<T: std::fmt::Debug>(answer: &Result<T, StoreError>) {
    match answer {
        Err(StoreError::Internal(text)) => {
            assert!(text.contains("rcv_queues.status") && !text.contains("unheard"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn as51_a_connection_that_cannot_be_read_does_not_keep_others_from_being_loaded() {
    on_each(|test| {
        let ids = with_an_unreadable_one(test);
        assert_unreadable(&load(test, &ids[1]));
        let conns = test.run(|tx| tx.get_conns(&ids)).unwrap();
        assert_unreadable(&conns[1]);
        let subs = test.run(|tx| tx.get_conn_subs(&ids)).unwrap();
        assert_unreadable(&subs[1]);
        for place in [0, 2] {
            assert_eq!(conns[place], load(test, &ids[place]));
            assert_eq!(subs[place].as_ref().unwrap().conn_type(), ConnType::Rcv);
        }
        test.execute(
            "UPDATE connections SET ratchet_sync_state = 'x' WHERE conn_id = $1",
            &[&ids[0]],
        );
        let data = test.run(|tx| tx.get_conns_data(&ids)).unwrap();
        assert!(matches!(&data[0], Err(StoreError::Internal(_))));
        assert!(matches!(&data[1..], [Ok(Some(_)), Ok(Some(_))]));
    });
}

#[test]
fn as51_under_reference_it_fails_the_whole_call_on_postgresql() {
    on_each_with(Semantics::Reference, |test| {
        let ids = with_an_unreadable_one(test);
        let conns = test.run(|tx| tx.get_conns(&ids));
        match test.place {
            Place::Server(_) => assert_unreadable(&conns),
            Place::File(_) => {
                let conns = conns.unwrap();
                assert_unreadable(&conns[1]);
                assert!(conns[0].is_ok() && conns[2].is_ok());
            }
        }
    });
}

#[test]
fn f048_a_connection_is_found_by_its_receive_queue() {
    on_each(|test| {
        let user = test.user();
        let (rcv, _) = test.duplex(user, "d");
        let other = test.rcv_connection(user, "r");
        let find =
            |server: &SmpServer, id: &RecipientId| test.run(|tx| tx.get_rcv_conn(server, id));
        let conn = load(test, &rcv.conn_id).unwrap();
        assert_eq!(find(&smp_server(), &rcv.rcv_id), Ok((rcv.clone(), conn.clone())));
        let same_address = server("smp.example,abc.onion", "5223", &[9; 32]);
        assert_eq!(find(&same_address, &rcv.rcv_id), Ok((rcv.clone(), conn)), "Q-14");
        let not_found = || Err(StoreError::ConnNotFound);
        for elsewhere in [("smp.example", "5223"), ("smp.example,abc.onion", "443")] {
            let elsewhere = server(elsewhere.0, elsewhere.1, &[1; 32]);
            assert_eq!(find(&elsewhere, &rcv.rcv_id), not_found());
        }
        let by_sender = RecipientId::from_bytes(rcv.snd_id.as_bytes()).unwrap();
        assert_eq!(find(&smp_server(), &by_sender), not_found());
        mark_queues_deleted(test, &rcv.conn_id);
        assert_eq!(find(&smp_server(), &rcv.rcv_id), not_found(), "the queue is marked");
        mark_deleted(test, &other.conn_id);
        assert_eq!(find(&smp_server(), &other.rcv_id), not_found(), "its connection is");
    });
}

#[test]
fn f036_as52_who_locks_a_connection_sees_what_the_one_before_did() {
    on_each(|test| {
        let (queue, _) = test.duplex(test.user(), "d");
        let (first, second) = (queue.conn_id.clone(), queue.conn_id);
        let status = "UPDATE rcv_queues SET status = 'active' WHERE conn_id = $1";
        let status = simplex_stores::db::Sql::new("a test's statement", status);
        let seen = test.beside(
            |tx| {
                tx.lock_conn_for_update(&first)?;
                tx.statements().execute(&status, &[&first])?;
                Ok(())
            },
            move |tx| {
                tx.lock_conn_for_update(&second)?;
                Ok(tx.get_primary_rcv_queue(&second)?.status)
            },
        );
        assert_eq!(seen, Ok(QueueStatus::Active));
        let missing = ConnId::from_bytes(b"missing").unwrap();
        assert_eq!(test.run(|tx| tx.lock_conn_for_update(&missing)), Ok(()));
    });
}

#[test]
fn as10_two_who_give_a_connection_its_first_queue_take_turns() {
    use crate::connection_fixture::new_snd_queue;
    on_each(|test| {
        let id = test.new_connection(test.user(), "n");
        let second = id.clone();
        let answer = test.beside(
            |tx| tx.update_new_conn_snd(&id, &new_snd_queue("first")).map(drop),
            move |tx| tx.update_new_conn_snd(&second, &new_snd_queue("second")),
        );
        let context = "updateNewConnSnd";
        assert_eq!(answer, Err(StoreError::BadConnType { context, found: ConnType::Snd }));
    });
}

#[test]
fn as42_a_queue_that_is_confirmed_at_this_moment_is_not_taken() {
    use crate::connection_fixture::new_snd_queue;
    on_each(|test| {
        let user = test.user();
        let queue = test.snd_connection(user, "first");
        let confirm = "UPDATE snd_queues SET status = 'confirmed'";
        let confirm = simplex_stores::db::Sql::new("a test's statement", confirm);
        let answer = test.beside(
            |tx| Ok(tx.statements().execute(&confirm, &[]).map(drop)?),
            move |tx| {
                let data = new_conn_data(user, "second");
                tx.create_snd_conn(&mut rand::rng(), &data, &new_snd_queue("first"))
            },
        );
        assert_eq!(answer, Err(StoreError::SndQueueExists));
        assert_eq!(test.run(|tx| tx.get_conn_ids()), Ok(vec![queue.conn_id]));
    });
}
