//! Bulk transfer in and out.

use simplex_stores::db::postgres::{Pool, Statements};
use simplex_stores::db::{DbError, DbErrorKind, Sql};
use simplex_stores::testing::postgres::TestDatabase;

use crate::fixture;

const IN: Sql = Sql::new("copying in", "COPY public.t (n, word) FROM STDIN (FORMAT csv)");
const OUT: Sql = Sql::new(
    "copying out",
    "COPY (SELECT n, word FROM public.t ORDER BY n) TO STDOUT (FORMAT csv)",
);
const COUNT: Sql = Sql::new("count", "SELECT count(*) FROM public.t");

fn words() -> (TestDatabase, Pool) {
    let database = fixture::empty();
    let create = "CREATE TABLE t (n bigint PRIMARY KEY, word text)";
    database.client().unwrap().batch_execute(create).unwrap();
    let pool = Pool::open(&database.config().unwrap().pool_size(1)).unwrap();
    (database, pool)
}

fn count(pool: &Pool) -> i64 {
    let row = pool.session::<_, DbError>("count", |session| session.query_one(&COUNT, &[]));
    row.unwrap().get(0)
}

#[test]
fn what_is_copied_in_comes_out_again() {
    let (_database, pool) = words();
    let text: String = (0..20_000).map(|n| format!("{n},\"a \"\"word\"\"\nof {n}\"\n")).collect();
    let rows = pool.transaction::<_, DbError>("in", |tx| {
        tx.copy_in(&IN, |copy| text.as_bytes().chunks(7).try_for_each(|piece| copy.send(piece)))
    });
    assert_eq!(rows.unwrap(), 20_000);
    let mut out = Vec::new();
    pool.snapshot::<(), DbError>("out", |tx| {
        tx.copy_out(&OUT, |piece| {
            out.extend_from_slice(piece);
            Ok(())
        })
    })
    .unwrap();
    assert!(out == text.as_bytes());
}

#[test]
fn a_copy_that_is_given_up_leaves_nothing_and_the_connection_goes_on() {
    let (_database, pool) = words();
    let given_up = pool.transaction::<(), DbError>("in", |tx| {
        let copied = tx.copy_in(&IN, |copy| {
            copy.send(b"1,one\n2,two\n")?;
            Err(DbError::new("reading a file", DbErrorKind::Other, "it ends here"))
        });
        assert_eq!(copied.unwrap_err().doing(), "reading a file");
        Ok(())
    });
    assert_eq!(given_up.unwrap_err().doing(), "in: copying in");
    assert_eq!(count(&pool), 0);
}

#[test]
fn what_the_server_refuses_of_a_copy_is_told_without_values() {
    let (_database, pool) = words();
    let copy = |text: &'static str| {
        pool.transaction::<_, DbError>("in", |tx| {
            tx.savepoint(|tx| tx.copy_in(&IN, |copy| copy.send(text.as_bytes())))
        })
    };
    let twice = copy("1,hunter2\n1,hunter2\n").unwrap_err();
    assert!(twice.is_duplicate_in("t_pkey"), "{twice}");
    let short = copy("1\n").unwrap_err();
    assert_eq!(short.sqlstate(), Some("22P04"));
    let unreadable = copy("hunter2,word\n").unwrap_err();
    assert_eq!(unreadable.message(), "invalid input syntax for type bigint");
    for error in [twice, short, unreadable] {
        assert_eq!(error.doing(), "copying in");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    assert_eq!(count(&pool), 0);
}

#[test]
fn a_copy_out_can_be_left_in_the_middle() {
    let (_database, pool) = words();
    let fill =
        Sql::new("fill", "INSERT INTO public.t SELECT n, 'word' FROM generate_series(1, 50000) n");
    pool.session::<_, DbError>("fill", |session| session.execute(&fill, &[])).unwrap();
    let left = pool.transaction::<(), DbError>("out", |tx| {
        tx.copy_out(&OUT, |_| Err(DbError::new("enough", DbErrorKind::Other, "")))
    });
    assert_eq!(left.unwrap_err().doing(), "enough");
    assert_eq!(count(&pool), 50_000);
}

#[test]
fn a_connection_lost_in_a_copy_is_told_as_lost() {
    let (database, pool) = words();
    let mut other = database.client().unwrap();
    let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let lost = pool.transaction::<_, DbError>("in", |tx| {
        tx.copy_in(&IN, |copy| {
            copy.send(b"1,one\n")?;
            other.query(end, &[]).unwrap();
            (2..1_000_000).try_for_each(|n| copy.send(format!("{n},word\n").as_bytes()))
        })
    });
    assert!(lost.unwrap_err().is_lost());
    assert_eq!(count(&pool), 0);
}
