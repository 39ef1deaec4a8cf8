//! What is to be done next for files that are received.

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;

use super::*;
use crate::fixture::on_each;

fn next_within(
    test: &TestStore,
    server: &XftpServer,
    ttl: Duration,
) -> Result<Option<RcvChunkToDownload>, StoreError> {
    test.run(|tx| tx.get_next_rcv_chunk_to_download(server, ttl))
}

fn next(test: &TestStore) -> Option<RcvChunkToDownload> {
    next_within(test, &router("one.example"), TTL).unwrap()
}

/// The id of the next replica, by its first byte.
fn next_id(test: &TestStore) -> Option<u8> {
    next(test).map(|next| next.chunk.replicas[0].replica_id.as_bytes()[0])
}

fn to_decrypt(test: &TestStore, ttl: Duration) -> Option<DbRcvFileId> {
    let next = test.run(|tx| tx.get_next_rcv_file_to_decrypt(ttl)).unwrap();
    next.map(|file| file.rcv_file_id)
}

fn pending(test: &TestStore, ttl: Duration) -> Vec<XftpServer> {
    let mut servers = test.run(|tx| tx.get_pending_rcv_files_servers(ttl)).unwrap();
    servers.sort();
    servers
}

fn set_status(test: &TestStore, id: i64, status: RcvFileStatus) {
    test.run(|tx| tx.update_rcv_file_status(DbRcvFileId(id), status)).unwrap();
}

const HOUR: Duration = Duration::from_secs(60 * 60);

#[test]
fn f175_a_chunk_comes_with_one_replica_on_the_router_that_was_asked_for() {
    on_each(|test| {
        let (one, two) = (router("one.example"), router("two.example"));
        let chunks = vec![chunk(4, &[replica(&one, 1), replica(&two, 2)])];
        let file = description(chunks);
        let id = create(test, test.user(), 1, &file).unwrap();
        let mut expected = by_entity_id(test, &id).chunks.remove(0);
        expected.replicas.truncate(1);
        let expected =
            RcvChunkToDownload { chunk: expected, approved_relays: true, redirect_entity_id: None };
        assert_eq!(next(test), Some(expected));
        let elsewhere = [
            server("one.example", "444", &[1; 32]),
            server("one.example", "443", &[2; 32]),
            server("one.example,other.example", "443", &[1; 32]),
            two,
        ];
        for server in elsewhere {
            assert_eq!(next_within(test, &server, TTL), Ok(None), "{server:?}");
        }
    });
}

#[test]
fn f175_a_chunk_of_a_description_says_whose_it_is() {
    on_each(|test| {
        let chunks = vec![chunk(1, &[replica(&router("one.example"), 1)])];
        let id = create_redirect(test, test.user(), 1, &redirect_description(chunks)).unwrap();
        test.execute("UPDATE rcv_files SET approved_relays = 0", &[]);
        let next = next(test).unwrap();
        assert_eq!((next.approved_relays, next.redirect_entity_id), (false, Some(id)));
        assert_eq!(next.chunk.rcv_file_id, DbRcvFileId(2));
    });
}

#[test]
fn f175_only_files_that_are_received_have_chunks_to_download() {
    on_each(|test| {
        let file = small_file(test, 1);
        for status in RcvFileStatus::ALL {
            set_status(test, file.rcv_file_id.0, *status);
            let expected = (*status == RcvFileStatus::Receiving).then_some(1);
            assert_eq!(next_id(test), expected, "{status:?}");
        }
        set_status(test, file.rcv_file_id.0, RcvFileStatus::Receiving);
        let changes = [
            ("UPDATE rcv_files SET deleted = 1", "UPDATE rcv_files SET deleted = 0"),
            ("UPDATE rcv_files SET failed = 1", "UPDATE rcv_files SET failed = 0"),
            (
                "UPDATE rcv_file_chunk_replicas SET received = 1",
                "UPDATE rcv_file_chunk_replicas SET received = 0",
            ),
        ];
        for (change, back) in changes {
            test.execute(change, &[]);
            assert_eq!(next_id(test), None, "{change}");
            test.execute(back, &[]);
            assert_eq!(next_id(test), Some(1));
        }
        let chunk = &file.chunks[0];
        let received = test.run(|tx| {
            let replica_id = chunk.replicas[0].rcv_chunk_replica_id;
            tx.update_rcv_file_chunk_received(replica_id, chunk.rcv_chunk_id, &path("/chunk"))
        });
        assert_eq!((received, next_id(test)), (Ok(()), None));
    });
}

#[test]
fn f175_f176_f177_a_file_expires_after_its_limit_and_not_at_it() {
    on_each(|test| {
        let (first, second) = (small_file(test, 1), small_file(test, 2));
        set_status(test, second.rcv_file_id.0, RcvFileStatus::Received);
        let one = router("one.example");
        let found = |ttl| {
            let next = next_within(test, &one, ttl).unwrap().is_some();
            assert_eq!(pending(test, ttl).len(), usize::from(next));
            assert_eq!(to_decrypt(test, ttl).is_some(), next);
            next
        };
        let aged = |duration| {
            age(test, first.rcv_file_id, duration);
            age(test, second.rcv_file_id, duration);
        };
        assert!(found(TTL));
        aged(TTL - HOUR);
        assert!(found(TTL));
        aged(TTL);
        assert!(!found(TTL), "some time has passed since");
        aged(TTL + HOUR);
        assert!(!found(TTL));
        assert!(found(TTL + HOUR + HOUR));
        // The one limit that doesn't move with the clock: made at the very moment, it isn't expired.
        aged(EVER);
        assert!(found(EVER));
        assert!(!found(TTL));
    });
}

#[test]
fn f175_f177_as88_only_the_first_replica_is_ever_used() {
    on_each(|test| {
        let (one, two) = (router("one.example"), router("two.example"));
        let file = description(vec![chunk(1, &[replica(&two, 1), replica(&one, 2)])]);
        create(test, test.user(), 1, &file).unwrap();
        assert_eq!(next_within(test, &one, TTL), Ok(None));
        assert!(next_within(test, &two, TTL).unwrap().is_some());
        assert_eq!(pending(test, TTL), std::slice::from_ref(&two));
        test.execute("UPDATE rcv_file_chunk_replicas SET received = 1, retries = 9", &[]);
        test.execute(
            "UPDATE rcv_file_chunk_replicas SET received = 0 WHERE replica_number = 2",
            &[],
        );
        assert_eq!(next_within(test, &one, TTL), Ok(None));
        assert!(pending(test, TTL).is_empty());
    });
}

#[test]
fn f175_as89_the_fewest_retries_come_first_then_the_oldest() {
    on_each(|test| {
        let one = router("one.example");
        let replicas = |ids: [u8; 3]| {
            description(ids.map(|id| chunk(i64::from(id), &[replica(&one, id)])).to_vec())
        };
        let user = test.user();
        create(test, user, 1, &replicas([1, 2, 3])).unwrap();
        create(test, user, 2, &replicas([4, 5, 6])).unwrap();
        let made = "UPDATE rcv_file_chunk_replicas SET created_at = $1
                     WHERE rcv_file_chunk_replica_id = $2";
        let now = UtcTime::now();
        for (id, minutes) in [(1, 10), (2, 30), (3, 20), (4, 60), (5, 40), (6, 50)] {
            let then = now.before(Duration::from_secs(minutes * 60));
            test.execute(made, &[&then, &RcvChunkReplicaId(id)]);
        }
        let mut order = Vec::new();
        for _ in 0..8 {
            let next = next(test).unwrap().chunk.replicas.remove(0);
            order.push(next.replica_id.as_bytes()[0]);
            let delay = RetryDelay(1_000);
            test.run(|tx| tx.update_rcv_chunk_replica_delay(next.rcv_chunk_replica_id, delay))
                .unwrap();
        }
        assert_eq!(order, [4, 6, 5, 2, 3, 1, 4, 6], "each once, then again");
    });
}

#[test]
fn f175_replicas_of_one_moment_come_in_the_description_s_order() {
    on_each(|test| {
        let one = router("one.example");
        let chunks = (1..=20).map(|id| chunk(i64::from(id), &[replica(&one, id)])).collect();
        create(test, test.user(), 1, &description(chunks)).unwrap();
        let now = UtcTime::now();
        test.execute("UPDATE rcv_file_chunk_replicas SET created_at = $1", &[&now]);
        for expected in 1..=20 {
            let chunk = next(test).unwrap().chunk;
            assert_eq!(chunk.chunk_no, ChunkNo(expected));
            let replica_id = chunk.replicas[0].rcv_chunk_replica_id;
            test.run(|tx| {
                tx.update_rcv_file_chunk_received(replica_id, chunk.rcv_chunk_id, &path("/chunk"))
            })
            .unwrap();
        }
        assert_eq!(next(test), None);
    });
}

/// Of the first file that is there: a column, and what damages it.
const CHUNK_DAMAGES: [(&str, &str, &[u8]); 5] = [
    (
        "rcv_file_chunk_replicas.replica_key",
        "UPDATE rcv_file_chunk_replicas SET replica_key = $1 WHERE rcv_file_chunk_replica_id =
           (SELECT min(rcv_file_chunk_replica_id) FROM rcv_file_chunk_replicas)",
        b"no DER",
    ),
    (
        "rcv_file_chunk_replicas.replica_id",
        "UPDATE rcv_file_chunk_replicas SET replica_id = $1 WHERE rcv_file_chunk_replica_id =
           (SELECT min(rcv_file_chunk_replica_id) FROM rcv_file_chunk_replicas)",
        b"",
    ),
    (
        "rcv_file_chunks.chunk_size",
        "UPDATE rcv_file_chunks SET chunk_size = 4294967296 WHERE digest <> $1 AND
           rcv_file_chunk_id = (SELECT min(rcv_file_chunk_id) FROM rcv_file_chunks)",
        b"",
    ),
    (
        "rcv_files.rcv_file_entity_id",
        "UPDATE rcv_files SET rcv_file_entity_id = $1
          WHERE rcv_file_id = (SELECT min(rcv_file_id) FROM rcv_files)",
        b"",
    ),
    (
        "rcv_files.redirect_entity_id",
        "UPDATE rcv_files SET redirect_entity_id = $1
          WHERE rcv_file_id = (SELECT min(rcv_file_id) FROM rcv_files)",
        b"",
    ),
];

#[test]
fn f175_as34_as90_a_chunk_that_cannot_be_loaded_fails_its_file_and_no_other() {
    on_each(|test| {
        let (user, one) = (test.user(), router("one.example"));
        let two_chunks =
            description(vec![chunk(1, &[replica(&one, 1)]), chunk(2, &[replica(&one, 2)])]);
        let one_chunk = description(vec![chunk(1, &[replica(&one, 3)])]);
        for (column, damage, value) in CHUNK_DAMAGES {
            test.execute("DELETE FROM rcv_files", &[]);
            create(test, user, 1, &two_chunks).unwrap();
            create(test, user, 2, &one_chunk).unwrap();
            assert_eq!(test.execute(damage, &[&value]), 1, "{column}");
            let failure = next_within(test, &one, TTL);
            let Err(StoreError::Internal(text)) = failure else { panic!("{column}: {failure:?}") };
            assert!(text.contains(&format!("{column}: ")), "{column}: {text}");
            assert_eq!(failed(test), [true, false]);
            assert_eq!(next_id(test), Some(3), "also the good chunk of the bad file is skipped");
        }
    });
}

#[test]
fn f175_as90_a_file_without_a_folder_for_chunks_fails() {
    on_each(|test| {
        let one = router("one.example");
        let file = small_file(test, 1);
        test.run(|tx| tx.update_rcv_file_no_tmp_path(file.rcv_file_id)).unwrap();
        let failure = next_within(test, &one, TTL);
        assert!(
            matches!(&failure, Err(StoreError::Internal(text))
            if text.contains("rcv_files.tmp_path")),
            "{failure:?}"
        );
        assert_eq!(failed(test), [true]);
        assert_eq!(next_within(test, &one, TTL), Ok(None));
    });
}

#[test]
fn f175_f176_as97_what_cannot_be_found_stops_the_worker() {
    on_each(|test| {
        small_file(test, 1);
        test.execute("ALTER TABLE rcv_files RENAME TO moved", &[]);
        let download = next_within(test, &router("one.example"), TTL).unwrap_err();
        let text = download.to_string();
        assert!(download.is_work_item() && text.contains("rcv_file_download: finding"), "{text}");
        let decrypt = test.run(|tx| tx.get_next_rcv_file_to_decrypt(TTL)).unwrap_err();
        let text = decrypt.to_string();
        assert!(decrypt.is_work_item() && text.contains("rcv_file_decrypt: finding"), "{text}");
    });
}

#[test]
fn f176_the_oldest_file_that_came_is_decrypted_first() {
    on_each(|test| {
        let files = [1, 2, 3, 4].map(|seed| small_file(test, seed * 10));
        assert_eq!(to_decrypt(test, TTL), None, "they are still being received");
        for (file, hours) in files.iter().zip([1, 3, 2, 4]) {
            age(test, file.rcv_file_id, HOUR * hours);
        }
        set_status(test, 1, RcvFileStatus::Received);
        set_status(test, 2, RcvFileStatus::Decrypting);
        set_status(test, 3, RcvFileStatus::Received);
        for expected in [2, 3, 1] {
            assert_eq!(to_decrypt(test, TTL), Some(DbRcvFileId(expected)));
            set_status(test, expected, RcvFileStatus::Complete);
        }
        assert_eq!(to_decrypt(test, TTL), None);
        set_status(test, 1, RcvFileStatus::Error);
        assert_eq!(to_decrypt(test, TTL), None);
    });
}

#[test]
fn f176_a_file_to_decrypt_is_loaded_with_its_chunks() {
    on_each(|test| {
        let file = small_file(test, 1);
        set_status(test, 1, RcvFileStatus::Received);
        let expected = RcvFile { status: RcvFileStatus::Received, ..file };
        let next = || test.run(|tx| tx.get_next_rcv_file_to_decrypt(TTL));
        assert_eq!(next(), Ok(Some(expected)));
        test.execute("UPDATE rcv_files SET deleted = 1", &[]);
        assert_eq!(next(), Ok(None));
        test.execute("UPDATE rcv_files SET deleted = 0, failed = 1", &[]);
        assert_eq!(next(), Ok(None));
    });
}

/// The same for what is loaded with a file.
const FILE_DAMAGES: [(&str, &str, &[u8]); 4] = [
    (
        "rcv_files.key",
        "UPDATE rcv_files SET key = $1
          WHERE rcv_file_id = (SELECT min(rcv_file_id) FROM rcv_files)",
        b"short",
    ),
    (
        "rcv_files.save_file_nonce",
        "UPDATE rcv_files SET save_file_key = $1
          WHERE rcv_file_id = (SELECT min(rcv_file_id) FROM rcv_files)",
        &[1; 32],
    ),
    CHUNK_DAMAGES[0],
    CHUNK_DAMAGES[2],
];

#[test]
fn f176_as34_a_file_that_cannot_be_loaded_is_marked_and_the_next_is_given() {
    on_each(|test| {
        let user = test.user();
        for (column, damage, value) in FILE_DAMAGES {
            test.execute("DELETE FROM rcv_files", &[]);
            let [bad, good] = [1, 2].map(|seed| {
                let id = create(test, user, seed, &one_chunk(&router("one.example"))).unwrap();
                by_entity_id(test, &id).rcv_file_id
            });
            set_status(test, bad.0, RcvFileStatus::Decrypting);
            set_status(test, good.0, RcvFileStatus::Received);
            age(test, bad, HOUR);
            assert_eq!(test.execute(damage, &[&value]), 1, "{column}");
            let failure = test.run(|tx| tx.get_next_rcv_file_to_decrypt(TTL));
            let Err(StoreError::Internal(text)) = failure else { panic!("{column}: {failure:?}") };
            assert!(text.contains(&format!("{column}: ")), "{column}: {text}");
            assert_eq!(failed(test), [true, false]);
            assert_eq!(to_decrypt(test, TTL), Some(good));
        }
    });
}

#[test]
fn f177_as35_routers_are_listed_once_and_for_failed_files_too() {
    on_each(|test| {
        let [one, two, three] = ["one.example", "two.example", "three.example"].map(router);
        let renewed = server("one.example", "443", &[2; 32]);
        let user = test.user();
        let chunks = vec![
            chunk(1, &[replica(&one, 1)]),
            chunk(2, &[replica(&one, 2)]),
            chunk(3, &[replica(&renewed, 3)]),
        ];
        create(test, user, 1, &description(chunks)).unwrap();
        create(test, user, 2, &one_chunk(&two)).unwrap();
        create(test, user, 3, &one_chunk(&three)).unwrap();
        let mut all = vec![one.clone(), renewed.clone(), two.clone(), three.clone()];
        all.sort();
        assert_eq!(pending(test, TTL), all);
        test.execute("UPDATE rcv_files SET failed = 1", &[]);
        assert_eq!(pending(test, TTL), all);
        test.execute("UPDATE rcv_files SET deleted = 1 WHERE rcv_file_id = 2", &[]);
        set_status(test, 3, RcvFileStatus::Received);
        let mut left = [one, renewed];
        left.sort();
        assert_eq!(pending(test, TTL), left);
        test.execute("UPDATE rcv_file_chunk_replicas SET received = 1", &[]);
        assert!(pending(test, TTL).is_empty());
    });
}
