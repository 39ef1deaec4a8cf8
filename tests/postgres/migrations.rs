//! Migrations on a real server: up, down, interrupted, at once, and refused.

use std::time::Duration;

use postgres::Client;
use simplex_stores::db::DbErrorKind;
use simplex_stores::db::migrations::{
    self, ConfirmMode, Migrated, Migration, MigrationError, MigrationTarget, PlanError, Question,
};
use simplex_stores::db::postgres::{CreateSchema, PostgresConfig, PostgresMigrator, SchemaName};
use simplex_stores::queue_store::postgres::migrations::MIGRATIONS;
use simplex_stores::queue_store::postgres::{SchemaOptions, migrate};
use simplex_stores::sync::thread;
use simplex_stores::testing::postgres::TestDatabase;

use crate::catalogue;
use crate::fixture::{self, UP, client, migrate_up};

/// What the specification lists.
const NAMES: [&str; 6] = [
    "20250207_initial",
    "20250319_updated_index",
    "20250320_short_links",
    "20250514_service_certs",
    "20250903_store_messages",
    "20250915_queue_ids_hash",
];

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The schema and the list of what was applied.
fn state(client: &mut Client) -> (Vec<String>, Vec<(String, Option<String>)>) {
    let schema = catalogue::whole(client);
    let rows = client.query("SELECT name, down FROM migrations ORDER BY name", &[]).unwrap();
    (schema, rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Brings a database to some list of migrations.
fn to(
    database: &TestDatabase,
    list: &[Migration],
    mode: ConfirmMode,
) -> Result<Migrated, MigrationError> {
    bring(&database.config().unwrap(), list, mode)
}

fn bring(
    config: &PostgresConfig,
    list: &[Migration],
    mode: ConfirmMode,
) -> Result<Migrated, MigrationError> {
    let mut migrator = PostgresMigrator::open(config, CreateSchema::IfMissing)?;
    migrations::migrate(&mut migrator, list, mode, |_| panic!("nobody is to be asked"))
}

#[test]
fn a_new_database_gets_all_migrations_and_is_then_up_to_date() {
    let database = fixture::empty();
    let config = database.config().unwrap();
    assert_eq!(migrate_up(&config), Ok(Migrated::Up(names(&NAMES))));
    let recorded: Vec<_> =
        MIGRATIONS.iter().map(|one| (one.name.to_owned(), one.down.map(str::to_owned))).collect();
    assert_eq!(state(&mut client(&database)).1, recorded);
    for confirm in [ConfirmMode::Error, ConfirmMode::YesUp, ConfirmMode::YesUpDown] {
        let options = SchemaOptions { create: CreateSchema::Never, confirm };
        let again = migrate(&config, options, |_| panic!("nobody is to be asked"));
        assert_eq!(again, Ok(Migrated::UpToDate));
    }
}

#[test]
fn names_ascend_and_only_the_first_migration_cannot_be_undone() {
    assert_eq!(MIGRATIONS.iter().map(|one| one.name).collect::<Vec<_>>(), NAMES);
    assert!(NAMES.is_sorted());
    let without: Vec<&str> =
        MIGRATIONS.iter().filter(|one| one.down.is_none()).map(|one| one.name).collect();
    assert_eq!(without, ["20250207_initial"]);
}

#[test]
fn a_database_of_the_reference_is_recognised() {
    let database = fixture::with_schema();
    let theirs =
        "UPDATE migrations SET down = 'the reference''s own script' WHERE down IS NOT NULL";
    client(&database).execute(theirs, &[]).unwrap();
    let options = SchemaOptions { create: CreateSchema::Never, confirm: ConfirmMode::Error };
    let config = database.config().unwrap();
    assert_eq!(migrate(&config, options, |_| false), Ok(Migrated::UpToDate));
}

#[test]
fn down_and_up_again_gives_the_same_schema_at_every_step() {
    let database = fixture::empty();
    let mut client = database.client().unwrap();
    client.batch_execute("CREATE EXTENSION pgcrypto SCHEMA public").unwrap();
    // A column that comes back by undoing stands at the end of its table.
    let sorted = |client: &mut Client| {
        let (mut schema, applied) = state(client);
        schema.sort();
        (schema, applied)
    };
    let mut steps = Vec::new();
    for length in 1..=MIGRATIONS.len() {
        let list = &MIGRATIONS[..length];
        to(&database, list, ConfirmMode::YesUp).unwrap();
        steps.push(sorted(&mut client));
    }
    let whole = state(&mut client);
    for length in (1..MIGRATIONS.len()).rev() {
        let undone = to(&database, &MIGRATIONS[..length], ConfirmMode::YesUpDown);
        assert_eq!(undone, Ok(Migrated::Down(names(&NAMES[length..=length]))));
        assert_eq!(sorted(&mut client), steps[length - 1], "{}", NAMES[length]);
    }
    let again = to(&database, MIGRATIONS, ConfirmMode::YesUp);
    assert_eq!(again, Ok(Migrated::Up(names(&NAMES[1..]))));
    assert_eq!(state(&mut client), whole);
}

#[test]
fn several_migrations_are_undone_last_first_by_the_stored_scripts() {
    let database = fixture::with_schema();
    let undone = to(&database, &MIGRATIONS[..1], ConfirmMode::YesUpDown);
    let mut expected = names(&NAMES[1..]);
    expected.reverse();
    assert_eq!(undone, Ok(Migrated::Down(expected)));
}

const OLD_QUEUES: &str = "
    INSERT INTO msg_queues (recipient_id, recipient_key, rcv_dh_secret, sender_id, snd_secure, status)
    VALUES ('r1', 'key one', '', 's1', true, 'active'), ('r2', 'key 2', '', 's2', false, 'off')";
const KEYS_AND_MODES: &str =
    "SELECT recipient_keys, queue_mode FROM msg_queues ORDER BY recipient_id";

#[test]
fn queues_of_older_versions_keep_their_keys_and_get_their_modes() {
    let database = fixture::empty();
    to(&database, &MIGRATIONS[..2], ConfirmMode::YesUp).unwrap();
    let mut client = client(&database);
    client.batch_execute(OLD_QUEUES).unwrap();
    migrate_up(&database.config().unwrap()).unwrap();
    let rows = client.query(KEYS_AND_MODES, &[]).unwrap();
    let found: Vec<(Vec<u8>, Option<&str>)> =
        rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let first = (b"\x01\x07key one".to_vec(), Some("M"));
    assert_eq!(found, [first, (b"\x01\x05key 2".to_vec(), None)]);

    to(&database, &MIGRATIONS[..2], ConfirmMode::YesUpDown).unwrap();
    let old = "SELECT recipient_key, snd_secure FROM msg_queues ORDER BY recipient_id";
    let rows = client.query(old, &[]).unwrap();
    let found: Vec<(Vec<u8>, bool)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(found, [(b"key one".to_vec(), true), (b"key 2".to_vec(), false)]);
}

#[test]
fn queues_with_two_keys_keep_the_version_that_can_hold_them() {
    for keys in [&b"\x02\x01a\x01b"[..], b"\x01\x02a", b"\x01", b""] {
        let database = fixture::empty();
        to(&database, &MIGRATIONS[..3], ConfirmMode::YesUp).unwrap();
        let mut client = client(&database);
        let insert = "INSERT INTO msg_queues (recipient_id, recipient_keys, rcv_dh_secret, sender_id, status)
            VALUES ('r', $1, '', 's', 'active')";
        client.execute(insert, &[&keys]).unwrap();
        let before = state(&mut client);
        let refused = to(&database, &MIGRATIONS[..2], ConfirmMode::YesUpDown).unwrap_err();
        assert!(
            matches!(&refused, MigrationError::Failed { migration, .. } if migration == NAMES[2])
        );
        assert!(refused.to_string().contains("more than one recipient key"), "{refused}");
        assert_eq!(state(&mut client), before, "{keys:?}");
    }
}

/// Half of it is done when it fails.
fn failing(up: &'static str) -> Vec<Migration> {
    let last = Migration { name: "20990101_failing", up, down: None };
    MIGRATIONS.iter().copied().chain([last]).collect()
}

#[test]
fn a_failing_migration_leaves_the_database_as_it_was() {
    let scripts = [
        "CREATE TABLE half (n int); DROP TABLE messages; SELECT 1 / 0;",
        "CREATE TABLE half (n int); DROP TABLE messages; this is no statement",
        "CREATE TABLE half (n int); DROP TABLE messages; SELECT pg_terminate_backend(pg_backend_pid());",
    ];
    let database = fixture::with_schema();
    let mut client = client(&database);
    let before = state(&mut client);
    for script in scripts {
        let failed = to(&database, &failing(script), ConfirmMode::YesUp).unwrap_err();
        let MigrationError::Failed { migration, .. } = failed else { panic!("{failed}") };
        assert_eq!(migration, "20990101_failing");
        assert_eq!(state(&mut client), before, "{script}");
    }
    let done = to(&database, &failing("CREATE TABLE whole (n int)"), ConfirmMode::YesUp);
    assert_eq!(done, Ok(Migrated::Up(names(&["20990101_failing"]))));
}

#[test]
fn every_migration_killed_in_the_middle_leaves_the_database_as_it_was() {
    let database = fixture::empty();
    let mut watcher = client(&database);
    watcher.batch_execute("CREATE EXTENSION pgcrypto SCHEMA public").unwrap();
    to(&database, &MIGRATIONS[..1], ConfirmMode::YesUp).unwrap();
    migrate_killed_at_each_step(&database, &mut watcher);
    assert_eq!(migrate_up(&database.config().unwrap()), Ok(Migrated::UpToDate));
}

/// Somebody reads a table that the migration changes: it waits there, having recorded itself, and its
/// connection is ended.
fn migrate_killed_at_each_step(database: &TestDatabase, watcher: &mut Client) {
    for length in 2..=MIGRATIONS.len() {
        let list = &MIGRATIONS[..length];
        let before = state(watcher);
        let mut reader = client(database);
        let mut reading = reader.transaction().unwrap();
        reading.batch_execute("SELECT 1 FROM msg_queues; SELECT 1 FROM migrations").unwrap();
        if length > 4 {
            reading.batch_execute("SELECT 1 FROM services").unwrap();
        }
        let config = database.config().unwrap();
        let migrating = thread::spawn(move || bring(&config, list, ConfirmMode::YesUp));
        end_who_waits(watcher);
        let failed = migrating.join().unwrap().unwrap_err();
        let MigrationError::Failed { migration, error } = failed else { panic!("{failed}") };
        assert_eq!(migration, NAMES[length - 1]);
        assert_eq!(*error.kind(), DbErrorKind::Lost);
        reading.rollback().unwrap();
        assert_eq!(state(watcher), before);
        to(database, list, ConfirmMode::YesUp).unwrap();
    }
}

/// Ends the connection that waits for a table, as soon as there is one.
fn end_who_waits(watcher: &mut Client) {
    let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks
                WHERE NOT granted AND locktype = 'relation'
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while watcher.query(end, &[]).unwrap().is_empty() {
        thread::yield_now();
    }
}

#[test]
fn processes_that_migrate_at_once_take_turns() {
    let database = fixture::empty();
    let config = database.config().unwrap();
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let config = config.clone();
            thread::spawn(move || migrate_up(&config))
        })
        .collect();
    let results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let up = results.iter().filter(|result| **result == Ok(Migrated::Up(names(&NAMES)))).count();
    let nothing = results.iter().filter(|result| **result == Ok(Migrated::UpToDate)).count();
    assert_eq!((up, nothing), (1, 5), "{results:?}");
}

#[test]
fn two_schemas_of_one_database_are_migrated_at_once() {
    let database = fixture::empty();
    let threads: Vec<_> = ["one", "two", "three", "with \"quotes\"; DROP"]
        .map(|name| {
            let schema: SchemaName = name.parse().unwrap();
            let config = database.config().unwrap().schema(schema);
            thread::spawn(move || migrate_up(&config))
        })
        .into_iter()
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), Ok(Migrated::Up(names(&NAMES))));
    }
    let count = "SELECT count(*) FROM pg_tables WHERE schemaname = $1 AND tablename = 'msg_queues'";
    let mut client = database.client().unwrap();
    for schema in ["one", "two", "three", "with \"quotes\"; DROP"] {
        assert_eq!(client.query_one(count, &[&schema]).unwrap().get::<_, i64>(0), 1);
    }
}

#[test]
fn who_waits_too_long_for_another_migration_is_told_so() {
    let database = fixture::with_schema();
    let config = database.config().unwrap().migration_lock_timeout(Duration::from_millis(20));
    let first = PostgresMigrator::open(&config, CreateSchema::Never).unwrap();
    let refused = migrate_up(&config).unwrap_err();
    let MigrationError::Database(error) = refused else { panic!("{refused}") };
    assert_eq!(*error.kind(), DbErrorKind::LockTimeout);
    assert!(error.to_string().contains("another process's migration"), "{error}");
    drop(first);
    let config = database.config().unwrap();
    assert_eq!(migrate_up(&config), Ok(Migrated::UpToDate));
}

fn newer(down: Option<&str>) -> TestDatabase {
    let database = fixture::with_schema();
    let mut client = client(&database);
    client.batch_execute("CREATE TABLE of_the_future (n int)").unwrap();
    let record = "INSERT INTO migrations VALUES ('20990101_future', now(), $1)";
    client.execute(record, &[&down]).unwrap();
    database
}

#[test]
fn a_newer_database_goes_back_only_when_that_is_asked_for() {
    let database = newer(Some("DROP TABLE of_the_future"));
    let config = database.config().unwrap();
    let before = state(&mut client(&database));
    let with = |confirm| {
        let options = SchemaOptions { create: CreateSchema::Never, confirm };
        migrate(&config, options, |_| panic!("nobody is to be asked"))
    };
    for mode in [ConfirmMode::Error, ConfirmMode::YesUp] {
        let refused = MigrationError::Downgrade { migrations: names(&["20990101_future"]) };
        assert_eq!(with(mode), Err(refused));
        assert_eq!(state(&mut client(&database)), before);
    }
    assert_eq!(with(ConfirmMode::YesUpDown), Ok(Migrated::Down(names(&["20990101_future"]))));
    assert_eq!(with(ConfirmMode::Error), Ok(Migrated::UpToDate));
}

#[test]
fn a_newer_database_without_a_way_back_is_refused() {
    let database = newer(None);
    let config = database.config().unwrap();
    let options = SchemaOptions { create: CreateSchema::Never, confirm: ConfirmMode::YesUpDown };
    let refused = migrate(&config, options, |_| false).unwrap_err();
    let db_migrations = names(&["20990101_future"]);
    assert_eq!(refused, MigrationError::Plan(PlanError::NoDown { db_migrations }));
}

#[test]
fn a_database_that_was_migrated_otherwise_is_refused() {
    let database = fixture::with_schema();
    let rename =
        "UPDATE migrations SET name = '20250320_other' WHERE name = '20250320_short_links'";
    client(&database).execute(rename, &[]).unwrap();
    let refused = migrate_up(&database.config().unwrap()).unwrap_err();
    let different = PlanError::Different {
        app_migration: "20250320_short_links".into(),
        db_migration: "20250320_other".into(),
    };
    assert_eq!(refused, MigrationError::Plan(different));
}

#[test]
fn an_older_database_is_not_touched_without_permission_and_somebody_can_be_asked() {
    let database = fixture::empty();
    to(&database, &MIGRATIONS[..4], ConfirmMode::Error).unwrap();
    let config = database.config().unwrap();
    let with = |confirm, answer: bool| {
        let options = SchemaOptions { create: CreateSchema::Never, confirm };
        let mut asked = 0;
        let result = migrate(&config, options, |question| {
            assert_eq!(*question, Question::Up(&MIGRATIONS[4..]));
            asked += 1;
            answer
        });
        (result, asked)
    };
    let before = state(&mut client(&database));
    let (refused, asked) = with(ConfirmMode::Error, true);
    let Err(MigrationError::Upgrade { migrations }) = refused else { panic!("{refused:?}") };
    assert!(migrations.iter().all(|one| one.with_down) && migrations.len() == 2 && asked == 0);
    assert_eq!(with(ConfirmMode::Console, false), (Err(MigrationError::Refused), 1));
    assert_eq!(state(&mut client(&database)), before);
    assert_eq!(with(ConfirmMode::Console, true), (Ok(Migrated::Up(names(&NAMES[4..]))), 1));
}

#[test]
fn pg39_a_schema_is_made_only_when_that_is_asked_for() {
    let database = fixture::empty();
    let config = database.config().unwrap();
    let never = SchemaOptions { create: CreateSchema::Never, ..UP };
    let MigrationError::Database(error) = migrate(&config, never, |_| false).unwrap_err() else {
        panic!("not an error of the database")
    };
    assert_eq!(*error.kind(), DbErrorKind::Schema);
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'smp_server'";
    let mut plain = database.client().unwrap();
    assert_eq!(plain.query_one(schemas, &[]).unwrap().get::<_, i64>(0), 0);
}

#[test]
fn a_first_start_that_was_interrupted_goes_on_without_asking() {
    let database = fixture::empty();
    let config = database.config().unwrap();
    let mut migrator = PostgresMigrator::open(&config, CreateSchema::IfMissing).unwrap();
    assert!(migrator.is_new() && migrator.applied().unwrap().is_empty());
    drop(migrator);
    let options = SchemaOptions { create: CreateSchema::IfMissing, confirm: ConfirmMode::Error };
    assert_eq!(migrate(&config, options, |_| false), Ok(Migrated::Up(names(&NAMES))));
}

#[test]
fn without_the_right_to_make_the_extension_nothing_is_applied_and_the_way_out_is_told() {
    let database = fixture::empty();
    let role = "DO $$ BEGIN CREATE ROLE owner_of_schema LOGIN;
        EXCEPTION WHEN duplicate_object THEN END $$;
        CREATE SCHEMA smp_server AUTHORIZATION owner_of_schema";
    database.client().unwrap().batch_execute(role).unwrap();
    let url = database.url().replace("user=postgres", "user=owner_of_schema");
    let config = PostgresConfig::parse(&url).unwrap();
    let refused = migrate_up(&config).unwrap_err();
    let MigrationError::Failed { migration, error } = &refused else { panic!("{refused}") };
    assert_eq!((migration.as_str(), error.kind()), (NAMES[0], &DbErrorKind::Denied));
    assert!(error.message().contains("CREATE EXTENSION pgcrypto SCHEMA public"), "{error}");
    assert!(state(&mut client(&database)).1.is_empty());
    database.client().unwrap().batch_execute("CREATE EXTENSION pgcrypto SCHEMA public").unwrap();
    assert_eq!(migrate_up(&config), Ok(Migrated::Up(names(&NAMES))));
}

#[test]
fn scripts_leave_transactions_to_the_runner() {
    let words = ["BEGIN;", "COMMIT;", "ROLLBACK", "START TRANSACTION", "CONCURRENTLY"];
    for migration in MIGRATIONS {
        for script in [migration.up, migration.down.unwrap_or_default()] {
            // The body of one procedure commits on its own, when it is called.
            let outside = script.split("$$").step_by(2);
            for part in outside {
                assert!(words.iter().all(|word| !part.contains(word)), "{}", migration.name);
            }
        }
    }
}
