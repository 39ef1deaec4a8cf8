//! Migrating a file: whole or not at all, alone, with a backup.

use std::path::Path;

use simplex_stores::db::migrations::{
    AppliedMigration, Baseline, ConfirmMode, Migrated, Migration, MigrationError, MigrationTarget,
    migrate, migrate_from,
};
use simplex_stores::db::sqlite::rusqlite::Connection;
use simplex_stores::db::sqlite::{SqliteConfig, SqliteMigrator};

const FIRST: Migration = Migration {
    name: "1_first",
    up: "CREATE TABLE a (x TEXT) STRICT; INSERT INTO a VALUES ('kept');",
    down: None,
};
const SECOND: Migration = Migration {
    name: "2_second",
    up: "CREATE TABLE b (y TEXT) STRICT; CREATE TABLE c (z TEXT) STRICT;",
    down: Some("DROP TABLE b; DROP TABLE c;"),
};
const BROKEN: Migration = Migration {
    name: "3_broken",
    up: "CREATE TABLE d (z TEXT) STRICT; INSERT INTO nowhere VALUES (1);",
    down: None,
};

fn config(folder: &Path) -> SqliteConfig {
    SqliteConfig::new(folder.join("m.db")).unwrap()
}

fn run(
    config: &SqliteConfig,
    program: &[Migration],
    mode: ConfirmMode,
) -> Result<Migrated, MigrationError> {
    let mut migrator = SqliteMigrator::open(config)?;
    migrate(&mut migrator, program, mode, |_| panic!("nobody is to be asked"))
}

fn text(config: &SqliteConfig, query: &str) -> String {
    let connection = Connection::open(config.path()).unwrap();
    connection.query_row(query, [], |row| row.get(0)).unwrap()
}

fn tables(config: &SqliteConfig) -> String {
    text(
        config,
        "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name)",
    )
}

#[test]
fn a_new_file_is_filled_without_asking_and_then_is_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let names = vec![FIRST.name.to_owned(), SECOND.name.to_owned()];
    let program = [FIRST, SECOND];
    assert_eq!(run(&config, &program, ConfirmMode::Error), Ok(Migrated::Up(names)));
    assert_eq!(run(&config, &program, ConfirmMode::Error), Ok(Migrated::UpToDate));
    assert_eq!(tables(&config), "a,b,c,migrations");
    let recorded = "SELECT group_concat(name || ':' || coalesce(down, '-'), ' ') FROM migrations
                     WHERE ts GLOB '20[0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:*'";
    assert_eq!(text(&config, recorded), "1_first:- 2_second:DROP TABLE b; DROP TABLE c;");
}

#[test]
fn a_first_start_that_was_interrupted_goes_on_without_asking() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    drop(SqliteMigrator::open(&config).unwrap());
    SqliteMigrator::open(&config).unwrap().applied().unwrap();
    let names = vec![FIRST.name.to_owned()];
    assert_eq!(run(&config, &[FIRST], ConfirmMode::Error), Ok(Migrated::Up(names)));
    let upgrade = run(&config, &[FIRST, SECOND], ConfirmMode::Error);
    assert!(matches!(upgrade, Err(MigrationError::Upgrade { .. })), "{upgrade:?}");
}

#[test]
fn a_migration_that_fails_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let failed = run(&config, &[FIRST, SECOND, BROKEN], ConfirmMode::YesUp);
    assert!(
        matches!(&failed, Err(MigrationError::Failed { migration, .. }) if migration == BROKEN.name),
        "{failed:?}"
    );
    assert_eq!(tables(&config), "a,b,c,migrations");
    assert_eq!(run(&config, &[FIRST, SECOND], ConfirmMode::Error), Ok(Migrated::UpToDate));
}

#[test]
fn what_the_program_does_not_know_is_undone_by_the_stored_script() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    run(&config, &[FIRST, SECOND], ConfirmMode::YesUp).unwrap();
    let refused = run(&config, &[FIRST], ConfirmMode::YesUp);
    assert!(matches!(refused, Err(MigrationError::Downgrade { .. })), "{refused:?}");
    let names = vec![SECOND.name.to_owned()];
    assert_eq!(run(&config, &[FIRST], ConfirmMode::YesUpDown), Ok(Migrated::Down(names)));
    assert_eq!(tables(&config), "a,migrations");
    let different = run(&config, &[SECOND], ConfirmMode::YesUpDown);
    assert!(matches!(different, Err(MigrationError::Plan(_))), "{different:?}");
}

#[test]
fn an_existing_file_is_backed_up_before_it_is_changed_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let backups = folder.path().join("backups");
    for (into, backup) in [(Path::new(""), folder.path()), (&backups, &backups)] {
        let config = config(folder.path()).backup_into(into);
        let _ = std::fs::remove_file(config.path());
        let backup = backup.join("m.db.bak");
        run(&config, &[FIRST], ConfirmMode::YesUp).unwrap();
        run(&config, &[FIRST], ConfirmMode::YesUp).unwrap();
        assert!(!backup.exists(), "a new file, or one that is up to date");
        run(&config, &[FIRST, SECOND], ConfirmMode::YesUp).unwrap();
        let copy = SqliteConfig::new(&backup).unwrap();
        assert_eq!(tables(&copy), "a,migrations");
        assert_eq!(text(&copy, "SELECT x FROM a"), "kept");
        assert_eq!(run(&copy, &[FIRST], ConfirmMode::Error), Ok(Migrated::UpToDate));
        // A later one takes its place.
        run(&config, &[FIRST], ConfirmMode::YesUpDown).unwrap();
        assert_eq!(tables(&copy), "a,b,c,migrations");
        std::fs::remove_file(&backup).unwrap();
    }
}

#[test]
fn without_a_place_for_the_backup_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    run(&config, &[FIRST], ConfirmMode::YesUp).unwrap();
    let occupied = folder.path().join("occupied");
    std::fs::write(&occupied, "a file").unwrap();
    let config = config.backup_into(&occupied);
    let failed = run(&config, &[FIRST, SECOND], ConfirmMode::YesUp).unwrap_err();
    assert!(failed.to_string().contains("backing up to"), "{failed}");
    assert_eq!(tables(&config), "a,migrations");
}

#[test]
fn who_migrates_has_the_file_for_himself() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    run(&config, &[FIRST], ConfirmMode::YesUp).unwrap();
    let mut migrator = SqliteMigrator::open(&config).unwrap();
    migrator.applied().unwrap();
    let other = Connection::open(config.path()).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    let read = "SELECT count(*) FROM migrations";
    assert!(other.query_row(read, [], |row| row.get::<_, i64>(0)).is_err());
    migrator.apply(&SECOND).unwrap();
    assert!(other.query_row(read, [], |row| row.get::<_, i64>(0)).is_err());
    drop(migrator);
    assert_eq!(other.query_row(read, [], |row| row.get::<_, i64>(0)).unwrap(), 2);
}

#[test]
fn an_old_table_of_migrations_gets_its_missing_column() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let connection = Connection::open(config.path()).unwrap();
    let old = "CREATE TABLE migrations (name TEXT PRIMARY KEY, ts TEXT NOT NULL);
               INSERT INTO migrations VALUES ('1_first', '2022-01-01 00:00:00');
               CREATE TABLE a (x TEXT)";
    connection.execute_batch(old).unwrap();
    drop(connection);
    let names = vec![SECOND.name.to_owned()];
    assert_eq!(run(&config, &[FIRST, SECOND], ConfirmMode::YesUp), Ok(Migrated::Up(names)));
    let mut migrator = SqliteMigrator::open(&config).unwrap();
    let down = SECOND.down.map(str::to_owned);
    assert_eq!(
        migrator.applied().unwrap(),
        [
            AppliedMigration { name: FIRST.name.into(), down: None },
            AppliedMigration { name: SECOND.name.into(), down }
        ]
    );
}

#[test]
fn a_script_that_stands_for_several_migrations_is_recorded_as_all_of_them_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let mut migrator = SqliteMigrator::open(&config).unwrap();
    migrator.applied().unwrap();
    assert!(migrator.fill(&[FIRST, SECOND], BROKEN.up).is_err());
    assert!(migrator.applied().unwrap().is_empty());
    migrator.fill(&[FIRST, SECOND], SECOND.up).unwrap();
    assert_eq!(migrator.applied().unwrap().len(), 2);
    drop(migrator);
    assert_eq!(tables(&config), "b,c,migrations");
}

#[test]
fn a_file_is_compacted_after_migrations_when_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let size = |vacuum: bool| {
        let path = folder.path().join(format!("{vacuum}.db"));
        // Made without the vacuum that every connection of ours asks for, so that free pages stay.
        let connection = Connection::open(&path).unwrap();
        let fill = "CREATE TABLE big (x BLOB); INSERT INTO big VALUES (zeroblob(1000000));
                    DROP TABLE big; CREATE TABLE a (x TEXT);";
        connection.execute_batch(fill).unwrap();
        drop(connection);
        let config = SqliteConfig::new(&path).unwrap().vacuum_after_migration(vacuum);
        run(&config, &[SECOND], ConfirmMode::YesUp).unwrap();
        std::fs::metadata(&path).unwrap().len()
    };
    assert!(size(false) > 1_000_000);
    assert!(size(true) < 100_000);
}

#[test]
fn a_new_file_is_made_by_the_baseline_and_what_comes_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let program = [FIRST, SECOND, Migration { name: "3_third", up: "DROP TABLE c;", down: None }];
    let names = |count: usize| program[..count].iter().map(|one| one.name.to_owned()).collect();
    let script = "CREATE TABLE a (x TEXT); CREATE TABLE b (y TEXT); CREATE TABLE c (z TEXT);";
    for count in [2, 3] {
        let config = SqliteConfig::new(folder.path().join(format!("{count}.db"))).unwrap();
        let run = |count: usize, mode: ConfirmMode| {
            let mut migrator = SqliteMigrator::open(&config).unwrap();
            let baseline = Baseline { count: 2, script };
            let program = &program[..count];
            migrate_from(&mut migrator, &baseline, program, mode, |_| panic!("nobody is asked"))
        };
        assert_eq!(run(count, ConfirmMode::Error), Ok(Migrated::Up(names(count))));
        assert_eq!(run(count, ConfirmMode::Error), Ok(Migrated::UpToDate));
        if count == 2 {
            assert_eq!(run(3, ConfirmMode::YesUp), Ok(Migrated::Up(vec!["3_third".into()])));
        }
        assert_eq!(tables(&config), "a,b,migrations");
    }
}

#[test]
fn a_file_with_a_part_of_the_baseline_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let baseline = Baseline { count: 2, script: "" };
    let try_it = |program: &[Migration]| {
        let mut migrator = SqliteMigrator::open(&config).unwrap();
        migrate_from(&mut migrator, &baseline, program, ConfirmMode::YesUpDown, |_| true)
    };
    run(&config, &[FIRST], ConfirmMode::YesUp).unwrap();
    let too_old = try_it(&[FIRST, SECOND]).unwrap_err();
    let expected =
        MigrationError::TooOld { has: Some(FIRST.name.into()), needs: SECOND.name.into() };
    assert_eq!(too_old, expected);
    assert!(too_old.to_string().contains("1_first and needs 2_second"), "{too_old}");
    assert!(matches!(try_it(&[SECOND, BROKEN]), Err(MigrationError::Plan(_))));
    let connection = Connection::open(config.path()).unwrap();
    connection.execute_batch("DELETE FROM migrations").unwrap();
    drop(connection);
    // A file of something else.
    assert!(matches!(try_it(&[FIRST, SECOND]), Err(MigrationError::TooOld { has: None, .. })));
}
