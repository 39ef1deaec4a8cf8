//! Why a database was not migrated.

use std::fmt;

use serde::Serialize;

use crate::db::DbError;

/// A migration that would be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpMigration {
    /// Its name.
    pub up_name: String,
    /// Whether it could be undone.
    pub with_down: bool,
}

/// The two lists have no common future.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum PlanError {
    /// The database is ahead, and these of its migrations can't be undone.
    NoDown {
        /// Their names.
        db_migrations: Vec<String>,
    },
    /// The lists differ.
    Different {
        /// The program's migration at the first place where they do.
        app_migration: String,
        /// The database's there.
        db_migration: String,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDown { db_migrations } => write!(
                f,
                "the database is newer than this program, and these of its migrations can't be \
                 undone: {}; use the program that made it",
                db_migrations.join(", ")
            ),
            Self::Different { app_migration, db_migration } => write!(
                f,
                "the database was migrated otherwise: it has {db_migration} where this program has \
                 {app_migration}; check that it is the right database"
            ),
        }
    }
}

impl std::error::Error for PlanError {}

/// Why a database was not migrated, or not to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationError {
    /// There is something to apply, and no permission to.
    Upgrade {
        /// What would be applied, in order.
        migrations: Vec<UpMigration>,
    },
    /// There is something to undo, and no permission to.
    Downgrade {
        /// The names of what would be undone, in ascending order.
        migrations: Vec<String>,
    },
    /// The two lists have no common future.
    Plan(PlanError),
    /// The database is older than anything that this program can bring up to date.
    TooOld {
        /// Its last migration, if it has one.
        has: Option<String>,
        /// The migration that it needs at least.
        needs: String,
    },
    /// The question was answered with no.
    Refused,
    /// A migration failed and was taken back; those before it stay.
    Failed {
        /// Its name.
        migration: String,
        /// What went wrong.
        error: DbError,
    },
    /// The database could not be read.
    Database(DbError),
}

impl MigrationError {
    /// The reference's JSON form, for the errors that have one.
    pub fn to_json(&self) -> Option<serde_json::Value> {
        let json = match self {
            Self::Upgrade { migrations } => {
                serde_json::json!({ "type": "upgrade", "upMigrations": migrations })
            }
            Self::Downgrade { migrations } => {
                serde_json::json!({ "type": "downgrade", "downMigrations": migrations })
            }
            Self::Plan(error) => {
                serde_json::json!({ "type": "migrationError", "mtrError": error })
            }
            _ => return None,
        };
        Some(json)
    }
}

impl fmt::Display for MigrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upgrade { migrations } => {
                let names: Vec<&str> = migrations.iter().map(|one| one.up_name.as_str()).collect();
                let names = names.join(", ");
                write!(f, "the database is older than this program: {names}; allow the upgrade")
            }
            Self::Downgrade { migrations } => write!(
                f,
                "the database is newer than this program: {}; use a newer program, or allow the \
                 downgrade",
                migrations.join(", ")
            ),
            Self::Plan(error) => error.fmt(f),
            Self::TooOld { has, needs } => write!(
                f,
                "the database has {} and needs {needs} at least; bring it up to date with the program \
                 that made it, or check that it is the right one",
                has.as_deref().unwrap_or("no migration")
            ),
            Self::Refused => f.write_str("not migrated: the answer was no"),
            Self::Failed { migration, error } => write!(f, "migration {migration}: {error}"),
            Self::Database(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for MigrationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Plan(error) => Some(error),
            Self::Failed { error, .. } | Self::Database(error) => Some(error),
            _ => None,
        }
    }
}

impl From<DbError> for MigrationError {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}
