//! What has to be subscribed to (section 4.4), and what triggers count meanwhile (section 2.12).

use simplex_stores::agent_store::SubsFilter;
use simplex_stores::agent_store::types::{
    AuthPrivateKey, ConnId, KeyHash, RcvQueueSub, RecipientId, Semantics, ServiceCredentials,
    ServiceId, ServicePrivateKey, SmpServer, UserId,
};
use simplex_stores::protocol::{IdsHash, ServiceRole};
use simplex_stores::testing::queue_store::sample;

use crate::fixture::{TestStore, on_each, on_each_with};
use crate::stored_queues::{RcvRow, rekeyed};

/// Two users with a connection each, one connection that is marked as deleted, and two routers.
struct World<'t> {
    test: &'t TestStore,
    user: UserId,
    other: UserId,
    conn: ConnId,
    hidden: ConnId,
    others: ConnId,
    server: SmpServer,
    second: SmpServer,
}

impl<'t> World<'t> {
    fn of(test: &'t TestStore) -> Self {
        let (user, other) = (test.user(), test.user());
        let [conn, hidden] = [b"conn  ", b"hidden"].map(|id| test.bare_connection(user, id));
        test.run(|tx| tx.set_conn_deleted(false, &hidden)).unwrap();
        let others = test.bare_connection(other, b"others");
        let (server, second) = (test.router("a.example"), test.router("b.example"));
        Self { test, user, other, conn, hidden, others, server, second }
    }

    /// A queue of the first connection on the first router.
    fn row(&self, id: u8) -> RcvRow {
        RcvRow::new(self.user, &self.conn, &self.server, id)
    }

    /// Queues of every kind, of which the first three are to be subscribed to, the second as new.
    fn insert_all(&self) {
        let own = |server: &SmpServer| Some(rekeyed(server).key_hash);
        let (conn_id, server) = (|conn: &ConnId| conn.clone(), |server: &SmpServer| server.clone());
        let rows = [
            self.row(1),
            RcvRow { to_subscribe: true, ..self.row(2) },
            RcvRow { service_assoc: true, ..self.row(3) },
            RcvRow { deleted: true, to_subscribe: true, ..self.row(4) },
            RcvRow { conn_id: conn_id(&self.hidden), to_subscribe: true, ..self.row(5) },
            RcvRow { own_key_hash: own(&self.server), to_subscribe: true, ..self.row(6) },
            RcvRow { server: server(&self.second), ..self.row(7) },
            RcvRow { user_id: self.other, conn_id: conn_id(&self.others), ..self.row(8) },
        ];
        for row in rows {
            row.insert(self.test);
        }
    }

    fn page(&self, filter: SubsFilter, limit: u32, cursor: Option<u8>) -> Vec<RcvQueueSub> {
        let cursor = cursor.map(|id| RecipientId::from_bytes(&[id; 24]).unwrap());
        let (user, server) = (self.user, &self.server);
        let page = self.test.run(|tx| {
            tx.get_user_server_rcv_queue_subs(user, server, filter, limit, cursor.as_ref())
        });
        page.unwrap()
    }

    /// The numbers of all queues that are marked as associated.
    fn associated(&self) -> Vec<i64> {
        let query = "SELECT rcv_queue_id FROM rcv_queues WHERE rcv_service_assoc <> 0
                      ORDER BY rcv_queue_id";
        self.test.query(query, &[], |row| row.next("rcv_queues.rcv_queue_id"))
    }

    fn create_service(&self, user: UserId, server: &SmpServer, id: u8) {
        let key = AuthPrivateKey::Ed25519([id; 32]);
        let credentials = ServiceCredentials {
            cert_hash: KeyHash(vec![id; 32]),
            cert_chain: sample::service(id, id, ServiceRole::Messaging).cert_chain,
            private_key: ServicePrivateKey::from_der(&key.to_der()).unwrap(),
        };
        let service_id = ServiceId::from_bytes(&[id; 24]).unwrap();
        let created = self.test.run(|tx| {
            tx.create_client_service(user, server, &credentials)?;
            tx.set_client_service_id(user, server, &service_id)
        });
        created.unwrap();
    }

    /// A service of this user on this router counts these queues, and no others.
    fn assert_counts(&self, (user, server): (UserId, &SmpServer), ids: &[u8]) {
        let hash = ids.iter().fold(IdsHash::EMPTY, |hash, id| hash.xor(IdsHash::of_id(&[*id; 24])));
        let found = self.test.run(|tx| tx.get_subscription_service(user, server)).unwrap();
        let queues = found.unwrap().queues;
        assert_eq!((queues.count, queues.hash), (ids.len() as i64, hash), "{ids:?}");
    }
}

fn numbers(subs: &[RcvQueueSub]) -> Vec<i64> {
    let mut numbers: Vec<i64> = subs.iter().map(|sub| sub.db_queue_id.0).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn f022_users_and_routers_of_queues_that_are_not_deleted() {
    on_each(|test| {
        let world = World::of(test);
        let servers =
            |only_needed| test.run(|tx| tx.get_subscription_servers(only_needed)).unwrap();
        assert_eq!(servers(false), []);
        world.insert_all();
        let World { user, other, server, second, .. } = &world;
        // A queue may have its router's own fingerprint.
        RcvRow { own_key_hash: Some(server.key_hash.clone()), ..world.row(9) }.insert(test);
        let pair = |user: &UserId, server: &SmpServer| (*user, server.clone());
        let rekeyed = rekeyed(server);
        let all =
            [pair(user, server), pair(user, &rekeyed), pair(user, second), pair(other, server)];
        assert_eq!(servers(false), all);
        assert_eq!(servers(true), all[..2]);
        test.execute("UPDATE connections SET deleted = 1", &[]);
        assert_eq!(servers(false), []);
    });
}

#[test]
fn f023_as31_queues_of_one_user_and_router_that_are_not_deleted() {
    on_each(|test| {
        let world = World::of(test);
        world.insert_all();
        let all = world.page(SubsFilter::default(), 100, None);
        assert_eq!(all, [1, 2, 3].map(|id| world.row(id).sub()));
        let filter = |only_needed, has_service| {
            numbers(&world.page(SubsFilter { only_needed, has_service }, 100, None))
        };
        assert_eq!(filter(false, true), [1, 2], "as48: the service subscribes to its own");
        assert_eq!(filter(true, false), [2]);
        assert_eq!(filter(true, true), [2]);
        test.execute("UPDATE rcv_queues SET to_subscribe = 1, rcv_service_assoc = 1", &[]);
        assert_eq!(filter(true, false), [1, 2, 3]);
        assert_eq!(filter(true, true), [0; 0]);
        let rekeyed = rekeyed(&world.server);
        let found = test.run(|tx| {
            tx.get_user_server_rcv_queue_subs(world.user, &rekeyed, SubsFilter::default(), 9, None)
        });
        assert_eq!(numbers(&found.unwrap()), [6]);
    });
}

#[test]
fn f023_as48_pages_follow_each_other_in_the_order_of_bytes() {
    on_each(|test| {
        let world = World::of(test);
        // Not in the order of their ids, of which some have the high bit.
        for id in [200, 1, 127, 255, 128, 3] {
            world.row(id).insert(test);
        }
        let page = |filter, limit, cursor| {
            let subs = world.page(filter, limit, cursor);
            subs.iter().map(|sub| sub.rcv_id.as_bytes()[0]).collect::<Vec<u8>>()
        };
        let all = SubsFilter::default();
        assert_eq!(page(all, 4, None), [1, 3, 127, 128]);
        assert_eq!(page(all, 4, Some(128)), [200, 255]);
        assert_eq!(page(all, 4, Some(255)), [0; 0]);
        assert_eq!(page(all, 2, Some(2)), [3, 127], "after an id that isn't there");
        assert_eq!(page(all, 0, None), [0; 0]);
        test.execute("UPDATE rcv_queues SET to_subscribe = 1 WHERE rcv_queue_id <> 3", &[]);
        let needed = SubsFilter { only_needed: true, has_service: true };
        assert_eq!(page(needed, 2, None), [1, 127]);
        assert_eq!(page(needed, u32::MAX, Some(127)), [128, 200, 255]);
    });
}

/// Those of the user on the router are 1 to 5; of these, 3 to 5 are associated. So are 6, 7 and 8, which
/// have another fingerprint, router or user.
fn with_associated(test: &TestStore) -> World<'_> {
    let world = World::of(test);
    world.create_service(world.user, &world.server, 1);
    world.create_service(world.other, &world.server, 2);
    world.insert_all();
    let update = "UPDATE rcv_queues SET rcv_service_assoc = 1 WHERE rcv_queue_id > 2";
    test.execute(update, &[]);
    assert_eq!(world.associated(), [3, 4, 5, 6, 7, 8]);
    world
}

fn assert_unassociated(world: &World<'_>) {
    assert_eq!(world.associated(), [6, 7, 8]);
    let query = "SELECT user_id FROM client_services";
    let users = world.test.query(query, &[], |row| row.next::<UserId>("client_services.user_id"));
    assert_eq!(users, [world.other], "its service is deleted");
    world.assert_counts((world.other, &world.server), &[8]);
}

#[test]
fn f024_q4_the_queues_that_a_service_had_are_given() {
    on_each(|test| {
        let world = with_associated(test);
        let unassoc = || {
            let (user, server) = (world.user, &world.server);
            test.run(|tx| tx.unassoc_user_server_rcv_queue_subs(user, server)).unwrap()
        };
        let mut queues = unassoc();
        queues.sort_by_key(|queue| queue.db_queue_id);
        let hidden = RcvRow { conn_id: world.hidden.clone(), ..world.row(5) };
        assert_eq!(queues, [world.row(3).sub(), world.row(4).sub(), hidden.sub()]);
        assert_unassociated(&world);
        assert_eq!(unassoc(), []);
    });
}

#[test]
fn f024_as49_the_reference_gives_all_on_postgresql() {
    on_each_with(Semantics::Reference, |test| {
        let world = with_associated(test);
        let (user, server) = (world.user, &world.server);
        let queues = test.run(|tx| tx.unassoc_user_server_rcv_queue_subs(user, server)).unwrap();
        match &test.place {
            crate::fixture::Place::File(_) => assert_eq!(numbers(&queues), [3, 4, 5]),
            crate::fixture::Place::Server(_) => assert_eq!(numbers(&queues), [1, 2, 3, 4, 5]),
        }
        assert_unassociated(&world);
    });
}

#[test]
fn f025_the_same_without_a_result() {
    on_each(|test| {
        let world = with_associated(test);
        let (user, server) = (world.user, &world.server);
        test.run(|tx| tx.unassoc_user_server_rcv_queue_subs_only(user, server)).unwrap();
        assert_unassociated(&world);
    });
}

#[test]
fn f026_no_queue_is_left_that_was_made_without_subscribing() {
    on_each(|test| {
        let world = World::of(test);
        world.insert_all();
        let left = || {
            let query = "SELECT rcv_queue_id FROM rcv_queues WHERE to_subscribe <> 0";
            test.query(query, &[], |row| row.next::<i64>("rcv_queues.rcv_queue_id")).len()
        };
        assert_eq!(left(), 4);
        test.run(|tx| tx.unset_queues_to_subscribe()).unwrap();
        assert_eq!(left(), 0);
        assert_eq!(world.associated(), [3]);
    });
}

#[test]
fn f027_as12_queues_of_any_kind_are_given_to_their_service() {
    on_each(|test| {
        let world = World::of(test);
        world.insert_all();
        test.execute("UPDATE rcv_queues SET rcv_service_assoc = 0", &[]);
        let give = |server: &SmpServer, ids: &[u8]| {
            let subs: Vec<RcvQueueSub> = ids.iter().map(|id| world.row(*id).sub()).collect();
            test.run(|tx| tx.set_rcv_service_assocs(server, &subs)).unwrap();
            world.associated()
        };
        assert_eq!(give(&world.server, &[]), [0; 0]);
        assert_eq!(give(&world.second, &[1, 2]), [0; 0], "they are on another router");
        assert_eq!(give(&world.server, &[99]), [0; 0], "it isn't there");
        // Another fingerprint and another user.
        assert_eq!(give(&world.server, &[2, 6, 8, 2]), [2, 6, 8]);
        let queue = test.rcv_queue(&world.conn, 1);
        test.run(|tx| tx.set_rcv_service_assocs(&world.server, &[queue])).unwrap();
        assert_eq!(world.associated(), [1, 2, 6, 8]);
    });
}

#[test]
fn f028_all_of_a_user_s_queues_on_a_router_are_taken_from_their_service() {
    on_each(|test| {
        let world = with_associated(test);
        let remove = |server: &SmpServer| {
            test.run(|tx| tx.remove_rcv_service_assocs(world.user, server)).unwrap();
            world.associated()
        };
        assert_eq!(remove(&world.server), [6, 7, 8]);
        assert_eq!(remove(&rekeyed(&world.server)), [7, 8]);
        assert_eq!(remove(&world.second), [8]);
        world.assert_counts((world.user, &world.server), &[]);
        world.assert_counts((world.other, &world.server), &[8]);
    });
}

#[test]
fn as15_every_function_keeps_a_service_s_count_and_hash() {
    on_each(|test| {
        let world = World::of(test);
        let own = (world.user, &world.server);
        world.create_service(world.user, &world.server, 1);
        for id in 1..=5 {
            world.row(id).insert(test);
        }
        world.assert_counts(own, &[]);
        let queues = |ids: &[u8]| ids.iter().map(|id| world.row(*id).sub()).collect::<Vec<_>>();
        let give = |ids: &[u8]| {
            test.run(|tx| tx.set_rcv_service_assocs(&world.server, &queues(ids))).unwrap();
        };
        give(&[1, 2, 3, 4]);
        world.assert_counts(own, &[1, 2, 3, 4]);
        give(&[4, 5, 5, 1]);
        world.assert_counts(own, &[1, 2, 3, 4, 5]);
        let (second, third) = (test.rcv_queue(&world.conn, 2), test.rcv_queue(&world.conn, 3));
        test.run(|tx| tx.set_rcv_queue_deleted(&second)).unwrap();
        world.assert_counts(own, &[1, 3, 4, 5]);
        test.run(|tx| tx.set_rcv_queue_deleted(&second)).unwrap();
        world.assert_counts(own, &[1, 3, 4, 5]);
        test.run(|tx| tx.delete_conn_rcv_queue(&second)).unwrap();
        world.assert_counts(own, &[1, 3, 4, 5]);
        test.run(|tx| tx.delete_conn_rcv_queue(&third)).unwrap();
        world.assert_counts(own, &[1, 4, 5]);
        test.run(|tx| tx.remove_rcv_service_assocs(world.user, &world.server)).unwrap();
        world.assert_counts(own, &[]);
        give(&[1, 4]);
        let taken = test
            .run(|tx| tx.unassoc_user_server_rcv_queue_subs(world.user, &world.server))
            .unwrap();
        assert_eq!(numbers(&taken), [1, 4]);
        // A service that is made anew begins with none, and its queues' marks are gone too.
        world.create_service(world.user, &world.server, 2);
        world.assert_counts(own, &[]);
        give(&[1, 5]);
        world.assert_counts(own, &[1, 5]);
    });
}
