//! Sent files, and replicas of theirs to delete (sections 2.16, 2.17 and 4.13).

mod change;
mod cleanup;
mod create;
pub(crate) mod deleted_replicas;
mod load;
mod replicas;
pub(crate) mod upload;
mod work;

use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use simplex_stores::agent_store::types::{
    AuthPrivateKey, ChunkOffset, ChunkReplicaId, ChunkSize, CryptoFile, DbSndFileId, FileDigest,
    FilePath, NewSndChunkReplica, NewSndFile, ReplicaRecipient, SbKey, SbNonce, SndChunkId,
    SndChunkReplicaId, SndFile, SndFileId, UserId, XftpChunkSpec, XftpServer,
};
use simplex_stores::db::{Params, Sql, Texts, UtcTime};

use crate::fixture::{TestStore, server};

/// As long as the agent keeps sent files.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// With it the limit is the first time that there is, so a row can stand exactly there.
const SINCE_EVER: Duration = Duration::MAX;

fn path(text: &str) -> FilePath {
    FilePath::new(text).unwrap()
}

fn digest(byte: u8) -> FileDigest {
    FileDigest(vec![byte; 32])
}

fn key(byte: u8) -> AuthPrivateKey {
    AuthPrivateKey::Ed25519([byte; 32])
}

fn replica_id(id: &str) -> ChunkReplicaId {
    ChunkReplicaId::from_bytes(id.as_bytes()).unwrap()
}

pub(crate) fn router(hosts: &str) -> XftpServer {
    server(hosts, "443", b"fingerprint")
}

fn plain_file() -> NewSndFile {
    NewSndFile {
        src_file: CryptoFile::plain(path("/home/me/cat.jpg")),
        num_recipients: 2,
        prefix_path: path("/tmp/snd"),
        key: SbKey::new([1; 32]),
        nonce: SbNonce([2; 24]),
        redirect: None,
    }
}

/// Makes a file with ids from this seed.
fn create(test: &TestStore, seed: u64, user: UserId, file: &NewSndFile) -> SndFileId {
    let mut rng = SmallRng::seed_from_u64(seed);
    test.run(|tx| tx.create_snd_file(&mut rng, user, file)).unwrap()
}

/// A file that is made of nothing special; its number.
pub(crate) fn file(test: &TestStore, user: UserId) -> DbSndFileId {
    let count = test.query("SELECT count(*) AS count FROM snd_files", &[], |row| {
        row.next::<i64>("snd_files.count")
    });
    let id = create(test, count[0].unsigned_abs(), user, &plain_file());
    test.run(|tx| tx.get_snd_file_by_entity_id(&id)).unwrap().snd_file_id
}

fn chunk(number: u8) -> (XftpChunkSpec, FileDigest) {
    let offset = ChunkOffset(i64::from(number) * 100);
    (XftpChunkSpec::in_folder(&path("/tmp/snd"), offset, ChunkSize(100)), digest(number))
}

/// A file that is encrypted, in so many chunks.
fn encrypted_file(test: &TestStore, user: UserId, chunks: u8) -> DbSndFileId {
    let id = file(test, user);
    let chunks: Vec<_> = (0..chunks).map(chunk).collect();
    test.run(|tx| tx.update_snd_file_encrypted(id, &digest(99), &chunks)).unwrap();
    id
}

fn load(test: &TestStore, id: DbSndFileId) -> SndFile {
    test.run(|tx| tx.get_snd_file(id)).unwrap()
}

fn recipient(id: &str, byte: u8) -> ReplicaRecipient {
    ReplicaRecipient { replica_id: replica_id(id), replica_key: key(byte) }
}

/// A place on a router for a chunk, for no one yet.
fn place(server: &XftpServer, id: &str) -> NewSndChunkReplica {
    NewSndChunkReplica {
        server: server.clone(),
        replica_id: replica_id(id),
        replica_key: key(7),
        rcv_ids_keys: Vec::new(),
    }
}

/// Gives a chunk that place, and gives the replica's number.
fn add_replica(
    test: &TestStore,
    chunk: SndChunkId,
    replica: &NewSndChunkReplica,
) -> SndChunkReplicaId {
    test.run(|tx| tx.create_snd_file_replica_for(chunk, replica)).unwrap();
    let last = "SELECT max(snd_file_chunk_replica_id) AS id FROM snd_file_chunk_replicas";
    test.query(last, &[], |row| row.next("snd_file_chunk_replicas.id"))[0]
}

/// The first time that there is: where the limit stands with [`SINCE_EVER`].
fn first_time() -> UtcTime {
    let first = UtcTime::now().before(SINCE_EVER);
    assert_eq!(first.to_text(), "0000-01-01 00:00:00");
    first
}

/// A microsecond before that, or what is next to it, which only a database can say.
macro_rules! before_the_first_time {
    ($table:literal, $id:literal) => {
        Sql::differing(
            "make older than the first time",
            Texts {
                sqlite: concat!(
                    "UPDATE ",
                    $table,
                    " SET created_at = '-001-12-31 23:59:59' WHERE ",
                    $id,
                    " = $1"
                ),
                postgres: concat!(
                    "UPDATE ",
                    $table,
                    " SET created_at = '0002-12-31 23:59:59.999999+00 BC' WHERE ",
                    $id,
                    " = $1"
                ),
            },
        )
    };
}
use before_the_first_time;

fn ago(age: Duration) -> UtcTime {
    UtcTime::now().before(age)
}

fn made_at(test: &TestStore, id: DbSndFileId, time: UtcTime) {
    test.execute("UPDATE snd_files SET created_at = $2 WHERE snd_file_id = $1", &[&id, &time]);
}

fn made_before_the_first_time(test: &TestStore, id: DbSndFileId) {
    let sql = before_the_first_time!("snd_files", "snd_file_id");
    assert_eq!(test.run(|tx| Ok(tx.statements().execute(&sql, &[&id])?)), Ok(1));
}

/// The numbers that a statement finds, in its order.
fn numbers(test: &TestStore, text: &'static str, params: Params<'_>) -> Vec<i64> {
    test.query(text, params, |row| row.next("t.n"))
}

/// The files that are marked as failed.
fn failed_files(test: &TestStore) -> Vec<i64> {
    numbers(test, "SELECT snd_file_id AS n FROM snd_files WHERE failed = 1 ORDER BY 1", &[])
}
