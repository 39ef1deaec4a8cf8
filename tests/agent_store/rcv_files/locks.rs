//! Who waits for whom on PostgreSQL. SQLite has one writer at a time, and no locks of rows.

use simplex_stores::agent_store::types::*;
use simplex_stores::agent_store::{AgentTx, TxResult};
use simplex_stores::sync::thread;

use super::*;
use crate::fixture::{Place, on_each};

/// Another session of the same server; none on SQLite.
fn other_session(test: &TestStore) -> Option<postgres::Client> {
    match &test.place {
        Place::File(_) => None,
        Place::Server(database) => Some(database.client().unwrap()),
    }
}

/// The files whose rows nobody has locked.
fn free_rows(session: &mut postgres::Client) -> Vec<i64> {
    let query = "SELECT rcv_file_id FROM agent_store.rcv_files ORDER BY rcv_file_id
                 FOR UPDATE SKIP LOCKED";
    session.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// A transaction that does this locks these rows, of the files 1 and 2, until it ends.
fn assert_locks(
    test: &TestStore,
    locked: &[i64],
    work: impl FnOnce(&mut AgentTx<'_>) -> TxResult<()>,
) {
    let Some(mut session) = other_session(test) else { return test.run(work).unwrap() };
    let free = test.run(|tx| {
        work(tx)?;
        Ok(free_rows(&mut session))
    });
    let expected: Vec<i64> = [1, 2].into_iter().filter(|id| !locked.contains(id)).collect();
    assert_eq!(free, Ok(expected));
    assert_eq!(free_rows(&mut session), [1, 2], "a lock ends with its transaction");
}

#[test]
fn f163_as10_a_file_that_is_loaded_is_locked() {
    on_each(|test| {
        let (first, second) = (small_file(test, 1), small_file(test, 2));
        assert_locks(test, &[2], |tx| tx.get_rcv_file(second.rcv_file_id).map(drop));
        assert_locks(test, &[1], |tx| {
            tx.get_rcv_file_by_entity_id(&first.rcv_file_entity_id).map(drop)
        });
        test.execute("UPDATE rcv_files SET redirect_id = 2 WHERE rcv_file_id = 1", &[]);
        assert_locks(test, &[1], |tx| tx.get_rcv_file_redirects(second.rcv_file_id).map(drop));
        test.execute("UPDATE rcv_files SET status = 'received' WHERE rcv_file_id = 2", &[]);
        assert_locks(test, &[2], |tx| {
            assert!(tx.get_next_rcv_file_to_decrypt(TTL)?.is_some());
            Ok(())
        });
    });
}

#[test]
fn f162_as52_a_file_is_locked_without_being_loaded() {
    on_each(|test| {
        let (_, second) = (small_file(test, 1), small_file(test, 2));
        assert_locks(test, &[2], |tx| tx.lock_rcv_file_for_update(second.rcv_file_id));
        assert_locks(test, &[], |tx| tx.lock_rcv_file_for_update(DbRcvFileId(99)));
    });
}

#[test]
fn f175_a_chunk_to_download_locks_nothing() {
    on_each(|test| {
        let _ = (small_file(test, 1), small_file(test, 2));
        assert_locks(test, &[], |tx| {
            let next = tx.get_next_rcv_chunk_to_download(&router("one.example"), TTL)?;
            assert!(next.is_some());
            Ok(())
        });
    });
}

/// How many of this database's sessions wait for a lock.
fn waiting(session: &mut postgres::Client) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND wait_event_type = 'Lock'";
    session.query_one(query, &[]).unwrap().get(0)
}

/// Between finding the files and loading them, one is deleted: on SQLite nothing can come between.
#[test]
fn f165_as87_a_redirect_that_is_deleted_meanwhile_is_left_out() {
    on_each(|test| {
        let Some(mut session) = other_session(test) else { return };
        let (destination, kept, deleted) =
            (small_file(test, 1), small_file(test, 2), small_file(test, 3));
        let update = "UPDATE rcv_files SET redirect_id = $1 WHERE rcv_file_id > 1";
        assert_eq!(test.execute(update, &[&destination.rcv_file_id]), 2);
        let other = test.place.open().unwrap();
        let find = move || {
            let id = destination.rcv_file_id;
            other.transaction("find redirects", |tx| tx.get_rcv_file_redirects(id))
        };
        let finding = test.run(|tx| {
            tx.delete_rcv_file_record(deleted.rcv_file_id)?;
            let finding = thread::spawn(find);
            // The other has found both when it waits for the one that is being deleted.
            while !finding.is_finished() && waiting(&mut session) == 0 {
                thread::yield_now();
            }
            assert!(!finding.is_finished());
            Ok(finding)
        });
        let found = finding.unwrap().join().unwrap();
        let found: Vec<DbRcvFileId> =
            found.unwrap().into_iter().map(|file| file.rcv_file_id).collect();
        assert_eq!(found, [kept.rcv_file_id]);
    });
}
