//! Two processes on one file wait for each other.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use simplex_stores::db::sqlite::{SqliteConfig, SqliteDatabase, SqliteMigrator};
use simplex_stores::db::{DbError, DbErrorKind, Priority, Sql};
use simplex_stores::sync::channel::{Sender, unbounded};
use simplex_stores::sync::thread;

const CREATE: Sql = Sql::new("create", "CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT");
const ADD: Sql = Sql::new("add", "INSERT INTO t (n) SELECT coalesce(max(n), 0) + 1 FROM t");
const COUNT: Sql = Sql::new("count", "SELECT count(*) AS count FROM t");

/// Says what this test's process is to do when it is somebody's child.
const ROLE: &str = "SQLITE_TEST_ROLE";
const FILE: &str = "SQLITE_TEST_FILE";
const TIMES: i64 = 100;

/// This test's program again, as another process that plays a part.
fn child(role: &str, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::the_other_process", "--nocapture"])
        .env(ROLE, role)
        .env(FILE, file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the child says that it is there.
fn wait_for(child: &mut Child, word: &str) {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(
        lines.map(Result::unwrap).any(|line| line.contains(word)),
        "the child never said {word}"
    );
}

#[test]
fn the_other_process() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let file = std::env::var(FILE).unwrap();
    let database = SqliteDatabase::open(&SqliteConfig::new(file).unwrap()).unwrap();
    match &*role {
        "adds" => (0..TIMES).for_each(|_| add(&database).unwrap()),
        "holds" => database
            .transaction::<_, DbError>(Priority::Ordinary, "holding", |tx| {
                tx.execute(&ADD, &[])?;
                std::io::stdout().write_all(b"\nholding\n").unwrap();
                std::io::stdout().flush().unwrap();
                let mut line = String::new();
                std::io::stdin().read_line(&mut line).unwrap();
                Ok(())
            })
            .unwrap(),
        role => panic!("no role {role}"),
    }
}

fn add(database: &SqliteDatabase) -> Result<(), DbError> {
    database.transaction(Priority::Ordinary, "adding", |tx| tx.execute(&ADD, &[]).map(drop))
}

fn count(database: &SqliteDatabase) -> i64 {
    let count = database.transaction::<_, DbError>(Priority::Ordinary, "counting", |tx| {
        tx.query_one(&COUNT, &[], |row| row.next("t.count"))
    });
    count.unwrap()
}

fn with_table(config: &SqliteConfig) -> SqliteDatabase {
    let database = SqliteDatabase::open(config).unwrap();
    let create = |tx: &mut simplex_stores::db::Tx<'_>| tx.execute(&CREATE, &[]);
    database.transaction::<_, DbError>(Priority::Ordinary, "create", create).unwrap();
    database
}

#[test]
fn as5_two_processes_that_write_one_file_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    // How long waiting may take in all says the machine's load, and not this test.
    let config = SqliteConfig::new(&file).unwrap().busy_limit(Duration::from_secs(600));
    let database = with_table(&config);
    let mut other = child("adds", &file);
    (0..TIMES).for_each(|_| add(&database).unwrap());
    assert!(other.wait().unwrap().success());
    assert_eq!(count(&database), 2 * TIMES);
}

#[test]
fn as5_a_lock_that_another_process_keeps_ends_in_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    let config = SqliteConfig::new(&file).unwrap().busy_limit(Duration::ZERO);
    let database = with_table(&config);
    let mut other = child("holds", &file);
    wait_for(&mut other, "holding");
    let error = add(&database).unwrap_err();
    assert_eq!((error.kind(), error.doing()), (&DbErrorKind::LockTimeout, "adding: begin"));
    let migrator = SqliteMigrator::open(&config.migration_lock_limit(Duration::ZERO));
    assert_eq!(*migrator.err().unwrap().kind(), DbErrorKind::LockTimeout);
    other.stdin.take().unwrap().write_all(b"go\n").unwrap();
    assert!(other.wait().unwrap().success());
    add(&database).unwrap();
    assert_eq!(count(&database), 2);
}

#[test]
fn as5_who_waits_goes_on_when_the_other_process_ends_also_when_it_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    let config = SqliteConfig::new(&file).unwrap().busy_limit(Duration::from_secs(600));
    let database = with_table(&config);
    let mut other = child("holds", &file);
    wait_for(&mut other, "holding");
    let waiting = thread::spawn(move || add(&database).map(|()| count(&database)));
    other.kill().unwrap();
    other.wait().unwrap();
    // What the killed process had added is not there.
    assert_eq!(waiting.join().unwrap().unwrap(), 1);
}

/// Tells of every event on its thread.
struct Told(Sender<()>);

impl tracing::Subscriber for Told {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("simplex_stores::db::sqlite::connection")
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        let _ = self.0.send(());
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// SQLite's own waiting ends after a tenth of a second: the lock is given back only after that.
#[test]
fn as5_what_was_busy_is_tried_again_until_the_lock_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    let config = SqliteConfig::new(&file).unwrap().busy_limit(Duration::from_secs(600));
    let database = with_table(&config);
    let mut other = child("holds", &file);
    wait_for(&mut other, "holding");
    let (told, busy) = unbounded();
    let waiting = thread::spawn(move || {
        tracing::subscriber::with_default(Told(told), || add(&database).map(|()| count(&database)))
    });
    let was_busy = busy.recv();
    other.stdin.take().unwrap().write_all(b"go\n").unwrap();
    assert!(other.wait().unwrap().success());
    assert_eq!(waiting.join().unwrap(), Ok(2));
    assert!(was_busy.is_ok(), "it was never busy");
}
