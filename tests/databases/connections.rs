//! Connections without a transaction.

use simplex_stores::db::{Connection, DbError, DbErrorKind, Sql};

use crate::fixture::{TestDb, on_each};

const CREATE: Sql = Sql::new("create", "CREATE TABLE t (n INTEGER PRIMARY KEY)");
const ADD: Sql = Sql::new("add", "INSERT INTO t (n) VALUES ($1)");
const ALL: Sql = Sql::new("all", "SELECT n FROM t ORDER BY n");
const COMPACT: Sql = Sql::new("compact", "VACUUM");

fn all(connection: &mut Connection<'_>) -> Result<Vec<i64>, DbError> {
    connection.query(&ALL, &[], |row| row.next("t.n"))
}

fn connected<T>(
    test: &TestDb,
    work: impl FnOnce(&mut Connection<'_>) -> Result<T, DbError>,
) -> Result<T, DbError> {
    test.database.with_connection("test", work)
}

#[test]
fn f213_each_statement_is_a_transaction_by_itself() {
    on_each(|test| {
        test.execute(&CREATE, &[]).unwrap();
        let error = connected(test, |connection| {
            assert_eq!(connection.dialect(), test.database.dialect());
            assert_eq!(connection.execute(&ADD, &[&1])?, 1);
            let twice = connection.execute(&ADD, &[&1]).unwrap_err();
            assert!(twice.violation().is_some(), "{twice}");
            // After the failure as before it, and what was done stays whatever is returned.
            connection.execute(&ADD, &[&2])?;
            assert_eq!(all(connection)?, [1, 2]);
            Err::<(), _>(twice)
        });
        assert!(error.unwrap_err().violation().is_some());
        assert_eq!(connected(test, all), Ok(vec![1, 2]));
    });
}

#[test]
fn f213_what_runs_in_no_transaction_runs_here() {
    on_each(|test| {
        assert!(test.execute(&COMPACT, &[]).is_err());
        assert_eq!(connected(test, |connection| connection.execute(&COMPACT, &[])), Ok(0));
        test.database.close().unwrap();
        let closed = connected(test, |connection| connection.execute(&COMPACT, &[]));
        assert_eq!(*closed.unwrap_err().kind(), DbErrorKind::Closed);
    });
}

#[test]
fn f213_a_transaction_that_nobody_ended_is_taken_back() {
    let test = crate::fixture::sqlite();
    test.execute(&CREATE, &[]).unwrap();
    let begin = Sql::new("begin", "BEGIN");
    connected(&test, |connection| {
        connection.execute(&begin, &[])?;
        connection.execute(&ADD, &[&1])
    })
    .unwrap();
    assert_eq!(connected(&test, all), Ok(vec![]));
}
