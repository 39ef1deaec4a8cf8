//! How far a file that is received has come, and removing it.

use simplex_stores::agent_store::TxResult;
use simplex_stores::agent_store::types::*;

use super::*;
use crate::fixture::on_each;

/// Two files, of which only the first is to be changed.
fn two_files(test: &TestStore) -> (RcvFile, RcvFile) {
    let files = (small_file(test, 1), small_file(test, 2));
    test.execute("UPDATE rcv_files SET updated_at = '2020-01-01 00:00:00'", &[]);
    test.execute("UPDATE rcv_file_chunks SET updated_at = '2020-01-01 00:00:00'", &[]);
    test.execute("UPDATE rcv_file_chunk_replicas SET updated_at = '2020-01-01 00:00:00'", &[]);
    files
}

/// The rows of a table that were changed since they were made.
fn touched(test: &TestStore, query: &'static str) -> Vec<i64> {
    test.query(query, &[], |row| row.next("t.id"))
}

const TOUCHED_FILES: &str =
    "SELECT rcv_file_id AS id FROM rcv_files WHERE updated_at >= created_at ORDER BY id";
const TOUCHED_CHUNKS: &str = "SELECT rcv_file_chunk_id AS id FROM rcv_file_chunks
     WHERE updated_at >= created_at ORDER BY id";
const TOUCHED_REPLICAS: &str = "SELECT rcv_file_chunk_replica_id AS id
     FROM rcv_file_chunk_replicas WHERE updated_at >= created_at ORDER BY id";

/// The change makes this of the first file, touches its row, and leaves the second as it was; and of a file
/// that isn't there it makes nothing.
fn assert_change(
    test: &TestStore,
    change: impl Fn(&mut AgentTx<'_>, DbRcvFileId) -> TxResult<()>,
    expected: impl FnOnce(RcvFile) -> RcvFile,
) {
    let (first, second) = two_files(test);
    assert_eq!(test.run(|tx| change(tx, DbRcvFileId(99))), Ok(()));
    assert_eq!(
        (load(test, DbRcvFileId(1)), load(test, DbRcvFileId(2))),
        (first.clone(), second.clone())
    );
    assert!(touched(test, TOUCHED_FILES).is_empty());
    assert_eq!(test.run(|tx| change(tx, first.rcv_file_id)), Ok(()));
    assert_eq!(load(test, first.rcv_file_id), expected(first));
    assert_eq!(load(test, second.rcv_file_id), second);
    assert_eq!(touched(test, TOUCHED_FILES), [1]);
}

fn without_chunks(file: RcvFile) -> RcvFile {
    RcvFile { chunks: Vec::new(), tmp_path: None, ..file }
}

fn errors(test: &TestStore) -> Vec<Option<String>> {
    test.query("SELECT error FROM rcv_files ORDER BY rcv_file_id", &[], |row| row.next("f.error"))
}

#[test]
fn f166_a_delay_is_kept_and_the_attempts_are_counted() {
    on_each(|test| {
        let (first, _) = two_files(test);
        let replica = &first.chunks[0].replicas[0];
        let delay = |id: RcvChunkReplicaId, delay: i64| {
            test.run(|tx| tx.update_rcv_chunk_replica_delay(id, RetryDelay(delay))).unwrap();
        };
        delay(RcvChunkReplicaId(99), 7);
        assert!(touched(test, TOUCHED_REPLICAS).is_empty());
        delay(replica.rcv_chunk_replica_id, 2_000_000);
        delay(replica.rcv_chunk_replica_id, i64::MAX);
        let rows = test.query(
            "SELECT delay, retries FROM rcv_file_chunk_replicas ORDER BY rcv_file_chunk_replica_id",
            &[],
            |row| Ok((row.next::<Option<i64>>("r.delay")?, row.next::<i64>("r.retries")?)),
        );
        assert_eq!(rows, [(Some(i64::MAX), 2), (None, 0)]);
        assert_eq!(touched(test, TOUCHED_REPLICAS), [1]);
        let loaded = &load(test, first.rcv_file_id).chunks[0].replicas[0];
        assert_eq!((loaded.delay, loaded.retries), (Some(RetryDelay(i64::MAX)), 2));
    });
}

#[test]
fn f167_a_chunk_that_came_has_a_path_and_its_replica_is_marked() {
    on_each(|test| {
        let (first, second) = two_files(test);
        let chunk = &first.chunks[0];
        let replica_id = chunk.replicas[0].rcv_chunk_replica_id;
        let there = path("/files/1/chunks/1");
        let received = |replica, chunk| {
            test.run(|tx| tx.update_rcv_file_chunk_received(replica, chunk, &there)).unwrap();
        };
        received(RcvChunkReplicaId(99), RcvChunkId(99));
        assert!(touched(test, TOUCHED_REPLICAS).is_empty());
        received(replica_id, chunk.rcv_chunk_id);
        let loaded = load(test, first.rcv_file_id);
        assert!(loaded.chunks[0].replicas[0].received);
        assert_eq!(loaded.chunks[0].chunk_tmp_path, Some(there));
        assert_eq!(touched(test, TOUCHED_REPLICAS), [1]);
        assert_eq!(touched(test, TOUCHED_CHUNKS), [1]);
        assert_eq!(load(test, second.rcv_file_id), second);
        let marks = "SELECT received FROM rcv_file_chunk_replicas
                      ORDER BY rcv_file_chunk_replica_id";
        let marks: Vec<bool> = test.query(marks, &[], |row| row.next("r.received"));
        assert_eq!(marks, [true, false]);
    });
}

#[test]
fn f168_a_status_replaces_any_other() {
    on_each(|test| {
        let decrypting =
            |tx: &mut AgentTx<'_>, id| tx.update_rcv_file_status(id, RcvFileStatus::Decrypting);
        assert_change(test, decrypting, |file| RcvFile {
            status: RcvFileStatus::Decrypting,
            ..file
        });
        for status in RcvFileStatus::ALL {
            test.run(|tx| tx.update_rcv_file_status(DbRcvFileId(1), *status)).unwrap();
            let query = "SELECT status FROM rcv_files ORDER BY rcv_file_id";
            let found: Vec<String> = test.query(query, &[], |row| row.next("f.status"));
            assert_eq!(found, [status.text(), "receiving"]);
        }
    });
}

#[test]
fn f169_a_file_with_an_error_forgets_its_chunks() {
    on_each(|test| {
        let error = FileErrorText::new("AUTH \0 from a router");
        assert_change(
            test,
            |tx, id| tx.update_rcv_file_error(id, &error),
            |file| RcvFile { status: RcvFileStatus::Error, ..without_chunks(file) },
        );
        assert_eq!(errors(test), [Some("AUTH \u{fffd} from a router".to_owned()), None]);
    });
}

#[test]
fn f170_a_complete_file_forgets_its_chunks() {
    on_each(|test| {
        assert_change(
            test,
            |tx, id| tx.update_rcv_file_complete(id),
            |file| RcvFile { status: RcvFileStatus::Complete, ..without_chunks(file) },
        );
        assert_eq!(errors(test), [None, None]);
        assert_eq!(counts(test), [2, 2, 2, 1], "their rows stay");
    });
}

#[test]
fn f172_the_folder_for_chunks_is_forgotten() {
    on_each(|test| {
        assert_change(test, |tx, id| tx.update_rcv_file_no_tmp_path(id), without_chunks);
    });
}

#[test]
fn f173_a_file_is_marked_as_deleted() {
    on_each(|test| {
        assert_change(
            test,
            |tx, id| tx.update_rcv_file_deleted(id),
            |file| RcvFile { deleted: true, ..file },
        );
    });
}

#[test]
fn f174_a_file_goes_with_its_chunks_and_its_redirects_stay() {
    on_each(|test| {
        let (first, second) = two_files(test);
        test.execute("UPDATE rcv_files SET redirect_id = 1 WHERE rcv_file_id = 2", &[]);
        let delete = |id| test.run(|tx| tx.delete_rcv_file_record(id)).unwrap();
        delete(DbRcvFileId(99));
        assert_eq!(counts(test), [2, 2, 2, 1]);
        delete(first.rcv_file_id);
        assert_eq!(counts(test), [1, 1, 1, 1]);
        assert_eq!(load(test, second.rcv_file_id), second);
        let redirects = "SELECT redirect_id FROM rcv_files";
        let redirects: Vec<Option<i64>> =
            test.query(redirects, &[], |row| row.next("f.redirect_id"));
        assert_eq!(redirects, [None]);
    });
}

#[test]
fn f174_a_user_s_files_go_with_the_user() {
    on_each(|test| {
        let (first, second) = two_files(test);
        test.run(|tx| tx.delete_user_record(first.user_id)).unwrap();
        assert_eq!(counts(test), [1, 1, 1, 1]);
        assert_eq!(load(test, second.rcv_file_id), second);
    });
}
