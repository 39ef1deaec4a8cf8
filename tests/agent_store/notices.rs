//! Notices that routers attach to queues (section 2.13).

use std::collections::BTreeMap;

use simplex_stores::agent_store::types::{
    ClientNotice, KeyHash, NoticeId, RcvQueueSub, RecipientId, SmpServer,
};
use simplex_stores::protocol::RoundedSeconds;

use crate::fixture::{TestStore, on_each, server};
use crate::stored_queues::{RcvRow, rekeyed, router};

const NOTICE: &str = "INSERT INTO client_notices
     (protocol, host, port, entity_id, server_key_hash, notice_ttl, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";

/// A notice of a queue with this number, which starts then and lasts so long.
fn insert(test: &TestStore, server: &SmpServer, number: u8, (start, ttl): (i64, Option<i64>)) {
    let SmpServer { hosts, port, key_hash, .. } = server;
    let own = Some(key_hash).filter(|hash| hash.0 != [1; 32]);
    test.execute(NOTICE, &[&"smp", hosts, port, &[number; 24], &own, &ttl, &start]);
}

type Notices = BTreeMap<Option<SmpServer>, Option<i64>>;

fn notices(test: &TestStore, preset: &[SmpServer]) -> Notices {
    let notices = test.run(|tx| tx.get_client_notices(preset)).unwrap();
    notices.into_iter().map(|(key, end)| (key, end.map(RoundedSeconds::seconds))).collect()
}

fn merged(test: &TestStore, list: &[(i64, Option<i64>)]) -> Option<i64> {
    test.execute("DELETE FROM client_notices", &[]);
    let server = test.router("a.example");
    for (number, notice) in (1..).zip(list) {
        insert(test, &server, number, *notice);
    }
    let notices = notices(test, &[]);
    let [(key, end)] = <[_; 1]>::try_from(notices.into_iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(key, Some(server));
    end
}

#[test]
fn f020_as46_notices_of_a_router_are_merged() {
    on_each(|test| {
        assert_eq!(notices(test, &[]), Notices::new());
        assert_eq!(merged(test, &[(1000, Some(60))]), Some(1060));
        assert_eq!(merged(test, &[(1000, None)]), None);
        assert_eq!(merged(test, &[(1000, Some(60)), (3000, Some(5)), (2000, Some(1))]), Some(3066));
        assert_eq!(merged(test, &[(1000, Some(60)), (3000, None), (2000, Some(1))]), None);
        assert_eq!(merged(test, &[(1000, None), (3000, Some(1))]), None);
        let (least, most) = (i64::MIN, i64::MAX);
        assert_eq!(merged(test, &[(1000, Some(most)), (1000, Some(most))]), Some(most));
        assert_eq!(merged(test, &[(-1000, Some(least)), (-1000, Some(least))]), Some(least));
        let (up, down) = ((0, Some(most)), (0, Some(least)));
        assert_eq!(merged(test, &[up, up, down, down]), Some(-2), "nothing is lost in between");
    });
}

#[test]
fn f020_as31_notices_are_told_apart_by_the_effective_fingerprint() {
    on_each(|test| {
        let server = test.router("a.example");
        let (rekeyed, second) = (rekeyed(&server), test.router("b.example"));
        insert(test, &server, 1, (1, Some(1)));
        insert(test, &rekeyed, 2, (2, Some(2)));
        insert(test, &second, 3, (3, Some(3)));
        insert(test, &router("c.example"), 4, (4, Some(4))); // isn't registered
        let SmpServer { hosts, port, .. } = &server;
        let xftp: simplex_stores::db::Params<'_> =
            &[&"xftp", hosts, port, &[5; 24], &None::<KeyHash>, &5_i64, &5_i64];
        test.execute(NOTICE, xftp);
        let expected = [(server, 2), (rekeyed, 4), (second, 6)];
        let expected = expected.map(|(server, end)| (Some(server), Some(end)));
        assert_eq!(notices(test, &[]), Notices::from(expected));
    });
}

#[test]
fn f020_as46_notices_of_preset_routers_are_one() {
    on_each(|test| {
        let preset: [SmpServer; 2] = [
            server("a.example,a.onion,a2.example", "", &[1; 32]),
            server("b.example,b.onion", "7000", &[1; 32]),
        ];
        let are: [SmpServer; 5] = [
            server("a.example,a.onion,a2.example", "", &[1; 32]),
            server("a.example", "443", &[1; 32]),
            server("a.example,a2.example", "5223", &[1; 32]),
            server("b.example,b.onion", "7000", &[1; 32]),
            server("b.example", "7000", &[1; 32]),
        ];
        let aren_t: [SmpServer; 7] = [
            server("a.example", "5224", &[1; 32]),
            server("a.onion,a.example", "443", &[1; 32]),
            server("a2.example", "443", &[1; 32]),
            server("a.example,b.onion", "443", &[1; 32]),
            server("a.example,a.onion", "443", &[2; 32]),
            server("b.example", "443", &[1; 32]),
            server("b.example", "", &[1; 32]),
        ];
        for (number, server) in (1..).zip(are.iter().chain(&aren_t)) {
            test.execute(
                "INSERT INTO servers (host, port, key_hash) VALUES ($1, $2, $3)
                   ON CONFLICT DO NOTHING",
                &[&server.hosts, &server.port, &KeyHash(vec![1; 32])],
            );
            insert(test, server, number, (i64::from(number) * 100, Some(1)));
        }
        let mut expected = Notices::from([(None, Some(505))]);
        for (number, server) in (6..).zip(&aren_t) {
            expected.insert(Some(server.clone()), Some(number * 100 + 1));
        }
        assert_eq!(notices(test, &preset), expected);
        let all = are.len() + aren_t.len();
        assert_eq!(notices(test, &[]).len(), all, "without presets, each is its own");
    });
}

fn update(
    test: &TestStore,
    session: &SmpServer,
    now: i64,
    queues: &[(RcvQueueSub, Option<ClientNotice>)],
) -> Vec<(RecipientId, Option<NoticeId>)> {
    let now = RoundedSeconds::from_seconds(now);
    test.run(|tx| tx.update_client_notices(session, now, queues)).unwrap()
}

/// What a row says of itself: protocol, router and queue; then fingerprint, seconds, start and last change.
type Row = (String, (Option<KeyHash>, Option<i64>, i64, i64));

fn rows(test: &TestStore) -> Vec<Row> {
    let query = "SELECT protocol, host, port, entity_id, server_key_hash, notice_ttl, created_at,
                   updated_at FROM client_notices ORDER BY host, entity_id";
    test.query(query, &[], |row| {
        let [protocol, host, port]: [String; 3] =
            [row.next("n.protocol")?, row.next("n.host")?, row.next("n.port")?];
        let queue: [u8; 24] = row.next("n.entity_id")?;
        let what = format!("{protocol} {host} {port} {}", queue[0]);
        let key_hash = row.next("n.server_key_hash")?;
        let ttl = row.next("n.notice_ttl")?;
        Ok((what, (key_hash, ttl, row.next("n.created_at")?, row.next("n.updated_at")?)))
    })
}

/// The notices that queues refer to.
fn attached(test: &TestStore) -> Vec<(i64, Option<NoticeId>)> {
    let query = "SELECT rcv_queue_id, client_notice_id FROM rcv_queues ORDER BY rcv_queue_id";
    test.query(query, &[], |row| Ok((row.next("q.rcv_queue_id")?, row.next("q.client_notice_id")?)))
}

fn notice(ttl: Option<i64>) -> Option<ClientNotice> {
    Some(ClientNotice { ttl })
}

/// Three queues on one router; the last has another fingerprint.
fn three(test: &TestStore) -> (SmpServer, [RcvQueueSub; 3]) {
    let (user, server) = (test.user(), test.router("a.example"));
    let conn_id = test.bare_connection(user, b"connection");
    let own_key_hash = Some(rekeyed(&server).key_hash);
    let row = |id| RcvRow::new(user, &conn_id, &server, id);
    let rows = [row(1), row(2), RcvRow { own_key_hash, ..row(3) }];
    (server, rows.map(|row| row.insert(test).sub()))
}

#[test]
fn f021_as47_a_notice_is_made_changed_and_deleted() {
    on_each(|test| {
        let (server, [first, second, third]) = three(test);
        let given = update(
            test,
            &server,
            1000,
            &[
                (third.clone(), notice(Some(60))),
                (first.clone(), None),
                (second.clone(), notice(None)),
            ],
        );
        let [(_, Some(of_third)), (_, None), (_, Some(of_second))] = &given[..] else {
            panic!("{given:?}");
        };
        let ids: Vec<&RecipientId> = given.iter().map(|(id, _)| id).collect();
        assert_eq!(ids, [&third.rcv_id, &first.rcv_id, &second.rcv_id], "in the order given");
        let row = |number: u8| format!("smp a.example 5223 {number}");
        let own = Some(rekeyed(&server).key_hash);
        let made = (row(3), (own, Some(60), 1000, 1000));
        assert_eq!(rows(test), [(row(2), (None, None, 1000, 1000)), made.clone()]);
        assert_eq!(attached(test), [(1, None), (2, Some(*of_second)), (3, Some(*of_third))]);

        // The same queue, with the number that it was given, and the router's own fingerprint.
        let changed =
            RcvQueueSub { client_notice_id: Some(*of_third), server: server.clone(), ..third };
        let given = update(test, &server, 2000, &[(changed.clone(), notice(Some(5)))]);
        assert_eq!(given, [(changed.rcv_id.clone(), Some(*of_third))]);
        let row_changed = (row(3), (None, Some(5), 1000, 2000));
        assert_eq!(rows(test), [(row(2), (None, None, 1000, 1000)), row_changed]);

        let given = update(test, &server, 3000, &[(changed.clone(), None)]);
        assert_eq!(given, [(changed.rcv_id, None)]);
        assert_eq!(rows(test), [(row(2), (None, None, 1000, 1000))]);
        assert_eq!(attached(test), [(1, None), (2, Some(*of_second)), (3, None)]);
    });
}

#[test]
fn f021_a_notice_has_the_session_s_address_and_is_attached_at_the_queue_s() {
    on_each(|test| {
        let (_, [first, ..]) = three(test);
        let session: SmpServer = server("a.example,a.onion", "443", &[9; 32]);
        let given = update(test, &session, 1, &[(first, notice(None))]);
        let row = ("smp a.example,a.onion 443 1".to_owned(), (None, None, 1, 1));
        assert_eq!(rows(test), [row], "the fingerprint is the queue's");
        assert_eq!(attached(test), [(1, given[0].1), (2, None), (3, None)]);
    });
}

#[test]
fn f021_of_a_queue_whose_router_is_not_registered_nothing_is_written() {
    on_each(|test| {
        let (server, [first, second, _]) = three(test);
        let unknown = RcvQueueSub { server: router("c.example"), ..first.clone() };
        let given = update(
            test,
            &server,
            1,
            &[(unknown.clone(), notice(Some(1))), (second.clone(), notice(Some(2)))],
        );
        assert_eq!(given[0], (first.rcv_id.clone(), None));
        assert_eq!(rows(test).len(), 1, "the second one's");
        assert_eq!(attached(test), [(1, None), (2, given[1].1), (3, None)]);
        let removed = RcvQueueSub { client_notice_id: given[1].1, ..unknown };
        update(test, &server, 1, &[(removed, None)]);
        assert!(rows(test).is_empty(), "it is deleted by its number");
        assert_eq!(update(test, &server, 1, &[]), []);
    });
}
