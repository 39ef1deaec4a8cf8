//! Loading a sent file.

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    ChunkNo, ChunkOffset, ChunkSize, CryptoFile, CryptoFileArgs, DbSndFileId, FileSize,
    NewSndChunkReplica, NewSndFile, RedirectFileInfo, RetryDelay, SbKey, SbNonce, SndChunkId,
    SndFile, SndFileChunk, SndFileChunkReplica, SndFileId, SndFileReplicaStatus, SndFileStatus,
    UserId, XftpChunkSpec,
};
use simplex_stores::db::{Params, Sql};

use super::{
    add_replica, create, digest, encrypted_file, file, key, load, path, place, plain_file,
    recipient, replica_id, router,
};
use crate::fixture::{Place, TestStore, on_each};

#[test]
fn f183_f184_a_file_is_loaded_with_all_that_it_is_made_of() {
    on_each(|test| {
        let user = test.user();
        let crypto = CryptoFileArgs { key: SbKey::new([5; 32]), nonce: SbNonce([6; 24]) };
        let src_file = CryptoFile { path: path("/home/me/locked"), crypto: Some(crypto) };
        let redirect = Some(RedirectFileInfo { size: FileSize(1 << 40), digest: digest(8) });
        let new = NewSndFile { src_file, redirect, ..plain_file() };
        let entity = create(test, 1, user, &new);
        let found = test.run(|tx| tx.get_snd_file_by_entity_id(&entity)).unwrap();
        let expected = SndFile {
            snd_file_id: found.snd_file_id,
            snd_file_entity_id: entity,
            user_id: user,
            num_recipients: 2,
            digest: None,
            key: new.key,
            nonce: new.nonce,
            chunks: Vec::new(),
            src_file: new.src_file,
            prefix_path: Some(path("/tmp/snd")),
            status: SndFileStatus::New,
            deleted: false,
            redirect: new.redirect,
        };
        assert_eq!(found, expected);
        assert_eq!(load(test, found.snd_file_id), expected);
        test.run(|tx| {
            tx.update_snd_file_encrypted(found.snd_file_id, &digest(50), &[])?;
            tx.update_snd_file_status(found.snd_file_id, SndFileStatus::Uploading)?;
            tx.update_snd_file_deleted(found.snd_file_id)
        })
        .unwrap();
        let changed = SndFile {
            digest: Some(digest(50)),
            status: SndFileStatus::Uploading,
            deleted: true,
            ..expected
        };
        assert_eq!(load(test, found.snd_file_id), changed);
    });
}

#[test]
fn f183_f184_what_is_not_there_is_not_found() {
    on_each(|test| {
        file(test, test.user());
        let by_row = test.run(|tx| tx.get_snd_file(DbSndFileId(99)));
        assert_eq!(by_row, Err(StoreError::FileNotFound));
        let id = SndFileId::from_bytes(b"another").unwrap();
        let by_id = test.run(|tx| tx.get_snd_file_by_entity_id(&id));
        assert_eq!(by_id, Err(StoreError::FileNotFound));
    });
}

#[test]
fn f183_chunks_come_with_their_replicas_and_recipients() {
    on_each(|test| {
        let user = test.user();
        let (other, id) = (encrypted_file(test, user, 1), encrypted_file(test, user, 2));
        let (here, there) = (router("a.example,b.onion"), router("c.example"));
        let chunks: Vec<SndChunkId> =
            load(test, id).chunks.iter().map(|chunk| chunk.snd_chunk_id).collect();
        let first = NewSndChunkReplica {
            rcv_ids_keys: vec![recipient("z", 1), recipient("a", 2)],
            ..place(&here, "first")
        };
        let replicas = [
            add_replica(test, chunks[1], &first),
            add_replica(test, chunks[1], &place(&there, "second")),
        ];
        let replica = |number: usize| SndFileChunkReplica {
            snd_chunk_replica_id: replicas[number],
            server: [&here, &there][number].clone(),
            replica_id: replica_id(["first", "second"][number]),
            replica_key: key(7),
            rcv_ids_keys: Vec::new(),
            replica_status: SndFileReplicaStatus::Created,
            delay: None,
            retries: 0,
        };
        test.run(|tx| {
            tx.update_snd_chunk_replica_delay(replicas[1], RetryDelay(i64::MAX))?;
            tx.update_snd_chunk_replica_status(replicas[1], SndFileReplicaStatus::Uploaded)
        })
        .unwrap();
        let found = load(test, id);
        let chunk = |number: usize, replicas: Vec<SndFileChunkReplica>| SndFileChunk {
            snd_file_id: id,
            snd_file_entity_id: found.snd_file_entity_id.clone(),
            user_id: user,
            num_recipients: 2,
            snd_chunk_id: chunks[number],
            chunk_no: ChunkNo(number as i64 + 1),
            chunk_spec: XftpChunkSpec {
                file_path: "/tmp/snd/xftp.encrypted".into(),
                chunk_offset: ChunkOffset(number as i64 * 100),
                chunk_size: ChunkSize(100),
            },
            file_prefix_path: path("/tmp/snd"),
            digest: digest(number as u8),
            replicas,
        };
        let first = SndFileChunkReplica {
            rcv_ids_keys: vec![recipient("z", 1), recipient("a", 2)],
            ..replica(0)
        };
        let second = SndFileChunkReplica {
            replica_status: SndFileReplicaStatus::Uploaded,
            delay: Some(RetryDelay(i64::MAX)),
            retries: 1,
            ..replica(1)
        };
        assert_eq!(found.chunks, [chunk(0, Vec::new()), chunk(1, vec![first, second])]);
        let other = load(test, other);
        assert_eq!(other.chunks.len(), 1);
        assert!(other.chunks[0].replicas.is_empty(), "those of the other file stay there");
    });
}

#[test]
fn q15_chunks_come_in_the_order_of_their_numbers() {
    on_each(|test| {
        let id = encrypted_file(test, test.user(), 4);
        test.execute("UPDATE snd_file_chunks SET chunk_no = 10 - chunk_no", &[]);
        let numbers: Vec<i64> =
            load(test, id).chunks.iter().map(|chunk| chunk.chunk_no.0).collect();
        assert_eq!(numbers, [6, 7, 8, 9]);
    });
}

#[test]
fn f183_as92_without_its_folder_a_file_has_no_chunks() {
    on_each(|test| {
        let id = encrypted_file(test, test.user(), 2);
        // What isn't loaded can't spoil the file either.
        test.execute("UPDATE snd_file_chunks SET chunk_size = -1", &[]);
        let unreadable = test.run(|tx| tx.get_snd_file(id)).unwrap_err();
        assert!(unreadable.to_string().contains("snd_file_chunks.chunk_size"), "{unreadable}");
        test.run(|tx| tx.update_snd_file_no_prefix_path(id)).unwrap();
        let found = load(test, id);
        assert_eq!((found.prefix_path, found.chunks.len()), (None, 0));
        let left = "SELECT count(*) AS n FROM snd_file_chunks";
        assert_eq!(super::numbers(test, left, &[]), [2]);
    });
}

#[test]
fn f183_half_a_redirect_is_none() {
    on_each(|test| {
        let redirect = Some(RedirectFileInfo { size: FileSize(3), digest: digest(8) });
        let new = NewSndFile { redirect: redirect.clone(), ..plain_file() };
        let entity = create(test, 1, test.user(), &new);
        let found = || test.run(|tx| tx.get_snd_file_by_entity_id(&entity)).unwrap().redirect;
        assert_eq!(found(), redirect);
        test.execute("UPDATE snd_files SET redirect_digest = NULL", &[]);
        assert_eq!(found(), None);
    });
}

/// What no program of ours writes is an error that says where it stands, never a panic or another value.
#[test]
fn f183_a_row_that_cannot_be_read_names_its_column() {
    type Damage<'a> = (&'static str, Params<'a>, &'static str);
    let damages: &[Damage<'_>] = &[
        ("UPDATE snd_files SET snd_file_entity_id = $1", &[&b""], "snd_files.snd_file_entity_id"),
        ("UPDATE snd_files SET num_recipients = -1", &[], "snd_files.num_recipients"),
        ("UPDATE snd_files SET key = $1", &[&[1; 31]], "snd_files.key"),
        ("UPDATE snd_files SET nonce = $1", &[&[1; 25]], "snd_files.nonce"),
        ("UPDATE snd_files SET src_file_key = $1", &[&[1; 32]], "snd_files.src_file_nonce"),
        ("UPDATE snd_files SET src_file_nonce = $1", &[&[1; 24]], "snd_files.src_file_nonce"),
        ("UPDATE snd_files SET status = 'sent'", &[], "snd_files.status"),
        ("UPDATE snd_files SET deleted = 2", &[], "snd_files.deleted"),
        ("UPDATE snd_file_chunks SET chunk_size = 4294967296", &[], "snd_file_chunks.chunk_size"),
        ("UPDATE xftp_servers SET xftp_host = ''", &[], "xftp_servers.xftp_host"),
        ("UPDATE xftp_servers SET xftp_key_hash = $1", &[&b"*"], "xftp_servers.xftp_key_hash"),
        (
            "UPDATE snd_file_chunk_replicas SET replica_key = $1",
            &[&b"key"],
            "snd_file_chunk_replicas.replica_key",
        ),
        (
            "UPDATE snd_file_chunk_replicas SET replica_id = $1",
            &[&b""],
            "snd_file_chunk_replicas.replica_id",
        ),
        (
            "UPDATE snd_file_chunk_replicas SET replica_status = ''",
            &[],
            "snd_file_chunk_replicas.replica_status",
        ),
        (
            "UPDATE snd_file_chunk_replica_recipients SET rcv_replica_id = $1",
            &[&b""],
            "snd_file_chunk_replica_recipients.rcv_replica_id",
        ),
        (
            "UPDATE snd_file_chunk_replica_recipients SET rcv_replica_key = $1",
            &[&b""],
            "snd_file_chunk_replica_recipients.rcv_replica_key",
        ),
    ];
    on_each(|test| {
        let id = encrypted_file(test, test.user(), 1);
        let chunk = load(test, id).chunks[0].snd_chunk_id;
        let rcv_ids_keys = vec![recipient("r", 1)];
        let replica = NewSndChunkReplica { rcv_ids_keys, ..place(&router("a.example"), "replica") };
        add_replica(test, chunk, &replica);
        for (damage, params, column) in damages {
            let sql = Sql::new("damage", damage);
            let read = test.run(|tx| {
                let read = tx.savepoint(|tx| {
                    tx.statements().execute(&sql, params)?;
                    tx.get_snd_file(id)
                });
                Ok(read)
            });
            let error = read.unwrap().expect_err(column);
            assert!(error.to_string().contains(column), "{damage}: {error}");
        }
        assert_eq!(load(test, id).chunks.len(), 1, "each damage was taken back");
    });
}

#[test]
fn f193_as93_a_file_counts_as_deleted_when_it_is_marked_and_when_it_is_gone() {
    on_each(|test| {
        let user: UserId = test.user();
        let (id, other) = (file(test, user), file(test, user));
        let deleted = |id| test.run(|tx| tx.get_snd_file_deleted(id)).unwrap();
        assert!(!deleted(id));
        test.run(|tx| tx.update_snd_file_deleted(id)).unwrap();
        assert!(deleted(id) && !deleted(other));
        test.run(|tx| tx.delete_snd_file_record(id)).unwrap();
        assert!(deleted(id) && deleted(DbSndFileId(99)));
    });
}

/// Whether another transaction would have to wait for a file.
fn is_locked(test: &TestStore, id: DbSndFileId) -> bool {
    let sql = Sql::new("try", "SELECT snd_file_id FROM snd_files WHERE snd_file_id = $1")
        .locking("FOR UPDATE SKIP LOCKED");
    !test.run(|tx| Ok(tx.statements().exists(&sql, &[&id])?)).unwrap()
}

#[test]
fn f182_as52_as10_a_file_that_is_locked_or_loaded_is_not_changed_by_others_meanwhile() {
    on_each(|test| {
        let user = test.user();
        let (other, id) = (file(test, user), file(test, user));
        test.run(|tx| tx.lock_snd_file_for_update(DbSndFileId(99))).unwrap();
        test.run(|tx| tx.lock_snd_file_for_update(id)).unwrap();
        // On SQLite there is one transaction at a time.
        let Place::Server(_) = test.place else { return };
        test.run(|tx| {
            assert!(!is_locked(test, id));
            tx.lock_snd_file_for_update(id)?;
            assert!(is_locked(test, id) && !is_locked(test, other));
            Ok(())
        })
        .unwrap();
        assert!(!is_locked(test, id));
        test.run(|tx| {
            tx.get_snd_file(id)?;
            assert!(is_locked(test, id) && !is_locked(test, other));
            let entity = tx.get_snd_file(id)?.snd_file_entity_id;
            Ok(entity)
        })
        .and_then(|entity| {
            test.run(|tx| {
                tx.get_snd_file_by_entity_id(&entity)?;
                assert!(is_locked(test, id));
                Ok(())
            })
        })
        .unwrap();
        test.run(|tx| {
            let next = tx.get_next_snd_file_to_prepare(super::DAY)?.unwrap().snd_file_id;
            assert!(next == other && is_locked(test, other) && !is_locked(test, id));
            Ok(())
        })
        .unwrap();
    });
}
