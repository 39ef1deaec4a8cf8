//! Changing and deleting queues (section 4.4).

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    AuthPrivateKey, ClientNtfCreds, ConnId, NotifierId, QueueNumber, QueueStatus, RcvQueue,
    RcvSwitchStatus, Semantics, SmpClientVersion, SndQueue, SndSwitchStatus,
};
use simplex_stores::db::UtcTime;
use simplex_stores::protocol::{AuthKey, DhSecret};

use crate::fixture::{TestStore, on_each, on_each_with};
use crate::stored_queues::{RcvRow, insert_snd};

/// A connection with three queues in each direction, and one with a queue in each; all on one router but
/// the last of the three.
struct World<'t> {
    test: &'t TestStore,
    conn: ConnId,
    other: ConnId,
}

impl<'t> World<'t> {
    fn of(test: &'t TestStore) -> Self {
        let user = test.user();
        let [conn, other] = [b"conn ", b"other"].map(|id| test.bare_connection(user, id));
        let (server, second) = (test.router("a.example"), test.router("b.example"));
        let queues =
            [(&conn, &server, 1), (&conn, &server, 2), (&conn, &second, 3), (&other, &server, 4)];
        for (conn, server, id) in queues {
            let replaces = (id == 2).then_some(1);
            let primary = id != 3;
            RcvRow { primary, replaces, ..RcvRow::new(user, conn, server, id) }.insert(test);
            insert_snd(test, conn, server, id, (primary, replaces));
        }
        Self { test, conn, other }
    }

    fn conn_of(&self, number: u8) -> &ConnId {
        if number == 4 { &self.other } else { &self.conn }
    }

    fn rcv(&self, number: u8) -> RcvQueue {
        self.test.rcv_queue(self.conn_of(number), number)
    }

    fn snd(&self, number: u8) -> SndQueue {
        self.test.snd_queue(self.conn_of(number), number)
    }

    /// Runs `change` on the second receive queue, and compares what became of all of them.
    fn assert_rcv(
        &self,
        change: impl FnOnce(&RcvQueue) -> Result<(), StoreError>,
        expected: impl FnOnce(RcvQueue) -> RcvQueue,
    ) {
        let before = [1, 2, 3, 4].map(|number| self.rcv(number));
        assert_eq!(change(&before[1]), Ok(()));
        let after = [1, 2, 3, 4].map(|number| self.rcv(number));
        let [first, second, third, others] = before;
        assert_eq!(after, [first, expected(second), third, others]);
    }

    /// The same for send queues.
    fn assert_snd(
        &self,
        change: impl FnOnce(&SndQueue) -> Result<(), StoreError>,
        expected: impl FnOnce(SndQueue) -> SndQueue,
    ) {
        let before = [1, 2, 3, 4].map(|number| self.snd(number));
        assert_eq!(change(&before[1]), Ok(()));
        let after = [1, 2, 3, 4].map(|number| self.snd(number));
        let [first, second, third, others] = before;
        assert_eq!(after, [first, expected(second), third, others]);
    }

    /// A queue that isn't there: as the third, on the other router.
    fn missing_rcv(&self) -> RcvQueue {
        let server = self.rcv(1).server;
        RcvQueue { server, ..self.rcv(3) }
    }

    fn missing_snd(&self) -> SndQueue {
        let server = self.snd(1).server;
        SndQueue { server, ..self.snd(3) }
    }
}

#[test]
fn f057_q14_a_receive_queue_s_status_is_set_whatever_the_fingerprint() {
    on_each(|test| {
        let world = World::of(test);
        for status in QueueStatus::ALL.iter().copied() {
            world.assert_rcv(
                |queue| {
                    let server = crate::stored_queues::rekeyed(&queue.server);
                    let queue = RcvQueue { server, ..queue.clone() };
                    test.run(|tx| tx.set_rcv_queue_status(&queue, status))
                },
                |queue| RcvQueue { status, ..queue },
            );
        }
        let missing = world.missing_rcv();
        world.assert_rcv(
            |_| test.run(|tx| tx.set_rcv_queue_status(&missing, QueueStatus::New)),
            |queue| queue,
        );
    });
}

#[test]
fn f058_a_receive_queue_is_given_with_its_new_switch_status() {
    on_each(|test| {
        let world = World::of(test);
        let states = RcvSwitchStatus::ALL.iter().copied().map(Some);
        for status in states.chain([None]) {
            let mut given = None;
            world.assert_rcv(
                |queue| {
                    given = Some(test.run(|tx| tx.set_rcv_switch_status(queue, status))?);
                    Ok(())
                },
                |queue| RcvQueue { rcv_switch_status: status, ..queue },
            );
            assert_eq!(given, Some(world.rcv(2)));
        }
    });
}

#[test]
fn f059_a_receive_queue_is_marked_as_deleted() {
    on_each(|test| {
        let world = World::of(test);
        let queue = world.rcv(2);
        test.run(|tx| tx.set_rcv_queue_deleted(&queue)).unwrap();
        let found = test.run(|tx| tx.get_rcv_queue_by_id(&world.conn, QueueNumber(2)));
        assert_eq!(found, Err(StoreError::ConnNotFound));
        let deleted =
            test.run(|tx| tx.get_deleted_rcv_queue(&world.conn, &queue.server, &queue.rcv_id));
        assert_eq!(deleted, Ok(queue));
        let query = "SELECT rcv_queue_id FROM rcv_queues WHERE deleted = 1";
        assert_eq!(test.query(query, &[], |row| row.next::<i64>("q.rcv_queue_id")), [2]);
    });
}

#[test]
fn f060_what_a_confirmation_tells_is_written() {
    on_each(|test| {
        let world = World::of(test);
        let (secret, version) = (DhSecret::new([77; 32]), SmpClientVersion(4));
        world.assert_rcv(
            |queue| test.run(|tx| tx.set_rcv_queue_confirmed_e2e(queue, &secret, version)),
            |queue| RcvQueue {
                e2e_dh_secret: Some(secret.clone()),
                status: QueueStatus::Confirmed,
                smp_client_version: version,
                ..queue
            },
        );
    });
}

#[test]
fn f061_a_send_queue_s_status_is_set() {
    on_each(|test| {
        let world = World::of(test);
        for status in [QueueStatus::Confirmed, QueueStatus::Active, QueueStatus::New] {
            world.assert_snd(
                |queue| test.run(|tx| tx.set_snd_queue_status(queue, status)),
                |queue| SndQueue { status, ..queue },
            );
        }
        let missing = world.missing_snd();
        world.assert_snd(
            |_| test.run(|tx| tx.set_snd_queue_status(&missing, QueueStatus::Active)),
            |queue| queue,
        );
    });
}

#[test]
fn as95_any_status_of_a_queue_may_follow_any_other() {
    on_each(|test| {
        let world = World::of(test);
        let (rcv, snd) = (world.rcv(2), world.snd(2));
        let statuses = || QueueStatus::ALL.iter().copied();
        for (from, to) in statuses().flat_map(|from| statuses().map(move |to| (from, to))) {
            for status in [from, to] {
                test.run(|tx| tx.set_rcv_queue_status(&rcv, status)).unwrap();
                test.run(|tx| tx.set_snd_queue_status(&snd, status)).unwrap();
                assert_eq!([world.rcv(2).status, world.snd(2).status], [status; 2], "{from:?}");
            }
        }
    });
}

#[test]
fn f062_a_send_queue_is_given_with_its_new_switch_status() {
    on_each(|test| {
        let world = World::of(test);
        let states = SndSwitchStatus::ALL.iter().copied().map(Some);
        for status in states.chain([None]) {
            let mut given = None;
            world.assert_snd(
                |queue| {
                    given = Some(test.run(|tx| tx.set_snd_switch_status(queue, status))?);
                    Ok(())
                },
                |queue| SndQueue { snd_switch_status: status, ..queue },
            );
            assert_eq!(given, Some(world.snd(2)));
        }
    });
}

/// Number, primary flag and the number of what it replaces, of each queue.
fn primaries(test: &TestStore, query: &'static str) -> Vec<(i64, bool, Option<i64>)> {
    test.query(query, &[], |row| {
        Ok((row.next("q.number")?, row.next("q.primary_")?, row.next("q.replaced")?))
    })
}

const RCV_PRIMARIES: &str = "SELECT rcv_queue_id AS number, rcv_primary AS primary_,
    replace_rcv_queue_id AS replaced FROM rcv_queues ORDER BY rcv_queue_id";
const SND_PRIMARIES: &str = "SELECT snd_queue_id AS number, snd_primary AS primary_,
    replace_snd_queue_id AS replaced FROM snd_queues ORDER BY snd_queue_id";
const BEFORE: [(i64, bool, Option<i64>); 4] =
    [(1, true, None), (2, true, Some(1)), (3, false, None), (4, true, None)];
const SECOND: [(i64, bool, Option<i64>); 4] =
    [(1, false, None), (2, true, None), (3, false, None), (4, true, None)];

#[test]
fn f063_as56_the_next_receive_queue_becomes_the_primary_one() {
    on_each(|test| {
        let world = World::of(test);
        let rows = || primaries(test, RCV_PRIMARIES);
        assert_eq!(rows(), BEFORE);
        let (queue, third) = (world.rcv(2), world.rcv(3));
        test.run(|tx| tx.set_rcv_queue_primary(&world.conn, &queue)).unwrap();
        assert_eq!(rows(), SECOND);
        assert_eq!(test.run(|tx| tx.get_primary_rcv_queue(&world.conn)), Ok(world.rcv(2)));
        // What the other queues replace is kept.
        test.execute("UPDATE rcv_queues SET replace_rcv_queue_id = 9 WHERE rcv_queue_id = 2", &[]);
        test.run(|tx| tx.set_rcv_queue_primary(&world.conn, &third)).unwrap();
        assert_eq!(rows()[1..3], [(2, false, Some(9)), (3, true, None)]);
    });
}

#[test]
fn f064_as56_the_next_send_queue_becomes_the_primary_one() {
    on_each(|test| {
        let world = World::of(test);
        let rows = || primaries(test, SND_PRIMARIES);
        assert_eq!(rows(), BEFORE);
        let queue = world.snd(2);
        test.run(|tx| tx.set_snd_queue_primary(&world.conn, &queue)).unwrap();
        assert_eq!(rows(), SECOND);
    });
}

#[test]
fn f065_a_receive_queue_is_deleted_by_its_number() {
    on_each(|test| {
        let world = World::of(test);
        let queue = world.rcv(2);
        // It is there also when it is marked as deleted.
        test.run(|tx| tx.set_rcv_queue_deleted(&queue)).unwrap();
        for _ in 0..2 {
            test.run(|tx| tx.delete_conn_rcv_queue(&queue)).unwrap();
            let left: Vec<i64> = primaries(test, RCV_PRIMARIES).iter().map(|row| row.0).collect();
            assert_eq!(left, [1, 3, 4]);
        }
    });
}

#[test]
fn f066_as23_failed_deletions_are_counted() {
    on_each(|test| {
        let world = World::of(test);
        for count in 1..=3 {
            world.assert_rcv(
                |queue| test.run(|tx| tx.inc_rcv_delete_errors(queue)),
                |queue| RcvQueue { delete_errors: count, ..queue },
            );
        }
    });
}

const MESSAGE: &str = "INSERT INTO messages (conn_id, internal_id, internal_ts, msg_type)
    VALUES ($1, 1, $2, $3)";
const DELIVERY: &str = "INSERT INTO snd_message_deliveries (conn_id, snd_queue_id, internal_id)
    VALUES ($1, $2, 1)";

#[test]
fn f067_as57_a_send_queue_is_deleted_with_its_deliveries() {
    on_each(|test| {
        let world = World::of(test);
        for conn in [&world.conn, &world.other] {
            test.execute(MESSAGE, &[conn, &UtcTime::now(), &&b"M"[..]]);
        }
        // A number is a connection's own: the other connection has deliveries of a queue 2 too.
        for (conn, number) in
            [(&world.conn, 1_i64), (&world.conn, 2), (&world.conn, 2), (&world.other, 2)]
        {
            test.execute(DELIVERY, &[conn, &number]);
        }
        let queue = world.snd(2);
        for _ in 0..2 {
            test.run(|tx| tx.delete_conn_snd_queue(&world.conn, &queue)).unwrap();
            let left: Vec<i64> = primaries(test, SND_PRIMARIES).iter().map(|row| row.0).collect();
            assert_eq!(left, [1, 3, 4]);
            let query = "SELECT conn_id, snd_queue_id FROM snd_message_deliveries ORDER BY conn_id";
            let deliveries = test.query(query, &[], |row| {
                Ok((row.next::<ConnId>("d.conn_id")?, row.next::<i64>("d.snd_queue_id")?))
            });
            assert_eq!(deliveries, [(world.conn.clone(), 1), (world.other.clone(), 2)]);
        }
    });
}

fn creds(number: u8) -> ClientNtfCreds {
    ClientNtfCreds {
        ntf_public_key: AuthKey::Ed25519([number; 32]),
        ntf_private_key: AuthPrivateKey::Ed25519([number; 32]),
        notifier_id: NotifierId::from_bytes(&[number; 24]).unwrap(),
        rcv_ntf_dh_secret: DhSecret::new([number; 32]),
    }
}

/// Whose credentials each queue has.
fn notifiers(world: &World<'_>) -> [Option<u8>; 4] {
    let numbers = [1, 2, 3, 4];
    numbers.map(|number| {
        let found = world.rcv(number).client_ntf_creds?;
        let id = found.notifier_id.as_bytes()[0];
        assert_eq!(found, creds(id));
        Some(id)
    })
}

/// How many of the four columns of all queues have a value.
fn values(test: &TestStore) -> i64 {
    let query = "SELECT count(ntf_public_key) + count(ntf_private_key) + count(ntf_id)
                   + count(rcv_ntf_dh_secret) AS number FROM rcv_queues";
    let found = test.query(query, &[], |row| row.next("q.number"));
    found[0]
}

fn set(world: &World<'_>, creds: Option<ClientNtfCreds>) -> Result<(), StoreError> {
    world.test.run(|tx| tx.set_rcv_queue_ntf_creds(&world.conn, creds.as_ref()))
}

#[test]
fn f071_q5_the_primary_queue_gets_the_notifier_s_credentials() {
    on_each(|test| {
        let world = World::of(test);
        set(&world, Some(creds(1))).unwrap();
        assert_eq!(notifiers(&world), [Some(1), None, None, None]);
        set(&world, Some(creds(2))).unwrap();
        assert_eq!(notifiers(&world), [Some(2), None, None, None]);
        // After a rotation it is another; the old one keeps what it has until it is deleted.
        let next = world.rcv(2);
        test.run(|tx| tx.set_rcv_queue_primary(&world.conn, &next)).unwrap();
        set(&world, Some(creds(3))).unwrap();
        assert_eq!(notifiers(&world), [Some(2), Some(3), None, None]);
        // One that is marked as deleted isn't the primary one.
        test.run(|tx| tx.set_rcv_queue_deleted(&next)).unwrap();
        set(&world, Some(creds(4))).unwrap();
        test.execute("UPDATE rcv_queues SET deleted = 0", &[]);
        assert_eq!(notifiers(&world), [Some(4), Some(3), None, None]);
        let taken = test.run(|tx| tx.set_rcv_queue_ntf_creds(&world.other, Some(&creds(4))));
        assert!(matches!(taken, Err(StoreError::Internal(_))), "{taken:?}");
        set(&world, None).unwrap();
        assert_eq!((notifiers(&world), values(test)), ([None; 4], 0));
        let missing = ConnId::from_bytes(b"missing").unwrap();
        assert_eq!(test.run(|tx| tx.set_rcv_queue_ntf_creds(&missing, Some(&creds(1)))), Ok(()));
    });
}

#[test]
fn f071_as58_the_reference_gives_them_to_all_queues_of_the_connection() {
    on_each_with(Semantics::Reference, |test| {
        let world = World::of(test);
        let failed = set(&world, Some(creds(1)));
        assert!(matches!(failed, Err(StoreError::Internal(_))), "{failed:?}: two on one router");
        assert_eq!(values(test), 0);
        let second = world.rcv(2);
        test.run(|tx| tx.delete_conn_rcv_queue(&second)).unwrap();
        set(&world, Some(creds(1))).unwrap();
        let given = [1, 3, 4].map(|number| world.rcv(number).client_ntf_creds);
        assert_eq!(given, [Some(creds(1)), Some(creds(1)), None]);
        assert_eq!(values(test), 8);
        set(&world, None).unwrap();
        assert_eq!(values(test), 0);
    });
}
