//! Changes of a sent file.

use simplex_stores::agent_store::types::{DbSndFileId, FileErrorText, SndFileStatus};
use simplex_stores::agent_store::{AgentTx, TxResult};
use simplex_stores::db::UtcTime;

use super::{DAY, add_replica, ago, encrypted_file, file, load, numbers, place, recipient, router};
use crate::fixture::{TestStore, on_each};

/// What the changes are about.
#[derive(Clone, Debug, PartialEq)]
struct State {
    prefix: Option<String>,
    status: String,
    deleted: bool,
    error: Option<String>,
}

fn states(test: &TestStore) -> Vec<(State, UtcTime)> {
    let query = "SELECT prefix_path, status, deleted, error, updated_at FROM snd_files
                  ORDER BY snd_file_id";
    test.query(query, &[], |row| {
        let state = State {
            prefix: row.next("f.prefix_path")?,
            status: row.next("f.status")?,
            deleted: row.next("f.deleted")?,
            error: row.next("f.error")?,
        };
        Ok((state, row.next("f.updated_at")?))
    })
}

/// Makes a change to the second of two files: it becomes what `expected` makes of a new one, and the time
/// of its change is kept. The first stays as it is, and where there is no file nothing happens.
fn assert_changes(
    change: impl Fn(&mut AgentTx<'_>, DbSndFileId) -> TxResult<()>,
    expected: impl Fn(&mut State),
) {
    on_each(|test| {
        let user = test.user();
        let (_, id) = (file(test, user), file(test, user));
        let long_ago = ago(DAY);
        test.execute("UPDATE snd_files SET updated_at = $1", &[&long_ago]);
        let before = states(test);
        test.run(|tx| change(tx, DbSndFileId(99))).unwrap();
        assert_eq!(states(test), before);
        let earliest = UtcTime::now();
        test.run(|tx| change(tx, id)).unwrap();
        let latest = UtcTime::now();
        let after = states(test);
        assert_eq!(after[0], before[0]);
        let mut state = before[1].0.clone();
        expected(&mut state);
        assert_eq!(after[1].0, state);
        // Wall clocks may be set back while this runs.
        assert!(earliest > latest || (earliest..=latest).contains(&after[1].1), "{after:?}");
        assert_ne!(after[1].1, long_ago);
    });
}

#[test]
fn f186_an_error_ends_a_file() {
    let text = FileErrorText::new("no such \"router\"; \0 it's gone");
    assert_changes(
        |tx, id| tx.update_snd_file_error(id, &text),
        |state| {
            state.prefix = None;
            state.status = "error".to_owned();
            state.error = Some("no such \"router\"; \u{fffd} it's gone".to_owned());
        },
    );
}

#[test]
fn f187_any_status_can_be_set() {
    for status in SndFileStatus::ALL {
        assert_changes(
            |tx, id| tx.update_snd_file_status(id, *status),
            |state| state.status = status.text().to_owned(),
        );
    }
}

#[test]
fn f189_a_complete_file_has_no_folder() {
    assert_changes(
        |tx, id| tx.update_snd_file_complete(id),
        |state| {
            state.prefix = None;
            state.status = "complete".to_owned();
        },
    );
}

#[test]
fn f190_a_folder_is_forgotten() {
    assert_changes(|tx, id| tx.update_snd_file_no_prefix_path(id), |state| state.prefix = None);
}

#[test]
fn f191_a_file_is_marked_as_deleted() {
    assert_changes(|tx, id| tx.update_snd_file_deleted(id), |state| state.deleted = true);
}

#[test]
fn f192_a_deleted_file_takes_everything_below_it() {
    on_each(|test| {
        let user = test.user();
        let ids = [encrypted_file(test, user, 2), encrypted_file(test, user, 1)];
        for id in ids {
            for chunk in load(test, id).chunks {
                let mut replica = place(&router("a.example"), "replica");
                replica.rcv_ids_keys = vec![recipient("a", 1), recipient("b", 2)];
                add_replica(test, chunk.snd_chunk_id, &replica);
            }
        }
        let counts = || {
            numbers(
                test,
                "SELECT (SELECT count(*) FROM snd_files) * 1000
                      + (SELECT count(*) FROM snd_file_chunks) * 100
                      + (SELECT count(*) FROM snd_file_chunk_replicas) * 10
                      + (SELECT count(*) FROM snd_file_chunk_replica_recipients) AS n",
                &[],
            )[0]
        };
        assert_eq!(counts(), 2336);
        test.run(|tx| tx.delete_snd_file_record(DbSndFileId(99))).unwrap();
        assert_eq!(counts(), 2336);
        test.run(|tx| tx.delete_snd_file_record(ids[0])).unwrap();
        assert_eq!(counts(), 1112);
        assert_eq!(load(test, ids[1]).chunks[0].replicas[0].rcv_ids_keys.len(), 2);
        test.run(|tx| tx.delete_user_record(user)).unwrap();
        assert_eq!(counts(), 0);
    });
}
