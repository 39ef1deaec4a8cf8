//! Loading a file that is received.

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;

use super::*;
use crate::fixture::on_each;

#[test]
fn f163_f164_a_file_is_loaded_as_it_was_made() {
    on_each(|test| {
        let (user, one, two) = (test.user(), router("one.example"), router("two.example"));
        let chunks = vec![chunk(1, &[replica(&one, 1), replica(&two, 2)])];
        let id = create(test, user, 1, &description(chunks)).unwrap();
        let rcv_replica = |number: u8, server: &XftpServer| RcvFileChunkReplica {
            rcv_chunk_replica_id: RcvChunkReplicaId(i64::from(number)),
            server: server.clone(),
            replica_id: ChunkReplicaId::from_bytes(&[number; 24]).unwrap(),
            replica_key: AuthPrivateKey::Ed25519([number; 32]),
            received: false,
            delay: None,
            retries: 0,
        };
        let expected = RcvFile {
            rcv_file_id: DbRcvFileId(1),
            rcv_file_entity_id: id.clone(),
            user_id: user,
            size: FileSize(1 << 33),
            digest: FileDigest(vec![3; 64]),
            key: SbKey::new([4; 32]),
            nonce: SbNonce([5; 24]),
            chunk_size: ChunkSize(4 << 20),
            redirect: None,
            chunks: vec![RcvFileChunk {
                rcv_file_id: DbRcvFileId(1),
                rcv_file_entity_id: id.clone(),
                user_id: user,
                rcv_chunk_id: RcvChunkId(1),
                chunk_no: ChunkNo(1),
                chunk_size: ChunkSize(65_536),
                digest: FileDigest(vec![7; 32]),
                replicas: vec![rcv_replica(1, &one), rcv_replica(2, &two)],
                file_tmp_path: path("/files/1/chunks"),
                chunk_tmp_path: None,
            }],
            prefix_path: path("/files/1"),
            tmp_path: Some(path("/files/1/chunks")),
            save_file: CryptoFile::plain(path("/files/photo.jpg")),
            status: RcvFileStatus::Receiving,
            deleted: false,
        };
        assert_eq!(by_entity_id(test, &id), expected);
        assert_eq!(load(test, DbRcvFileId(1)), expected);
        let shown = format!("{expected:?}");
        assert!(!shown.contains("4, 4") && shown.contains("<key>"), "{shown}");
    });
}

#[test]
fn f163_f164_what_is_not_there_is_not_found() {
    on_each(|test| {
        small_file(test, 1);
        let found = test.run(|tx| tx.get_rcv_file(DbRcvFileId(2)));
        assert_eq!(found, Err(StoreError::FileNotFound));
        let other = RcvFileId::from_bytes(b"another").unwrap();
        let found = test.run(|tx| tx.get_rcv_file_by_entity_id(&other));
        assert_eq!(found, Err(StoreError::FileNotFound));
    });
}

#[test]
fn f163_chunks_come_by_number_and_replicas_by_theirs() {
    on_each(|test| {
        let (one, two) = (router("one.example"), router("two.example"));
        let chunks = vec![
            chunk(12, &[replica(&one, 1), replica(&two, 2)]),
            chunk(3, &[replica(&one, 3)]),
            chunk(100, &[]),
            chunk(7, &[replica(&two, 4), replica(&two, 5), replica(&one, 6)]),
        ];
        let user = test.user();
        let id = create(test, user, 1, &description(chunks)).unwrap();
        create(test, user, 2, &one_chunk(&one)).unwrap();
        // Numbers count, not rows.
        let swap = "UPDATE rcv_file_chunk_replicas SET replica_number = 5 - replica_number
                     WHERE rcv_file_chunk_id = 1";
        assert_eq!(test.execute(swap, &[]), 2);
        let file = by_entity_id(test, &id);
        let found: Vec<(i64, Vec<u8>)> = file.chunks.iter().map(numbered).collect();
        let expected = [(3, vec![3]), (7, vec![4, 5, 6]), (12, vec![2, 1]), (100, vec![])];
        assert_eq!(found, expected);
    });
}

fn numbered(chunk: &RcvFileChunk) -> (i64, Vec<u8>) {
    let ids = chunk.replicas.iter().map(|replica| replica.replica_id.as_bytes()[0]);
    (chunk.chunk_no.0, ids.collect())
}

#[test]
fn f163_a_file_of_thousands_of_chunks_is_loaded_whole() {
    const CHUNKS: i64 = 3_000;
    on_each(|test| {
        let one = router("one.example");
        let chunks = (0..CHUNKS).map(|number| chunk(CHUNKS - number, &[replica(&one, 1)]));
        let id = create(test, test.user(), 1, &description(chunks.collect())).unwrap();
        let file = by_entity_id(test, &id);
        let numbers: Vec<i64> = file.chunks.iter().map(|chunk| chunk.chunk_no.0).collect();
        assert_eq!(numbers, (1..=CHUNKS).collect::<Vec<i64>>());
        assert!(file.chunks.iter().all(|chunk| chunk.replicas.len() == 1));
        assert_eq!(counts(test), [1, CHUNKS, CHUNKS, 1]);
    });
}

#[test]
fn f163_as86_without_a_folder_for_chunks_none_is_loaded() {
    on_each(|test| {
        let file = small_file(test, 1);
        assert_eq!(file.chunks.len(), 1);
        test.execute("UPDATE rcv_files SET tmp_path = NULL", &[]);
        // They aren't even looked at.
        test.execute("UPDATE rcv_file_chunk_replicas SET replica_key = $1", &[&b"no key"]);
        let found = load(test, file.rcv_file_id);
        assert_eq!(found, RcvFile { chunks: Vec::new(), tmp_path: None, ..file });
        assert_eq!(counts(test), [1, 1, 1, 1]);
    });
}

/// The two files of a redirect: the destination, and the one with the description.
fn redirect(test: &TestStore, user: UserId, seed: u64) -> (RcvFile, RcvFile) {
    let chunks = vec![chunk(1, &[replica(&router("one.example"), 1)])];
    let id = create_redirect(test, user, seed, &redirect_description(chunks)).unwrap();
    let destination = by_entity_id(test, &id);
    let described = load(test, DbRcvFileId(destination.rcv_file_id.0 + 1));
    (destination, described)
}

#[test]
fn f163_a_redirect_is_there_only_with_all_of_its_columns() {
    on_each(|test| {
        let (destination, described) = redirect(test, test.user(), 1);
        assert_eq!(destination.redirect, None);
        let expected = RcvFileRedirect {
            rcv_file_id: destination.rcv_file_id,
            rcv_file_entity_id: destination.rcv_file_entity_id.clone(),
            file_info: destination_info(),
        };
        assert_eq!(described.redirect, Some(expected));
        for clear in [
            "UPDATE rcv_files SET redirect_id = NULL WHERE rcv_file_id = 2",
            "UPDATE rcv_files SET redirect_entity_id = NULL WHERE rcv_file_id = 2",
            "UPDATE rcv_files SET redirect_size = NULL WHERE rcv_file_id = 2",
            "UPDATE rcv_files SET redirect_digest = NULL WHERE rcv_file_id = 2",
        ] {
            let undo = "UPDATE rcv_files SET redirect_id = 1, redirect_entity_id = $1,
                            redirect_size = 1, redirect_digest = $1 WHERE rcv_file_id = 2";
            test.execute(undo, &[&b"id"]);
            assert!(load(test, DbRcvFileId(2)).redirect.is_some());
            assert_eq!(test.execute(clear, &[]), 1);
            assert_eq!(load(test, DbRcvFileId(2)).redirect, None, "{clear}");
        }
    });
}

#[test]
fn f163_what_cannot_be_read_is_an_error_that_names_it() {
    on_each(|test| {
        let file = small_file(test, 1);
        let cases: [(&'static str, &'static str, &[u8]); 9] = [
            ("key", "UPDATE rcv_files SET key = $1", b"short"),
            ("nonce", "UPDATE rcv_files SET nonce = $1", b"short"),
            ("save_file_nonce", "UPDATE rcv_files SET save_file_key = $1", &[1; 32]),
            ("save_file_nonce", "UPDATE rcv_files SET save_file_nonce = $1", &[1; 24]),
            ("rcv_file_entity_id", "UPDATE rcv_files SET rcv_file_entity_id = $1", b""),
            ("replica_id", "UPDATE rcv_file_chunk_replicas SET replica_id = $1", b""),
            ("replica_key", "UPDATE rcv_file_chunk_replicas SET replica_key = $1", b"no DER"),
            ("xftp_key_hash", "UPDATE xftp_servers SET xftp_key_hash = $1", b"!"),
            ("chunk_size", "UPDATE rcv_file_chunks SET chunk_size = -1 WHERE digest <> $1", b""),
        ];
        for (column, damage, value) in cases {
            let read = test.run(|tx| {
                let sql = simplex_stores::db::Sql::new("damage", damage);
                assert_eq!(tx.statements().execute(&sql, &[&value])?, 1);
                tx.get_rcv_file(file.rcv_file_id)
            });
            // The failure took the damage back.
            let Err(StoreError::Internal(text)) = read else { panic!("{column}: {read:?}") };
            assert!(text.contains(&format!(".{column}: ")), "{column}: {text}");
            assert_eq!(load(test, file.rcv_file_id), file);
        }
        test.execute("UPDATE rcv_files SET status = 'unknown'", &[]);
        let read = test.run(|tx| tx.get_rcv_file(file.rcv_file_id)).unwrap_err().to_string();
        assert!(read.contains("rcv_files.status") && !read.contains("unknown"), "{read}");
    });
}

#[test]
fn f165_the_files_with_a_destination_s_description_are_found() {
    on_each(|test| {
        let user = test.user();
        let (destination, described) = redirect(test, user, 1);
        let (other, _) = redirect(test, user, 10);
        let copy = "INSERT INTO rcv_files (rcv_file_entity_id, user_id, size, digest, key, nonce,
                        chunk_size, prefix_path, save_path, status, redirect_id)
                    SELECT $1, user_id, size, digest, key, nonce, chunk_size, prefix_path,
                        save_path, status, redirect_id FROM rcv_files WHERE rcv_file_id = 2";
        test.execute(copy, &[&b"a second one"]);
        let redirects = |id| test.run(|tx| tx.get_rcv_file_redirects(id)).unwrap();
        let found = redirects(destination.rcv_file_id);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], described);
        assert_eq!(found[1].rcv_file_entity_id.as_bytes(), b"a second one");
        assert_eq!(redirects(other.rcv_file_id).len(), 1);
        assert!(redirects(described.rcv_file_id).is_empty());
        assert!(redirects(DbRcvFileId(99)).is_empty());
    });
}

#[test]
fn f165_as87_a_redirect_that_cannot_be_read_is_not_left_out() {
    on_each(|test| {
        let (destination, _) = redirect(test, test.user(), 1);
        test.execute("UPDATE rcv_files SET key = $1 WHERE rcv_file_id = 2", &[&b"short"]);
        let found = test.run(|tx| tx.get_rcv_file_redirects(destination.rcv_file_id));
        assert!(matches!(found, Err(StoreError::Internal(text)) if text.contains("rcv_files.key")));
    });
}
