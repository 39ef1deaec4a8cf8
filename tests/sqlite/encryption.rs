//! Files that SQLCipher encrypts.

use std::path::Path;

use simplex_stores::db::migrations::MigrationTarget as _;
use simplex_stores::db::sqlite::{DatabaseKey, SqliteConfig, SqliteDatabase, SqliteMigrator};
use simplex_stores::db::{DbError, DbErrorKind, Priority, Sql};

const CREATE: Sql = Sql::new("create", "CREATE TABLE t (text TEXT) STRICT");
const ADD: Sql = Sql::new("add", "INSERT INTO t (text) VALUES ($1)");
const ALL: Sql = Sql::new("all", "SELECT text FROM t");
const TEXT: &str = "a text that nobody else may read";
/// With what an SQL text would end at, and more than ASCII.
const KEY: &str = "it's \"the\" key; -- \u{e9}";

fn key(text: &str) -> DatabaseKey {
    DatabaseKey::new(text).unwrap()
}

fn config(folder: &Path) -> SqliteConfig {
    SqliteConfig::new(folder.join("test.db")).unwrap()
}

fn filled(config: &SqliteConfig) -> SqliteDatabase {
    let database = SqliteDatabase::open(config).unwrap();
    let fill = |tx: &mut simplex_stores::db::Tx<'_>| {
        tx.execute(&CREATE, &[])?;
        tx.execute(&ADD, &[&TEXT])
    };
    database.transaction::<_, DbError>(Priority::Ordinary, "fill", fill).unwrap();
    database
}

fn texts(database: &SqliteDatabase) -> Result<Vec<String>, DbError> {
    let all = |tx: &mut simplex_stores::db::Tx<'_>| tx.query(&ALL, &[], |row| row.next("t.text"));
    database.transaction(Priority::Ordinary, "all", all)
}

#[test]
fn an_encrypted_file_shows_nothing_without_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let encrypted = config.clone().encrypted(key(KEY), false);
    filled(&encrypted).close().unwrap();
    let bytes = std::fs::read(config.path()).unwrap();
    let shows = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(!shows(TEXT.as_bytes()) && !shows(b"CREATE TABLE") && !shows(b"SQLite format 3"));

    let database = SqliteDatabase::open(&encrypted).unwrap();
    assert_eq!(texts(&database), Ok(vec![TEXT.to_owned()]));
    for wrong in [config.clone(), config.clone().encrypted(key("it"), false)] {
        let refused = SqliteDatabase::open(&wrong).and_then(|database| texts(&database).map(drop));
        assert_eq!(*refused.unwrap_err().kind(), DbErrorKind::Damaged);
    }
    let error = SqliteDatabase::open(&config.encrypted(key("it"), false)).unwrap_err();
    assert!(error.to_string().contains("the key is not this file's"), "{error}");
}

#[test]
fn a_plain_file_is_not_opened_with_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    drop(filled(&config));
    let error = SqliteDatabase::open(&config.encrypted(key(KEY), false)).unwrap_err();
    assert_eq!(*error.kind(), DbErrorKind::Damaged);
}

#[test]
fn as7_a_key_that_is_not_kept_is_needed_to_open_again() {
    let folder = tempfile::tempdir().unwrap();
    let database = filled(&config(folder.path()).encrypted(key(KEY), false));
    database.close().unwrap();
    let error = database.reopen().unwrap_err();
    assert_eq!(*error.kind(), DbErrorKind::Settings);
    assert!(error.to_string().contains("the key was not kept"), "{error}");
    assert_eq!(*texts(&database).unwrap_err().kind(), DbErrorKind::Closed);
    // A wrong one leaves it closed, and what was kept as it was.
    assert!(database.reopen_with_key(Some(key("it")), true).is_err());
    assert!(database.reopen().is_err());
    database.reopen_with_key(Some(key(KEY)), true).unwrap();
    assert_eq!(texts(&database), Ok(vec![TEXT.to_owned()]));
    // From now on it is kept.
    database.close().unwrap();
    database.reopen().unwrap();
    assert_eq!(texts(&database), Ok(vec![TEXT.to_owned()]));
}

#[test]
fn as7_a_kept_key_and_none_open_again() {
    let folder = tempfile::tempdir().unwrap();
    for config in [
        config(&folder.path().join("encrypted")).encrypted(key(KEY), true),
        config(&folder.path().join("plain")),
    ] {
        let database = filled(&config);
        database.close().unwrap();
        database.reopen().unwrap();
        assert_eq!(texts(&database), Ok(vec![TEXT.to_owned()]));
    }
}

#[test]
fn neither_the_settings_nor_the_database_show_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path()).encrypted(key("secret"), true);
    let database = filled(&config);
    let shown = format!("{config:?} {database:?} {:?} {:?}", database.config(), key("secret"));
    assert!(!shown.contains("secret"), "{shown}");
    for refused in ["", "a\0b"] {
        assert_eq!(*DatabaseKey::new(refused).unwrap_err().kind(), DbErrorKind::Settings);
    }
}

#[test]
fn the_backup_of_an_encrypted_file_has_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let backups = folder.path().join("backups");
    let config = config(folder.path()).backup_into(&backups).encrypted(key(KEY), false);
    drop(filled(&config));
    SqliteMigrator::open(&config).unwrap().back_up().unwrap();
    let backup = SqliteConfig::new(backups.join("test.db.bak")).unwrap();
    assert!(SqliteDatabase::open(&backup.clone().encrypted(key("it"), false)).is_err());
    let database = SqliteDatabase::open(&backup.encrypted(key(KEY), false)).unwrap();
    assert_eq!(texts(&database), Ok(vec![TEXT.to_owned()]));
}
