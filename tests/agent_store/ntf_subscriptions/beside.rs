//! A worker and the supervisor on one row at one time, where writers run side by side: on PostgreSQL.

use std::sync::Arc;

use simplex_stores::agent_store::types::NtfSubscription;
use simplex_stores::agent_store::{AgentStore, AgentTx, TxResult};
use simplex_stores::db::{Dialect, Sql};
use simplex_stores::sync::thread;

use super::*;
use crate::fixture::on_each;

/// How many others wait for what this transaction wrote.
const WAITING: Sql = Sql::new(
    "count those that wait",
    "SELECT count(*) AS waiting FROM pg_locks theirs
       JOIN pg_locks mine ON mine.transactionid = theirs.transactionid
      WHERE mine.pid = pg_backend_pid() AND NOT theirs.granted",
);

/// A test with a store, a second one for threads, and a subscription with work on the message router.
fn on_server(test: impl Fn(&TestStore, &Arc<AgentStore>, &NtfSubscription)) {
    on_each(|store| {
        if store.store.database().dialect() == Dialect::Postgres {
            let user = prepare(store);
            let one = sub(store, user, b"connection", KEY);
            test(store, &Arc::new(store.place.open().unwrap()), &one);
        }
    });
}

/// Runs what the supervisor does in a transaction, and beside it a worker's, which begins before the
/// supervisor's is committed, and waits for it. Gives what the worker's gave.
fn beside<T: Send + 'static>(
    store: &Arc<AgentStore>,
    supervisor: impl FnOnce(&mut AgentTx<'_>) -> TxResult<()>,
    worker: impl FnOnce(&mut AgentTx<'_>) -> TxResult<T> + Send + 'static,
) -> T {
    let running = store.transaction("the supervisor", |tx| {
        supervisor(tx)?;
        let store = Arc::clone(store);
        let running = thread::spawn(move || store.transaction("the worker", worker));
        // Nothing else says what another session does.
        let mut waiting = 0;
        while waiting == 0 && !running.is_finished() {
            thread::yield_now();
            waiting = tx.statements().query_one(&WAITING, &[], |row| row.next("l.waiting"))?;
        }
        assert_eq!(waiting, 1, "the worker didn't wait");
        Ok(running)
    });
    running.unwrap().join().unwrap().unwrap()
}

#[test]
fn f149_as79_a_worker_sees_what_the_supervisor_is_about_to_commit() {
    on_server(|test, store, one| {
        let done = NtfSubscription { ntf_queue_id: Some(queue_id()), ..one.clone() };
        beside(
            store,
            |tx| tx.supervisor_update_ntf_action(&one.conn_id, DELETE),
            move |tx| tx.update_ntf_subscription(&done, CREATE, long_ago()),
        );
        let row = columns(test, &one.conn_id).unwrap();
        assert_eq!((row.ntf_action, row.smp_action.as_deref()), (None, Some("D")));
        assert_eq!((row.smp_ntf_id, row.by_supervisor), (Some(b"queue".to_vec()), 0));
    });
}

#[test]
fn f150_as80_a_worker_doesn_t_clear_what_the_supervisor_is_about_to_commit() {
    on_server(|test, store, one| {
        let conn_id = one.conn_id.clone();
        beside(
            store,
            |tx| tx.supervisor_update_ntf_action(&one.conn_id, DELETE),
            move |tx| tx.set_null_ntf_subscription_action(&conn_id),
        );
        let row = columns(test, &one.conn_id).unwrap();
        assert_eq!((row.smp_action.as_deref(), row.by_supervisor), (Some("D"), 1));
    });
}

#[test]
fn f151_as81_a_worker_doesn_t_delete_what_the_supervisor_is_about_to_commit() {
    on_server(|test, store, one| {
        let conn_id = one.conn_id.clone();
        beside(
            store,
            |tx| tx.supervisor_update_ntf_action(&one.conn_id, CREATE),
            move |tx| tx.delete_ntf_subscription(&conn_id),
        );
        let row = columns(test, &one.conn_id).unwrap();
        assert_eq!((&row.status[..], row.ntf_action.as_deref()), ("DELETED", Some("N")));
    });
}

#[test]
fn f155_as84_work_that_the_supervisor_takes_away_is_left_out_and_others_come_instead() {
    on_server(|test, store, one| {
        let next = sub(test, one.user_id, b"next", KEY);
        let set = "UPDATE ntf_subscriptions SET ntf_sub_action_ts = $1 WHERE conn_id = $2";
        test.execute(set, &[&time("2002-01-01 00:00:00"), &next.conn_id]);
        let work = beside(
            store,
            |tx| tx.supervisor_update_ntf_action(&one.conn_id, CREATE),
            |tx| tx.get_next_ntf_sub_smp_actions(&smp(), 1),
        );
        let [Ok(work)] = &work[..] else { panic!("{work:?}") };
        assert_eq!(work.subscription, next);
        let row = columns(test, &one.conn_id).unwrap();
        assert_eq!((row.by_supervisor, row.failed), (1, (0, 0)));
    });
}

#[test]
fn f153_as84_work_that_the_supervisor_takes_away_is_not_marked() {
    on_server(|test, store, one| {
        test.run(|tx| tx.supervisor_update_ntf_action(&one.conn_id, CREATE)).unwrap();
        let work = beside(
            store,
            |tx| tx.supervisor_update_ntf_action(&one.conn_id, KEY),
            |tx| tx.get_next_ntf_sub_ntf_actions(&ntf(), 9),
        );
        assert_eq!(work, []);
        let row = columns(test, &one.conn_id).unwrap();
        assert_eq!((row.by_supervisor, row.failed), (1, (0, 0)));
    });
}
