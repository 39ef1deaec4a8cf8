//! Chunks to upload, and the routers that they are uploaded to.

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    DbSndFileId, NewSndChunkReplica, RetryDelay, SndChunkReplicaId, SndFileChunk,
    SndFileReplicaStatus, SndFileStatus, XftpServer,
};

use super::{
    DAY, HOUR, SINCE_EVER, add_replica, ago, encrypted_file, failed_files, first_time, load,
    made_at, made_before_the_first_time, place, recipient, router,
};
use crate::fixture::{TestStore, on_each, server};

fn next(test: &TestStore, server: &XftpServer) -> Option<SndChunkReplicaId> {
    let found = test.run(|tx| tx.get_next_snd_chunk_to_upload(server, DAY)).unwrap();
    found.map(|chunk| chunk.replicas[0].snd_chunk_replica_id)
}

fn pending(test: &TestStore) -> Vec<XftpServer> {
    let mut found = test.run(|tx| tx.get_pending_snd_files_servers(DAY)).unwrap();
    found.sort();
    found
}

/// A file with a chunk for each of these replicas.
pub(crate) fn uploading_file(
    test: &TestStore,
    server: &XftpServer,
    ids: &[&str],
) -> (DbSndFileId, Vec<SndChunkReplicaId>) {
    let file = encrypted_file(test, test.user(), u8::try_from(ids.len()).unwrap());
    let chunks = load(test, file).chunks;
    let replica = |(chunk, id): (&SndFileChunk, &&str)| {
        add_replica(test, chunk.snd_chunk_id, &place(server, id))
    };
    (file, chunks.iter().zip(ids).map(replica).collect())
}

#[test]
fn f196_a_chunk_comes_with_the_one_replica_that_is_meant() {
    on_each(|test| {
        let (here, there) = (router("a.example,b.onion"), router("c.example"));
        let file = encrypted_file(test, test.user(), 2);
        let chunk = load(test, file).chunks[1].snd_chunk_id;
        add_replica(test, chunk, &place(&there, "there"));
        let rcv_ids_keys = vec![recipient("z", 1), recipient("a", 2)];
        let replica = NewSndChunkReplica { rcv_ids_keys, ..place(&here, "here") };
        let id = add_replica(test, chunk, &replica);
        test.run(|tx| tx.update_snd_chunk_replica_delay(id, RetryDelay(7))).unwrap();
        let found = test.run(|tx| tx.get_next_snd_chunk_to_upload(&here, DAY)).unwrap().unwrap();
        let mut expected = load(test, file).chunks[1].clone();
        expected.replicas.remove(0);
        assert_eq!(found, expected);
        assert_eq!(found.replicas.len(), 1);
        assert_eq!(found.replicas[0].server, here);
        assert_eq!(found.replicas[0].rcv_ids_keys, [recipient("z", 1), recipient("a", 2)]);
    });
}

#[test]
fn f196_hosts_port_and_fingerprint_together_are_the_router() {
    on_each(|test| {
        let here = server("a.example,b.onion", "443", b"one");
        let others = [
            server("a.example", "443", b"one"),
            server("a.example,b.onion", "444", b"one"),
            server("a.example,b.onion", "443", b"two"),
        ];
        let (_, replicas) = uploading_file(test, &here, &["here"]);
        for other in &others {
            assert_eq!(next(test, other), None, "{other}");
        }
        let (_, there) = uploading_file(test, &others[2], &["there"]);
        assert_eq!(next(test, &here), Some(replicas[0]));
        assert_eq!(next(test, &others[2]), Some(there[0]));
    });
}

#[test]
fn f196_as89_fewest_retries_come_first_and_of_these_the_oldest() {
    on_each(|test| {
        let here = router("a.example");
        let (_, mut ids) = uploading_file(test, &here, &["a", "b", "c", "d", "e"]);
        let age = "UPDATE snd_file_chunk_replicas SET retries = $2, created_at = $3
                    WHERE snd_file_chunk_replica_id = $1";
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
        ids = rows.map(|(index, ..)| ids[index]).to_vec();
        for id in &ids {
            assert_eq!(next(test, &here), Some(*id));
            let uploaded = SndFileReplicaStatus::Uploaded;
            test.run(|tx| tx.update_snd_chunk_replica_status(*id, uploaded)).unwrap();
        }
        assert_eq!(next(test, &here), None);
    });
}

#[test]
fn f196_as89_a_replica_that_keeps_failing_lets_the_others_go_first() {
    on_each(|test| {
        let here = router("a.example");
        let (_, ids) = uploading_file(test, &here, &["a", "b"]);
        let mut served = Vec::new();
        for _ in 0..4 {
            let id = next(test, &here).unwrap();
            test.run(|tx| tx.update_snd_chunk_replica_delay(id, RetryDelay(1))).unwrap();
            served.push(id);
        }
        assert_eq!(served, [ids[0], ids[1], ids[0], ids[1]]);
    });
}

/// Which files' chunks are uploaded, and which routers are named for that.
#[test]
fn f196_f200_only_what_is_not_yet_uploaded_of_files_that_are_to_be_sent() {
    on_each(|test| {
        let here = router("a.example");
        let (file, replicas) = uploading_file(test, &here, &["a"]);
        let work = || (next(test, &here), pending(test).len());
        let (some, none) = ((Some(replicas[0]), 1), (None, 0));
        for status in SndFileStatus::ALL {
            test.run(|tx| tx.update_snd_file_status(file, *status)).unwrap();
            let sent = matches!(status, SndFileStatus::Encrypted | SndFileStatus::Uploading);
            assert_eq!(work(), if sent { some } else { none }, "{status:?}");
        }
        test.run(|tx| tx.update_snd_file_status(file, SndFileStatus::Uploading)).unwrap();
        test.execute("UPDATE snd_file_chunk_replicas SET replica_number = 2", &[]);
        assert_eq!(work(), none);
        test.execute("UPDATE snd_file_chunk_replicas SET replica_number = 1", &[]);
        assert_eq!(work(), some);
        let uploaded = SndFileReplicaStatus::Uploaded;
        test.run(|tx| tx.update_snd_chunk_replica_status(replicas[0], uploaded)).unwrap();
        assert_eq!(work(), none);
        let created = SndFileReplicaStatus::Created;
        test.run(|tx| tx.update_snd_chunk_replica_status(replicas[0], created)).unwrap();
        test.run(|tx| tx.update_snd_file_deleted(file)).unwrap();
        assert_eq!(work(), none);
    });
}

#[test]
fn f196_f200_a_file_of_exactly_that_age_is_not_expired() {
    on_each(|test| {
        let here = router("a.example");
        let (file, replicas) = uploading_file(test, &here, &["a"]);
        made_at(test, file, ago(DAY + HOUR));
        assert_eq!((next(test, &here), pending(test).len()), (None, 0));
        made_at(test, file, ago(DAY - HOUR));
        assert_eq!((next(test, &here), pending(test).len()), (Some(replicas[0]), 1));
        let since_ever = || {
            test.run(|tx| {
                let next = tx.get_next_snd_chunk_to_upload(&here, SINCE_EVER)?;
                Ok((next.is_some(), tx.get_pending_snd_files_servers(SINCE_EVER)?.len()))
            })
        };
        made_at(test, file, first_time());
        assert_eq!(since_ever(), Ok((true, 1)));
        made_before_the_first_time(test, file);
        assert_eq!(since_ever(), Ok((false, 0)));
        // It is the file's age that counts.
        let old = "UPDATE snd_file_chunk_replicas SET created_at = $1";
        made_at(test, file, ago(HOUR));
        test.execute(old, &[&ago(DAY * 30)]);
        assert_eq!((next(test, &here), pending(test).len()), (Some(replicas[0]), 1));
    });
}

#[test]
fn f196_as90_a_chunk_that_cannot_be_read_takes_its_whole_file_out() {
    on_each(|test| {
        let here = router("a.example");
        let (bad, ids) = uploading_file(test, &here, &["a", "b"]);
        let (good, others) = uploading_file(test, &here, &["c"]);
        let damage = "UPDATE snd_file_chunk_replicas SET replica_key = $2
                       WHERE snd_file_chunk_replica_id = $1";
        test.execute(damage, &[&ids[0], &b"key"]);
        let error = test.run(|tx| tx.get_next_snd_chunk_to_upload(&here, DAY)).unwrap_err();
        let StoreError::Internal(text) = &error else { panic!("{error:?}") };
        assert!(text.contains("snd_file_chunk_replicas.replica_key"), "{text}");
        assert_eq!(failed_files(test), [bad.0]);
        assert_eq!(next(test, &here), Some(others[0]), "not the other chunk of the bad file");
        assert_eq!(failed_files(test), [bad.0]);
        assert_ne!(bad, good);
    });
}

#[test]
fn f196_as34_every_damage_marks_the_file() {
    let damages = [
        ("UPDATE snd_files SET num_recipients = -1", "snd_files.num_recipients"),
        ("UPDATE snd_files SET prefix_path = NULL", "snd_files.prefix_path"),
        ("UPDATE snd_file_chunks SET chunk_size = 4294967296", "snd_file_chunks.chunk_size"),
        (
            "UPDATE snd_file_chunk_replica_recipients SET rcv_replica_key = rcv_replica_id",
            "snd_file_chunk_replica_recipients.rcv_replica_key",
        ),
    ];
    for (damage, column) in damages {
        on_each(|test| {
            let here = router("a.example");
            let file = encrypted_file(test, test.user(), 1);
            let chunk = load(test, file).chunks[0].snd_chunk_id;
            let rcv_ids_keys = vec![recipient("r", 1)];
            add_replica(test, chunk, &NewSndChunkReplica { rcv_ids_keys, ..place(&here, "a") });
            assert!(next(test, &here).is_some());
            test.execute(damage, &[]);
            let error = test.run(|tx| tx.get_next_snd_chunk_to_upload(&here, DAY)).unwrap_err();
            assert!(matches!(error, StoreError::Internal(_)), "{error:?}");
            assert!(error.to_string().contains(column), "{error}");
            assert_eq!(failed_files(test), [file.0]);
            assert_eq!(next(test, &here), None);
        });
    }
}

#[test]
fn f196_as97_when_none_can_be_looked_for_the_worker_stops() {
    on_each(|test| {
        test.execute("ALTER TABLE snd_file_chunks RENAME TO moved", &[]);
        let here = router("a.example");
        let error = test.run(|tx| tx.get_next_snd_chunk_to_upload(&here, DAY)).unwrap_err();
        assert!(error.is_work_item(), "{error}");
        assert!(error.to_string().contains("snd_file_upload: finding the next item"), "{error}");
    });
}

#[test]
fn f200_as35_routers_come_once_each_and_also_for_files_that_are_marked_as_failed() {
    on_each(|test| {
        assert_eq!(pending(test), []);
        let servers = [
            server("a.example,b.onion", "443", b"one"),
            server("a.example,b.onion", "443", b"two"),
            server("a.example,b.onion", "444", b"one"),
        ];
        for server in &servers {
            uploading_file(test, server, &["a", "b"]);
        }
        let mut expected = servers.to_vec();
        expected.sort();
        assert_eq!(pending(test), expected);
        test.execute("UPDATE snd_files SET failed = 1", &[]);
        assert_eq!(pending(test), expected);
        assert_eq!(next(test, &servers[0]), None);
    });
}
