//! Files that are received (section 4.12).

mod change;
mod cleanup;
mod create;
mod load;
mod locks;
mod next;

use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use simplex_stores::agent_store::types::*;
use simplex_stores::agent_store::{AgentTx, NewRcvFile, NewRcvFileRedirect, StoreError};
use simplex_stores::db::UtcTime;

use crate::fixture::{TestStore, server};

/// The agent's own for received files: two days.
const TTL: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// No file can be older: an age of it is the first moment there is, and the limit as well.
const EVER: Duration = Duration::MAX;

fn path(text: &str) -> FilePath {
    FilePath::new(text).unwrap()
}

pub(crate) fn router(name: &str) -> XftpServer {
    server(name, "443", &[1; 32])
}

pub(crate) fn replica(server: &XftpServer, id: u8) -> FileChunkReplica {
    FileChunkReplica {
        server: server.clone(),
        replica_id: ChunkReplicaId::from_bytes(&[id; 24]).unwrap(),
        replica_key: AuthPrivateKey::Ed25519([id; 32]),
    }
}

/// A chunk on these routers.
pub(crate) fn chunk(number: i64, replicas: &[FileChunkReplica]) -> FileChunk {
    FileChunk {
        chunk_no: ChunkNo(number),
        chunk_size: ChunkSize(65_536),
        digest: FileDigest(vec![7; 32]),
        replicas: replicas.to_vec(),
    }
}

pub(crate) fn description(chunks: Vec<FileChunk>) -> RcvFileDescription {
    RcvFileDescription {
        party: Recipient,
        size: FileSize(1 << 33),
        digest: FileDigest(vec![3; 64]),
        key: SbKey::new([4; 32]),
        nonce: SbNonce([5; 24]),
        chunk_size: ChunkSize(4 << 20),
        chunks,
        redirect: None,
    }
}

/// A description of one chunk on this router.
fn one_chunk(server: &XftpServer) -> RcvFileDescription {
    description(vec![chunk(1, &[replica(server, 1)])])
}

fn redirect_description(chunks: Vec<FileChunk>) -> RcvFileDescription {
    RcvFileDescription { redirect: Some(destination_info()), ..description(chunks) }
}

fn destination_info() -> RedirectFileInfo {
    RedirectFileInfo { size: FileSize(1 << 40), digest: FileDigest(vec![8; 64]) }
}

fn encrypted(path: FilePath) -> CryptoFile {
    let crypto = CryptoFileArgs { key: SbKey::new([6; 32]), nonce: SbNonce([7; 24]) };
    CryptoFile { path, crypto: Some(crypto) }
}

/// Makes a file, with ids that begin at this seed.
pub(crate) fn create(
    test: &TestStore,
    user_id: UserId,
    seed: u64,
    description: &RcvFileDescription,
) -> Result<RcvFileId, StoreError> {
    let file = NewRcvFile {
        user_id,
        description,
        prefix_path: &path("/files/1"),
        tmp_path: &path("/files/1/chunks"),
        save_file: &CryptoFile::plain(path("/files/photo.jpg")),
        approved_relays: true,
    };
    let mut rng = SmallRng::seed_from_u64(seed);
    test.run(|tx| tx.create_rcv_file(&mut rng, &file))
}

fn create_redirect(
    test: &TestStore,
    user_id: UserId,
    seed: u64,
    description: &RcvFileDescription,
) -> Result<RcvFileId, StoreError> {
    let file = NewRcvFileRedirect {
        user_id,
        description,
        prefix_path: &path("/files/2"),
        redirect_path: &path("/files/2/description"),
        redirect_file: &CryptoFile::plain(path("/files/2/description.yaml")),
        dst_path: &path("/files/2/chunks"),
        dst_file: &encrypted(path("/files/film.mp4")),
        approved_relays: true,
    };
    let mut rng = SmallRng::seed_from_u64(seed);
    test.run(|tx| tx.create_rcv_file_redirect(&mut rng, &file))
}

/// The ids that a generator with this seed makes.
fn ids(test: &TestStore, seed: u64, count: usize) -> Vec<Vec<u8>> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut one = |tx: &mut AgentTx<'_>| tx.with_random_id(&mut rng, |_, id| Ok(id.to_vec()));
    test.run(|tx| (0..count).map(|_| one(tx)).collect()).unwrap()
}

/// A new user's file of one chunk on the router `one.example`.
pub(crate) fn small_file(test: &TestStore, seed: u64) -> RcvFile {
    let user = test.user();
    let made = create(test, user, seed, &one_chunk(&router("one.example")));
    by_entity_id(test, &made.unwrap())
}

fn by_entity_id(test: &TestStore, id: &RcvFileId) -> RcvFile {
    test.run(|tx| tx.get_rcv_file_by_entity_id(id)).unwrap()
}

fn load(test: &TestStore, id: DbRcvFileId) -> RcvFile {
    test.run(|tx| tx.get_rcv_file(id)).unwrap()
}

/// One integer.
fn number(test: &TestStore, query: &'static str) -> i64 {
    test.query(query, &[], |row| row.next("t.number"))[0]
}

/// How many rows there are: files, chunks, replicas, routers.
fn counts(test: &TestStore) -> [i64; 4] {
    [
        number(test, "SELECT count(*) AS number FROM rcv_files"),
        number(test, "SELECT count(*) AS number FROM rcv_file_chunks"),
        number(test, "SELECT count(*) AS number FROM rcv_file_chunk_replicas"),
        number(test, "SELECT count(*) AS number FROM xftp_servers"),
    ]
}

/// The failure flags of all files, in the order they were made.
fn failed(test: &TestStore) -> Vec<bool> {
    test.query("SELECT failed FROM rcv_files ORDER BY rcv_file_id", &[], |row| {
        row.next("rcv_files.failed")
    })
}

/// The file was made so long ago.
fn age(test: &TestStore, id: DbRcvFileId, age: Duration) {
    let then = UtcTime::now().before(age);
    let update = "UPDATE rcv_files SET created_at = $1 WHERE rcv_file_id = $2";
    assert_eq!(test.execute(update, &[&then, &id]), 1);
}
