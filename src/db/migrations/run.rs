//! Running what lies between a program's migrations and a database's.

use std::fmt;
use std::str::FromStr;

use super::compare::{AppliedMigration, DownMigration, Migration, Plan, compare};
use super::error::{MigrationError, PlanError, UpMigration};
use crate::db::{DbError, DbErrorKind};

/// What may be done to a database without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ConfirmMode {
    /// `yesUp`: it may be brought up to date.
    YesUp,
    /// `yesUpDown`: migrations that the program doesn't know may be undone, too.
    YesUpDown,
    /// `console`: somebody is asked.
    Console,
    /// `error`: nothing; a new database is filled all the same.
    #[default]
    Error,
}

const MODES: [(ConfirmMode, &str); 4] = [
    (ConfirmMode::YesUp, "yesUp"),
    (ConfirmMode::YesUpDown, "yesUpDown"),
    (ConfirmMode::Console, "console"),
    (ConfirmMode::Error, "error"),
];

impl FromStr for ConfirmMode {
    type Err = DbError;

    fn from_str(text: &str) -> Result<Self, DbError> {
        let mode = MODES.iter().find(|(_, name)| *name == text).map(|(mode, _)| *mode);
        mode.ok_or_else(|| {
            let problem = "a mode of migrating is yesUp, yesUpDown, console or error";
            DbError::new("reading the settings", DbErrorKind::Settings, problem)
        })
    }
}

impl fmt::Display for ConfirmMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = MODES.iter().find(|(mode, _)| mode == self).map(|(_, name)| *name);
        f.pad(name.unwrap_or_default())
    }
}

/// A database whose migrations this process has for itself, from the making of this value to its end.
pub trait MigrationTarget {
    /// Whether there was nothing before: then it is filled without asking.
    fn is_new(&self) -> bool;

    /// Makes the table of applied migrations when it isn't there, and reads it in ascending order of
    /// names.
    ///
    /// # Errors
    ///
    /// What the database said.
    fn applied(&mut self) -> Result<Vec<AppliedMigration>, DbError>;

    /// Records and applies a migration as one transaction.
    ///
    /// # Errors
    ///
    /// What the database said; then nothing was changed.
    fn apply(&mut self, migration: &Migration) -> Result<(), DbError>;

    /// Records all of `migrations` and runs the `script` that does what they would do together, as one
    /// transaction.
    ///
    /// # Errors
    ///
    /// What the database said; then nothing was changed.
    fn fill(&mut self, migrations: &[Migration], script: &str) -> Result<(), DbError>;

    /// Undoes a migration and removes its record, as one transaction.
    ///
    /// # Errors
    ///
    /// What the database said; then nothing was changed.
    fn undo(&mut self, migration: &DownMigration) -> Result<(), DbError>;

    /// Makes a backup before an existing database is changed, where that is configured.
    ///
    /// # Errors
    ///
    /// What kept it from being made.
    fn back_up(&mut self) -> Result<(), DbError> {
        Ok(())
    }

    /// Called once after migrations were applied.
    ///
    /// # Errors
    ///
    /// What went wrong; the migrations stay.
    fn migrated_up(&mut self) -> Result<(), DbError> {
        Ok(())
    }
}

/// What somebody is asked in [`ConfirmMode::Console`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question<'a> {
    /// Whether to apply these.
    Up(&'a [Migration]),
    /// Whether to undo these.
    Down(&'a [DownMigration]),
    /// Whether to go on with an error: with yes it is returned, with no the answer is
    /// [`MigrationError::Refused`].
    Disagree(&'a PlanError),
}

/// What was done to a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Migrated {
    /// Nothing: it was as the program expects.
    UpToDate,
    /// These were applied, in this order.
    Up(Vec<String>),
    /// These were undone, in this order.
    Down(Vec<String>),
}

/// Brings a database to the program's list of migrations, as far as `mode` permits; `ask` is called in
/// [`ConfirmMode::Console`] only, and not for a new database.
///
/// Each migration is a transaction by itself: when one fails, those before it stay.
///
/// # Errors
///
/// [`MigrationError`]: why nothing was changed, or which migration failed.
pub fn migrate(
    target: &mut impl MigrationTarget,
    program: &[Migration],
    mode: ConfirmMode,
    mut ask: impl FnMut(&Question<'_>) -> bool,
) -> Result<Migrated, MigrationError> {
    let applied = target.applied()?;
    let mut confirmed = |question: Question<'_>| match mode {
        ConfirmMode::Console if !ask(&question) => Err(MigrationError::Refused),
        _ => Ok(()),
    };
    match compare(program, &applied) {
        Ok(Plan::UpToDate) => Ok(Migrated::UpToDate),
        Ok(Plan::Up(migrations)) => {
            if !target.is_new() {
                if mode == ConfirmMode::Error {
                    return Err(upgrade(migrations));
                }
                confirmed(Question::Up(migrations))?;
                target.back_up()?;
            }
            run_up(target, migrations)
        }
        Ok(Plan::Down(migrations)) => {
            if matches!(mode, ConfirmMode::Error | ConfirmMode::YesUp) {
                let names = migrations.into_iter().map(|migration| migration.name);
                return Err(MigrationError::Downgrade { migrations: names.collect() });
            }
            confirmed(Question::Down(&migrations))?;
            target.back_up()?;
            run_down(target, &migrations)
        }
        Err(error) => {
            confirmed(Question::Disagree(&error))?;
            Err(MigrationError::Plan(error))
        }
    }
}

/// The first migrations of a program, which one script does together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baseline<'a> {
    /// How many of the program's migrations it stands for.
    pub count: usize,
    /// Makes in an empty database what they would make.
    pub script: &'a str,
}

/// The same as [`migrate`] for a program whose first migrations are a baseline: a new database is made by
/// its one script and records all of them, as one transaction; one that has only some of them is refused.
///
/// # Errors
///
/// [`MigrationError`]; also [`MigrationError::TooOld`].
pub fn migrate_from(
    target: &mut impl MigrationTarget,
    baseline: &Baseline<'_>,
    program: &[Migration],
    mode: ConfirmMode,
    ask: impl FnMut(&Question<'_>) -> bool,
) -> Result<Migrated, MigrationError> {
    let (first, later) = program.split_at(baseline.count.min(program.len()));
    let applied = target.applied()?;
    let filled = applied.is_empty() && target.is_new();
    if filled {
        let last = first.last().map_or("no migration", |last| last.name);
        target.fill(first, baseline.script).map_err(|error| failed(last, error))?;
        tracing::info!(migration = last, "made a new database");
    } else if let Some(error) = too_old(baseline, program, &applied) {
        return Err(error);
    }
    let names =
        |migrations: &[Migration]| migrations.iter().map(|one| one.name.to_owned()).collect();
    match later {
        [] if filled => {
            target.migrated_up()?;
            Ok(Migrated::Up(names(first)))
        }
        _ if filled => {
            migrate(target, program, ConfirmMode::YesUp, |_| true)?;
            Ok(Migrated::Up(names(program)))
        }
        _ => migrate(target, program, mode, ask),
    }
}

/// The error with which [`migrate_from`] refuses a database that isn't new, if it has only a part of the
/// baseline.
pub(crate) fn too_old(
    baseline: &Baseline<'_>,
    program: &[Migration],
    applied: &[AppliedMigration],
) -> Option<MigrationError> {
    let (first, _) = program.split_at(baseline.count.min(program.len()));
    missing(first, applied).map(|missing| MigrationError::TooOld {
        has: applied.last().map(|last| last.name.clone()),
        needs: missing.name.to_owned(),
    })
}

/// The last migration of a baseline of which a database has only the beginning, or nothing.
fn missing<'p>(first: &'p [Migration], applied: &[AppliedMigration]) -> Option<&'p Migration> {
    let same = first.iter().zip(applied).all(|(ours, theirs)| ours.name == theirs.name);
    first.last().filter(|_| same && applied.len() < first.len())
}

fn upgrade(migrations: &[Migration]) -> MigrationError {
    let described = migrations.iter().map(|migration| UpMigration {
        up_name: migration.name.to_owned(),
        with_down: migration.down.is_some(),
    });
    MigrationError::Upgrade { migrations: described.collect() }
}

fn run_up(
    target: &mut impl MigrationTarget,
    migrations: &[Migration],
) -> Result<Migrated, MigrationError> {
    let mut done = Vec::new();
    for migration in migrations {
        target.apply(migration).map_err(|error| failed(migration.name, error))?;
        tracing::info!(migration = migration.name, "applied a migration");
        done.push(migration.name.to_owned());
    }
    target.migrated_up()?;
    Ok(Migrated::Up(done))
}

fn run_down(
    target: &mut impl MigrationTarget,
    migrations: &[DownMigration],
) -> Result<Migrated, MigrationError> {
    let mut done = Vec::new();
    for migration in migrations.iter().rev() {
        target.undo(migration).map_err(|error| failed(&migration.name, error))?;
        tracing::info!(migration = migration.name, "undid a migration");
        done.push(migration.name.clone());
    }
    Ok(Migrated::Down(done))
}

fn failed(migration: &str, error: DbError) -> MigrationError {
    MigrationError::Failed { migration: migration.to_owned(), error }
}
