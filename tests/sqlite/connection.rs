//! How every connection is set up, and who has it when.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use simplex_stores::db::sqlite::rusqlite::Connection;
use simplex_stores::db::sqlite::rusqlite::functions::FunctionFlags;
use simplex_stores::db::sqlite::{SqliteConfig, SqliteDatabase};
use simplex_stores::db::{DbError, DbErrorKind, Priority, Sql};
use simplex_stores::sync::{channel, thread};

const CREATE: Sql = Sql::new("create", "CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT) STRICT");
const INSERT: Sql = Sql::new("insert", "INSERT INTO t (n, text) VALUES ($1, $2)");
const ALL: Sql = Sql::new("all", "SELECT n FROM t ORDER BY n");

pub(crate) fn config(folder: &Path) -> SqliteConfig {
    SqliteConfig::new(folder.join("test.db")).unwrap().busy_limit(Duration::ZERO)
}

fn run<T>(
    database: &SqliteDatabase,
    label: &'static str,
    work: impl FnOnce(&mut simplex_stores::db::Tx<'_>) -> Result<T, DbError>,
) -> Result<T, DbError> {
    database.transaction(Priority::Ordinary, label, work)
}

#[test]
fn as3_every_connection_enforces_references_and_overwrites_what_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let database =
        SqliteDatabase::open(&config(&folder.path().join("made").join("for it"))).unwrap();
    for _ in 0..2 {
        let said = database.exec_sql(
            "PRAGMA foreign_keys; PRAGMA secure_delete; PRAGMA auto_vacuum; PRAGMA busy_timeout",
        );
        let said = said.unwrap();
        assert_eq!(
            said,
            ["foreign_keys", "1", "secure_delete", "1", "auto_vacuum", "1", "timeout", "100"]
        );
        database.close().unwrap();
        database.reopen().unwrap();
    }
}

#[test]
fn as3_a_deleted_text_is_not_left_in_the_file() {
    const SECRET: &str = "a text that nobody may find again";
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let database = SqliteDatabase::open(&config).unwrap();
    let contains = || {
        let bytes = std::fs::read(config.path()).unwrap();
        bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes())
    };
    run(&database, "fill", |tx| {
        tx.execute(&CREATE, &[])?;
        tx.execute(&INSERT, &[&1, &SECRET])
    })
    .unwrap();
    assert!(contains());
    let delete = Sql::new("delete", "DELETE FROM t");
    run(&database, "empty", |tx| tx.execute(&delete, &[])).unwrap();
    assert!(!contains());
}

#[test]
fn functions_are_there_again_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path()).with_functions(|connection| {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        connection
            .create_scalar_function("twice", 1, flags, |context| Ok(2 * context.get::<i64>(0)?))
    });
    let database = SqliteDatabase::open(&config).unwrap();
    for _ in 0..2 {
        assert_eq!(database.exec_sql("SELECT twice(21) AS answer").unwrap(), ["answer", "42"]);
        database.close().unwrap();
        database.reopen().unwrap();
    }
}

#[test]
fn as6_what_cannot_be_reopened_stays_closed() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let database = SqliteDatabase::open(&config).unwrap();
    database.close().unwrap();
    std::fs::remove_file(config.path()).unwrap();
    std::fs::create_dir(config.path()).unwrap();
    assert_eq!(*database.reopen().unwrap_err().kind(), DbErrorKind::Connect);
    let refused = run(&database, "late", |_| Ok(()));
    assert_eq!(*refused.unwrap_err().kind(), DbErrorKind::Closed);
    std::fs::remove_dir(config.path()).unwrap();
    database.reopen().unwrap();
    run(&database, "again", |_| Ok(())).unwrap();
}

#[test]
fn what_is_no_database_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    std::fs::write(config.path(), [b'x'; 4096]).unwrap();
    let error = SqliteDatabase::open(&config).unwrap_err();
    assert_eq!(*error.kind(), DbErrorKind::Damaged, "{error}");
    assert!(error.to_string().contains("test.db"), "{error}");
}

#[test]
fn threads_of_either_priority_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let database = Arc::new(SqliteDatabase::open(&config(folder.path())).unwrap());
    run(&database, "create", |tx| tx.execute(&CREATE, &[])).unwrap();
    let (order, ended) = channel::unbounded();
    let (started, has_started) = channel::unbounded();
    let waiter = |priority: Priority, n: i64| {
        let (database, order, started) = (Arc::clone(&database), order.clone(), started.clone());
        thread::spawn(move || {
            started.send(()).unwrap();
            database.transaction::<_, DbError>(priority, "waiting", |tx| {
                order.send(n).unwrap();
                tx.execute(&INSERT, &[&n, &None::<String>])
            })
        })
    };
    let threads = run(&database, "first", |_| {
        let mut threads: Vec<_> = (0..4).map(|n| waiter(Priority::Ordinary, n)).collect();
        threads.extend((10..14).map(|n| waiter(Priority::High, n)));
        (0..8).for_each(|_| has_started.recv().unwrap());
        Ok(threads)
    });
    for thread in threads.unwrap() {
        thread.join().unwrap().unwrap();
    }
    // Who waited already is not known from outside (who goes first, the slot's own tests show): but each
    // ran alone, and none is missing.
    let mut all: Vec<i64> = (0..8).map(|_| ended.recv().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3, 10, 11, 12, 13]);
    let rows = run(&database, "all", |tx| tx.query(&ALL, &[], |row| row.next::<i64>("t.n")));
    assert_eq!(rows.unwrap(), all);
}

#[test]
fn a_disk_without_room_is_told_so_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = SqliteDatabase::open(&config(folder.path())).unwrap();
    run(&database, "create", |tx| {
        tx.execute(&CREATE, &[])?;
        tx.execute(&INSERT, &[&0, &"before"])
    })
    .unwrap();
    // SQLite's own limit answers as a full disk does.
    database.exec_sql("PRAGMA max_page_count = 8").unwrap();
    let text = "x".repeat(1_000);
    let full = run(&database, "filling", |tx| {
        (1..1_000).try_for_each(|n| tx.execute(&INSERT, &[&n, &text]).map(drop))
    });
    let error = full.unwrap_err();
    assert_eq!(*error.kind(), DbErrorKind::NoRoom, "{error}");
    let passed_over = run(&database, "filling", |tx| {
        tx.execute(&INSERT, &[&-1, &"taken back with the rest"])?;
        let part: Result<(), DbError> = tx.savepoint(|tx| {
            (1..1_000).try_for_each(|n| tx.execute(&INSERT, &[&n, &text]).map(drop))
        });
        assert_eq!(*part.unwrap_err().kind(), DbErrorKind::NoRoom);
        Ok(())
    });
    let rows = run(&database, "all", |tx| tx.query(&ALL, &[], |row| row.next::<i64>("t.n")));
    let rows = rows.unwrap();
    // SQLite may take back the part alone, or the whole transaction: never a piece of either.
    match passed_over {
        Ok(()) => assert_eq!(rows, [-1, 0]),
        Err(error) => {
            assert_eq!(*error.kind(), DbErrorKind::NoRoom);
            assert_eq!(rows, [0]);
        }
    }
    database.exec_sql("PRAGMA max_page_count = 100000").unwrap();
    run(&database, "room again", |tx| tx.execute(&INSERT, &[&1, &text])).unwrap();
    let check = Connection::open(folder.path().join("test.db")).unwrap();
    let check: String = check.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}
