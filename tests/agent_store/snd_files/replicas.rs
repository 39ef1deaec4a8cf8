//! Replicas of a sent file's chunks.

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    NewSndChunkReplica, ReplicaRecipient, RetryDelay, SndChunkId, SndChunkReplicaId,
    SndFileReplicaStatus,
};
use simplex_stores::db::UtcTime;

use super::{
    DAY, add_replica, ago, encrypted_file, key, load, numbers, place, recipient, replica_id, router,
};
use crate::fixture::{TestStore, on_each};

fn chunks(test: &TestStore, count: u8) -> Vec<SndChunkId> {
    let id = encrypted_file(test, test.user(), count);
    load(test, id).chunks.iter().map(|chunk| chunk.snd_chunk_id).collect()
}

#[test]
fn f195_a_replica_is_made_with_its_router_and_recipients() {
    on_each(|test| {
        let chunk = chunks(test, 2)[1];
        let server = router("a.example,b.onion");
        let rcv_ids_keys = vec![recipient("z", 1), recipient("a", 2)];
        let replica = NewSndChunkReplica { rcv_ids_keys, ..place(&server, "first") };
        let first = add_replica(test, chunk, &replica);
        let second = add_replica(test, chunk, &place(&server, "second"));
        let query = "SELECT snd_file_chunk_id, replica_number, xftp_host, xftp_port, replica_id,
                            replica_key, replica_status, delay, retries
                       FROM snd_file_chunk_replicas r
                       JOIN xftp_servers s ON s.xftp_server_id = r.xftp_server_id
                      ORDER BY snd_file_chunk_replica_id";
        let rows = test.query(query, &[], |row| {
            let chunk: SndChunkId = row.next("r.snd_file_chunk_id")?;
            let number: i64 = row.next("r.replica_number")?;
            let host: String = row.next("s.xftp_host")?;
            let port: String = row.next("s.xftp_port")?;
            let id: Vec<u8> = row.next("r.replica_id")?;
            let key: Vec<u8> = row.next("r.replica_key")?;
            let status: String = row.next("r.replica_status")?;
            let tried: (Option<i64>, i64) = (row.next("r.delay")?, row.next("r.retries")?);
            Ok((chunk, number, format!("{host}:{port}"), id, key, status, tried))
        });
        let row = |id: &str| {
            let (at, status) = ("a.example,b.onion:443".to_owned(), "created".to_owned());
            (chunk, 1, at, id.as_bytes().to_vec(), key(7).to_der(), status, (None, 0))
        };
        assert_eq!(rows, [row("first"), row("second")]);
        assert_eq!(numbers(test, "SELECT count(*) AS n FROM xftp_servers", &[]), [1]);
        let query = "SELECT snd_file_chunk_replica_id, rcv_replica_id, rcv_replica_key
                       FROM snd_file_chunk_replica_recipients
                      ORDER BY snd_file_chunk_replica_recipient_id";
        let rows = test.query(query, &[], |row| {
            let replica: SndChunkReplicaId = row.next("p.snd_file_chunk_replica_id")?;
            let id: Vec<u8> = row.next("p.rcv_replica_id")?;
            Ok((replica, id, row.next::<Vec<u8>>("p.rcv_replica_key")?))
        });
        let expected =
            [(first, b"z".to_vec(), key(1).to_der()), (first, b"a".to_vec(), key(2).to_der())];
        assert_eq!(rows, expected);
        assert_ne!(first, second);
    });
}

#[test]
fn f195_a_replica_needs_its_chunk_and_leaves_nothing_without() {
    on_each(|test| {
        let replica = place(&router("a.example"), "replica");
        let made = test.run(|tx| tx.create_snd_file_replica_for(SndChunkId(99), &replica));
        assert!(matches!(made, Err(StoreError::Internal(_))), "{made:?}");
        assert_eq!(numbers(test, "SELECT count(*) AS n FROM xftp_servers", &[]), [0]);
    });
}

#[test]
fn f194_a_replica_is_made_for_a_chunk_that_was_loaded() {
    on_each(|test| {
        let id = encrypted_file(test, test.user(), 2);
        let chunk = &load(test, id).chunks[1];
        let rcv_ids_keys = vec![recipient("r", 1)];
        let replica = NewSndChunkReplica { rcv_ids_keys, ..place(&router("a.example"), "replica") };
        test.run(|tx| tx.create_snd_file_replica(chunk, &replica)).unwrap();
        let found = load(test, id).chunks;
        assert!(found[0].replicas.is_empty());
        let [made] = &found[1].replicas[..] else { panic!("{found:?}") };
        let made = (&made.server, &made.replica_id, &made.replica_key, &made.rcv_ids_keys);
        let NewSndChunkReplica { server, replica_id, replica_key, rcv_ids_keys } = &replica;
        assert_eq!(made, (server, replica_id, replica_key, rcv_ids_keys));
    });
}

#[test]
fn f197_a_delay_counts_a_retry_of_its_replica_only() {
    on_each(|test| {
        let chunk = chunks(test, 1)[0];
        let server = router("a.example");
        let [other, id] = ["other", "id"].map(|id| add_replica(test, chunk, &place(&server, id)));
        let long_ago = ago(DAY);
        test.execute("UPDATE snd_file_chunk_replicas SET updated_at = $1", &[&long_ago]);
        for delay in [RetryDelay(5_000_000), RetryDelay(i64::MAX)] {
            test.run(|tx| tx.update_snd_chunk_replica_delay(id, delay)).unwrap();
        }
        test.run(|tx| tx.update_snd_chunk_replica_delay(SndChunkReplicaId(99), RetryDelay(1)))
            .unwrap();
        let query = "SELECT snd_file_chunk_replica_id, delay, retries, updated_at
                       FROM snd_file_chunk_replicas ORDER BY snd_file_chunk_replica_id";
        let rows = test.query(query, &[], |row| {
            let id: SndChunkReplicaId = row.next("r.snd_file_chunk_replica_id")?;
            let delay: Option<i64> = row.next("r.delay")?;
            let retries: i64 = row.next("r.retries")?;
            Ok((id, delay, retries, row.next::<UtcTime>("r.updated_at")? == long_ago))
        });
        assert_eq!(rows, [(other, None, 0, true), (id, Some(i64::MAX), 2, false)]);
    });
}

#[test]
fn f199_a_status_is_set_of_its_replica_only() {
    on_each(|test| {
        let chunk = chunks(test, 1)[0];
        let server = router("a.example");
        let [other, id] = ["other", "id"].map(|id| add_replica(test, chunk, &place(&server, id)));
        let long_ago = ago(DAY);
        for status in [SndFileReplicaStatus::Uploaded, SndFileReplicaStatus::Created] {
            test.execute("UPDATE snd_file_chunk_replicas SET updated_at = $1", &[&long_ago]);
            test.run(|tx| tx.update_snd_chunk_replica_status(id, status)).unwrap();
            let query = "SELECT snd_file_chunk_replica_id, replica_status, updated_at
                           FROM snd_file_chunk_replicas ORDER BY snd_file_chunk_replica_id";
            let rows = test.query(query, &[], |row| {
                let id: SndChunkReplicaId = row.next("r.snd_file_chunk_replica_id")?;
                let status: String = row.next("r.replica_status")?;
                Ok((id, status, row.next::<UtcTime>("r.updated_at")? == long_ago))
            });
            let expected =
                [(other, "created".to_owned(), true), (id, status.text().to_owned(), false)];
            assert_eq!(rows, expected);
        }
        let gone = SndChunkReplicaId(99);
        let set =
            test.run(|tx| tx.update_snd_chunk_replica_status(gone, SndFileReplicaStatus::Uploaded));
        assert_eq!(set, Ok(()));
    });
}

#[test]
fn f198_added_recipients_come_back_with_those_before() {
    on_each(|test| {
        let id = encrypted_file(test, test.user(), 1);
        let chunk = load(test, id).chunks[0].snd_chunk_id;
        let rcv_ids_keys = vec![recipient("z", 1)];
        let new = NewSndChunkReplica { rcv_ids_keys, ..place(&router("a.example"), "replica") };
        add_replica(test, chunk, &new);
        let other = NewSndChunkReplica { rcv_ids_keys: vec![recipient("other", 9)], ..new };
        add_replica(test, chunk, &other);
        let replica = load(test, id).chunks[0].replicas[0].clone();
        let mut stale = replica.clone();
        stale.rcv_ids_keys = Vec::new();
        let add = |recipients: &[ReplicaRecipient]| {
            test.run(|tx| tx.add_snd_chunk_replica_recipients(stale.clone(), recipients)).unwrap()
        };
        let all = [recipient("z", 1), recipient("y", 2), recipient("a", 3)];
        let added = add(&all[1..]);
        assert_eq!(added.rcv_ids_keys, all, "what is stored counts, not what was given");
        assert_eq!((&added.replica_id, added.retries), (&replica_id("replica"), 0));
        assert_eq!(load(test, id).chunks[0].replicas[0], added);
        assert_eq!(add(&[]), added);
    });
}

#[test]
fn f198_recipients_need_their_replica() {
    on_each(|test| {
        let id = encrypted_file(test, test.user(), 1);
        let chunk = load(test, id).chunks[0].snd_chunk_id;
        add_replica(test, chunk, &place(&router("a.example"), "replica"));
        let replica = load(test, id).chunks[0].replicas[0].clone();
        test.run(|tx| tx.delete_snd_file_record(id)).unwrap();
        let recipients = [recipient("r", 1)];
        let added = test.run(|tx| tx.add_snd_chunk_replica_recipients(replica, &recipients));
        assert!(matches!(added, Err(StoreError::Internal(_))), "{added:?}");
    });
}
