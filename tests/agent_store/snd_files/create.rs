//! Making a sent file.

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::{
    CryptoFile, CryptoFileArgs, DbSndFileId, FileSize, NewSndFile, RedirectFileInfo, SbKey,
    SbNonce, SndFileId, SndFileStatus, UserId,
};

use super::{chunk, create, digest, file, load, path, plain_file};
use crate::fixture::{TestStore, on_each};

/// What stands in the columns that creation writes, and those that it leaves alone.
#[derive(Debug, PartialEq)]
struct Stored {
    user: UserId,
    recipients: i64,
    digest: Option<Vec<u8>>,
    key: Vec<u8>,
    nonce: Vec<u8>,
    path: String,
    prefix: Option<String>,
    status: String,
    deleted: bool,
    error: Option<String>,
    src_key: Option<Vec<u8>>,
    src_nonce: Option<Vec<u8>>,
    failed: Option<bool>,
    redirect_size: Option<i64>,
    redirect_digest: Option<Vec<u8>>,
}

fn stored(test: &TestStore, id: &SndFileId) -> Vec<Stored> {
    let query = "SELECT user_id, num_recipients, digest, key, nonce, path, prefix_path, status,
                        deleted, error, src_file_key, src_file_nonce, failed, redirect_size,
                        redirect_digest
                   FROM snd_files WHERE snd_file_entity_id = $1 ORDER BY snd_file_id";
    test.query(query, &[id], |row| {
        Ok(Stored {
            user: row.next("f.user_id")?,
            recipients: row.next("f.num_recipients")?,
            digest: row.next("f.digest")?,
            key: row.next("f.key")?,
            nonce: row.next("f.nonce")?,
            path: row.next("f.path")?,
            prefix: row.next("f.prefix_path")?,
            status: row.next("f.status")?,
            deleted: row.next("f.deleted")?,
            error: row.next("f.error")?,
            src_key: row.next("f.src_file_key")?,
            src_nonce: row.next("f.src_file_nonce")?,
            failed: row.next("f.failed")?,
            redirect_size: row.next("f.redirect_size")?,
            redirect_digest: row.next("f.redirect_digest")?,
        })
    })
}

fn plain_row(user: UserId) -> Stored {
    Stored {
        user,
        recipients: 2,
        digest: None,
        key: vec![1; 32],
        nonce: vec![2; 24],
        path: "/home/me/cat.jpg".to_owned(),
        prefix: Some("/tmp/snd".to_owned()),
        status: "new".to_owned(),
        deleted: false,
        error: None,
        src_key: None,
        src_nonce: None,
        failed: Some(false),
        redirect_size: None,
        redirect_digest: None,
    }
}

#[test]
fn f181_a_file_is_made_with_an_id_of_its_own() {
    on_each(|test| {
        let user = test.user();
        let plain = create(test, 1, user, &plain_file());
        assert_eq!(stored(test, &plain), [plain_row(user)]);
        assert_eq!(plain.as_bytes().len(), 16);
        let src_file = CryptoFile {
            path: path("/home/me/locked"),
            crypto: Some(CryptoFileArgs { key: SbKey::new([5; 32]), nonce: SbNonce([6; 24]) }),
        };
        let redirect = Some(RedirectFileInfo { size: FileSize(1 << 40), digest: digest(8) });
        let full = create(test, 2, user, &NewSndFile { src_file, redirect, ..plain_file() });
        let expected = Stored {
            path: "/home/me/locked".to_owned(),
            src_key: Some(vec![5; 32]),
            src_nonce: Some(vec![6; 24]),
            redirect_size: Some(1 << 40),
            redirect_digest: Some(vec![8; 32]),
            ..plain_row(user)
        };
        assert_eq!(stored(test, &full), [expected]);
    });
}

#[test]
fn f181_as40_without_its_user_no_id_is_free() {
    on_each(|test| {
        let mut rng = SmallRng::seed_from_u64(1);
        let made = test.run(|tx| tx.create_snd_file(&mut rng, UserId(99), &plain_file()));
        assert_eq!(made, Err(StoreError::UniqueId));
    });
}

#[test]
fn f181_another_failure_of_the_database_is_an_internal_error() {
    on_each(|test| {
        let user = test.user();
        test.execute("ALTER TABLE snd_files RENAME TO moved", &[]);
        let mut rng = SmallRng::seed_from_u64(1);
        let made = test.run(|tx| tx.create_snd_file(&mut rng, user, &plain_file()));
        let Err(StoreError::Internal(text)) = &made else { panic!("{made:?}") };
        assert!(text.contains("create a sent file"), "{text}");
    });
}

#[test]
fn f181_as91_the_same_id_twice_is_not_noticed() {
    on_each(|test| {
        let user = test.user();
        let first = create(test, 1, user, &plain_file());
        let other = NewSndFile { num_recipients: 5, ..plain_file() };
        assert_eq!(create(test, 1, user, &other), first);
        let expected = [plain_row(user), Stored { recipients: 5, ..plain_row(user) }];
        assert_eq!(stored(test, &first), expected);
        let found = test.run(|tx| tx.get_snd_file_by_entity_id(&first)).unwrap();
        assert_eq!(found.num_recipients, 2, "the first");
    });
}

#[test]
fn f188_an_encrypted_file_has_its_chunks_from_number_one() {
    on_each(|test| {
        let user = test.user();
        let (other, id) = (file(test, user), file(test, user));
        let chunks = [chunk(4), chunk(2), chunk(3)];
        test.run(|tx| tx.update_snd_file_encrypted(id, &digest(50), &chunks)).unwrap();
        let query = "SELECT snd_file_id, chunk_no, chunk_offset, chunk_size, digest
                       FROM snd_file_chunks ORDER BY snd_file_chunk_id";
        let rows = test.query(query, &[], |row| {
            let file: DbSndFileId = row.next("c.snd_file_id")?;
            let number: i64 = row.next("c.chunk_no")?;
            let offset: i64 = row.next("c.chunk_offset")?;
            let size: i64 = row.next("c.chunk_size")?;
            Ok((file, number, offset, size, row.next::<Vec<u8>>("c.digest")?))
        });
        let expected = [
            (id, 1, 400, 100, vec![4; 32]),
            (id, 2, 200, 100, vec![2; 32]),
            (id, 3, 300, 100, vec![3; 32]),
        ];
        assert_eq!(rows, expected);
        let (encrypted, untouched) = (load(test, id), load(test, other));
        assert_eq!(encrypted.status, SndFileStatus::Encrypted);
        assert_eq!(encrypted.digest, Some(digest(50)));
        assert_eq!((untouched.status, untouched.digest), (SndFileStatus::New, None));
    });
}

#[test]
fn f188_chunks_need_their_file() {
    on_each(|test| {
        let id = DbSndFileId(99);
        let without = test.run(|tx| tx.update_snd_file_encrypted(id, &digest(1), &[]));
        assert_eq!(without, Ok(()));
        let with = test.run(|tx| tx.update_snd_file_encrypted(id, &digest(1), &[chunk(1)]));
        assert!(matches!(with, Err(StoreError::Internal(_))), "{with:?}");
    });
}
