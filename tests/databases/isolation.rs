//! Transactions in every order of their steps: what the tool finds, and that it finds all.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use simplex_stores::db::fault::without_locks;
use simplex_stores::db::{Database, DbError, DbErrorKind, Priority, Sql, Tx};
use simplex_stores::testing::isolation::{Session, Steps, Writers, permute};
use simplex_stores::testing::postgres::waiting_for_locks;

use crate::fixture::TestDb;

const CREATE: Sql = Sql::new("create", "CREATE TABLE t (k INTEGER PRIMARY KEY, n INTEGER)");
const FILL: Sql = Sql::new("fill", "INSERT INTO t (k, n) VALUES (1, 0), (2, 0)");
const EMPTY: Sql = Sql::new("empty", "DELETE FROM t");
const READ: Sql = Sql::new("read", "SELECT n FROM t WHERE k = $1");
const READ_LOCKED: Sql = READ.locking("FOR UPDATE");
const WRITE: Sql = Sql::new("write", "UPDATE t SET n = $2 WHERE k = $1");

type Result<T> = std::result::Result<T, DbError>;

fn read(tx: &mut Tx<'_>, sql: &Sql, row: i64) -> Result<i64> {
    tx.query_one(sql, &[&row], |row| row.next("t.n"))
}

fn run<T>(database: &Database, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    database.transaction(Priority::Ordinary, "test", work)
}

/// Reads a number and writes it back one greater, in a transaction of two steps.
fn adding(database: &Database, steps: &Steps, sql: &Sql) -> Result<()> {
    run(database, |tx| {
        let n = read(tx, sql, 1)?;
        steps.within();
        tx.execute(&WRITE, &[&1, &(n + 1)])?;
        Ok(())
    })
}

type Shared = Arc<TestDb>;

/// What the sessions returned in one order, and what the rows are then.
type Outcome = (Vec<Result<()>>, [i64; 2]);

/// Runs the sessions in all orders on rows of zeros; gives the number of orders and the outcome of each.
fn outcomes(test: TestDb, sessions: &[Session<Shared, Result<()>>]) -> (usize, Vec<Outcome>) {
    let test = Arc::new(test);
    test.execute(&CREATE, &[]).unwrap();
    let mut client = test.client();
    let mut waiting = || waiting_for_locks(client.as_mut().unwrap()).unwrap();
    let writers = match test.client() {
        Some(_) => Writers::Many(&mut waiting),
        None => Writers::One,
    };
    let prepare = || {
        test.execute(&EMPTY, &[]).unwrap();
        test.execute(&FILL, &[]).unwrap();
        Arc::clone(&test)
    };
    let mut all = Vec::new();
    let orders = permute(writers, sessions, prepare, |test, results, _| {
        let rows = [1, 2].map(|row| run(&test.database, |tx| read(tx, &READ, row)).unwrap());
        all.push((results.to_vec(), rows));
        ControlFlow::Continue(())
    });
    (orders, all)
}

fn two(sql: Sql) -> [Session<Shared, Result<()>>; 2] {
    ["one", "other"].map(|name| {
        Session::new(name, move |test: &Shared, steps| adding(&test.database, steps, &sql))
    })
}

#[test]
fn an_update_is_lost_in_some_order_without_a_lock_and_in_none_with_it() {
    let lost = |sessions: &[_], test| {
        let (orders, all) = outcomes(test, sessions);
        let lost = all.iter().filter(|(_, [n, _])| *n != 2).count();
        (orders, lost)
    };
    assert_eq!(lost(&two(READ), crate::fixture::postgres()), (6, 4));
    // Who waits for a lock can't be told to go on: four of the six orders are left.
    assert_eq!(lost(&two(READ_LOCKED), crate::fixture::postgres()), (4, 0));
    // One writer at a time: the orders are those of whole transactions.
    assert_eq!(lost(&two(READ), crate::fixture::sqlite()), (2, 0));
}

#[test]
fn a_lock_can_be_taken_out() {
    let sessions = ["one", "other"].map(|name| {
        Session::new(name, |test: &Shared, steps| {
            without_locks(&["read"], || adding(&test.database, steps, &READ_LOCKED))
        })
    });
    let (orders, all) = outcomes(crate::fixture::postgres(), &sessions);
    assert_eq!(orders, 6);
    assert!(all.iter().any(|(_, [n, _])| *n == 1));
}

#[test]
fn sessions_that_wait_for_each_other_come_to_an_end() {
    let sessions = [("up", [1, 2]), ("down", [2, 1])].map(|(name, rows)| {
        Session::new(name, move |test: &Shared, steps: &Steps| {
            run(&test.database, |tx| {
                for row in rows {
                    let n = read(tx, &READ_LOCKED, row)?;
                    tx.execute(&WRITE, &[&row, &(n + 1)])?;
                    steps.within();
                }
                Ok(())
            })
        })
    });
    let (orders, all) = outcomes(crate::fixture::postgres(), &sessions);
    assert_eq!(orders, all.len());
    let ended = |results: &[Result<()>]| {
        results
            .iter()
            .filter(|result| match result {
                Ok(()) => true,
                Err(error) => {
                    assert_eq!(*error.kind(), DbErrorKind::Deadlock);
                    false
                }
            })
            .count() as i64
    };
    for (results, rows) in &all {
        assert_eq!(*rows, [ended(results); 2]);
    }
    let counts: BTreeSet<i64> = all.iter().map(|(results, _)| ended(results)).collect();
    assert_eq!(counts, BTreeSet::from([1, 2]));
}

#[test]
fn steps_between_transactions_are_permuted_on_each_database() {
    for test in [crate::fixture::sqlite(), crate::fixture::postgres()] {
        let sessions = ["one", "other"].map(|name| {
            Session::new(name, |test: &Shared, steps: &Steps| {
                let n = run(&test.database, |tx| read(tx, &READ, 1))?;
                steps.between();
                run(&test.database, |tx| tx.execute(&WRITE, &[&1, &(n + 1)]).map(drop))
            })
        });
        let (orders, all) = outcomes(test, &sessions);
        assert_eq!(orders, 6);
        assert_eq!(all.iter().filter(|(_, [n, _])| *n == 2).count(), 2);
    }
}

#[test]
fn a_session_that_panics_is_told() {
    let panicked = std::panic::catch_unwind(|| {
        let session = Session::new("one", |_: &(), _: &Steps| panic!("on purpose"));
        permute(Writers::One, &[session], || (), |(), _: &[()], _| ControlFlow::Continue(()))
    });
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"on purpose"));
}
