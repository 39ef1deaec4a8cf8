//! Replicas that are to be deleted on their routers.

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    DeletedSndChunkReplica, DeletedSndChunkReplicaId, FileChunkReplica, RetryDelay, UserId,
    XftpServer,
};
use simplex_stores::db::{Params, Sql, Texts, UtcTime};

use super::{
    DAY, HOUR, SINCE_EVER, ago, before_the_first_time, digest, first_time, key, numbers,
    replica_id, router,
};
use crate::fixture::{TestStore, on_each, server};

type Id = DeletedSndChunkReplicaId;

/// Notes a replica, and gives the row's number.
pub(crate) fn note(test: &TestStore, user: UserId, server: &XftpServer, id: &str) -> Id {
    let replica = FileChunkReplica {
        server: server.clone(),
        replica_id: replica_id(id),
        replica_key: key(7),
    };
    test.run(|tx| tx.create_deleted_snd_chunk_replica(user, &replica, &digest(8))).unwrap();
    let last = "SELECT max(deleted_snd_chunk_replica_id) AS n FROM deleted_snd_chunk_replicas";
    DeletedSndChunkReplicaId(numbers(test, last, &[])[0])
}

fn next(test: &TestStore, server: &XftpServer) -> Option<Id> {
    let found = test.run(|tx| tx.get_next_deleted_snd_chunk_replica(server, DAY)).unwrap();
    found.map(|replica| replica.deleted_snd_chunk_replica_id)
}

fn left(test: &TestStore) -> Vec<i64> {
    let all = "SELECT deleted_snd_chunk_replica_id AS n FROM deleted_snd_chunk_replicas ORDER BY 1";
    numbers(test, all, &[])
}

fn failed(test: &TestStore) -> Vec<i64> {
    let query = "SELECT deleted_snd_chunk_replica_id AS n FROM deleted_snd_chunk_replicas
                  WHERE failed = 1 ORDER BY 1";
    numbers(test, query, &[])
}

fn made_at(test: &TestStore, id: Id, time: UtcTime) {
    let sql = "UPDATE deleted_snd_chunk_replicas SET created_at = $2
                WHERE deleted_snd_chunk_replica_id = $1";
    test.execute(sql, &[&id, &time]);
}

fn made_before_the_first_time(test: &TestStore, id: Id) {
    let sql = before_the_first_time!("deleted_snd_chunk_replicas", "deleted_snd_chunk_replica_id");
    assert_eq!(test.run(|tx| Ok(tx.statements().execute(&sql, &[&id])?)), Ok(1));
}

#[test]
fn f204_a_replica_is_noted_with_its_router() {
    on_each(|test| {
        let user = test.user();
        let here = router("a.example,b.onion");
        note(test, user, &here, "first");
        note(test, user, &here, "second");
        let query = "SELECT user_id, xftp_host, xftp_port, replica_id, replica_key, chunk_digest,
                            delay, retries, failed
                       FROM deleted_snd_chunk_replicas d
                       JOIN xftp_servers s ON s.xftp_server_id = d.xftp_server_id
                      ORDER BY deleted_snd_chunk_replica_id";
        let rows = test.query(query, &[], |row| {
            let user: UserId = row.next("d.user_id")?;
            let (host, port): (String, String) =
                (row.next("s.xftp_host")?, row.next("s.xftp_port")?);
            let id: Vec<u8> = row.next("d.replica_id")?;
            let key: Vec<u8> = row.next("d.replica_key")?;
            let digest: Vec<u8> = row.next("d.chunk_digest")?;
            let tried: (Option<i64>, i64) = (row.next("d.delay")?, row.next("d.retries")?);
            Ok((user, host, port, id, key, digest, tried, row.next::<bool>("d.failed")?))
        });
        let row = |id: &str| {
            let (host, port) = ("a.example,b.onion".to_owned(), "443".to_owned());
            let (id, key) = (id.as_bytes().to_vec(), key(7).to_der());
            (user, host, port, id, key, vec![8; 32], (None, 0), false)
        };
        assert_eq!(rows, [row("first"), row("second")]);
        assert_eq!(numbers(test, "SELECT count(*) AS n FROM xftp_servers", &[]), [1]);
    });
}

#[test]
fn f204_a_replica_needs_its_user() {
    on_each(|test| {
        let replica = FileChunkReplica {
            server: router("a.example"),
            replica_id: replica_id("id"),
            replica_key: key(7),
        };
        let noted =
            test.run(|tx| tx.create_deleted_snd_chunk_replica(UserId(99), &replica, &digest(8)));
        assert!(matches!(noted, Err(StoreError::Internal(_))), "{noted:?}");
        assert!(left(test).is_empty());
    });
}

#[test]
fn f205_a_replica_comes_with_all_that_deleting_it_needs() {
    on_each(|test| {
        let user = test.user();
        let here = router("a.example,b.onion");
        let id = note(test, user, &here, "replica");
        test.run(|tx| tx.update_deleted_snd_chunk_replica_delay(id, RetryDelay(7))).unwrap();
        let found = test.run(|tx| tx.get_next_deleted_snd_chunk_replica(&here, DAY)).unwrap();
        let expected = DeletedSndChunkReplica {
            deleted_snd_chunk_replica_id: id,
            user_id: user,
            server: here,
            replica_id: replica_id("replica"),
            replica_key: key(7),
            chunk_digest: digest(8),
            delay: Some(RetryDelay(7)),
            retries: 1,
        };
        assert_eq!(found, Some(expected));
    });
}

#[test]
fn f205_hosts_port_and_fingerprint_together_are_the_router() {
    on_each(|test| {
        let user = test.user();
        let here = server("a.example,b.onion", "443", b"one");
        let others = [
            server("a.example", "443", b"one"),
            server("a.example,b.onion", "444", b"one"),
            server("a.example,b.onion", "443", b"two"),
        ];
        let id = note(test, user, &here, "here");
        for other in &others {
            assert_eq!(next(test, other), None, "{other}");
        }
        let there = note(test, user, &others[2], "there");
        assert_eq!((next(test, &here), next(test, &others[2])), (Some(id), Some(there)));
    });
}

#[test]
fn f205_as89_fewest_retries_come_first_and_of_these_the_oldest() {
    on_each(|test| {
        let user = test.user();
        let here = router("a.example");
        let ids = ["a", "b", "c", "d", "e"].map(|id| note(test, user, &here, id));
        let age = "UPDATE deleted_snd_chunk_replicas SET retries = $2, created_at = $3
                    WHERE deleted_snd_chunk_replica_id = $1";
        let time = ago(HOUR);
        // In the order in which they are to come: the last two are of one time.
        let rows = [
            (2, 0, ago(HOUR * 2)),
            (4, 0, time),
            (1, 1, ago(HOUR * 3)),
            (0, 2, time),
            (3, 2, time),
        ];
        for (index, retries, time) in rows {
            test.execute(age, &[&ids[index], &retries, &time]);
        }
        for (index, ..) in rows {
            assert_eq!(next(test, &here), Some(ids[index]));
            test.run(|tx| tx.delete_deleted_snd_chunk_replica(ids[index])).unwrap();
        }
        assert_eq!(next(test, &here), None);
    });
}

#[test]
fn f205_as34_a_replica_that_cannot_be_read_is_marked_and_the_next_one_comes() {
    type Damage<'a> = (&'static str, Params<'a>);
    let damages: [Damage<'_>; 2] = [
        (
            "UPDATE deleted_snd_chunk_replicas SET replica_id = $2
              WHERE deleted_snd_chunk_replica_id = $1",
            &[&b""],
        ),
        (
            "UPDATE deleted_snd_chunk_replicas SET replica_key = $2
              WHERE deleted_snd_chunk_replica_id = $1",
            &[&b"key"],
        ),
    ];
    on_each(|test| {
        let (user, here) = (test.user(), router("a.example"));
        let [first, second, good] = ["a", "b", "c"].map(|id| note(test, user, &here, id));
        for (id, (damage, value)) in [first, second].iter().zip(damages) {
            test.execute(damage, &[id, value[0]]);
            let error =
                test.run(|tx| tx.get_next_deleted_snd_chunk_replica(&here, DAY)).unwrap_err();
            let StoreError::Internal(text) = &error else { panic!("{error:?}") };
            assert!(text.contains("deleted_snd_chunk_replicas.replica_"), "{text}");
            assert_eq!(failed(test).last(), Some(&id.0));
        }
        assert_eq!(next(test, &here), Some(good));
        assert_eq!(failed(test), [first.0, second.0]);
    });
}

#[test]
fn f205_as97_when_none_can_be_looked_for_the_worker_stops() {
    on_each(|test| {
        test.execute("ALTER TABLE deleted_snd_chunk_replicas RENAME TO moved", &[]);
        let here = router("a.example");
        let error = test.run(|tx| tx.get_next_deleted_snd_chunk_replica(&here, DAY)).unwrap_err();
        assert!(error.is_work_item(), "{error}");
        assert!(error.to_string().contains("deleted replica: finding the next item"), "{error}");
    });
}

#[test]
fn f206_a_delay_counts_a_retry_of_its_replica_only() {
    on_each(|test| {
        let user = test.user();
        let [other, id] = ["other", "id"].map(|id| note(test, user, &router("a.example"), id));
        let long_ago = ago(DAY);
        test.execute("UPDATE deleted_snd_chunk_replicas SET updated_at = $1", &[&long_ago]);
        let delay = |id, delay| {
            test.run(|tx| tx.update_deleted_snd_chunk_replica_delay(id, RetryDelay(delay)))
                .unwrap();
        };
        delay(id, 5_000_000);
        delay(id, i64::MAX);
        delay(DeletedSndChunkReplicaId(99), 1);
        let query = "SELECT deleted_snd_chunk_replica_id, delay, retries, updated_at
                       FROM deleted_snd_chunk_replicas ORDER BY deleted_snd_chunk_replica_id";
        let rows = test.query(query, &[], |row| {
            let id: Id = row.next("d.deleted_snd_chunk_replica_id")?;
            let delay: Option<i64> = row.next("d.delay")?;
            let retries: i64 = row.next("d.retries")?;
            Ok((id, delay, retries, row.next::<UtcTime>("d.updated_at")? == long_ago))
        });
        assert_eq!(rows, [(other, None, 0, true), (id, Some(i64::MAX), 2, false)]);
    });
}

#[test]
fn f207_a_deleted_replica_is_forgotten() {
    on_each(|test| {
        let user = test.user();
        let ids = ["a", "b"].map(|id| note(test, user, &router("a.example"), id));
        for _ in 0..2 {
            test.run(|tx| tx.delete_deleted_snd_chunk_replica(ids[0])).unwrap();
            assert_eq!(left(test), [ids[1].0]);
        }
    });
}

fn pending(test: &TestStore) -> Vec<XftpServer> {
    let mut found = test.run(|tx| tx.get_pending_del_files_servers(DAY)).unwrap();
    found.sort();
    found
}

#[test]
fn f208_as35_routers_come_once_each_and_also_for_replicas_that_are_marked_as_failed() {
    on_each(|test| {
        assert_eq!(pending(test), []);
        let user = test.user();
        let mut servers = [
            server("a.example,b.onion", "443", b"one"),
            server("a.example,b.onion", "443", b"two"),
            server("a.example,b.onion", "444", b"one"),
        ];
        for server in &servers {
            note(test, user, server, "a");
            note(test, user, server, "b");
        }
        // A router that has nothing to delete isn't named.
        test.run(|tx| tx.create_xftp_server(&router("idle.example"))).unwrap();
        servers.sort();
        assert_eq!(pending(test), servers);
        test.execute("UPDATE deleted_snd_chunk_replicas SET failed = 1", &[]);
        assert_eq!(pending(test), servers);
        assert_eq!(next(test, &servers[0]), None);
    });
}

#[test]
fn f205_f208_a_replica_of_exactly_that_age_is_not_expired() {
    on_each(|test| {
        let here = router("a.example");
        let id = note(test, test.user(), &here, "a");
        made_at(test, id, ago(DAY + HOUR));
        assert_eq!((next(test, &here), pending(test).len()), (None, 0));
        made_at(test, id, ago(DAY - HOUR));
        assert_eq!((next(test, &here), pending(test).len()), (Some(id), 1));
        let since_ever = || {
            test.run(|tx| {
                let next = tx.get_next_deleted_snd_chunk_replica(&here, SINCE_EVER)?;
                Ok((next.is_some(), tx.get_pending_del_files_servers(SINCE_EVER)?.len()))
            })
        };
        made_at(test, id, first_time());
        assert_eq!(since_ever(), Ok((true, 1)));
        made_before_the_first_time(test, id);
        assert_eq!(since_ever(), Ok((false, 0)));
    });
}

#[test]
fn f209_expired_replicas_are_forgotten_and_none_of_exactly_that_age() {
    on_each(|test| {
        let user = test.user();
        let here = router("a.example");
        let ids = ["a", "b", "c"].map(|id| note(test, user, &here, id));
        let forget = |ttl| {
            test.run(|tx| tx.delete_deleted_snd_chunk_replicas_expired(ttl)).unwrap();
            left(test)
        };
        made_at(test, ids[1], ago(DAY - HOUR));
        for id in [ids[0], ids[2]] {
            made_at(test, id, ago(DAY + HOUR));
        }
        test.execute("UPDATE deleted_snd_chunk_replicas SET failed = 1", &[]);
        assert_eq!(forget(DAY * 2), ids.map(|id| id.0));
        assert_eq!(forget(DAY), [ids[1].0]);
        made_at(test, ids[1], first_time());
        assert_eq!(forget(SINCE_EVER), [ids[1].0]);
        made_before_the_first_time(test, ids[1]);
        assert!(forget(SINCE_EVER).is_empty());
    });
}
