//! Closing and opening again.

use simplex_stores::db::{Database, DbError, DbErrorKind, Dialect, Priority, Sql};
use simplex_stores::sync::atomic::{AtomicBool, Ordering};
use simplex_stores::sync::channel;
use simplex_stores::sync::thread;
use std::sync::Arc;

use crate::fixture::{TestDb, on_each};

const CREATE: Sql = Sql::new("create", "CREATE TABLE t (n bigint PRIMARY KEY)");
const INSERT: Sql = Sql::new("insert", "INSERT INTO t (n) VALUES ($1)");
const ALL: Sql = Sql::new("all", "SELECT n FROM t ORDER BY n");

fn all(db: &TestDb) -> Result<Vec<i64>, DbError> {
    db.run(|tx| tx.query(&ALL, &[], |row| row.next("t.n")))
}

#[test]
fn as6_a_closed_database_refuses_work_until_it_is_opened_again() {
    on_each(|db| {
        db.execute(&CREATE, &[]).unwrap();
        db.execute(&INSERT, &[&1]).unwrap();
        for priority in [Priority::Ordinary, Priority::High] {
            db.database.close().unwrap();
            db.database.close().unwrap();
            let refused = db.database.transaction::<(), DbError>(priority, "late", |_| Ok(()));
            let error = refused.unwrap_err();
            assert_eq!((error.kind(), error.doing()), (&DbErrorKind::Closed, "late"));
            db.database.reopen().unwrap();
            db.database.reopen().unwrap();
            assert_eq!(all(db).unwrap(), [1]);
        }
    });
}

#[test]
fn as8_closing_waits_for_what_runs_and_refuses_what_comes() {
    on_each(|db| {
        db.execute(&CREATE, &[]).unwrap();
        let database = Arc::new(Database::open(&db.config).unwrap());
        let ended = Arc::new(AtomicBool::new(false));
        let (began, has_begun) = channel::unbounded();
        let (go, may_go) = channel::unbounded::<()>();
        let running = {
            let (database, ended) = (Arc::clone(&database), Arc::clone(&ended));
            thread::spawn(move || {
                database.transaction::<_, DbError>(Priority::Ordinary, "running", |tx| {
                    tx.execute(&INSERT, &[&1])?;
                    began.send(()).unwrap();
                    may_go.recv().unwrap();
                    tx.execute(&INSERT, &[&2])?;
                    ended.store(true, Ordering::SeqCst);
                    Ok(())
                })
            })
        };
        has_begun.recv().unwrap();
        let closing = {
            let (database, ended) = (Arc::clone(&database), Arc::clone(&ended));
            thread::spawn(move || database.close().map(|()| ended.load(Ordering::SeqCst)))
        };
        // What comes is refused at once where there are other connections than the one that is used.
        let comes = || database.transaction::<(), DbError>(Priority::High, "comes", |_| Ok(()));
        while database.dialect() == Dialect::Postgres && comes().is_ok() {
            thread::yield_now();
        }
        go.send(()).unwrap();
        assert!(closing.join().unwrap().unwrap(), "closed before what ran had ended");
        running.join().unwrap().unwrap();
        let late = database.transaction::<(), DbError>(Priority::High, "late", |_| Ok(()));
        assert_eq!(*late.unwrap_err().kind(), DbErrorKind::Closed);
        assert_eq!(all(db).unwrap(), [1, 2]);
    });
}
