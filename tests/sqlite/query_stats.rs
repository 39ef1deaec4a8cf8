//! The statistics of statements.

use std::collections::BTreeMap;
use std::time::Duration;

use simplex_stores::db::sqlite::{QueryStats, QueryTracking, SqliteDatabase};
use simplex_stores::db::{DbError, Priority, Sql};

use crate::connection::config;

const CREATE: Sql = Sql::new("create", "CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT");
const ADD: Sql = Sql::new("add", "INSERT INTO t (n) VALUES ($1)");

/// Makes a table and adds a row, which succeeds once.
fn stats(tracking: QueryTracking) -> BTreeMap<String, QueryStats> {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path()).track_queries(tracking);
    let database = SqliteDatabase::open(&config).unwrap();
    let run = |sql: &Sql, params: &[&dyn simplex_stores::db::ToParam]| {
        database.transaction(Priority::Ordinary, "test", |tx| tx.execute(sql, params))
    };
    run(&CREATE, &[]).unwrap();
    assert_eq!(run(&ADD, &[&1]), Ok(1));
    assert!(run(&ADD, &[&1]).is_err());
    database.close().unwrap();
    database.reopen().unwrap();
    let again = database.with_connection::<_, DbError>("test", |connection| {
        assert!(connection.execute(&ADD, &[&1]).is_err());
        connection.execute(&ADD, &[&2])
    });
    assert_eq!(again, Ok(1));
    database.query_stats()
}

#[test]
fn errors_are_counted_in_every_mode_and_kept_when_the_database_is_opened_again() {
    let never = QueryTracking::SlowerThan(Duration::MAX);
    for tracking in [QueryTracking::Off, never, QueryTracking::All] {
        let stats = stats(tracking);
        let adding = &stats[ADD.sqlite()];
        let errs: Vec<_> = adding.errs.iter().collect();
        assert!(
            matches!(errs[..], [(text, 2)] if text.contains("UNIQUE constraint failed: t.n")),
            "{tracking:?}: {errs:?}"
        );
        let all = tracking == QueryTracking::All;
        assert_eq!(adding.count, if all { 2 } else { 0 }, "{tracking:?}");
        assert_eq!(stats.contains_key(CREATE.sqlite()), all, "{tracking:?}");
    }
}

#[test]
fn times_are_in_microseconds_and_no_average_is_above_the_longest() {
    let stats = stats(QueryTracking::All);
    let adding = &stats[ADD.sqlite()];
    assert!(adding.time_avg <= adding.time_max);
    assert!(adding.time_max < 600_000_000, "{adding:?}");
}
