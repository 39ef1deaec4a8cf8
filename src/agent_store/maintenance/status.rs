//! Which migrations a database has, and which it lacks.

use crate::agent_store::migrations::Migrations;
use crate::db::migrations::{AppliedMigration, MigrationError, Plan, compare, too_old};
use crate::db::{DatabaseConfig, DbError, DbErrorKind, Dialect, Row, Sql, Texts, Tx};

const SCHEMA: Sql = Sql::differing(
    "looking for the schema",
    Texts { sqlite: "SELECT 1 AS found", postgres: "SELECT current_schema() IS NOT NULL AS found" },
);
const TABLES: Sql = Sql::differing(
    "looking for tables",
    Texts {
        sqlite: "SELECT count(*) AS found FROM sqlite_master
                  WHERE name <> 'migrations' AND name NOT LIKE 'sqlite_%'",
        postgres: "SELECT count(*) AS found
                     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                      AND c.relname <> 'migrations'",
    },
);
/// The columns of the table of migrations: old databases have no scripts in it.
const HISTORY: Sql = Sql::differing(
    "looking at the table of migrations",
    Texts {
        sqlite: "SELECT name FROM pragma_table_info('migrations')",
        postgres: "SELECT a.attname AS name
                     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                     JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = current_schema() AND c.relname = 'migrations'
                      AND a.attnum > 0 AND NOT a.attisdropped",
    },
);
const LIST: Sql = Sql::differing(
    "reading migrations",
    Texts {
        sqlite: "SELECT name, down FROM migrations ORDER BY name",
        postgres: "SELECT name, down FROM migrations ORDER BY name COLLATE \"C\"",
    },
);
const NAMES: Sql =
    Sql::new("reading migrations", "SELECT name, NULL AS down FROM migrations ORDER BY name");

/// Which migrations a database has, and what it takes to bring it to the program's version.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AgentStatus {
    /// Whether there is such a file, or such a schema.
    pub exists: bool,
    /// The migrations that it has, in order.
    pub applied: Vec<String>,
    /// The migrations that it lacks, in order.
    pub pending: Vec<String>,
    /// The migrations that it has, this program doesn't know, and it can undo, in order.
    pub unknown: Vec<String>,
    /// Why it can't be brought to this program's version.
    pub problem: Option<MigrationError>,
}

impl AgentStatus {
    /// Whether it is there and at this program's version.
    pub fn is_ready(&self) -> bool {
        self.exists && self.pending.is_empty() && self.unknown.is_empty() && self.problem.is_none()
    }

    fn absent(migrations: &Migrations) -> Self {
        Self {
            exists: false,
            applied: Vec::new(),
            pending: migrations.list.iter().map(|one| one.name.to_owned()).collect(),
            unknown: Vec::new(),
            problem: None,
        }
    }

    fn of(applied: Vec<AppliedMigration>, is_new: bool, migrations: &Migrations) -> Self {
        let mut status = Self { exists: true, ..Self::absent(migrations) };
        status.pending.clear();
        status.problem = match is_new {
            true => None,
            false => too_old(&migrations.baseline, migrations.list, &applied),
        };
        match compare(migrations.list, &applied) {
            _ if status.problem.is_some() => {}
            Ok(Plan::UpToDate) => {}
            Ok(Plan::Up(up)) => {
                status.pending = up.iter().map(|one| one.name.to_owned()).collect();
            }
            Ok(Plan::Down(down)) => {
                status.unknown = down.into_iter().map(|one| one.name).collect();
            }
            Err(error) => status.problem = Some(MigrationError::Plan(error)),
        }
        status.applied = applied.into_iter().map(|one| one.name).collect();
        status
    }
}

/// Looks at a database without changing it, as it is at one moment. A file or a schema that isn't there, or is
/// at another version, is no error, and isn't made.
///
/// # Errors
///
/// What kept it from being read: [`DbErrorKind::Damaged`] for a file that isn't a database.
pub fn status(config: &DatabaseConfig) -> Result<AgentStatus, DbError> {
    if is_missing_file(config) {
        return Ok(AgentStatus::absent(Migrations::of(config.dialect())));
    }
    config.snapshot("looking at the database", read_status)
}

fn is_missing_file(config: &DatabaseConfig) -> bool {
    match config {
        #[cfg(feature = "sqlite")]
        DatabaseConfig::Sqlite(config) => std::fs::metadata(config.path())
            .is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound),
        #[cfg(feature = "postgres")]
        DatabaseConfig::Postgres(_) => false,
    }
}

fn read_status(tx: &mut Tx<'_>) -> Result<AgentStatus, DbError> {
    let migrations = Migrations::of(tx.dialect());
    if found(tx, &SCHEMA)? == 0 {
        return Ok(AgentStatus::absent(migrations));
    }
    let applied = applied(tx)?;
    let is_new = applied.is_empty() && found(tx, &TABLES)? == 0;
    Ok(AgentStatus::of(applied, is_new, migrations))
}

/// Refuses a database that isn't at this program's version: its tables can't be read by what it expects.
pub(super) fn require(tx: &mut Tx<'_>) -> Result<(), DbError> {
    let status = read_status(tx)?;
    if status.is_ready() {
        return Ok(());
    }
    let problem = match &status.problem {
        Some(problem) => problem.to_string(),
        None if !status.exists => "there is no such schema".to_owned(),
        None if status.applied.is_empty() => "there are no tables of an agent in it".to_owned(),
        None if status.pending.is_empty() => "it is newer than this program".to_owned(),
        None => "it is older than this program".to_owned(),
    };
    Err(DbError::new("checking the version", DbErrorKind::Schema, problem))
}

fn applied(tx: &mut Tx<'_>) -> Result<Vec<AppliedMigration>, DbError> {
    let columns: Vec<String> = tx.query(&HISTORY, &[], |row| row.next("migrations.name"))?;
    let list = match columns.iter().any(|column| column == "down") {
        _ if columns.is_empty() => return Ok(Vec::new()),
        true => &LIST,
        false => &NAMES,
    };
    tx.query(list, &[], applied_migration)
}

fn applied_migration(row: &mut Row<'_>) -> Result<AppliedMigration, DbError> {
    Ok(AppliedMigration { name: row.next("migrations.name")?, down: row.next("migrations.down")? })
}

fn found(tx: &mut Tx<'_>, sql: &Sql) -> Result<i64, DbError> {
    tx.query_one(sql, &[], |row| row.next("migrations.found"))
}

impl Migrations {
    fn of(dialect: Dialect) -> &'static Self {
        match dialect {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => &crate::agent_store::migrations::SQLITE,
            #[cfg(feature = "postgres")]
            Dialect::Postgres => &crate::agent_store::migrations::POSTGRES,
            // No database of a kind that isn't built in can be opened.
            #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
            _ => &Self {
                list: &[],
                baseline: crate::db::migrations::Baseline { count: 0, script: "" },
            },
        }
    }
}
