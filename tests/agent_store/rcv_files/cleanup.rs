//! What files that were received leave on the device.

use simplex_stores::agent_store::StoreError;
use simplex_stores::agent_store::types::*;

use super::*;
use crate::fixture::on_each;

/// Of each file: its row, and what is to be removed.
fn paths(found: Result<Vec<RcvFileCleanup>, StoreError>) -> Vec<(i64, String)> {
    let of_one = |one: RcvFileCleanup| (one.rcv_file_id.0, one.path.as_str().to_owned());
    let mut found: Vec<(i64, String)> = found.unwrap().into_iter().map(of_one).collect();
    found.sort();
    found
}

#[test]
fn f178_folders_for_chunks_of_files_that_have_ended_are_listed() {
    on_each(|test| {
        let files = [1, 2, 3, 4, 5].map(|seed| small_file(test, seed * 10));
        for (file, status) in files.iter().zip(RcvFileStatus::ALL) {
            test.run(|tx| tx.update_rcv_file_status(file.rcv_file_id, *status)).unwrap();
        }
        let list = || test.run(|tx| tx.get_cleanup_rcv_files_tmp_paths());
        let folder = "/files/1/chunks".to_owned();
        assert_eq!(paths(list()), [(4, folder.clone()), (5, folder.clone())]);
        let entity_id = list().unwrap().into_iter().find(|one| one.rcv_file_id.0 == 4);
        assert_eq!(entity_id.unwrap().rcv_file_entity_id, files[3].rcv_file_entity_id);
        test.run(|tx| tx.update_rcv_file_no_tmp_path(DbRcvFileId(4))).unwrap();
        assert_eq!(paths(list()), [(5, folder)]);
    });
}

#[test]
fn f179_folders_of_deleted_files_are_listed() {
    on_each(|test| {
        let (_, second) = (small_file(test, 1), small_file(test, 2));
        let list = || test.run(|tx| tx.get_cleanup_rcv_files_deleted());
        assert!(paths(list()).is_empty());
        test.run(|tx| tx.update_rcv_file_deleted(second.rcv_file_id)).unwrap();
        test.run(|tx| tx.update_rcv_file_no_tmp_path(second.rcv_file_id)).unwrap();
        let expected = RcvFileCleanup {
            rcv_file_id: second.rcv_file_id,
            rcv_file_entity_id: second.rcv_file_entity_id,
            path: path("/files/1"),
        };
        assert_eq!(list(), Ok(vec![expected]));
    });
}

#[test]
fn f180_folders_of_expired_files_are_listed_whatever_their_status() {
    on_each(|test| {
        let files = [1, 2, 3, 4, 5].map(|seed| small_file(test, seed * 10));
        let list = |ttl| paths(test.run(|tx| tx.get_rcv_files_expired(ttl)));
        for (file, status) in files.iter().zip(RcvFileStatus::ALL) {
            test.run(|tx| tx.update_rcv_file_status(file.rcv_file_id, *status)).unwrap();
        }
        assert!(list(TTL).is_empty());
        let all: Vec<(i64, String)> = (1..=5).map(|id| (id, "/files/1".to_owned())).collect();
        let aged = |duration| files.iter().for_each(|file| age(test, file.rcv_file_id, duration));
        aged(TTL - Duration::from_secs(3_600));
        assert!(list(TTL).is_empty());
        aged(TTL);
        assert_eq!(list(TTL), all, "some time has passed since");
        age(test, DbRcvFileId(3), Duration::ZERO);
        assert_eq!(list(TTL).len(), 4);
        // The one limit that doesn't move with the clock: made at the very moment, it isn't expired.
        aged(EVER);
        assert!(list(EVER).is_empty());
        assert_eq!(list(TTL), all);
    });
}

#[test]
fn f180_a_status_that_cannot_be_read_keeps_nothing_on_the_device() {
    on_each(|test| {
        let file = small_file(test, 1);
        test.execute("UPDATE rcv_files SET status = 'unknown', deleted = 1", &[]);
        age(test, file.rcv_file_id, TTL);
        let expired = test.run(|tx| tx.get_rcv_files_expired(TTL));
        assert_eq!(paths(expired), [(1, "/files/1".to_owned())]);
        let deleted = test.run(|tx| tx.get_cleanup_rcv_files_deleted());
        assert_eq!(paths(deleted), [(1, "/files/1".to_owned())]);
    });
}
