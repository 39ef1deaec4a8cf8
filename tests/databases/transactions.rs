//! What a transaction keeps, and what it takes back.

use simplex_stores::db::{DbError, DbErrorKind, Priority, Sql};

use crate::fixture::{TestDb, on_each};

const CREATE: Sql = Sql::new("create", "CREATE TABLE t (n bigint PRIMARY KEY)");
const INSERT: Sql = Sql::new("insert", "INSERT INTO t (n) VALUES ($1)");
const ALL: Sql = Sql::new("all", "SELECT n FROM t ORDER BY n");
const LOCKED: Sql = Sql::new("locked", "SELECT n FROM t WHERE n = $1").locking("FOR UPDATE");

fn all(db: &TestDb) -> Vec<i64> {
    db.run(|tx| tx.query(&ALL, &[], |row| row.next("t.n"))).unwrap()
}

fn with_table(test: impl Fn(&TestDb)) {
    on_each(|db| {
        db.execute(&CREATE, &[]).unwrap();
        test(db);
    });
}

#[test]
fn what_returned_ok_is_there_and_what_returned_an_error_is_not() {
    with_table(|db| {
        db.execute(&INSERT, &[&1]).unwrap();
        let refused = db.run(|tx| {
            tx.execute(&INSERT, &[&2])?;
            Err::<(), _>(DbError::new("a rule", DbErrorKind::Other, "not today"))
        });
        assert_eq!(refused.unwrap_err().doing(), "a rule");
        assert_eq!(all(db), [1]);
    });
}

#[test]
fn what_panics_is_taken_back_and_the_next_transaction_works() {
    with_table(|db| {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = db.run::<()>(|tx| {
                tx.execute(&INSERT, &[&1])?;
                panic!("on purpose");
            });
        }));
        assert!(panicked.is_err());
        db.execute(&INSERT, &[&2]).unwrap();
        assert_eq!(all(db), [2]);
    });
}

#[test]
fn as2_a_failed_statement_is_not_committed_although_its_error_was_passed_over() {
    with_table(|db| {
        let passed_over = db.run(|tx| {
            tx.execute(&INSERT, &[&1])?;
            assert!(tx.execute(&INSERT, &[&1]).is_err());
            Ok(())
        });
        let error = passed_over.unwrap_err();
        assert!(error.violation().is_some(), "{error}");
        assert_eq!(error.doing(), "test: insert");
        assert!(all(db).is_empty());
    });
}

#[test]
fn as2_after_a_failed_statement_none_is_run() {
    with_table(|db| {
        let ended: Result<(), DbError> = db.run(|tx| {
            tx.execute(&INSERT, &[&1])?;
            assert!(tx.execute(&INSERT, &[&1]).is_err());
            assert!(tx.execute(&INSERT, &[&2]).is_err());
            assert!(tx.query(&ALL, &[], |row| row.next::<i64>("t.n")).is_err());
            let behind: Result<(), DbError> = tx.savepoint(|_| panic!("it was run"));
            assert!(behind.is_err());
            Ok(())
        });
        let error = ended.unwrap_err();
        assert!(error.violation().is_some(), "{error}");
        assert!(all(db).is_empty());
    });
}

#[test]
fn as2_behind_a_savepoint_a_statement_may_fail() {
    with_table(|db| {
        db.run(|tx| {
            tx.execute(&INSERT, &[&1])?;
            let twice = tx.savepoint(|tx| {
                tx.execute(&INSERT, &[&2])?;
                tx.execute(&INSERT, &[&1])
            });
            let error: DbError = twice.unwrap_err();
            assert!(error.violation().is_some(), "{error}");
            tx.savepoint(|tx| tx.execute(&INSERT, &[&3]))
        })
        .unwrap();
        assert_eq!(all(db), [1, 3]);
    });
}

#[test]
fn savepoints_nest_and_an_error_passed_over_takes_its_savepoint_back() {
    with_table(|db| {
        db.run(|tx| {
            tx.savepoint(|outer| {
                outer.execute(&INSERT, &[&1])?;
                let inner: Result<(), DbError> = outer.savepoint(|inner| {
                    inner.execute(&INSERT, &[&2])?;
                    let _ = inner.execute(&INSERT, &[&1]);
                    Ok(())
                });
                assert!(inner.unwrap_err().violation().is_some());
                outer.execute(&INSERT, &[&3])
            })
        })
        .unwrap();
        assert_eq!(all(db), [1, 3]);
    });
}

#[test]
fn a_statement_that_failed_before_a_savepoint_is_not_forgotten_behind_it() {
    with_table(|db| {
        let ended = db.run(|tx| {
            tx.execute(&INSERT, &[&1])?;
            assert!(tx.execute(&INSERT, &[&1]).is_err());
            let _: Result<u64, DbError> = tx.savepoint(|tx| tx.execute(&INSERT, &[&2]));
            Ok(())
        });
        assert!(ended.is_err());
        assert!(all(db).is_empty());
    });
}

#[test]
fn rows_can_be_left_in_the_middle() {
    with_table(|db| {
        db.run(|tx| (1..=1_000).try_for_each(|n| tx.execute(&INSERT, &[&n]).map(drop))).unwrap();
        let mut seen = 0;
        db.run(|tx| {
            let left = tx.query_each(&ALL, &[], |row| {
                seen = row.next::<i64>("t.n")?;
                let enough = || DbError::new("enough", DbErrorKind::Other, "");
                if seen < 10 { Ok(()) } else { Err(enough()) }
            });
            assert_eq!(left.unwrap_err().doing(), "enough");
            tx.execute(&INSERT, &[&-seen])
        })
        .unwrap();
        assert_eq!(all(db).len(), 1_001);
        assert_eq!(all(db)[0], -10);
    });
}

#[test]
fn where_one_row_is_expected_another_number_is_an_error() {
    with_table(|db| {
        let one = || db.run(|tx| tx.query_one(&ALL, &[], |row| row.next::<i64>("t.n")));
        let opt = || db.run(|tx| tx.query_opt(&ALL, &[], |row| row.next::<i64>("t.n")));
        assert!(one().unwrap_err().message().contains("no row"));
        assert_eq!(opt().unwrap(), None);
        db.execute(&INSERT, &[&1]).unwrap();
        assert_eq!((one().unwrap(), opt().unwrap()), (1, Some(1)));
        db.execute(&INSERT, &[&2]).unwrap();
        assert!(one().unwrap_err().message().contains("more than one"));
        assert!(opt().unwrap_err().message().contains("more than one"));
        assert!(db.run(|tx| tx.exists(&ALL, &[])).unwrap());
    });
}

#[test]
fn as10_a_row_can_be_read_with_a_lock_where_there_are_locks() {
    with_table(|db| {
        db.execute(&INSERT, &[&1]).unwrap();
        let read = db.run(|tx| tx.query_opt(&LOCKED, &[&1], |row| row.next::<i64>("t.n")));
        assert_eq!(read.unwrap(), Some(1));
    });
}

#[test]
fn work_in_a_hurry_is_a_transaction_like_any_other() {
    with_table(|db| {
        let hurried = |n: i64| {
            let work = |tx: &mut simplex_stores::db::Tx<'_>| tx.execute(&INSERT, &[&n]);
            db.database.transaction::<_, DbError>(Priority::High, "hurried", work)
        };
        assert_eq!(hurried(1).unwrap(), 1);
        assert!(hurried(1).unwrap_err().violation().is_some());
        assert_eq!(all(db), [1]);
    });
}
