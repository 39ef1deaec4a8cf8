//! Making files that are to be received.

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;
use simplex_stores::db::{DbError, Row};

use super::*;
use crate::fixture::on_each;

#[test]
fn f160_a_file_stands_in_its_row_as_it_was_given() {
    on_each(|test| {
        let user = test.user();
        let id = create(test, user, 1, &one_chunk(&router("one.example"))).unwrap();
        assert_eq!(id.as_bytes(), ids(test, 1, 1)[0]);
        let row = test.query("SELECT * FROM rcv_files", &[], |row| {
            assert_eq!(row.next::<i64>("rcv_files.rcv_file_id")?, 1);
            assert_eq!(row.next::<RcvFileId>("rcv_files.rcv_file_entity_id")?, id);
            assert_eq!(row.next::<UserId>("rcv_files.user_id")?, user);
            assert_eq!(row.next::<i64>("rcv_files.size")?, 1 << 33);
            assert_eq!(row.next::<Vec<u8>>("rcv_files.digest")?, [3; 64]);
            assert_eq!(row.next::<Vec<u8>>("rcv_files.key")?, [4; 32]);
            assert_eq!(row.next::<Vec<u8>>("rcv_files.nonce")?, [5; 24]);
            assert_eq!(row.next::<i64>("rcv_files.chunk_size")?, 4 << 20);
            assert_eq!(row.next::<String>("rcv_files.prefix_path")?, "/files/1");
            assert_eq!(row.next::<String>("rcv_files.tmp_path")?, "/files/1/chunks");
            assert_eq!(row.next::<String>("rcv_files.save_path")?, "/files/photo.jpg");
            assert_eq!(row.next::<String>("rcv_files.status")?, "receiving");
            assert_eq!(row.next::<i64>("rcv_files.deleted")?, 0);
            assert_eq!(row.next::<Option<String>>("rcv_files.error")?, None);
            let created: UtcTime = row.next("rcv_files.created_at")?;
            assert_eq!(row.next::<UtcTime>("rcv_files.updated_at")?, created);
            assert_eq!(row.next::<Option<Vec<u8>>>("rcv_files.save_file_key")?, None);
            assert_eq!(row.next::<Option<Vec<u8>>>("rcv_files.save_file_nonce")?, None);
            assert_eq!(row.next::<Option<i64>>("rcv_files.failed")?, Some(0));
            assert_eq!(row.next::<Option<i64>>("rcv_files.redirect_id")?, None);
            assert_eq!(row.next::<Option<Vec<u8>>>("rcv_files.redirect_entity_id")?, None);
            assert_eq!(row.next::<Option<i64>>("rcv_files.redirect_size")?, None);
            assert_eq!(row.next::<Option<Vec<u8>>>("rcv_files.redirect_digest")?, None);
            assert_eq!(row.next::<i64>("rcv_files.approved_relays")?, 1);
            Ok(())
        });
        assert_eq!(row.len(), 1);
    });
}

/// Of each replica: its chunk's number and hash, its own number, its router, id and key.
fn replicas(test: &TestStore) -> Vec<(i64, Vec<u8>, i64, XftpServer, FileChunkReplica)> {
    let query = "SELECT c.chunk_no, c.digest, r.replica_number, s.xftp_host, s.xftp_port,
                        s.xftp_key_hash, r.replica_id, r.replica_key, r.received, r.delay, r.retries
                   FROM rcv_file_chunk_replicas r
                   JOIN rcv_file_chunks c ON c.rcv_file_chunk_id = r.rcv_file_chunk_id
                   JOIN xftp_servers s ON s.xftp_server_id = r.xftp_server_id
                  ORDER BY r.rcv_file_chunk_replica_id";
    test.query(query, &[], |row| {
        let (chunk_no, digest) = (row.next("c.chunk_no")?, row.next("c.digest")?);
        let number = row.next("r.replica_number")?;
        let hosts = row.next("s.xftp_host")?;
        let server = XftpServer::new(hosts, row.next("s.xftp_port")?, row.next("s.xftp_key_hash")?);
        let replica = FileChunkReplica {
            server: server.clone(),
            replica_id: row.next("r.replica_id")?,
            replica_key: row.next("r.replica_key")?,
        };
        assert_eq!(row.next::<i64>("r.received")?, 0);
        assert_eq!(row.next::<Option<i64>>("r.delay")?, None);
        assert_eq!(row.next::<i64>("r.retries")?, 0);
        Ok((chunk_no, digest, number, server, replica))
    })
}

#[test]
fn f160_replicas_are_numbered_from_one_and_each_router_is_registered_once() {
    on_each(|test| {
        let (one, two) = (router("one.example"), router("two.example"));
        let renewed = server("one.example", "443", &[2; 32]);
        test.run(|tx| tx.create_xftp_server(&one)).unwrap();
        let chunks = vec![
            chunk(5, &[replica(&two, 1), replica(&one, 2), replica(&renewed, 3)]),
            chunk(2, &[]),
            chunk(9, &[replica(&one, 4)]),
        ];
        create(test, test.user(), 1, &description(chunks)).unwrap();
        assert_eq!(counts(test), [1, 3, 4, 3], "a router is known by its fingerprint too");
        let expected = [(5, 1, &two, 1), (5, 2, &one, 2), (5, 3, &renewed, 3), (9, 1, &one, 4)];
        let expected = expected.map(|(chunk, number, server, id)| {
            (chunk, vec![7; 32], number, server.clone(), replica(server, id))
        });
        assert_eq!(replicas(test), expected);
    });
}

#[test]
fn f160_a_file_s_local_encryption_is_kept() {
    on_each(|test| {
        let save_file = encrypted(path("/files/secret"));
        let description = description(Vec::new());
        let file = NewRcvFile {
            user_id: test.user(),
            description: &description,
            prefix_path: &path("/files/1"),
            tmp_path: &path("/files/1/chunks"),
            save_file: &save_file,
            approved_relays: false,
        };
        let mut rng = SmallRng::seed_from_u64(1);
        let id = test.run(|tx| tx.create_rcv_file(&mut rng, &file)).unwrap();
        let query = "SELECT save_file_key, save_file_nonce, approved_relays FROM rcv_files";
        let rows = test.query(query, &[], |row| {
            let key: Vec<u8> = row.next("rcv_files.save_file_key")?;
            let nonce: Vec<u8> = row.next("rcv_files.save_file_nonce")?;
            Ok((key, nonce, row.next::<bool>("rcv_files.approved_relays")?))
        });
        assert_eq!(rows, [(vec![6; 32], vec![7; 24], false)]);
        assert_eq!(by_entity_id(test, &id).save_file, save_file);
    });
}

#[test]
fn f160_as38_a_taken_id_is_replaced_and_after_three_there_is_none() {
    on_each(|test| {
        let (user, file) = (test.user(), description(Vec::new()));
        let expected = ids(test, 1, 3);
        for id in &expected {
            assert_eq!(create(test, user, 1, &file).unwrap().as_bytes(), id);
        }
        assert_eq!(create(test, user, 1, &file), Err(StoreError::UniqueId));
        assert_eq!(counts(test), [3, 0, 0, 0]);
    });
}

#[test]
fn f160_as40_a_missing_user_counts_as_taken_ids_and_leaves_nothing() {
    on_each(|test| {
        let file = one_chunk(&router("one.example"));
        assert_eq!(create(test, UserId(99), 1, &file), Err(StoreError::UniqueId));
        assert_eq!(counts(test), [0; 4]);
    });
}

#[test]
fn f160_as38_another_failure_of_the_database_is_an_internal_error() {
    on_each(|test| {
        let (user, file) = (test.user(), one_chunk(&router("one.example")));
        test.execute("ALTER TABLE rcv_files RENAME TO moved", &[]);
        let made = create(test, user, 1, &file);
        assert!(matches!(made, Err(StoreError::Internal(text)) if text.contains("rcv_files")));
        test.execute("ALTER TABLE moved RENAME TO rcv_files", &[]);
        assert_eq!(counts(test), [0; 4]);
    });
}

/// The columns in which the two rows of a redirect differ, or refer to one another.
#[derive(Debug, PartialEq)]
struct RedirectRow {
    entity_id: Vec<u8>,
    size: i64,
    digest: Vec<u8>,
    key: Vec<u8>,
    nonce: Vec<u8>,
    chunk_size: i64,
    paths: [String; 3],
    save_file_key: Option<Vec<u8>>,
    redirect_id: Option<i64>,
    redirect_entity_id: Option<Vec<u8>>,
    redirect_size: Option<i64>,
    redirect_digest: Option<Vec<u8>>,
    approved_relays: bool,
}

fn redirect_row(row: &mut Row<'_>) -> Result<RedirectRow, DbError> {
    Ok(RedirectRow {
        entity_id: row.next("f.rcv_file_entity_id")?,
        size: row.next("f.size")?,
        digest: row.next("f.digest")?,
        key: row.next("f.key")?,
        nonce: row.next("f.nonce")?,
        chunk_size: row.next("f.chunk_size")?,
        paths: [row.next("f.prefix_path")?, row.next("f.tmp_path")?, row.next("f.save_path")?],
        save_file_key: row.next("f.save_file_key")?,
        redirect_id: row.next("f.redirect_id")?,
        redirect_entity_id: row.next("f.redirect_entity_id")?,
        redirect_size: row.next("f.redirect_size")?,
        redirect_digest: row.next("f.redirect_digest")?,
        approved_relays: row.next("f.approved_relays")?,
    })
}

fn redirect_rows(test: &TestStore) -> Vec<RedirectRow> {
    let query = "SELECT rcv_file_entity_id, size, digest, key, nonce, chunk_size, prefix_path,
                        tmp_path, save_path, save_file_key, redirect_id, redirect_entity_id,
                        redirect_size, redirect_digest, approved_relays
                   FROM rcv_files ORDER BY rcv_file_id";
    test.query(query, &[], redirect_row)
}

#[test]
fn f161_as85_a_redirect_is_two_files_the_destination_with_placeholders() {
    on_each(|test| {
        let chunks = vec![chunk(1, &[replica(&router("one.example"), 1)])];
        let id = create_redirect(test, test.user(), 1, &redirect_description(chunks)).unwrap();
        let ids = ids(test, 1, 2);
        assert_eq!(id.as_bytes(), ids[0], "the destination's");
        let destination = RedirectRow {
            entity_id: ids[0].clone(),
            size: 1 << 40,
            digest: vec![8; 64],
            key: b"################################".to_vec(),
            nonce: vec![0; 24],
            chunk_size: 0,
            paths: ["/files/2", "/files/2/chunks", "/files/film.mp4"].map(str::to_owned),
            save_file_key: Some(vec![6; 32]),
            redirect_id: None,
            redirect_entity_id: None,
            redirect_size: None,
            redirect_digest: None,
            approved_relays: true,
        };
        let described = RedirectRow {
            entity_id: ids[1].clone(),
            size: 1 << 33,
            digest: vec![3; 64],
            key: vec![4; 32],
            nonce: vec![5; 24],
            chunk_size: 4 << 20,
            paths: ["/files/2", "/files/2/description", "/files/2/description.yaml"]
                .map(str::to_owned),
            save_file_key: None,
            redirect_id: Some(1),
            redirect_entity_id: Some(ids[0].clone()),
            redirect_size: Some(1 << 40),
            redirect_digest: Some(vec![8; 64]),
            approved_relays: true,
        };
        assert_eq!(redirect_rows(test), [destination, described]);
        let owners = "SELECT rcv_file_id FROM rcv_file_chunks";
        let owners: Vec<i64> = test.query(owners, &[], |row| row.next("c.rcv_file_id"));
        assert_eq!(owners, [2], "the destination has no chunks");
        assert_eq!(counts(test), [2, 1, 1, 1]);
    });
}

#[test]
fn f161_a_description_that_is_no_redirect_s_is_refused() {
    on_each(|test| {
        let file = one_chunk(&router("one.example"));
        let made = create_redirect(test, test.user(), 1, &file);
        assert!(matches!(made, Err(StoreError::Internal(text)) if text.contains("redirect")));
        assert_eq!(counts(test), [0; 4]);
    });
}

#[test]
fn f161_without_an_id_for_the_second_file_the_first_is_not_there_either() {
    on_each(|test| {
        let user = test.user();
        let file = redirect_description(vec![chunk(1, &[replica(&router("one.example"), 1)])]);
        for id in &ids(test, 1, 4)[1..] {
            let insert = "INSERT INTO rcv_files (rcv_file_entity_id, user_id, size, digest, key,
                              nonce, chunk_size, prefix_path, save_path, status)
                          VALUES ($1, $2, 1, $1, $1, $1, 1, '', '', 'receiving')";
            test.execute(insert, &[id, &user]);
        }
        assert_eq!(create_redirect(test, user, 1, &file), Err(StoreError::UniqueId));
        assert_eq!(counts(test), [3, 0, 0, 0]);
    });
}

#[test]
fn f171_a_destination_is_filled_when_its_description_is_there() {
    on_each(|test| {
        let one = router("one.example");
        let redirect = redirect_description(vec![chunk(1, &[replica(&one, 1)])]);
        let id = create_redirect(test, test.user(), 1, &redirect).unwrap();
        let before = redirect_rows(test);
        let destination = by_entity_id(test, &id);
        assert!(destination.chunks.is_empty());
        test.execute("UPDATE rcv_files SET updated_at = '2020-01-01 00:00:00'", &[]);
        let real = description(vec![
            chunk(1, &[replica(&one, 1), replica(&router("two.example"), 2)]),
            chunk(2, &[replica(&one, 3)]),
        ]);
        let filled = test.run(|tx| tx.update_rcv_file_redirect(destination.rcv_file_id, &real));
        assert_eq!(filled, Ok(()));
        let after = redirect_rows(test);
        assert_eq!(after[1], before[1], "the file with the description stays");
        assert_eq!((after[0].size, &after[0].digest), (1 << 40, &vec![8; 64]), "as promised");
        assert_eq!((&after[0].key, &after[0].nonce), (&vec![4; 32], &vec![5; 24]));
        assert_eq!(after[0].chunk_size, 4 << 20);
        assert_eq!(counts(test), [2, 3, 4, 2]);
        let replicas: Vec<usize> =
            by_entity_id(test, &id).chunks.iter().map(|chunk| chunk.replicas.len()).collect();
        assert_eq!(replicas, [2, 1]);
        let touched = "SELECT count(*) AS number FROM rcv_files WHERE updated_at >= created_at";
        assert_eq!(number(test, touched), 1);
    });
}

#[test]
fn f171_a_destination_that_is_gone_takes_no_chunks() {
    on_each(|test| {
        let file = one_chunk(&router("one.example"));
        let filled = test.run(|tx| tx.update_rcv_file_redirect(DbRcvFileId(7), &file));
        assert!(matches!(filled, Err(StoreError::Internal(_))), "{filled:?}");
        assert_eq!(counts(test), [0; 4], "all of it is taken back");
        let empty = description(Vec::new());
        assert_eq!(test.run(|tx| tx.update_rcv_file_redirect(DbRcvFileId(7), &empty)), Ok(()));
    });
}
