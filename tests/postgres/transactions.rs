//! Transactions, savepoints and the pool.

use std::time::Duration;

use simplex_stores::db::postgres::{Pool, Statements};
use simplex_stores::db::{DbError, DbErrorKind, Sql};
use simplex_stores::sync::channel::{self, Receiver, Sender};
use simplex_stores::sync::thread;
use simplex_stores::testing::postgres::{Cluster, StopMode, TestDatabase};

use crate::fixture;

const INSERT: Sql = Sql::new("insert", "INSERT INTO public.t (n) VALUES ($1)");
const ALL: Sql = Sql::new("all", "SELECT n FROM public.t ORDER BY n");
const END_SELF: Sql = Sql::new("end self", "SELECT pg_terminate_backend(pg_backend_pid())");
const END_OTHERS: Sql = Sql::new(
    "end others",
    "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()",
);
const FOREVER: Sql = Sql::new("forever", "SELECT 1 FROM pg_sleep(3600)");

/// A database with a table of numbers, no two of them the same.
fn numbers(connections: u32) -> (TestDatabase, Pool) {
    let database = fixture::empty();
    database.client().unwrap().batch_execute("CREATE TABLE t (n bigint PRIMARY KEY)").unwrap();
    let pool = Pool::open(&database.config().unwrap().pool_size(connections)).unwrap();
    (database, pool)
}

fn all(pool: &Pool) -> Vec<i64> {
    let rows = pool.session::<_, DbError>("all", |session| session.query(&ALL, &[])).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn what_returned_ok_is_there_and_what_returned_an_error_is_not() {
    let (_database, pool) = numbers(1);
    pool.transaction::<_, DbError>("one", |tx| tx.execute(&INSERT, &[&1_i64])).unwrap();
    let refused = pool.transaction::<(), DbError>("two", |tx| {
        tx.execute(&INSERT, &[&2_i64])?;
        Err(DbError::new("a rule", DbErrorKind::Other, "not today"))
    });
    assert_eq!(refused.unwrap_err().doing(), "a rule");
    assert_eq!(all(&pool), [1]);
}

#[test]
fn as2_a_failed_statement_is_not_committed_although_its_error_was_passed_over() {
    let (_database, pool) = numbers(1);
    let passed_over = pool.transaction::<_, DbError>("passing over", |tx| {
        tx.execute(&INSERT, &[&1_i64])?;
        tx.execute(&INSERT, &[&2_i64])?;
        assert!(tx.execute(&INSERT, &[&1_i64]).is_err());
        Ok(())
    });
    let error = passed_over.unwrap_err();
    assert!(error.is_duplicate_in("t_pkey"), "{error}");
    assert_eq!(error.doing(), "passing over: insert");
    assert!(all(&pool).is_empty());
}

#[test]
fn as2_behind_a_savepoint_a_statement_may_fail() {
    let (_database, pool) = numbers(1);
    let inserted = pool.transaction::<_, DbError>("numbers", |tx| {
        tx.execute(&INSERT, &[&1_i64])?;
        let twice = tx.savepoint(|tx| {
            tx.execute(&INSERT, &[&2_i64])?;
            tx.execute(&INSERT, &[&1_i64])
        });
        let error: DbError = twice.unwrap_err();
        assert!(error.is_duplicate_in("t_pkey"));
        tx.savepoint(|tx| tx.execute(&INSERT, &[&3_i64]))
    });
    inserted.unwrap();
    assert_eq!(all(&pool), [1, 3]);
}

#[test]
fn savepoints_nest_and_an_error_passed_over_takes_its_savepoint_back() {
    let (_database, pool) = numbers(1);
    pool.transaction::<_, DbError>("nested", |tx| {
        tx.savepoint(|outer| {
            outer.execute(&INSERT, &[&1_i64])?;
            let inner: Result<(), DbError> = outer.savepoint(|inner| {
                inner.execute(&INSERT, &[&2_i64])?;
                let _ = inner.execute(&INSERT, &[&1_i64]);
                Ok(())
            });
            assert!(inner.unwrap_err().is_duplicate_in("t_pkey"));
            outer.execute(&INSERT, &[&3_i64])
        })
    })
    .unwrap();
    assert_eq!(all(&pool), [1, 3]);
}

#[test]
fn a_snapshot_sees_one_moment_and_changes_nothing() {
    let (_database, pool) = numbers(2);
    pool.snapshot::<_, DbError>("looking", |tx| {
        assert!(tx.query(&ALL, &[])?.is_empty());
        pool.session::<_, DbError>("meanwhile", |session| session.execute(&INSERT, &[&1_i64]))?;
        assert!(tx.query(&ALL, &[])?.is_empty());
        Ok(())
    })
    .unwrap();
    assert_eq!(all(&pool), [1]);
    let written = pool.snapshot::<_, DbError>("writing", |tx| tx.execute(&INSERT, &[&2_i64]));
    assert_eq!(written.unwrap_err().sqlstate(), Some("25006"));
    assert_eq!(all(&pool), [1]);
}

#[test]
fn rows_come_one_by_one_and_can_be_left_in_the_middle() {
    let (_database, pool) = numbers(1);
    let many = Sql::new("many", "SELECT generate_series(1, 100000)::bigint");
    let mut seen = 0;
    let stopped = pool.transaction::<(), DbError>("counting", |tx| {
        let left = tx.query_each(&many, &[], |row| {
            seen = row.get::<_, i64>(0);
            if seen < 10 { Ok(()) } else { Err(DbError::new("enough", DbErrorKind::Other, "")) }
        });
        assert_eq!(left.unwrap_err().doing(), "enough");
        tx.execute(&INSERT, &[&seen]).map(drop)
    });
    stopped.unwrap();
    assert_eq!(all(&pool), [10]);
}

#[test]
fn where_one_row_is_expected_another_number_is_an_error() {
    let (_database, pool) = numbers(1);
    let one = |label| pool.session::<_, DbError>(label, |session| session.query_one(&ALL, &[]));
    let opt = |label| pool.session::<_, DbError>(label, |session| session.query_opt(&ALL, &[]));
    assert!(one("none").unwrap_err().message().contains("no row"));
    assert!(opt("none").unwrap().is_none());
    for n in [1_i64, 2] {
        pool.session::<_, DbError>("insert", |session| session.execute(&INSERT, &[&n])).unwrap();
    }
    assert!(one("two").unwrap_err().message().contains("more than one"));
    assert!(opt("two").unwrap_err().message().contains("more than one"));
}

#[test]
fn without_a_free_connection_a_call_ends_with_an_error() {
    let database = fixture::empty();
    let config = database.config().unwrap().pool_size(1);
    let pool = Pool::open(&config.checkout_timeout(Duration::from_millis(20))).unwrap();
    let inner = pool.session::<_, DbError>("outer", |_| {
        Ok(pool.session::<(), DbError>("inner", |_| Ok(())).unwrap_err())
    });
    let error = inner.unwrap();
    assert_eq!(*error.kind(), DbErrorKind::NoConnection);
    assert_eq!(error.doing(), "inner: waiting for a connection");
    pool.session::<(), DbError>("afterwards", |_| Ok(())).unwrap();
}

#[test]
fn a_statement_that_takes_too_long_ends_and_the_next_call_works() {
    let database = fixture::empty();
    let config = database.config().unwrap().pool_size(1);
    let pool = Pool::open(&config.statement_timeout(Duration::from_millis(20))).unwrap();
    let slow = pool.transaction::<_, DbError>("slow", |tx| tx.query(&FOREVER, &[]));
    assert_eq!(*slow.unwrap_err().kind(), DbErrorKind::Timeout);
    // On a busy machine even a short statement may take too long, but not always.
    let next = (0..100).find_map(|_| pool.transaction::<(), DbError>("next", |_| Ok(())).ok());
    assert_eq!(next, Some(()));
}

#[test]
fn an_ended_connection_takes_its_transaction_back_and_the_next_call_works() {
    let (_database, pool) = numbers(1);
    let ended = pool.transaction::<_, DbError>("ended", |tx| {
        tx.execute(&INSERT, &[&1_i64])?;
        tx.query(&END_SELF, &[])
    });
    assert_eq!(*ended.unwrap_err().kind(), DbErrorKind::Lost);
    assert!(all(&pool).is_empty());
}

#[test]
fn a_connection_lost_behind_a_savepoint_loses_the_whole_transaction() {
    let (_database, pool) = numbers(1);
    let ended = pool.transaction::<(), DbError>("ended", |tx| {
        tx.execute(&INSERT, &[&1_i64])?;
        let lost: Result<_, DbError> = tx.savepoint(|tx| tx.query(&END_SELF, &[]));
        assert!(lost.unwrap_err().is_lost());
        Ok(())
    });
    assert_eq!(*ended.unwrap_err().kind(), DbErrorKind::Lost);
    assert!(all(&pool).is_empty());
}

#[test]
fn race70_a_connection_lost_while_committing_leaves_the_outcome_unclear() {
    let (database, pool) = numbers(1);
    let deferred = "
        CREATE FUNCTION end_self() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION end_self()";
    database.client().unwrap().batch_execute(deferred).unwrap();
    let insert = |label| pool.transaction::<_, DbError>(label, |tx| tx.execute(&INSERT, &[&1_i64]));
    let error = insert("inserting").unwrap_err();
    assert_eq!(*error.kind(), DbErrorKind::Unclear);
    assert_eq!(error.doing(), "inserting: commit");
    let insert = pool.session::<_, DbError>("one", |session| session.execute(&INSERT, &[&1_i64]));
    assert_eq!(*insert.unwrap_err().kind(), DbErrorKind::Unclear);
    assert!(all(&pool).is_empty());
}

#[test]
fn connections_that_broke_while_idle_fail_no_transaction() {
    let (database, pool) = numbers(4);
    let mut other = database.client().unwrap();
    for n in 0..5_i64 {
        let ended = other.query_one(&*END_OTHERS.postgres(), &[]).unwrap();
        assert!(ended.get::<_, i64>(0) > 0);
        pool.transaction::<_, DbError>("insert", |tx| tx.execute(&INSERT, &[&n])).unwrap();
    }
    assert_eq!(all(&pool), [0, 1, 2, 3, 4]);
}

#[test]
fn a_server_that_was_restarted_fails_no_later_transaction() {
    let cluster = Cluster::start().unwrap();
    let database = cluster.database().unwrap();
    database.client().unwrap().batch_execute("CREATE TABLE t (n bigint PRIMARY KEY)").unwrap();
    let pool = Pool::open(&database.config().unwrap().pool_size(3)).unwrap();
    for (n, mode) in [(1_i64, StopMode::Fast), (2, StopMode::Immediate)] {
        cluster.stop(mode).unwrap();
        cluster.start_again().unwrap();
        pool.transaction::<_, DbError>("insert", |tx| tx.execute(&INSERT, &[&n])).unwrap();
    }
    assert_eq!(all(&pool), [1, 2]);
}

#[test]
fn while_the_server_is_down_calls_end_in_time_with_an_error() {
    let cluster = Cluster::start().unwrap();
    let database = cluster.database().unwrap();
    let config = database.config().unwrap().pool_size(2);
    let pool = Pool::open(&config.checkout_timeout(Duration::from_millis(200))).unwrap();
    cluster.stop(StopMode::Immediate).unwrap();
    for label in ["first", "second", "third"] {
        let down = pool.transaction::<(), DbError>(label, |_| Ok(()));
        let error = down.unwrap_err();
        assert!(error.is_lost() || *error.kind() == DbErrorKind::NoConnection, "{error:?}");
    }
}

#[test]
fn of_two_transactions_that_wait_for_each_other_one_is_told_to_retry() {
    let (_database, pool) = numbers(2);
    let quickly = Sql::new("quickly", "SET LOCAL deadlock_timeout = '10ms'");
    let lock = Sql::new("lock", "SELECT 1 FROM pg_advisory_xact_lock($1)");
    let (first, second) = (channel::unbounded(), channel::unbounded());
    let waits = |own: i64, other: i64, ready: Sender<()>, go: Receiver<()>| {
        let pool = pool.clone();
        thread::spawn(move || {
            pool.transaction::<_, DbError>("waiting", |tx| {
                tx.execute(&quickly, &[])?;
                tx.query(&lock, &[&own])?;
                ready.send(()).unwrap();
                go.recv().unwrap();
                tx.query(&lock, &[&other])
            })
        })
    };
    let threads = [waits(1, 2, first.0, second.1), waits(2, 1, second.0, first.1)];
    let results = threads.map(|thread| thread.join().unwrap());
    let failed: Vec<DbError> = results.into_iter().filter_map(Result::err).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(*failed[0].kind(), DbErrorKind::Deadlock);
    assert!(failed[0].is_retryable());
}

#[test]
fn a_transaction_that_fits_no_order_is_told_to_retry() {
    let (_database, pool) = numbers(2);
    let strictly = Sql::new("strictly", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    let update = Sql::new("update", "UPDATE public.t SET n = n + 10");
    pool.session::<_, DbError>("insert", |session| session.execute(&INSERT, &[&1_i64])).unwrap();
    let late = pool.transaction::<_, DbError>("late", |tx| {
        tx.execute(&strictly, &[])?;
        tx.query(&ALL, &[])?;
        pool.session::<_, DbError>("meanwhile", |session| session.execute(&update, &[]))?;
        tx.execute(&update, &[])
    });
    let error = late.unwrap_err();
    assert_eq!(*error.kind(), DbErrorKind::Serialization);
    assert!(error.is_retryable());
    assert_eq!(all(&pool), [11]);
}

#[test]
fn pg39_every_connection_has_the_schema_as_its_only_path() {
    let database = fixture::with_schema();
    let pool = Pool::open(&database.config().unwrap().pool_size(2)).unwrap();
    let path = Sql::new("path", "SELECT current_schemas(false)::text[]");
    let paths = pool.session::<_, DbError>("one", |one| {
        let other = pool.session("other", |other| other.query_one(&path, &[]))?;
        Ok([one.query_one(&path, &[])?, other])
    });
    for row in paths.unwrap() {
        assert_eq!(row.get::<_, Vec<String>>(0), ["smp_server"]);
    }
}
